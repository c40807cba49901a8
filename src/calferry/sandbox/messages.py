"""Requests and answers as values, shared by the server base, the faults and the stand-ins."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

JsonObject = dict[str, Any]

JSON_TYPE = "application/json; charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived: header names in lower case, query values decoded, path still percent-encoded."""

    method: str
    path: str
    query: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def from_target(cls, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Request:
        """Build a request from its request line's target (`/path?query`)."""
        parts = urlsplit(target)
        query = {name: tuple(values) for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        return cls(method, parts.path, query, {name.lower(): value for name, value in headers.items()}, body)

    @property
    def segments(self) -> tuple[str, ...]:
        """The path's segments, percent-decoded one by one (an id may hold a slash)."""
        return tuple(unquote(segment) for segment in self.path.split("/") if segment)

    def one(self, name: str) -> str | None:
        """The last value of a query parameter, or None."""
        values = self.query.get(name)
        return values[-1] if values else None


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. `cut` sends the full Content-Length but half of the body; `closed` sends nothing at all."""

    status: int
    body: bytes = b""
    content_type: str | None = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    closed: bool = False

    @classmethod
    def of_json(cls, content: JsonObject, status: int = 200, **headers: str) -> Response:
        """A JSON answer in UTF-8; keyword names become header names with dashes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status, json.dumps(content, ensure_ascii=False).encode(), headers=named)

    def head(self) -> bytes:
        """Status line and headers with the closing empty line."""
        lines = [f"HTTP/1.1 {self.status} {reason(self.status)}"]
        if self.content_type is not None:
            lines.append(f"Content-Type: {self.content_type}")
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.status != HTTPStatus.NO_CONTENT:
            lines.append(f"Content-Length: {len(self.body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One line of the request log; `status` is 0 where the connection was closed without an answer."""

    method: str
    path: str
    query: Mapping[str, tuple[str, ...]]
    status: int


def reason(status: int) -> str:
    """The reason phrase of a status, or a plain word for unregistered ones."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Status"
