"""`calferry init`: the file it writes works, holds no secret, and takes no other file's place."""

from __future__ import annotations

import json
import stat
from itertools import product
from pathlib import Path

import pytest

from calferry import wiring
from calferry.cli.init import Keep
from calferry.cli.recipes import SOURCES, TARGETS
from tests.cli.salon import Ran, calferry
from tests.cli.terminal import Terminal

ANSWERS = {
    "--account": "4",
    "--user": "desk@salon.example",
    "--domain": "salon.example",
    "--tenant": "salon.example",
    "--client-id": "11111111-2222-3333-4444-555555555555",
    "--url": "https://calendars.salon.example",
}
KEY = json.dumps({"client_email": "calferry@project.example", "private_key": "-"})
SECRET = "5ec7e7" * 8


def init(home: Path, source: str, target: str, keep: str = "file") -> Ran:
    options = [part for pair in ANSWERS.items() for part in pair]
    names = ("--name", "salon", "--source", source, "--target", target, "--secrets", keep)
    return calferry(home, "init", *names, *options)


def bring_secrets(home: Path, told: str, keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what the command says is left to do."""
    left = told.partition("Then:")[0]
    places = [line.strip().partition(": ") for line in left.splitlines() if line.startswith("  ")]
    for place, _, what in places:
        secret = KEY if "in JSON" in what else SECRET
        if keep is Keep.ENV:
            monkeypatch.setenv(place.removeprefix("the environment variable "), secret)
        elif keep is Keep.FILE:
            Path(place).write_text(secret)
        else:
            name = place.removeprefix("/etc/calferry/credentials/")
            (home / f"calferry_{name}").write_text(secret)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(home))


@pytest.mark.parametrize(("source", "target"), list(product(SOURCES, TARGETS)))
@pytest.mark.parametrize("keep", Keep)
def test_what_it_writes_works_once_the_secrets_are_where_it_says(
    tmp_path: Path, source: str, target: str, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = init(tmp_path, source, target, keep)
    assert (ran.code, ran.err) == (0, "")
    bring_secrets(tmp_path, ran.out, keep, monkeypatch)
    settings = wiring.settings(tmp_path / "calferry.toml")
    assert settings.name == "salon"
    assert [one.kind for one in settings.sources.values()] == [source]
    assert [one.kind for one in settings.targets.values()] == [target]
    assert [(route.source, route.target) for route in settings.routes] == [(source, target)]
    assert settings.web.health == ("127.0.0.1", 8366)


def test_the_file_is_for_its_owner_and_says_where_secrets_are(tmp_path: Path) -> None:
    init(tmp_path, "agendize", "google")
    file = tmp_path / "calferry.toml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text(encoding="utf-8")
    assert 'api_key = { file = "agendize-api-key" }' in text
    assert "<" not in text
    assert sum(line.startswith("#") for line in text.splitlines()) > 15


def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "calferry.toml").write_text("mine")
    ran = init(tmp_path, "agendize", "google")
    assert ran.code == 2
    assert "is there already, and stays as it is" in ran.err
    assert (tmp_path / "calferry.toml").read_text() == "mine"


def test_what_nobody_can_be_asked_has_to_be_an_option(tmp_path: Path) -> None:
    ran = calferry(tmp_path, "init", "--source", "agendize", "--target", "google", "--name", "salon")
    assert ran.code == 2
    assert "--account is missing" in ran.err
    assert not (tmp_path / "calferry.toml").exists()


def test_a_kind_that_there_is_not_is_said_with_those_that_there_are(tmp_path: Path) -> None:
    ran = calferry(tmp_path, "init", "--source", "agenda")
    assert ran.code == 2
    assert "--source: there is no 'agenda'; known: agendize, clicrdv, valomnia" in ran.err


def test_an_answer_is_a_text_whatever_stands_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ANSWERS, "--account", 'acme"\n[calferry]\nname = "other')
    init(tmp_path, "agendize", "google", "env")
    monkeypatch.setenv("AGENDIZE_API_KEY", "k3y")
    monkeypatch.setenv("AGENDIZE_TOKEN", "t0ken")
    monkeypatch.setenv("GOOGLE_CREDENTIALS", KEY)
    settings = wiring.settings(tmp_path / "calferry.toml")
    assert settings.name == "salon"
    assert settings.sources["agendize"].options.company.startswith('acme"\n')  # type: ignore[attr-defined]


def test_whoever_sits_at_a_terminal_is_asked(tmp_path: Path) -> None:
    with Terminal(tmp_path, "init") as terminal:
        for question, answer in (
            ("The booking system", "valomnia"),
            ("The calendars", "ical"),
            ("The name of this installation", "salon"),
            ("The id of the account", "acme"),
            ("The e-mail address", "desk@salon.example"),
            ("How subscribers reach", "https://calendars.salon.example"),
        ):
            terminal.until(question)
            terminal.answer(f"{answer}\n")
        assert terminal.end() == 0
    text = (tmp_path / "calferry.toml").read_text(encoding="utf-8")
    assert 'organisation = "acme"' in text
    assert 'url = "https://calendars.salon.example"' in text
