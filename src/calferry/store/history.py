"""What the passes of each hour did, in numbers: what the chart on the overview shows.

One row an hour and a word, counted inside the transaction that did it, so that nobody has to look through the journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from calferry.moments import utc
from calferry.store.database import Database
from calferry.store.tables import hours

PULLED = "pulled"
"""A source was pulled to its end. What calendars acknowledged goes by the words: created, updated, removed."""

KEPT = timedelta(days=31)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour from `at` (UTC) on: how often sources were pulled, and how many changes calendars acknowledged."""

    at: datetime
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def pulled(self) -> int:
        return self.counts.get(PULLED, 0)

    @property
    def changes(self) -> int:
        return sum(number for what, number in self.counts.items() if what != PULLED)


def count(connection: Connection, at: datetime, what: str, number: int = 1) -> None:
    """So much was done at that time (UTC). A new hour forgets those of a month ago."""
    insert = {"sqlite": sqlite, "postgresql": postgresql}[connection.dialect.name].insert
    begun = hour(at)
    statement = insert(hours).values(at=begun, what=what, number=number)
    more = {"number": hours.c.number + statement.excluded.number}
    connection.execute(statement.on_conflict_do_update(index_elements=["at", "what"], set_=more))
    connection.execute(delete(hours).where(hours.c.at < begun - KEPT))


def last_hours(database: Database, now: datetime, number: int) -> list[Hour]:
    """So many hours, the one that runs last. One without a row did nothing."""
    first = hour(now) - (number - 1) * HOUR
    found: dict[datetime, dict[str, int]] = {}
    with database.reading() as connection:
        rows = select(hours.c.at, hours.c.what, hours.c.number).where(hours.c.at >= first)
        for at, what, counted in connection.execute(rows):
            found.setdefault(utc(at), {})[what] = counted
    return [Hour(at, found.get(at, {})) for at in (first + index * HOUR for index in range(number))]


def hour(at: datetime) -> datetime:
    return utc(at).replace(minute=0, second=0, microsecond=0)
