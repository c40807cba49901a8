"""The journal: what happened to an appointment, in order. It is added to inside the transaction that did it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select

from calferry.store.database import Database
from calferry.store.tables import journal


@dataclass(frozen=True, slots=True)
class Entry:
    """`place` is the key of the source or the calendar it happened in; `detail` holds no personal data."""

    at: datetime
    place: str
    uid: str
    what: str
    detail: str = ""


def write(connection: Connection, entries: Iterable[Entry]) -> None:
    rows = [
        {"at": entry.at, "place": entry.place, "uid": entry.uid, "what": entry.what, "detail": entry.detail}
        for entry in entries
    ]
    if rows:
        connection.execute(insert(journal), rows)


def history(connection: Connection, uid: str) -> list[Entry]:
    """All that happened to an appointment, oldest first."""
    columns = (journal.c.at, journal.c.place, journal.c.uid, journal.c.what, journal.c.detail)
    found = connection.execute(select(*columns).where(journal.c.uid == uid).order_by(journal.c.id))
    return [Entry(*row) for row in found]


def now() -> datetime:
    """The time for entries whose caller has no time of its own."""
    return datetime.now(UTC)


def note(database: Database, entries: Iterable[Entry]) -> None:
    """Entries of their own: what a person asked for, before it is done. Raises Unavailable."""
    with database.writing() as connection:
        write(connection, entries)
