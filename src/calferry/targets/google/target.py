"""Google Calendar as a target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from calferry.errors import CalferryError, Conflict, NotAuthorised, Refused, Unavailable
from calferry.model import Action, Change, Event, Failure, Intent, Marked, Outcome, Receipt
from calferry.targets.google import events
from calferry.targets.google.answers import GUESTS, PACE, QUOTA, Answer, Reply, trouble
from calferry.targets.google.events import KIND, Request
from calferry.targets.google.settings import OWNER, Settings
from calferry.targets.google.transport import Transport

if TYPE_CHECKING:
    from calferry.ports import Clock


def build(name: str, settings: Settings, *, clock: Clock) -> GoogleTarget:
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
        """Send in batches, judge each part on its own; a second batch settles what the first one left in doubt."""
        inside = [intent for intent in intents if self._settings.permits(_id(intent.calendar))]
        known: dict[Request, Reply] = {}
        for start in range(0, len(inside), self.batch):
            yield from self._carry_out(inside[start : start + self.batch], known)
        for intent in intents:
            if not self._settings.permits(_id(intent.calendar)):
                yield self._outcome(intent, self._outside(intent.calendar))

    def _carry_out(self, intents: Sequence[Intent], known: dict[Request, Reply]) -> Iterator[Outcome]:
        lane = self.lane(intents[0].calendar)
        requests = [events.decode(intent.request) for intent in intents]
        firsts = self._ask(lane, requests, known)
        doubts = [_doubt(*asked) for asked in zip(intents, requests, firsts, strict=True)]
        self._ask(lane, [doubt for doubt in doubts if doubt is not None], known)
        for intent, first, doubt in zip(intents, firsts, doubts, strict=True):
            verdict = _verdict(intent, first) if doubt is None else _second_verdict(intent, first, known[doubt])
            yield self._outcome(intent, verdict)

    def _ask(self, lane: str, requests: Sequence[Request], known: dict[Request, Reply]) -> list[Reply]:
        """Send what was not asked yet in this call of `apply` (a calendar is probed once)."""
        fresh = [request for request in dict.fromkeys(requests) if request not in known]
        if fresh:
            known |= self._transport.ask_all(lane, fresh)
        return [known[request] for request in requests]

    def _outcome(self, intent: Intent, verdict: Receipt | CalferryError) -> Outcome:
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
            for item in listing.get("items", ()):
                if marked := _marked(item, calendar):
                    yield marked
            page = listing.get("nextPageToken", "")
            if not page:
                return

    def _listing(self, calendar: str, request: Request) -> Mapping[str, Any]:
        """One page. Google leaves empty members out of partial answers, so `kind` is what tells a listing."""
        try:
            answer = self._transport.ask(self.lane(calendar), request)
        except NotAuthorised as closed:
            raise self._scoped(closed, calendar) from closed
        if answer.ok and _is_listing(answer):
            return answer.body
        error = trouble(answer, calendar)
        if isinstance(error, NotAuthorised | Unavailable):
            raise self._scoped(error, calendar)
        raise Unavailable(str(error))


def _doubt(intent: Intent, request: Request, reply: Reply) -> Request | None:
    """What to ask next where an answer alone does not settle an intent."""
    if not isinstance(reply, Answer):
        return None
    match intent.action, reply.status:
        case Action.CREATE, 409:
            return events.in_place(request)  # the id is our hash, so what is there is ours: alive, or deleted by hand
        case Action.UPDATE, 403 if _is_closed(reply):
            return events.status_of(request)  # the calendar, or only an event that was deleted by hand?
        case (Action.DELETE, 404) | (Action.UPDATE, 404 | 410):
            return events.probe(intent.calendar)  # the event, or the whole calendar?
        case _:
            return None


def _verdict(intent: Intent, reply: Reply) -> Receipt | CalferryError:
    """What an answer settles by itself."""
    if not isinstance(reply, Answer):
        return reply
    if intent.action is Action.DELETE:
        done = reply.ok or reply.status == HTTPStatus.GONE
        return _receipt(intent) if done else trouble(reply, intent.calendar, intent.uid)
    if not reply.ok:
        return trouble(reply, intent.calendar, intent.uid)
    if not isinstance(reply.body.get("id"), str):
        return Unavailable(f"Google's answer for {intent.uid} in {intent.calendar} is not an event.")
    if reply.body.get("status") == "cancelled":
        return Conflict(f"Google keeps {intent.uid} in {intent.calendar} deleted.")
    return _receipt(intent, href=reply.body["id"], etag=str(reply.body.get("etag", "")))


def _second_verdict(intent: Intent, first: Reply, second: Reply) -> Receipt | CalferryError:
    """What the second question settled; where it was not answered, nothing is."""
    if not isinstance(second, Answer):
        return second
    if intent.action is Action.CREATE:
        return _retaken(intent, second)
    if isinstance(first, Answer) and first.status == HTTPStatus.FORBIDDEN:
        return _forbidden_update(intent, first, second)
    return _missing(intent, second)


def _retaken(intent: Intent, put: Answer) -> Receipt | CalferryError:
    """An identity that exists already was written to in place."""
    used_up = put.status in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.GONE)
    if used_up or (put.status == HTTPStatus.FORBIDDEN and _is_closed(put)):
        return Conflict(f"Google does not give back the identity of {intent.uid} in {intent.calendar} ({put.status}).")
    return _verdict(intent, put)


def _forbidden_update(intent: Intent, first: Answer, state: Answer) -> CalferryError:
    """Google may forbid to touch an event that was deleted by hand; a calendar that is closed forbids everything."""
    if state.ok and state.body.get("status") == "cancelled":
        return Conflict(f"Google keeps {intent.uid} in {intent.calendar} deleted.")
    return trouble(first if state.ok else state, intent.calendar, intent.uid)


def _missing(intent: Intent, calendar: Answer) -> Receipt | CalferryError:
    """The event is not there. That counts only if the calendar itself answers."""
    if not calendar.ok:
        return trouble(calendar, intent.calendar, intent.uid)
    if not _is_listing(calendar):
        return Unavailable(f"Google's listing of {intent.calendar} is not one.")
    if intent.action is Action.DELETE:
        return _receipt(intent)
    return Conflict(f"Google no longer has {intent.uid} in {intent.calendar}.")


def _id(calendar: str) -> str:
    return calendar.removeprefix(f"{KIND}:")


def _receipt(intent: Intent, href: str = "", etag: str = "") -> Receipt:
    return Receipt(calendar=intent.calendar, uid=intent.uid, fingerprint=intent.fingerprint, href=href, etag=etag)


def _marked(item: Any, calendar: str) -> Marked | None:
    private = item.get("extendedProperties", {}).get("private", {})
    mark = events.mark_of(private)
    if mark is None or item.get("id") != events.event_id(calendar, mark.uid, mark.generation):
        return None
    return Marked(mark=mark, href=item["id"], etag=item.get("etag", ""))


def _is_listing(answer: Answer) -> bool:
    return answer.body.get("kind") == "calendar#events"


def _is_closed(answer: Answer) -> bool:
    return answer.reason not in PACE | QUOTA | GUESTS
