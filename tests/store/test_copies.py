"""Copies of the ledger: whole, for their owner only, and put back only where they belong."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from calferry.errors import ConfigError, LedgerBusy, Refused
from calferry.ports import Ledger
from calferry.store import open_ledger
from calferry.store.condition import look_over
from calferry.store.copies import back_up, inspect, restore
from tests.builders import ACCOUNT, NOW, appointment, batch
from tests.contracts.ledger_steps import CALENDAR, INSTALLATION, intent, want, write

HOLDER = """
import sys
from calferry.store import open_ledger
with open_ledger(sys.argv[1], sys.argv[2]) as ledger:
    with ledger.database.reading(): pass
    print('open', flush=True); sys.stdin.read()
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "calferry.db"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "copies" / "copy.db"


@pytest.fixture
def kept(url: str, copy: Path) -> Path:
    """A copy of a ledger that holds one appointment, its event, and something under way."""
    copy.parent.mkdir()
    with open_ledger(url, INSTALLATION) as ledger:
        ledger.intake.record(ACCOUNT, batch(appointment("1")))
        write(ledger, want(ledger, "1"))
        ledger.outbox.survey(CALENDAR, [], NOW)
        ledger.outbox.intend([intent(want(ledger, "2"))], NOW)
    back_up(url, copy)
    return copy


def execute(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(statement)


@contextmanager
def in_use(url: str) -> Iterator[None]:
    """Another process has the ledger open, and does nothing with it."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(  # noqa: S603 (our own code)
        [sys.executable, "-c", HOLDER, url, INSTALLATION], stdin=pipe, stdout=pipe, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield
    finally:
        process.kill()
        process.communicate()


def test_a_copy_is_made_while_the_ledger_is_in_use_and_is_one_file_for_its_owner(url: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with open_ledger(url, INSTALLATION) as ledger, ledger.database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO tasks VALUES ('a', 'pull', '2026-01-01 00:00:00.000000')")
        made = back_up(url, copy)
    assert (made.file, made.installation, made.rows["tasks"]) == (copy, INSTALLATION, 0)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir() if "copy" in one.name] == ["copy.db"]
    assert made.size == copy.stat().st_size > 0
    assert inspect(copy).rows == made.rows


def test_a_copy_never_replaces_a_file_unless_it_is_told_to(kept: Path, url: str) -> None:
    before = kept.read_bytes()
    with pytest.raises(Refused, match="exists already"):
        back_up(url, kept)
    assert kept.read_bytes() == before
    execute(kept, "DELETE FROM appointments")
    assert back_up(url, kept, force=True).rows["appointments"] == 1


def test_the_ledger_itself_is_no_place_for_its_copy(kept: Path, url: str, file: Path) -> None:
    with pytest.raises(ConfigError, match="is the ledger itself"):
        back_up(url, file, force=True)


def test_nothing_is_left_of_a_copy_that_failed(url: str, file: Path, tmp_path: Path) -> None:
    file.write_bytes(b"Dear customer, " * 100)
    with pytest.raises(ConfigError, match="cannot be copied: file is not a database"):
        back_up(url, tmp_path / "copy.db")
    assert [one.name for one in tmp_path.iterdir()] == ["calferry.db"]


def test_there_is_no_copy_of_what_is_not_there(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="There is no ledger at"):
        back_up(url, tmp_path / "copy.db")


def test_a_place_that_cannot_be_written_is_told_of(kept: Path, url: str) -> None:
    with pytest.raises(ConfigError, match="cannot be written: No such file or directory"):
        back_up(url, kept.parent / "nowhere" / "copy.db")
    for folder in (kept.parent, Path(), Path("/")):
        with pytest.raises(ConfigError, match="is a folder"):
            back_up(url, folder, force=True)


def test_a_copy_is_put_back_and_what_was_there_is_kept(kept: Path, url: str, file: Path) -> None:
    with open_ledger(url, INSTALLATION) as ledger:
        ledger.intake.record(ACCOUNT, batch(appointment("3")))
    put_back = restore(url, INSTALLATION, kept, NOW)
    assert put_back.kept == file.with_name("calferry.db.before-20261125T090000Z")
    assert (inspect(put_back.kept).rows["appointments"], inspect(file).rows["appointments"]) == (2, 1)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_ledger_that_was_put_back_surveys_every_calendar_and_forgets_what_was_under_way(kept: Path, url: str) -> None:
    restore(url, INSTALLATION, kept, NOW)
    with open_ledger(url, INSTALLATION) as ledger:
        assert ledger.outbox.surveyed(CALENDAR) is None
        assert ledger.outbox.unsettled(CALENDAR, NOW) == []
        assert ledger.outbox.holds(CALENDAR, want(ledger, "1").uid)


def test_a_copy_is_put_back_where_the_ledger_is_lost(kept: Path, url: str, file: Path) -> None:
    file.unlink()
    assert restore(url, INSTALLATION, kept, NOW).kept is None
    with open_ledger(url, INSTALLATION) as ledger:
        assert ledger.intake.live(ACCOUNT, "1")


def test_a_copy_is_put_back_where_the_ledger_is_damaged(kept: Path, url: str, file: Path) -> None:
    file.write_bytes(b"Dear customer, " * 100)
    put_back = restore(url, INSTALLATION, kept, NOW)
    assert put_back.kept is not None
    assert put_back.kept.read_bytes().startswith(b"Dear customer, ")
    with open_ledger(url, INSTALLATION) as ledger:
        assert ledger.intake.live(ACCOUNT, "1")


def test_nothing_is_put_back_while_another_process_has_the_ledger_open(kept: Path, url: str, file: Path) -> None:
    with in_use(url):
        before = inspect(file).rows
        with pytest.raises(LedgerBusy, match="stop `calferry run` first"):
            restore(url, INSTALLATION, kept, NOW)
        assert inspect(file).rows == before
    assert restore(url, INSTALLATION, kept, NOW).rows["appointments"] == 1


def test_nothing_is_put_back_while_another_process_holds_a_lock(kept: Path, url: str, file: Path) -> None:
    with open_ledger(url, INSTALLATION) as ledger:
        file.write_bytes(b"torn")
        with ledger.lock("google:ana"), pytest.raises(LedgerBusy):
            restore(url, INSTALLATION, kept, NOW)
    assert file.read_bytes() == b"torn"


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("UPDATE ledger SET installation = 'other'", "belongs to the installation 'other'"),
        ("UPDATE alembic_version SET version_num = '9999'", "written by a newer calferry"),
        ("DROP TABLE ledger", "is no ledger of calferry's"),
    ],
)
def test_what_does_not_belong_there_is_not_put_back(
    kept: Path, url: str, file: Path, statement: str, sentence: str
) -> None:
    execute(kept, statement)
    before = file.read_bytes()
    with pytest.raises(ConfigError, match=sentence):
        restore(url, INSTALLATION, kept, NOW)
    assert file.read_bytes() == before
    assert [one.name for one in file.parent.iterdir() if "part" in one.name] == []


def test_a_damaged_copy_is_not_put_back(kept: Path, url: str) -> None:
    content = bytearray(kept.read_bytes())
    content[8192:16384] = b"\xff" * 8192
    kept.write_bytes(content)
    with pytest.raises(ConfigError, match=r"damaged|no ledger"):
        restore(url, INSTALLATION, kept, NOW)


def test_a_ledger_in_postgresql_is_copied_with_its_own_tools(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="pg_dump"):
        back_up("postgresql+psycopg://localhost/calferry", tmp_path / "copy.db")


def test_a_sound_ledger_has_no_troubles(kept: Path, url: str) -> None:
    condition = look_over(url, INSTALLATION)
    assert (condition.troubles, condition.ledger.rows["appointments"]) == ((), 1)
    assert condition.free > 0


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("INSERT INTO uses VALUES ('nobody', 'staff/1', 'a')", "refers to a row of appointments that is missing"),
        ("UPDATE ledger SET installation = 'other'", "belongs to the installation 'other'"),
        ("UPDATE alembic_version SET version_num = '9999'", "version 9999"),
    ],
)
def test_what_is_wrong_with_a_ledger_is_told(kept: Path, url: str, file: Path, statement: str, sentence: str) -> None:
    execute(file, statement)
    (trouble,) = look_over(url, INSTALLATION).troubles
    assert sentence in trouble


def test_what_is_left_over_is_told(ledger: Ledger, url: str, file: Path) -> None:
    write(ledger, want(ledger, "1"))
    ledger.outbox.intend([intent(want(ledger, "2"))], NOW)
    execute(file, "DELETE FROM placements WHERE written_fingerprint = ''")
    told = look_over(url, INSTALLATION).notes
    assert [note.split()[:3] for note in told] == [["1", "changes", "are"], ["1", "events", "stand"]]
