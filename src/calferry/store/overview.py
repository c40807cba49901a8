"""What `calferry status` reads: one statement per question, whatever the number of sources and calendars."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, case, func, select

from calferry.store.ledger import SqlLedger
from calferry.store.outbox import is_free
from calferry.store.placing import ASIDE
from calferry.store.tables import (
    appointments,
    calendars,
    intents,
    is_due,
    is_live,
    is_told,
    is_unrouted,
    is_written,
    placements,
    quarantine,
    sources,
    tasks,
)

PULL = "pull"
"""The task whose completion makes a source fresh."""

WHOLE_LISTING = "all"
"""The task whose completion proves that nothing is missing."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row in quarantine; `source_id` is empty where not even the id was readable."""

    source_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unrouted:
    uid: str
    source_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceView:
    """A booking account: when it was last pulled, when its whole window was last listed (UTC), until when it is left
    alone, and how its appointments fare.

    `answers` counts the unlisted ones that were asked for by what came of it (`model.Verdict`).
    """

    source: str
    pulled_at: datetime | None
    proven_at: datetime | None
    live: int
    unlisted: int
    answers: Mapping[str, int]
    quarantined: tuple[Unreadable, ...]
    unrouted: tuple[Unrouted, ...]
    paused_until: datetime | None
    pause_reason: str


@dataclass(frozen=True, slots=True)
class Parked:
    """A change that waits for a person: why and on what evidence an event would leave, '' where it would be written."""

    uid: str
    why: str
    evidence: str
    reason: str


@dataclass(frozen=True, slots=True)
class SetAside:
    uid: str
    reason: str
    not_before: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarView:
    """A calendar: `held` events acknowledged, `due` changes to write now, `unsettled` ones under way, `aside` those
    that the booking system has written there itself. Times in UTC."""

    calendar: str
    target: str
    held: int
    due: int
    unsettled: int
    aside: int
    parked: tuple[Parked, ...]
    refused: tuple[SetAside, ...]
    surveyed_at: datetime | None
    written_at: datetime | None
    paused_until: datetime | None
    pause_reason: str


@dataclass(frozen=True, slots=True)
class Orphan:
    """An event in a calendar, put there by a route that is not configured any more."""

    calendar: str
    uid: str
    route: str


def source_views(ledger: SqlLedger) -> Sequence[SourceView]:
    with ledger.database.reading() as connection:
        pulled, proven = _completed(connection, PULL), _completed(connection, WHOLE_LISTING)
        counts = _by_key(connection.execute(_appointment_counts()))
        unreadable, unrouted, answers = _unreadable(connection), _unrouted(connection), _answers(connection)
        return [
            SourceView(
                source=row.source,
                pulled_at=pulled.get(row.source),
                proven_at=proven.get(row.source),
                live=counts[row.source].live if row.source in counts else 0,
                unlisted=counts[row.source].unlisted if row.source in counts else 0,
                answers=answers[row.source],
                quarantined=tuple(unreadable[row.source]),
                unrouted=tuple(unrouted[row.source]),
                paused_until=row.paused_until,
                pause_reason=row.pause_reason,
            )
            for row in connection.execute(select(sources).order_by(sources.c.source))
        ]


def calendar_views(ledger: SqlLedger, now: datetime) -> Sequence[CalendarView]:
    with ledger.database.reading() as connection:
        held, due, unsettled, aside = (_by_key(connection.execute(query)) for query in _calendar_counts(now))
        parked, refused = _parked(connection), _refused(connection)
        return [
            CalendarView(
                calendar=row.calendar,
                target=row.target,
                held=held[row.calendar].number if row.calendar in held else 0,
                due=due[row.calendar].number if row.calendar in due else 0,
                unsettled=unsettled[row.calendar].number if row.calendar in unsettled else 0,
                aside=aside[row.calendar].number if row.calendar in aside else 0,
                parked=tuple(parked[row.calendar]),
                refused=tuple(refused[row.calendar]),
                surveyed_at=row.surveyed_at,
                written_at=held[row.calendar].written_at if row.calendar in held else None,
                paused_until=row.paused_until,
                pause_reason=row.pause_reason,
            )
            for row in connection.execute(select(calendars).order_by(calendars.c.calendar))
        ]


def orphans(ledger: SqlLedger, routes: Collection[str]) -> Sequence[Orphan]:
    """Events that stand in calendars by routes other than `routes`. Nothing takes them away but `calferry remove`."""
    row = placements.c
    statement = select(row.calendar, row.uid, row.route).where(is_written, row.route.not_in(list(routes)))
    with ledger.database.reading() as connection:
        return [Orphan(*found) for found in connection.execute(statement.order_by(row.calendar, row.uid))]


def _by_key(found: Any) -> dict[str, Row[Any]]:
    return {row[0]: row for row in found}


def _completed(connection: Connection, task: str) -> dict[str, datetime]:
    """By source, when a task was last completed."""
    completed = select(tasks.c.source, tasks.c.at).where(tasks.c.task == task)
    return dict(connection.execute(completed).all())


def _appointment_counts() -> Any:
    row = appointments.c
    live = func.count(case((and_(is_live, is_told), 1))).label("live")
    unlisted = func.count(case((row.unlisted_at.is_not(None), 1))).label("unlisted")
    return select(row.source, live, unlisted).group_by(row.source)


def _answers(connection: Connection) -> dict[str, dict[str, int]]:
    row = appointments.c
    asked = select(row.source, row.verdict, func.count()).where(row.unlisted_at.is_not(None), row.verdict != "")
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for source, verdict, number in connection.execute(asked.group_by(row.source, row.verdict).order_by(row.verdict)):
        found[source][verdict] = number
    return found


def _unreadable(connection: Connection) -> dict[str, list[Unreadable]]:
    row = quarantine.c
    statement = select(row.source, row.source_id, row.reason).order_by(row.source, row.source_id, row.reason)
    found = defaultdict(list)
    for source, source_id, reason in connection.execute(statement):
        found[source].append(Unreadable(source_id, reason))
    return found


def _unrouted(connection: Connection) -> dict[str, list[Unrouted]]:
    row = appointments.c
    statement = select(row.source, row.uid, row.source_id, row.unrouted).where(is_unrouted, is_live)
    found = defaultdict(list)
    for source, uid, source_id, reason in connection.execute(statement.order_by(row.source, row.starts_at, row.uid)):
        found[source].append(Unrouted(uid, source_id, reason))
    return found


def _calendar_counts(now: datetime) -> tuple[Any, Any, Any, Any]:
    """Per calendar: what it holds and when it was last written to; what is due; under way; left to another hand."""
    row, number = placements.c, func.count().label("number")
    held = select(row.calendar, number, func.max(row.written_at).label("written_at")).where(is_written)
    due = select(row.calendar, number).where(is_due, is_free(now))
    unsettled = select(intents.c.calendar, number).select_from(intents)
    aside = select(row.calendar, number).where(is_due, row.held == ASIDE)
    counts = (held.group_by(row.calendar), due.group_by(row.calendar))
    return (*counts, unsettled.group_by(intents.c.calendar), aside.group_by(row.calendar))


def _parked(connection: Connection) -> dict[str, list[Parked]]:
    row = placements.c
    columns = (row.calendar, row.uid, row.why, row.evidence, row.reason)
    found = defaultdict(list)
    for calendar, *parked in connection.execute(select(*columns).where(is_due, row.held == "parked").order_by(row.uid)):
        found[calendar].append(Parked(*parked))
    return found


def _refused(connection: Connection) -> dict[str, list[SetAside]]:
    row = placements.c
    columns = (row.calendar, row.uid, row.reason, row.not_before)
    found = defaultdict(list)
    for calendar, *aside in connection.execute(select(*columns).where(is_due, row.held == "refused").order_by(row.uid)):
        found[calendar].append(SetAside(*aside))
    return found
