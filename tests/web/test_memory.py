"""What is remembered of the ledger is never older than the ledger."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import make_url

from calferry.errors import Unavailable
from calferry.store.database import Database
from calferry.web.memory import Memory

COMMIT = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as connection:
    connection.execute("INSERT INTO t VALUES (2)")
"""


class Ledger:
    """Answers with what it holds; `asked` counts. `meanwhile` happens while it answers."""

    def __init__(self) -> None:
        self.version: int | None = 1
        self.holds = "old"
        self.asked = 0

    def change(self, text: str = "new") -> None:
        self.holds, self.version = text, (self.version or 0) + 1

    def answer(self) -> str:
        self.asked += 1
        return self.holds


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def memory(ledger: Ledger) -> Memory:
    return Memory(lambda: ledger.version)


def test_a_question_is_asked_once_as_long_as_nothing_changes(ledger: Ledger, memory: Memory) -> None:
    assert [memory.recall("a", ledger.answer) for _ in range(3)] == ["old"] * 3
    assert memory.recall("b", ledger.answer) == "old"
    assert ledger.asked == 2


def test_after_a_change_everything_is_asked_anew(ledger: Ledger, memory: Memory) -> None:
    for question in ("a", "b"):
        memory.recall(question, ledger.answer)
    ledger.change()
    assert [memory.recall(question, ledger.answer) for question in ("a", "b", "a", "b")] == ["new"] * 4
    assert ledger.asked == 4


def test_where_changes_cannot_be_told_nothing_is_remembered(ledger: Ledger, memory: Memory) -> None:
    ledger.version = None
    assert [memory.recall("a", ledger.answer) for _ in range(3)] == ["old"] * 3
    assert ledger.asked == 3


def test_nothing_at_all_is_an_answer_too(ledger: Ledger, memory: Memory) -> None:
    asked: list[None] = []
    assert [memory.recall("a", lambda: asked.append(None)) for _ in range(2)] == [None, None]
    assert len(asked) == 1


def test_what_asking_raises_is_not_remembered(ledger: Ledger, memory: Memory) -> None:
    def fail() -> str:
        raise Unavailable("not now")

    with pytest.raises(Unavailable):
        memory.recall("a", fail)
    assert memory.recall("a", ledger.answer) == "old"


def test_an_answer_overtaken_by_a_change_is_not_remembered(ledger: Ledger, memory: Memory) -> None:
    """Asked before the change and answered after it, while another one has already asked for something else."""

    def slow() -> str:
        answer = ledger.answer()
        ledger.change()
        memory.recall("b", ledger.answer)
        return answer

    assert memory.recall("a", slow) == "old"
    assert memory.recall("a", ledger.answer) == "new"


def test_an_answer_overtaken_by_a_change_that_nobody_noticed_is_not_believed_either(
    ledger: Ledger, memory: Memory
) -> None:
    def slow() -> str:
        answer = ledger.answer()
        ledger.change()
        return answer

    assert memory.recall("a", slow) == "old"
    assert memory.recall("a", ledger.answer) == "new"


# ── the version of a real ledger ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def database(file: Path) -> Database:
    database = Database(make_url(f"sqlite:///{file}"))
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE t (n INTEGER)")
    return database


def test_the_version_stands_while_nothing_is_committed(database: Database) -> None:
    before = database.version()
    with database.reading() as connection:
        connection.exec_driver_sql("SELECT * FROM t")
    with suppress(ZeroDivisionError), database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
        _ = 1 / 0  # rolled back
    assert before is not None
    assert database.version() == before
    database.close()


def test_the_version_moves_on_a_commit_of_this_process(database: Database) -> None:
    before = database.version()
    with database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
        assert database.version() == before
    assert database.version() != before
    database.close()


def test_the_version_moves_on_a_commit_of_another_process(database: Database, file: Path) -> None:
    versions = [database.version()]
    for _ in range(2):
        subprocess.run([sys.executable, "-c", COMMIT, str(file)], check=True)  # noqa: S603 (three lines of ours)
        versions.append(database.version())
    assert len(set(versions)) == 3
    database.close()
