"""Wall times, zones and instants: what Python's own arithmetic gets wrong around a change of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def utc(moment: datetime) -> datetime:
    """The same instant in UTC. Python compares wall times when two datetimes share a zone; instants never do that."""
    return moment.astimezone(UTC)


def zone_name(moment: datetime) -> str:
    """The IANA name of the zone a datetime carries; "UTC" for a plain offset."""
    return moment.tzinfo.key if isinstance(moment.tzinfo, ZoneInfo) else "UTC"


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
