"""ClicRDV: the appointments of one group, read through the REST API, version 1."""

from calferry.sources.clicrdv.settings import Settings
from calferry.sources.clicrdv.source import ClicrdvSource, build

__all__ = ["ClicrdvSource", "Settings", "build"]
