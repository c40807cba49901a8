"""Small steps that the contract of the shelf is written in."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import HealthCheck, settings

from calferry.feeds import Fragment, Range, Shelf
from tests.builders import NOW, mark

FEED, DESK = "ical:77", "ical:desk"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MIDNIGHT = NOW.replace(hour=0)
SHOWN = Range(past=30 * DAY, tombstones=7 * DAY, most=100)
numbers = count()
FRESH = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
"""For examples that share a shelf: each must use calendars of its own."""


def fragment(shelf: Shelf, uid: str = "u1", calendar: str = FEED, **changes: Any) -> Fragment:
    starts_at = changes.pop("starts_at", NOW)
    members: dict[str, Any] = {
        "calendar": calendar,
        "mark": replace(mark(uid), installation=shelf.installation, ledger=shelf.ledger),
        "starts_at": starts_at,
        "ends_at": starts_at + HOUR,
        "stamped_at": NOW,
        "sequence": 1,
        "body": f"BEGIN:VEVENT\r\n{calendar} {uid} {next(numbers)}\r\nEND:VEVENT\r\n".encode(),
    }
    return Fragment(**members | changes)


def put(shelf: Shelf, *placed: Fragment, at: datetime = NOW) -> None:
    shelf.put(placed, [], at)
