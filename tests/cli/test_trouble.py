"""What the machine refuses is told in a sentence, and a bug without a word of what it was about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from calferry.cli.console import UNFORESEEN, guarded
from tests.cli.salon import Salon


def _a_letter(place: Path) -> None:
    place.write_text("Dear customer, " * 100)


def _a_folder(place: Path) -> None:
    place.mkdir()


@pytest.mark.parametrize(("command", "obstacle"), [("sync", _a_letter), ("status", _a_folder)])
def test_a_place_that_is_no_ledger_is_a_mistake_of_the_configuration(
    salon: Salon, command: str, obstacle: Callable[[Path], None]
) -> None:
    obstacle(salon.home / "calferry.db")
    ran = salon.run(command)
    assert (ran.code, ran.out) == (2, "")
    assert f"{salon.config} has 1 problem:" in ran.err
    assert f"{salon.home}/calferry.db" in ran.err


def test_a_folder_that_may_not_be_written_is_named(salon: Salon) -> None:
    """`/proc` refuses everybody, even an administrator."""
    text = salon.config.read_text(encoding="utf-8")
    place = 'name = "salon"\ndatabase = "sqlite:////proc/calferry/calferry.db"'
    salon.config.write_text(text.replace('name = "salon"', place), encoding="utf-8")
    ran = salon.run("sync")
    assert (ran.code, ran.out) == (2, "")
    assert "The ledger /proc/calferry/calferry.db cannot be used" in ran.err


def test_a_ledger_of_another_installation_is_refused(salon: Salon) -> None:
    salon.run("status")
    text = salon.config.read_text(encoding="utf-8")
    salon.config.write_text(text.replace('name = "salon"', 'name = "other"'), encoding="utf-8")
    ran = salon.run("status")
    assert ran.code == 2
    assert "The ledger belongs to the installation 'salon', not to 'other'" in ran.err


def test_a_configuration_that_is_a_folder_is_named(salon: Salon) -> None:
    ran = salon.run("sync", "-c", str(salon.home))
    (line,) = ran.err.splitlines()
    assert ran.code == 2
    assert line.startswith(f"{salon.home}: cannot be read")


def test_a_bug_is_told_without_a_traceback_and_without_what_it_quotes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        guarded(_buggy)()
    told = capsys.readouterr().err
    assert ended.value.exit_code == UNFORESEEN
    assert "calferry met an error it does not know: KeyError in console.py, line " in told
    assert "CALFERRY_DEBUG=1" in told
    assert "zoe@customer.example" not in told


def test_a_bug_shows_its_traceback_to_whoever_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALFERRY_DEBUG", "1")
    with pytest.raises(KeyError, match=r"zoe@customer\.example"):
        guarded(_buggy)()


def _buggy() -> int:
    raise KeyError("zoe@customer.example")
