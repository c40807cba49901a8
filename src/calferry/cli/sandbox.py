"""`calferry sandbox`: the stand-ins of the remote services as a process of their own, to try every command on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from calferry.cli.console import JsonOption, emit, guarded, out, stopped_by_signals
from calferry.errors import ConfigError


@guarded
def sandbox(
    folder: Annotated[
        Path | None, typer.Option(help="Where to put a configuration that leads here; by default one that vanishes.")
    ] = None,
    lasting: Annotated[str, typer.Option("--for", help='How long, such as "10m"; by default until Ctrl-C.')] = "",
    json: JsonOption = False,
) -> int:
    """Start stand-ins of the booking systems and calendars, on this machine alone."""
    from calferry.cli.demo import configure
    from calferry.sandbox import Sandbox
    from calferry.sandbox.scenery import furnish

    seconds = _seconds(lasting)
    with Sandbox() as stands, _home(folder) as home, stopped_by_signals() as stop:
        furnish(stands)
        config = configure(home, stands)
        servers = {
            "agendize": stands.agendize.url,
            "clicrdv": stands.clicrdv.url,
            "valomnia": stands.valomnia.url,
            "google": stands.google.url,
        }
        if json:
            emit({"config": str(config), "servers": servers})
        else:
            _explain(config, servers)
        stop.wait(seconds)
    return 0


def _seconds(lasting: str) -> float | None:
    from calferry.moments import duration

    if not lasting:
        return None
    try:
        return duration(lasting).total_seconds()
    except ValueError as error:
        raise ConfigError([f"--for: {error}"]) from None


@contextmanager
def _home(folder: Path | None) -> Iterator[Path]:
    """The folder for the configuration. Raises ConfigError where there is another one in it."""
    if folder is None:
        with TemporaryDirectory(prefix="calferry-sandbox-") as home:
            yield Path(home)
        return
    if (folder / "calferry.toml").exists():
        raise ConfigError(
            [f"{folder.absolute()} has a configuration already, which stays as it is; name another folder"]
        )
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError([f"{folder.absolute()} cannot be made ({error.strerror}); name another folder"]) from error
    yield folder


def _explain(config: Path, servers: dict[str, str]) -> None:
    console = out()
    console.print("Stand-ins of the remote services, with a made-up clinic. Nothing here leaves this machine.")
    for name, url in servers.items():
        console.print(f"  {name:9} {url}")
    console.print(f"A configuration that leads here: {config}")
    console.print("In another terminal:")
    for command in ("check", "plan", "sync", "status"):
        console.print(f"  calferry {command} -c {config}")
    console.print("Ctrl-C ends it.")
