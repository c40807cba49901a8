"""Many calls in one request. Vendor page: "Combine multiple HTTP requests using JSON batching"."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from calferry.sandbox.messages import JsonObject, Request, Response

from .errors import GraphError

LIMIT = 20
_METHODS = frozenset({"GET", "POST", "PATCH", "DELETE"})


class Part(NamedTuple):
    """One call of a batch under its id."""

    id: str
    request: Request


def parse(batch: Request) -> list[Part]:
    """The calls of a batch; GraphError(400) for none, too many, doubled ids, and what is no call."""
    try:
        given = json.loads(batch.body)["requests"]
    except (ValueError, KeyError, TypeError):
        raise GraphError(400, "BadRequest", "The batch cannot be read.") from None
    if not isinstance(given, list) or not 0 < len(given) <= LIMIT:
        raise GraphError(400, "BadRequest", f"A batch holds between 1 and {LIMIT} requests.")
    parts = [_part(one, batch) for one in given]
    if len({part.id.lower() for part in parts}) < len(parts):
        raise GraphError(400, "BadRequest", "Ids must differ in more than case.")
    return parts


def perform(parts: list[Part], call: Callable[[Request], Response], *, backwards: bool) -> Response:
    """Perform the calls, each judged by itself; those whose connection is closed are missing from the answer."""
    answers = [(part.id, call(part.request)) for part in (reversed(parts) if backwards else parts)]
    return Response.of_json({"responses": [_told(number, one) for number, one in answers if not one.closed]})


def _part(one: Any, batch: Request) -> Part:
    known = {"id", "method", "url", "headers", "body"}
    if not isinstance(one, dict) or not isinstance(one.get("id"), str) or one.keys() - known:
        raise GraphError(400, "BadRequest", "A request has id, method, url, and perhaps headers and body.")
    verb, url = one.get("method"), one.get("url", "")
    if verb not in _METHODS or not url.startswith("/") or url.startswith("//"):
        raise GraphError(400, "BadRequest", "A request names a method and a url below the version.")
    headers = {name.lower(): value for name, value in one.get("headers", {}).items()}
    if "body" in one and headers.get("content-type") != "application/json":
        raise GraphError(400, "BadRequest", "A body needs its Content-Type.")
    body = json.dumps(one["body"], ensure_ascii=False).encode() if "body" in one else b""
    # The batch's own headers do not reach its requests, but for the token.
    headers |= {"authorization": batch.headers.get("authorization", "")}
    return Part(one["id"], Request.from_target(verb, f"/v1.0{url}", headers, body))


def _told(number: str, response: Response) -> JsonObject:
    typed = {"Content-Type": "application/json"} if response.body else {}
    told: JsonObject = {"id": number, "status": response.status, "headers": typed | dict(response.headers)}
    if response.body:
        try:
            told["body"] = json.loads(response.body)
        except ValueError:
            told["body"] = response.body.decode()
    return told
