"""A thread that answers HTTP, beside whatever else the process does."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from calferry.errors import ConfigError

if TYPE_CHECKING:
    from starlette.applications import Starlette

log = logging.getLogger(__name__)

AT_ONCE = 200
"""Requests answered at the same time; more are told to come again."""

LONGEST_HEAD = 16 * 1024
"""Bytes of a request's headers."""

FAREWELL = 5
"""Seconds that requests under way have when the server stops."""


def bind(host: str, port: int, option: str = "web.listen") -> socket.socket:
    """Listen there, as `option` says. Raises ConfigError when it cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        reason = str(error.strerror).partition(" (while")[0]  # Python adds the address, which is said already
        message = f"{option}: {host}:{port} cannot be listened on ({reason}); set it to another place"
        raise ConfigError([message]) from error


def root_of(listening: socket.socket) -> str:
    """The address of what listens there, without a slash at its end."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def serving(app: Starlette, listening: socket.socket, ended: Callable[[], None] = lambda: None) -> Iterator[None]:
    """The application answers there as long as this lasts. Nothing of a request is logged: its path is a secret.

    `ended` is called should it end by itself.
    """
    import uvicorn

    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=AT_ONCE,
        h11_max_incomplete_event_size=LONGEST_HEAD,
        timeout_graceful_shutdown=FAREWELL,
    )
    server = uvicorn.Server(config)

    def answer() -> None:
        try:
            server.run([listening])
        except (Exception, SystemExit) as error:
            log.warning("the web server failed: %s", type(error).__name__)
            log.debug("it failed here", exc_info=error)
        if not server.should_exit:
            ended()

    thread = threading.Thread(target=answer, name="web", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
