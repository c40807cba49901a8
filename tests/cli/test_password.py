"""`calferry password`: the line that opens the pages."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from calferry.cli import app
from calferry.web.pages.passwords import matches

PASSWORD = "open sesame, please"


def test_the_line_stands_for_the_password_and_does_not_hold_it() -> None:
    ran = CliRunner().invoke(app, ["password"], input=f"{PASSWORD}\n{PASSWORD}\n")
    assert ran.exit_code == 0
    name, _, line = ran.stdout.strip().partition(" = ")
    assert name == "password"
    assert matches(PASSWORD, line.strip('"'))
    assert PASSWORD not in ran.output


def test_as_json_it_is_one_document() -> None:
    ran = CliRunner().invoke(app, ["password", "--json"], input=f"{PASSWORD}\n{PASSWORD}\n")
    assert matches(PASSWORD, json.loads(ran.stdout)["password"])


@pytest.mark.parametrize("told", ["short\nshort\n", f"{PASSWORD}\nanother\n", ""])
def test_a_password_that_is_short_or_not_repeated_gives_no_line(told: str) -> None:
    ran = CliRunner().invoke(app, ["password"], input=told)
    assert ran.exit_code != 0
    assert "scrypt" not in ran.output
