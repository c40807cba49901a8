"""Google Calendar as a target."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from calferry.errors import CalferryError, NotAuthorised, Refused
from calferry.model import Change, Event, Failure, Intent, Marked, Outcome, Receipt
from calferry.targets.google import comparing, events
from calferry.targets.google.answers import Answer, Reply, no_verdict
from calferry.targets.google.events import FIT_VERSION, KIND, Request
from calferry.targets.google.settings import OWNER, Settings
from calferry.targets.google.transport import Transport
from calferry.targets.google.verdicts import Verdict, next_step

if TYPE_CHECKING:
    from calferry.feeds import Shelf
    from calferry.ports import Clock


def build(name: str, settings: Settings, *, clock: Clock, shelf: Shelf | None = None) -> GoogleTarget:  # noqa: ARG001
    """The target that a configuration describes. Nothing is sent yet."""
    return GoogleTarget(name, settings, Transport(settings, clock))


class GoogleTarget:
    """Calendars of Google, reached with one service account."""

    kind = KIND

    def __init__(self, name: str, settings: Settings, transport: Transport) -> None:
        self.name = name
        self.batch = settings.batch
        self._settings = settings
        self._account: str = settings.key["client_email"]
        self._transport = transport

    def canonical(self, calendar: str) -> str:
        """`google:` and the calendar's id in lower case; "primary" is the calendar of whom we act as."""
        identity = calendar.strip().lower()
        if identity == "primary":
            identity = (self._settings.subject or self._account).lower()
        if not identity or identity == OWNER:
            msg = f"target {self.name}: {calendar!r} does not name a calendar; give its id (an address)"
            raise Refused(msg)
        if not self._settings.permits(identity):
            msg = f"target {self.name}: {identity} is not in allow ({', '.join(self._settings.allow)})"
            raise Refused(msg)
        return f"{KIND}:{identity}"

    @property
    def basis(self) -> str:
        """JSON of the options that decide which calendar a name means."""
        return json.dumps([self._settings.subject, self._settings.allow])

    @property
    def edition(self) -> str:
        return FIT_VERSION

    def lane(self, calendar: str) -> str:
        """Whom we act as in that calendar (a key)."""
        if self._settings.subject == OWNER:
            return _id(calendar)
        return self._settings.subject or self._account

    def fit(self, event: Event) -> Event:
        return events.fit(event)

    def encode(self, change: Change) -> bytes:
        return events.encode(change, dedicated=self._settings.dedicated)

    def apply(self, intents: Sequence[Intent]) -> Iterator[Outcome]:
        """Send in batches, judge each part on its own; further batches settle what the first one left in doubt."""
        inside = [intent for intent in intents if self._settings.permits(_id(intent.calendar))]
        known: dict[Request, Reply] = {}
        for start in range(0, len(inside), self.batch):
            yield from self._carry_out(inside[start : start + self.batch], known)
        for intent in intents:
            if not self._settings.permits(_id(intent.calendar)):
                yield self._outcome(intent, self._outside(intent.calendar))

    def _carry_out(self, intents: Sequence[Intent], known: dict[Request, Reply]) -> Iterator[Outcome]:
        lane = self.lane(intents[0].calendar)
        verdicts: dict[Intent, Verdict] = {}
        questions = {intent: events.decode(intent.request) for intent in intents}
        while questions:
            self._ask(lane, questions.values(), known)
            steps = [(intent, next_step(intent, known)) for intent in questions]
            verdicts |= {intent: step for intent, step in steps if not isinstance(step, Request)}
            questions = {intent: step for intent, step in steps if isinstance(step, Request)}
        for intent in intents:
            yield self._outcome(intent, verdicts[intent])

    def _ask(self, lane: str, requests: Iterable[Request], known: dict[Request, Reply]) -> None:
        """Send what was not asked yet in this call of `apply` (a calendar is probed once)."""
        fresh = [request for request in dict.fromkeys(requests) if request not in known]
        if fresh:
            replies = self._transport.ask_all(lane, fresh)
            known |= {request: replies[request] for request in fresh}

    def _outcome(self, intent: Intent, verdict: Verdict) -> Outcome:
        if isinstance(verdict, Receipt):
            return verdict
        return Failure(calendar=intent.calendar, uid=intent.uid, error=self._scoped(verdict, intent.calendar))

    def _outside(self, calendar: str) -> NotAuthorised:
        """What is on disk for a calendar that `allow` no longer holds does not leave."""
        return NotAuthorised(f"target {self.name}: {calendar} is no longer in allow", calendar=calendar)

    def _scoped(self, error: CalferryError, calendar: str) -> CalferryError:
        """Where each calendar has a sign-in of its own, a refused one closes that calendar, not the connection."""
        if isinstance(error, NotAuthorised) and error.calendar is None and self._settings.subject == OWNER:
            return NotAuthorised(str(error), calendar=calendar)
        return error

    def ours(self, calendar: str) -> Iterator[Marked]:
        """Our events as they stand there. Copies that users made carry our mark under another id: they are theirs."""
        if not self._settings.permits(_id(calendar)):
            raise self._outside(calendar)
        page = ""
        while True:
            listing = self._listing(calendar, events.survey(calendar, page))
            for item in listing.body.get("items", ()):
                if marked := events.marked(item, calendar):
                    yield marked
            page = listing.body.get("nextPageToken", "")
            if not page:
                return

    def differences(self, calendar: str, found: Marked, event: Event) -> frozenset[str]:
        """In which members, as Google calls them, an event shows something else than was written."""
        try:
            answer = self._transport.ask(self.lane(calendar), comparing.question(calendar, found.href))
        except NotAuthorised as closed:
            raise self._scoped(closed, calendar) from closed
        if not answer.ok or "id" not in answer.body:
            raise self._scoped(no_verdict(answer, calendar), calendar)
        return comparing.differences(answer.body, event, found)

    def _listing(self, calendar: str, request: Request) -> Answer:
        """One page."""
        try:
            answer = self._transport.ask(self.lane(calendar), request)
        except NotAuthorised as closed:
            raise self._scoped(closed, calendar) from closed
        if not answer.lists_events:
            raise self._scoped(no_verdict(answer, calendar), calendar)
        return answer


def _id(calendar: str) -> str:
    return calendar.removeprefix(f"{KIND}:")
