"""What a booking system that calls is answered. A call is a hint: of all it says, only an appointment's id is read.

Whoever has not the address, or not what has to come with it, is told nothing: not even that there is such an address.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from calferry.errors import CalferryError
from calferry.hooks import PATH, Register
from calferry.ports import Hooked, Proof
from calferry.sync.installation import Installation
from calferry.web.peers import Proxies, Quota

if TYPE_CHECKING:
    from starlette.datastructures import Headers
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

log = logging.getLogger(__name__)

LONGEST = 64 * 1024
"""Bytes of a call."""

LONGEST_ID = 200

IN_TIME = 10.0
"""Seconds within which a call has to be here whole."""

CALLS = 600
"""Calls a minute that are put up with from one booking account; those beyond are found by the next pull."""

FORGED = 30
"""Requests a minute that are no calls, from one peer, before it is told to come back later."""

SECRET_HEADER = "x-calferry-secret"  # noqa: S105 (the name of a header)

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

NOBODY = Proof(header="", user="", password="")


@dataclass(frozen=True)
class Door:
    """Where one account's calls arrive."""

    key: str
    source: Hooked
    register: Register


class Doors:
    """All of an installation. The files are read each time: a hook is registered while the service runs."""

    def __init__(self, doors: Sequence[Door]) -> None:
        self._doors = doors

    def opened(self, token: str, headers: Headers) -> Door | None:
        """The door that this token and these headers open. As much is compared whichever is wrong."""
        found, proof = None, NOBODY
        for door in self._doors:
            known = door.register.read()
            if known is not None and _same(known.token, token):
                found, proof = door, known.proof
        return found if _is_proven(headers, proof) and found else None


def _is_proven(headers: Headers, proof: Proof) -> bool:
    """Whether a call brings the header, or user and password, and nothing of it that is wrong."""
    basic = "Basic " + base64.b64encode(f"{proof.user}:{proof.password}".encode()).decode()
    given = {proof.header: headers.get(SECRET_HEADER), basic: headers.get("authorization")}
    right = [_same(wanted, said or "") for wanted, said in given.items()]
    wrong = [said is not None and not same for same, said in zip(right, given.values(), strict=True)]
    return any(right) and not any(wrong) and bool(proof.header)


def _same(wanted: str, said: str) -> bool:
    return compare_digest(wanted.encode(), said.encode("utf-8", "replace"))


def route(installation: Installation, doors: Sequence[Door], proxies: Proxies) -> Route:
    """Where calls arrive, for a web application."""
    from starlette.concurrency import run_in_threadpool
    from starlette.routing import Route

    opening, forged, calls = Doors(doors), Quota(FORGED), Quota(CALLS)

    async def answer(request: Request) -> Response:
        peer = proxies.peer(request.client.host if request.client else "", request.headers.get("x-forwarded-for", ""))
        door = await run_in_threadpool(_opened, opening, request)
        if door and calls.is_spent(door.key):
            return _later()
        name = _named(door, request.headers, await _body(request)) if door else ""
        if not (door and name):
            spent = forged.is_spent(peer)
            forged.count(peer)
            return _later() if spent else _nothing()
        calls.count(door.key)
        return await run_in_threadpool(_noted, installation, door.key, name)

    return Route(f"{PATH}{{token}}", answer, methods=METHODS)


def _opened(doors: Doors, request: Request) -> Door | None:
    try:
        door = doors.opened(request.path_params["token"], request.headers)
    except CalferryError as error:
        log.warning("a call could not be answered: %s", error)
        return None
    return door if request.method == "POST" else None


async def _body(request: Request) -> bytes:
    """The body; empty where it is too long, or does not come in time."""
    from starlette.requests import ClientDisconnect

    body = bytearray()
    try:
        async with asyncio.timeout(IN_TIME):
            async for part in request.stream():
                body += part
                if len(body) > LONGEST:
                    return b""
    except (TimeoutError, ClientDisconnect):
        return b""
    return bytes(body)


def _named(door: Door, headers: Headers, body: bytes) -> str:
    """The id in a call; empty where there is none that could be one."""
    name = door.source.told_of(_content(headers.get("content-type", "application/json"), body))
    return name if len(name) <= LONGEST_ID and name.isprintable() else ""


def _content(content_type: str, body: bytes) -> Mapping[str, object]:
    """JSON, or a form."""
    kind = content_type.partition(";")[0].strip().lower()
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("latin-1")
    try:
        if kind == "application/x-www-form-urlencoded":
            return dict(parse_qsl(text, max_num_fields=200))
        content = json.loads(text) if kind == "application/json" or kind.endswith("+json") else None
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _noted(installation: Installation, key: str, name: str) -> Response:
    """Answered once it is on disk, and never later: who looks it up is the service."""
    from starlette.responses import PlainTextResponse, Response

    try:
        installation.ledger.nudges.nudge(key, [name], installation.clock.now())
    except CalferryError as error:
        log.warning("a call could not be kept: %s", error)
        return PlainTextResponse("Service Unavailable", 503, {"Retry-After": "60"})
    return Response(None, 204)


def _nothing() -> Response:
    """As for any path that leads nowhere."""
    from starlette.responses import PlainTextResponse

    return PlainTextResponse("Not Found", 404)


def _later() -> Response:
    from starlette.responses import PlainTextResponse

    return PlainTextResponse("Too Many Requests", 429, {"Retry-After": "60"})
