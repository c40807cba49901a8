"""What is old enough to be forgotten: entries of the journal, and deletions that no brake counts any more."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Table, delete, select

from calferry.store.database import CHUNK, Database
from calferry.store.tables import deletions, journal


def trim(database: Database, before: datetime) -> int:
    """Forget what happened before then (UTC), in transactions so small that nobody waits for them. Returns the number
    of rows."""
    return sum(_trim(database, table, before) for table in (journal, deletions))


def _trim(database: Database, table: Table, before: datetime) -> int:
    """Rows come in the order of their ids, near enough: reading from the oldest on, until one is to stay, reads no more
    than is forgotten."""
    forgotten = 0
    oldest = select(table.c.id, table.c.at).order_by(table.c.id).limit(CHUNK)
    while True:
        with database.writing() as connection:
            rows = connection.execute(oldest).all()
            old = [number for number, at in rows if at < before]
            if old:
                connection.execute(delete(table).where(table.c.id.in_(old)))
        forgotten += len(old)
        if len(old) < CHUNK:
            return forgotten
