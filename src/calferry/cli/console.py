"""What every command shares at the terminal: where the configuration is, how errors, stops and progress are shown."""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec

import typer

from calferry.errors import CalferryError, ConfigError

if TYPE_CHECKING:
    from rich.console import Console

    from calferry.sync.installation import Watch

P = ParamSpec("P")

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        envvar="CALFERRY_CONFIG",
        help="The configuration file.  [default: calferry.toml here, else /etc/calferry/calferry.toml]",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]

PLACES = (Path("calferry.toml"), Path("/etc/calferry/calferry.toml"))
"""Where the configuration is looked for when no path is given, in this order."""

PACKAGE = Path(__file__).parents[1]

UNFORESEEN = 70
"""Exit code of a bug (`EX_SOFTWARE` in sysexits.h)."""


def config_path(given: Path | None) -> Path:
    """The configuration file to use. Raises ConfigError where none is given and none is found."""
    path = _file_in_use(given)
    if path is None:
        looked = " nor ".join(str(place.absolute()) for place in PLACES)
        message = (
            f"There is no configuration: neither {looked} exists. Name yours with --config PATH (or in the environment "
            "variable CALFERRY_CONFIG); config.example.toml is one to start from."
        )
        raise ConfigError([message])
    return path


def _file_in_use(given: object) -> Path | None:
    return given if isinstance(given, Path) else next((place for place in PLACES if _may_be_there(place)), None)


def _may_be_there(place: Path) -> bool:
    """False only where there surely is nothing: whoever reads what is closed to us says so better than we could."""
    try:
        return place.exists()
    except OSError:
        return True


def out() -> Console:
    """Standard output. Texts of other people are printed as they are: no markup, no colouring of numbers."""
    from rich.console import Console

    return Console(highlight=False, markup=False, soft_wrap=True)


def err() -> Console:
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def emit(document: Any) -> None:
    """One JSON document on standard output; times in ISO 8601."""
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def attention_text(what: str, where: str, name: str, reason: str) -> str:
    """One line about something that waits for a person; a reason that says which one it is about says it once."""
    reason = reason.removesuffix(".")
    said = where in reason and name in reason
    return f"{what}: {reason}" if said else f"{what}: {f'{where} {name}'.rstrip()}: {reason}"


def show_errors(messages: Iterable[object]) -> None:
    """Each message once, on standard error: a connection that is closed is closed for each of its calendars."""
    for message in dict.fromkeys(map(str, messages)):
        err().print(message, style="red")


def _show_problems(error: ConfigError, file: Path | None) -> None:
    """The path of the configuration once, and below it a line a problem. One about the file as a whole names it."""
    if file is None or any(problem.startswith((f"{file}:", f"{file.absolute()}:")) for problem in error.problems):
        show_errors([error])
        return
    console, number = err(), len(error.problems)
    console.print(f"{file.absolute()} has {number} problem{'s' if number > 1 else ''}:", style="red")
    for problem in error.problems:
        console.print(f"  {problem}")


def _show_unforeseen(error: Exception) -> None:
    """What it was and where, not what it says: nobody knows whose name is in that."""
    files = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    ours = [f" in {file.name}, line {line}" for file, line in files if PACKAGE in file.parents]
    console = err()
    console.print(f"calferry met an error it does not know: {type(error).__name__}{''.join(ours[-1:])}.", style="red")
    console.print("Nothing is lost. CALFERRY_DEBUG=1 shows all of it, personal data too; please report it.")


def guarded(command: Callable[P, int | None]) -> Callable[P, None]:
    """A command whose result is its exit code, and whose errors are sentences.

    CALFERRY_DEBUG=1 in the environment lets an unforeseen error through with its traceback.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        from calferry.sync.installation import Stopped

        try:
            code = command(*args, **kwargs)
        except ConfigError as error:
            _show_problems(error, _file_in_use(kwargs["config"]) if "config" in kwargs else None)
            code = error.exit_code
        except CalferryError as error:
            show_errors([error])
            code = error.exit_code
        except Stopped as stopped:
            err().print("Stopped. Everything done so far is filed; run the command again to go on.")
            code = 128 + int(str(stopped) or signal.SIGINT)
        except (BrokenPipeError, typer.BadParameter):
            raise  # typer knows: whoever read our output has seen enough; whoever typed it sees what is wrong
        except Exception as error:
            if os.environ.get("CALFERRY_DEBUG"):
                raise
            _show_unforeseen(error)
            code = UNFORESEEN
        raise typer.Exit(code or 0)

    return run


class Stop(Event):
    """Set when the command shall end. `number` is the signal that asked for it; 0 where none did."""

    number = 0


@contextmanager
def stopped_by_signals() -> Iterator[Stop]:
    """Set on Ctrl-C or SIGTERM. A second one ends the process at once, which loses nothing either."""
    stop = Stop()

    def hear(number: int, _: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.number = number
        stop.set()

    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def watched(*, quiet: bool = False) -> Iterator[Watch]:
    """A watch that shows progress on a terminal and ends the work between two requests on Ctrl-C or SIGTERM."""
    from calferry.sync.installation import Stopped, Watch

    with stopped_by_signals() as stop, _progress(quiet=quiet) as tell:
        try:
            yield Watch(tell=tell, stopping=stop.is_set)
        except Stopped as stopped:
            raise Stopped(str(stop.number)) from stopped


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[str, int], None]]:
    """Counts per step on standard error; silent when that is not a terminal."""
    if quiet or not sys.stderr.isatty():
        yield lambda _step, _done: None
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed:.0f}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err(), transient=True) as progress:
        tasks = {step: progress.add_task(step, total=None, visible=False) for step in ("pull", "route", "push")}
        yield lambda step, done: progress.update(tasks[step], advance=done, visible=True)
