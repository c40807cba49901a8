"""Microsoft 365 as a target."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from calferry.errors import NotAuthorised, Refused
from calferry.model import Change, Event, Failure, Intent, Marked, Outcome, Receipt
from calferry.targets.office365 import events, requests
from calferry.targets.office365.answers import Reply, no_verdict
from calferry.targets.office365.certificate import end_of
from calferry.targets.office365.requests import KIND, Request, mailbox_of, originals
from calferry.targets.office365.settings import Settings
from calferry.targets.office365.transport import Transport
from calferry.targets.office365.verdicts import Verdict, next_step

if TYPE_CHECKING:
    from calferry.feeds import Shelf
    from calferry.ports import Clock
    from calferry.tokens import TokenFile


def build(
    name: str,
    settings: Settings,
    *,
    clock: Clock,
    shelf: Shelf | None = None,  # noqa: ARG001
    tokens: TokenFile | None = None,  # noqa: ARG001
) -> Office365Target:
    """The target that a configuration describes. Nothing is sent yet."""
    return Office365Target(name, settings, Transport(settings, clock))


class Office365Target:
    """Calendars of mailboxes in one tenant, reached as one application."""

    kind = KIND

    def __init__(self, name: str, settings: Settings, transport: Transport) -> None:
        self.name = name
        self.batch = settings.batch
        self._settings = settings
        self._transport = transport

    def canonical(self, calendar: str) -> str:
        """`office365:` and the mailbox's address in lower case, for its default calendar; or that, `/calendars/`, and
        the id of another calendar, in which case counts."""
        mailbox, slash, identity = calendar.strip().partition("/calendars/")
        mailbox = mailbox.lower()
        if "@" not in mailbox or "/" in mailbox or bool(slash) != bool(identity) or "{" in mailbox:
            msg = f"target {self.name}: {calendar!r} does not name a calendar; give ADDRESS or ADDRESS/calendars/ID"
            raise Refused(msg)
        if not self._settings.permits(mailbox):
            msg = f"target {self.name}: {mailbox} is not in allow ({', '.join(self._settings.allow)})"
            raise Refused(msg)
        return f"{KIND}:{mailbox}{slash}{identity}"

    @property
    def basis(self) -> str:
        """JSON of the options that decide which calendar a name means."""
        return json.dumps([self._settings.allow])

    @property
    def edition(self) -> str:
        return events.FIT_VERSION

    def expires_at(self) -> datetime | None:
        """When the certificate ends; nobody tells when a client secret does."""
        certificate = self._settings.certificate
        return end_of(certificate.get_secret_value()) if certificate else None

    def lane(self, calendar: str) -> str:
        """The mailbox that a calendar (a key) is in: Graph counts requests at the same time by mailbox."""
        return mailbox_of(calendar)

    def fit(self, event: Event) -> Event:
        return events.fit(event)

    def encode(self, change: Change) -> bytes:
        return requests.encode(change)

    def apply(self, intents: Sequence[Intent]) -> Iterator[Outcome]:
        """Send in batches, judge each part on its own; further batches settle what the first one left in doubt."""
        inside = [intent for intent in intents if self._permits(intent.calendar)]
        known: dict[Request, Reply] = {}
        for start in range(0, len(inside), self.batch):
            yield from self._carry_out(inside[start : start + self.batch], known)
        for intent in intents:
            if not self._permits(intent.calendar):
                yield Failure(calendar=intent.calendar, uid=intent.uid, error=self._outside(intent.calendar))

    def _carry_out(self, intents: Sequence[Intent], known: dict[Request, Reply]) -> Iterator[Outcome]:
        lane = self.lane(intents[0].calendar)
        verdicts: dict[Intent, Verdict] = {}
        steps = {intent: next_step(intent, known) for intent in intents}
        while steps:
            verdicts |= {intent: step for intent, step in steps.items() if not isinstance(step, Request)}
            questions = {intent: step for intent, step in steps.items() if isinstance(step, Request)}
            self._ask(lane, questions.values(), known)
            steps = {intent: next_step(intent, known) for intent in questions}
        for intent in intents:
            yield _outcome(intent, verdicts[intent])

    def _ask(self, lane: str, questions: Iterable[Request], known: dict[Request, Reply]) -> None:
        """Send what was not asked yet in this call of `apply` (a calendar is probed once)."""
        fresh = [request for request in dict.fromkeys(questions) if request not in known]
        if fresh:
            known |= self._transport.ask_all(lane, fresh)

    def ours(self, calendar: str) -> Iterator[Marked]:
        """Our events as they stand, wherever their user put them in that mailbox. Of an event and its copies, which
        carry the mark too, the one that was created first."""
        if not self._permits(calendar):
            raise self._outside(calendar)
        for one in originals(self._listed(calendar), calendar):
            if one.mark is not None:
                yield Marked(mark=one.mark, href=one.href, etag=one.safe_etag)

    def _listed(self, calendar: str) -> Iterator[Any]:
        page: Request | None = requests.survey(calendar)
        while page is not None:
            listing = self._transport.ask(self.lane(calendar), page)
            if not listing.lists_events:
                raise no_verdict(listing, calendar)
            yield from listing.body["value"]
            page = self._transport.next_page(listing)

    def _permits(self, calendar: str) -> bool:
        return self._settings.permits(mailbox_of(calendar))

    def _outside(self, calendar: str) -> NotAuthorised:
        """What is on disk for a mailbox that `allow` no longer holds does not leave."""
        return NotAuthorised(f"target {self.name}: {calendar} is no longer in allow", calendar=calendar)


def _outcome(intent: Intent, verdict: Verdict) -> Outcome:
    if isinstance(verdict, Receipt):
        return verdict
    return Failure(calendar=intent.calendar, uid=intent.uid, error=verdict)
