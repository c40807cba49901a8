"""The routes of the scheduling API, and the tokens its listings hand out."""

from __future__ import annotations

import secrets
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from calferry.sandbox.messages import JsonObject, Request, Response
from calferry.sandbox.server import LoopbackServer

from .access import TOKEN_PATH, Access
from .query import CREDENTIALS, FILTERS, Asked, RefusalError, Window, read_listing, read_nothing, read_single
from .rows import Rows, straddles
from .switches import AgendizeSwitches
from .watchers import WATCHERS, Watchers
from .world import AgendizeWorld, Appointment

_Entry = TypeVar("_Entry")

PREFIX = ("api", "2.1", "scheduling", "companies")


@dataclass(slots=True)
class _Mark:
    """What a sync token stands for: everything up to this revision has been told."""

    company: str
    revision: int
    era: int
    window: Window
    uses: int = 0


@dataclass(frozen=True, slots=True)
class _Page:
    """Where a listing goes on: the same question, after the row with this reference."""

    company: str
    query: Mapping[str, tuple[str, ...]]
    asked: Asked
    since: _Mark | None
    revision: int
    after: str = ""


class AgendizeServer(LoopbackServer):
    """The scheduling API of one account over HTTP, and the exchange of refresh tokens beside it.

    `access` has the application that may use OAuth 2.
    """

    def __init__(
        self,
        world: AgendizeWorld | None = None,
        switches: AgendizeSwitches | None = None,
        *,
        api_key: str = "sandbox-key",
        token: str = "sandbox-token",  # noqa: S107 (a sandbox has no secrets)
    ) -> None:
        self.world = world or AgendizeWorld()
        self.switches = switches or AgendizeSwitches()
        self.api_key, self.token = api_key, token
        self.access = Access(self.world, self.switches)
        self._rows = Rows(self.world, self.switches)
        self.watchers = Watchers(self.world, self._rows)
        self._marks: dict[str, _Mark] = {}
        self._pages: dict[str, _Page] = {}
        self._order: list[str] = []
        self._last_pages = 0
        super().__init__(self.world.lock)

    def answer(self, request: Request) -> Response:
        """Dispatch; refusals are in the vendor's error form."""
        if request.path == TOKEN_PATH:
            return self.access.exchange(request)
        try:
            self._authenticate(request)
            if request.segments[: len(WATCHERS)] == WATCHERS:
                return self.watchers.answer(request)
            return self._rows.response(self._dispatch(request))
        except RefusalError as refusal:
            return refusal.response()

    def _authenticate(self, request: Request) -> None:
        """Check the access token, or the key and the SSO token, in the headers. Vendor page: "Authentication"."""
        if self.access.admits(request):
            return
        given = [request.headers.get("apikey"), request.headers.get("token")]
        if self.switches.query_credentials:
            given = [value or request.one(name) for value, name in zip(given, ("apiKey", "token"), strict=True)]
        if given != [self.api_key, self.token]:
            raise RefusalError(401, "Invalid credentials", *sorted(CREDENTIALS))

    def _dispatch(self, request: Request) -> JsonObject:
        match request.segments[len(PREFIX) :]:
            case _ if request.segments[: len(PREFIX)] != PREFIX:
                raise RefusalError(404, "Not found")
            case (company, "appointments", "watch") if company in self.world.companies and request.method == "POST":
                return self.watchers.watch(request, company)
            case _ if request.method != "GET":
                raise RefusalError(405, "This sandbox is read-only: its world is changed from the inside")
            case ():
                return self._list_companies(request)
            case (company, *rest) if company in self.world.companies and not self.world.companies[company].withdrawn:
                return self._in_company(request, company, tuple(rest))
        raise RefusalError(404, "Unknown company")

    def _in_company(self, request: Request, company: str, rest: tuple[str, ...]) -> JsonObject:
        routes: dict[tuple[str, ...], Callable[[Request, str], JsonObject]] = {
            (): self._get_company,
            ("staff",): self._list_staff,
            ("services",): self._list_services,
            ("resources",): self._list_resources,
            ("serviceResources",): self._list_service_resources,
            ("appointments",): self._list_appointments,
        }
        if rest in routes:
            return routes[rest](request, company)
        if len(rest) == 2 and rest[0] == "appointments":  # noqa: PLR2004 (the segments of the path)
            return self._get_appointment(request, company, rest[1])
        raise RefusalError(404, "Not found")

    def _list_companies(self, request: Request) -> JsonObject:
        """The companies of the account. Vendor page: "Companies: list"."""
        read_nothing(request.query)
        shown = (company for company in self.world.companies.values() if not company.withdrawn)
        return {"items": [self._rows.company(company) for company in shown]}

    def _get_company(self, request: Request, company: str) -> JsonObject:
        """One company. Vendor page: "Companies: get"."""
        read_nothing(request.query)
        return self._rows.company(self.world.companies[company])

    def _list_staff(self, request: Request, company: str) -> JsonObject:
        """The staff of a company, with e-mail addresses. Vendor page: "Staff: list"."""
        read_nothing(request.query)
        return {"items": [self._rows.staff(one) for one in self.world.staff.values() if one.company == company]}

    def _list_services(self, request: Request, company: str) -> JsonObject:
        """The services of a company. Vendor page: "Services: list"."""
        read_nothing(request.query)
        return {"items": [self._rows.service(one) for one in self.world.services.values() if one.company == company]}

    def _list_resources(self, request: Request, company: str) -> JsonObject:
        """What is booked in place of services. Vendor page: "Resources: list"."""
        return self._list_bookables(request, company, beside=False)

    def _list_service_resources(self, request: Request, company: str) -> JsonObject:
        """What is booked together with services. Vendor page: "Service Resources: list"."""
        return self._list_bookables(request, company, beside=True)

    def _list_bookables(self, request: Request, company: str, *, beside: bool) -> JsonObject:
        read_nothing(request.query)
        if self.switches.resource_lists == "missing":
            raise RefusalError(404, "Not found")
        offered = [one for one in self.world.bookables.values() if (one.company, one.beside) == (company, beside)]
        return {"items": [self._rows.bookable(one) for one in offered]}

    def _get_appointment(self, request: Request, company: str, key: str) -> JsonObject:
        """One appointment by its id or its reference, full by default. Vendor page: "Appointments: get".

        A deleted one is not found: the page knows no `showDeleted` here.
        """
        full, fields = read_single(request.query)
        row = self.world.appointments.get(self.world.references.get(key, key))
        if row is None or row.company != company or row.deleted is not None:
            raise RefusalError(404, "Unknown appointment", "appointmentId")
        return self._rows.appointment(row, full=full, fields=fields)

    def _list_appointments(self, request: Request, company: str) -> JsonObject:
        """Appointments of a window, or the changes since a sync token. Vendor page: "Appointments: list".

        Without dates the window is one month back to one month ahead of now; level `light`; no deleted rows. The page
        promises `nextSyncToken` on the last page of results only. It is silent on paging itself, on the age and
        the company of tokens, and on filters beside a token: see `AgendizeSwitches`.
        """
        page = self._page(request, company)
        size = self.switches.page_size or max(1, len(self.world.appointments))
        rows = list(islice(self._selected(page), size + 1))
        items = [self._rows.appointment(row, full=page.asked.full, fields=page.asked.fields) for row in rows[:size]]
        if page.since is not None and self.switches.duplicate_rows:
            items = [item for item in items for _ in range(2)]
        asked_by = request.one("pageToken")
        echo = {self.switches.echo: asked_by} if self.switches.echo and asked_by else {}
        return {"items": items} | echo | self._continuation(page, rows, size)

    def _continuation(self, page: _Page, rows: list[Appointment], size: int) -> JsonObject:
        if len(rows) > size:
            rest = _Page(page.company, page.query, page.asked, page.since, page.revision, rows[size - 1].reference)
            return {self.switches.page_name: self._issue(self._pages, rest)}
        self._last_pages += 1
        if self.switches.skip_sync_token and self._last_pages % self.switches.skip_sync_token == 0:
            return {}
        # A delta hands on the window its listing had; the revision is that of the first page, so nothing
        # that changes between two pages is lost.
        window = page.since.window if page.since else page.asked.window
        return {
            "nextSyncToken": self._issue(self._marks, _Mark(page.company, page.revision, self.world.token_era, window))
        }

    def _page(self, request: Request, company: str) -> _Page:
        query = {name: values for name, values in request.query.items() if name not in CREDENTIALS | {"pageToken"}}
        token = request.one("pageToken")
        if token is None:
            asked = read_listing(query, self.world.now())
            return _Page(company, query, asked, self._since(asked, company, query), self.world.revision)
        page = self._pages.get(token)
        if page is None or page.company != company or page.query != query:
            raise RefusalError(400, "The page token does not belong to these parameters", "pageToken")
        return page

    def _since(self, asked: Asked, company: str, query: Mapping[str, object]) -> _Mark | None:
        if asked.sync_token is None:
            return None
        beside = sorted(query.keys() & FILTERS)
        if beside and self.switches.delta_filters == "refused":
            raise RefusalError(400, "Filters cannot be combined with a sync token", *beside)
        mark = self._marks.get(asked.sync_token)
        if mark is None or mark.company != company or mark.era != self.world.token_era or self._worn(mark):
            raise RefusalError(self.switches.dead_token, "The sync token is no longer valid", "syncToken")
        mark.uses += 1
        return mark

    def _worn(self, mark: _Mark) -> bool:
        return self.switches.token_uses is not None and mark.uses >= self.switches.token_uses

    def _selected(self, page: _Page) -> Iterator[Appointment]:
        # No order is promised, so it is neither that of booking nor that of time; a page goes on after a reference,
        # so rows that come or go between two pages neither hide nor double others.
        if len(self._order) != len(self.world.references):
            self._order = sorted(self.world.references)
        for reference in islice(self._order, bisect_right(self._order, page.after), None):
            row = self.world.appointments[self.world.references[reference]]
            if row.company == page.company and self._answers(row, page):
                yield row

    def _answers(self, row: Appointment, page: _Page) -> bool:
        asked = page.asked
        hidden = (row.deleted and not asked.show_deleted) or (row.type == "personal" and not asked.personal)
        return not hidden and (self._changed(row, page.since) if page.since else self._wanted(row, asked))

    def _shown(self, row: Appointment, asked: Asked) -> bool:
        return (asked.show_deleted or row.deleted is None) and (asked.personal or row.type != "personal")

    def _changed(self, row: Appointment, since: _Mark) -> bool:
        told = self.world.changed[row.id] <= since.revision
        return not told and (self.switches.delta_window == "none" or self._within(row, since.window))

    def _within(self, row: Appointment, window: Window) -> bool:
        return straddles(self.world.span(row), window, self.switches.border)

    def _wanted(self, row: Appointment, asked: Asked) -> bool:
        ids = {"clientId": [row.client_id], "serviceId": [row.service], "staffId": [row.staff]}
        ids["resourceId"] = [*row.resources]
        return (
            self._within(row, asked.window)
            and asked.created[0] < row.created < asked.created[1]
            and asked.status in (None, row.status)
            and all(wanted in ids.get(name, ()) for name, wanted in asked.ids.items())
            and (asked.text is None or asked.text.casefold() in " ".join(row.client).casefold())
        )

    def _issue(self, book: dict[str, _Entry], entry: _Entry) -> str:
        token = secrets.token_urlsafe(18)
        book[token] = entry
        return token
