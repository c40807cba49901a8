"""Valomnia: the appointments of one organisation's employees, read through its API, version 2.1."""

from calferry.sources.valomnia.settings import Settings
from calferry.sources.valomnia.source import ValomniaSource, build

__all__ = ["Settings", "ValomniaSource", "build"]
