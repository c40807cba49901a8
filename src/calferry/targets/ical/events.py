"""What a feed can hold, and how an event is rendered. Pure.

Sources: RFC 5545, section 3.6.1 (VEVENT); RFC 7986, section 5.9 (COLOR); how subscribers take changes in:
docs/adapters/ical.md.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from calferry.colors import NAMES
from calferry.model import (
    Change,
    Classification,
    Delete,
    Event,
    Mark,
    Status,
    Transparency,
    at_least,
)
from calferry.moments import utc
from calferry.targets.texts import LINK, clean, one_line

if TYPE_CHECKING:
    from icalendar import Component
    from icalendar import Event as VEvent

KIND = "ical"
FIT_VERSION = "1"
"""Raise it when the same event would be fitted differently."""

SUMMARY, LOCATION, DESCRIPTION, CATEGORY = 1024, 1024, 8192, 100
"""Characters. The RFC knows no limits; readers do."""

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""Sequence numbers are seconds since then: they go on counting upwards though the ledger be lost, or an event go from
one feed to another of the same combined one. They stay below 2^31 until 2094."""

_UTC = ZoneInfo("UTC")
_LASTING = frozenset({"UID", "DTSTART", "DTEND", "CLASS"})
"""What a tombstone keeps, besides its summary and categories."""
_ESCAPES = str.maketrans({"\\": r"\\", ";": r"\;", ",": r"\,", "\n": r"\n"})
_URI = ":/?#[]@!$&'()*+,;=%~-._"
"""RFC 3986, section 2: what may stand in a URI as it is, besides letters and digits."""


# ── fit ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def fit(event: Event) -> Event:
    """The event as a feed can hold it. Idempotent.

    Times are in UTC and whole seconds: of wall times around a change of the clocks, readers make different instants.
    """
    fitted = replace(
        event,
        start=_moment(event.start),
        end=_moment(event.end),
        summary=one_line(event.summary, SUMMARY),
        description=clean(event.description, DESCRIPTION),
        location=one_line(event.location, LOCATION),
        url=quote(event.url, safe=_URI) if LINK.fullmatch(event.url) else "",
        categories=tuple(line for one in event.categories if (line := one_line(one, CATEGORY))),
        color=event.color if event.color in NAMES else "",
    )
    return at_least(fitted, minutes=1)


def _moment(moment: datetime) -> datetime:
    return moment.astimezone(_UTC).replace(microsecond=0)


# ── what is asked for ─────────────────────────────────────────────────────────────────────────────────────────────────


def encode(change: Change) -> bytes:
    """A change, as the intent stores it: deterministic JSON in ASCII. A deletion needs nothing but its name."""
    if isinstance(change, Delete):
        return _json({"mark": asdict(change.mark)})
    event = change.event
    told = {
        name: text for name in ("summary", "description", "location", "url", "color") if (text := getattr(event, name))
    }
    told |= {"start": _stamp(event.start), "end": _stamp(event.end), "categories": event.categories}
    told |= {"shown": [event.status, event.transparency, event.classification]}
    return _json({"mark": asdict(change.mark), "event": told})


def decode(stored: bytes) -> tuple[Mark, Event | None]:
    """Whose, and what to show; None for a deletion."""
    parts = json.loads(stored)
    mark = Mark(**parts["mark"])
    if (told := parts.get("event")) is None:
        return mark, None
    status, transparency, classification = told.pop("shown")
    told["start"], told["end"] = _of_stamp(told["start"]), _of_stamp(told["end"])
    told["categories"] = tuple(told["categories"])
    shown = (Status(status), Transparency(transparency), Classification(classification))
    told |= dict(zip(("status", "transparency", "classification"), shown, strict=True))
    return mark, Event(**{"uid": mark.uid, "summary": ""} | told)


def _stamp(moment: datetime) -> str:
    return utc(moment).isoformat()


def _of_stamp(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(_UTC)


def _json(content: object) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode("ascii")


# ── what is shown ─────────────────────────────────────────────────────────────────────────────────────────────────────


def sequence(stamped_at: datetime, before: int | None) -> int:
    """The number of a change at that time: higher than the one before."""
    seconds = int((stamped_at - EPOCH).total_seconds())
    return max(seconds, before + 1 if before is not None else 0)


def render(event: Event, stamped_at: datetime, number: int) -> bytes:
    """A VEVENT, with its line ends. `stamped_at` is whole seconds in UTC. The same arguments give the same bytes.

    No attendees, no organizer, no alarms: subscribers are nobody's guests, and an alarm would ring on each phone.
    """
    from icalendar import Event as VEvent

    rendered = VEvent()
    rendered.add("uid", event.uid)
    rendered.add("dtstart", event.start.astimezone(UTC))
    rendered.add("dtend", event.end.astimezone(UTC))
    for name in ("summary", "description", "location"):
        write(rendered, name, getattr(event, name))
    write(rendered, "categories", *event.categories)
    for name in ("url", "color"):
        if value := getattr(event, name):
            rendered.add(name, value)
    if event.classification is not Classification.PUBLIC:
        rendered.add("class", event.classification.value)
    _show(rendered, event.status, event.transparency)
    return _stamped(rendered, stamped_at, number)


def tombstone(body: bytes, stamped_at: datetime, number: int) -> bytes:
    """What stays of a rendered event that left its calendar: cancelled, free, and without what only its time needed."""
    from icalendar import Event as VEvent

    rendered = VEvent()
    standing: Any = VEvent.from_ical(body)
    for name in _LASTING & set(standing):
        rendered[name] = standing[name]
    write(rendered, "summary", standing.get("summary", ""))
    write(rendered, "categories", *standing.categories)
    _show(rendered, Status.CANCELLED, Transparency.TRANSPARENT)
    return _stamped(rendered, stamped_at, number)


def write(rendered: Component, name: str, *texts: str) -> None:
    """TEXT as RFC 5545 (section 3.3.11) has it: the library would make a line end of a backslash before an N."""
    from icalendar import vUnknown

    if value := ",".join(text.translate(_ESCAPES) for text in texts):
        rendered.add(name, vUnknown(value))


def _show(rendered: VEvent, status: Status, transparency: Transparency) -> None:
    rendered.add("status", status.value)
    rendered.add("transp", transparency.value)
    busy = "TENTATIVE" if status is Status.TENTATIVE else "BUSY"
    free = transparency is Transparency.TRANSPARENT
    rendered.add("x-microsoft-cdo-busystatus", "FREE" if free else busy)  # Outlook's own word for it


def _stamped(rendered: VEvent, stamped_at: datetime, number: int) -> bytes:
    """Without a METHOD, DTSTAMP is when the event last changed (RFC 5545, section 3.8.7.2). Readers that do not take
    a change in unless one of these three moves are common."""
    rendered.add("dtstamp", stamped_at)
    rendered.add("last-modified", stamped_at)
    rendered.add("sequence", number)
    content: bytes = rendered.to_ical()
    return content
