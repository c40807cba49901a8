"""Asking ClicRDV: changes, complete listings, look-ups.

What its documents leave open, and what is made of it: docs/adapters/clicrdv.md.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from calferry import http
from calferry.errors import Conflict, NotAuthorised, Refused, Unavailable
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
    Window,
)
from calferry.ports import Clock, Finding
from calferry.sources.batches import batch_of, resource_of
from calferry.sources.clicrdv.api import Api, Asked, Shifted, segment
from calferry.sources.clicrdv.directory import (
    Directory,
    address_of,
    fields_of_service,
    fields_of_staff,
    name_of,
    names_of,
)
from calferry.sources.clicrdv.ids import id_of
from calferry.sources.clicrdv.marks import Mark, Reader
from calferry.sources.clicrdv.probes import PROBES
from calferry.sources.clicrdv.replies import Replies
from calferry.sources.clicrdv.rows import (
    deletion_in,
    fields_of_customer,
    is_block,
    not_booked,
    services_of,
    to_appointment,
)
from calferry.sources.clicrdv.settings import Settings
from calferry.sources.clicrdv.times import Offsets, Span, is_repeated, span_of, wall_of
from calferry.sources.clicrdv.windows import between, conditions, wall_at
from calferry.sources.clicrdv.xml import offsets_in
from calferry.sources.clicrdv.zones import zone_of
from calferry.sources.fields import Row, is_bare, part_of, text_of
from calferry.sources.months import by_month, months, proven
from calferry.sources.probing import findings
from calferry.tokens import TokenFile

log = logging.getLogger(__name__)

KIND = "clicrdv"

CUSTOMERS = "fiches"
"""The stream of customers. It comes after the appointments: whoever has one by then is in it."""


def build(name: str, settings: Settings, *, clock: Clock, tokens: TokenFile | None = None) -> ClicrdvSource:  # noqa: ARG001
    """The source that the configuration calls `name`. Connects to nothing yet."""
    return ClicrdvSource(name, settings, clock)


class ClicrdvSource:
    """The appointments of one ClicRDV group, read only; see `calferry.ports.Source`."""

    def __init__(self, name: str, settings: Settings, clock: Clock) -> None:
        self.name = name
        # The ids of one feed may mean something else in the other: they are two accounts.
        self.key = f"{KIND}:{settings.group}" + ("/appointments" if settings.feed == "appointments" else "")
        self.streams = (settings.feed, CUSTOMERS)
        self._settings = settings
        self._clock = clock
        self._api = Api(name, settings, clock)
        self._zone_doubt = ""  # told once as long as this process lasts
        self._root = f"/groups/{settings.group}"
        self._feed = f"{self._root}/{settings.feed}"
        # Where the past is hidden by default, it has to be asked for.
        self._always = {"include_past": "1"} if settings.feed == "appointments" else {}

    def resources(self) -> Batch:
        """The group, its calendars and interventions, and the sets they are in. Customers are a stream."""
        asked_at = self._clock.now()
        group = self._see_group()
        calendars, services = self._some("calendars"), self._some("interventions")
        rooms, ranges = self._names("calendarsets"), self._names("interventionsets")
        self._directory = Directory.of(calendars, services)
        company = {"name": name_of(group), "zone": self._zone.key, "address": address_of(group)}
        return Batch(
            asked_at=asked_at,
            resources=(
                resource_of(self.key, "company", self._settings.group, **company),
                *(resource_of(self.key, "staff", id_of(row), **fields_of_staff(row, rooms)) for row in calendars),
                *(resource_of(self.key, "service", id_of(row), **fields_of_service(row, ranges)) for row in services),
            ),
        )

    def cautions(self) -> Iterator[str]:
        """Whether a configured time zone stands in for the group's own."""
        self._see_group()
        if self._zone_doubt:
            yield self._zone_doubt

    def probe(self) -> Iterator[Finding]:
        """What the account says to the questions in `probes`."""
        replies = Replies(Api(self.name, self._settings, self._clock), self._settings, self._clock.now())
        replies.enter()
        return findings(PROBES, replies)

    def changes(self, stream: str, since: Cursor | None, window: Window) -> Iterator[Batch]:
        """Without a mark everything (of the feed: in the window, by months); with one what changed since, and a while
        before. A batch per page with news; the mark moves once the pages add up."""
        if stream not in self.streams:
            msg = f"ClicRDV has no stream {stream!r}"
            raise ValueError(msg)
        if stream == self._settings.feed:
            self._see_group()
        zone = self._zone
        mark = Mark.read(since, zone.key) if since else Mark(zone.key)
        reader = Reader(mark)
        to_batch = self._customers if stream == CUSTOMERS else self._appointments
        asked_at = self._clock.now()
        for asked in self._asked(stream, mark, window):
            for page in self._api.pages(f"{self._root}/{stream}", asked):
                asked_at = page.asked_at
                reader.at(page.now if page.clocks_agree else None)
                if fresh := reader.fresh(page.rows, wall_at(page.now, zone)):
                    yield to_batch(fresh, asked_at)
        yield Batch(asked_at=asked_at, stream=stream, cursor=reader.mark().cursor())

    def within(self, window: Window) -> Iterator[Batch]:
        """A batch per month. It covers its month once its pages added up, with every row accounted for.

        An empty month counts only where the same listing, without dates, is not empty.
        """
        self._see_group()
        lists: bool | None = None
        for batch in by_month(window, lambda month: proven(month, self._listed)):
            if batch.appointments or batch.deleted or batch.quarantined:
                lists = True
            elif lists is None:
                lists = self._lists_anything()
            yield batch if lists else replace(batch, covers=None)

    def look_up(self, source_id: str) -> LookUp:
        """Ask for one appointment. ClicRDV says "not found" as well of what it does not show to these credentials."""
        asked_at = self._clock.now()
        path = f"{self._feed}/{segment(source_id)}"
        reply = self._api.row(path)
        if reply is None:
            return NotFound(f"ClicRDV does not find {path}")
        row = part_of(reply, self._settings.feed.removesuffix("s")) or reply
        if id_of(row) != source_id or is_bare(row):
            msg = f"ClicRDV was asked for {path} and answered with another, or with nothing but its id"
            raise Unavailable(msg)
        batch = self._appointments([row], asked_at)
        return Gone(batch.deleted[0].evidence) if batch.deleted else Found(batch)

    def _asked(self, stream: str, mark: Mark, window: Window) -> Iterator[Asked]:
        """The listings that make up a stream from its mark on."""
        always = {} if stream == CUSTOMERS else self._always
        if mark.latest:
            yield always | conditions(("updated_at", ">=", mark.since))
        elif stream == CUSTOMERS:
            yield always
        else:
            for month in months(window):
                yield always | between(month, self._zone)

    def _listed(self, month: Window) -> Batch:
        asked_at = self._clock.now()
        rows: list[Any] = []
        proven = True
        try:
            for page in self._api.once(self._feed, self._always | between(month, self._zone)):
                rows += page.rows
        except Shifted:
            proven = False
        batch = self._appointments(rows, asked_at)
        known = all(row.source_id for row in batch.quarantined)
        return replace(batch, covers=month) if proven and known else batch

    def _lists_anything(self) -> bool:
        """Whether the feed has rows at all. A listing that has none may just as well not show them to us."""
        return bool(next(self._api.once(self._feed, self._always)).rows)

    def _appointments(self, rows: Sequence[Any], asked_at: datetime) -> Batch:
        return batch_of(self._settings.feed, map(self._read, rows), asked_at)

    def _read(self, row: Any) -> Appointment | Deletion | Quarantined:
        source_id = id_of(row) if isinstance(row, dict) else ""
        if not source_id:
            return Quarantined("", "a row without a readable id")
        if is_bare(row):
            return Quarantined(source_id, "it holds nothing but its id")
        try:
            if evidence := deletion_in(row) or self._not_booked(row):
                return Deletion(source_id, evidence)
            block = self._settings.feed == "vevents" and is_block(row)
            span = self._span(row)
            return to_appointment(row, self.key, self._settings.group, span, self._directory, block=block)
        except Refused as reason:
            return Quarantined(source_id, str(reason))

    def _not_booked(self, row: Row) -> str:
        """Whatever is in the other feed is an appointment."""
        return not_booked(row) if self._settings.feed == "vevents" else ""

    def _span(self, row: Row) -> Span:
        start = wall_of(text_of(row.get("start")), "start")
        ending = text_of(row.get("end"))
        end = wall_of(ending, "end") if ending else None
        walls = [wall for wall in (start, end) if wall is not None and wall.tzinfo is None]
        offsets = self._offsets(row) if any(is_repeated(wall, self._zone) for wall in walls) else {}
        services = self._directory.services
        minutes = sum(services[one].minutes for one in services_of(row) if one in services)
        return span_of(start, end, minutes, self._zone, offsets)

    def _offsets(self, row: Row) -> Offsets:
        """What the XML form of a row says; nothing where we do not get one. Raises Refused where we may later."""
        try:
            return offsets_in(self._api.xml(f"{self._feed}/{segment(id_of(row))}"))
        except (Refused, NotAuthorised, Conflict, http.Missing):
            return {}  # the JSON of the same row was shown to us, so no door is closed that matters
        except Unavailable as problem:
            msg = f"it lies in the hour that the clocks repeat, and its XML form cannot be had ({problem})"
            raise Refused(msg) from problem

    def _customers(self, rows: Sequence[Any], asked_at: datetime) -> Batch:
        fiches = [row for row in rows if isinstance(row, dict) and id_of(row)]
        unread = len(rows) - len(fiches)
        return Batch(
            asked_at=asked_at,
            stream=CUSTOMERS,
            resources=tuple(resource_of(self.key, "customer", id_of(row), **fields_of_customer(row)) for row in fiches),
            quarantined=(Quarantined("", f"{unread} customers without a readable id"),) if unread else (),
        )

    @cached_property
    def _directory(self) -> Directory:
        """Services and calendars, asked for when the first row needs them; renewed with the resources."""
        return Directory.of(self._some("calendars"), self._some("interventions"))

    @cached_property
    def _zone(self) -> ZoneInfo:
        return self._zone_in(self._ask_for_group())

    def _see_group(self) -> Row:
        """The group, which has to be visible before anything else is believed; its zone is taken anew."""
        group = self._ask_for_group()
        self._zone = self._zone_in(group)
        return group

    def _ask_for_group(self) -> Row:
        wanted = self._settings.group
        reply = self._api.row(self._root)
        group = part_of(reply, "group") or reply if reply else {}
        if id_of(group) == wanted:
            return group
        if reply is not None:
            msg = f"ClicRDV was asked for group {wanted} and answered with another"
            raise Unavailable(msg)
        rows = [row for page in self._api.pages("/groups", {}) for row in page.rows if isinstance(row, dict)]
        seen = ", ".join(sorted(map(id_of, rows))) or "none"
        msg = f"ClicRDV does not show group {wanted} to source {self.name!r}; the groups it shows: {seen}"
        raise NotAuthorised(msg)

    def _zone_in(self, group: Row) -> ZoneInfo:
        said = text_of(group.get("timezone"))
        if zone := zone_of(said) if said else None:
            return zone
        if zone := zone_of(self._settings.time_zone) if self._settings.time_zone else None:
            doubt = f"the time zone of the group ({said!r}) is not known here; {zone.key} is used"
            if doubt != self._zone_doubt:
                log.warning("%s: %s", self.name, doubt)
            self._zone_doubt = doubt
            return zone
        msg = f"the time zone of group {self._settings.group} ({said!r}) is not known here; name it: time_zone = …"
        raise Unavailable(msg)

    def _some(self, what: str) -> Sequence[Row]:
        """All of a kind that every practice has. None at all means that we are taken for a stranger."""
        if rows := self._all(what):
            return rows
        msg = f"ClicRDV shows source {self.name!r} no {what}: it may take the email and password for a customer's"
        raise Unavailable(msg)

    def _names(self, sets: str) -> dict[str, str]:
        """The names of sets. No rule and no template needs them: calferry goes on without."""
        try:
            return names_of(self._all(sets))
        except (NotAuthorised, Unavailable) as problem:
            log.warning("%s: left out the names of %s (%s)", self.name, sets, problem)
            return {}

    def _all(self, what: str) -> Sequence[Row]:
        rows = {
            id_of(row): row
            for page in self._api.pages(f"{self._root}/{what}", {})
            for row in page.rows
            if isinstance(row, dict) and id_of(row)
        }
        return list(rows.values())
