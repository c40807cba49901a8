"""What the machine does to the ledger's file is a sentence and an exit code; a new ledger never begins in silence."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from calferry.errors import LedgerBusy, NotAuthorised, Unavailable
from calferry.sandbox.google import GoogleWorld
from tests.crash.commands import Said, ended, started, with_files_of, with_modes_that_count
from tests.crossing import Salon

UNUSABLE = 2


@pytest.fixture
def carried(shop: Salon) -> Salon:
    """Six appointments that were carried, and six more."""
    for day in range(6):
        shop.book(2 + day, 9, staff=day % 3)
    shop.cross()
    for day in range(6):
        shop.book(2 + day, 14, staff=day % 3)
    return shop


def google(shop: Salon) -> GoogleWorld:
    return shop.sandbox.google.world


def is_whole(shop: Salon) -> bool:
    with closing(sqlite3.connect(shop.home / "calferry.db")) as ledger:
        (verdict,) = ledger.execute("PRAGMA integrity_check").fetchone()
    return bool(verdict == "ok")


def assert_goes_on(shop: Salon) -> None:
    """With room and rights it goes on as though nothing had been."""
    assert is_whole(shop)
    assert ended(started(shop)).code == 0
    assert shop.verdict().clean, shop.verdict().details
    assert google(shop).performed["insert"] == 12


@pytest.mark.parametrize("room", [20_000, 60_000])
def test_a_full_disk_is_a_sentence_and_leaves_the_ledger_whole(carried: Salon, room: int) -> None:
    said = ended(started(carried, within=with_files_of(room)))
    assert said.code in {UNUSABLE, Unavailable.exit_code}, said
    assert "The ledger" in said.text
    assert_goes_on(carried)


@pytest.mark.parametrize("room", [0, 65_536])
def test_a_disk_that_is_full_from_the_first_is_a_sentence(carried: Salon, room: int) -> None:
    carried.configure(ledger="new.db")
    said = ended(started(carried, within=with_files_of(room)))
    assert said.code in {UNUSABLE, Unavailable.exit_code, NotAuthorised.exit_code}, said
    assert "The ledger" in said.text or said.code == NotAuthorised.exit_code
    assert google(carried).performed["insert"] == 6


def test_a_folder_that_cannot_be_written_is_a_sentence(carried: Salon) -> None:
    before = google(carried).writes
    for file in carried.home.glob("calferry.db*"):
        file.chmod(0o500 if file.is_dir() else 0o400)
    carried.home.chmod(0o500)
    said = ended(started(carried, within=with_modes_that_count))
    assert said.code == UNUSABLE, said
    assert "calferry.db" in said.text
    assert google(carried).writes == before
    carried.home.chmod(0o700)
    for file in carried.home.glob("calferry.db*"):
        file.chmod(0o700 if file.is_dir() else 0o600)
    assert_goes_on(carried)


def test_a_ledger_that_somebody_else_writes_to_is_a_sentence(carried: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("calferry.store.database.PATIENCE", 0.2)
    with closing(sqlite3.connect(carried.home / "calferry.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerBusy, match="writing to the ledger"):
            carried.cross()
    assert google(carried).performed["insert"] == 6
    assert_goes_on(carried)


def cut(shop: Salon, size: int) -> Said:
    """A pass with a ledger of which no more is left than so many bytes."""
    (shop.home / "calferry.db-wal").unlink(missing_ok=True)
    (shop.home / "calferry.db-shm").unlink(missing_ok=True)
    with (shop.home / "calferry.db").open("r+b") as file:
        file.truncate(size)
    return ended(started(shop))


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_ledger_that_was_cut_off_is_a_sentence_and_is_not_begun_anew(carried: Salon, share: float) -> None:
    before = carried.standing()
    said = cut(carried, int((carried.home / "calferry.db").stat().st_size * share))
    assert said.code in {UNUSABLE, Unavailable.exit_code}, said
    assert "The ledger" in said.text
    assert carried.standing() == before


def test_a_ledger_of_which_nothing_is_left_writes_nothing_before_it_is_told_to(carried: Salon) -> None:
    before = carried.standing()
    said = cut(carried, 0)
    assert said.code == NotAuthorised.exit_code
    assert "calferry adopt" in said.text
    assert carried.standing() == before
    assert ended(started(carried, "adopt", "--yes")).code == 0
    assert_goes_on(carried)


def test_a_file_that_is_no_ledger_is_a_sentence_and_left_alone(carried: Salon) -> None:
    letter, before = b"Dear customer, " * 1000, google(carried).writes
    for file in filter(lambda one: one.is_file(), carried.home.glob("calferry.db*")):
        file.unlink()
    (carried.home / "calferry.db").write_bytes(letter)
    said = ended(started(carried))
    assert (said.code, "cannot be opened: file is not a database" in said.text) == (UNUSABLE, True), said
    assert (carried.home / "calferry.db").read_bytes() == letter
    assert google(carried).writes == before
