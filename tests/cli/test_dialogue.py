"""The person at the terminal, as a target that is connected speaks to them."""

from __future__ import annotations

import io
import sys
import webbrowser

import pytest
from rich.console import Console

from calferry.cli.connect import Terminal
from calferry.errors import NotAuthorised
from calferry.ports import Dialogue

PAGE = "https://login.example/device"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The pages that a browser was asked to open."""
    pages: list[str] = []

    def open_page(url: str) -> bool:
        pages.append(url)
        return True

    monkeypatch.setattr(webbrowser, "open", open_page)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return pages


def test_what_is_told_and_typed_arrives_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    terminal: Dialogue = Terminal(Console(file=shown, highlight=False, markup=False, soft_wrap=True))
    monkeypatch.setattr(sys, "stdin", io.StringIO("  4/0Ab[code]  \nmore\n"))
    terminal.tell(f"Open {PAGE} [now]")
    assert terminal.ask("The code?") == "4/0Ab[code]"
    assert shown.getvalue() == f"Open {PAGE} [now]\nThe code?\n"


@pytest.mark.parametrize("closed", [io.StringIO(""), None])
def test_where_nobody_can_answer_it_is_said_and_nothing_waits(
    monkeypatch: pytest.MonkeyPatch, closed: io.StringIO | None
) -> None:
    monkeypatch.setattr(sys, "stdin", closed)
    with pytest.raises(NotAuthorised, match="at a terminal"):
        Terminal(Console(file=io.StringIO())).ask("The code?")


@pytest.mark.parametrize("display", ["DISPLAY", "WAYLAND_DISPLAY"])
def test_a_page_is_opened_where_there_are_windows(
    monkeypatch: pytest.MonkeyPatch, opened: list[str], display: str
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv(display, ":0")
    assert Terminal(Console(file=io.StringIO())).open(PAGE)
    assert opened == [PAGE]


def test_no_browser_takes_the_terminal_over(monkeypatch: pytest.MonkeyPatch, opened: list[str]) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert not Terminal(Console(file=io.StringIO())).open(PAGE)
    assert opened == []
