"""The routes of the REST API, and who may come in.

Vendor's pages: "ClicRDV REST API v1", "Authentication", "API Response formats", and one for each kind of thing.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC
from email.utils import format_datetime
from http.cookies import SimpleCookie
from urllib.parse import parse_qs

from calferry.sandbox.messages import JsonObject, Request, Response
from calferry.sandbox.server import LoopbackServer

from .query import RefusalError, Row, meets, ordered, read_listing
from .rows import Rows
from .switches import ClicrdvSwitches
from .world import ClicrdvWorld, Vevent, is_appointment

PREFIX = ("api", "v1")
FILTERS = {
    "vevents": frozenset({"calendar_id", "fiche_id"}),
    "appointments": frozenset({"include_past"}),
    "interventions": frozenset({"interventionset_id"}),
    "calendars": frozenset({"calendarset_ids[]"}),
}
PRIVATE = frozenset({"vevents", "appointments", "fiches"})


class ClicrdvServer(LoopbackServer):
    """The REST API over HTTP, for one member of one practice."""

    def __init__(
        self,
        world: ClicrdvWorld | None = None,
        switches: ClicrdvSwitches | None = None,
        *,
        api_key: str = "sandbox-key",
        email: str = "desk@practice.example",
        password: str = "sandbox-password",  # noqa: S107 (a sandbox has no secrets)
    ) -> None:
        self.world = world or ClicrdvWorld()
        self.switches = switches or ClicrdvSwitches()
        self.api_key, self.email, self.password = api_key, email, password
        self.sessions: set[str] = set()
        self._rows = Rows(self.world, self.switches)
        super().__init__(self.world.lock)

    def answer(self, request: Request) -> Response:
        """Dispatch; refusals carry the vendor's numeric codes, and every answer the time by this server's clock."""
        try:
            response = self._dispatch(request)
        except RefusalError as refusal:
            response = refusal.response(self.switches.error_shape)
        date = format_datetime(self.world.now().astimezone(UTC), usegmt=True)
        return replace(response, headers={**response.headers, "Date": date})

    def _dispatch(self, request: Request) -> Response:
        *segments, last = request.segments or ("",)
        name, dot, extension = last.rpartition(".")
        path = (*segments, name) if dot and extension in {"json", "xml"} else (*segments, last)
        form = extension if dot and extension == "xml" else request.one("format") or "json"
        if path[: len(PREFIX)] != PREFIX:
            raise _missing()
        if request.one("apikey") != self.api_key:
            raise _denied(1, "Unauthorized")
        match path[len(PREFIX) :]:
            case ("sessions", "login") if request.method == "POST":
                return self._login(request)
            case rest if request.method == "GET":
                return self._read(request, rest, form, known=self._is_known(request))
        raise RefusalError(405, 4, "This sandbox is read-only: its world is changed from the inside")

    def _login(self, request: Request) -> Response:
        """Open a session. Vendor page: "Authentication": the password comes as the hex SHA-1 of itself."""
        form = {name: values[-1] for name, values in parse_qs(request.body.decode()).items()}
        digest = hashlib.sha1(self.password.encode(), usedforsecurity=False).hexdigest()
        if (form.get("pro[email]"), form.get("pro[password]")) != (self.email, digest):
            raise _denied(5, "LoginFailed")
        session = secrets.token_urlsafe(12)
        self.sessions.add(session)
        reply = Response.of_json({"pro": {"email": self.email}, "error": None})
        return Response(200, reply.body, headers={"Set-Cookie": f"_session_id={session}; path=/; HttpOnly"})

    def _is_known(self, request: Request) -> bool:
        """Whether a member of the practice asks. Vendor page: "Authentication": nobody is ever asked to sign in.

        Strangers are a case the page leaves open, see `ClicrdvSwitches.strangers`; a wrong password is a 401.
        """
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme == "Basic":
            if base64.b64decode(given).decode() != f"{self.email}:{self.password}":
                raise _denied(5, "LoginFailed")
            return True
        cookie = SimpleCookie(request.headers.get("cookie", "")).get("_session_id")
        if cookie is not None and cookie.value in self.sessions:
            return True
        refused = {"see less": False, "401 when a session is over": cookie is not None, "401": True}
        if refused[self.switches.strangers]:
            raise _denied(1, "Unauthorized")
        return False

    def _read(self, request: Request, path: tuple[str, ...], form: str, *, known: bool) -> Response:
        match path:
            case ("groups",):
                shown = [self._rows.group(group) for group in self.world.groups.values() if not group.withdrawn]
                return self._listing(request, "groups", shown)
            case ("groups", group, *rest) if group in self.world.groups and not self.world.groups[group].withdrawn:
                match rest:
                    case ():
                        return self._single("group", self._rows.group(self.world.groups[group]), form)
                    case (kind,):
                        rows = list(self._all(request, kind, group)) if known else []
                        return self._listing(request, kind, rows)
                    case (kind, key) if known:
                        return self._one(kind, group, key, form)
        raise _missing()

    def _all(self, request: Request, kind: str, group: str) -> Iterable[Row]:
        """Everything of a kind in a group. Vendor pages: "Vevent API", "Appointments API", "Client File API" …"""
        world = self.world
        match kind:
            case "vevents":
                hidden = self.switches.deleted_rows == "hidden"
                return [self._rows.vevent(row) for row in self._in(group) if not (row.deleted and hidden)]
            case "appointments":
                past = request.one("include_past") == "1"
                return [self._rows.appointment(row) for row in self._booked(group) if past or self._to_come(row)]
            case "fiches":
                return [self._rows.fiche(fiche) for fiche in world.fiches.values() if fiche.group == group]
            case _ if kind in world.entries:
                return [self._rows.entry(one) for one in world.entries[kind].values() if one.group == group]
            case _:
                raise _missing()

    def _one(self, kind: str, group: str, key: str, form: str) -> Response:
        """One thing by its id. Missing and not visible are the same 404. Vendor page: "API Response formats"."""
        vevent = self.world.vevents.get(key)
        if kind in {"vevents", "appointments"}:
            if kind == "appointments" and not self.switches.single_appointments:
                raise RefusalError(405, 4, "Not to be read one by one")
            shown = self._in(group) if kind == "vevents" else self._booked(group)
            hidden = vevent is not None and vevent.deleted and self.switches.deleted_rows == "hidden"
            if vevent is None or hidden or all(vevent is not row for row in shown):
                raise _missing()
            row = self._rows.vevent(vevent) if kind == "vevents" else self._rows.appointment(vevent)
            return self._single(kind.removesuffix("s"), row, form, vevent)
        if kind == "fiches" and key in self.world.fiches:
            return self._single("fiche", self._rows.fiche(self.world.fiches[key]), form)
        if key in self.world.entries.get(kind, {}):
            return self._single(kind.removesuffix("s"), self._rows.entry(self.world.entries[kind][key]), form)
        raise _missing()

    def _in(self, group: str) -> Iterable[Vevent]:
        return (row for row in self.world.vevents.values() if row.group == group)

    def _booked(self, group: str) -> Iterable[Vevent]:
        """Appointments as bookers see them: what was cancelled is not there."""
        return (row for row in self._in(group) if is_appointment(row) and not row.deleted)

    def _to_come(self, row: Vevent) -> bool:
        """Vendor page: "Appointments API": "By default, only future appointments are returned"."""
        return self.world.span(row)[self.switches.past == "end"] >= self.world.now()

    def _listing(self, request: Request, kind: str, rows: list[Row]) -> Response:
        """A page of rows in its envelope. Vendor pages: "API Response formats", "API – Filtering and Pagination"."""
        asked = read_listing(request.query, FILTERS.get(kind, frozenset()))
        heeded = kind != "appointments" or self.switches.conditions == "honoured"
        found = ordered([row for row in rows if not heeded or meets(row, asked)], asked)
        if not found and self.switches.no_result:
            raise RefusalError(self.switches.no_result, 3, "NoResult")
        size = min(asked.size or max(len(found), 1), self.switches.page_cap or max(len(found), 1, asked.size or 1))
        first = asked.start * size if self.switches.start_index == "page" else asked.start
        page = [self._rows.dressed(row) for row in found[first : first + size]]
        envelope: JsonObject = {"records": page, "totalRecords": len(found)}
        if self.switches.echo:
            envelope |= {"sort": asked.sort or None, "dir": "desc" if asked.descending else "asc"}
            envelope |= {"startIndex": asked.start, "recordsReturned": len(page), "pageSize": size}
        return Response.of_json(envelope)

    def _single(self, kind: str, row: Row, form: str, vevent: Vevent | None = None) -> Response:
        if form == "xml":
            if self.switches.xml == "none":
                raise RefusalError(406, 4, "ServerError")
            return Response(200, self._rows.xml(row, vevent), "application/xml; charset=utf-8")
        dressed = self._rows.dressed(row)
        return Response.of_json({kind: dressed} if self.switches.wrapped else dressed)


def _missing() -> RefusalError:
    return RefusalError(404, 2, "Not found, or not visible to you")


def _denied(code: int, message: str) -> RefusalError:
    return RefusalError(401, code, message)
