"""Connections and transactions: everything that differs between SQLite and PostgreSQL is in this module.

SQLite's isolation is taken out of the driver's hands: readers see one snapshot, writers take the write lock at once
(`BEGIN IMMEDIATE`), so that no transaction fails half-way because another one wrote in between. The parameters of
statements are kept out of error texts: they are personal data.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as NoConnectionError

from calferry.errors import LedgerBusy, Unavailable

Item = TypeVar("Item")
RowValues = Mapping[str, Any]

PATIENCE = 30.0
"""Seconds that a writer waits for another one to commit."""

CONNECTIONS = 100
"""As many as threads may ask at once: the steps of the service, and the subscribers it answers."""

CHUNK = 500
"""Rows per statement: well below what either database allows as parameters of one statement (32,766)."""


class Database:
    """An engine with the two kinds of transaction there are."""

    def __init__(self, url: URL) -> None:
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(url) if self.is_sqlite else create_engine(url, hide_parameters=True)
        self._snapshot = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        self._watcher: Connection | None = None
        self._watching = Lock()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One snapshot. Raises Unavailable."""
        with _explained(), self.engine.connect().execution_options(**self._snapshot) as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: committed at the end, rolled back by an exception. Raises Unavailable, LedgerBusy."""
        with _explained(), self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection

    def version(self) -> int | None:
        """Another number whenever something was committed since; None where the database cannot tell. Raises
        Unavailable."""
        if not self.is_sqlite:
            return None
        with _explained(), self._watching:
            if self._watcher is None:
                self._watcher = self.engine.connect()
            try:
                found = self._watcher.connection.cursor().execute("PRAGMA data_version").fetchone()
            except sqlite3.Error as error:
                message = f"The ledger cannot be used: {error}."
                raise Unavailable(message) from error
        return int(found[0])

    def compact(self) -> None:
        """Write the file anew, without what was deleted. PostgreSQL does so by itself. Raises Unavailable."""
        if not self.is_sqlite:
            return
        connection = self.engine.raw_connection()
        try:
            for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                connection.cursor().execute(statement)
        except sqlite3.Error as error:
            message = f"The ledger's file cannot be written anew: {error}."
            raise Unavailable(message) from error
        finally:
            connection.close()

    def close(self) -> None:
        if self._watcher is not None:
            self._watcher.close()
        self.engine.dispose()


@contextmanager
def _explained() -> Iterator[None]:
    """What the machine refuses (no space, no right to write, a torn file, a lock not given up) ends the step."""
    try:
        yield
    except (IntegrityError, ProgrammingError, DataError):
        raise  # our own mistakes
    except DatabaseError as error:
        if getattr(error.orig, "sqlite_errorname", "") == "SQLITE_BUSY":
            message = f"Another process has been writing to the ledger for {PATIENCE:.0f} seconds."
            raise LedgerBusy(message) from error
        message = f"The ledger cannot be used: {error.orig}."
        raise Unavailable(message) from error
    except NoConnectionError as error:
        message = "The ledger cannot be used: too much is done with it at once."
        raise Unavailable(message) from error


def _sqlite_engine(url: URL) -> Engine:
    arguments = {"timeout": PATIENCE, "isolation_level": None}
    engine = create_engine(url, connect_args=arguments, hide_parameters=True, max_overflow=CONNECTIONS)

    @event.listens_for(engine, "connect")
    def prepare(dbapi_connection: Any, _record: object) -> None:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            dbapi_connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def upsert(connection: Connection, table: Table, rows: Sequence[RowValues], keep: Collection[str] = ()) -> None:
    """Insert rows, all with the same columns; where the primary key is taken, its row gets these values.

    The columns in `keep` are for new rows only.
    """
    if not rows:
        return
    insert = {"sqlite": sqlite, "postgresql": postgresql}[connection.dialect.name].insert
    keys = [column.name for column in table.primary_key]
    statement = insert(table)
    new_values = {name: statement.excluded[name] for name in rows[0] if name not in {*keys, *keep}}
    if new_values:
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=new_values), rows)
    else:
        connection.execute(statement.on_conflict_do_nothing(index_elements=keys), rows)


def chunks(items: Iterable[Item], size: int = CHUNK) -> Iterator[list[Item]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
