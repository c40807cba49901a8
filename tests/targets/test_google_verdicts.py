"""What Google's answers settle: every sequence of answers there can be, without a server."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
from pydantic import SecretStr

from calferry.errors import Conflict, NotAuthorised, Refused, Unavailable
from calferry.model import Action, Intent, Receipt
from calferry.targets.asking import Verdict
from calferry.targets.google import Settings, build
from calferry.targets.google.answers import Answer, Reply
from calferry.targets.google.events import Request
from calferry.targets.google.verdicts import next_step
from tests.builders import event, receipt
from tests.contracts.target import create, delete, intent, update
from tests.targets.google_world import KEY, StoppedClock

CREDENTIALS = json.dumps({"client_email": "ferry@sandbox-project.example", "private_key": "none"})
TARGET = build("workspace", Settings(credentials=SecretStr(CREDENTIALS)), clock=StoppedClock())
HELD = receipt(event(), KEY)
INTENTS = {
    Action.CREATE: intent(TARGET, create(TARGET, KEY, event())),
    Action.UPDATE: intent(TARGET, update(TARGET, HELD, event(summary="Later"))),
    Action.DELETE: intent(TARGET, delete(HELD)),
}

ALIVE = Answer(200, {"id": "h1", "etag": '"2"', "status": "confirmed"})
DEAD = Answer(200, {"id": "h1", "etag": '"3"', "status": "cancelled"})
GUESTS = [{"email": "ana@salon.example", "self": True}, {"email": "jo@customer.example"}]
INVITED = Answer(200, {**ALIVE.body, "attendees": GUESTS})
LISTING = Answer(200, {"kind": "calendar#events"})


def said(status: int, reason: str = "") -> Answer:
    return Answer(status, {"error": {"errors": [{"reason": reason}]}})


FAILURES = [said(status, "forbidden") for status in (400, 401, 403, 404, 409, 410, 412, 413, 422, 429, 500, 503)]
FAILURES += [said(403, "rateLimitExceeded"), said(403, "quotaExceeded"), said(403, "forbiddenForNonOrganizer")]
REPLIES: list[Reply] = [*FAILURES, Answer(200), Answer(204), ALIVE, DEAD, LISTING, INVITED]
REPLIES += [Unavailable(), NotAuthorised()]
GONE = (404, 410)


def settled(intent: Intent, **replies: Reply) -> Verdict:
    """The verdict when each question gets the reply named for it (by method; `probe` for the calendar's)."""
    known: dict[Request, Reply] = {}
    while isinstance(step := next_step(intent, known), Request):
        assert step not in known
        known[step] = replies["probe" if step.query == "maxResults=1&fields=kind" else step.method]
    assert len(known) <= 4
    return step


def is_gone(reply: Reply) -> bool:
    return reply is DEAD or (isinstance(reply, Answer) and reply.status in GONE)


def test_a_deletion_never_conflicts_whatever_is_answered() -> None:
    for first, state, probe in product(REPLIES, REPLIES, REPLIES):
        assert not isinstance(settled(INTENTS[Action.DELETE], DELETE=first, GET=state, probe=probe), Conflict)


@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE])
def test_an_identity_is_given_up_only_on_proof_that_nothing_stands_under_it(action: Action) -> None:
    for first, second, state, probe in product(REPLIES, REPLIES, REPLIES, [LISTING, said(404), said(500)]):
        writes: dict[str, Any] = {"POST": first, "PUT": second} if action is Action.CREATE else {"PATCH": first}
        if isinstance(settled(INTENTS[action], GET=state, probe=probe, **writes), Conflict):
            proof = [reply for reply in (*writes.values(), state) if is_gone(reply)]
            assert proof
            assert DEAD in proof or probe is LISTING


@pytest.mark.parametrize("refusal", FAILURES)
def test_an_event_that_is_alive_is_never_given_up(refusal: Answer) -> None:
    if refusal.status not in GONE:
        for intent_ in INTENTS.values():
            for first in (refusal, said(409)):
                writes = {"POST": first, "PUT": refusal, "PATCH": first, "DELETE": first}
                verdict = settled(intent_, GET=ALIVE, probe=LISTING, **writes)
                assert isinstance(verdict, NotAuthorised | Refused | Unavailable)


def test_no_answer_settles_nothing() -> None:
    lost = Unavailable()
    for intent_ in INTENTS.values():
        assert settled(intent_, POST=lost, PATCH=lost, DELETE=lost) is lost
    assert settled(INTENTS[Action.CREATE], POST=said(409), GET=lost) is lost
    assert settled(INTENTS[Action.CREATE], POST=said(409), GET=ALIVE, PUT=lost) is lost
    assert settled(INTENTS[Action.UPDATE], PATCH=said(403, "forbidden"), GET=lost) is lost
    assert settled(INTENTS[Action.DELETE], DELETE=said(404), probe=lost) is lost


def test_a_missing_event_is_deleted_once_its_calendar_answers() -> None:
    assert isinstance(settled(INTENTS[Action.DELETE], DELETE=said(404), probe=LISTING), Receipt)
    assert isinstance(settled(INTENTS[Action.DELETE], DELETE=said(404), probe=said(404)), NotAuthorised)


@pytest.mark.parametrize("answer", [Answer(200), ALIVE, said(400), said(410), said(500), Answer(302)])
def test_only_a_listing_shows_that_the_calendar_answers(answer: Answer) -> None:
    for intent_ in INTENTS.values():
        replies = {"POST": said(409), "PATCH": said(404), "DELETE": said(404), "GET": said(404), "probe": answer}
        assert isinstance(settled(intent_, **replies), Unavailable)


@pytest.mark.parametrize("action", Action)
def test_nothing_is_written_to_an_event_that_may_have_guests_but_under_the_etag_of_one_without(action: Action) -> None:
    for first, state in product(REPLIES, REPLIES):
        written: list[Request] = []
        known: dict[Request, Reply] = {}
        while isinstance(step := next_step(INTENTS[action], known), Request):
            if step.method not in ("GET", "POST"):
                written.append(step)
            known[step] = (
                LISTING if step.query == "maxResults=1&fields=kind" else state if step.method == "GET" else first
            )
        assert all(one.if_match for one in written)
        if state is INVITED:
            assert all(one.if_match == HELD.etag for one in written)
