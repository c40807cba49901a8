"""`calferry run`: the service. Pulls, routes and pushes at their intervals, and serves the feeds beside it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from calferry.cli.console import UNFORESEEN, ConfigOption, Stop, config_path, guarded, stopped_by_signals
from calferry.cli.logs import Form, arrange
from calferry.cli.supervisor import Supervisor

if TYPE_CHECKING:
    from calferry.config import Settings, WebSettings
    from calferry.schedule import Chore, Schedule
    from calferry.sync.installation import Installation
    from calferry.web.hooks import Door

log = logging.getLogger(__name__)

BEAT = 5.0
"""Seconds between two looks at the clock."""


LOOK_EVERY = timedelta(minutes=1)
"""How often the service looks whether something is wrong."""

TRIM_EVERY = timedelta(days=1)


@guarded
def run(
    config: ConfigOption = None,
    log_form: Annotated[
        Form,
        typer.Option("--log", envvar="CALFERRY_LOG", help="How to log; auto: text on a terminal, else JSON lines."),
    ] = Form.AUTO,
) -> int:
    """Carry over what changes, and serve the feeds, until told to stop."""
    from calferry import wiring
    from calferry.schedule import Schedule

    arrange(log_form)
    settings = wiring.settings(config_path(config))
    with stopped_by_signals() as stop, wiring.installation(settings) as installation, ExitStack() as stack:
        stack.enter_context(attended(installation))
        schedule = Schedule(installation, stop, chores(settings, installation))
        calls = doors(settings, installation)
        serve_feeds(installation, settings.web, stack, ended=stop.set, doors=calls, hurry=schedule.hurry)
        serve_health(installation, schedule, settings.web, stack, ended=stop.set)
        schedule.start()
        log.info("calferry runs: %d sources, %d targets", len(installation.accounts), len(installation.targets))
        supervisor = Supervisor()
        supervisor.ready()
        attend(schedule, stop, supervisor)
        supervisor.stopping()
        log.info("calferry stops")
        code = 0 if stop.number else UNFORESEEN  # systemd starts what failed again
        if not schedule.stop():
            _leave(stack, code)
    return code


def chores(settings: Settings, installation: Installation) -> list[Chore]:
    """What the service does beside its steps."""
    from calferry import wiring
    from calferry.alerts.channels import Log
    from calferry.alerts.lookout import Lookout
    from calferry.schedule import Chore

    lookout = Lookout(installation, [Log(), *wiring.channels(settings)], settings.alerts.in_step)
    found = [
        Chore(name="alerts", every=LOOK_EVERY, do=lookout.look),
        Chore(name="trim", every=TRIM_EVERY, do=partial(trim, installation, settings.keep)),
    ]
    if ping := wiring.ping(settings):
        found.append(Chore(name="ping", every=ping.every, do=lambda: ping.send() if lookout.all_in_step else None))
    return found


def trim(installation: Installation, keep: timedelta) -> None:
    """Forget what happened longer ago than `keep`."""
    if forgotten := installation.ledger.trim(installation.clock.now() - keep):
        log.info("%d rows of the journal were old enough to be forgotten", forgotten)


def attend(schedule: Schedule, stop: Stop, supervisor: Supervisor) -> None:
    """Until told to stop, see to it that the schedule goes on, and say so while no job is past its deadline."""
    overdue: list[str] = []
    beat = min(BEAT, supervisor.patience / 3) if supervisor.patience else BEAT
    while not stop.wait(beat):
        schedule.mind_the_clock()
        before, overdue = overdue, schedule.pulse.overdue()
        if overdue and overdue != before:
            log.error("past their deadline: %s", ", ".join(overdue))
        if not overdue:
            supervisor.alive()


def _leave(stack: ExitStack, code: int) -> NoReturn:
    """End the process though a step still waits for an answer. Nothing is lost, as nothing is when it is killed."""
    log.warning("a remote service still owes an answer; what was asked of it is asked again by the next run")
    stack.close()
    logging.shutdown()
    os._exit(code)


def serve_health(
    installation: Installation, schedule: Schedule, web: WebSettings, stack: ExitStack, ended: Callable[[], None]
) -> None:
    """Tell how the service fares, where the file says where, as long as the stack stands."""
    if web.health is None:
        return
    from calferry.web.health import application
    from calferry.web.server import bind, root_of, serving

    listening = stack.enter_context(bind(*web.health, option="web.health"))
    stack.enter_context(serving(application(installation, schedule.pulse), listening, ended))
    log.info("health is told at %s", root_of(listening))


def attended(installation: Installation) -> AbstractContextManager[None]:
    """As long as this lasts, others can tell that a service is running."""
    from calferry.store import SqlLedger

    ledger = installation.ledger
    return ledger.attended() if isinstance(ledger, SqlLedger) else nullcontext()


def doors(settings: Settings, installation: Installation) -> list[Door]:
    """Where booking systems may call: the accounts that can, where the file says that we can be reached."""
    from calferry.ports import Hooked
    from calferry.web.hooks import Door
    from calferry.wiring import register_of

    if not settings.web.url.startswith("https:"):
        return []
    sources = [account.source for account in installation.accounts]
    return [Door(one.key, one, register_of(settings, one)) for one in sources if isinstance(one, Hooked)]


def serve_feeds(
    installation: Installation,
    web: WebSettings,
    stack: ExitStack,
    ended: Callable[[], None] = lambda: None,
    doors: Sequence[Door] = (),
    hurry: Callable[[], None] | None = None,
) -> str:
    """Serve the feeds and the pages, where there are any, and answer at the doors, as long as the stack stands. Returns
    the address at which they are reached.

    `ended` is called should the server end by itself; `hurry` has everything looked after at once.
    """
    from calferry.web.catalogue import publishers

    if not any(publishers(installation)) and not doors and not web.shows_pages:
        return ""
    from calferry.web.feeds import Feeds, application
    from calferry.web.hooks import route
    from calferry.web.pages.site import build
    from calferry.web.peers import Proxies
    from calferry.web.server import bind, root_of, serving

    listening = stack.enter_context(bind(web.host, web.port))
    root = web.url or root_of(listening)
    pages = build(installation, web, root, hurry)
    app = application(Feeds(installation, root), pages)
    if doors:
        app.router.routes.insert(0, route(installation, doors, Proxies(web.trusted_proxies)))
    stack.enter_context(serving(app, listening, ended))
    told = {"feeds are served": any(publishers(installation)), "pages are served": pages, "calls are heard": doors}
    for what, is_so in told.items():
        if is_so:
            log.info("%s at %s", what, root_of(listening))
    return root
