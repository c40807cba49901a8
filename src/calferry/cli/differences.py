"""What a change would do to an event, field by field."""

from __future__ import annotations

from collections.abc import Mapping

from calferry.model import Change, Create, Delete, Event
from calferry.moments import zone_name

LINE_END = " ⏎ "

Difference = Mapping[str, str | None]
"""A field `before` and `after`: as it stands in the calendar (None where no event is known there), and as it would."""


def differences(change: Change) -> dict[str, Difference]:
    """By field: all that a new event has, what an update makes otherwise, all that a deleted event had.

    Where it is not known what the calendar holds, all that the event shall have.
    """
    after = {} if isinstance(change, Delete) else _fields(change.event)
    held = None if isinstance(change, Create) else change.before
    if held is None:
        return {field: {"before": None, "after": text} for field, text in after.items()}
    before = _fields(held)
    pairs = {field: (before.get(field, ""), after.get(field, "")) for field in before | after}
    return {field: {"before": was, "after": shall} for field, (was, shall) in pairs.items() if was != shall}


def field_text(field: str, told: Difference) -> str:
    """One line for a person."""
    before, after = (text and LINE_END.join(text.splitlines()) for text in (told["before"], told["after"]))
    return f"{field}: {after}" if before is None else f"{field}: {before or '–'} → {after or '–'}"


def _fields(event: Event) -> dict[str, str]:
    """What is told of an event, by RFC 5545's names, without what is empty."""
    told = {
        "start": f"{event.start:%Y-%m-%d %H:%M} {zone_name(event.start)}",
        "end": f"{event.end:%Y-%m-%d %H:%M} {zone_name(event.end)}",
        "summary": event.summary,
        "description": event.description,
        "location": event.location,
        "url": event.url,
        "status": event.status.lower(),
        "transparency": event.transparency.lower(),
        "classification": event.classification.lower(),
        "categories": ", ".join(event.categories),
        "color": event.color,
    }
    return {name: text for name, text in told.items() if text}
