"""`calferry run`: the service. Pulls, routes and pushes at their intervals, and serves the feeds beside it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import TYPE_CHECKING, NoReturn

from calferry.cli.console import UNFORESEEN, ConfigOption, config_path, guarded, stopped_by_signals

if TYPE_CHECKING:
    from calferry.config import Settings, WebSettings
    from calferry.sync.installation import Installation
    from calferry.web.hooks import Door

log = logging.getLogger(__name__)


@guarded
def run(config: ConfigOption = None) -> int:
    """Carry over what changes, and serve the feeds, until told to stop."""
    from calferry import wiring
    from calferry.schedule import Schedule

    logging.getLogger("calferry").setLevel(logging.INFO)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # that a step is still at it is no news
    settings = wiring.settings(config_path(config))
    with stopped_by_signals() as stop, wiring.installation(settings) as installation, ExitStack() as stack:
        stack.enter_context(attended(installation))
        serve_feeds(installation, settings.web, stack, ended=stop.set, doors=doors(settings, installation))
        schedule = Schedule(installation, stop)
        schedule.start()
        log.info("calferry runs: %d sources, %d targets", len(installation.accounts), len(installation.targets))
        stop.wait()
        log.info("calferry stops")
        code = 0 if stop.number else UNFORESEEN  # systemd starts what failed again
        if not schedule.stop():
            _leave(stack, code)
    return code


def _leave(stack: ExitStack, code: int) -> NoReturn:
    """End the process though a step still waits for an answer. Nothing is lost, as nothing is when it is killed."""
    log.warning("a remote service still owes an answer; what was asked of it is asked again by the next run")
    stack.close()
    logging.shutdown()
    os._exit(code)


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
) -> str:
    """Serve the feeds, where there are any, and answer at the doors, as long as the stack stands. Returns the address
    subscribers reach.

    `ended` is called should the server end by itself.
    """
    from calferry.web.catalogue import publishers

    if not any(publishers(installation)) and not doors:
        return ""
    from calferry.web.feeds import Feeds, application
    from calferry.web.hooks import route
    from calferry.web.peers import Proxies
    from calferry.web.server import bind, root_of, serving

    listening = stack.enter_context(bind(web.host, web.port))
    root = web.url or root_of(listening)
    app = application(Feeds(installation, root))
    if doors:
        app.router.routes.append(route(installation, doors, Proxies(web.trusted_proxies)))
    stack.enter_context(serving(app, listening, ended))
    log.info("%s at %s", "feeds are served" if any(publishers(installation)) else "calls are heard", root_of(listening))
    return root
