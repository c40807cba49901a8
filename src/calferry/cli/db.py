"""`calferry db`: copy the ledger, put a copy back, look it over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from calferry.cli.console import ConfigOption, JsonOption, config_path, emit, guarded, out

if TYPE_CHECKING:
    from calferry.store.condition import Condition
    from calferry.store.copies import Copy

app = typer.Typer(help="Copy the ledger, put a copy back, look it over.", no_args_is_help=True)

UNSOUND = 1
"""Exit code of `check` where something has to be mended."""


@app.command("backup")
@guarded
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes.")],
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it exists.")] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Copy the ledger into a file, while it is in use or not."""
    from calferry import wiring
    from calferry.store.copies import back_up

    copy = back_up(wiring.settings(config_path(config)).database, file, force=force)
    if json:
        emit(_document(copy))
    else:
        out().print(f"{copy.file}: {_size(copy.size)}, {_contents(copy)}")
        out().print("It holds customers' names and addresses: keep it as safe as the ledger. Keys and secrets of the")
        out().print("configuration are not in it, nor are the addresses of feeds: they follow from the feeds' secret.")
    return 0


@app.command("restore")
@guarded
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The copy.")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Put a copy in the place of the ledger. The ledger that is there now is kept beside it."""
    from calferry import wiring
    from calferry.store.copies import restore as put_back

    settings = wiring.settings(config_path(config))
    copy = put_back(settings.database, settings.name, file, wiring.SystemClock().now())
    if json:
        emit(_document(copy))
    else:
        out().print(f"{copy.file}: {_size(copy.size)}, {_contents(copy)}")
        if copy.kept:
            out().print(f"The ledger that was there is {copy.kept} now.")
        out().print("The next pass reads what stands in each calendar before it writes there.")
    return 0


@app.command("check")
@guarded
def check(config: ConfigOption = None, json: JsonOption = False) -> int:
    """Look the ledger over: its file, its tables, the room it has."""
    from calferry import wiring
    from calferry.store.condition import look_over

    settings = wiring.settings(config_path(config))
    condition = look_over(settings.database, settings.name)
    if json:
        emit(_condition_document(condition))
    else:
        _show(condition)
    return UNSOUND if condition.troubles else 0


def _show(condition: Condition) -> None:
    console, ledger = out(), condition.ledger
    console.print(f"{ledger.file}: {_size(ledger.size)}, {_contents(ledger)}; {_size(condition.free)} free")
    for line in condition.troubles:
        console.print(line, style="red")
    for line in condition.notes:
        console.print(line)
    if not condition.troubles:
        console.print("The ledger is sound.")


def _contents(copy: Copy) -> str:
    places = f"{copy.rows.get('appointments', 0)} appointments, {copy.rows.get('placements', 0)} placements"
    return f"{copy.total} rows ({places}), tables of version {copy.version}"


def _size(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"


def _document(copy: Copy) -> dict[str, Any]:
    return {
        "file": copy.file,
        "installation": copy.installation,
        "ledger": copy.ledger,
        "version": copy.version,
        "size": copy.size,
        "rows": dict(copy.rows),
        "kept": copy.kept,
    }


def _condition_document(condition: Condition) -> dict[str, Any]:
    return _document(condition.ledger) | {
        "free": condition.free,
        "troubles": list(condition.troubles),
        "notes": list(condition.notes),
    }
