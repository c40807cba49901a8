"""The seams. Whatever stands behind one of these can be exchanged without the core noticing.

Each has a contract suite in `tests/contracts/`; the docstrings here are what those suites ask.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from calferry.errors import CalferryError
from calferry.model import (
    Answer,
    Appointment,
    Batch,
    Change,
    Cursor,
    Deletion,
    Event,
    Failure,
    Intent,
    LookUp,
    Marked,
    Outcome,
    Placement,
    Receipt,
    Removal,
    Resource,
    Wanted,
    Window,
)


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, aware, in UTC."""
        ...


class Source(Protocol):
    """A booking account. `key` is `kind:tenant`: stable, whatever `name` the configuration gives it.

    Every method raises NotAuthorised or Unavailable rather than answer less than it was asked for. A row that cannot
    be read is put into the batch's `quarantined` and the others go on.
    """

    @property
    def name(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def streams(self) -> tuple[str, ...]:
        """What `changes` can follow. The first one is that of the appointments; none of the others ends a pull."""
        ...

    def resources(self) -> Batch:
        """All that appointments refer to, whole: staff, services, the company."""
        ...

    def changes(self, stream: str, since: Cursor | None, window: Window) -> Iterator[Batch]:
        """What changed since the cursor: quick, may miss deletions. Without a cursor: everything in `window`.

        The cursor comes with the last batch. Raises CursorExpired when the booking system no longer knows the cursor.
        """
        ...

    def within(self, window: Window) -> Iterator[Batch]:
        """Everything in `window`, in slices: slow. A slice that proves itself complete says so in `covers`."""
        ...

    def look_up(self, source_id: str) -> LookUp:
        """One appointment by its id. Anything but a definite answer raises."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """What a booking system calls when an appointment changes: its own id of the hook, and the address it calls."""

    id: str
    address: str
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a call brings along besides its address: the value of a header, and a user with a password. Secrets."""

    header: str
    user: str
    password: str


@runtime_checkable
class Hooked(Protocol):
    """A source whose booking system calls an address when an appointment changes; not all can.

    `hook` and `unhook` change something there, and nothing else of calferry does: only `calferry hooks` calls them.
    All but `told_of` raise as a Source does.
    """

    def hooks(self) -> Sequence[Hook]:
        """All hooks of the account, whosever."""
        ...

    def hook(self, address: str, proof: Proof) -> Hook:
        """Have the address called from now on. Never tried a second time: it may have been done."""
        ...

    def unhook(self, hook: Hook) -> None:
        """Have it called no more. One that is not there any more is no error."""
        ...

    def told_of(self, call: Mapping[str, object]) -> str:
        """The source id in the content of a call; empty where there is none. Pure, and nothing else is read."""
        ...

    def missed(self, hook: str, since: datetime) -> Sequence[str]:
        """Source ids of the calls by a hook (its id) since then (UTC) that were not answered as they should be. Empty
        where the booking system keeps no book of them."""
        ...


@runtime_checkable
class Cautious(Protocol):
    """A source or a target that can tell beforehand what a person should know; not all can."""

    def cautions(self) -> Iterator[str]: ...  # sentences without a customer's data; reads only, raises as its kind does


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a live account says to a question that its documents leave open.

    `answer` is "yes", "no", or "could not tell: " and why; `probe` is how it was asked. `evidence` is the shape of what
    was answered, and none of what it says of anybody. `consequence` is what calferry does in that case.
    """

    question: str
    probe: str
    answer: str
    evidence: str
    consequence: str


@runtime_checkable
class Probing(Protocol):
    """A source that can put such questions to its account; not all can."""

    def probe(self) -> Iterator[Finding]:
        """All of them, at most 25 GET requests and those that signing in takes. Raises as a Source does, where nobody
        is there to ask."""
        ...


class Target(Protocol):
    """A connection to calendars. `batch` is the largest number of changes one request carries."""

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def batch(self) -> int: ...

    def canonical(self, calendar: str) -> str:
        """The one key (`kind:id`) of the calendar that `calendar` names; aliases resolve to the same key.

        Pure. Raises Refused when the configuration does not permit that calendar.
        """
        ...

    @property
    def basis(self) -> str:
        """The options that decide what `canonical` and `fit` answer."""
        ...

    @property
    def edition(self) -> str:
        """The version of `fit`: another one may answer otherwise."""
        ...

    def lane(self, calendar: str) -> str:
        """Calendars (keys) of one lane are written with one credential and can share a request. Pure."""
        ...

    def fit(self, event: Event) -> Event:
        """The event as this target can hold it: cut, canonical, valid. Pure and idempotent.

        Raises Refused when there is no way to hold it.
        """
        ...

    def encode(self, change: Change) -> bytes:
        """The exact request for a change. Pure: the same change gives the same bytes."""
        ...

    def apply(self, intents: Sequence[Intent]) -> Iterator[Outcome]:
        """Carry out intents of one lane, at most one per uid and calendar. Yields exactly one outcome for each.

        Never raises for one of them: a Failure's error says Refused (set it aside), Conflict (nothing of ours stands
        under this identity and nothing will: raise the generation), NotAuthorised (with the calendar that is closed, or
        None), or Unavailable (perhaps done, perhaps not: replay it unchanged). Doing an intent twice is the same as
        doing it once.
        """
        ...

    def ours(self, calendar: str) -> Iterator[Marked]:
        """Every event in the calendar (key) that carries a calferry mark, whosever. Raises as `apply` fails."""
        ...


@runtime_checkable
class Looking(Protocol):
    """A target that can be asked for single events of anybody's; not all can."""

    def stands(self, calendar: str, hrefs: Sequence[str]) -> Mapping[str, bool | CalferryError]:
        """By href whether such an event stands in the calendar (a key), for at most `batch` of them.

        What cannot be told is an error: NotAuthorised, Unavailable, or Refused for what is no href.
        """
        ...


class Dialogue(Protocol):
    """The person who connects a target, at a terminal or before a program that reads what is told."""

    def tell(self, text: str) -> None:
        """Say a sentence, an address or a code: one line, or several."""
        ...

    def ask(self, question: str) -> str:
        """The line that was typed, without the spaces around it. Raises NotAuthorised where nobody can answer."""
        ...

    def open(self, url: str) -> bool:
        """Show a page in a browser on this machine. Whether there is one; it may show the page all the same."""
        ...


@runtime_checkable
class Connecting(Protocol):
    """A target that has to be let in by somebody; one that needs nothing is not."""

    def connect(self, dialogue: Dialogue) -> Iterator[str]:
        """Sign in by a real call, and keep what it leaves behind; then say what was found, a sentence each.

        Who was let in, with which rights, until when, where that is kept. Where the configuration holds all it takes
        to sign in, nobody is asked. What was kept before is replaced only once somebody else has been let in. Writes to
        no calendar. Raises NotAuthorised (refused, withdrawn, run out), Unavailable and ConfigError.
        """
        ...


@runtime_checkable
class Proving(Protocol):
    """A target that can tell without writing whether it may write."""

    def prove(self, calendar: str) -> None:
        """Raise NotAuthorised, naming the right that is missing, where the calendar (key) may not be written.

        Reads only. Raises as `apply` fails.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """A credential ends: `what` ("the certificate"), `at` (UTC), and the `remedy`, a sentence without a full stop."""

    what: str
    at: datetime
    remedy: str


@runtime_checkable
class Expiring(Protocol):
    """A target that may know when its credential ends."""

    def expiry(self) -> Expiry | None:
        """When it ends, as far as this machine knows. Asks nobody, and never raises."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a batch did to the ledger: numbers of appointments, resources and rows."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    quarantined: int = 0
    resources: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An appointment to route. `deletion` quotes the evidence once the booking system let go of it.

    `reconfigured` says that it was last routed by another basis than today's, or that another reading of its row
    changed it since: what leaves a calendar now may be the configuration's doing.
    """

    uid: str
    revision: int
    appointment: Appointment
    deletion: str
    deletion_weak: bool
    reconfigured: bool
    placements: tuple[Placement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """Where one appointment belongs.

    `wanted` maps (calendar key, target, route) to what shall be there; placements not named stay as they are.
    `unrouted` says, for a person, why it has no (new) place; empty when it has. `look_again_at` is the time (UTC) at
    which the answer may change by itself.
    """

    uid: str
    revision: int
    wanted: Mapping[tuple[str, str, str], Wanted]
    unrouted: str = ""
    look_again_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A calendar as the brakes see it.

    `held` events it has acknowledged that have not ended yet; deletions it has acknowledged in the last 24 hours, on
    `weak` and on `explicit` evidence. Moves to another owner's calendar do not count.
    """

    held: int = 0
    weak: int = 0
    explicit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """A deletion that waits for a person, or that a person rejected: what would leave which calendar, why, and why not.

    `source` is the key of its booking account, `source_id` and `starts_at` (UTC) are its appointment's; they are empty
    where the ledger lost it. `asked_for` are the ids that the booking system can be asked for: of a session, those of
    its bookings.
    """

    calendar: str
    uid: str
    target: str
    removal: Removal
    reason: str
    rejected: bool
    source: str = ""
    source_id: str = ""
    asked_for: tuple[str, ...] = ()
    starts_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """What a person lets rest: nothing is asked of it until it is resumed, or until then (UTC).

    `what` is source, target or calendar; `name` the key of the account or calendar, or the target's name.
    """

    what: str
    name: str
    reason: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """Something that waits for a person: a parked deletion, or something set aside as it is.

    `where` is the calendar or source key, or `targets.NAME`; `what` one of parked, refused, unrouted, quarantined,
    paused, unreachable, unproven, unread, expiring, drift, mass update; `id` the uid, source id or stream (empty for a
    whole calendar, source or target); `reason` a sentence without a customer's data.
    """

    where: str
    what: str
    id: str
    reason: str

    @property
    def parked(self) -> bool:
        return self.what == "parked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """How a calendar fares: whether something is to be written there or under way, whether it is left alone for now,
    and when it was last surveyed (UTC)."""

    calendar: str
    target: str
    outstanding: bool
    paused: bool
    surveyed_at: datetime | None


class Intake(Protocol):
    """The ledger as `pull` sees it. Every method is one transaction."""

    def cursor(self, source: str, stream: str) -> Cursor | None: ...

    def record(self, source: str, batch: Batch, reading: str = "") -> Recorded:
        """Store a batch whole: appointments, resources, deletions, quarantine and cursor, all or nothing.

        `reading` stands for the options by which the source reads its rows, '' where it has none. What another one
        than before changes in an appointment is the configuration's doing (`Pending.reconfigured`).

        A row asked for earlier than what is held is ignored. An unchanged row gets no new revision. A changed resource
        gives every appointment that uses it a new revision. A row that is found is neither unlisted nor quarantined
        any more, and an appointment that was deleted lives again. A resource absent from a batch is kept.
        """
        ...

    def newest(self, source: str) -> datetime | None:
        """The latest `asked_at` of any batch recorded (UTC): no later answer may be taken for an older one."""
        ...

    def last(self, source: str, task: str) -> datetime | None:
        """When `task` ("resources", "near", "all", "pull" …) was last completed, in UTC."""
        ...

    def complete(self, source: str, task: str, at: datetime) -> None: ...

    def lacks_resources(self, source: str) -> bool:
        """Whether an appointment recorded since the resources were last completed uses one that is not held."""
        ...

    def unlist(self, source: str, covered: Window, seen: Collection[str], before: datetime) -> int:
        """Mark as unlisted every live appointment lying wholly inside `covered` whose source id is not in `seen`.

        Rows learnt of at or after `before` (the time the listing was asked for) and rows vouched for beyond it are
        left alone. Returns the number newly marked. Being unlisted deletes nothing.
        """
        ...

    def unlisted(self, source: str, now: datetime, limit: int) -> Sequence[Appointment]:
        """Unlisted live appointments whose next look-up is due: those first that were never asked for, or whose proof
        does not count any more, and of these the longest due."""
        ...

    def open(self, source: str, now: datetime) -> int:
        """How many unlisted live appointments were never asked for, or have a proof that does not count any more."""
        ...

    def answer(self, source: str, answer: Answer, at: datetime) -> None:
        """File what came of asking for an unlisted appointment.

        It counts for an hour, and for three days where it proves what the look-up before it proved: then the next one
        is due.
        """
        ...

    def answers(self, source: str, now: datetime) -> Sequence[Answer]:
        """What proves that unlisted appointments are gone, as far as it counts at `now`."""
        ...

    def relist(self, source: str) -> None:
        """Take the unlisted mark back from every appointment: the listing that gave rise to it was wrong."""
        ...

    def doubt(self, source: str, source_id: str, at: datetime) -> None:
        """Mark a live appointment as unlisted, vouched for or not: asked for by its id, it was not found."""
        ...

    def vouch(self, source: str, source_id: str, until: datetime) -> None:
        """It was found by its id though a listing left it out: no listing makes it unlisted again before then."""
        ...

    def controls(self, appointment: Appointment, limit: int) -> Sequence[str]:
        """Source ids of other live, listed appointments of the same account and, where it has one, owner; those
        nearest in time first."""
        ...

    def bury(self, source: str, deletions: Sequence[Deletion], *, weak: bool, asked_at: datetime) -> None:
        """File that the booking system no longer has these appointments, and what proves it."""
        ...

    def defer(self, source: str, source_id: str, until: datetime) -> None:
        """Look a quarantined appointment up no earlier than `until`."""
        ...

    def live(self, source: str, source_id: str) -> Appointment | None:
        """The appointment held by that id, while it lives."""
        ...

    def forget(self, source: str, source_id: str) -> None:
        """Take a row out of quarantine that the booking system does not have, if no live appointment is held by
        that id."""
        ...

    def quarantined(self, source: str, now: datetime, limit: int) -> Sequence[tuple[str, int]]:
        """Source ids (not the unreadable ones) in quarantine whose next look-up is due, with the attempts so far."""
        ...

    def pause(self, source: str, reason: str, until: datetime) -> None:
        """Ask nothing of a source until then."""
        ...

    def pauses(self, source: str) -> int:
        """How many pauses in a row a source has had without an answer between them."""
        ...

    def is_paused(self, source: str, now: datetime) -> bool:
        """Whether nothing shall be asked of a source at `now`, for a pause or because a person lets it rest."""
        ...

    def welcome(self, source: str) -> None:
        """A source answers: its pauses start short again."""
        ...


class Routing(Protocol):
    """The ledger as `route` sees it. Every method is one transaction."""

    def begin(self, source: str, basis: str, edition: str) -> None:
        """Start routing a source by the configuration that `basis` stands for and the code that `edition` does.

        Another one of either than before looks at every row; another basis calls what it moves *reconfigured*.
        """
        ...

    def gather(self, source: str) -> None:
        """Make of the bookings of each session an appointment of its own, where they changed since the mark.

        It is `gathered` (see `calferry.sessions`), and pending like any other; nothing makes it unlisted or a control.
        """
        ...

    def pending(self, source: str, now: datetime, limit: int) -> Sequence[Pending]:
        """The next appointments to route, by revision: changed since the mark, or due to be looked at again."""
        ...

    def resources(self, source: str, keys: Collection[str]) -> Mapping[str, Resource]: ...

    def resources_of_kind(self, source: str, kind: str) -> Sequence[Resource]: ...

    def settle(self, source: str, routed: Iterable[Routed]) -> None:
        """Store where appointments belong, and move the route's mark past them, in one transaction.

        A placement set aside or parked whose wanted changes is free again; one that stands aside is in any case. What
        it wanted before is remembered while that is what is written. Placements are never dropped: they keep the
        generation. A removal where there is no placement stores nothing.
        """
        ...


class Outbox(Protocol):
    """The ledger as `push` sees it. Every method is one transaction."""

    def due_calendars(self, now: datetime) -> Sequence[tuple[str, str]]:
        """(calendar key, target) of all calendars with something to write, and no pause that lasts beyond `now`. A
        calendar rests with its target."""
        ...

    def unsettled(self, calendar: str, now: datetime) -> Sequence[Intent]:
        """Intents without an outcome that are due to be sent again, oldest first."""
        ...

    def due(self, calendar: str, now: datetime) -> Sequence[Placement]:
        """Placements whose wanted differs from written, that are free: not parked, no unsettled intent, not set aside
        until later, not standing aside."""
        ...

    def unwritten(self, calendar: str, uids: Collection[str]) -> Collection[str]:
        """Those of which this calendar holds no event of ours, nor may hold one (nothing is under way there), nor gets
        the event that shall leave another."""
        ...

    def stand_aside(self, calendar: str, uids: Collection[str], reason: str, at: datetime) -> None:
        """Write nothing for these placements: the calendar holds the appointment already, by another hand.

        They are free again once their appointment is looked at again, and a day later while their event has not ended.
        """
        ...

    def holds(self, calendar: str, uid: str) -> bool:
        """Whether the calendar has acknowledged the event, it is the one wanted there, and nothing is under way."""
        ...

    def standing(self, target: str, now: datetime) -> Mapping[str, Standing]:
        """By calendar key, what the brakes measure against: every calendar of the target that ever held an event."""
        ...

    def intend(self, intents: Sequence[Intent], at: datetime) -> Sequence[Intent]:
        """Put intents on disk. A uid has at most one unsettled intent per calendar.

        Returns those that were stored: an intent whose placement wants something else by now is left out.
        """
        ...

    def file(self, receipts: Sequence[Receipt], at: datetime) -> None:
        """Settle the intents that these receipts answer. A filed deletion raises the generation."""
        ...

    def fail(self, failure: Failure, at: datetime) -> None:
        """File a failure by its class.

        Refused: the intent is dropped and the placement set aside with its reason, with growing pauses (1 h … 24 h).
        Conflict: the intent is dropped, the generation raised, and nothing counts as written. NotAuthorised and
        Unavailable: the intent stays unsettled, for an earlier try may have been carried out; it is due again at once,
        then after growing pauses (2, 4, 8, 15 minutes).
        """
        ...

    def park(self, calendar: str, uids: Collection[str], reason: str, at: datetime) -> None:
        """Hold placements back until their wanted changes or a person decides."""
        ...

    def held_back(self) -> Sequence[HeldBack]:
        """All deletions that wait for a person or were rejected, by calendar and start."""
        ...

    def decide(self, calendar: str, uids: Collection[str], *, approved: bool, at: datetime) -> Collection[str]:
        """A person decided on deletions that are held back: no brake stops them, or they stay, until something else is
        wanted there. Returns those that were held back."""
        ...

    def alarm(self, calendar: str, reason: str, at: datetime) -> None:
        """Most of a calendar is about to be updated at once: a person is told of that for a day."""
        ...

    def pause(self, calendar: str, reason: str, until: datetime) -> None:
        """Leave a calendar alone until then."""
        ...

    def pauses(self, calendar: str) -> int:
        """How many pauses in a row a calendar has had without a receipt between them."""
        ...

    def surveyed(self, calendar: str) -> datetime | None: ...

    def survey(self, calendar: str, found: Sequence[Marked], at: datetime) -> None:
        """File a survey. An event of ours that bears this ledger's mark but no receipt, or another fingerprint than its
        receipt, gets its receipt back, where a placement for its uid exists at that generation or below."""
        ...


class Pauses(Protocol):
    """The ledger as a person pauses and resumes it. Every method is one transaction."""

    def rest(self, rest: Rest, at: datetime) -> None:
        """Let it rest from now on, in place of any rest it had. What is under way is ended as usual."""
        ...

    def resume(self, what: str, name: str, at: datetime) -> bool:
        """End its rest and its pause, and count its pauses anew. In the calendar, or in all calendars of the target,
        what was set aside until later is due at once. Returns whether there was a rest or a pause to end."""
        ...

    def rests(self, now: datetime) -> Sequence[Rest]:
        """All that rests at `now`."""
        ...

    def calendars(self) -> Mapping[str, str]:
        """The keys of all calendars that something was ever wanted in, with the target that reaches them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """A trouble that somebody was told of: since when it was one (UTC), and how large it was."""

    key: str
    since: datetime
    size: int


class AlertBook(Protocol):
    """The ledger as whoever raises an alert sees it. Every method is one transaction. To observe nothing new writes
    nothing."""

    def since(self) -> Mapping[str, datetime]:
        """The troubles that were last observed, by key, and since when (UTC)."""
        ...

    def observe(self, found: Mapping[str, datetime]) -> None:
        """These are the troubles now. One that was observed before keeps its time; all others are over."""
        ...

    def told(self, channel: str) -> Mapping[str, Telling]:
        """What a channel was told of and not yet that it is over, by key."""
        ...

    def file(self, channel: str, told: Iterable[Telling], over: Collection[str], at: datetime) -> None:
        """A channel was told of these troubles, and that those of the keys in `over` are over."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Nudge:
    """Somebody said that there is something new: in the appointment `source_id`, or ('') somewhere. `hint` is another
    text each time that it is said; `attempts` counts the times that it was asked for in vain since."""

    source_id: str
    hint: str
    attempts: int = 0


class Nudges(Protocol):
    """The ledger as those see it who know of something new. Every method is one transaction."""

    def nudge(self, source: str, source_ids: Collection[str], at: datetime) -> None:
        """Have these appointments asked for at once, or ('') the source pulled. What waits already waits once."""
        ...

    def nudged(self, now: datetime) -> Sequence[tuple[str, bool]]:
        """Source keys with a nudge that is due, each with whether it is one for a pull; a source may have both."""
        ...

    def due(self, source: str, now: datetime, limit: int) -> Sequence[Nudge]:
        """The nudges that name an appointment and are due, the longest due first."""
        ...

    def wishes(self, source: str) -> Sequence[Nudge]:
        """The nudge for a pull, if there is one."""
        ...

    def postpone(self, source: str, nudge: Nudge, until: datetime) -> None:
        """It is asked for, or was in vain: an attempt more, and not due again before then, unless nudged anew."""
        ...

    def settle(self, source: str, settled: Sequence[Nudge]) -> None:
        """They were answered. What was said again since then stays."""
        ...


class Ledger(Protocol):
    """What calferry remembers. `id` is drawn once and marks every event that this ledger answers for."""

    @property
    def id(self) -> str: ...

    @property
    def installation(self) -> str: ...

    @property
    def intake(self) -> Intake: ...

    @property
    def routing(self) -> Routing: ...

    @property
    def outbox(self) -> Outbox: ...

    @property
    def pauses(self) -> Pauses: ...

    @property
    def alerts(self) -> AlertBook: ...

    @property
    def nudges(self) -> Nudges: ...

    def attention(self, now: datetime) -> frozenset[Attention]:
        """All that waits for a person at `now`."""
        ...

    def vitals(self, now: datetime) -> Sequence[Vitals]:
        """How every calendar fares, by key. Reads no more rows than there are calendars and things outstanding."""
        ...

    def trim(self, before: datetime) -> int:
        """Forget what the journal tells of, and which deletions were acknowledged, before then (UTC). Returns the
        number of rows. Many small transactions."""
        ...

    def lock(self, name: str) -> AbstractContextManager[None]:
        """Hold `name` alone among all processes; freed by the kernel when a process dies.

        Waits up to 60 seconds, then raises LedgerBusy.
        """
        ...
