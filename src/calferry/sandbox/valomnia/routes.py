"""The routes of the API, and the sessions of those who signed in."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from fnmatch import fnmatchcase
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlencode

from calferry.sandbox.messages import JsonObject, Request, Response
from calferry.sandbox.server import LoopbackServer

from .query import COMPARE, Asked, RefusalError, read
from .rows import PRINTED, Rows
from .switches import ValomniaSwitches
from .world import Appointment, Contact, Stamped, User, ValomniaWorld

LOGIN, SUCCESS, FAILURE, SIGN_IN = "/j_spring_security_check", "/login/ajaxSuccess", "/login/authfail", "/login/auth"

PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><form></form></body></html>"

FIELDS = {"dateCreated": "created", "lastUpdated": "updated", "startDate": "start", "endDate": "end"}
"""Date field of a row → attribute of the record."""


class ValomniaServer(LoopbackServer):
    """The API of one organisation over HTTP, for one user."""

    def __init__(
        self,
        world: ValomniaWorld | None = None,
        switches: ValomniaSwitches | None = None,
        *,
        user: str = "sync@sales.example",
        password: str = "sandbox-password",  # noqa: S107 (a sandbox has no secrets)
    ) -> None:
        self.world = world or ValomniaWorld()
        self.switches = switches or ValomniaSwitches()
        self.user, self.password = user, password
        self.logins = 0
        self._rows = Rows(self.world, self.switches)
        self._sessions: dict[str, int] = {}
        self._dice = random.Random(72)  # noqa: S311 (nothing secret: the order of equal rows)
        super().__init__(self.world.lock)

    def expire_sessions(self) -> None:
        """Forget everybody who signed in."""
        with self.world.lock:
            self._sessions.clear()

    def answer(self, request: Request) -> Response:
        """Dispatch; refusals are in the vendor's error form."""
        try:
            match request.segments:
                case ("j_spring_security_check",) if request.method == "POST":
                    return self._log_in(request)
                case ("login", page):
                    return self._login_page(request, page)
                case ("api", _version, resource, *rest):
                    return self._api(request, resource, tuple(rest))
                case _:
                    return _page(404)
        except RefusalError as refusal:
            return refusal.response()

    # Sessions

    def _log_in(self, request: Request) -> Response:
        """Form login: a redirect, and a cookie for those who may come in. Vendor's page: "Authentication"."""
        form = parse_qs(request.body.decode())
        self.logins += 1
        if (form.get("j_username"), form.get("j_password")) != ([self.user], [self.password]):
            return self._not_let_in()
        if self.switches.one_session:
            self._sessions.clear()
        session = secrets.token_hex(16).upper()
        self._sessions[session] = 0
        cookie = f"JSESSIONID={session}; Path=/; HttpOnly"
        return Response(302, b"", None, {"Location": f"{self.url}{SUCCESS};jsessionid={session}", "Set-Cookie": cookie})

    def _not_let_in(self) -> Response:
        match self.switches.login_failure:
            case "redirect":
                return Response(302, b"", None, {"Location": f"{self.url}{FAILURE}?ajax=true"})
            case "401":
                return Response.of_json({"error": "Bad credentials"}, 401)
            case "success: false":
                return Response.of_json({"success": False})

    def _login_page(self, request: Request, page: str) -> Response:
        """What a login leads to: the session's token, or what was wrong. Vendor's page: "Authentication"."""
        if page == "authfail":
            return Response.of_json(
                {"error": "Sorry, we were not able to find a user with that username and password."}
            )
        session = self._session(request)
        if page != "ajaxSuccess" or session is None:
            return _page(200)
        success: bool | str = "true" if self.switches.success_as_text else True
        user = {"id": 1, "username": self.user, "role": ["ROLE_ADMIN"], "enabled": True}
        return self._rows.response({"success": success, "token": session, "user": user})

    def _session(self, request: Request) -> str | None:
        cookie = SimpleCookie(request.headers.get("cookie", "")).get("JSESSIONID")
        return cookie.value if cookie and cookie.value in self._sessions else None

    def _authenticated(self, request: Request) -> bool:
        session = self._session(request)
        if session is None:
            return False
        self._sessions[session] += 1
        limit = self.switches.session_uses
        if limit is not None and self._sessions[session] > limit:
            del self._sessions[session]
            return False
        return True

    def _no_credentials(self) -> Response:
        """The body is what clients saw; its status is not documented."""
        match self.switches.expired:
            case "302":
                return Response(302, b"", None, {"Location": f"{self.url}{SIGN_IN}"})
            case "page":
                return _page(200)
            case status:
                return Response.of_json({"error": "no_credentials"}, int(status))

    # Resources

    def _api(self, request: Request, resource: str, rest: tuple[str, ...]) -> Response:
        if not self._authenticated(request):
            return self._no_credentials()
        if request.method != "GET":
            raise RefusalError(405, "method_not_allowed", "This sandbox is changed from the inside.")
        held = self._records(resource)
        if held is None or (rest and resource != "appointments"):
            return _page(404)
        match rest:
            case ():
                return self._rows.response(self._list(request, resource, held))
            case ("reference", reference):
                return self._show(held, reference, "reference", reference)
            case (number,):
                return self._show(held, number, "id", number)
            case _:
                return _page(404)

    def _records(self, resource: str) -> Iterable[Stamped] | None:
        kinds: Mapping[str, Mapping[str, Stamped]] = {
            "appointments": self.world.visible(),
            "users": self.world.users,
            "employees": self.world.employees,
            "appointmentCategories": self.world.categories,
            "customers": self.world.customers,
            "contacts": self.world.contacts,
        }
        if resource not in kinds:
            return None
        return [record for record in kinds[resource].values() if self._is_seen(record)]

    def _is_seen(self, record: Stamped) -> bool:
        match record:
            case Appointment():
                return self.switches.sees in (None, record.user)
            case User():
                return record.id not in self.switches.unlisted_users
            case _:
                return True

    def _show(self, held: Iterable[Stamped], key: str, by: str, named: str) -> Response:
        """One appointment by its id or its reference. Vendor's page: "Appointments: show"."""
        if by == "id" and not key.isdigit():
            named = "The type of parameter id you provided is not valid for this request."
            raise RefusalError(400, "invalid_param_type", named)
        row = next((one for one in held if getattr(one, by) == key), None)
        if not isinstance(row, Appointment):
            raise RefusalError(404, "not_found", f"The appointment with the {by} {named} doesn't exist.")
        if row.id in self.switches.mute:
            return self._mute()
        return self._rows.response(self._rows.show(row))

    def _mute(self) -> Response:
        match self.switches.mute_answer:
            case "server_error":
                raise RefusalError(500, "server_error", "Oops! Something went wrong...")
            case status:
                return _page(int(status))

    def _list(self, request: Request, resource: str, held: Iterable[Stamped]) -> JsonObject:
        """A page of a listing. Vendor's pages: "Appointments: list" and the "list" pages of the others.

        The order among rows that are equal in the field asked for is another one each time: none is promised.
        """
        asked = read(resource, request.query, self.switches.max_ceiling)
        found = [record for record in held if self._answers(record, asked)]
        self._dice.shuffle(found)
        found.sort(key=lambda record: _sort_key(record, asked.sort), reverse=asked.descending)
        rows = found[asked.offset : asked.offset + asked.max]
        return {
            "paging": {
                "total": len(found),
                "max": asked.max,
                "offset": asked.offset,
                "previous": self._link(request, resource, asked, asked.offset - asked.max),
                "next": self._link(request, resource, asked, asked.offset + asked.max, len(found)),
            },
            "data": [self._rows.of(record) for record in rows],
        }

    def _link(self, request: Request, resource: str, asked: Asked, offset: int, total: int | None = None) -> str | None:
        if offset < 0 or (total is not None and offset >= total):
            return None
        order = "desc" if asked.descending else "asc"
        query: dict[str, Any] = {"max": asked.max, "offset": offset, "sort": asked.sort, "order": order}
        if self.switches.next_keeps_filters:
            query = {name: values[-1] for name, values in request.query.items()} | query
        return f"{PRINTED}/{resource}?{urlencode(query)}"

    def _answers(self, record: Stamped, asked: Asked) -> bool:
        for field, operator, instant in asked.dates:
            told = getattr(record, FIELDS[field])
            if told is None or not COMPARE[operator](told, instant):
                return False
        return all(self._matches(record, name, pattern) for name, pattern in asked.texts.items())

    def _matches(self, record: Stamped, name: str, pattern: str) -> bool:
        told = self._filtered_text(record, name)
        if name == "employeeReference" and self.switches.employee_filter == "prefix":
            pattern += "*"
        literal = pattern.replace("[", "[[]").replace("?", "[?]")
        return fnmatchcase(told.casefold(), literal.casefold())

    def _filtered_text(self, record: Stamped, name: str) -> str:
        match record, name:
            case Appointment(), "employeeReference":
                return self.world.users[record.user].reference
            case ((Appointment() | Contact()), "customerReference"):
                return self.world.customers[record.customer].reference if record.customer else ""
            case _, ("reference" | "name" | "title"):
                return str(getattr(record, name))
            case _:
                return ""


def _sort_key(record: Stamped, field: str) -> Any:
    if field == "id":
        return int(record.id)
    told = getattr(record, FIELDS.get(field, field), None)
    if told is None and field not in FIELDS:
        raise RefusalError(
            400, "invalid_param", f"The parameters [{field}] you provided are not valid for this request."
        )
    return told if told is not None else datetime.max.replace(tzinfo=record.created.tzinfo)


def _page(status: int) -> Response:
    return Response(status, PAGE, "text/html; charset=utf-8")
