"""Microsoft Graph over HTTPS: dispatch, access control, batches."""

from __future__ import annotations

import json
import tempfile
import threading
from collections import Counter
from pathlib import Path
from typing import Literal

from calferry.sandbox.faults import FaultQueue
from calferry.sandbox.messages import JsonObject, Request, Response
from calferry.sandbox.server import LoopbackServer

from . import batch, listing
from .access import Asked
from .certificates import authority, server_context
from .errors import GraphError, throttled
from .events import Events, Place
from .oauth import TokenDesk
from .switches import GraphSwitches
from .world import GraphWorld

Kind = Literal["discovery", "token", "batch", "single"]

BATCH_PATH = "/v1.0/$batch"


class GraphServer(LoopbackServer):
    """Sign-in, batches and single calls of one tenant, over TLS with an authority of its own.

    `faults` meet HTTP requests; `part_faults` meet the calls within batches, one by one. `most_at_once` is the largest
    number of requests that were under way for one mailbox, `ca_file` a PEM file of the authority.
    """

    def __init__(self, world: GraphWorld | None = None, switches: GraphSwitches | None = None) -> None:
        self.world = world or GraphWorld()
        self.switches = switches or GraphSwitches()
        self.part_faults = FaultQueue()
        self.most_at_once = 0
        self._under_way: Counter[str] = Counter()
        self._counting = threading.Lock()
        self._events = Events(self.world, self.switches)
        self._desk = TokenDesk(self.world, self.switches)
        self._folder = tempfile.TemporaryDirectory()
        self.ca_file = Path(self._folder.name, "authority.pem")
        self.ca_file.write_bytes(authority().certificate_pem)
        super().__init__(self.world.lock)

    def _take(self, port: int) -> None:
        super()._take(port)
        # The handshake happens in the connection's own thread, at its first read.
        self._listener.socket = server_context().wrap_socket(
            self._listener.socket, server_side=True, do_handshake_on_connect=False
        )

    @property
    def url(self) -> str:
        """`https://127.0.0.1:<port>`, without a slash at the end."""
        return super().url.replace("http:", "https:", 1)

    def stop(self) -> None:
        """Stop serving; the file of the authority goes too."""
        super().stop()
        self._folder.cleanup()

    @property
    def kinds(self) -> Counter[Kind]:
        """HTTP requests so far by kind."""
        return Counter(_kind(exchange.path) for exchange in self.log)

    @property
    def calls(self) -> int:
        """HTTP requests so far, those for signing in not counted."""
        return self.kinds["batch"] + self.kinds["single"]

    def user_enters(self, code: str, address: str) -> None:
        """Somebody enters a device's code in a browser, and signs in."""
        with self.world.lock:
            self._desk.devices.enter(code, address)

    def user_declines(self, code: str) -> None:
        """Somebody enters a device's code in a browser, and does not want to."""
        with self.world.lock:
            self._desk.devices.decline(code)

    def expire_codes(self) -> None:
        """End every device's code that nobody has entered."""
        with self.world.lock:
            self._desk.devices.expire()

    def exchange(self, request: Request) -> Response:
        """Perform one request, and count what is under way in its mailboxes meanwhile."""
        mailboxes = _mailboxes(request)
        with self._counting:
            self._under_way.update(mailboxes)
            self.most_at_once = max([self.most_at_once, *(self._under_way[one] for one in mailboxes)])
        try:
            return super().exchange(request)
        finally:
            with self._counting:
                self._under_way.subtract(mailboxes)

    def answer(self, request: Request) -> Response:
        """Dispatch; refusals are in Graph's error form."""
        match _kind(request.path):
            case "discovery":
                return self._desk.discovery(request.segments[0], self.url)
            case "token":
                return self._desk.answer(request, request.segments[0], self.url)
            case "batch":
                return self._batch(request)
            case "single":
                return self._call(request)

    def _batch(self, request: Request) -> Response:
        """POST /v1.0/$batch: any order, every call judged by itself, nothing of them in the status."""
        try:
            self._desk.recognise(request.headers.get("authorization"))
            parts = batch.parse(request)
        except GraphError as refusal:
            return refusal.response()
        performed: Counter[str] = Counter()
        backwards = self.switches.batch_order == "reversed"
        return batch.perform(parts, lambda part: self._part(part, performed), backwards=backwards)

    def _part(self, request: Request, performed: Counter[str]) -> Response:
        fault = self.part_faults.take(request)
        if fault is not None:
            return fault.effect(lambda: self._call(request))
        performed["calls"] += 1
        burst = self.switches.mailbox_burst
        if burst is not None and performed["calls"] > burst:
            return throttled().response(retry_after=10)
        return self._call(request)

    def _call(self, request: Request) -> Response:
        try:
            grant = self._desk.recognise(request.headers.get("authorization"))
            asked = Asked(self.world, request, grant)
            if not listing.is_immutable(request):
                self.world.changing_ids += 1
            if asked.what != "events":
                return Response.of_json(asked.described())
            return self._carried_out(request, asked.place, asked.event_id)
        except GraphError as refusal:
            return refusal.response()

    def _carried_out(self, request: Request, place: Place, event_id: str) -> Response:
        if_match = request.headers.get("if-match")
        match request.method, bool(event_id):
            case "GET", False:
                return Response.of_json(listing.page(place, request, self.switches, self.url))
            case "POST", False:
                kept = self._events.create(place, _body(request))
                return Response.of_json(listing.shown(kept, request), 201)
            case "GET", True:
                return Response.of_json(listing.shown(self._events.get(place, event_id), request))
            case "PATCH", True:
                kept = self._events.update(place, event_id, _body(request), if_match)
                return Response.of_json(listing.shown(kept, request))
            case "DELETE", True:
                self._events.delete(place, event_id, if_match)
                return Response(204, content_type=None)
            case _:
                raise GraphError(405, "Request_BadRequest", "The method is not allowed here.")


def _kind(path: str) -> Kind:
    if path == BATCH_PATH:
        return "batch"
    if path.endswith(("/oauth2/v2.0/token", "/oauth2/v2.0/devicecode")):
        return "token"
    return "discovery" if path.endswith("/.well-known/openid-configuration") else "single"


def _mailboxes(request: Request) -> set[str]:
    """The mailboxes that a request is about, those in a batch included."""
    urls = [request.path]
    if _kind(request.path) == "batch" and request.body.startswith(b"{"):
        urls = [str(one.get("url")) for one in json.loads(request.body).get("requests", []) if isinstance(one, dict)]
    return {url.partition("/users/")[2].partition("/")[0] for url in urls if "/users/" in url}


def _body(request: Request) -> JsonObject:
    try:
        content = json.loads(request.body)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise GraphError(400, "BadRequest", "Unable to read JSON request payload.")
    return content
