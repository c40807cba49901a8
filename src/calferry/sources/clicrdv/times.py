"""From ClicRDV's wall times to instants.

Its JSON has wall times without an offset, in the group's zone; its XML form has the same times with one (vendor's page:
"API Response formats"). That is the only documented way to tell the two passes of an autumn hour apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from calferry.errors import Refused
from calferry.moments import utc, wall_clock

Offsets = Mapping[str, datetime]
"""By member ("start", "end"), the aware time that the XML form of a row says."""


class Span(NamedTuple):
    """When an appointment is. `doubt` says, for people, what was made of a time that the clocks leave unclear."""

    start: datetime
    end: datetime
    doubt: str = ""


def wall_of(text: str, which: str) -> datetime:
    """A date and time as ClicRDV writes it; aware only if it came with an offset. Raises Refused."""
    try:
        if "T" in text or " " in text:
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    msg = f"its {which} is no date and time"
    raise Refused(msg)


def is_repeated(wall: datetime, zone: ZoneInfo) -> bool:
    """Whether the clocks of `zone` show a naive wall time twice."""
    first, second = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    return first.utcoffset() != second.utcoffset() and wall_clock(wall, zone).replace(tzinfo=None, fold=0) == wall


def span_of(start: datetime, end: datetime | None, minutes: int, zone: ZoneInfo, offsets: Offsets) -> Span:
    """Start and end as instants, in `zone`.

    A start that spring leaves out moves forward by the length of the gap, and the end with it. A time that autumn
    repeats is where the XML form says; else its first pass, unless the end would lie before the start. An end that is
    missing, or not after the start, is `minutes` after it, where they are known. Raises Refused for an end before the
    start, and for what no calendar reaches.
    """
    try:
        gap = _gap(start, zone)
        begins = _instant(start + gap, zone, offsets.get("start"))
        if end is None:
            return Span(begins, _after(begins, minutes), _doubt(start, gap, zone, offsets, "start"))
        ends = _instant(end + gap, zone, offsets.get("end"))
        if utc(ends) < utc(begins):
            ends = ends.replace(fold=1)
        if utc(ends) <= utc(begins) and minutes:
            ends = _after(begins, minutes)
        doubt = _doubt(start, gap, zone, offsets, "start") or _doubt(end, timedelta(0), zone, offsets, "end")
    except (ValueError, OverflowError):
        msg = "its times lie beyond the calendar"
        raise Refused(msg) from None
    if utc(ends) < utc(begins):
        msg = "it ends before it starts"
        raise Refused(msg)
    return Span(begins, ends, doubt)


def _gap(wall: datetime, zone: ZoneInfo) -> timedelta:
    """By how much a wall time has to move for the clocks of `zone` to show it."""
    if wall.tzinfo is not None:
        return timedelta(0)
    return wall_clock(wall, zone).replace(tzinfo=None, fold=0) - wall.replace(fold=0)


def _instant(wall: datetime, zone: ZoneInfo, told: datetime | None) -> datetime:
    if wall.tzinfo is not None:
        return wall.astimezone(zone)
    if is_repeated(wall, zone) and told is not None and _tells(told, wall, zone):
        return told.astimezone(zone)
    return wall_clock(wall, zone)


def _tells(told: datetime, wall: datetime, zone: ZoneInfo) -> bool:
    """Whether an aware time is this wall time of the zone, in one of its passes. Else the row changed in between."""
    return told.astimezone(zone).replace(tzinfo=None, fold=0) == wall


def _after(start: datetime, minutes: int) -> datetime:
    return (utc(start) + timedelta(minutes=minutes)).astimezone(start.tzinfo)


def _doubt(wall: datetime, gap: timedelta, zone: ZoneInfo, offsets: Offsets, which: str) -> str:
    if gap:
        return f"(ClicRDV says {wall:%H:%M}, a time that the clocks leave out on that day: it is taken as later.)"
    if wall.tzinfo is not None or not is_repeated(wall, zone):
        return ""
    told = offsets.get(which)
    if told is not None and _tells(told, wall, zone):
        return ""
    return f"(The clocks show {wall:%H:%M} twice on that day, and ClicRDV does not say which is meant.)"
