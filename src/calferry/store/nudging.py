"""Nudges: `ports.Nudges`."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, select, update

from calferry.ports import Nudge
from calferry.store.database import Database, chunks, upsert
from calferry.store.tables import NOTHING, nudges


class SqlNudges:
    def __init__(self, database: Database) -> None:
        self._database = database

    def nudge(self, source: str, source_ids: Collection[str], at: datetime) -> None:
        said = {"source": source, "hint": uuid.uuid4().hex, "attempts": 0, "due_at": at}
        with self._database.writing() as connection:
            for names in chunks(dict.fromkeys(source_ids)):
                upsert(connection, nudges, [said | {"source_id": name} for name in names])

    def nudged(self, now: datetime) -> Sequence[tuple[str, bool]]:
        row = nudges.c
        for_a_pull = (row.source_id == NOTHING).label("for_a_pull")
        statement = select(row.source, for_a_pull).where(row.due_at <= now).distinct()
        with self._database.reading() as connection:
            return [(source, bool(pull)) for source, pull in connection.execute(statement)]

    def due(self, source: str, now: datetime, limit: int) -> Sequence[Nudge]:
        row = nudges.c
        statement = select(row.source_id, row.hint, row.attempts).order_by(row.due_at, row.source_id).limit(limit)
        with self._database.reading() as connection:
            named = statement.where(row.source == source, row.source_id != NOTHING, row.due_at <= now)
            return [Nudge(**one._mapping) for one in connection.execute(named)]

    def wishes(self, source: str) -> Sequence[Nudge]:
        row = nudges.c
        statement = select(row.source_id, row.hint, row.attempts).where(row.source == source, row.source_id == NOTHING)
        with self._database.reading() as connection:
            return [Nudge(**one._mapping) for one in connection.execute(statement)]

    def postpone(self, source: str, nudge: Nudge, until: datetime) -> None:
        this = (nudges.c.source == source, nudges.c.source_id == nudge.source_id, nudges.c.hint == nudge.hint)
        with self._database.writing() as connection:
            connection.execute(update(nudges).where(*this).values(due_at=until, attempts=nudges.c.attempts + 1))

    def settle(self, source: str, settled: Sequence[Nudge]) -> None:
        if not settled:
            return
        with self._database.writing() as connection:
            for one in settled:
                this = (nudges.c.source == source, nudges.c.source_id == one.source_id, nudges.c.hint == one.hint)
                connection.execute(delete(nudges).where(*this))
