"""A hundred calendars with a thousand events each are shown about as quickly as one."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import insert

from calferry.store.codec import event_text
from calferry.store.tables import calendars, placements
from tests.builders import event
from tests.pages.showing import HOUR, Shown

CALENDARS, EVENTS = 100, 1_000


def crowd(pages: Shown) -> None:
    """So many calendars of the salon's, all in step."""
    now = pages.shop.clock.time
    names = [f"google:room-{number:03}@salon.example" for number in range(CALENDARS)]
    row = {"target": "workspace", "pause_reason": "", "pauses": 0, "surveyed_at": now}
    with pages.ledger.database.writing() as connection:
        connection.execute(insert(calendars), [{"calendar": name, **row} for name in names])
        for name in names:
            connection.execute(insert(placements), [placed(name, index, now) for index in range(EVENTS)])


def placed(calendar: str, index: int, now: datetime) -> dict[str, object]:
    """An event that a calendar holds as it is wanted; each hour of eight has one, on three hundred days."""
    one = event(f"{calendar}-{index}", start=now + timedelta(days=index % 300) + (index % 8) * HOUR)
    row = {"calendar": calendar, "target": "workspace", "route": "staff", "source": "agendize:13772899", "uid": one.uid}
    row |= {"wanted": event_text(one), "wanted_fingerprint": one.fingerprint, "written_fingerprint": one.fingerprint}
    return row | {"why": "", "evidence": "", "weak": False, "moved_to": "", "ends_at": one.end}


def quickest(ask: Callable[[], object], times: int = 7) -> float:
    """Seconds."""
    spans = []
    for _ in range(times):
        start = time.perf_counter()
        ask()
        spans.append(time.perf_counter() - start)
    return min(spans)


def first_byte(pages: Shown, path: str) -> Callable[[], None]:
    def ask() -> None:
        with pages.client.stream("GET", path) as answer:
            assert answer.status_code == 200
            next(answer.iter_bytes())

    return ask


def test_a_crowd_of_calendars_is_shown_quickly(pages: Shown) -> None:
    crowd(pages)
    bare = quickest(first_byte(pages, "/appointment"))
    overview = quickest(first_byte(pages, "/"))
    calendar = quickest(first_byte(pages, "/calendar/google:room-050@salon.example"))
    assert "All 104 calendars are in step" in pages.get().text
    assert overview < 40 * bare, (overview, bare)
    assert calendar < 20 * bare, (calendar, bare)
