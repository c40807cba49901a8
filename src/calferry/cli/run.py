"""`calferry run`: the service. Pulls, routes and pushes at their intervals, and serves the feeds beside it."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from calferry.cli.console import ConfigOption, config_path, guarded

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
    with stopped_by_signals() as stopping, wiring.installation(settings) as installation, ExitStack() as stack:
        serve_feeds(installation, settings.web, stack)
        schedule = Schedule(installation, stopping)
        schedule.start()
        log.info("calferry runs: %d sources, %d targets", len(installation.accounts), len(installation.targets))
        stopping.wait()
        log.info("calferry stops")
        if not schedule.stop():
            _leave(stack)
    return 0


def _leave(stack: ExitStack) -> NoReturn:
    """End the process though a step still waits for an answer. Nothing is lost, as nothing is when it is killed."""
    log.warning("a remote service still owes an answer; what was asked of it is asked again by the next run")
    stack.close()
    logging.shutdown()
    os._exit(0)


def serve_feeds(installation: Installation, web: WebSettings, stack: ExitStack) -> str:
    """Serve the feeds, where there are any, as long as the stack stands. Returns the address subscribers reach."""
    from calferry.web.catalogue import publishers

    if not any(publishers(installation)):
        return ""
    from calferry.web.feeds import Feeds, application
    from calferry.web.server import bind, root_of, serving

    listening = stack.enter_context(bind(web.host, web.port))
    root = web.url or root_of(listening)
    stack.enter_context(serving(application(Feeds(installation, root)), listening))
    log.info("feeds are served at %s", root_of(listening))
    return root


@contextmanager
def stopped_by_signals() -> Iterator[Event]:
    """Set on Ctrl-C or SIGTERM. A second one ends the process at once, which loses nothing either."""
    stopping = Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        if stopping.is_set():
            raise KeyboardInterrupt
        stopping.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
