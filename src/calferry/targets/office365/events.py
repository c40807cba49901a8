"""What Outlook can hold. Pure.

Source: "event resource type" in the Microsoft Graph 1.0 reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from calferry.model import Classification, Event, Status, Transparency, at_least
from calferry.moments import utc
from calferry.targets.texts import clean, one_line

FIT_VERSION = "1"
"""Raise it when the same event would be fitted differently."""

SUMMARY, LOCATION, DESCRIPTION, CATEGORY = 255, 255, 8192, 255
"""Characters. Microsoft publishes no limits but that of a subject in Exchange; these hold in practice."""

UTC = ZoneInfo("UTC")

SENSITIVITY = MappingProxyType(
    {
        Classification.PUBLIC: "normal",
        Classification.PRIVATE: "private",
        Classification.CONFIDENTIAL: "confidential",
    }
)


def fit(event: Event) -> Event:
    """The event as Outlook can hold it. Idempotent.

    Times become UTC: Graph does not know every IANA zone, and a calendar shows them in its reader's zone anyway. There
    is one word (`showAs`) for status and transparency: what is free is neither tentative nor cancelled besides. There
    is no place for a link, and none for a colour: an event has that of its category, which each mailbox chooses.
    """
    free = event.transparency is Transparency.TRANSPARENT or event.status is Status.CANCELLED
    fitted = replace(
        event,
        start=_moment(event.start),
        end=_moment(event.end),
        summary=one_line(event.summary, SUMMARY),
        description=clean(event.description, DESCRIPTION).rstrip(),
        location=one_line(event.location, LOCATION),
        url="",
        categories=tuple(_categories(event.categories)),
        color="",
        status=Status.CONFIRMED if free else event.status,
        transparency=Transparency.TRANSPARENT if free else Transparency.OPAQUE,
    )
    return at_least(fitted, minutes=1)


def body(event: Event) -> dict[str, Any]:
    """All that we say about a fitted event, every time: an update restores what was changed by hand.

    No attendees, ever. A reminder is switched off in so many words: by default Graph sets one, 15 minutes before.
    """
    return {
        "subject": event.summary,
        "body": {"contentType": "text", "content": event.description},
        "location": {"displayName": event.location},
        "start": _when(event.start),
        "end": _when(event.end),
        "isAllDay": False,
        "showAs": _shown_as(event),
        "sensitivity": SENSITIVITY[event.classification],
        "categories": list(event.categories),
        "isReminderOn": False,
    }


def _shown_as(event: Event) -> str:
    if event.transparency is Transparency.TRANSPARENT:
        return "free"
    return "tentative" if event.status is Status.TENTATIVE else "busy"


def _moment(moment: datetime) -> datetime:
    return utc(moment).replace(microsecond=0).astimezone(UTC)


def _when(moment: datetime) -> dict[str, str]:
    return {"dateTime": utc(moment).strftime("%Y-%m-%dT%H:%M:%S"), "timeZone": "UTC"}


def _categories(names: Iterable[str]) -> Iterator[str]:
    """Each category once, in whatever case it comes. Outlook takes a comma for the end of one."""
    seen = {""}
    for name in names:
        category = one_line(name.replace(",", " "), CATEGORY)
        if category.casefold() not in seen:
            seen.add(category.casefold())
            yield category
