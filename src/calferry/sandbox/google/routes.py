"""The Calendar API over HTTP: dispatch, access control, and what the parameters must look like."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from calferry.sandbox import discovery
from calferry.sandbox.faults import FaultQueue
from calferry.sandbox.messages import JsonObject, Request, Response
from calferry.sandbox.server import LoopbackServer

from . import batch, fields
from .consent import ConsentDesk, installed_client
from .errors import CalendarError, not_found
from .events import Events, Write
from .listing import Listings
from .oauth import Grant, TokenDesk, public_key_pem, service_account_info
from .switches import GoogleSwitches
from .world import Calendar, GoogleWorld, Role

Kind = Literal["consent", "token", "batch", "single"]

BATCH_PATH = "/batch/calendar/v3"
TOKEN_PATH = "/token"  # noqa: S105 (a path)
APP_CREATED = "https://www.googleapis.com/auth/calendar.app.created"
CONSENT_PATH = "/o/oauth2/v2/auth"
SERVICE_PATH = ("calendar", "v3")
_ROUTES = {
    ("GET", "calendars/*"): ("calendars", "get"),
    ("POST", "calendars"): ("calendars", "insert"),
    ("GET", "users/me/calendarList"): ("calendarList", "list"),
    ("GET", "calendars/*/events"): ("events", "list"),
    ("POST", "calendars/*/events"): ("events", "insert"),
    ("GET", "calendars/*/events/*"): ("events", "get"),
    ("PUT", "calendars/*/events/*"): ("events", "update"),
    ("PATCH", "calendars/*/events/*"): ("events", "patch"),
    ("DELETE", "calendars/*/events/*"): ("events", "delete"),
}


@dataclass(frozen=True, slots=True)
class _Call:
    """One call, recognised: which method of the discovery document, by whom, on what."""

    request: Request
    resource: str
    method: str
    grant: Grant
    calendar_id: str = ""
    event_id: str = ""

    @property
    def description(self) -> JsonObject:
        return discovery.method(self.resource, self.method)


class GoogleServer(LoopbackServer):
    """Token endpoint, batch endpoint and single calls of one Google domain.

    `faults` meet HTTP requests; `part_faults` meet the calls within batches, one by one.
    """

    def __init__(self, world: GoogleWorld | None = None, switches: GoogleSwitches | None = None) -> None:
        self.world = world or GoogleWorld()
        self.switches = switches or GoogleSwitches()
        self.part_faults = FaultQueue()
        self._events = Events(self.world, self.switches)
        self._listings = Listings(self.world)
        self._consents = ConsentDesk(self.world, self.switches, self.world.now)
        self._desk = TokenDesk(self.world, self._consents)
        super().__init__(self.world.lock)

    # For tests and the demo

    def add_service_account(
        self, client_email: str = "ferry@sandbox-project.example", *, delegated: bool = False
    ) -> JsonObject:
        """Register a service account with a key made in this process; returns its key file's content."""
        self.world.register_service_account(client_email, public_key_pem(), delegated=delegated)
        return service_account_info(self.url, client_email)

    def add_installed_client(self, client_id: str = "1-desk.apps.example") -> JsonObject:
        """Register an OAuth client of the type "Desktop app"; returns the content of its file."""
        self.world.clients[client_id] = f"secret of {client_id}"
        return installed_client(self.url, client_id, self.world.clients[client_id])

    def discovery_document(self) -> JsonObject:
        """The bundled document with its `rootUrl` here, so that single calls and batches of a client both come here."""
        # A deep copy: client libraries write into the document they are given.
        return copy.deepcopy(discovery.calendar_document()) | {
            "rootUrl": f"{self.url}/",
            "baseUrl": f"{self.url}/calendar/v3/",
        }

    @property
    def kinds(self) -> Counter[Kind]:
        """HTTP requests so far by kind."""
        return Counter(_kind(exchange.path) for exchange in self.log)

    @property
    def calls(self) -> int:
        """HTTP requests so far, those for tokens not counted."""
        return sum(count for kind, count in self.kinds.items() if kind in ("batch", "single"))

    # Dispatch

    def answer(self, request: Request) -> Response:
        """Dispatch; refusals are in Google's error form."""
        kind = _kind(request.path)
        if request.method == "GET" and kind == "consent":
            return self._consents.page(request)
        if request.method == "POST" and kind == "token":
            return self._desk.issue(request, self.url)
        if request.method == "POST" and kind == "batch":
            return self._batch(request)
        return self._call(request)

    def _batch(self, request: Request) -> Response:
        """POST /batch/calendar/v3. Vendor page: "Batch requests": any order, every call judged by itself."""
        try:
            self._check_project()
            parts = batch.parse(request, self.switches.batch_limit)
        except CalendarError as refusal:
            return refusal.response()
        written: Counter[str] = Counter()
        backwards = self.switches.batch_order == "reversed"
        return batch.respond(batch.perform(parts, lambda part: self._part(part, written), backwards=backwards))

    def _part(self, request: Request, written: Counter[str]) -> Response | None:
        fault = self.part_faults.take(request)
        if fault is not None:
            response = fault.effect(lambda: self._call(request))
            return None if response.closed else response
        calendar = request.path.partition("/events")[0]
        if request.method != "GET":
            written[calendar] += 1
        if self.switches.calendar_burst is not None and written[calendar] > self.switches.calendar_burst:
            return rate_limit_exceeded(self.switches.rate_limit_status).response()
        return self._call(request)

    def _call(self, request: Request) -> Response:
        try:
            call = self._recognised(request)
            selection = fields.read(request.one("fields"), call.description.get("response", {}))
            content = self._routes()[call.resource, call.method](call)
        except CalendarError as refusal:
            return refusal.response()
        if content is None:
            return Response(204, content_type=None)
        headers = {"ETag": content["etag"]} if "etag" in content else {}
        return replace(Response.of_json(fields.project(content, selection)), headers=headers)

    def _recognised(self, request: Request) -> _Call:
        grant = self._desk.recognise(request.headers.get("authorization"))
        self._check_project()
        segments = request.segments
        path = segments[len(SERVICE_PATH) :]
        pattern = "/".join("*" if index % 2 and path[0] == "calendars" else word for index, word in enumerate(path))
        route = _ROUTES.get((request.method, pattern))
        if route is None or segments[: len(SERVICE_PATH)] != SERVICE_PATH:
            raise not_found()
        ids = [word for index, word in enumerate(path) if index % 2] if path[0] == "calendars" else []
        call = _Call(request, *route, grant, *ids)
        if not grant.scopes & set(call.description["scopes"]):
            raise CalendarError(403, "insufficientPermissions", "Insufficient Permission")
        problems = discovery.query_problems(call.description, request.query)
        if problems:
            self.world.schema_violations += [f"{call.resource}.{call.method}: {problem}" for problem in problems]
            raise CalendarError(400, "invalidParameter", "; ".join(problems))
        return call

    def _check_project(self) -> None:
        if not self.world.api_enabled:
            message = "Google Calendar API has not been used in project 1 before or it is disabled."
            raise CalendarError(403, "accessNotConfigured", message)

    def _routes(self) -> dict[tuple[str, str], Callable[[_Call], JsonObject | None]]:
        return {
            ("calendars", "get"): self._get_calendar,
            ("calendars", "insert"): self._make_calendar,
            ("calendarList", "list"): self._list_calendars,
            ("events", "list"): self._list_events,
            ("events", "get"): self._get_event,
            ("events", "insert"): self._insert,
            ("events", "update"): self._update,
            ("events", "patch"): self._patch,
            ("events", "delete"): self._delete,
        }

    # Routes

    def _get_calendar(self, call: _Call) -> JsonObject:
        """Vendor page: "Calendars: get"."""
        return self._resource(self._calendar(call, "freeBusyReader"), "calendar#calendar")

    def _make_calendar(self, call: _Call) -> JsonObject:
        """Vendor page: "Calendars: insert": a new calendar each time, on its creator's list."""
        body = _body(call.request)
        problems = discovery.body_problems("Calendar", body)
        if problems or not body.get("summary"):
            self.world.schema_violations += [f"calendars.insert: {problem}" for problem in problems]
            raise CalendarError(400, "required", f"Missing title. {'; '.join(problems)}")
        texts = (body["summary"], body.get("description", ""))
        made = self.world.make_calendar(call.grant.subject, call.grant.app, *texts)
        return self._resource(made, "calendar#calendar")

    def _list_calendars(self, call: _Call) -> JsonObject:
        """Vendor page: "CalendarList: list". A calendar shared with a service account is not on its list by itself."""
        me = call.grant.subject
        listed = [
            one for one in self.world.calendars.values() if me in one.listed_by and me in one.roles and self._shows(one)
        ]
        items = [
            self._resource(one, "calendar#calendarListEntry")
            | {"accessRole": one.roles[me], "defaultReminders": one.default_reminders}
            | ({"primary": True} if one.id == me else {})
            for one in listed
            if not one.withdrawn
        ]
        return {"kind": "calendar#calendarList", "etag": f'"l{self.world.revision}"', "items": items}

    def _shows(self, calendar: Calendar) -> bool:
        """Whether a listing shows a calendar already."""
        lag = self.switches.listings_lag
        return not lag or calendar.made_at is None or self.world.now() - calendar.made_at >= lag

    def _list_events(self, call: _Call) -> JsonObject:
        """Vendor page: "Events: list"."""
        calendar = self._calendar(call, "reader")
        return self._listings.page(calendar, call.request, calendar.roles[call.grant.subject])

    def _get_event(self, call: _Call) -> JsonObject:
        """Vendor page: "Events: get"."""
        return self._events.get(self._calendar(call, "reader"), call.event_id)

    def _insert(self, call: _Call) -> JsonObject:
        """Vendor page: "Events: insert"."""
        return self._events.insert(self._calendar(call, "writer"), _body(call.request), _write(call))

    def _update(self, call: _Call) -> JsonObject:
        """Vendor page: "Events: update"."""
        return self._events.update(self._calendar(call, "writer"), call.event_id, _body(call.request), _write(call))

    def _patch(self, call: _Call) -> JsonObject:
        """Vendor page: "Events: patch"."""
        return self._events.patch(self._calendar(call, "writer"), call.event_id, _body(call.request), _write(call))

    def _delete(self, call: _Call) -> None:
        """Vendor page: "Events: delete": 204 and no body."""
        self._events.delete(self._calendar(call, "writer"), call.event_id, _write(call))

    def _calendar(self, call: _Call, role: Role) -> Calendar:
        """The calendar a call is about; 404 without any access, 403 without enough. `primary` is the subject's."""
        subject = call.grant.subject
        calendar = self.world.calendars.get(subject if call.calendar_id == "primary" else call.calendar_id)
        if calendar is None or calendar.withdrawn or subject not in calendar.roles:
            raise not_found()
        # The reference does not say what the others answer to an app that may touch what it made itself.
        usable = call.grant.scopes & set(call.description["scopes"])
        if usable == {APP_CREATED} and calendar.app != call.grant.app:
            raise not_found()
        if not calendar.allows(subject, role):
            raise CalendarError(403, "requiredAccessLevel", f"You need to have {role} access to this calendar.")
        return calendar

    def _resource(self, calendar: Calendar, kind: str) -> JsonObject:
        return {"kind": kind, "etag": f'"c{calendar.id}"', "id": calendar.id} | {
            "summary": calendar.summary or calendar.id,
            "description": calendar.description,
            "timeZone": calendar.time_zone,
        }


def rate_limit_exceeded(status: int) -> CalendarError:
    """Too many calls, with one of the two statuses Google uses for that."""
    return CalendarError(status, "rateLimitExceeded", "Rate Limit Exceeded")


def _kind(path: str) -> Kind:
    if path == TOKEN_PATH:
        return "token"
    if path == CONSENT_PATH:
        return "consent"
    return "batch" if path == BATCH_PATH else "single"


def _body(request: Request) -> JsonObject:
    try:
        content = json.loads(request.body)
    except ValueError:
        raise CalendarError(400, "parseError", "Parse Error") from None
    if not isinstance(content, dict):
        raise CalendarError(400, "parseError", "Parse Error")
    return content


def _write(call: _Call) -> Write:
    request = call.request
    return Write(call.grant.actor, call.method, request.headers.get("if-match"), request.one("sendUpdates"))
