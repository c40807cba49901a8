"""What docs/operations.md tells people to type is there to be typed; and what can be run here, is."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main

from calferry.cli import app
from tests.cli.salon import calferry

ROOT = Path(__file__).parents[2]
OPERATIONS = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```console\n(.*?)^```", OPERATIONS, re.MULTILINE | re.DOTALL)
LINES = [line.partition("  #")[0].strip() for block in BLOCKS for line in block.splitlines()]
OURS = sorted({line for line in LINES if line.startswith("calferry ")})


def command_of(words: list[str]) -> tuple[Any, list[str]]:
    """The command that the words of a line name, and those that are left."""
    found: Any = typer.main.get_command(app)
    while words and words[0] in getattr(found, "commands", {}):
        found, words = found.commands[words[0]], words[1:]
    return found, words


@pytest.mark.parametrize("line", OURS)
def test_every_line_names_a_command_with_options_that_it_has(line: str) -> None:
    command, rest = command_of(shlex.split(line.replace("…", ""))[1:])
    assert not hasattr(command, "commands"), line
    known = {option for parameter in command.params for option in parameter.opts}
    assert [word for word in rest if word.startswith("-") and word not in known] == []


def test_every_file_that_is_copied_is_there() -> None:
    named = {word for line in LINES for word in line.split() if word.startswith("systemd/")}
    assert named
    assert [pattern for pattern in named if not list(ROOT.glob(pattern))] == []
    assert [name for name in ("requirements.lock", "Containerfile") if name not in OPERATIONS] == []


def test_the_line_for_a_configuration_works_as_it_stands(tmp_path: Path) -> None:
    (line,) = [line for line in OURS if line.startswith("calferry init --")]
    ran = calferry(tmp_path, *shlex.split(line)[1:])
    assert ran.code == 0, ran.all
    assert (tmp_path / "calferry.toml").exists()
