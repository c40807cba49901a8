"""Copies of the ledger: made while it is in use, put back while it is not, and looked over.

A ledger is an SQLite file here. One on PostgreSQL is copied with PostgreSQL's own tools.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete, select, update
from sqlalchemy.engine import URL

from calferry.errors import ConfigError, LedgerBusy, Refused
from calferry.store import journal, migrations
from calferry.store.database import Database
from calferry.store.journal import Entry
from calferry.store.ledger import check_installation, lock_folder, parse
from calferry.store.locks import Locks
from calferry.store.tables import calendars, identity, intents, sources

PATIENCE = 2.0
"""Seconds to wait for whoever else uses a ledger that is to be replaced."""

BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite puts beside a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A ledger in a file. `size` in bytes, `rows` by table, `kept` is where the file it replaced is now."""

    file: Path
    installation: str
    ledger: str
    version: str
    size: int
    rows: Mapping[str, int]
    kept: Path | None = None

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def back_up(url: str, file: Path, *, force: bool = False) -> Copy:
    """Copy the ledger at `url` into `file`, as it is at one instant, whoever writes to it meanwhile (SQLite, "Online
    Backup API"). The copy is for its owner only, whole or not there, and one file.

    Raises ConfigError where there is no ledger or no place for the copy; Refused where `file` exists, unless `force`.
    """
    source = ledger_file(url)
    if file.is_dir():
        raise ConfigError([f"{file} is a folder; name a file in it."])
    if file.exists() and not force:
        msg = f"{file} exists already; name another file, or give --force to replace it"
        raise Refused(msg)
    if not source.exists():
        raise ConfigError([f"There is no ledger at {source} yet, so there is nothing to back up."])
    if file.exists() and file.samefile(source):
        raise ConfigError([f"{file} is the ledger itself; name another file."])
    with _written(source), _explained(f"{file} cannot be written"), _part(file) as part:
        _copy(source, part)
        copy = inspect(part)
        part.replace(file)
    _sync(file.parent)
    return replace(copy, file=file)


def restore(url: str, installation: str, file: Path, at: datetime) -> Copy:
    """Put the copy in `file` in the place of the ledger at `url`. What was there is kept beside it, under a dated name.

    It is brought up to date, surveys every calendar before it writes there again, and has forgotten what was under way
    when it was copied: that is long over, and what came of it is seen by the survey.

    Raises LedgerBusy while another process uses the ledger; ConfigError where the copy is of another installation, of
    a newer calferry, or torn.
    """
    place = ledger_file(url)
    if not file.is_file():
        raise ConfigError([f"There is no copy at {file}."])
    _whole(file)
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = lock_folder(parse(url))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    locks = Locks(folder, PATIENCE)
    locks.try_all()
    with _explained(f"{place} cannot be written"), locks.hold("the ledger's tables"), _part(place) as part:
        _copy(file, part)
        _prepare(part, installation, at)
        copy = inspect(part)
        with _alone(place):
            kept = _keep_aside(place, at)
            part.replace(place)
        _sync(place.parent)
    return replace(copy, file=place, kept=kept)


def inspect(file: Path) -> Copy:
    """What is in a ledger's file. Raises ConfigError where it is none."""
    try:
        with closing(opened(file)) as connection:
            ledger, installation = connection.execute("SELECT id, installation FROM ledger").fetchone()
            (version,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            rows = {name: _count(connection, name) for name in _tables(connection)}
    except (sqlite3.DatabaseError, TypeError) as error:
        raise ConfigError([f"{file} is no ledger of calferry's: {error}"]) from error
    size = file.stat().st_size
    return Copy(file=file, installation=installation, ledger=ledger, version=version, size=size, rows=rows)


def ledger_file(url: str) -> Path:
    """The file that the address of a ledger names. Raises ConfigError."""
    place = parse(url)
    if place.get_backend_name() != "sqlite":
        message = "The ledger is kept in PostgreSQL: back it up with pg_dump, and put it back with pg_restore."
        raise ConfigError([message])
    return Path(str(place.database))


def opened(file: Path) -> sqlite3.Connection:
    """Only a file that exists. Not `mode=ro`: one whose last user died needs its log written back."""
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True)


def _copy(source: Path, part: Path) -> None:
    """In one step: in several, each change that somebody makes meanwhile would start it again. The copy is one file:
    nothing of it stays in a log beside."""
    with closing(opened(source)) as there, closing(sqlite3.connect(part)) as here:
        there.backup(here)
        here.execute("PRAGMA journal_mode = DELETE")


def _whole(file: Path) -> None:
    try:
        with closing(opened(file)) as connection:
            (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        raise ConfigError([f"{file} is no ledger of calferry's: {error}"]) from error
    if verdict != "ok":
        raise ConfigError([f"{file} is damaged and is not put back: {verdict}"])


def _prepare(part: Path, installation: str, at: datetime) -> None:
    """Let a copy that takes the place of the ledger know that time has passed."""
    inspect(part)
    database = Database(URL.create("sqlite", database=str(part)))
    try:
        migrations.bring_up(database)
        with database.writing() as connection:
            row = connection.execute(select(identity)).one()
            check_installation(row.installation, installation)
            connection.execute(update(calendars).values(surveyed_at=None))
            connection.execute(delete(intents))
            newest = connection.scalar(select(sources.c.newest).order_by(sources.c.newest.desc()).limit(1))
            told = f"last told {newest:%Y-%m-%d %H:%M} UTC" if newest else "it was never told anything"
            journal.write(connection, [Entry(at, "", "", "put back", told)])
    finally:
        database.close()
    with closing(opened(part)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Nobody else has the file open, and nobody opens it, until this ends. A file leaves SQLite's WAL mode only for
    whoever has it alone (SQLite, "Write-Ahead Logging"). Raises LedgerBusy.

    A file that is no database, or a damaged one, is nobody's: it is what a copy is put back for.
    """
    if not place.exists():
        yield
        return
    with closing(sqlite3.connect(place, timeout=PATIENCE, isolation_level=None)) as connection:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            mode = "in use" if error.sqlite_errorname == "SQLITE_BUSY" else "unreadable"
        if mode in {"wal", "in use"}:
            msg = f"{place} is in use; stop `calferry run` first, then put the copy back"
            raise LedgerBusy(msg)
        yield


def _keep_aside(place: Path, at: datetime) -> Path | None:
    """Give what is there a second, dated name; with what a torn file left beside it."""
    if not place.exists():
        return None
    kept = place.with_name(f"{place.name}.before-{at:%Y%m%dT%H%M%SZ}")
    os.link(place, kept)
    for suffix in BESIDE:
        beside = place.with_name(place.name + suffix)
        if beside.exists():
            beside.rename(kept.with_name(kept.name + suffix))
    return kept


@contextmanager
def _part(file: Path) -> Iterator[Path]:
    """An empty file beside `file` for its owner only, gone in the end unless it was given another name."""
    part = file.with_name(f".{file.name}.part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    try:
        yield part
    finally:
        for suffix in ("", *BESIDE):
            part.with_name(part.name + suffix).unlink(missing_ok=True)


@contextmanager
def _written(source: Path) -> Iterator[None]:
    """Raises ConfigError where the ledger itself cannot be read."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise ConfigError([f"The ledger at {source} cannot be copied: {error}"]) from error


@contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError([f"{what}: {error.strerror}"]) from error


def _sync(folder: Path) -> None:
    """Have the new names on disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _tables(connection: sqlite3.Connection) -> list[str]:
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return [name for (name,) in found if not name.startswith(("sqlite_", "alembic_"))]


def _count(connection: sqlite3.Connection, table: str) -> int:
    (number,) = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()  # noqa: S608 (a name of our own)
    return int(number)
