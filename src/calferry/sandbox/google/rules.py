"""What the Calendar API refuses although its schema lets it pass.

Vendor pages: "Events" (reference), "Handle API errors", "Extended properties".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from calferry.sandbox.messages import JsonObject

from .errors import CalendarError

_ID = re.compile(r"[a-v0-9]{5,1024}")
_KEY_LENGTH, _VALUE_LENGTH, _PROPERTIES, _PROPERTIES_BYTES = 44, 1024, 300, 32 * 1024
_REMINDERS, _REMINDER_MINUTES = 5, 40320
_CHOICES = {
    "transparency": {"opaque", "transparent"},
    "visibility": {"default", "public", "private", "confidential"},
    "status": {"confirmed", "tentative", "cancelled"},
    "colorId": {str(number) for number in range(1, 12)},
    "eventType": {"default", "birthday", "focusTime", "fromGmail", "outOfOffice", "workingLocation"},
}


def check_id(event_id: str) -> None:
    """Refuse an id outside of base32hex in lower case, or not of 5 to 1024 characters."""
    if not _ID.fullmatch(event_id):
        raise CalendarError(400, "invalid", f"Invalid resource id value: {event_id!r}")


def check_event(event: Mapping[str, Any]) -> None:
    """Refuse an event that would not make sense as a whole, as it would be stored after the request."""
    for name, choices in _CHOICES.items():
        if event.get(name) is not None and event[name] not in choices:
            raise CalendarError(400, "invalid", f"Invalid value for {name}: {event[name]!r}")
    start, end = instant(event, "start"), instant(event, "end")
    if ("date" in event["start"]) != ("date" in event["end"]):
        raise CalendarError(400, "invalid", "Start and end times must either both be date or both be dateTime.")
    if end <= start:
        raise CalendarError(400, "timeRangeEmpty", "The specified time range is empty.")
    for problem in (*_property_problems(event), *_reminder_problems(event), *_source_problems(event)):
        raise CalendarError(400, "invalid", problem)


def instant(event: Mapping[str, Any], side: str) -> datetime:
    """The instant of `start` or `end`, in UTC; all-day dates count from midnight UTC. Refuses what is no time."""
    moment = event.get(side) or {}
    given = [name for name in ("date", "dateTime") if moment.get(name) is not None]
    if len(given) != 1:
        raise CalendarError(400, "required" if not given else "invalid", f"Missing or doubled {side} time.")
    zone = _zone(moment.get("timeZone"), side)
    if given == ["date"]:
        return datetime.combine(date.fromisoformat(moment["date"]), time(), UTC)
    read = datetime.fromisoformat(moment["dateTime"])
    if read.tzinfo is None and zone is None:
        raise CalendarError(400, "required", f"Missing time zone definition for {side} time.")
    return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)


def _zone(name: str | None, side: str) -> ZoneInfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CalendarError(400, "invalid", f"Invalid time zone definition for {side} time.") from None


def _property_problems(event: Mapping[str, Any]) -> Iterator[str]:
    groups: JsonObject = event.get("extendedProperties") or {}
    pairs = [pair for group in groups.values() for pair in (group or {}).items()]
    for key, value in pairs:
        if len(key) > _KEY_LENGTH:
            yield f"Extended property key too long: {key!r}"
        if len(str(value)) > _VALUE_LENGTH:
            yield f"Extended property value too long: {key!r}"
    if len(pairs) > _PROPERTIES or sum(len(f"{key}{value}".encode()) for key, value in pairs) > _PROPERTIES_BYTES:
        yield "Too many extended properties"


def _reminder_problems(event: Mapping[str, Any]) -> Iterator[str]:
    reminders: JsonObject = event.get("reminders") or {}
    overrides = reminders.get("overrides") or []
    if reminders.get("useDefault") and overrides:
        yield "Cannot use default reminders and specify overrides at the same time."
    if len(overrides) > _REMINDERS:
        yield "Too many override reminders."
    for one in overrides:
        if one.get("method") not in ("email", "popup") or not 0 <= one.get("minutes", -1) <= _REMINDER_MINUTES:
            yield "Invalid override reminder."


def _source_problems(event: Mapping[str, Any]) -> Iterator[str]:
    url = (event.get("source") or {}).get("url")
    if url is not None and not url.startswith(("http://", "https://")):
        yield "The source URL must be http or https."
