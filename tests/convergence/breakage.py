"""Everything that can go wrong between calferry and the remote services, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from calferry.sandbox import Sandbox, faults
from calferry.sandbox.faults import Fault, FaultQueue, Match
from calferry.sandbox.google import part_missing, part_status, rate_limited
from calferry.sandbox.messages import Request

Where = Literal["agendize", "google", "part"]

NETWORK: Mapping[str, Callable[[], Fault]] = {
    "lost reply": faults.lost_reply,
    "dropped": faults.dropped,
    "truncated": faults.truncated,
    "a sign-in page": faults.html,
    "empty": faults.empty,
    "half, with a token": faults.partial,
    "half, without": lambda: faults.partial(with_token=False),
    "no items": faults.no_items,
    "an error with 200": faults.error_200,
    "401": lambda: faults.status(401),
    "403": lambda: faults.status(403),
    "404": lambda: faults.status(404),
    "429": lambda: faults.status(429, retry_after=30),
    "500": lambda: faults.status(500),
    "500 though done": lambda: faults.status(500, performed=True),
    "503 for an hour": lambda: faults.status(503, retry_after=3600),
}
PARTS: Mapping[str, Callable[[], Fault]] = {
    "missing though done": part_missing,
    "missing": lambda: part_missing(performed=False),
    "rate limited": rate_limited,
    "rate limited, 429": lambda: rate_limited(429),
    "quota": lambda: part_status(403, "quotaExceeded"),
    "400": lambda: part_status(400, "invalid"),
    "401": lambda: part_status(401, "authError"),
    "403": lambda: part_status(403, "forbidden"),
    "409": lambda: part_status(409, "conflict"),
    "500": lambda: part_status(500, "backendError"),
    "503 though done": lambda: part_status(503, "backendError", performed=True),
}
"""What a call in a batch is answered. A false "not there" (404, 410) is a lie that nobody can tell from the truth."""

KINDS: Mapping[Where, Mapping[str, Callable[[], Fault]]] = {"agendize": NETWORK, "google": NETWORK, "part": PARTS}

BREAKAGES: tuple[tuple[Where, str], ...] = tuple((where, kind) for where, kinds in KINDS.items() for kind in kinds)


def queue(sandbox: Sandbox, where: Where) -> FaultQueue:
    return {
        "agendize": sandbox.agendize.faults,
        "google": sandbox.google.faults,
        "part": sandbox.google.part_faults,
    }[where]


def break_next(sandbox: Sandbox, where: Where, kind: str, *, times: int, after: int) -> None:
    """Arm a fault for the next requests."""
    match: Match | None = _no_look_up if (where, kind) == ("agendize", "404") else None
    queue(sandbox, where).add(KINDS[where][kind](), match=match, times=times, after=after)


def mend(sandbox: Sandbox) -> None:
    for where in KINDS:
        queue(sandbox, where).clear()


def broken(sandbox: Sandbox) -> bool:
    """Whether a fault still waits for its request."""
    return any(len(queue(sandbox, where)) for where in KINDS)


def _no_look_up(request: Request) -> bool:
    """A false not-found for one appointment, while others are found, is a lie that nobody can tell from the truth."""
    return not request.path.rsplit("/", 1)[-1].isdigit()
