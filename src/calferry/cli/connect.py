"""`calferry connect`: let calferry into the calendars of a target, and see what it may do there. Writes to none."""

from __future__ import annotations

import os
import signal
import sys
import webbrowser
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from calferry.cli.check import findings_on_the_way, say
from calferry.cli.console import ConfigOption, JsonOption, config_path, emit, err, guarded, out
from calferry.errors import NotAuthorised, gravest

if TYPE_CHECKING:
    from rich.console import Console

    from calferry.config import Settings
    from calferry.ports import Target

GIVEN_UP = 128 + signal.SIGINT
"""Exit code where nobody wanted to wait any longer."""

NOTHING = "needs nobody to sign in; what it takes is in the configuration"


class Terminal:
    """The person at this terminal. Told on standard error where standard output is for a program."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def tell(self, text: str) -> None:
        self._console.print(text)

    def ask(self, question: str) -> str:
        self._console.print(question)
        answer = sys.stdin.readline() if sys.stdin else ""  # Python has none where it was started with it closed
        if not answer:
            msg = "Nobody answers here: run `calferry connect` at a terminal."
            raise NotAuthorised(msg)
        return answer.strip()

    def open(self, url: str) -> bool:
        """A browser in text mode would take over this terminal: only one with a window of its own counts."""
        has_windows = sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
        return bool(has_windows) and webbrowser.open(url)


@guarded
def connect(
    target: Annotated[str, typer.Argument(help="The target, as it is called in the configuration.")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Sign in to a target, and try what it lets calferry do."""
    from calferry import wiring

    settings = _leading_to(target, wiring.settings(config_path(config)))
    clock = wiring.SystemClock()
    with wiring.existing_ledger(settings) as ledger:
        (door,) = wiring.build_targets(settings, clock, ledger.shelf if ledger else None).values()
        try:
            found = _let_in(door, err() if json else out())
        except KeyboardInterrupt:
            err().print("Given up. Whoever was signed in before still is.")
            return GIVEN_UP
        findings = [*findings_on_the_way(settings, wiring.build_sources(settings, clock), {target: door})]
    code = gravest(finding["exit"] for finding in findings)
    if json:
        emit({"target": target, "kind": door.kind, "found": found, "findings": findings, "exit": code})
    else:
        say(out(), findings)
    return code


def _leading_to(name: str, settings: Settings) -> Settings:
    """No more of the file than one target, and what is written to it."""
    from calferry.config.problems import nearest

    if name not in settings.targets:
        msg = f"there is no target {name!r}; {nearest(name, settings.targets)}"
        raise typer.BadParameter(msg, param_hint="TARGET")
    routes = tuple(route for route in settings.routes if route.target == name)
    sources = {route.source: settings.sources[route.source] for route in routes}
    return replace(settings, targets={name: settings.targets[name]}, routes=routes, sources=sources)


def _let_in(target: Target, console: Console) -> list[str]:
    """What was found at the door, each sentence told as it comes."""
    from calferry.ports import Connecting

    sentences: Any = target.connect(Terminal(console)) if isinstance(target, Connecting) else [NOTHING]
    found = []
    for sentence in sentences:
        console.print(f"ok    targets.{target.name}: {sentence}")
        found.append(sentence)
    return found
