"""Whether an event of ours still shows what was written. Pure.

Reminders are everybody's own, and are not looked at. Exchange gives descriptions back in HTML unless it is asked for
plain text (Microsoft Graph 1.0, "Get event").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from calferry.model import Event
from calferry.targets.office365 import events
from calferry.targets.office365.requests import HEADERS, Request, event_path

NOT_SHOWN = frozenset({"isReminderOn"})


@dataclass(frozen=True, slots=True)
class Question(Request):
    """An event as it stands, with its description in plain text."""

    @property
    def headers(self) -> dict[str, str]:
        return HEADERS | {"Prefer": f'{HEADERS["Prefer"]}, outlook.body-content-type="text"'}


def question(calendar: str, href: str, event: Event) -> Request:
    """Ask for all that is said about a fitted event."""
    return Question("GET", event_path(calendar, href), urlencode({"$select": ",".join(_said(event))}, safe="$,"))


def differences(item: Mapping[str, Any], event: Event) -> frozenset[str]:
    """The members in which an item differs from what is said about a fitted event."""
    return frozenset(name for name, value in _said(event).items() if _plain(item.get(name)) != _plain(value))


def _said(event: Event) -> dict[str, Any]:
    return {name: value for name, value in events.body(event).items() if name not in NOT_SHOWN}


def _plain(value: object) -> object:
    """Comparable: moments as instants, of an object that which shows, of a text what is not blank."""
    if isinstance(value, Mapping):
        if "dateTime" in value:
            return datetime.fromisoformat(str(value["dateTime"])[:19]).replace(tzinfo=UTC)
        return _plain(value.get("content", value.get("displayName")))
    if isinstance(value, str):
        return " ".join(value.split())
    return value or ""
