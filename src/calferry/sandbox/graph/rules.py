"""What Graph refuses in the body of an event. Vendor pages: "event resource type", "Create event", "Update event"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from calferry.sandbox.messages import JsonObject

from .errors import GraphError

WRITABLE: Mapping[str, type] = {
    "allowNewTimeProposals": bool,
    "attendees": list,
    "body": dict,
    "categories": list,
    "end": dict,
    "hideAttendees": bool,
    "importance": str,
    "isAllDay": bool,
    "isOnlineMeeting": bool,
    "isReminderOn": bool,
    "location": dict,
    "onlineMeetingProvider": str,
    "reminderMinutesBeforeStart": int,
    "responseRequested": bool,
    "sensitivity": str,
    "showAs": str,
    "singleValueExtendedProperties": list,
    "start": dict,
    "subject": str,
    "transactionId": str,
}
"""Members that a client may write, and their JSON type. Recurrence is none of this sandbox's."""

_CHOICES = {
    "importance": {"low", "normal", "high"},
    "sensitivity": {"normal", "personal", "private", "confidential"},
    "showAs": {"free", "tentative", "busy", "oof", "workingElsewhere"},
}
_ZONES = frozenset({"UTC", "Europe/Paris", "America/New_York", "Eastern Standard Time", "Romance Standard Time"})
_IANA = {"Eastern Standard Time": "America/New_York", "Romance Standard Time": "Europe/Paris"}
_SUBJECT = 255


def body_problems(body: JsonObject) -> list[str]:
    """What is unknown, or of another type than the schema says."""
    return [
        f"{name}: {'unknown' if name not in WRITABLE else 'of another type'}"
        for name, value in body.items()
        if name not in WRITABLE or not isinstance(value, WRITABLE[name])
    ]


def check(item: JsonObject) -> None:
    """Refuse an event that would not make sense as a whole, as it would be stored after the request."""
    for problem in _problems(item):
        raise GraphError(400, "ErrorPropertyValidationFailure", problem)
    start, end = instant(item, "start"), instant(item, "end")
    if end <= start:
        raise GraphError(400, "ErrorCalendarEndDateIsEarlierThanStartDate", "The end lies before the start.")
    if item["isAllDay"] and any(moment.time() != time() for moment in (start, end)):
        raise GraphError(400, "ErrorInvalidRequest", "An all-day event begins and ends at midnight.")


def instant(item: JsonObject, side: str) -> datetime:
    """The instant of `start` or `end`, aware. Refuses an offset in the time, and a zone it does not know."""
    moment = item.get(side) or {}
    zone = moment.get("timeZone")
    if zone not in _ZONES:
        raise GraphError(400, "TimeZoneNotSupportedException", f"A valid TimeZone value must be specified: {zone!r}")
    read = datetime.fromisoformat(moment.get("dateTime") or "")
    if read.tzinfo is not None:
        raise GraphError(400, "ErrorInvalidRequest", "A dateTime has no offset.")
    return read.replace(tzinfo=ZoneInfo(_IANA.get(zone, zone)))


def _problems(item: JsonObject) -> Iterator[str]:
    for name, choices in _CHOICES.items():
        if item.get(name) is not None and item[name] not in choices:
            yield f"{name}: {item[name]!r}"
    if len(item["subject"]) > _SUBJECT or "\n" in item["subject"]:
        yield "subject: longer than 255 characters, or than a line"
    if item["body"].get("contentType") not in {"text", "html"} or not isinstance(item["body"].get("content"), str):
        yield "body: has a contentType and a content"
    if any(not isinstance(one, str) or not one or "," in one for one in item["categories"]):
        yield "categories: names without commas"


def properties_of(body: JsonObject) -> dict[str, str]:
    """Extended properties as a body gives them: id → value. Refuses an id that is no name of a property."""
    given: dict[str, str] = {}
    for one in body.get("singleValueExtendedProperties", []):
        named: Any = one.get("id") if isinstance(one, dict) else None
        if not isinstance(named, str) or not named.startswith("String {") or "} Name " not in named:
            raise GraphError(400, "ErrorInvalidProperty", "PropertyId values may only be in a documented form.")
        given[named] = str(one["value"])
    return given
