"""Google Calendar as a target."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from calferry.errors import CalferryError, ConfigError, NotAuthorised, Refused
from calferry.model import Change, Event, Failure, Intent, Marked, Outcome, Receipt
from calferry.ports import Expiry
from calferry.targets.asking import Verdict, ask, settle
from calferry.targets.google import comparing, events
from calferry.targets.google.answers import Answer, Reply, no_verdict, trouble
from calferry.targets.google.events import FIT_VERSION, KIND, Request
from calferry.targets.google.identity import Identity
from calferry.targets.google.memory import SIGN_IN, Memory, kept
from calferry.targets.google.own import OwnCalendars, home, located
from calferry.targets.google.quota import Quota
from calferry.targets.google.settings import OWNER, Settings
from calferry.targets.google.sign_in import SignIn
from calferry.targets.google.transport import Transport, reaching
from calferry.targets.google.verdicts import next_step, stands
from calferry.targets.texts import clean

if TYPE_CHECKING:
    from calferry.feeds import Shelf
    from calferry.ports import Clock, Dialogue
    from calferry.tokens import TokenFile

COMMAND = "calferry connect"

WRITERS = frozenset({"writer", "owner", "writerWithoutPrivateAccess"})
"""The values of `accessRole` that let us write ("Events: list")."""

REQUIRED = {"error": {"errors": [{"reason": "requiredAccessLevel"}]}}
"""What a write would be answered."""

TITLE = 200
"""Characters of the title of a calendar that we make."""


def build(
    name: str,
    settings: Settings,
    *,
    clock: Clock,
    shelf: Shelf | None = None,  # noqa: ARG001
    tokens: TokenFile | None = None,
) -> GoogleTarget:
    """The target that a configuration describes. Nothing is sent yet."""
    return GoogleTarget(name, settings, Memory(tokens), clock)


class GoogleTarget:
    """Calendars of Google, reached with one service account, or as somebody who signed in."""

    kind = KIND

    def __init__(self, name: str, settings: Settings, memory: Memory, clock: Clock) -> None:
        self.name = name
        self.batch = settings.batch
        self._settings = settings
        self._memory = memory
        self._clock = clock
        self._transport = Transport(settings, Identity(name, settings, memory), Quota(memory, clock), clock)
        self._own = OwnCalendars(self._transport, memory, clock)
        self._places: dict[str, str] = {}

    def canonical(self, calendar: str) -> str:
        """`google:` and the calendar's id in lower case; "primary" is the calendar of whom we act as.

        Of a calendar that we make: `google:`, the address of whom we act as in lower case, `/` and its title.
        """
        identity = self._own_identity(calendar) if self._settings.own_calendars else self._identity(calendar)
        if not identity:
            wanted = "give its title" if self._settings.own_calendars else "give its id (an address)"
            if self._settings.own_calendars and self._acts_as_owners:
                wanted = 'give an address, "/" and a title'
            msg = f"target {self.name}: {calendar!r} does not name a calendar; {wanted}"
            raise Refused(msg)
        if not self._permits(identity):
            msg = f"target {self.name}: {_address(identity)} is not in allow ({', '.join(self._settings.allow)})"
            raise Refused(msg)
        return f"{KIND}:{identity}"

    def _identity(self, calendar: str) -> str:
        identity = calendar.strip().lower()
        if identity == "primary" and not self._acts_as_owners:
            return self._settings.account.lower()
        return "" if identity in (OWNER, "primary") else identity

    def _own_identity(self, calendar: str) -> str:
        address, slash, title = calendar.strip().partition("/")
        if not self._acts_as_owners and (not slash or address.lower() != self._settings.account.lower()):
            address, title = self._settings.account, calendar
        title = clean(" ".join(title.split()), TITLE)
        return f"{address.lower()}/{title}" if title and "@" in address and "{" not in address else ""

    @property
    def basis(self) -> str:
        """JSON of the options that decide which calendar a name means."""
        own = ["own"] if self._settings.own_calendars else []
        return json.dumps([self._settings.subject, self._settings.allow, *own])

    @property
    def edition(self) -> str:
        return FIT_VERSION

    def lane(self, calendar: str) -> str:
        """Whom we act as in that calendar (a key)."""
        return _address(calendar) if self._acts_as_owners else self._settings.account

    @property
    def _acts_as_owners(self) -> bool:
        return self._settings.subject == OWNER

    def connect(self, dialogue: Dialogue) -> Iterator[str]:
        """See `Connecting`. A service account signs in by itself."""
        if self._settings.installed:
            with reaching():
                yield from SignIn(self.name, self._settings, self._memory, self._transport.client, self._clock).run(
                    dialogue
                )
        self._transport.sign_in(self._settings.account)
        if not self._settings.installed:
            yield f"{self._settings.account} signs in, with no more than {' and '.join(self._settings.scopes)}"
        if self._settings.own_calendars:
            with kept():
                for calendar in self._own.forget_the_gone(self._permits):
                    self._places.pop(home(calendar), None)
                    yield f"{calendar} was deleted in Google Calendar; the next event for it makes it anew"

    def expiry(self) -> Expiry | None:
        """See `Expiring`. Google tells it of a sign-in to an app in "Testing" only."""
        try:
            at = datetime.fromisoformat(str(self._memory.part(SIGN_IN).get("ends")))
        except (ConfigError, ValueError):
            return None
        if at.tzinfo is None:
            return None
        remedy = f"publish its app in the Google Cloud console, then run `calferry connect {self.name}`"
        return Expiry(what=f"the sign-in as {self._settings.account}", at=at, remedy=remedy)

    def fit(self, event: Event) -> Event:
        return events.fit(event)

    def encode(self, change: Change) -> bytes:
        return events.encode(change, dedicated=self._settings.dedicated)

    def apply(self, intents: Sequence[Intent]) -> Iterator[Outcome]:
        """Send in batches, judge each part on its own; further batches settle what the first one left in doubt."""
        closed = dict(self._closed(intents))
        inside = [intent for intent in intents if intent.calendar not in closed]
        known: dict[Request, Reply] = {}
        for start in range(0, len(inside), self.batch):
            yield from self._carry_out(inside[start : start + self.batch], known)
        for intent in intents:
            if intent.calendar in closed:
                yield Failure(calendar=intent.calendar, uid=intent.uid, error=closed[intent.calendar])

    def _closed(self, intents: Sequence[Intent]) -> Iterator[tuple[str, CalferryError]]:
        """The calendars that nothing is sent to, and why. One of our own is made meanwhile, if it is not there."""
        for calendar in dict.fromkeys(intent.calendar for intent in intents):
            try:
                if not self._permits(calendar):
                    raise self._outside(calendar)
                if self._settings.own_calendars:
                    self._place(calendar)
            except CalferryError as error:
                yield calendar, error

    def _place(self, calendar: str) -> None:
        try:
            with kept():
                self._places[home(calendar)] = home(self._own.place(self.lane(calendar), calendar))
        except CalferryError as error:
            raise self._scoped(error, calendar) from error

    def _carry_out(self, intents: Sequence[Intent], known: dict[Request, Reply]) -> Iterator[Outcome]:
        send = partial(self._send, self.lane(intents[0].calendar))
        verdicts = settle(intents, known, next_step, send)
        for intent in intents:
            yield self._outcome(intent, verdicts[intent])

    def _send(self, lane: str, requests: Sequence[Request]) -> dict[Request, Reply]:
        sent = {request: self._located(request) for request in requests}
        replies = self._transport.ask_all(lane, list(sent.values()))
        return {request: replies[one] for request, one in sent.items()}

    def _located(self, request: Request) -> Request:
        """The request as Google knows its calendar. One that we made has an id that no key holds."""
        return located(request, self._places)

    def _outcome(self, intent: Intent, verdict: Verdict) -> Outcome:
        if isinstance(verdict, Receipt):
            return verdict
        return Failure(calendar=intent.calendar, uid=intent.uid, error=self._scoped(verdict, intent.calendar))

    def _outside(self, calendar: str) -> NotAuthorised:
        """What is on disk for a calendar that `allow` no longer holds does not leave."""
        return NotAuthorised(f"target {self.name}: {calendar} is no longer in allow", calendar=calendar)

    def _permits(self, calendar: str) -> bool:
        return self._settings.permits(_address(calendar))

    def _scoped(self, error: CalferryError, calendar: str) -> CalferryError:
        """The error with who is meant, and the command. Where each calendar has a sign-in of its own, a refused one
        closes that calendar, not the connection."""
        if not isinstance(error, NotAuthorised):
            return error
        text = str(error)
        if COMMAND not in text:
            anew = ", and has a calendar that is gone made anew" if self._settings.own_calendars else ""
            acting = f"calferry acts as {self.lane(calendar)}"
            text = f"{text} {acting}; `{COMMAND} {self.name}` shows whether it is let in again{anew}."
        return NotAuthorised(text, calendar=calendar if self._acts_as_owners else error.calendar)

    def prove(self, calendar: str) -> None:
        """See `Proving`. A calendar that is yet to be made will be ours."""
        if not self._permits(calendar):
            raise self._outside(calendar)
        if self._settings.own_calendars and not self._found(calendar):
            return
        role = str(self._listing(calendar, events.rights(calendar)).body.get("accessRole"))
        if role not in WRITERS:
            closed = trouble(Answer(HTTPStatus.FORBIDDEN, REQUIRED), calendar)
            raise self._scoped(closed, calendar)

    def stands(self, calendar: str, hrefs: Sequence[str]) -> Mapping[str, bool | CalferryError]:
        if not self._permits(calendar):
            return dict.fromkeys(hrefs, self._outside(calendar))
        asked = {href: events.named(calendar, href) for href in hrefs}
        known: dict[Request, Reply] = {}
        ask(asked.values(), known, partial(self._send, self.lane(calendar)))
        told = {href: stands(known[request], calendar) for href, request in asked.items()}
        return {
            href: self._scoped(one, calendar) if isinstance(one, CalferryError) else one for href, one in told.items()
        }

    def ours(self, calendar: str) -> Iterator[Marked]:
        """Our events as they stand there. Copies that users made carry our mark under another id: they are theirs."""
        if not self._permits(calendar):
            raise self._outside(calendar)
        if self._settings.own_calendars and not self._found(calendar):
            return  # it is made by the first write
        page = ""
        while True:
            listing = self._listing(calendar, events.survey(calendar, page))
            for item in listing.body.get("items", ()):
                if marked := events.marked(item, calendar):
                    yield marked
            page = listing.body.get("nextPageToken", "")
            if not page:
                return

    def _found(self, calendar: str) -> bool:
        """Whether a calendar of our own is there."""
        try:
            with kept():
                identity = self._own.find(self.lane(calendar), calendar)
        except NotAuthorised as closed:
            raise self._scoped(closed, calendar) from closed
        if identity:
            self._places[home(calendar)] = home(identity)
        return bool(identity)

    def differences(self, calendar: str, found: Marked, event: Event) -> frozenset[str]:
        """In which members, as Google calls them, an event shows something else than was written."""
        try:
            answer = self._transport.ask(self.lane(calendar), self._located(comparing.question(calendar, found.href)))
        except NotAuthorised as closed:
            raise self._scoped(closed, calendar) from closed
        if not answer.ok or "id" not in answer.body:
            raise self._scoped(no_verdict(answer, calendar), calendar)
        return comparing.differences(answer.body, event, found)

    def _listing(self, calendar: str, request: Request) -> Answer:
        """One page."""
        try:
            answer = self._transport.ask(self.lane(calendar), self._located(request))
        except NotAuthorised as closed:
            raise self._scoped(closed, calendar) from closed
        if not answer.lists_events:
            raise self._scoped(no_verdict(answer, calendar), calendar)
        return answer


def _address(calendar: str) -> str:
    """Of a calendar (a key) the id, and of one that we made the address of whose it is."""
    return calendar.removeprefix(f"{KIND}:").partition("/")[0]
