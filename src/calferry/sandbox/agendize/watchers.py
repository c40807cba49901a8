"""What the vendor calls when an appointment changes. Vendor pages: "Appointments: watch" of the v2.1 scheduling
reference; "Watchers" and "Watcher Requests" of the v2.3 watchers reference.

Nothing is called by itself: what changes waits until `deliver` sends it, late or at once, as a test has it.
"""

from __future__ import annotations

import base64
import http.client
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlsplit

from calferry.sandbox.messages import JsonObject, Request, Response

from .query import RefusalError
from .rows import Rows
from .world import AgendizeWorld, Appointment

WATCHERS = ("api", "2.3", "watchers")

OBJECT_TYPES = frozenset({"schedulingCompany", "callTracking", "clickToCall"})

WRITABLE = frozenset(
    {
        "address",
        "name",
        "basicAuth",
        "httpRequestHeader",
        "schema",
        "addPreviousData",
        "levelDetails",
        "method",
        "status",
        "oauth2Auth",
        "signature",
    }
)

PATIENCE = 10.0


@dataclass(slots=True)
class WatchSwitches:
    """Where the pages leave a question open. Whether a failed call is made again is one: no page says so, none is."""

    delivery: Literal["once", "twice", "reversed", "lost"] = "once"
    """Whether and in which order waiting calls are made; lost ones are kept in the book without an answer."""

    header: bool = True
    """Whether `httpRequestHeader` is sent."""

    basic: bool = True
    """Whether `basicAuth` is sent."""

    requests: Literal["kept", "missing"] = "kept"
    """Whether the account has a book of its watchers' requests."""

    again: bool = False
    """Whether a call that was not answered with 2xx is made once more."""


@dataclass(slots=True)
class Watcher:
    id: str
    company: str
    asked: JsonObject

    @property
    def address(self) -> str:
        return str(self.asked["address"])

    @property
    def enabled(self) -> bool:
        return bool(self.asked.get("status", "enabled") == "enabled")


@dataclass(frozen=True, slots=True)
class Call:
    """One request to be made."""

    watcher: Watcher
    body: bytes
    event: str
    created: datetime


@dataclass(slots=True)
class Watchers:
    """The watchers of an account, their waiting calls, and the book of those that were made.

    `reached_at` maps the root of an address to where it is on this machine: there is no TLS here.
    """

    world: AgendizeWorld
    rows: Rows
    switches: WatchSwitches = field(default_factory=WatchSwitches)
    reached_at: dict[str, str] = field(default_factory=dict)
    all: dict[str, Watcher] = field(default_factory=dict)
    waiting: list[Call] = field(default_factory=list)
    book: list[JsonObject] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world.listeners.append(self._changed)

    # What can be asked

    def watch(self, request: Request, company: str) -> JsonObject:
        """Watch a company's appointments; returns the watch resource. A second one with the same address is another."""
        try:
            asked = json.loads(request.body)
        except ValueError:
            raise RefusalError(400, "The body is no JSON") from None
        if not isinstance(asked, dict) or not str(asked.get("address", "")).startswith("https://"):
            raise RefusalError(400, "Missing or invalid address", "address")
        if unknown := sorted(asked.keys() - WRITABLE):
            raise RefusalError(400, f"Unknown property: {unknown[0]}", *unknown)
        watcher = Watcher(str(len(self.all) + 501), company, asked)
        while watcher.id in self.all:
            watcher.id = str(int(watcher.id) + 1)
        self.all[watcher.id] = watcher
        return _shown(watcher)

    def answer(self, request: Request) -> Response:
        """List, get and delete watchers; list their requests."""
        match (request.method, *request.segments[len(WATCHERS) :]):
            case ("GET",):
                if request.one("objectType") not in {None, *OBJECT_TYPES}:
                    raise RefusalError(400, "Invalid value for objectType", "objectType")
                return Response.of_json({"items": [_shown(one) for one in self.all.values()]})
            case ("GET", "requests") if self.switches.requests == "kept":
                return Response.of_json({"items": list(self.book)})
            case ("GET", name) if name in self.all:
                return Response.of_json(_shown(self.all[name]))
            case ("DELETE", name) if name in self.all:
                del self.all[name]
                return Response(204, content_type=None)
        raise RefusalError(404, "Unknown watcher")

    # What happens

    def _changed(self, row: Appointment, event: str) -> None:
        said = event if event in {"created", "deleted"} else "updated"
        for watcher in self.all.values():
            if watcher.company == row.company and watcher.enabled:
                now = self.world.now()
                told = self.rows.appointment(row, full=True, fields=()) | {"date": _time(now), "event": said}
                self.waiting.append(Call(watcher, json.dumps(told).encode(), said, now))

    def deliver(self) -> list[int]:
        """Make the waiting calls; returns what they were answered (0: not made, or not answered)."""
        with self.world.lock:
            calls, self.waiting = self.waiting, []
        return [status for call in self._in_order(calls) for status in self._made(call)]

    def _in_order(self, calls: list[Call]) -> list[Call]:
        if self.switches.delivery == "twice":
            return [call for call in calls for _ in range(2)]
        return calls[::-1] if self.switches.delivery == "reversed" else calls

    def _made(self, call: Call) -> Iterator[int]:
        for _ in range(2 if self.switches.again else 1):
            status = 0 if self.switches.delivery == "lost" else self.send(call.watcher, call.body)
            self._note(call, status)
            yield status
            if 200 <= status < 300:  # noqa: PLR2004 (RFC 9110, section 15.3)
                return

    def send(self, watcher: Watcher, body: bytes, more: Mapping[str, str] | None = None) -> int:
        """Call a watcher's address with that body, and headers beside its own. The status; 0 without an answer."""
        parts = urlsplit(watcher.address)
        place = urlsplit(self.reached_at.get(f"{parts.scheme}://{parts.netloc}", watcher.address))
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=PATIENCE)
        headers = {"Content-Type": "application/json; charset=UTF-8"} | self._credentials(watcher) | dict(more or {})
        try:
            connection.request(watcher.asked.get("method", "POST"), parts.path, body, headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def _credentials(self, watcher: Watcher) -> dict[str, str]:
        sent = dict(watcher.asked.get("httpRequestHeader", {})) if self.switches.header else {}
        basic = watcher.asked.get("basicAuth")
        if basic and self.switches.basic:
            pair = f"{basic['username']}:{basic['password']}".encode()
            sent["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        return sent

    def _note(self, call: Call, status: int) -> None:
        watcher = {"id": call.watcher.id, "address": call.watcher.address, "objectType": "schedulingCompany"}
        row: JsonObject = {
            "id": secrets.token_hex(8),
            "request": {"body": call.body.decode(), "address": call.watcher.address},
            "response": {"statusCode": status} if status else {"errorMessage": "no answer"},
            "watcher": watcher,
            "created": _time(call.created),
            "objectEvent": call.event,
        }
        self.book.append(row)


def _shown(watcher: Watcher) -> JsonObject:
    owner = {"type": "schedulingCompany", "id": watcher.company}
    return {"id": watcher.id, "status": "enabled", **watcher.asked, "objectOwner": owner}


def _time(moment: datetime) -> JsonObject:
    return {"dateTime": moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds"), "timeZone": "UTC"}
