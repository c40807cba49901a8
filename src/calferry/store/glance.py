"""What the pages read. Every statement reads what is shown, what is outstanding, or a table that is small: never more
in a large ledger than in a small one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, case, func, select

from calferry.model import Event, Removal
from calferry.ports import HeldBack
from calferry.store import parking
from calferry.store.codec import event_of
from calferry.store.ledger import SqlLedger
from calferry.store.outbox import is_free
from calferry.store.placing import PARKED, removal_of
from calferry.store.tables import calendars, intents, is_due, is_written, placements, sources

LONGEST = timedelta(days=7)
"""An event that ends later than that after a week is not shown in it."""

MOST = 500
"""Events of one calendar that are shown at once."""

WAITING = (PARKED, "refused")


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarGlance:
    """A calendar: `due` changes to write now, `unsettled` ones under way, `waiting` ones parked or set aside. Times in
    UTC."""

    calendar: str
    target: str
    due: int = 0
    unsettled: int = 0
    waiting: int = 0
    surveyed_at: datetime | None
    paused_until: datetime | None
    pause_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceGlance:
    """A booking account, and until when (UTC) it is left alone."""

    source: str
    paused_until: datetime | None
    pause_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """An appointment in one calendar: what stands there, as far as that is known, and what is wanted.

    `written` is None where nothing stands there, or where only that something does is known (`stands`). `held` and
    `reason` are as in `store.story.Place`.
    """

    uid: str
    wanted: Event | Removal
    written: Event | None
    stands: bool
    held: str
    reason: str

    @property
    def shown(self) -> Event | None:
        """The event to show for it; None where nothing is known of one."""
        return self.wanted if isinstance(self.wanted, Event) else self.written

    @property
    def differs(self) -> bool:
        return self.wanted != self.written


def calendar_glances(ledger: SqlLedger, now: datetime) -> Sequence[CalendarGlance]:
    """All calendars, by key."""
    row, number = placements.c, func.count().label("number")
    due = select(row.calendar, func.count(case((is_free(now), 1))), func.count(case((row.held.in_(WAITING), 1))))
    unsettled = select(intents.c.calendar, number).group_by(intents.c.calendar)
    with ledger.database.reading() as connection:
        outstanding = {key: counts for key, *counts in connection.execute(due.where(is_due).group_by(row.calendar))}
        under_way: dict[str, int] = dict(connection.execute(unsettled).all())
        return [
            CalendarGlance(
                calendar=one.calendar,
                target=one.target,
                due=outstanding.get(one.calendar, (0, 0))[0],
                waiting=outstanding.get(one.calendar, (0, 0))[1],
                unsettled=under_way.get(one.calendar, 0),
                surveyed_at=one.surveyed_at,
                paused_until=one.paused_until,
                pause_reason=one.pause_reason,
            )
            for one in connection.execute(select(calendars).order_by(calendars.c.calendar))
        ]


def source_glances(ledger: SqlLedger) -> Mapping[str, SourceGlance]:
    """All booking accounts, by key."""
    columns = (sources.c.source, sources.c.paused_until, sources.c.pause_reason)
    with ledger.database.reading() as connection:
        return {row.source: SourceGlance(**row._mapping) for row in connection.execute(select(*columns))}


def parked(ledger: SqlLedger, most: int) -> Sequence[HeldBack]:
    """At most so many of the deletions that wait for a person, by calendar and start."""
    with ledger.database.reading() as connection:
        return parking.held_back(connection, (PARKED,), most)


def agenda(ledger: SqlLedger, calendar: str, start: datetime, end: datetime) -> Sequence[Slot]:
    """What stands in a calendar between two times (UTC), and what is wanted there; by start, and no more than `MOST`
    of each."""
    row = placements.c
    within = (row.calendar == calendar, row.ends_at > start, row.ends_at < end + LONGEST)
    columns = (row.uid, row.wanted, row.why, row.evidence, row.weak, row.moved_to, row.written)
    its = select(*columns, row.written_fingerprint, row.wanted_fingerprint, row.held, row.reason).where(*within)
    with ledger.database.reading() as connection:
        found = dict(_slots(connection, its.where(is_written))) | dict(_slots(connection, its.where(is_due)))
    shown = [slot for slot in found.values() if (event := slot.shown) and event.start < end]
    return sorted(shown, key=lambda slot: (_start(slot), slot.uid))


def unknown(ledger: SqlLedger, calendar: str) -> int:
    """How many events that have to leave stand there of which only the identity is known; they are outstanding."""
    row = placements.c
    where = (row.calendar == calendar, is_due, row.wanted == "", row.written == "")
    with ledger.database.reading() as connection:
        return connection.scalar(select(func.count()).where(*where)) or 0


def _start(slot: Slot) -> datetime:
    if (event := slot.shown) is None:
        message = "only what is shown has a start"
        raise ValueError(message)
    return event.start


def _slots(connection: Connection, statement: Select[Any]) -> Iterator[tuple[str, Slot]]:
    for row in connection.execute(statement.order_by(placements.c.ends_at).limit(MOST)):
        yield row.uid, _slot(row)


def _slot(row: Row[Any]) -> Slot:
    wanted = event_of(row.wanted) if row.wanted else removal_of(row)
    same = row.wanted_fingerprint == row.written_fingerprint
    written = wanted if same and isinstance(wanted, Event) else event_of(row.written) if row.written else None
    return Slot(
        uid=row.uid,
        wanted=wanted,
        written=written,
        stands=bool(row.written_fingerprint),
        held=row.held,
        reason=row.reason,
    )
