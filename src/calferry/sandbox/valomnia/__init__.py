"""A stand-in of the Valomnia API, version 2.1."""

from .faults import cut_short, emptied, halved, no_data, unreliable_total
from .routes import ValomniaServer
from .switches import ValomniaSwitches
from .world import ValomniaWorld, Visit

__all__ = [
    "ValomniaServer",
    "ValomniaSwitches",
    "ValomniaWorld",
    "Visit",
    "cut_short",
    "emptied",
    "halved",
    "no_data",
    "unreliable_total",
]
