"""What Graph's answers settle about an intent, and what to ask where they settle nothing yet. Pure.

Nobody gets mail: an event is written to only under the etag of a state in which it had no guests (`If-Match`, "Update
event"). Where that state has passed, the event is looked at again; one with guests is set aside.

Conflict is said only on proof that nothing of ours stands under an identity: whoever raises a generation while the
event stands has it twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from calferry.errors import CalferryError, Conflict, Refused, Unavailable
from calferry.model import Action, Intent, Receipt
from calferry.targets.asking import ABSENT, Verdict
from calferry.targets.office365 import requests
from calferry.targets.office365.answers import DUPLICATE, Answer, Reply, no_verdict, trouble
from calferry.targets.office365.requests import Request, Seen, is_about, is_ours, originals, seen

Known = Mapping[Request, Reply]
"""What was asked so far, and what came of it."""

Step = Request | Verdict
"""The next question, or the verdict once there is nothing left to ask."""


def next_step(intent: Intent, known: Known) -> Step:
    """What to ask next, or what all that is known amounts to."""
    request = requests.decode(intent.request)
    if intent.action is not Action.CREATE and not request.if_match:
        return _looked_at(intent, request, known)
    answer = known.get(request)
    if not isinstance(answer, Answer):
        return answer or request
    if intent.action is Action.CREATE:
        return _created(intent, request, answer, known)
    if answer.status == HTTPStatus.PRECONDITION_FAILED:
        return _looked_at(intent, request, known)
    return _written(intent, request, answer, known)


def stands(answer: Reply, calendar: str) -> bool | CalferryError:
    """Whether an event that was asked for by its id is there, or why that cannot be told."""
    if not isinstance(answer, Answer):
        return answer
    if answer.status in ABSENT:
        return False
    if answer.status == HTTPStatus.BAD_REQUEST:  # it is the id of the event that is no good, not that of the calendar
        return Refused(
            f"Microsoft 365 does not take the id of an event that shall stand in {calendar} ({answer.code})."
        )
    if answer.ok and seen(answer.body, calendar):
        return True
    return trouble(answer, calendar) if not answer.ok else no_verdict(answer, calendar)


def _created(intent: Intent, create: Request, answer: Answer, known: Known) -> Step:
    """Graph gives ids itself; the same `transactionId` again means what was created the first time."""
    if not answer.ok and answer.code == DUPLICATE:
        return _found(intent, create, known, named=answer.existing)
    return _acknowledged(intent, answer)


def _written(intent: Intent, write: Request, answer: Answer, known: Known) -> Step:
    """An event was written to where it was last seen."""
    if answer.status not in ABSENT:
        return _acknowledged(intent, answer)
    if intent.action is Action.DELETE:
        return _absent(intent, known)
    return _found(intent, write, known, but_not=write)


def _looked_at(intent: Intent, write: Request, known: Known) -> Step:
    """The event is not, or perhaps not, as it was when its etag was given: look, then write under the new one."""
    question = requests.look(write.path)
    state = known.get(question)
    if not isinstance(state, Answer):
        return state or question
    if state.status in ABSENT:
        return _absent(intent, known) if intent.action is Action.DELETE else _found(intent, write, known, but_not=write)
    one = seen(state.body, intent.calendar) if state.ok else None
    return _onto(intent, write, one, known) if one else no_verdict(state, intent.calendar)


def _found(intent: Intent, write: Request, known: Known, *, named: str = "", but_not: Request | None = None) -> Step:
    """The event that carries the identity is written to, wherever in the mailbox it is; `named` is where Graph says.

    `but_not` has just been answered that nothing is there.
    """
    question = requests.look_up(intent.calendar, intent.uid, intent.generation)
    listing = known.get(question)
    if not isinstance(listing, Answer):
        return listing or question
    if not listing.lists_events:
        return no_verdict(listing, intent.calendar)
    under_it = [one for one in originals(listing.body["value"], intent.calendar) if is_about(one, intent)]
    one = next((one for one in under_it if is_ours(one, intent)), None)
    if one is None and under_it:
        return Refused(f"{intent.uid} in {intent.calendar} was written by calferry from another ledger.")
    if one is None:
        return _named(intent, write, known, named) if named else _absent(intent, known)
    if but_not is not None and requests.event_path(intent.calendar, one.href) == but_not.path:
        return Unavailable(f"Microsoft 365 lists {intent.uid} in {intent.calendar}, and does not find it.")
    return _onto(intent, write, one, known)


def _named(intent: Intent, write: Request, known: Known, href: str) -> Step:
    """Graph names an event that no listing shows. It is taken for ours only if it says so itself."""
    question = requests.look(requests.event_path(intent.calendar, href))
    state = known.get(question)
    if not isinstance(state, Answer):
        return state or question
    if state.status in ABSENT:
        return _absent(intent, known)
    one = seen(state.body, intent.calendar) if state.ok else None
    if one is None:
        return no_verdict(state, intent.calendar)
    return _onto(intent, write, one, known) if is_ours(one, intent) else _absent(intent, known)


def _onto(intent: Intent, write: Request, one: Seen, known: Known) -> Step:
    """Write to an event as it was just seen, or set it aside: guests would hear of it."""
    if one.guests:
        guests = "a guest" if one.guests == 1 else f"{one.guests} guests"
        return Refused(
            f"Microsoft 365 would mail {guests} of {intent.uid} in {intent.calendar}: they were invited to it there. "
            "The event stays in the calendar as it is."
        )
    again = requests.onto(write, one, intent.calendar)
    answer = known.get(again)
    if not isinstance(answer, Answer):
        return answer or again
    if answer.status in ABSENT:
        return Unavailable(f"{intent.uid} left {intent.calendar} while it was written; it is tried again.")
    return _acknowledged(intent, answer)


def _absent(intent: Intent, known: Known) -> Step:
    """The event is not there. That counts only if the calendar itself answers."""
    question = requests.probe(intent.calendar)
    calendar = known.get(question)
    if not isinstance(calendar, Answer):
        return calendar or question
    if not calendar.lists_events:
        return no_verdict(calendar, intent.calendar)
    if intent.action is Action.DELETE:
        return _receipt(intent)
    return Conflict(f"Microsoft 365 no longer has {intent.uid} in {intent.calendar}.")


def _acknowledged(intent: Intent, answer: Answer) -> Verdict:
    """What the answer to a write settles by itself."""
    if not answer.ok:
        return trouble(answer, intent.calendar, intent.uid)
    if intent.action is Action.DELETE:
        return _receipt(intent)
    one = seen(answer.body, intent.calendar)
    if one is None:
        return Unavailable(f"Microsoft 365's answer for {intent.uid} in {intent.calendar} is not an event.")
    return _receipt(intent, one)


def _receipt(intent: Intent, one: Seen | None = None) -> Receipt:
    href, etag = (one.href, one.safe_etag) if one else ("", "")
    return Receipt(calendar=intent.calendar, uid=intent.uid, fingerprint=intent.fingerprint, href=href, etag=etag)
