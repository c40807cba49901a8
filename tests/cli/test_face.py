"""What anybody sees first: version, help, and what happens to a slip of the finger."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from calferry import __version__
from calferry.cli import alerts, app, deletions, feeds
from calferry.cli.examples import EXAMPLES
from calferry.errors import gravest
from tests.cli.salon import COMMAND, calferry, environment

COMMANDS = [*(one.name or "" for one in app.registered_commands), *(one.name or "" for one in app.registered_groups)]
GROUPS = {"alerts": alerts.app, "deletions": deletions.app, "feeds": feeds.app}
BELOW = [(group, one.name or "") for group, below in GROUPS.items() for one in below.registered_commands]
SILENT = {"run", "init", "alerts", "db", "deletions", "feeds", "hooks", "password"}
"""These report nothing themselves."""

HEAVY = {
    "icalendar",
    "starlette",
    "uvicorn",
    "apscheduler",
    "segno",
    "sqlalchemy",
    "sqlmodel",
    "alembic",
    "httpx",
    "stamina",
    "googleapiclient",
    "google.auth",
    "httplib2",
    "rich",
}


def test_the_version_is_told(tmp_path: Path) -> None:
    ran = calferry(tmp_path, "--version")
    assert (ran.code, ran.out, ran.err) == (0, f"calferry {__version__}\n", "")


def test_telling_the_version_loads_nothing_heavy(tmp_path: Path) -> None:
    ran = subprocess.run(  # noqa: S603 (the command under test)
        [sys.executable, "-X", "importtime", COMMAND, "--version"],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rpartition("|")[2].strip() for line in ran.stderr.splitlines()}
    assert "typer" in loaded
    assert loaded & HEAVY == set()


def test_help_has_a_line_for_every_command(tmp_path: Path) -> None:
    ran = calferry(tmp_path, "--help")
    lines = [line.strip("│ ") for line in ran.out.splitlines()]
    sentences = {name: line.split(maxsplit=1)[1] for name in COMMANDS for line in lines if line.startswith(f"{name} ")}
    everything = "demo sandbox init check connect plan sync run status explain pause resume"
    everything += " adopt verify remove erase alerts deletions db feeds hooks password"
    assert ran.code == 0
    assert set(sentences) == set(COMMANDS) == set(everything.split())
    assert all(sentence.endswith(".") for sentence in sentences.values()), sentences


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(tmp_path: Path, command: str) -> None:
    ran = calferry(tmp_path, command, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert f"calferry {command}" in ran.out
    assert "--json" in ran.out or command in SILENT


@pytest.mark.parametrize("command", [*COMMANDS, *map(" ".join, BELOW)])
def test_every_command_has_examples_that_are_its_own(tmp_path: Path, command: str) -> None:
    assert EXAMPLES[command]
    assert all(line.startswith(f"calferry {command}") for line in EXAMPLES[command])
    shown = " ".join(calferry(tmp_path, *command.split(), "--help").out.split())
    assert f"Examples: {EXAMPLES[command][0]}" in shown


@pytest.mark.parametrize("command", BELOW, ids=" ".join)
def test_every_command_of_a_group_explains_itself(tmp_path: Path, command: tuple[str, str]) -> None:
    ran = calferry(tmp_path, *command, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert f"calferry {' '.join(command)}" in ran.out
    assert "--json" in ran.out


def test_without_arguments_the_help_is_shown(tmp_path: Path) -> None:
    ran = calferry(tmp_path)
    assert ran.code == 2
    assert all(command in ran.all for command in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["ferry"], "No such command 'ferry'"),
        (["sync", "--fast"], "No such option: --fast"),
        (["--fast"], "No such option: --fast"),
        (["status", "extra"], "unexpected extra argument"),
    ],
)
def test_a_slip_of_the_finger_is_an_error_of_usage(tmp_path: Path, arguments: list[str], what: str) -> None:
    ran = calferry(tmp_path, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert what in ran.err
    assert "Usage: calferry" in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("codes", "code"),
    [([], 0), ([0, 0], 0), ([1, 3], 3), ([3, 75, 1], 75), ([75, 77, 0], 77), ([77, 2, 75, 3, 1], 2)],
)
def test_the_gravest_code_is_returned(codes: list[int], code: int) -> None:
    assert gravest(codes) == code


def test_whoever_stops_listening_gets_no_complaint(tmp_path: Path) -> None:
    """As in `calferry status --json | head -c 0`."""
    (tmp_path / "calferry.toml").write_text('[calferry]\nname = "salon"\n')
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run(  # noqa: S603 (the command under test)
        [COMMAND, "status", "--json"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (ran.returncode, ran.stderr) == (1, "")
