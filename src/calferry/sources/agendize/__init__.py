"""Agendize: the appointments of one company, read through the scheduling API, version 2.1."""

from calferry.sources.agendize.rows import to_appointment
from calferry.sources.agendize.settings import Settings
from calferry.sources.agendize.source import AgendizeSource, build

__all__ = ["AgendizeSource", "Settings", "build", "to_appointment"]
