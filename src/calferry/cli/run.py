"""`calferry run`: the service. Pulls, routes and pushes at their intervals, and serves the feeds beside it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, NoReturn

from calferry.cli.console import UNFORESEEN, ConfigOption, config_path, guarded, stopped_by_signals

if TYPE_CHECKING:
    from calferry.config import WebSettings
    from calferry.sync.installation import Installation

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
        schedule = Schedule(installation, stop)
        serve_feeds(installation, settings.web, stack, ended=stop.set, hurry=schedule.hurry)
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


def serve_feeds(
    installation: Installation,
    web: WebSettings,
    stack: ExitStack,
    ended: Callable[[], None] = lambda: None,
    hurry: Callable[[], None] | None = None,
) -> str:
    """Serve the feeds and the pages, where there are any, as long as the stack stands. Returns the address at which
    they are reached.

    `ended` is called should the server end by itself; `hurry` has everything looked after at once.
    """
    from calferry.web.catalogue import publishers

    if not any(publishers(installation)) and not web.shows_pages:
        return ""
    from calferry.web.feeds import Feeds, application
    from calferry.web.pages.site import build
    from calferry.web.server import bind, root_of, serving

    listening = stack.enter_context(bind(web.host, web.port))
    root = web.url or root_of(listening)
    pages = build(installation, web, root, hurry)
    stack.enter_context(serving(application(Feeds(installation, root), pages), listening, ended))
    log.info("feeds%s are served at %s", " and pages" if pages else "", root_of(listening))
    return root
