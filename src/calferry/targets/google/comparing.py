"""Whether an event of ours still shows what was written. Pure.

Reminders are everybody's own, and are not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from calferry.model import Event, Marked
from calferry.moments import utc
from calferry.targets.google import events
from calferry.targets.google.events import Request

NOT_SHOWN = frozenset({"extendedProperties", "reminders"})

LEFT_OUT = {"transparency": "opaque", "visibility": "default"}
"""What a member means that Google leaves out of its answer (Calendar API v3, "Events"); a text is empty."""


def question(calendar: str, href: str) -> Request:
    """Ask for an event as it stands."""
    path = f"{events.probe(calendar).path}/{href}"
    return Request("GET", path, urlencode({"fields": "*"}))


def differences(item: Mapping[str, Any], event: Event, found: Marked) -> frozenset[str]:
    """The members in which an item differs from what is said about a fitted event."""
    said = {name: value for name, value in events.body(event, found.mark).items() if name not in NOT_SHOWN}
    names = (name for name, value in said.items() if _plain(name, item.get(name)) != _plain(name, value))
    link = _address(item.get("source"))
    return frozenset(names) | ({"source"} if link != event.url else set())


def _plain(name: str, value: object) -> object:
    """Comparable: moments as instants, texts without the line ends that Google changes."""
    if isinstance(value, Mapping) and "dateTime" in value:
        return utc(datetime.fromisoformat(str(value["dateTime"])))
    if value is None:
        return LEFT_OUT.get(name, "")
    return value.replace("\r\n", "\n").strip() if isinstance(value, str) else value


def _address(source: object) -> str:
    return str(source.get("url") or "") if isinstance(source, Mapping) else ""
