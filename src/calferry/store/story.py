"""All that the ledger knows of one appointment: what `calferry explain` tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from calferry.model import Appointment, Placement
from calferry.store import journal
from calferry.store.codec import appointment_of
from calferry.store.journal import Entry
from calferry.store.ledger import SqlLedger
from calferry.store.placing import placement_of
from calferry.store.tables import IS_PART, appointments, intents, is_told, placements


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An appointment in one calendar. `held` is '' or why it is not written: parked, rejected, approved or refused, for
    `reason`. `trying` says what is under way, `attempts` how often it was tried. Times in UTC."""

    placement: Placement
    held: str
    reason: str
    written_at: datetime | None
    trying: str
    attempts: int
    not_before: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """An appointment as it was last told, where it stands, and all that happened to it, oldest first. Times in UTC.

    Of one that is unlisted, `look_ups` says how often it was asked for by its id, `verdict` what came of the last time
    and in which words, `look_up_at` when it is asked for next. `part_of` is the uid of the session that a booking was
    last counted in, `bookings` the source ids of a session's.
    """

    uid: str
    revision: int
    part_of: str
    bookings: Sequence[str]
    appointment: Appointment
    asked_at: datetime
    deletion: str
    deletion_weak: bool
    unlisted_at: datetime | None
    look_ups: int
    verdict: str
    look_up_at: datetime | None
    unrouted: str
    look_again_at: datetime | None
    places: Sequence[Place]
    journal: Sequence[Entry]


def stories(ledger: SqlLedger, ref: str) -> Sequence[Story]:
    """The appointments known by that uid, source id, reference or external id, or by that id of an event of theirs."""
    with ledger.database.reading() as connection:
        by_event = select(placements.c.uid).where(placements.c.href == ref)
        row = appointments.c
        named = or_(row.uid == ref, row.source_id == ref, row.uid.in_(by_event))
        found = connection.execute(select(appointments).where(named).order_by(row.source, row.starts_at)).all()
        return [_story(connection, one) for one in found or _by_reference(connection, ref)]


def _by_reference(connection: Connection, ref: str) -> list[Row[Any]]:
    """What a person calls it is in the body alone: every one that holds the text is read."""
    holds = appointments.c.body.contains(ref, autoescape=True)
    found = connection.execute(
        select(appointments).where(holds).order_by(appointments.c.source, appointments.c.starts_at)
    )
    return [row for row in found if ref in (_read(row).reference, _read(row).external_id)]


def _read(row: Row[Any]) -> Appointment:
    return appointment_of(row.body)


def _story(connection: Connection, row: Row[Any]) -> Story:
    its = select(placements).where(placements.c.uid == row.uid).order_by(placements.c.calendar)
    under_way = {one.calendar: one for one in connection.execute(select(intents).where(intents.c.uid == row.uid))}
    return Story(
        uid=row.uid,
        revision=row.revision,
        part_of=row.part_of,
        bookings=_bookings(connection, row.uid) if row.founded else (),
        appointment=_read(row),
        asked_at=row.asked_at,
        deletion=row.deletion,
        deletion_weak=row.deletion_weak,
        unlisted_at=row.unlisted_at,
        look_ups=row.attempts,
        verdict=f"{row.verdict}: {row.verdict_evidence}" if row.verdict else "",
        look_up_at=row.look_up_at,
        unrouted=row.unrouted,
        look_again_at=row.look_again_at,
        places=[_place(one, under_way.get(one.calendar)) for one in connection.execute(its)],
        journal=journal.history(connection, row.uid),
    )


def _bookings(connection: Connection, session: str) -> Sequence[str]:
    row = appointments.c
    its = select(row.source_id).where(row.part_of == session, IS_PART, is_told)
    return connection.scalars(its.order_by(row.source_id)).all()


def _place(row: Row[Any], intent: Row[Any] | None) -> Place:
    return Place(
        placement=placement_of(row),
        held=row.held,
        reason=row.reason,
        written_at=row.written_at,
        trying=intent.action if intent else "",
        attempts=intent.attempts if intent else row.attempts,
        not_before=intent.not_before if intent else row.not_before,
    )
