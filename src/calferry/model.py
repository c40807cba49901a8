"""The nouns: frozen values without I/O.

Words are RFC 5545's (`summary`, `transparency`, …, in the spelling of `icalendar.Event.new`) and, for what a calendar
gives back, CalDAV's (`href` is the calendar's own id of an event, `etag` its version). All datetimes are aware.
No id or key holds a NUL, for not every database keeps one.
Appointment and event times carry an IANA zone (`ZoneInfo`), so wall time, zone, UTC instant and fold are all kept;
every other datetime is in UTC.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType

from calferry.errors import CalferryError
from calferry.moments import utc, zone_name

FINGERPRINT_VERSION = "1"
"""Raise it when the same event would be fingerprinted differently: every event is then rewritten."""

MARKED_NAME = 60
"""Characters of an installation's name that every mark holds."""

NAMESPACE = uuid.UUID("5b4b1a52-6f0c-5ad9-9b3f-3a5c1c2d7e10")
"""The namespace of calferry's uids (RFC 9562, section 6.6). It never changes."""


# ── what a booking system says ────────────────────────────────────────────────────────────────────────────────────────


class Status(StrEnum):
    """RFC 5545, section 3.8.1.11: what an appointment amounts to in a calendar."""

    CONFIRMED = "CONFIRMED"
    TENTATIVE = "TENTATIVE"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose appointment it is. `key` is the booking system's id; `email` and `reference`, by which other programs know
    them, are known once their resource is."""

    key: str
    name: str = ""
    email: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """The customer, as far as the booking system tells."""

    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """One appointment as its booking system last told it.

    `source` is the key of the booking account (`kind:tenant`), the same whatever the configuration calls it.
    `said` is the booking system's own status word, `status` what it amounts to. `end` is exclusive. `url` is where it
    takes place, `reschedule_url` the page on which its customer moves it.
    `uses` are the keys (`kind/id`) of the resources whose change can change the event.
    `session` is what a booking has in common with all others of the same session, '' where it has none; one that is
    `gathered` is no booking but that session itself, made of its bookings, whose `customers` it names. A booking has
    one, without a name, where its client was erased: somebody comes all the same.
    `elsewhere` are the events that the booking system says it has written for it itself (kind of target, href), where
    calferry shall stand aside for them.
    """

    source: str
    source_id: str
    start: datetime
    end: datetime
    status: Status
    said: str
    owners: tuple[Owner, ...] = ()
    reference: str = ""
    external_id: str = ""
    custom_status: str = ""
    kind: str = ""
    service: str = ""
    summary: str = ""
    description: str = ""
    location: str = ""
    url: str = ""
    reschedule_url: str = ""
    contact: Contact = Contact()
    price: str = ""
    uses: tuple[str, ...] = ()
    session: str = ""
    gathered: bool = False
    customers: tuple[Contact, ...] = ()
    elsewhere: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Staff, service, company …: what an appointment refers to. `fields` are plain texts: name, email, zone …"""

    source: str
    kind: str
    id: str
    fields: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def key(self) -> str:
        return f"{self.kind}/{self.id}"


@dataclass(frozen=True, slots=True)
class Deletion:
    """The booking system says in so many words that an appointment is gone. `evidence` quotes how."""

    source_id: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A row that could not be read, and why. `source_id` is empty where not even the id was readable."""

    source_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time, both ends aware and in UTC, `end` exclusive."""

    start: datetime
    end: datetime

    def holds(self, start: datetime, end: datetime) -> bool:
        """Whether something from `start` to `end` overlaps this window."""
        return start < self.end and (end > self.start or start >= self.start)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a stream was left: opaque, only its own source can read it."""

    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A page of what a booking system told.

    `asked_at` is the time (UTC) before the request went out: rows older than what the ledger holds are ignored.
    `cursor` comes with the last page only and is stored in one transaction with its rows. `covers` is the window this
    batch lists *completely, and proves it*: only then does absence mean anything.
    """

    asked_at: datetime
    stream: str = ""
    appointments: tuple[Appointment, ...] = ()
    resources: tuple[Resource, ...] = ()
    deleted: tuple[Deletion, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    covers: Window | None = None
    cursor: Cursor | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Asked for by id: here it is, in a batch of one."""

    batch: Batch


@dataclass(frozen=True, slots=True)
class Gone:
    """Asked for by id: the booking system says that it was deleted."""

    evidence: str


@dataclass(frozen=True, slots=True)
class NotFound:
    """Asked for by id: a definite not-found. Evidence only together with a control that is found."""

    evidence: str


LookUp = Found | Gone | NotFound


class Verdict(StrEnum):
    """What came of asking for an unlisted appointment by its id, where it was not found."""

    GONE = "gone"
    """The booking system says that it was deleted."""
    NOT_FOUND = "not found"
    """A definite not-found, and right after it a control that was found."""
    UNPROVEN = "unproven"
    """A definite not-found, but no control was found either."""
    UNANSWERED = "unanswered"

    @property
    def proves(self) -> bool:
        return self in {Verdict.GONE, Verdict.NOT_FOUND}


@dataclass(frozen=True, slots=True)
class Answer:
    """A look-up of an unlisted appointment, with the words that it was answered in and the control it came with."""

    source_id: str
    verdict: Verdict
    evidence: str


# ── what a calendar shall hold ────────────────────────────────────────────────────────────────────────────────────────


class Transparency(StrEnum):
    """RFC 5545, section 3.8.2.7."""

    OPAQUE = "OPAQUE"
    TRANSPARENT = "TRANSPARENT"


class Classification(StrEnum):
    """RFC 5545, section 3.8.1.3. PUBLIC leaves it to the calendar's own default."""

    PUBLIC = "PUBLIC"
    PRIVATE = "PRIVATE"
    CONFIDENTIAL = "CONFIDENTIAL"


@dataclass(frozen=True, kw_only=True)
class Event:
    """What a calendar shows: RFC 5545 words only. `start` and `end` carry an IANA zone; `end` is exclusive.

    `color` (RFC 7986, section 5.9) is a name of CSS, or a word for the calendar's own; empty where that is left alone.
    `called_off` is for the ledger alone: the appointment was called off, and the status policy shows it all the same.
    So is `elsewhere`: the href of the event that the booking system says it has itself written into this calendar.
    """

    uid: str
    start: datetime
    end: datetime
    summary: str
    description: str = ""
    location: str = ""
    url: str = ""
    status: Status = Status.CONFIRMED
    transparency: Transparency = Transparency.OPAQUE
    classification: Classification = Classification.PUBLIC
    categories: tuple[str, ...] = ()
    color: str = ""
    called_off: bool = False
    elsewhere: str = ""

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over what can be seen: instants in UTC with their zone, and the members that are not empty.

        That it was called off counts though nobody sees it: else the ledger would keep the event as it was before.
        Empty members do not count, so a new member rewrites nothing. New zone rules show as other instants.
        """
        visible: dict[str, object] = {
            "start": [utc(self.start).isoformat(), zone_name(self.start)],
            "end": [utc(self.end).isoformat(), zone_name(self.end)],
        }
        for name in ("uid", "summary", "description", "location", "url", "categories", "color", "called_off"):
            if value := getattr(self, name):
                visible[name] = value
        visible["shown"] = [self.status, self.transparency, self.classification]
        text = json.dumps(visible, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(f"{FINGERPRINT_VERSION}|{text}".encode()).hexdigest()


class Why(StrEnum):
    """Why an event has to leave a calendar. There is no deletion without one of these."""

    GONE = "gone"
    CANCELLED = "cancelled"
    MOVED = "moved"
    FILTERED = "filtered"
    RECONFIGURED = "reconfigured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """A calendar shall not hold an event any more: why, and what proves it.

    `weak` marks evidence that a glitch could fake (a not-found, a filter); the brakes trust it less.
    `moved_to` are the keys of the calendars that must hold the event before it may leave this one.
    """

    why: Why
    evidence: str
    weak: bool = False
    moved_to: tuple[str, ...] = ()


Wanted = Event | Removal


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a calendar acknowledged: the fingerprint it now holds (empty after a deletion), its href and etag."""

    calendar: str
    uid: str
    fingerprint: str
    href: str = ""
    etag: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A change that was not acknowledged. The class of `error` says what happens next."""

    calendar: str
    uid: str
    error: CalferryError


Outcome = Receipt | Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """One appointment in one calendar: what it shall hold, and what it last acknowledged.

    `calendar` is the key `kind:canonical id`; `target` is the configured connection that reaches it. `generation`
    counts identities: a calendar that will not take an identity again gets the next one. `before` is the event that was
    written, where it is known and another than the one wanted. `approved` says that a person wants its removal carried
    out. `cause` says, for a person, why another event than before is wanted, '' where the booking system is the cause.
    """

    calendar: str
    uid: str
    target: str
    route: str
    wanted: Wanted
    written: Receipt | None = None
    before: Event | None = None
    generation: int = 0
    approved: bool = False
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What calferry leaves on each of its events, to know them again."""

    installation: str
    ledger: str
    uid: str
    generation: int
    fingerprint: str

    def is_of(self, installation: str) -> bool:
        """Whether it was left by that installation. A calendar may hold no more of a name than its beginning."""
        return self.installation in {installation, installation[:MARKED_NAME]}


@dataclass(frozen=True, slots=True)
class Marked:
    """One of calferry's events as it stands in a calendar."""

    mark: Mark
    href: str
    etag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    calendar: str
    event: Event
    mark: Mark
    why: str = "new"

    @property
    def uid(self) -> str:
        return self.event.uid


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """`before` is for people alone: the event as it stands there, where it is known."""

    calendar: str
    event: Event
    mark: Mark
    receipt: Receipt
    before: Event | None = None
    why: str = "changed"

    @property
    def uid(self) -> str:
        return self.event.uid


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """`approved` by a person: no brake holds it back. `before` as in an Update."""

    calendar: str
    receipt: Receipt
    mark: Mark
    removal: Removal
    before: Event | None = None
    approved: bool = False

    @property
    def uid(self) -> str:
        return self.receipt.uid

    @property
    def why(self) -> str:
        return self.removal.why


Change = Create | Update | Delete


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """The exact request for one change, on disk before its first byte leaves; replayed unchanged until it is settled.

    `request` is what the target's own `encode` wrote, and only the target reads it. `fingerprint` is what the calendar
    holds once it is done (empty for a deletion).
    """

    calendar: str
    uid: str
    target: str
    generation: int
    action: Action
    fingerprint: str
    request: bytes


# ── pure functions over the nouns ─────────────────────────────────────────────────────────────────────────────────────


def uid_of(installation: str, source: str, source_id: str) -> str:
    """The uid of an appointment: rebuildable after a lost ledger, blind to the names of sources and routes."""
    return str(uuid.uuid5(NAMESPACE, json.dumps([installation, source, source_id])))


def label_of(installation: str, calendar: str) -> str:
    """What stands for a calendar's key where no address may be shown: always the same, and it tells nobody whose."""
    return hashlib.sha256(json.dumps([installation, calendar]).encode()).hexdigest()[:10]


def at_least(event: Event, minutes: float) -> Event:
    """The event, made long enough to be seen: calendars refuse or hide what ends when it starts."""
    shortest = timedelta(minutes=minutes)
    if utc(event.end) - utc(event.start) >= shortest:
        return event
    end = (utc(event.start) + shortest).astimezone(event.start.tzinfo)
    return replace(event, end=end)
