"""`calferry sandbox`: the stand-ins of the remote services as a process of their own, to try every command on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from calferry.cli.console import JsonOption, emit, guarded, out, stopped_by_signals
from calferry.errors import ConfigError

if TYPE_CHECKING:
    from calferry.sandbox.server import LoopbackServer


@guarded
def sandbox(
    folder: Annotated[
        Path | None, typer.Option(help="Where to put a configuration that leads here; by default one that vanishes.")
    ] = None,
    port: Annotated[int, typer.Option(help="The first of five ports to take; by default, free ones.")] = 0,
    lasting: Annotated[str, typer.Option("--for", help='How long, such as "10m"; by default until Ctrl-C.')] = "",
    json: JsonOption = False,
) -> int:
    """Start stand-ins of the remote services to try it on."""
    from calferry.cli.stage import set_up
    from calferry.sandbox import Sandbox
    from calferry.sandbox.scenery import furnish

    seconds = _seconds(lasting)
    stands = Sandbox()
    servers = {
        "agendize": stands.agendize,
        "clicrdv": stands.clicrdv,
        "valomnia": stands.valomnia,
        "google": stands.google,
        "microsoft": stands.graph,
    }
    if port:
        _move(servers.values(), port)
    with stands, _home(folder) as home, stopped_by_signals() as stop:
        furnish(stands)
        config = set_up(home, stands)
        urls = {name: server.url for name, server in servers.items()}
        if json:
            emit({"config": str(config), "servers": urls})
        else:
            _explain(config, urls)
        stop.wait(seconds)
    return 0


def _move(servers: Iterable[LoopbackServer], port: int) -> None:
    try:
        for number, server in enumerate(servers, port):
            server.move(number)
    except (OSError, OverflowError) as error:
        raise ConfigError([f"--port: five ports from {port} on cannot be taken ({error}); name another"]) from error


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


def _explain(config: Path, urls: Mapping[str, str]) -> None:
    console = out()
    console.print("Stand-ins of the remote services, with a made-up clinic. Nothing here leaves this machine.")
    for name, url in urls.items():
        console.print(f"  {name:9} {url}")
    console.print(f"A configuration that leads here: {config}")
    console.print("In another terminal:")
    for command in ("check", "plan", "sync", "status"):
        console.print(f"  calferry {command} -c {config}")
    console.print("Ctrl-C ends it.")
