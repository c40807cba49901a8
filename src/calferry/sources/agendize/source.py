"""Asking Agendize: listings, deltas, look-ups.

Vendor's pages: "Authentication", and of the v2.1 scheduling reference "Appointments", "Companies", "Staff",
"Services", "Resources" and "Service Resources". What is not documented there, and what is made of it:
docs/adapters/agendize.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

from calferry import http
from calferry.errors import Conflict, CursorExpired, NotAuthorised, Refused, Unavailable
from calferry.model import (
    Appointment,
    Batch,
    Cursor,
    Deletion,
    Found,
    Gone,
    LookUp,
    NotFound,
    Quarantined,
    Resource,
    Window,
)
from calferry.moments import instant, zone_of
from calferry.ports import Clock, Finding, Hook, Proof
from calferry.sources.agendize.access import Access
from calferry.sources.agendize.probes import PROBES
from calferry.sources.agendize.replies import Replies
from calferry.sources.agendize.rows import (
    address_of,
    deletion_in,
    deletion_mark,
    full_name,
    is_personal,
    lacks_end,
    lacks_zone,
    minutes_of,
    next_page,
    price_of,
    reschedule_link,
    shown,
    synchronised_with,
    to_appointment,
    written_elsewhere,
)
from calferry.sources.agendize.settings import Settings
from calferry.sources.agendize.watching import Watching, told_of
from calferry.sources.batches import batch_of, resource_of
from calferry.sources.fields import Row, id_of, is_bare, text_of
from calferry.sources.months import by_month, proven
from calferry.sources.probing import findings
from calferry.tokens import TokenFile

KIND = "agendize"

STREAM = "appointments"

PADDING = timedelta(days=1)
"""Asked for beyond either end of a window: whether rows on its borders are in or out is not documented."""

AHEAD = timedelta(days=14)
"""How far ahead `cautions` looks."""

MOST_PAGES = 10_000
"""Of one listing: a service that always names a page that follows would keep a pass for ever."""

WHOLE = {"showDeleted": "true", "levelDetail": "full", "personalAppointments": "true"}
"""Sent with every listing: the defaults hide deletions and the staff's own time, and leave members out."""


def build(name: str, settings: Settings, *, clock: Clock, tokens: TokenFile | None = None) -> AgendizeSource:
    """The source that the configuration calls `name`, whose refresh token is kept in `tokens` where it is replaced.
    Connects to nothing yet."""
    return AgendizeSource(name, settings, clock, tokens)


class _Page(NamedTuple):
    """`sync_token` is empty on all pages but the last."""

    rows: Sequence[Any]
    asked_at: datetime
    sync_token: str


class AgendizeSource:
    """The appointments of one Agendize company, read only but for its hooks; see `calferry.ports`."""

    streams = (STREAM,)

    def __init__(self, name: str, settings: Settings, clock: Clock, tokens: TokenFile | None = None) -> None:
        self.name = name
        self.key = f"{KIND}:{settings.company}"
        self._settings = settings
        self._clock = clock
        self._tokens = tokens
        self._access = Access(settings, clock, tokens)
        self._root = f"/api/2.1/scheduling/companies/{quote(settings.company, safe='')}"
        self._watching = Watching(self._access, self._root)
        self._links_hold: bool | None = None
        self._links_doubted = False

    def resources(self) -> Batch:
        """The company, its staff, its services and, where they are the owners, its resources: a request each."""
        asked_at = self._clock.now()
        company = self._company()
        staff, services, bookable = self._all("/staff"), self._all("/services"), self._bookable()
        zone, currency = text_of(company.get("timeZone")), text_of(company.get("currency"))
        self._zone = zone_of(zone)
        self._lengths = {id_of(one): minutes_of(one) for one in (*bookable, *services)}
        resources = (
            self._resource("company", company, zone=zone, address=address_of(company.get("address"))),
            *(self._resource("staff", one, name=full_name(one), email=text_of(one.get("email"))) for one in staff),
            *(self._offer("service", one, currency) for one in services),
            *(self._offer("resource", one, currency) for one in bookable),
        )
        return Batch(asked_at=asked_at, resources=resources)

    def cautions(self) -> Iterator[str]:
        """Whether Agendize itself writes the appointments of the next days into calendars. One listing; none where
        calferry stands aside for them."""
        if self._settings.stand_aside:
            return
        now = self._clock.now()
        window = Window(now, now + AHEAD)
        pages = self._pages("/appointments", _between(window) | WHOLE)
        told = [row for page in pages for row in page.rows if isinstance(row, dict)]
        rows = [row for row in told if not deletion_in(row) and not is_personal(row)]
        for name, number in sorted(Counter(name for row in rows for name in synchronised_with(row)).items()):
            yield (
                f"Agendize itself has written {number} of the {len(rows)} appointments of the next {AHEAD.days} days "
                f"into a calendar (synchronization.{name}); in that calendar calferry would write them a second time"
            )

    def probe(self) -> Iterator[Finding]:
        """What the account says to the questions in `probes`."""
        replies = Replies(Access(self._settings, self._clock, self._tokens), self._root, self._clock.now(), WHOLE)
        replies.enter()
        return findings(PROBES, replies)

    def changes(self, stream: str, since: Cursor | None, window: Window) -> Iterator[Batch]:
        """Without a cursor one listing over the window; with one the delta, without any filter. A batch per page.

        A reply without `nextSyncToken` gives no cursor: the one before it still holds. A cursor of the time when the
        owners were others is expired: what a delta leaves out would keep them.
        """
        if stream != STREAM:
            msg = f"Agendize has no stream {stream!r}"
            raise ValueError(msg)
        owners = self._settings.owners
        read_by, _, token = since.token.partition(":") if since else (owners, "", "")
        if read_by != owners:
            msg = f"the owners of appointments are the {owners} now; all have to be read anew"
            raise CursorExpired(msg)
        asked = {"syncToken": token} if since else _between(window)
        for page in self._pages("/appointments", asked | WHOLE):
            batch = self._batch(page.rows, page.asked_at)
            yield replace(batch, cursor=Cursor(f"{owners}:{page.sync_token}")) if page.sync_token else batch

    def within(self, window: Window) -> Iterator[Batch]:
        """A batch per month. It covers its month once it was read to the last page with every row accounted for."""
        return by_month(window, lambda month: proven(month, self._listed))

    def look_up(self, source_id: str) -> LookUp:
        """Ask for one appointment. Agendize would also answer to a reference: only the id itself counts."""
        asked_at = self._clock.now()
        try:
            row = self._get(f"/appointments/{quote(source_id, safe='')}", {"levelDetail": "full"})
        except http.Missing as answer:
            return NotFound(str(answer))
        if id_of(row) != source_id:
            msg = f"Agendize was asked for appointment {source_id} and answered with another"
            raise Unavailable(msg)
        if is_bare(row):
            msg = f"Agendize was asked for appointment {source_id} and answered with nothing but its id"
            raise Unavailable(msg)
        if evidence := deletion_in(row):
            return Gone(evidence)
        return Found(self._batch([row], asked_at))

    def hooks(self) -> Sequence[Hook]:
        return self._watching.hooks()

    def hook(self, address: str, proof: Proof) -> Hook:
        return self._watching.hook(address, proof)

    def unhook(self, hook: Hook) -> None:
        self._watching.unhook(hook)

    def told_of(self, call: Mapping[str, object]) -> str:
        return told_of(call)

    def missed(self, hook: str, since: datetime) -> Sequence[str]:
        return self._watching.missed(hook, since)

    def _listed(self, month: Window) -> Batch:
        pages = list(self._pages("/appointments", _between(month) | WHOLE))
        rows = [row for page in pages for row in page.rows]
        batch = self._batch(rows, pages[0].asked_at)
        proven = pages[-1].sync_token and all(row.source_id for row in batch.quarantined)
        return replace(batch, covers=month) if proven else batch

    def _batch(self, rows: Sequence[Any], asked_at: datetime) -> Batch:
        self._links_doubted = False
        return batch_of(STREAM, map(self._read, rows), asked_at)

    def _read(self, row: Any) -> Appointment | Deletion | Quarantined:
        source_id = id_of(row) if isinstance(row, dict) else ""
        if not source_id:
            return Quarantined("", "a row without a readable id")
        if evidence := deletion_in(row):
            return Deletion(source_id, evidence)
        if is_bare(row):
            return Quarantined(source_id, "it holds nothing but its id")
        zone = self._zone if lacks_zone(row) else None
        minutes = self._lengths if lacks_end(row) else None
        try:
            read = to_appointment(row, self.key, zone=zone, minutes=minutes, by_resource=self._by_resource)
        except Refused as reason:
            return Quarantined(source_id, str(reason))
        if self._settings.stand_aside:
            read = replace(read, elsewhere=written_elsewhere(row))
        return replace(read, reschedule_url=self._link(row))

    def _link(self, row: Row) -> str:
        """The row's link for rescheduling, where it is wanted and the same at every reading.

        One that is signed anew each time would rewrite every event each time. The first row that has one is read again
        to find out, once; where that is not answered, the links are left out and a row of the next batch is tried.
        """
        link = reschedule_link(row) if self._settings.reschedule_link else ""
        if link and self._links_hold is None and not self._links_doubted:
            try:
                again = self._get(f"/appointments/{quote(id_of(row), safe='')}", {"levelDetail": "full"})
                self._links_hold = reschedule_link(again) == link
            except (Unavailable, NotAuthorised):  # a link is no reason not to read appointments
                self._links_doubted = True
        return link if self._links_hold else ""

    @cached_property
    def _zone(self) -> ZoneInfo | None:
        """The company's time zone, asked for when the first row needs it; renewed with the resources."""
        return zone_of(text_of(self._company().get("timeZone")))

    @cached_property
    def _lengths(self) -> Mapping[str, int]:
        """Minutes by the id of what can be booked, likewise."""
        return {id_of(one): minutes_of(one) for one in (*self._bookable(), *self._all("/services"))}

    @property
    def _by_resource(self) -> bool:
        return self._settings.owners == "resources"

    def _bookable(self) -> Sequence[Row]:
        """The resources that can be booked, alone or with a service. Companies that have none may lack the lists."""
        found: list[Row] = []
        for path in ("/resources", "/serviceResources") if self._by_resource else ():
            with suppress(http.Missing):
                found += self._all(path)
        return found

    def _offer(self, kind: str, row: Row, currency: str) -> Resource:
        price = price_of(row.get("price"), currency)
        return self._resource(kind, row, minutes=text_of(row.get("duration")), price=price)

    def _resource(self, kind: str, row: Row, **fields: str) -> Resource:
        named = {"name": shown(row.get("name")), "external_id": text_of(row.get("externalId"))}
        told = named | fields | {"deleted": deletion_mark(row.get("deleted"))}
        return resource_of(self.key, kind, id_of(row), **told)

    def _company(self) -> Row:
        company = self._get("")
        if id_of(company) != self._settings.company:
            msg = f"Agendize was asked for company {self._settings.company} and answered with another"
            raise Unavailable(msg)
        return company

    def _all(self, path: str) -> Sequence[Row]:
        return [row for page in self._pages(path, {}) for row in page.rows if isinstance(row, dict) and id_of(row)]

    def _pages(self, path: str, asked: Mapping[str, str]) -> Iterator[_Page]:
        """The pages of a listing. Paging is not documented; where it happens the same question is asked on."""
        sent = ""
        seen = set[str]()
        while True:
            asked_at = self._clock.now()
            reply = self._get(path, {**asked, "pageToken": sent} if sent else asked)
            following = next_page(reply, sent)
            yield _Page(_items(reply, asked), asked_at, "" if following else text_of(reply.get("nextSyncToken")))
            if not following:
                return
            if following in seen or len(seen) >= MOST_PAGES:
                msg = "Agendize lists its pages in a circle, or without end"
                raise Unavailable(msg)
            seen.add(following)
            sent = following

    def _get(self, path: str, asked: Mapping[str, str] | None = None) -> http.JsonObject:
        """GET below the company. A refusal of a request with a sync token, in any shape, is a refusal of the token."""
        asked = asked or {}
        where = f"{self._root}{path}"
        try:
            reply = self._access.get_json(where, asked, token_sent="syncToken" in asked)
        except NotAuthorised as problem:
            msg = f"{problem}: Agendize does not take the {self._access.secrets} of source {self.name!r}"
            raise NotAuthorised(msg) from problem
        except (Refused, Conflict, http.Missing) as problem:
            if "syncToken" not in asked and isinstance(problem, http.Missing):
                raise
            raise _unusable(asked, str(problem)) from problem
        if reply.get("error") is not None:
            raise _unusable(asked, f"{where} answered 200 with an error")
        return reply


def _items(reply: http.JsonObject, asked: Mapping[str, str]) -> list[Any]:
    """The rows of a listing. A listing without them is no empty listing."""
    items = reply.get("items")
    if not isinstance(items, list):
        raise _unusable(asked, "Agendize answered a listing without its items")
    return items


def _unusable(asked: Mapping[str, str], message: str) -> CursorExpired | Unavailable:
    return CursorExpired(message) if "syncToken" in asked else Unavailable(message)


def _between(window: Window) -> dict[str, str]:
    return {"startDate": instant(window.start - PADDING), "endDate": instant(window.end + PADDING)}
