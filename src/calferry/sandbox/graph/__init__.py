"""A stand-in of Microsoft Graph's calendars, version 1.0, with its sign-in and its batches, over TLS."""

from .certificates import application_certificate
from .faults import part_missing, part_status
from .routes import GraphServer
from .switches import GraphSwitches
from .world import GraphWorld, Kept, Mail

__all__ = [
    "GraphServer",
    "GraphSwitches",
    "GraphWorld",
    "Kept",
    "Mail",
    "application_certificate",
    "part_missing",
    "part_status",
]
