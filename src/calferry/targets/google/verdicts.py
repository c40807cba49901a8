"""What Google's answers settle about an intent, and what to ask where they settle nothing yet. Pure.

Conflict is said only on proof that nothing of ours stands under an identity: whoever raises a generation while the
event stands has it twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from calferry.errors import CalferryError, Conflict, Refused, Unavailable
from calferry.model import Action, Intent, Receipt
from calferry.targets.google import events
from calferry.targets.google.answers import GUESTS, PACE, QUOTA, Answer, Reply, no_verdict, trouble
from calferry.targets.google.events import Request

Known = Mapping[Request, Reply]
"""What was asked so far, and what came of it."""

Verdict = Receipt | CalferryError

Step = Request | Verdict
"""The next question, or the verdict once there is nothing left to ask."""

ABSENT = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
CLASHES = frozenset({HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED})


def next_step(intent: Intent, known: Known) -> Step:
    """What to ask next, or what all that is known amounts to."""
    request = events.decode(intent.request)
    answer = known.get(request)
    if not isinstance(answer, Answer):
        return answer or request
    match intent.action:
        case Action.CREATE:
            return _created(intent, request, answer, known)
        case Action.UPDATE:
            return _written(intent, request, answer, known)
        case Action.DELETE:
            return _deleted(intent, answer, known)


def stands(answer: Reply, calendar: str) -> bool | CalferryError:
    """Whether an event that was asked for by its id is there and not cancelled, or why that cannot be told."""
    if not isinstance(answer, Answer):
        return answer
    if answer.status in ABSENT:
        return False
    if answer.ok and _is_event(answer):
        return not _is_cancelled(answer)
    return trouble(answer, calendar) if not answer.ok else no_verdict(answer, calendar)


def _created(intent: Intent, insert: Request, inserted: Answer, known: Known) -> Step:
    """The id is our hash, so what is there already is ours, alive or deleted by hand: it is written to in place."""
    if inserted.status != HTTPStatus.CONFLICT:
        return _acknowledged(intent, inserted)
    replace = events.in_place(insert)
    answer = known.get(replace)
    if not isinstance(answer, Answer):
        return answer or replace
    if answer.status == HTTPStatus.FORBIDDEN and answer.reason in GUESTS:
        return Refused(f"{trouble(answer, intent.calendar, intent.uid)} The event stands in the calendar.")
    return _written(intent, replace, answer, known)


def _written(intent: Intent, write: Request, answer: Answer, known: Known) -> Step:
    """An event that is, or was, there was written to."""
    if answer.status in ABSENT:
        return _absent(intent, known)
    closed = answer.status == HTTPStatus.FORBIDDEN and answer.reason not in PACE | QUOTA | GUESTS
    if closed or answer.status in CLASHES:
        return _withstood(intent, write, answer, known)
    return _acknowledged(intent, answer)


def _withstood(intent: Intent, write: Request, refusal: Answer, known: Known) -> Step:
    """Google may forbid to touch an event that was deleted by hand; a calendar that is closed forbids everything."""
    question = events.status_of(write)
    state = known.get(question)
    if not isinstance(state, Answer):
        return state or question
    if state.status in ABSENT:
        return _absent(intent, known)
    if not (state.ok and _is_event(state)):
        return no_verdict(state, intent.calendar)
    return _deleted_by_hand(intent) if _is_cancelled(state) else trouble(refusal, intent.calendar, intent.uid)


def _deleted(intent: Intent, answer: Answer, known: Known) -> Step:
    if answer.ok or answer.status == HTTPStatus.GONE:
        return _receipt(intent)
    if answer.status == HTTPStatus.NOT_FOUND:
        return _absent(intent, known)
    return trouble(answer, intent.calendar, intent.uid)


def _absent(intent: Intent, known: Known) -> Step:
    """The event is not there. That counts only if the calendar itself answers."""
    question = events.probe(intent.calendar)
    calendar = known.get(question)
    if not isinstance(calendar, Answer):
        return calendar or question
    if not calendar.lists_events:
        return no_verdict(calendar, intent.calendar)
    if intent.action is Action.DELETE:
        return _receipt(intent)
    return Conflict(f"Google no longer has {intent.uid} in {intent.calendar}.")


def _acknowledged(intent: Intent, answer: Answer) -> Verdict:
    """What the answer to a write settles by itself."""
    if not answer.ok:
        return trouble(answer, intent.calendar, intent.uid)
    if not _is_event(answer):
        return Unavailable(f"Google's answer for {intent.uid} in {intent.calendar} is not an event.")
    if _is_cancelled(answer):
        return _deleted_by_hand(intent)
    return _receipt(intent, href=answer.body["id"], etag=str(answer.body.get("etag", "")))


def _deleted_by_hand(intent: Intent) -> Conflict:
    return Conflict(f"Google keeps {intent.uid} in {intent.calendar} deleted.")


def _receipt(intent: Intent, href: str = "", etag: str = "") -> Receipt:
    return Receipt(calendar=intent.calendar, uid=intent.uid, fingerprint=intent.fingerprint, href=href, etag=etag)


def _is_event(answer: Answer) -> bool:
    return isinstance(answer.body.get("id"), str)


def _is_cancelled(answer: Answer) -> bool:
    return answer.body.get("status") == "cancelled"
