"""The command line: one file a command group. Whatever is heavy is imported by the command that needs it."""

from __future__ import annotations

from typing import Annotated

import typer

from calferry import __version__
from calferry.cli import (
    adopt,
    alerts,
    check,
    connect,
    db,
    deletions,
    demo,
    erase,
    explain,
    feeds,
    hooks,
    init,
    password,
    pause,
    remove,
    run,
    sandbox,
    status,
    sync,
    verify,
)
from calferry.cli.examples import epilog

app = typer.Typer(
    help="Ferries appointments from booking systems into the calendars people live in.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("demo", epilog=epilog("demo"))(demo.demo)
app.command("sandbox", epilog=epilog("sandbox"))(sandbox.sandbox)
app.command("init", epilog=epilog("init"))(init.init)
app.command("check", epilog=epilog("check"))(check.check)
app.command("connect", epilog=epilog("connect"))(connect.connect)
app.command("plan", epilog=epilog("plan"))(sync.plan)
app.command("sync", epilog=epilog("sync"))(sync.sync)
app.command("run", epilog=epilog("run"))(run.run)
app.command("status", epilog=epilog("status"))(status.status)
app.command("explain", epilog=epilog("explain"))(explain.explain)
app.command("pause", epilog=epilog("pause"))(pause.pause)
app.command("resume", epilog=epilog("resume"))(pause.resume)
app.command("password", epilog=epilog("password"))(password.password)
app.command("adopt", epilog=epilog("adopt"))(adopt.adopt)
app.command("verify", epilog=epilog("verify"))(verify.verify)
app.command("remove", epilog=epilog("remove"))(remove.remove)
app.command("erase", epilog=epilog("erase"))(erase.erase)
for _name, _group in {
    "alerts": alerts.app,
    "deletions": deletions.app,
    "db": db.app,
    "feeds": feeds.app,
    "hooks": hooks.app,
}.items():
    for _command in _group.registered_commands:
        _command.epilog = epilog(f"{_name} {_command.name}")
    app.add_typer(_group, name=_name, epilog=epilog(_name))


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
