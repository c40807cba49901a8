"""What Google's answers settle about an intent, and what to ask where they settle nothing yet. Pure.

Nobody gets mail: an event is written to only under the etag of a state in which it had no guests (`If-Match`, "Get
specific versions of resources"). Google is asked for no mail besides, but says itself that "some emails might still be
sent" ("Events: delete"), and a deletion leaves its guests' calendars too. Where that state has passed, the event is
looked at again; one with guests is set aside.

Conflict is said only on proof that nothing of ours stands under an identity: whoever raises a generation while the
event stands has it twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus

from calferry.errors import CalferryError, Conflict, Refused, Unavailable
from calferry.model import Action, Intent, Receipt
from calferry.targets.asking import ABSENT, Verdict
from calferry.targets.google import events
from calferry.targets.google.answers import GUESTS, PACE, QUOTA, Answer, Reply, no_verdict, trouble
from calferry.targets.google.events import Request, Seen

Known = Mapping[Request, Reply]
"""What was asked so far, and what came of it."""

Step = Request | Verdict
"""The next question, or the verdict once there is nothing left to ask."""


def next_step(intent: Intent, known: Known) -> Step:
    """What to ask next, or what all that is known amounts to."""
    request = events.decode(intent.request)
    if intent.action is not Action.CREATE and not request.if_match:
        return _looked_at(intent, request, known)
    answer = known.get(request)
    if not isinstance(answer, Answer):
        return answer or request
    if intent.action is Action.CREATE:
        # The id is our hash, so what is there already is ours, alive or deleted by hand: it is written to in place.
        taken = answer.status == HTTPStatus.CONFLICT
        return _looked_at(intent, events.in_place(request), known) if taken else _acknowledged(intent, answer)
    if answer.status == HTTPStatus.PRECONDITION_FAILED:
        return _looked_at(intent, request, known)
    return _written(intent, request, answer, known)


def stands(answer: Reply, calendar: str) -> bool | CalferryError:
    """Whether an event that was asked for by its id is there and not cancelled, or why that cannot be told."""
    if not isinstance(answer, Answer):
        return answer
    if answer.status in ABSENT:
        return False
    if answer.ok and _is_event(answer):
        return not _is_cancelled(answer)
    return trouble(answer, calendar) if not answer.ok else no_verdict(answer, calendar)


def _written(intent: Intent, write: Request, answer: Answer, known: Known) -> Step:
    """An event was written to as it was last seen."""
    if answer.status in ABSENT:
        known_gone = intent.action is Action.DELETE and answer.status == HTTPStatus.GONE
        return _receipt(intent) if known_gone else _absent(intent, known)
    if intent.action is Action.UPDATE and _is_withstood(answer):
        # Google may forbid to touch an event that was deleted by hand; a calendar that is closed forbids everything.
        state = known.get(events.look(write.path))
        if not isinstance(state, Answer):
            return state or events.look(write.path)
        return _settled_by(state, intent, answer, known)
    return _acknowledged(intent, answer)


def _settled_by(state: Answer, intent: Intent, refusal: Answer, known: Known) -> Step:
    """What an event's state says about why a write to it was refused."""
    if state.status in ABSENT:
        return _absent(intent, known)
    one = events.seen(state.body, intent.calendar) if state.ok else None
    if one is None:
        return no_verdict(state, intent.calendar)
    return _deleted_by_hand(intent) if one.dead else trouble(refusal, intent.calendar, intent.uid)


def _looked_at(intent: Intent, write: Request, known: Known) -> Step:
    """The event is not, or perhaps not, as it was when its etag was given: look, then write under the new one."""
    question = events.look(write.path)
    state = known.get(question)
    if not isinstance(state, Answer):
        return state or question
    if state.status in ABSENT:
        return _absent(intent, known)
    one = events.seen(state.body, intent.calendar) if state.ok else None
    if one is None:
        return no_verdict(state, intent.calendar)
    if one.dead and (one.guests or intent.action is Action.DELETE):
        # Restoring it would invite its guests once more; under a new id it has none.
        return _receipt(intent) if intent.action is Action.DELETE else _deleted_by_hand(intent)
    return _onto(intent, write, one, known)


def _onto(intent: Intent, write: Request, one: Seen, known: Known) -> Step:
    """Write to an event as it was just seen, or set it aside: its guests would be touched."""
    if one.guests:
        guests = "a guest" if one.guests == 1 else f"{one.guests} guests"
        return Refused(
            f"Changing {intent.uid} in {intent.calendar} would touch {guests}, who were invited to it there. "
            "The event stays in the calendar as it is."
        )
    again = replace(write, if_match=one.etag)
    answer = known.get(again)
    if not isinstance(answer, Answer):
        return answer or again
    if answer.status in ABSENT:
        if intent.action is Action.DELETE and answer.status == HTTPStatus.GONE:
            return _receipt(intent)
        return Unavailable(f"{intent.uid} left {intent.calendar} while it was written; it is tried again.")
    if answer.status == HTTPStatus.FORBIDDEN and answer.reason in GUESTS:
        return Refused(f"{trouble(answer, intent.calendar, intent.uid)} The event stands in the calendar.")
    if one.dead and _is_withstood(answer):
        return _deleted_by_hand(intent)
    return _acknowledged(intent, answer)


def _is_withstood(answer: Answer) -> bool:
    """Whether an event, or its calendar, would not have this write: not for a limit, nor because of guests."""
    closed = answer.status == HTTPStatus.FORBIDDEN and answer.reason not in PACE | QUOTA | GUESTS
    return closed or answer.status == HTTPStatus.CONFLICT


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
    if intent.action is Action.DELETE:
        return _receipt(intent)
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
