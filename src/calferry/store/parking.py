"""Deletions that wait for a person, and what the person decided. Runs inside the transactions of the outbox."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from calferry.ports import HeldBack
from calferry.store import journal
from calferry.store.journal import Entry
from calferry.store.placing import APPROVED, HELD_BACK, REJECTED, removal_of
from calferry.store.tables import appointments, is_due, placements


def held_back(connection: Connection) -> list[HeldBack]:
    row, its = placements.c, appointments.c
    names = ("calendar", "uid", "target", "source", "why", "evidence", "weak", "moved_to", "reason", "held")
    columns = [*(row[name] for name in names), its.source_id, its.starts_at]
    joined = placements.join(appointments, its.uid == row.uid, isouter=True)
    there = select(*columns).select_from(joined).where(is_due, row.held.in_(HELD_BACK), row.wanted == "")
    return [
        HeldBack(
            calendar=found.calendar,
            uid=found.uid,
            target=found.target,
            removal=removal_of(found),
            reason=found.reason,
            rejected=found.held == REJECTED,
            source=found.source,
            source_id=found.source_id or "",
            starts_at=found.starts_at,
        )
        for found in connection.execute(there.order_by(row.calendar, its.starts_at, row.uid))
    ]


def decide(connection: Connection, calendar: str, uids: Collection[str], approved: bool, at: datetime) -> Sequence[str]:
    """For at most one chunk of appointments."""
    row, held = placements.c, APPROVED if approved else REJECTED
    where = (row.calendar == calendar, row.uid.in_(list(uids)), row.held.in_(HELD_BACK), row.wanted == "", is_due)
    decided = connection.scalars(update(placements).where(*where).values(held=held).returning(row.uid)).all()
    journal.write(connection, [Entry(at, calendar, uid, held) for uid in decided])
    return decided
