"""The command line: one file a command group. Whatever is heavy is imported by the command that needs it."""

from __future__ import annotations

from typing import Annotated

import typer

from calferry import __version__
from calferry.cli import (
    adopt,
    check,
    connect,
    db,
    deletions,
    demo,
    erase,
    explain,
    feeds,
    password,
    pause,
    remove,
    run,
    status,
    sync,
    verify,
)

app = typer.Typer(
    help="Ferries appointments from booking systems into the calendars people live in.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.demo)
app.command("check")(check.check)
app.command("connect")(connect.connect)
app.command("plan")(sync.plan)
app.command("sync")(sync.sync)
app.command("run")(run.run)
app.command("status")(status.status)
app.command("explain")(explain.explain)
app.command("pause")(pause.pause)
app.command("resume")(pause.resume)
app.command("password")(password.password)
app.command("adopt")(adopt.adopt)
app.command("verify")(verify.verify)
app.command("remove")(remove.remove)
app.command("erase")(erase.erase)
app.add_typer(deletions.app, name="deletions")
app.add_typer(db.app, name="db")
app.add_typer(feeds.app, name="feeds")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"calferry {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more about what is done.")] = False,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    import logging

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("stamina").setLevel(logging.ERROR)  # that one request was tried again is no news
    logging.getLogger("calferry").setLevel(logging.INFO if verbose else logging.WARNING)


def main() -> None:
    """The installed command."""
    app()
