"""Faults on demand: what a network and a tired remote service do to a client.

A fault is a middleware: it is given a callable that performs the request, and decides whether to call it, and
what to make of the answer. `FaultQueue.add` says which requests it meets, how often and from which one on.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from .messages import JSON_TYPE, JsonObject, Request, Response

Match = Callable[[Request], bool]
Perform = Callable[[], Response]

LOGIN_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><form>Sign in</form></body></html>"


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to go wrong. `effect` gets the request's performer and returns what is answered instead."""

    kind: str
    effect: Callable[[Perform], Response]


@dataclass(slots=True)
class _Armed:
    fault: Fault
    match: Match | None
    times: int | None
    after: int

    def meets(self, request: Request) -> bool:
        if self.times == 0 or (self.match is not None and not self.match(request)):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


class FaultQueue:
    """The faults waiting for requests, tried in the order they were added; a request meets one at most."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault, *, match: Match | None = None, times: int | None = 1, after: int = 0) -> None:
        """Arm a fault for `times` matching requests (None: until `clear`), once `after` of them went well."""
        with self._lock:
            self._armed.append(_Armed(fault, match, times, after))

    def take(self, request: Request) -> Fault | None:
        """The fault this request meets, if any; it is used up by that."""
        with self._lock:
            met = next((armed for armed in self._armed if armed.meets(request)), None)
            self._armed = [armed for armed in self._armed if armed.times != 0]
        return met.fault if met else None

    def clear(self) -> None:
        """Disarm everything."""
        with self._lock:
            self._armed.clear()

    def __len__(self) -> int:
        return len(self._armed)


def matching(path: str = "", method: str | None = None) -> Match:
    """Match requests whose path contains `path` (still percent-encoded), of one method if given."""
    return lambda request: path in request.path and method in (None, request.method)


def status(code: int, *, retry_after: str | int | None = None, body: bytes = b"", performed: bool = False) -> Fault:
    """Answer with a bare status; with `performed`, only after the request has done its work."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}

    def effect(perform: Perform) -> Response:
        if performed:
            perform()
        return Response(code, body, "text/plain", headers)

    return Fault("status", effect)


def lost_reply() -> Fault:
    """Perform the request, then hang up: the client cannot know."""
    return Fault("lost_reply", lambda perform: replace(perform(), closed=True))


def dropped() -> Fault:
    """Hang up before anything was performed: to the client the same as `lost_reply`."""
    return Fault("dropped", lambda _perform: Response(0, closed=True))


def truncated() -> Fault:
    """Perform, then send the headers with the full Content-Length, half of the body, and hang up."""
    return Fault("truncated", lambda perform: replace(perform(), cut=True))


def html() -> Fault:
    """A proxy's sign-in page with status 200, in place of the service."""
    return Fault("html", lambda _perform: Response(200, LOGIN_PAGE, "text/html; charset=utf-8"))


def empty() -> Fault:
    """A listing that has lost its rows but keeps its token, as a healthy service with nothing to tell would answer."""
    return _rewritten("empty", lambda listing: _complete(listing | {"items": []}, keep_token=True))


def partial(*, with_token: bool = True) -> Fault:
    """Half of the rows as though they were all of them, with or without the token of a last page."""

    def halved(listing: JsonObject) -> JsonObject:
        rows = listing.get("items", [])
        return _complete(listing | {"items": rows[: len(rows) // 2]}, keep_token=with_token)

    return _rewritten("partial", halved)


def no_items() -> Fault:
    """A 200 in JSON that has everything but its `items` member."""
    return _rewritten("no_items", lambda listing: {name: part for name, part in listing.items() if name != "items"})


def error_200(message: str = "An internal error occurred") -> Fault:
    """A 200 whose body is an `error` member."""
    content = json.dumps({"error": {"message": message}}).encode()
    return Fault("error_200", lambda _perform: Response(200, content))


def _complete(listing: JsonObject, *, keep_token: bool) -> JsonObject:
    gone = {"nextPageToken"} if keep_token else {"nextPageToken", "nextSyncToken"}
    return {name: part for name, part in listing.items() if name not in gone}


def _rewritten(kind: str, rewrite: Callable[[JsonObject], JsonObject]) -> Fault:
    def effect(perform: Perform) -> Response:
        response = perform()
        content = json.loads(response.body) if (response.content_type or "").startswith("application/json") else None
        if not isinstance(content, dict) or "items" not in content:
            return response  # a refusal, or no listing at all
        return replace(response, body=json.dumps(rewrite(content)).encode(), content_type=JSON_TYPE)

    return Fault(kind, effect)
