"""Whether a ledger is in good condition: what SQLite says of its file, and what should not be in its tables."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from calferry.errors import ConfigError
from calferry.store import migrations
from calferry.store.copies import Copy, inspect, ledger_file, opened

MARGIN = 64 * 1024 * 1024
"""Bytes that should be free besides the room for a copy of the ledger."""

WITHOUT_PLACEMENT = """
    SELECT count(*) FROM intents LEFT JOIN placements USING (calendar, uid) WHERE placements.uid IS NULL
"""
WITHOUT_APPOINTMENT = """
    SELECT count(*) FROM placements LEFT JOIN appointments USING (uid)
    WHERE appointments.uid IS NULL AND written_fingerprint != ''
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A ledger as it is. `free` bytes are left where it lies; `troubles` are what a person should mend, `notes` what
    a person may want to know."""

    ledger: Copy
    free: int
    troubles: tuple[str, ...]
    notes: tuple[str, ...]


def look_over(url: str, installation: str) -> Condition:
    """Reads only. Raises ConfigError where there is no ledger."""
    file = ledger_file(url)
    if not file.exists():
        raise ConfigError([f"There is no ledger at {file} yet."])
    ledger, free = inspect(file), shutil.disk_usage(file.parent).free
    with closing(opened(file)) as connection:
        connection.execute("PRAGMA query_only = ON")
        troubles = (*_of_the_file(connection), *_of_the_tables(ledger, installation), *_of_the_disk(ledger, free))
        notes = tuple(_left_over(connection))
    return Condition(ledger=ledger, free=free, troubles=troubles, notes=notes)


def _of_the_file(connection: sqlite3.Connection) -> Iterator[str]:
    for (verdict,) in connection.execute("PRAGMA integrity_check(10)"):
        if verdict != "ok":
            yield f"damaged: {verdict}; put a backup back with `calferry db restore`"
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        yield f"damaged: row {row} of {table} refers to a row of {parent} that is missing"


def _of_the_tables(ledger: Copy, installation: str) -> Iterator[str]:
    if ledger.installation != installation:
        yield f"the ledger belongs to the installation {ledger.installation!r}, not to {installation!r}"
    if ledger.version > migrations.HEAD:
        yield f"its tables are of version {ledger.version}, and this calferry knows {migrations.HEAD}: install a newer"


def _of_the_disk(ledger: Copy, free: int) -> Iterator[str]:
    if free < ledger.size + MARGIN:
        yield f"the disk has {free // 1_000_000} MB left, too few for a copy of the ledger"


def _left_over(connection: sqlite3.Connection) -> Iterator[str]:
    (intents,) = connection.execute(WITHOUT_PLACEMENT).fetchone()
    (placements,) = connection.execute(WITHOUT_APPOINTMENT).fetchone()
    if intents:
        yield f"{intents} changes are under way for appointments that have no placement; the next pass settles them"
    if placements:
        yield f"{placements} events stand in calendars whose appointments the booking systems never told of"
