"""Many calls in one request. Vendor page: "Batch requests"."""

from __future__ import annotations

import email.message
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from typing import NamedTuple

from calferry.sandbox.messages import Request, Response

from .errors import CalendarError

BOUNDARY = "batch_sandbox"
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})


class Part(NamedTuple):
    """One call of a batch under its Content-ID, angle brackets stripped; None where it came without."""

    content_id: str | None
    request: Request


def parse(batch: Request, limit: int) -> list[Part]:
    """The calls of a batch; CalendarError(400) for what is no batch, none at all, or more than `limit`."""
    head = email.message.Message()
    head["Content-Type"] = batch.headers.get("content-type", "")
    boundary = head.get_boundary()
    if head.get_content_type() != "multipart/mixed" or not boundary:
        raise CalendarError(400, "badRequest", "The batch must be multipart/mixed with a boundary")
    chunks = batch.body.split(b"--" + boundary.encode())[1:]
    if not chunks or not chunks[-1].startswith(b"--"):
        raise CalendarError(400, "badRequest", "The batch is not closed by its boundary")
    parts = [_part(chunk, batch) for chunk in chunks[:-1]]
    if not 0 < len(parts) <= limit:
        raise CalendarError(400, "badRequest", f"The batch must hold between 1 and {limit} calls, not {len(parts)}")
    return parts


def respond(answers: list[tuple[Part, Response | None]]) -> Response:
    """The multipart answer; parts without an answer are missing from it."""
    chunks = [_chunk(part, response) for part, response in answers if response is not None]
    body = b"".join(f"--{BOUNDARY}\r\n".encode() + chunk for chunk in chunks) + f"--{BOUNDARY}--\r\n".encode()
    return Response(200, body, f"multipart/mixed; boundary={BOUNDARY}")


def perform(
    parts: list[Part], call: Callable[[Request], Response | None], *, backwards: bool
) -> list[tuple[Part, Response | None]]:
    """Perform the calls in an order that is not that of the request unless told so; answers come in that order."""
    return [(part, call(part.request)) for part in (reversed(parts) if backwards else parts)]


def _part(chunk: bytes, batch: Request) -> Part:
    outer, inner = _halves(chunk.removeprefix(b"\r\n").removeprefix(b"\n"))
    envelope = _headers(outer.decode())
    if not envelope.get("content-type", "").startswith("application/http"):
        raise CalendarError(400, "badRequest", "Every part must be application/http")
    head, body = _halves(inner)
    line, _, own = head.decode().partition("\n")
    verb, target = _request_line(line.strip())
    # The outer headers hold for every call, those on the content excepted; a call's own come first.
    inherited = {name: value for name, value in batch.headers.items() if not name.startswith("content-")}
    request = Request.from_target(verb, target, inherited | _headers(own), body.strip())
    return Part(envelope.get("content-id", "").removeprefix("<").removesuffix(">") or None, request)


def _headers(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines() if line.strip())
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _request_line(line: str) -> tuple[str, str]:
    verb, _, rest = line.partition(" ")
    target = rest.split(" ")[0]
    if verb not in _METHODS or not target.startswith("/"):
        raise CalendarError(400, "badRequest", f"A call names a method and a path without a host: {line!r}")
    return verb, target


def _halves(text: bytes) -> tuple[bytes, bytes]:
    """Headers and body, parted by the first empty line, whatever its line ends."""
    ends = [(text.find(mark), mark) for mark in (b"\r\n\r\n", b"\n\n") if mark in text]
    if not ends:
        return text, b""
    at, mark = min(ends)
    return text[:at], text[at + len(mark) :]


def _chunk(part: Part, response: Response) -> bytes:
    """One answer. As the real service's, it has at least one header even where it has no body."""
    dated = replace(response, headers={**response.headers, "Date": formatdate(usegmt=True)})
    lines = ["Content-Type: application/http"]
    if part.content_id is not None:
        lines.append(f"Content-ID: <response-{part.content_id}>")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + dated.head() + dated.body + b"\r\n"
