"""Deletions that wait for a person, and what the person decided. Runs inside the transactions of the outbox."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from calferry.ports import HeldBack
from calferry.store import journal
from calferry.store.database import chunks
from calferry.store.journal import Entry
from calferry.store.placing import APPROVED, HELD_BACK, REJECTED, removal_of
from calferry.store.tables import IS_PART, appointments, is_due, is_told, placements


def held_back(connection: Connection, held: Collection[str] = HELD_BACK, most: int | None = None) -> list[HeldBack]:
    """Deletions that are held back so, by calendar and start; no more than `most`, where that says how many."""
    row, its = placements.c, appointments.c
    names = ("calendar", "uid", "target", "source", "why", "evidence", "weak", "moved_to", "reason", "held")
    columns = [*(row[name] for name in names), its.source_id, its.founded, its.starts_at]
    joined = placements.join(appointments, its.uid == row.uid, isouter=True)
    there = select(*columns).select_from(joined).where(is_due, row.held.in_(list(held)), row.wanted == "")
    found = connection.execute(there.order_by(row.calendar, its.starts_at, row.uid).limit(most)).all()
    bookings = _bookings(connection, [one.uid for one in found if one.founded])
    return [
        HeldBack(
            calendar=one.calendar,
            uid=one.uid,
            target=one.target,
            removal=removal_of(one),
            reason=one.reason,
            rejected=one.held == REJECTED,
            source=one.source,
            source_id=one.source_id or "",
            asked_for=tuple(bookings.get(one.uid, ())) if one.founded else tuple(filter(None, [one.source_id])),
            starts_at=one.starts_at,
        )
        for one in found
    ]


def _bookings(connection: Connection, sessions: Collection[str]) -> dict[str, list[str]]:
    """By uid of a session the source ids of the bookings that were last counted in it."""
    row = appointments.c
    its: dict[str, list[str]] = {}
    for uids in chunks(sessions):
        parts = select(row.part_of, row.source_id).where(row.part_of.in_(uids), IS_PART, is_told)
        for uid, source_id in connection.execute(parts.order_by(row.source_id)):
            its.setdefault(uid, []).append(source_id)
    return its


def decide(connection: Connection, calendar: str, uids: Collection[str], approved: bool, at: datetime) -> Sequence[str]:
    """For at most one chunk of appointments."""
    row, held = placements.c, APPROVED if approved else REJECTED
    where = (row.calendar == calendar, row.uid.in_(list(uids)), row.held.in_(HELD_BACK), row.wanted == "", is_due)
    decided = connection.scalars(update(placements).where(*where).values(held=held).returning(row.uid)).all()
    journal.write(connection, [Entry(at, calendar, uid, held) for uid in decided])
    return decided
