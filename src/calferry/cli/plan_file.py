"""`calferry plan --out FILE` and `calferry sync --plan FILE`: a plan is kept in a file, and carried out."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from calferry.cli.console import config_path, emit, out, show_errors, watched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from calferry.plan import Plan
    from calferry.sync.applying import Applied
    from calferry.sync.installation import Installation
    from calferry.sync.plan_file import Item

OutOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write the plan to FILE as well, for `calferry sync --plan FILE`."),
]
PlanOption = Annotated[
    Path | None,
    typer.Option(
        "--plan",
        metavar="FILE",
        help="Pull nothing; make exactly the changes of this plan (see `calferry plan --out`) that still hold.",
    ),
]


def check_room(file: Path) -> None:
    """No file is replaced: it might be another's. Raises UnusablePlan."""
    from calferry.sync.plan_file import UnusablePlan

    if os.path.lexists(file):
        message = f"{file}: there is such a file already, and no plan is written over it; name another one"
        raise UnusablePlan(message)


def write_file(file: Path, installation: Installation, plans: Iterable[Plan]) -> None:
    """All changes of the plans, in a file for its owner's eyes: it shows the titles of events. Raises UnusablePlan."""
    from calferry.sync.plan_file import UnusablePlan, item_of, text

    items = [item_of(change) for plan in plans for change in plan.changes]
    ledger, now = installation.ledger, installation.clock.now()
    content = text(items, installation=installation.name, ledger=ledger.id, made_at=now)
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
            opened.write(content)
    except OSError as error:
        message = f"{file}: the plan cannot be written ({error.strerror}); name another place"
        raise UnusablePlan(message) from error


def show_file(console: Console, file: Path, plans: Iterable[Plan]) -> None:
    changes = sum(len(plan.changes) for plan in plans)
    console.print(f"{file}: {changes} changes, with the titles of events; `calferry sync --plan {file}` makes them.")


def applied(file: Path, config: Path | None, *, json: bool) -> int:
    """Carry out a plan. Returns the exit code. Raises UnusablePlan where the file is none."""
    from calferry import wiring
    from calferry.sync.applying import apply
    from calferry.sync.plan_file import UnusablePlan, read

    try:
        with wiring.installation(wiring.settings(config_path(config))) as installation, watched() as watch:
            items = read(_content(file), installation=installation.name, ledger=installation.ledger.id)
            done = apply(installation, items, watch)
    except UnusablePlan as error:
        message = f"{file}: {error}"
        raise UnusablePlan(message) from error
    if json:
        emit(_document(done))
    else:
        _show(out(), done)
        show_errors(done.pushed.errors)
    return done.exit_code


def _content(file: Path) -> bytes:
    from calferry.sync.plan_file import UnusablePlan

    try:
        return file.read_bytes()
    except OSError as error:
        message = f"it cannot be read ({error.strerror}); nothing is changed"
        raise UnusablePlan(message) from error


def _show(console: Console, done: Applied) -> None:
    number = len(done.applied) + len(done.left)
    before = f", {len(done.already)} done before" if done.already else ""
    console.print(f"calendars: {len(done.applied)} of {number} changes made{before}")
    for item, reason in done.left.items():
        console.print(f"left: {item.action} {item.calendar} {item.uid}: {reason}", style="yellow")


def _document(done: Applied) -> dict[str, Any]:
    from calferry.cli.sync import tally_json

    return {
        "applied": _items(done.applied),
        "already_done": _items(done.already),
        "left": [_item(item) | {"reason": reason} for item, reason in done.left.items()],
        "pushed": tally_json(done.pushed),
        "exit": done.exit_code,
    }


def _items(items: Sequence[Item]) -> list[dict[str, Any]]:
    return [_item(item) for item in items]


def _item(item: Item) -> dict[str, Any]:
    return {"calendar": item.calendar, "uid": item.uid, "action": item.action}
