"""A stand-in of the ClicRDV REST API, version 1."""

from .faults import empty, no_records, partial, wrong_total
from .routes import ClicrdvServer
from .switches import ClicrdvSwitches
from .world import ClicrdvWorld, Reserved

__all__ = [
    "ClicrdvServer",
    "ClicrdvSwitches",
    "ClicrdvWorld",
    "Reserved",
    "empty",
    "no_records",
    "partial",
    "wrong_total",
]
