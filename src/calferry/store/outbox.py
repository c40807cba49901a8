"""The ledger as `push` sees it: `ports.Outbox`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, case, exists, func, insert, literal, or_, select, update

from calferry.errors import CalferryError, Conflict, Refused
from calferry.meters import CHANGES
from calferry.model import Action, Failure, Intent, Marked, Placement, Receipt, Why
from calferry.ports import HeldBack, Standing
from calferry.store import adopting, filing, journal, parking, pausing
from calferry.store.database import Database, chunks, upsert
from calferry.store.journal import Entry
from calferry.store.placing import APPROVED, ASIDE, HELD_BACK, PARKED, placed, placement_of
from calferry.store.tables import calendars, deletions, intents, is_due, is_under_way, is_written, placements

RETRIES = [timedelta(minutes=minutes) for minutes in (0, 2, 4, 8, 15)]
"""How long after each unanswered try an intent is sent again; the last of them from then on."""

SET_ASIDE = timedelta(hours=1)
LONGEST_SET_ASIDE = timedelta(hours=24)
DAY = timedelta(hours=24)


def is_free(now: datetime) -> ColumnElement[bool]:
    """Neither parked, nor set aside until later, nor under way."""
    row = placements.c
    later = and_(row.held.in_(["refused", ASIDE]), row.not_before <= now)
    return and_(or_(row.held.in_(["", APPROVED]), later), ~is_under_way)


def is_to_be_sent(now: datetime) -> ColumnElement[bool]:
    """An intent that is due to be sent again."""
    return or_(intents.c.not_before.is_(None), intents.c.not_before <= now)


class SqlOutbox:
    def __init__(self, database: Database, ledger: str) -> None:
        self._database = database
        self._ledger = ledger

    def due_calendars(self, now: datetime) -> Sequence[tuple[str, str]]:
        row = calendars.c
        due = exists().where(placements.c.calendar == row.calendar, is_due, is_free(now))
        unsettled = exists().where(intents.c.calendar == row.calendar, is_to_be_sent(now))
        resting = or_(
            pausing.rest_of("calendar", row.calendar, now).exists(), pausing.rest_of("target", row.target, now).exists()
        )
        closed = or_(pausing.is_paused(calendars, now), resting)
        statement = select(row.calendar, row.target).where(~closed, or_(due, unsettled)).order_by(row.calendar)
        with self._database.reading() as connection:
            return [(calendar, target) for calendar, target in connection.execute(statement)]

    def unsettled(self, calendar: str, now: datetime) -> Sequence[Intent]:
        statement = select(intents).where(intents.c.calendar == calendar, is_to_be_sent(now))
        with self._database.reading() as connection:
            return [_intent_of(row) for row in connection.execute(statement.order_by(intents.c.id))]

    def due(self, calendar: str, now: datetime) -> Sequence[Placement]:
        """Soonest to end first."""
        statement = select(placements).where(placements.c.calendar == calendar, is_due, is_free(now))
        with self._database.reading() as connection:
            found = connection.execute(statement.order_by(placements.c.ends_at, placements.c.uid))
            return [placement_of(row) for row in found]

    def unwritten(self, calendar: str, uids: Collection[str]) -> Collection[str]:
        row = placements.c
        leaving = and_(row.wanted == "", row.calendar != calendar)
        with self._database.reading() as connection:
            held: set[str] = set()
            for chunk in chunks(uids):
                ours = select(row.uid).where(row.uid.in_(chunk), is_written, or_(row.calendar == calendar, leaving))
                held.update(connection.scalars(ours))
                held.update(uid for where, uid in filing.under_way(connection, chunk) if where == calendar)
        return frozenset(uids) - held

    def stand_aside(self, calendar: str, uids: Collection[str], reason: str, at: datetime) -> None:
        row = placements.c
        later = case((row.ends_at > at, literal(at + DAY, row.not_before.type)))
        values = {"held": ASIDE, "reason": reason, "attempts": 0, "not_before": later}
        with self._database.writing() as connection:
            for chunk in chunks(uids):
                this = (row.calendar == calendar, row.uid.in_(chunk))
                known = set(connection.scalars(select(row.uid).where(*this, row.held == ASIDE)))
                connection.execute(update(placements).where(*this).values(values))
                news = [uid for uid in chunk if uid not in known]
                journal.write(connection, (Entry(at, calendar, uid, ASIDE, reason) for uid in news))

    def holds(self, calendar: str, uid: str) -> bool:
        where = (placements.c.calendar == calendar, placements.c.uid == uid, is_written, ~is_due, ~is_under_way)
        with self._database.reading() as connection:
            return connection.scalar(select(placements.c.uid).where(*where)) is not None

    def standing(self, target: str, now: datetime) -> Mapping[str, Standing]:
        held, removed = _held(target, now), _removed(target, now - DAY)
        of_target = select(calendars.c.calendar).where(calendars.c.target == target)
        with self._database.reading() as connection:
            standing = {calendar: Standing() for calendar in connection.scalars(of_target)}
            for calendar, number in connection.execute(held):
                standing[calendar] = replace(standing[calendar], held=number)
            for calendar, weak, explicit in connection.execute(removed):
                standing[calendar] = replace(standing[calendar], weak=weak, explicit=explicit)
        return standing

    def intend(self, planned: Sequence[Intent], at: datetime) -> Sequence[Intent]:
        """Raises ValueError where a uid has an unsettled intent in that calendar already."""
        with self._database.writing() as connection:
            return [intent for chunk in chunks(planned) for intent in _intend(connection, chunk, at)]

    def file(self, receipts: Sequence[Receipt], at: datetime) -> None:
        with self._database.writing() as connection:
            done = [one for chunk in chunks(receipts) for one in filing.file(connection, chunk, at)]
        for change, why in done:
            CHANGES.count(change, why)

    def fail(self, failure: Failure, at: datetime) -> None:
        with self._database.writing() as connection:
            intent = filing.under_way(connection, [failure.uid]).get((failure.calendar, failure.uid))
            if not isinstance(failure.error, (Refused, Conflict)):
                _send_again(connection, intent, at)
                return
            place = placed(connection, [failure.uid]).get((failure.calendar, failure.uid))
            filing.settle(connection, [intent] if intent else [])
            if place is not None:
                _fail(connection, place, intent, failure.error, at)

    def park(self, calendar: str, uids: Collection[str], reason: str, at: datetime) -> None:
        row = placements.c
        values = {"held": PARKED, "reason": reason, "attempts": 0, "not_before": None}
        with self._database.writing() as connection:
            for chunk in chunks(uids):
                news = or_(row.held != PARKED, row.reason != reason)
                where = (row.calendar == calendar, row.uid.in_(chunk), news)
                parked = connection.scalars(update(placements).where(*where).values(values).returning(row.uid)).all()
                journal.write(connection, (Entry(at, calendar, uid, "parked", reason) for uid in parked))

    def held_back(self) -> Sequence[HeldBack]:
        with self._database.reading() as connection:
            return parking.held_back(connection)

    def decide(self, calendar: str, uids: Collection[str], *, approved: bool, at: datetime) -> Collection[str]:
        with self._database.writing() as connection:
            return [uid for chunk in chunks(uids) for uid in parking.decide(connection, calendar, chunk, approved, at)]

    def alarm(self, calendar: str, reason: str, at: datetime) -> None:
        row = calendars.c
        known = select(row.mass_reason).where(row.calendar == calendar, row.mass_at > at - DAY)
        with self._database.writing() as connection:
            if connection.scalar(known) == reason:
                return
            upsert(connection, calendars, [{"calendar": calendar, "mass_at": at, "mass_reason": reason}])
            journal.write(connection, [Entry(at, calendar, "", "mass update", reason)])

    def pause(self, calendar: str, reason: str, until: datetime) -> None:
        with self._database.writing() as connection:
            pausing.pause(connection, calendars, calendar, reason, until)

    def pauses(self, calendar: str) -> int:
        with self._database.reading() as connection:
            return pausing.number(connection, calendars, calendar)

    def surveyed(self, calendar: str) -> datetime | None:
        with self._database.reading() as connection:
            return connection.scalar(select(calendars.c.surveyed_at).where(calendars.c.calendar == calendar))

    def survey(self, calendar: str, found: Sequence[Marked], at: datetime) -> None:
        with self._database.writing() as connection:
            known = {self._ledger, *adopting.former_ledgers(connection)}
            ours = sorted((one for one in found if one.mark.ledger in known), key=lambda one: one.mark.generation)
            upsert(connection, calendars, [{"calendar": calendar, "surveyed_at": at}])
            for chunk in chunks({one.mark.uid: one for one in ours}.values()):
                filing.recover(connection, calendar, chunk, at)


def _held(target: str, now: datetime) -> Any:
    """Per calendar of a target: how many events that have not ended it has acknowledged."""
    row = placements.c
    its = calendars.join(placements, row.calendar == calendars.c.calendar)
    counted = select(row.calendar, func.count()).select_from(its)
    return counted.where(calendars.c.target == target, is_written, row.ends_at > now).group_by(row.calendar)


def _removed(target: str, since: datetime) -> Any:
    """Per calendar of a target: how many deletions it has acknowledged since, on weak and on explicit evidence."""
    row = deletions.c
    its = calendars.join(deletions, row.calendar == calendars.c.calendar)
    weak = func.count(case((row.weak, 1)))
    explicit = func.count(case((and_(~row.weak, row.why != Why.MOVED.value), 1)))
    counted = select(row.calendar, weak, explicit).select_from(its)
    return counted.where(calendars.c.target == target, row.at > since).group_by(row.calendar)


def _intend(connection: Connection, planned: Sequence[Intent], at: datetime) -> list[Intent]:
    """Store at most one chunk of intents, without those whose placement wants something else by now."""
    known = filing.under_way(connection, [intent.uid for intent in planned])
    if taken := next((key for key in map(_key, planned) if key in known), None):
        message = f"The outcome of an earlier change of {taken[1]} in {taken[0]} is not known yet."
        raise ValueError(message)
    places = placed(connection, [intent.uid for intent in planned])
    still = [(intent, place) for intent in planned if _is_wanted(place := places.get(_key(intent)), intent)]
    rows = [
        {
            "calendar": intent.calendar,
            "uid": intent.uid,
            "target": intent.target,
            "generation": intent.generation,
            "action": intent.action.value,
            "fingerprint": intent.fingerprint,
            "request": intent.request,
            "created_at": at,
            "why": place.why if place else "",
            "weak": place.weak if place else False,
        }
        for intent, place in still
    ]
    if rows:
        connection.execute(insert(intents), rows)
    return [intent for intent, _place in still]


def _key(intent: Intent) -> tuple[str, str]:
    return intent.calendar, intent.uid


def _is_wanted(place: Row[Any] | None, intent: Intent) -> bool:
    """Whether the placement still wants this. One that is lost cannot say so: its receipt brings it back, parked."""
    if place is None:
        return True
    asked = (intent.fingerprint, intent.generation)
    return place.held not in HELD_BACK and asked == (place.wanted_fingerprint, place.generation)


def _send_again(connection: Connection, intent: Row[Any] | None, at: datetime) -> None:
    """It may have been carried out, so it stays; the first time it is due again at once."""
    if intent is None:
        return
    pause = RETRIES[min(intent.attempts, len(RETRIES) - 1)]
    later = {"attempts": intent.attempts + 1, "not_before": at + pause}
    connection.execute(update(intents).where(intents.c.id == intent.id).values(later))


def _fail(connection: Connection, place: Row[Any], intent: Row[Any] | None, error: CalferryError, at: datetime) -> None:
    this = update(placements).where(placements.c.calendar == place.calendar, placements.c.uid == place.uid)
    if isinstance(error, Conflict) and intent is not None:
        # Nothing of ours stands there under the old identity, so there is nothing left to update.
        generation = max(place.generation, intent.generation) + 1
        nothing = dict.fromkeys(("written", "written_fingerprint", "href", "etag"), "")
        connection.execute(this.values(generation=generation, **nothing))
        journal.write(connection, [Entry(at, place.calendar, place.uid, "conflict", str(error))])
    # A refusal is about what was asked: where something else is wanted by now, or a person shall decide, it is moot.
    moot = place.held in HELD_BACK or (intent is not None and intent.fingerprint != place.wanted_fingerprint)
    if isinstance(error, Refused) and not moot:
        pause = min(SET_ASIDE * 2 ** min(place.attempts, 5), LONGEST_SET_ASIDE)
        aside = {"held": "refused", "reason": str(error), "attempts": place.attempts + 1, "not_before": at + pause}
        connection.execute(this.values(aside))
        journal.write(connection, [Entry(at, place.calendar, place.uid, "refused", str(error))])


def _intent_of(row: Row[Any]) -> Intent:
    return Intent(
        calendar=row.calendar,
        uid=row.uid,
        target=row.target,
        generation=row.generation,
        action=Action(row.action),
        fingerprint=row.fingerprint,
        request=row.request,
    )
