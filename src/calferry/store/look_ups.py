"""Unlisted appointments, and what came of asking for them. Runs inside the transactions of the intake."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, func, select, update

from calferry.model import Answer, Appointment, Verdict
from calferry.store import journal
from calferry.store.codec import appointment_of
from calferry.store.journal import Entry
from calferry.store.tables import appointments, is_live

COUNTS = timedelta(hours=1)
"""How long what a look-up was answered counts."""

CONFIRMED_COUNTS = timedelta(days=3)
"""… where it proves what the one before it proved: with ever so many missing, all are then asked for some day."""

is_unlisted = and_(appointments.c.unlisted_at.is_not(None), is_live)


PROVING = [verdict.value for verdict in Verdict if verdict.proves]


def _is_due(source: str, now: datetime) -> ColumnElement[bool]:
    return and_(appointments.c.source == source, is_unlisted, appointments.c.look_up_at <= now)


def due(connection: Connection, source: str, now: datetime, limit: int) -> Sequence[Appointment]:
    """Those first that others wait for."""
    row = appointments.c
    in_order = (~_is_waited_for(), row.look_up_at, row.uid)
    statement = select(row.body).where(_is_due(source, now)).order_by(*in_order).limit(limit)
    return [appointment_of(body) for body in connection.scalars(statement)]


def number_open(connection: Connection, source: str, now: datetime) -> int:
    where = (_is_due(source, now), _is_waited_for())
    return connection.scalar(select(func.count()).select_from(appointments).where(*where)) or 0


def _is_waited_for() -> ColumnElement[bool]:
    """Whether it was never asked for, or what proved it gone is too old. An answer that proved nothing is one too."""
    return appointments.c.verdict.in_(["", *PROVING])


def file(connection: Connection, uid: str, answer: Answer, at: datetime) -> None:
    """File an answer and when the next one is due. One in the same words as before is no news for the journal."""
    row = appointments.c
    known = connection.execute(
        select(row.source, row.verdict, row.verdict_evidence).where(row.uid == uid, is_unlisted)
    ).one_or_none()
    if known is None:
        return
    again = answer.verdict.proves and known.verdict in PROVING
    said = {"verdict": answer.verdict.value, "verdict_evidence": answer.evidence}
    counts = {"attempts": row.attempts + 1, "look_up_at": at + (CONFIRMED_COUNTS if again else COUNTS)}
    connection.execute(update(appointments).where(row.uid == uid).values(said | counts))
    if (known.verdict, known.verdict_evidence) != tuple(said.values()):
        told = Entry(at, known.source, uid, "asked for", f"{answer.verdict}: {answer.evidence}")
        journal.write(connection, [told])


def proofs(connection: Connection, source: str, now: datetime) -> Sequence[Answer]:
    row = appointments.c
    counting = (row.source == source, is_unlisted, row.look_up_at > now, row.verdict.in_(PROVING))
    statement = select(row.source_id, row.verdict, row.verdict_evidence).where(*counting).order_by(row.uid)
    return [Answer(source_id, Verdict(verdict), why) for source_id, verdict, why in connection.execute(statement)]
