"""A stand-in of the Google Calendar API, version 3, with its token endpoint and its batches."""

from .faults import part_missing, part_status, rate_limited
from .oauth import public_key_pem, service_account_info
from .routes import GoogleServer
from .switches import GoogleSwitches
from .world import GoogleWorld, Mail

__all__ = [
    "GoogleServer",
    "GoogleSwitches",
    "GoogleWorld",
    "Mail",
    "part_missing",
    "part_status",
    "public_key_pem",
    "rate_limited",
    "service_account_info",
]
