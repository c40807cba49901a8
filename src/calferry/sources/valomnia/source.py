"""Asking Valomnia: what changed, whole months, one appointment.

What is not documented, and what is made of it: docs/adapters/valomnia.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from calferry.errors import CursorExpired, Refused, Unavailable
from calferry.model import Appointment, Batch, Cursor, Found, LookUp, NotFound, Quarantined, Resource, Window
from calferry.moments import instant
from calferry.ports import Clock, Finding
from calferry.sources.batches import batch_of
from calferry.sources.fields import Row, id_of, is_bare, text_of
from calferry.sources.months import by_month
from calferry.sources.probing import findings
from calferry.sources.valomnia import place, rows
from calferry.sources.valomnia.assignees import FEW, NO_CLAIMS, Assignees, Claims
from calferry.sources.valomnia.listing import SECOND, Listings
from calferry.sources.valomnia.place import OVERLAP, Place, Trail
from calferry.sources.valomnia.probes import PROBES
from calferry.sources.valomnia.replies import Replies
from calferry.sources.valomnia.rows import reference_of, to_appointment
from calferry.sources.valomnia.session import NotThere, Rejected, Session, Unusable
from calferry.sources.valomnia.settings import Settings
from calferry.tokens import TokenFile

KIND = "valomnia"

APPOINTMENTS, CUSTOMERS, CONTACTS = "appointments", "customers", "contacts"

OWNERS = "owners"
"""The stream of what was learnt of owners: it asks for nothing, and keeps the next process from asking again."""

PEOPLE: Mapping[str, Callable[[Row, str], Resource]] = {CUSTOMERS: rows.customer, CONTACTS: rows.contact}

PEOPLE_EVERY = timedelta(hours=1)
"""How often customers and contacts are asked for when no appointment changed."""

PADDING = timedelta(days=1)
"""Listed before each slice, for what reaches into it. An appointment longer than that is found where it begins."""


def build(name: str, settings: Settings, *, clock: Clock, tokens: TokenFile | None = None) -> ValomniaSource:  # noqa: ARG001
    """The source that the configuration calls `name`. Connects to nothing yet."""
    return ValomniaSource(name, settings, clock)


class ValomniaSource:
    """The appointments of one Valomnia organisation, read only; see `calferry.ports.Source`."""

    streams = (APPOINTMENTS, CUSTOMERS, CONTACTS, OWNERS)

    def __init__(self, name: str, settings: Settings, clock: Clock) -> None:
        self.name = name
        self.key = f"{KIND}:{settings.organisation}"
        self._settings = settings
        self._clock = clock
        session = Session(name, settings)
        self._listings = Listings(session, clock)
        self._assignees = Assignees(session, self._listings, references=settings.references)
        self._news = False

    def resources(self) -> Batch:
        """Users with the names of their employees, and the categories. Customers and contacts are streams."""
        asked_at = self._clock.now()
        self._assignees.forget()
        employees, users, categories = (self._all(name) for name in ("employees", "users", "appointmentCategories"))
        self._users = _by_reference(users)
        names = {text_of(one.get("reference")): rows.full_name(one) for one in employees}
        staff = [rows.staff(user, names, self.key) for user in users]
        services = [rows.service(category, self.key) for category in categories]
        return Batch(asked_at=asked_at, resources=(*staff, *services))

    def probe(self) -> Iterator[Finding]:
        """What the account says to the questions in `probes`."""
        replies = Replies(self.name, self._settings, self._clock.now())
        replies.enter()
        return findings(PROBES, replies)

    def changes(self, stream: str, since: Cursor | None, window: Window) -> Iterator[Batch]:
        """What changed since the cursor, by `lastUpdated`, a batch a page.

        Without a cursor: the appointments in `window`, or all customers or contacts. Those two are asked for in a pass
        in which an appointment changed, and otherwise once an hour: a quiet pass costs one request.
        """
        if stream not in self.streams:
            msg = f"Valomnia has no stream {stream!r}"
            raise ValueError(msg)
        if stream == OWNERS:
            yield from self._remembered(since)
            return
        left = place.read(since) if since else None
        if stream == APPOINTMENTS:
            self._news = False
        elif left and not self._is_due(left):
            return
        try:
            yield from self._followed(stream, left, window)
        except Rejected as refusal:
            if left is None:
                raise
            raise CursorExpired(str(refusal)) from refusal

    def _remembered(self, since: Cursor | None) -> Iterator[Batch]:
        """What the appointments of this pass told of owners, beside what an earlier process knew."""
        if since:
            self._assignees.recall(since)
        if cursor := self._assignees.note():
            yield Batch(asked_at=self._clock.now(), stream=OWNERS, cursor=cursor)

    def within(self, window: Window) -> Iterator[Batch]:
        """A batch per month. It covers its month once the listing proved itself: pages that join, a total that does not
        change and equals the number of ids. A login that sees no appointment at all proves nothing.
        """
        asked_at = self._clock.now()
        claims, total = self._claims(window)
        sees = bool(total or self._listings.count(APPOINTMENTS, {}).total)
        yield from by_month(window, lambda month: self._month(month, claims, asked_at, sees=sees))

    def look_up(self, source_id: str) -> LookUp:
        """Ask for one appointment by its id, or by its reference. Only 404 with `not_found` says that there is none."""
        asked_at = self._clock.now()
        try:
            row = self._assignees.show(source_id)
        except NotThere as answer:
            return NotFound(str(answer))
        if is_bare(row):
            msg = f"Valomnia was asked for appointment {source_id} and answered with nothing but its id"
            raise Unavailable(msg)
        return Found(batch_of(APPOINTMENTS, [self._understood(row)], asked_at))

    # What changed

    def _is_due(self, left: Place) -> bool:
        age = self._clock.now() - left.asked_at
        return self._news or not timedelta(0) <= age < PEOPLE_EVERY

    def _followed(self, stream: str, left: Place | None, window: Window) -> Iterator[Batch]:
        """The pages of a stream, each without what the cursor knows of, and the cursor with the last one."""
        began = self._clock.now()
        trail = Trail(left or Place(self._listings.newest(stream), {}, began), began)
        whole = left is None and stream == APPOINTMENTS
        asked, claims = (_between(window), self._claims(window)[0]) if whole else ({}, NO_CLAIMS)
        batch: Batch | None = None
        for page in self._listings.following(stream, asked, trail.since if left else None):
            trail.check_clock(page)
            if batch:
                yield batch
            batch = self._told(stream, trail.news(page), page.asked_at, claims)
            trail.pass_by(page, _keys(batch))
        if batch:
            yield replace(batch, cursor=trail.cursor())

    def _told(self, stream: str, told: Sequence[Any], asked_at: datetime, claims: Claims) -> Batch:
        if stream != APPOINTMENTS:
            return batch_of(stream, [self._person(stream, row) for row in told], asked_at)
        batch = batch_of(stream, [self._read(row, claims, anew=True) for row in told], asked_at)
        self._news = self._news or bool(batch.appointments)
        return batch

    def _person(self, stream: str, row: Any) -> Resource | Quarantined:
        if not isinstance(row, dict) or not id_of(row):
            return Quarantined("", f"a row of {stream} without a readable id")
        return PEOPLE[stream](row, self.key)

    # Appointments

    def _month(self, month: Window, claims: Claims, asked_at: datetime, *, sees: bool) -> Iterator[Batch]:
        listed = self._listings.whole(APPOINTMENTS, _between(month))
        batch = batch_of(APPOINTMENTS, [self._read(row, claims, anew=False) for row in listed.rows], asked_at)
        batch = replace(batch, covers=month if listed.proven and sees else None)
        cursor = self._assignees.note()
        yield replace(batch, stream=OWNERS, cursor=cursor) if cursor else batch

    def _read(self, row: Any, claims: Claims, *, anew: bool) -> Appointment | Quarantined:
        """A list row as an appointment. What is wrong with one, or with asking for it, is told and stops no other."""
        source_id = id_of(row) if isinstance(row, dict) else ""
        if not source_id:
            return Quarantined("", "a row without a readable id")
        if is_bare(row):
            return Quarantined(source_id, "it holds nothing but its id")
        try:
            rows.times_of(row)
            return self._understood(self._assignees.completed(row, claims, anew=anew))
        except Refused as reason:
            return Quarantined(source_id, str(reason))
        except NotThere:
            return Quarantined(source_id, "it is listed, and not found by its id")
        except Unusable as problem:
            return Quarantined(source_id, str(problem))

    def _understood(self, row: Row) -> Appointment | Quarantined:
        settings = self._settings
        try:
            return to_appointment(row, self.key, zone=settings.zone, references=settings.references)
        except Refused as reason:
            return Quarantined(id_of(row), str(reason))

    def _claims(self, window: Window) -> tuple[Claims, int]:
        """Whose the appointments in `window` are, where lists by employee are the cheaper way to know; and how many
        there are. Lists cannot speak for what was changed, or being changed, when they were asked for.
        """
        asked = _between(window)
        count = self._listings.count(APPOINTMENTS, asked)
        unknown = count.total - self._assignees.known
        if self._settings.references or unknown <= 0 or unknown <= FEW * len(self._users):
            return NO_CLAIMS, count.total
        users = self._assignees.claims(asked, self._users)
        return Claims(users, (count.date or count.asked_at) - OVERLAP), count.total

    @cached_property
    def _users(self) -> Mapping[str, str]:
        """Users by the reference of their employee, asked for when they are needed; renewed with the resources."""
        return _by_reference(self._all("users"))

    def _all(self, resource: str) -> Sequence[Row]:
        listed = self._listings.whole(resource, {})
        if not listed.proven:
            msg = f"Valomnia's listing of {resource} could not prove itself complete"
            raise Unavailable(msg)
        return listed.rows


def _keys(batch: Batch) -> frozenset[str]:
    """The ids of what was told, and need not be told again: what was set aside is asked for again by its id."""
    read = [one.source_id for one in batch.appointments] + [one.id for one in batch.resources]
    return frozenset(read + [one.source_id for one in batch.quarantined])


def _by_reference(users: Iterable[Row]) -> Mapping[str, str]:
    """User by employee reference, where the filter can ask for it; empty where two users are that employee."""
    by_reference: dict[str, str] = {}
    for user in users:
        reference = reference_of(user)
        if reference and "*" not in reference:
            by_reference[reference] = "" if reference in by_reference else id_of(user)
    return by_reference


def _between(window: Window) -> dict[str, str]:
    """Begins in the window or shortly before. No filter asks for the end: a row may have none."""
    return {"startDate_gte": instant(window.start - PADDING), "startDate_lt": instant(window.end + SECOND)}
