"""Wall times, zones and instants: what Python's own arithmetic gets wrong around a change of the clocks."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}


def duration(text: object) -> timedelta:
    """A duration as people write it: "90s", "2m", "24h", "30d", "2w". Raises ValueError."""
    match = re.fullmatch(r"([0-9]{1,6})([smhdw])", text) if isinstance(text, str) else None
    if not match:
        msg = 'expected a duration such as "90s", "2m", "24h", "30d" or "2w"'
        raise ValueError(msg)
    return int(match[1]) * _UNITS[match[2]]


def utc(moment: datetime) -> datetime:
    """The same instant in UTC. Python compares wall times when two datetimes share a zone; instants never do that."""
    return moment.astimezone(UTC)


def zone_name(moment: datetime) -> str:
    """The IANA name of the zone a datetime carries; "UTC" for a plain offset."""
    return moment.tzinfo.key if isinstance(moment.tzinfo, ZoneInfo) else "UTC"


def zone_of(name: str) -> ZoneInfo | None:
    """A time zone by its IANA name, old or new; None for what the database does not know."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; no such path; a directory of the database
        return None


def instant(moment: datetime) -> str:
    """An instant as services are asked by it: in UTC, to the second, with a Z."""
    return f"{utc(moment):%Y-%m-%dT%H:%M:%SZ}"


def wall_clock(wall: datetime, zone: ZoneInfo) -> datetime:
    """A naive wall time as it is meant in `zone`.

    In the gap of spring the clock face does not exist: it is moved forward by the length of the gap, as RFC 5545
    (section 3.3.5) reads it. In the repeat of autumn the first pass is meant.
    """
    local = wall.replace(tzinfo=zone, fold=0)
    return local.astimezone(UTC).astimezone(zone)


def span(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """Start and end in order. An end inside the repeated hour that would lie before the start means its second pass.

    Raises ValueError when the end lies before the start either way. An equal end is allowed here.
    """
    if utc(end) < utc(start):
        end = end.replace(fold=1)
    if utc(end) < utc(start):
        msg = f"ends ({end.isoformat()}) before it starts ({start.isoformat()})"
        raise ValueError(msg)
    return start, end
