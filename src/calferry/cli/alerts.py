"""`calferry alerts`: what is wrong right now, and whether whoever has to hear of it would."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import typer

from calferry.cli.console import ConfigOption, JsonOption, config_path, emit, err, guarded, out
from calferry.errors import CalferryError, ConfigError, Unavailable

if TYPE_CHECKING:
    from calferry.alerts.notice import Notice
    from calferry.config import Settings
    from calferry.sync.installation import Installation

log = logging.getLogger(__name__)

app = typer.Typer(help="What is wrong right now, and who would hear of it.", no_args_is_help=True)


@app.command("list")
@guarded
def list_(config: ConfigOption = None, json: JsonOption = False) -> int:
    """Show what is wrong, since when, and what to do. Tells nobody else."""
    from calferry import wiring
    from calferry.alerts.notice import wrong
    from calferry.sync.troubles import observe

    settings = wiring.settings(config_path(config))
    with wiring.installation(settings) as installation:
        found = [(trouble, wrong(trouble, installation)) for trouble in observe(installation)]
    if json:
        emit({"alerts": [item.as_json() | {"key": trouble.where} for trouble, item in found]})
        return 0
    for trouble, item in found:
        key = f" ({trouble.where})" if item.where.startswith("calendar ") else ""
        out().print(f"{item.what}{key}, since {item.since:%Y-%m-%d %H:%M} UTC. {item.remedy}")
    if not found:
        out().print("Nothing is wrong.")
    return 0


@app.command("test")
@guarded
def send_test(config: ConfigOption = None, json: JsonOption = False) -> int:
    """Send a test by every way that the configuration names."""
    from calferry import wiring

    settings = wiring.settings(config_path(config))
    notice = _sample(settings)
    ways = {channel.name: partial(channel.send, notice) for channel in wiring.channels(settings)}
    if ping := wiring.ping(settings):
        ways["ping"] = partial(ping.send)
    if not ways:
        message = "alerts: names no way; add [alerts.email], [alerts.webhook] or [alerts.ping]"
        raise ConfigError([message])
    results = {name: _problem(send) for name, send in ways.items()}
    if json:
        emit({"sent": {name: not problem for name, problem in results.items()}, "problems": results})
    else:
        for name, problem in results.items():
            (err() if problem else out()).print(problem or f"alerts.{name}: sent")
    return Unavailable.exit_code if any(results.values()) else 0


def _problem(send: Callable[[], None]) -> str:
    try:
        send()
    except CalferryError as error:
        return str(error)
    return ""


def tell_of_trouble(settings: Settings, installation: Installation) -> None:
    """After a pass: what the service does all the time. It stops nothing."""
    from calferry import wiring
    from calferry.alerts.lookout import Lookout

    channels, ping = wiring.channels(settings), wiring.ping(settings)
    if not (channels or ping):
        return
    lookout = Lookout(installation, channels, settings.alerts.in_step)
    try:
        lookout.look()
        if ping and lookout.all_in_step:
            ping.send()
    except CalferryError as error:
        log.warning("%s", error)
    except Exception as error:
        log.warning("nobody could be told of trouble: %s", type(error).__name__)
        log.debug("it failed here", exc_info=error)


def _sample(settings: Settings) -> Notice:
    from calferry import wiring
    from calferry.alerts.notice import Item, Notice
    from calferry.sync.troubles import Kind

    now = wiring.SystemClock().now()
    item = Item(kind=Kind.TEST, where="this is a test", since=now, size=1)
    return Notice(installation=settings.name, at=now, items=(item,))
