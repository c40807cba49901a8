"""What the machine refuses ends the step with a sentence, keeps the ledger whole and tells nobody's name."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from calferry.errors import LedgerBusy, Unavailable
from calferry.model import Cursor
from calferry.store import SqlLedger
from calferry.store.tables import sources
from tests.builders import ACCOUNT, NOW, appointment, batch


def set_pragma(ledger: SqlLedger, pragma: str) -> None:
    with ledger.database.engine.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA {pragma}")


def test_a_full_disk_ends_the_step_and_leaves_the_ledger_whole(ledger: SqlLedger) -> None:
    ledger.intake.record(ACCOUNT, batch(appointment()))
    set_pragma(ledger, "max_page_count = 60")
    rows = [appointment(str(number), summary="Secret " * 100) for number in range(2000)]
    with pytest.raises(Unavailable, match="The ledger cannot be used: database or disk is full"):
        ledger.intake.record(ACCOUNT, batch(*rows, cursor=Cursor("after them")))
    set_pragma(ledger, "max_page_count = 100000")
    assert ledger.intake.cursor(ACCOUNT, "appointments") is None
    assert [one.appointment for one in ledger.routing.pending(ACCOUNT, NOW, 10)] == [appointment()]
    assert ledger.intake.record(ACCOUNT, batch(*rows, asked_at=NOW)).new == 1999


def test_a_writer_that_does_not_end_is_named(ledger: SqlLedger, tmp_path: Path) -> None:
    set_pragma(ledger, "busy_timeout = 50")
    with closing(sqlite3.connect(tmp_path / "calferry.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerBusy, match="writing to the ledger"):
            ledger.intake.complete(ACCOUNT, "all", NOW)
        assert ledger.intake.last(ACCOUNT, "all") is None
    ledger.intake.complete(ACCOUNT, "all", NOW)
    assert ledger.intake.last(ACCOUNT, "all") == NOW


def test_a_writer_keeps_others_out_before_it_has_read_anything(ledger: SqlLedger, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "calferry.db", isolation_level=None, timeout=0)) as other:
        with ledger.database.writing(), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        with ledger.database.reading():
            other.execute("BEGIN IMMEDIATE")


def test_error_texts_hold_no_parameters(ledger: SqlLedger) -> None:
    with pytest.raises(IntegrityError) as failed, ledger.database.writing() as connection:
        connection.execute(insert(sources), [{"source": "Jo Roy"}, {"source": "Jo Roy"}])
    assert "Jo Roy" not in str(failed.value)
