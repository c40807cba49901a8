"""Pauses of sources and of calendars, and what a person lets rest: `ports.Pauses`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, delete, func, or_, select, update

from calferry.ports import Rest
from calferry.store import journal
from calferry.store.database import Database, upsert
from calferry.store.journal import Entry
from calferry.store.tables import calendars, intents, placements, rests, sources

LONGEST = timedelta(days=1)
"""No pause is longer; one that seems to be was set by a clock that was ahead."""

OPEN = {"paused_until": None, "pause_reason": "", "pauses": 0}


def is_paused(table: Table, now: datetime) -> ColumnElement[bool]:
    """Whether a row of sources or calendars is in a pause. False, and never unknown, where it has none."""
    until = func.coalesce(table.c.paused_until, now)
    return and_(until > now, until <= now + LONGEST)


def rest_of(what: str, name: Any, now: datetime) -> Select[tuple[str]]:
    """The rest of something by its name, or by the column that has its name, if it is in one at `now`."""
    return select(rests.c.name).where(rests.c.what == what, rests.c.name == name, _lasts(now))


def _lasts(now: datetime) -> ColumnElement[bool]:
    return or_(rests.c.until.is_(None), rests.c.until > now)


def pause(connection: Connection, table: Table, name: str, reason: str, until: datetime) -> None:
    """Pause a row of sources or calendars."""
    values = {"paused_until": until, "pause_reason": reason, "pauses": number(connection, table, name) + 1}
    upsert(connection, table, [{_key(table): name} | values])
    journal.write(connection, [Entry(journal.now(), name, "", "paused", reason)])


def number(connection: Connection, table: Table, name: str) -> int:
    """How many pauses in a row it has had."""
    return connection.scalar(select(table.c.pauses).where(table.c[_key(table)] == name)) or 0


def end(connection: Connection, table: Table, name: str) -> bool:
    """End a pause, and count anew. Returns whether there was anything to end."""
    this = (table.c[_key(table)] == name, or_(table.c.paused_until.is_not(None), table.c.pauses > 0))
    return connection.execute(update(table).where(*this).values(OPEN)).rowcount > 0


def _key(table: Table) -> str:
    (key,) = table.primary_key.columns.keys()
    return key


class SqlPauses:
    def __init__(self, database: Database) -> None:
        self._database = database

    def rest(self, rest: Rest, at: datetime) -> None:
        row = {"what": rest.what, "name": rest.name, "since": at, "until": rest.until, "reason": rest.reason}
        with self._database.writing() as connection:
            upsert(connection, rests, [row])
            journal.write(connection, [Entry(at, rest.name, "", "rests", rest.reason)])

    def resume(self, what: str, name: str, at: datetime) -> bool:
        with self._database.writing() as connection:
            this = delete(rests).where(rests.c.what == what, rests.c.name == name)
            ended = [connection.execute(this).rowcount > 0]
            if what == "source":
                ended.append(end(connection, sources, name))
            else:
                ended += [_reopen(connection, calendar, at) for calendar in _calendars(connection, what, name)]
            if any(ended):
                journal.write(connection, [Entry(at, name, "", "resumed")])
            return any(ended)

    def rests(self, now: datetime) -> Sequence[Rest]:
        columns = (rests.c.what, rests.c.name, rests.c.reason, rests.c.until)
        statement = select(*columns).where(_lasts(now)).order_by(rests.c.what, rests.c.name)
        with self._database.reading() as connection:
            return [Rest(**row._mapping) for row in connection.execute(statement)]

    def calendars(self) -> Mapping[str, str]:
        with self._database.reading() as connection:
            return dict(connection.execute(select(calendars.c.calendar, calendars.c.target)).all())


def _calendars(connection: Connection, what: str, name: str) -> Sequence[str]:
    if what == "calendar":
        return [name]
    return connection.scalars(select(calendars.c.calendar).where(calendars.c.target == name)).all()


def _reopen(connection: Connection, calendar: str, at: datetime) -> bool:
    """End the pause of a calendar. What waits there for its next try, an event or a request, is due at once."""
    later = update(intents).where(intents.c.calendar == calendar, intents.c.not_before > at)
    connection.execute(later.values(not_before=None, attempts=0))
    aside = update(placements).where(placements.c.calendar == calendar, placements.c.not_before > at)
    connection.execute(aside.values(not_before=at, attempts=0))
    return end(connection, calendars, calendar)
