"""What Graph's answers settle, in whatever sequence they come, without a server."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
from pydantic import SecretStr

from calferry.errors import CalferryError, Conflict, NotAuthorised, Refused, Unavailable
from calferry.model import Action, Intent, Receipt
from calferry.targets.asking import Verdict
from calferry.targets.office365 import Settings
from calferry.targets.office365.answers import Answer, Reply, answer_of, trouble, unanswered
from calferry.targets.office365.requests import MARK, Request, mark_text
from calferry.targets.office365.verdicts import next_step
from tests.builders import NOW, event, mark, receipt
from tests.contracts.target import create, delete, intent, update
from tests.targets.office365_world import ANA, KEY, built

SETTINGS = Settings(tenant="salon.example", client_id="1", client_secret=SecretStr("s"), allow=("*",))
TARGET = built(SETTINGS)
HELD = receipt(event(), KEY)
UNSEEN = receipt(event(), KEY, etag="")
LATER = event(summary="Later")
INTENTS = {
    "create": intent(TARGET, create(TARGET, KEY, event())),
    "update": intent(TARGET, update(TARGET, HELD, LATER)),
    "update unseen": intent(TARGET, update(TARGET, UNSEEN, LATER)),
    "delete": intent(TARGET, delete(HELD)),
    "delete unseen": intent(TARGET, delete(UNSEEN)),
}


def shown(href: str = "h1", etag: str = '"9"', guests: int = 0, made: str = "") -> dict[str, Any]:
    attendees = [{"emailAddress": {"address": f"g{n}@customer.example"}} for n in range(guests)]
    marked = {"id": MARK, "value": made or mark_text(mark("u1"), KEY)}
    head = {"id": href, "@odata.etag": etag, "attendees": attendees, "createdDateTime": "2026-11-25T00:00:00Z"}
    return head | {"singleValueExtendedProperties": [marked]}


def said(status: int, code: str = "Some") -> Answer:
    return Answer(status, {"error": {"code": code}})


def listing(*items: dict[str, Any]) -> Answer:
    return Answer(200, {"value": list(items)})


DUPLICATE = said(400, "ErrorDuplicateTransactionId")
NAMED = Answer(409, {"error": {"code": "ErrorDuplicateTransactionId", "@event.existingEventId": "h3"}})
FAILURES = [said(status) for status in (400, 401, 403, 404, 409, 410, 412, 413, 422, 429, 500, 503)]
LOST: list[Reply] = [Unavailable(), NotAuthorised()]
WRITES: list[Reply] = [*FAILURES, DUPLICATE, NAMED, Answer(200), Answer(204), Answer(200, shown()), *LOST]
LOOKS: list[Reply] = [*FAILURES, Answer(200), Answer(200, shown()), Answer(200, shown(guests=3)), *LOST]
LOOK_UPS: list[Reply] = [
    *(said(404), said(403), said(500), Answer(200), listing(), *LOST),
    *(listing(shown("h2")), listing(shown("h2", guests=1)), listing(shown())),
    *(listing(shown("h2", made=mark_text(mark("u2"), KEY))), listing(shown("h2", made="x"))),
    listing(shown("h2", made=mark_text(mark("u1", ledger="another"), KEY))),
]
PROBES: list[Reply] = [listing(), listing({"id": "x"}), said(404), said(500), Answer(200), *LOST]


class Asked:
    """Plays a Graph that answers by kind of question, and keeps what it was asked."""

    def __init__(self, write: Reply, look: Reply, look_up: Reply, probe: Reply, again: Reply | None = None) -> None:
        self.write, self.again = write, write if again is None else again
        self.look, self.look_up, self.probe = look, look_up, probe
        self.writes: list[Request] = []

    def answer(self, request: Request) -> Reply:
        if request.method != "GET":
            self.writes.append(request)
            return self.again if request.if_match == '"9"' else self.write
        if request.query.endswith("&$top=1"):
            return self.probe
        return self.look_up if request.query.startswith("$filter=") else self.look

    def settle(self, intent: Intent) -> Verdict:
        known: dict[Request, Reply] = {}
        while isinstance(step := next_step(intent, known), Request):
            assert step not in known
            known[step] = self.answer(step)
        assert len(known) <= 5
        return step


SAMPLE = list(product(WRITES, LOOKS, LOOK_UPS, PROBES, WRITES))[::211]
"""Every 211th sequence: no list has a length that 211 divides, so each reply meets each other one."""


@pytest.mark.parametrize("name", INTENTS)
def test_a_sequence_of_answers_comes_to_an_end_that_it_proves(name: str) -> None:
    given = INTENTS[name]
    for answers in SAMPLE:
        graph = Asked(*answers)
        verdict = graph.settle(given)
        assert isinstance(verdict, Receipt | Conflict | NotAuthorised | Refused | Unavailable)
        if isinstance(verdict, Conflict):
            assert given.action is not Action.DELETE
            assert isinstance(graph.probe, Answer)
            assert graph.probe.lists_events
            assert isinstance(graph.look_up, Answer)
            assert graph.look_up.lists_events
        if isinstance(verdict, Receipt) and given.action is Action.DELETE:
            gone = isinstance(graph.probe, Answer) and graph.probe.lists_events
            assert gone or any(isinstance(one, Answer) and one.ok for one in (graph.write, graph.again))


@pytest.mark.parametrize("name", INTENTS)
def test_nothing_is_written_blindly_or_to_an_event_that_was_seen_with_guests(name: str) -> None:
    for answers in SAMPLE:
        graph = Asked(*answers)
        graph.settle(INTENTS[name])
        for request in graph.writes:
            assert request.method == "POST" or request.if_match in (HELD.etag, '"9"')
            assert request.method == "POST" or "transactionId" not in (request.body or "")
        with_guests = [one for one in (graph.look, graph.look_up) if "g0@" in str(one)]
        if len(with_guests) == 2:
            assert '"9"' not in [request.if_match for request in graph.writes]


@pytest.mark.parametrize("look_up", [listing(shown("h2", guests=2)), listing(shown())])
@pytest.mark.parametrize("probe", PROBES)
def test_an_identity_that_stands_is_never_given_up(look_up: Answer, probe: Reply) -> None:
    """Neither where its user invited guests, nor where Graph contradicts itself."""
    for name in ("create", "update", "update unseen"):
        for write in (DUPLICATE, NAMED, said(404), said(410)):
            verdict = Asked(write, said(404), look_up, probe, again=said(404)).settle(INTENTS[name])
            assert isinstance(verdict, Refused | Unavailable | NotAuthorised)


def test_an_event_of_another_ledger_is_never_written_and_never_doubled() -> None:
    strange = listing(shown("h2", made=mark_text(mark("u1", ledger="another"), KEY)))
    for write, name in product((DUPLICATE, NAMED), ("create",)):
        graph = Asked(write, Answer(200, shown()), strange, listing())
        assert isinstance(graph.settle(INTENTS[name]), Refused)
        assert [request.method for request in graph.writes] == ["POST"]


@pytest.mark.parametrize("name", INTENTS)
def test_no_answer_settles_nothing(name: str) -> None:
    for lost in LOST:
        assert Asked(lost, lost, lost, lost).settle(INTENTS[name]) is lost
        assert Asked(said(404), lost, lost, lost).settle(INTENTS[name]) is lost or name == "create"
        assert Asked(DUPLICATE, lost, lost, lost).settle(INTENTS["create"]) is lost
        assert Asked(said(412), lost, lost, lost).settle(INTENTS["update"]) is lost


def test_a_receipt_says_where_the_event_is_now() -> None:
    moved = Asked(said(404), said(404), listing(shown("h2")), listing(), again=Answer(200, shown("h2", '"10"')))
    for name in ("update", "update unseen"):
        verdict = moved.settle(INTENTS[name])
        assert isinstance(verdict, Receipt)
        assert (verdict.href, verdict.etag) == ("h2", '"10"')


def test_no_status_escapes() -> None:
    for status in (*range(100, 200), *range(300, 600)):
        for body in (
            b"",
            b"[]",
            b"<html>",
            b'{"error": "text"}',
            b'{"error": {"code": null}}',
            b'{"error": {"code": 7}}',
        ):
            answer = answer_of(status, {}, body, NOW)
            for error in (trouble(answer, KEY, "u1"), unanswered(answer, ANA)):
                assert isinstance(error, NotAuthorised | Unavailable | Refused)
                assert not isinstance(error, Conflict)


def test_a_code_is_a_word_and_nothing_more() -> None:
    content = json.dumps({"error": {"code": "invalid: Jo Roy\n" + "x" * 500, "message": "Jo Roy"}}).encode()
    error: CalferryError = trouble(answer_of(400, {}, content, NOW), KEY, "u1")
    assert "\n" not in str(error)
    assert "Jo Roy" not in str(error)
    assert len(str(error)) < 200


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"retry-after": "Wed, 25 Nov 2026 09:00:30 GMT"}, 30),
        ({"Retry-After": 12}, 12),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_a_wait_is_read_in_a_part_as_in_an_answer(headers: dict[str, Any], seconds: float | None) -> None:
    error = trouble(answer_of(429, headers, b"", NOW), KEY)
    assert isinstance(error, Unavailable)
    assert error.retry_after == seconds
