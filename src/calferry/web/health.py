"""`/healthz`, `/readyz` and `/metrics`: for whoever watches over the service, on a listener of its own."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from calferry.errors import CalferryError
from calferry.pulse import Pulse
from calferry.sync.installation import Installation
from calferry.web.metrics import CONTENT_TYPE, exposition

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

log = logging.getLogger(__name__)


def application(installation: Installation, pulse: Pulse) -> Starlette:
    """The web application."""
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    def alive(_: Request) -> Response:
        return PlainTextResponse("alive\n")

    def ready(_: Request) -> Response:
        lacking = unready(installation, pulse)
        return PlainTextResponse("".join(f"{line}\n" for line in lacking or ["ready"]), 503 if lacking else 200)

    def metrics(_: Request) -> Response:
        try:
            return PlainTextResponse(exposition(installation, pulse), headers={"Content-Type": CONTENT_TYPE})
        except CalferryError as error:
            log.warning("the metrics could not be told: %s", error)
            return PlainTextResponse("the ledger does not answer\n", 503)

    pages = {"/healthz": alive, "/readyz": ready, "/metrics": metrics}
    return Starlette(routes=[Route(path, page, methods=["GET", "HEAD"]) for path, page in pages.items()])


def unready(installation: Installation, pulse: Pulse) -> list[str]:
    """Why the service is not ready, in lines without an address; none when it is."""
    lacking = [f"{name}: its first round is not over" for name in pulse.never_done()]
    lacking += [f"{name}: past its deadline" for name in pulse.overdue()]
    try:
        installation.ledger.vitals(installation.clock.now())
    except CalferryError:
        lacking.append("the ledger does not answer")
    return lacking
