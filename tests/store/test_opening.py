"""Opening a ledger: what is made, what is refused, and how the tables come up to date."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from calferry.errors import ConfigError, LedgerBusy
from calferry.store import SqlLedger, migrations, open_ledger
from calferry.store.locks import Locks
from calferry.store.tables import METADATA
from tests.builders import NOW
from tests.contracts.ledger_steps import CALENDAR, INSTALLATION


def execute(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(statement)


def refusal(url: str, installation: str = INSTALLATION) -> str:
    with pytest.raises(ConfigError) as refused:
        open_ledger(url, installation)
    return str(refused.value)


def test_file_and_folders_are_made_for_their_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "new" / "calferry.db"
    with open_ledger(f"sqlite:///{file}", INSTALLATION):
        assert {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in file.parent.iterdir()} == {
            "calferry.db": "0o600",
            "calferry.db-wal": "0o600",
            "calferry.db-shm": "0o600",
            "calferry.db.locks": "0o700",
        }
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_every_connection_is_durable_patient_and_checks_foreign_keys(ledger: SqlLedger) -> None:
    with ledger.database.reading() as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        values = [connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() for pragma in pragmas]
    assert values == ["wal", 2, 1, 30_000]


def test_a_ledger_keeps_its_id(url: str) -> None:
    with open_ledger(url, INSTALLATION) as first:
        drawn = first.id
    with open_ledger(url, INSTALLATION) as again:
        assert (again.id, again.installation) == (drawn, INSTALLATION)


def test_a_ledger_of_another_installation_is_refused(ledger: SqlLedger, url: str) -> None:
    assert "belongs to the installation 'test', not to 'other'" in refusal(url, "other")


def test_a_ledger_of_a_newer_calferry_is_refused(ledger: SqlLedger, url: str, tmp_path: Path) -> None:
    execute(tmp_path / "calferry.db", "UPDATE alembic_version SET version_num = '9999'")
    assert "written by a newer calferry" in refusal(url)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "no usable address"),
        ("nonsense", "no usable address"),
        ("sqlite://", "has to be a file"),
        ("sqlite:///:memory:", "has to be a file"),
        ("sqlite:///file:x?mode=memory&uri=true", "has to be a file"),
        ("mysql+nothing://host/db", "no usable address"),
        ("sqlite:////proc/nowhere/calferry.db", "cannot be used"),
        ("sqlite:////", "cannot be used"),
    ],
)
def test_an_unusable_place_is_refused_with_a_sentence(url: str, sentence: str) -> None:
    assert sentence in refusal(url)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear customer, " * 100)
    assert "cannot be opened: file is not a database" in refusal(f"sqlite:///{file}")
    assert file.read_text() == "Dear customer, " * 100


def test_the_migrations_lead_to_the_tables_of_the_models(ledger: SqlLedger) -> None:
    with ledger.database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_the_head_of_the_migrations_is_the_version_that_is_expected() -> None:
    assert ScriptDirectory.from_config(migrations.configuration()).get_current_head() == migrations.HEAD


def contents(file: Path) -> list[str]:
    """All that a ledger holds, the count of its openings left out."""
    with closing(sqlite3.connect(file)) as connection:
        return [line for line in connection.iterdump() if not line.startswith('INSERT INTO "ledger"')]


def test_opening_a_ledger_again_changes_nothing_but_the_count_of_its_openings(url: str, tmp_path: Path) -> None:
    with open_ledger(url, INSTALLATION) as ledger:
        ledger.outbox.survey(CALENDAR, [], NOW)
    before = contents(tmp_path / "calferry.db")
    with open_ledger(url, INSTALLATION) as ledger:
        assert ledger.outbox.surveyed(CALENDAR) == NOW
    assert contents(tmp_path / "calferry.db") == before


@pytest.mark.parametrize("note", ["7", "", "not a number"])
def test_a_ledger_whose_openings_were_counted_otherwise_surveys_every_calendar_again(
    url: str, tmp_path: Path, note: str
) -> None:
    with open_ledger(url, INSTALLATION) as ledger:
        ledger.outbox.survey(CALENDAR, [], NOW)
    (tmp_path / "calferry.db.locks" / "opened").write_text(note, encoding="ascii")
    with open_ledger(url, INSTALLATION) as ledger:
        assert ledger.outbox.surveyed(CALENDAR) is None
        ledger.outbox.survey(CALENDAR, [], NOW)
    with open_ledger(url, INSTALLATION) as ledger:
        assert ledger.outbox.surveyed(CALENDAR) == NOW


def test_two_processes_never_migrate_at_once(url: str, tmp_path: Path) -> None:
    locks = tmp_path / "calferry.db.locks"
    locks.mkdir()
    with Locks(locks).hold("the ledger's tables"), pytest.raises(LedgerBusy, match="the ledger's tables"):
        open_ledger(url, INSTALLATION, patience=0.1)


def test_a_ledger_that_is_no_file_needs_a_folder_for_its_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sqlalchemy.engine.URL.get_dialect", lambda url: None)
    assert "folder for its locks" in refusal("postgresql://localhost/calferry")
