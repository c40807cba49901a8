"""The ledger as a whole: opening it, and handing out its three faces."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType

from sqlalchemy import insert, select, update
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from calferry.errors import ConfigError, LedgerBusy, Unavailable
from calferry.ports import Attention, Vitals
from calferry.store import journal, migrations
from calferry.store.alertbook import SqlAlertBook
from calferry.store.attention import waiting
from calferry.store.database import Database
from calferry.store.intake import SqlIntake
from calferry.store.journal import Entry
from calferry.store.keeper import SqlKeeper
from calferry.store.locks import PATIENCE, Locks
from calferry.store.nudging import SqlNudges
from calferry.store.outbox import SqlOutbox
from calferry.store.pausing import SqlPauses
from calferry.store.retention import trim
from calferry.store.routing import SqlRouting
from calferry.store.shelf import SqlShelf
from calferry.store.tables import calendars, identity
from calferry.store.vitals import vitals

SERVICE = "the service"
"""The lock that a running service holds."""

MOMENT = 2.0
"""Seconds: longer than anybody looks whether a service is running, shorter than anybody would wait for one to end."""

EXAMPLE = "sqlite:////var/lib/calferry/calferry.db"


class SqlLedger:
    """What calferry remembers, in one database. `database` is for the readings in `overview`."""

    def __init__(self, database: Database, locks: Locks, installation: str, ledger: str) -> None:
        self.database = database
        self._locks = locks
        self._installation = installation
        self._id = ledger
        self._intake = SqlIntake(database, installation)
        self._routing = SqlRouting(database, installation)
        self._outbox = SqlOutbox(database, ledger)
        self._pauses = SqlPauses(database)
        self._nudges = SqlNudges(database)
        self._shelf = SqlShelf(database, installation, ledger)
        self._keeper = SqlKeeper(database, installation, ledger)
        self._alerts = SqlAlertBook(database)

    @property
    def id(self) -> str:
        return self._id

    @property
    def installation(self) -> str:
        return self._installation

    @property
    def intake(self) -> SqlIntake:
        return self._intake

    @property
    def routing(self) -> SqlRouting:
        return self._routing

    @property
    def outbox(self) -> SqlOutbox:
        return self._outbox

    @property
    def pauses(self) -> SqlPauses:
        return self._pauses

    @property
    def nudges(self) -> SqlNudges:
        return self._nudges

    @property
    def shelf(self) -> SqlShelf:
        return self._shelf

    @property
    def keeper(self) -> SqlKeeper:
        return self._keeper

    @property
    def alerts(self) -> SqlAlertBook:
        return self._alerts

    def attention(self, now: datetime) -> frozenset[Attention]:
        with self.database.reading() as connection:
            return waiting(connection, now)

    def vitals(self, now: datetime) -> Sequence[Vitals]:
        with self.database.reading() as connection:
            return vitals(connection, now)

    def trim(self, before: datetime) -> int:
        return trim(self.database, before)

    def lock(self, name: str) -> AbstractContextManager[None]:
        return self._locks.hold(name)

    @contextmanager
    def attended(self) -> Iterator[None]:
        """A service looks after this ledger, and after what it is nudged to. It may be the second one."""
        with ExitStack() as held:
            with suppress(LedgerBusy):
                held.enter_context(self._locks.hold(SERVICE, MOMENT))
            yield

    def is_attended(self) -> bool:
        """Whether a service is running on it."""
        return self._locks.is_held(SERVICE)

    def close(self) -> None:
        self.database.close()

    def __enter__(self) -> SqlLedger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_ledger(url: str, installation: str, *, locks: Path | None = None, patience: float = PATIENCE) -> SqlLedger:
    """Open the ledger at `url` (`sqlite:////path/file.db`), creating it or bringing it up to date first.

    `locks` is the folder of the lock files, `<file>.locks` beside an SQLite file by default; `patience` is how many
    seconds to wait for a lock. Raises ConfigError when the place cannot be used, the ledger belongs to another
    installation or was written by a newer calferry.
    """
    place = parse(url)
    folder = locks or lock_folder(place)
    try:
        _prepare(place, folder)
    except OSError as error:
        message = f"The ledger {place.database} cannot be used: {error.strerror}. Set `database` to a file it can be."
        raise ConfigError([message]) from error
    database = Database(place)
    held = Locks(folder, patience)
    try:
        with held.hold("the ledger's tables"):
            migrations.bring_up(database)
            ledger = _identify(database, installation)
            _count_opening(database, folder / "opened")
    except BaseException as error:
        database.close()
        if isinstance(error, (DBAPIError, Unavailable)) and not isinstance(error, LedgerBusy):
            raise _cannot_be_opened(place, error) from error
        raise
    return SqlLedger(database, held, installation, ledger)


def existing_ledger(url: str, installation: str) -> SqlLedger | None:
    """The ledger at `url` as it stands, to read: nothing is made, brought up to date or counted. None where there is
    none that this calferry can read yet. Raises ConfigError as `open_ledger` does."""
    place = parse(url)
    if place.get_backend_name() == "sqlite" and not Path(str(place.database)).exists():
        return None
    database = Database(place)
    try:
        if not migrations.is_up_to_date(database):
            database.close()
            return None
        with database.reading() as connection:
            row = connection.execute(select(identity)).one()
        check_installation(row.installation, installation)
    except BaseException as error:
        database.close()
        if isinstance(error, (DBAPIError, Unavailable)):
            raise _cannot_be_opened(place, error) from error
        raise
    return SqlLedger(database, Locks(lock_folder(place), PATIENCE), installation, str(row.id))


def parse(url: str) -> URL:
    """The address of a ledger. Raises ConfigError where there can be none."""
    try:
        place = make_url(url)
        place.get_dialect()
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError):
        raise ConfigError([f"`database` is no usable address of a database. Write it like {EXAMPLE}"]) from None
    backend = place.get_backend_name()
    if backend not in {"sqlite", "postgresql"}:
        raise ConfigError([f"The ledger cannot be kept in {backend}. Write `database` like {EXAMPLE}"])
    if backend == "sqlite" and (place.database or ":memory:").startswith((":memory:", "file:")):
        raise ConfigError([f"The ledger has to be a file: it must outlive calferry. Write `database` like {EXAMPLE}"])
    return place


def _cannot_be_opened(place: URL, error: DBAPIError | Unavailable) -> ConfigError:
    told = error.__cause__ if isinstance(error.__cause__, DBAPIError) else error
    cause = told.orig if isinstance(told, DBAPIError) else told
    return ConfigError([f"The ledger at {place.render_as_string()} cannot be opened: {cause}"])


def lock_folder(place: URL) -> Path:
    """Where the lock files of a ledger are. Raises ConfigError."""
    if place.get_backend_name() != "sqlite":
        raise ConfigError(["A ledger that is no file needs a folder for its locks."])
    return Path(f"{place.database}.locks")


def _prepare(place: URL, folder: Path) -> None:
    """Make the file, readable by its owner only, and the folders."""
    if place.get_backend_name() == "sqlite":
        file = Path(str(place.database))
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _identify(database: Database, installation: str) -> str:
    """The id of the ledger, drawn when it is new. Raises ConfigError when it is another installation's."""
    with database.writing() as connection:
        row = connection.execute(select(identity)).one_or_none()
        if row is None:
            ledger = str(uuid.uuid4())
            connection.execute(insert(identity), {"id": ledger, "installation": installation, "opened": 0})
            return ledger
    check_installation(row.installation, installation)
    return str(row.id)


def check_installation(belongs_to: str, installation: str) -> None:
    """Raises ConfigError where a ledger is of another installation."""
    if belongs_to != installation:
        message = (
            f"The ledger belongs to the installation {belongs_to!r}, not to {installation!r}. The name is part "
            "of every uid: set `name` back, or set `database` to a new ledger."
        )
        raise ConfigError([message])


def _count_opening(database: Database, note: Path) -> None:
    """Count the opening in the ledger and in a note beside it. Where the two disagree, this is an older ledger put back
    (or a moved one): every calendar is surveyed again before it is written to.

    A process that dies between the two makes them disagree as well, which costs a survey and nothing else.
    """
    try:
        noted = note.read_text(encoding="ascii")
    except OSError:
        noted = ""
    with database.writing() as connection:
        opened = connection.scalar(select(identity.c.opened)) or 0
        if opened and noted != str(opened):
            connection.execute(update(calendars).values(surveyed_at=None))
            journal.write(connection, [Entry(journal.now(), "", "", "put back", f"opened {opened}, noted {noted}")])
        connection.execute(update(identity).values(opened=opened + 1))
    note.write_text(str(opened + 1), encoding="ascii")
