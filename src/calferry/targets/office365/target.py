"""Microsoft 365 as a target."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from calferry.errors import CalferryError, NotAuthorised, Refused
from calferry.model import Change, Event, Failure, Intent, Marked, Outcome, Receipt
from calferry.ports import Expiry
from calferry.targets.asking import Verdict, ask, settle
from calferry.targets.office365 import comparing, events, requests
from calferry.targets.office365.answers import Reply, no_verdict
from calferry.targets.office365.person import Person
from calferry.targets.office365.requests import KIND, Request, mailbox_of, originals
from calferry.targets.office365.settings import Settings
from calferry.targets.office365.signin import WRITING, Application, SignIn, certificate_ends
from calferry.targets.office365.transport import Transport
from calferry.targets.office365.verdicts import next_step, stands

if TYPE_CHECKING:
    from calferry.feeds import Shelf
    from calferry.ports import Clock, Dialogue
    from calferry.tokens import TokenFile


def build(
    name: str,
    settings: Settings,
    *,
    clock: Clock,
    shelf: Shelf | None = None,  # noqa: ARG001
    tokens: TokenFile,
) -> Office365Target:
    """The target that a configuration describes. Nothing is sent yet."""
    sign_in = Person(name, settings, tokens) if settings.user else Application(settings)
    return Office365Target(name, settings, Transport(settings, clock, sign_in), sign_in)


class Office365Target:
    """Calendars of mailboxes in one tenant, reached as one application or one person."""

    kind = KIND

    def __init__(self, name: str, settings: Settings, transport: Transport, sign_in: SignIn) -> None:
        self.name = name
        self.batch = settings.batch
        self._settings = settings
        self._transport = transport
        self._sign_in = sign_in

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
        send = partial(self._transport.ask_all, self.lane(intents[0].calendar))
        verdicts = settle(intents, known, next_step, send)
        for intent in intents:
            yield _outcome(intent, verdicts[intent])

    def stands(self, calendar: str, hrefs: Sequence[str]) -> Mapping[str, bool | CalferryError]:
        if not self._permits(calendar):
            return dict.fromkeys(hrefs, self._outside(calendar))
        asked = {href: requests.look(requests.event_path(calendar, href)) for href in hrefs}
        known: dict[Request, Reply] = {}
        ask(asked.values(), known, partial(self._transport.ask_all, self.lane(calendar)))
        return {href: stands(known[request], calendar) for href, request in asked.items()}

    def ours(self, calendar: str) -> Iterator[Marked]:
        """Our events as they stand, wherever their user put them in that mailbox. Of an event and its copies, which
        carry the mark too, the one that was created first."""
        if not self._permits(calendar):
            raise self._outside(calendar)
        for one in originals(self._listed(calendar), calendar):
            if one.mark is not None:
                yield Marked(mark=one.mark, href=one.href, etag=one.safe_etag)

    def differences(self, calendar: str, found: Marked, event: Event) -> frozenset[str]:
        """In which members, as Graph calls them, an event shows something else than was written."""
        question = comparing.question(calendar, found.href, event)
        answer = self._transport.ask(self.lane(calendar), question)
        if not answer.ok or "id" not in answer.body:
            raise no_verdict(answer, calendar)
        return comparing.differences(answer.body, event)

    def _listed(self, calendar: str) -> Iterator[Any]:
        page: Request | None = requests.survey(calendar)
        while page is not None:
            listing = self._transport.ask(self.lane(calendar), page)
            if not listing.lists_events:
                raise no_verdict(listing, calendar)
            yield from listing.body["value"]
            page = self._transport.next_page(listing)

    def connect(self, dialogue: Dialogue) -> Iterator[str]:
        """Sign in; and of a person name the calendars beside the default one, which have no names but their ids."""
        yield from self._sign_in.connect(self._transport.client, dialogue)
        user = self._settings.user
        if not user:
            return
        listing = self._transport.ask(user, requests.calendars(user))
        if not listing.lists_events:
            raise no_verdict(listing, f"{KIND}:{user}")
        for one in listing.body["value"]:
            if isinstance(one, Mapping) and one.get("canEdit") is True and not one.get("isDefaultCalendar"):
                yield f'calendar "{one.get("name")}" is {user}/calendars/{one.get("id")}'

    def prove(self, calendar: str) -> None:
        """Ask the calendar itself. Raises Refused where it is the default one under its id: a second calendar to us,
        and the same to everybody else."""
        if not self._permits(calendar):
            raise self._outside(calendar)
        answer = self._transport.ask(self.lane(calendar), requests.describe(calendar))
        may = answer.body.get("canEdit")
        if not answer.ok or type(may) is not bool:
            raise no_verdict(answer, calendar)
        mailbox = mailbox_of(calendar)
        if not may:
            msg = (
                f"{calendar} may be read and not written; its owner has to share it for editing with whoever signs in."
            )
            raise NotAuthorised(msg, calendar=calendar)
        if calendar != f"{KIND}:{mailbox}" and answer.body.get("isDefaultCalendar") is True:
            msg = f"{calendar} is the default calendar of {mailbox}; name it by the address alone."
            raise Refused(msg)

    def cautions(self) -> Iterator[str]:
        """Where the application may only read, as far as its token tells: a calendar that it reads looks writable."""
        if isinstance(self._sign_in, Application) and self._sign_in.lacks_writing(self._transport.client):
            yield (
                f"the application's access token does not say {WRITING} (Application); unless RBAC for Applications in "
                "Exchange gives it that, every write will be refused"
            )

    def expiry(self) -> Expiry | None:
        ends = certificate_ends(self._settings)
        remedy = "upload another to the app registration, put it into `certificate`, and only then remove this one"
        return Expiry(what="the certificate", at=ends, remedy=remedy) if ends else None

    def _permits(self, calendar: str) -> bool:
        return self._settings.permits(mailbox_of(calendar))

    def _outside(self, calendar: str) -> NotAuthorised:
        """What is on disk for a mailbox that `allow` no longer holds does not leave."""
        return NotAuthorised(f"target {self.name}: {calendar} is no longer in allow", calendar=calendar)


def _outcome(intent: Intent, verdict: Verdict) -> Outcome:
    if isinstance(verdict, Receipt):
        return verdict
    return Failure(calendar=intent.calendar, uid=intent.uid, error=verdict)
