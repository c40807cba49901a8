"""Microsoft 365 as a target, against the sandbox over real HTTP."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from calferry.errors import CalferryError, Conflict, NotAuthorised, Refused, Unavailable
from calferry.model import Change, Failure, Receipt
from calferry.ports import Target
from calferry.sandbox import GraphServer, Response, faults
from calferry.sandbox.faults import Fault, matching
from calferry.sandbox.graph import part_missing, part_status
from calferry.targets.office365 import Office365Target
from calferry.targets.office365.requests import MARK, mark_text
from tests.builders import MORNING, event, mark
from tests.contracts.target import TargetContract, create, delete, failed, filed, push, update
from tests.contracts.target_network import NetworkContract
from tests.targets.office365_world import ANA, KEY, Office365Remote, held_by, target_for


class Office365Contract(TargetContract, NetworkContract):
    @pytest.fixture
    def calendar(self) -> str:
        return KEY

    @pytest.fixture
    def target(self, graph: GraphServer) -> Target:
        return target_for(graph)

    @pytest.fixture
    def remote(self, graph: GraphServer) -> Office365Remote:
        return Office365Remote(graph)


class TestADefaultCalendar(Office365Contract):
    pass


class TestAnotherCalendarOfAMailbox(Office365Contract):
    @pytest.fixture
    def calendar(self, graph: GraphServer, target: Target) -> str:
        return f"{KEY}/calendars/{graph.world.add_calendar(ANA, 'Bookings')}"


class TestAGraphReadOtherwise(Office365Contract):
    """Every question that the documents leave open, answered the other way."""

    @pytest.fixture
    def target(self, graph: GraphServer) -> Target:
        graph.switches.batch_order = "given"
        graph.switches.duplicate_status = 409
        graph.switches.names_existing = True
        graph.switches.replay_after_change = "returned"
        graph.switches.deleted_transactions = "forgotten"
        graph.switches.filter_spans = "calendar"
        return target_for(graph)


# ── duplicates ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_create_sent_again_is_one_event_and_one_request(graph: GraphServer, office365: Office365Target) -> None:
    change = create(office365, KEY, event())
    graph.faults.add(faults.lost_reply(), match=matching("$batch"))
    assert isinstance(failed(push(office365, change)), Unavailable)
    graph.forget_requests()
    filed(push(office365, change))
    assert graph.kinds == {"batch": 1}
    assert len(list(graph.world.events(ANA))) == 1


@pytest.mark.parametrize("status", [400, 409])
def test_a_duplicate_is_adopted_with_what_was_wanted(
    graph: GraphServer, office365: Office365Target, status: int
) -> None:
    """As after a refusal that came too late: the identity is used, and the appointment has changed since."""
    graph.switches.duplicate_status = 400 if status == 400 else 409
    first = filed(push(office365, create(office365, KEY, event())))
    later = create(office365, KEY, event(summary="Later"))
    adopted = filed(push(office365, later))
    assert adopted.href == first.href
    assert adopted.fingerprint == later.event.fingerprint
    assert Office365Remote(graph).shown(KEY) == [later.event]
    filed(push(office365, delete(adopted)))


def test_a_duplicate_without_our_mark_is_not_adopted(graph: GraphServer, office365: Office365Target) -> None:
    held = filed(push(office365, create(office365, KEY, event())))
    kept = held_by(graph, held.href)
    for names_existing in (False, True):
        graph.switches.names_existing = names_existing
        for text in ("", mark_text(mark("u2"), KEY), mark_text(mark("u1"), f"{KEY}/calendars/x")):
            kept.properties[MARK] = text
            error = failed(push(office365, create(office365, KEY, event(summary="Later"))))
            assert isinstance(error, Conflict)
    assert kept.item["subject"] == "Consultation"


def test_a_duplicate_of_another_ledger_is_neither_adopted_nor_doubled(
    graph: GraphServer, office365: Office365Target
) -> None:
    held = filed(push(office365, create(office365, KEY, event())))
    held_by(graph, held.href).properties[MARK] = mark_text(mark("u1", ledger="another"), KEY)
    assert isinstance(failed(push(office365, create(office365, KEY, event(summary="Later")))), Refused)


def test_a_duplicate_that_graph_names_is_adopted_where_no_listing_shows_it(
    graph: GraphServer, office365: Office365Target
) -> None:
    graph.switches.names_existing = True
    held = filed(push(office365, create(office365, KEY, event())))
    nothing = Response.of_json({"value": []})
    graph.part_faults.add(Fault("nothing", lambda _perform: nothing), match=lambda one: "$filter" in one.query)
    later = create(office365, KEY, event(summary="Later"))
    assert filed(push(office365, later)).href == held.href


def test_two_calendars_of_a_mailbox_share_no_identity(graph: GraphServer, office365: Office365Target) -> None:
    other = f"{KEY}/calendars/{graph.world.add_calendar(ANA, 'Bookings')}"
    for calendar in (KEY, other):
        filed(push(office365, create(office365, calendar, event())))
    assert [len(list(office365.ours(calendar))) for calendar in (KEY, other)] == [1, 1]
    assert office365.lane(KEY) == office365.lane(other) == ANA


def test_an_event_moved_to_another_calendar_is_followed_there(graph: GraphServer, office365: Office365Target) -> None:
    held = filed(push(office365, create(office365, KEY, event())))
    graph.world.user_moves(ANA, held.href, graph.world.add_calendar(ANA, "Private"))
    assert [found.href for found in office365.ours(KEY)] == [held.href]
    held = filed(push(office365, update(office365, held, event(summary="Later"))))
    filed(push(office365, delete(held)))
    assert list(graph.world.events(ANA)) == []


def test_an_event_with_another_id_is_found_by_its_mark_before_one_is_created(
    graph: GraphServer, office365: Office365Target
) -> None:
    held = filed(push(office365, create(office365, KEY, event())))
    moved = graph.world.user_moves(ANA, held.href, graph.world.add_calendar(ANA, "Archive"), reimported=True)
    again = filed(push(office365, update(office365, held, event(summary="Later"))))
    assert again.href == moved
    assert len(list(graph.world.events(ANA))) == 1


def test_a_copy_that_a_user_made_survives_the_deletion_of_ours(graph: GraphServer, office365: Office365Target) -> None:
    held = filed(push(office365, create(office365, KEY, event())))
    copy = graph.world.user_copies(ANA, held.href)
    change = delete(held)
    for _ in range(2):
        filed(push(office365, change))
    assert [kept.id for kept in graph.world.events(ANA)] == [copy]


def test_a_deleted_identity_is_used_up_and_the_next_one_is_free(graph: GraphServer, office365: Office365Target) -> None:
    change = create(office365, KEY, event())
    held = filed(push(office365, change))
    graph.world.user_deletes(ANA, held.href)
    assert isinstance(failed(push(office365, change)), Conflict)
    assert filed(push(office365, create(office365, KEY, event(), generation=1))).href != held.href


def test_an_update_sends_no_transaction_id(graph: GraphServer, office365: Office365Target) -> None:
    held = filed(push(office365, create(office365, KEY, event())))
    for change in (update(office365, held, event(summary="x")), create(office365, KEY, event(summary="y"))):
        filed(push(office365, change))
    assert "transactionId" not in json.loads(office365.encode(update(office365, held, event())))["body"]


# ── loss ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_part_of_a_batch_is_judged_by_itself(graph: GraphServer, office365: Office365Target) -> None:
    graph.switches.mailbox_burst = 2
    outcomes = push(office365, *(create(office365, KEY, event(f"u{n}")) for n in range(3)))
    # The server carries a batch out backwards, so the first change is the one too many.
    assert [type(one) for one in outcomes] == [Failure, Receipt, Receipt]
    error = failed(outcomes[:1])
    assert isinstance(error, Unavailable)
    assert error.retry_after == 10


@pytest.mark.parametrize("performed", [True, False])
def test_a_part_without_an_answer_is_open_and_its_replay_harmless(
    graph: GraphServer, office365: Office365Target, performed: bool
) -> None:
    changes = [create(office365, KEY, event(f"u{n}")) for n in range(3)]
    graph.part_faults.add(part_missing(performed=performed))
    errors = [one.error for one in push(office365, *changes) if isinstance(one, Failure)]
    assert [type(error) for error in errors] == [Unavailable]
    assert all(isinstance(one, Receipt) for one in push(office365, *changes))
    assert len(list(graph.world.events(ANA))) == 3


@pytest.mark.parametrize(
    ("fault", "retry_after"),
    [
        (faults.status(503, retry_after=120), 120),
        (faults.status(429, retry_after=7), 7),
        (part_status(429, "TooManyRequests", retry_after=9), 9),
        (faults.status(403, body=b"<html>a proxy</html>"), None),
        (faults.status(502), None),
        (faults.status(302), None),
        (faults.html(), None),
        (faults.error_200(), None),
        (faults.truncated(), None),
        (faults.dropped(), None),
    ],
)
def test_a_batch_that_fails_as_a_whole_leaves_every_part_open(
    graph: GraphServer, office365: Office365Target, fault: Fault, retry_after: float | None
) -> None:
    changes = [create(office365, KEY, event(f"u{n}")) for n in range(3)]
    graph.faults.add(fault, match=matching("$batch"))
    errors = [one.error for one in push(office365, *changes) if isinstance(one, Failure)]
    assert [(type(error), getattr(error, "retry_after", None)) for error in errors] == [(Unavailable, retry_after)] * 3
    assert all(isinstance(one, Receipt) for one in push(office365, *changes))
    assert len(list(graph.world.events(ANA))) == 3


@pytest.mark.parametrize("code", ["ErrorInvalidIdMalformed", "ErrorInvalidUser"])
def test_a_word_about_the_calendar_sets_no_appointment_aside(
    graph: GraphServer, office365: Office365Target, code: str
) -> None:
    graph.part_faults.add(part_status(400, code))
    error = failed(push(office365, create(office365, KEY, event())))
    assert isinstance(error, NotAuthorised)
    assert error.calendar == KEY


def test_a_calendar_that_its_user_deleted_is_closed_though_its_mailbox_answers(
    graph: GraphServer, office365: Office365Target
) -> None:
    identity = graph.world.add_calendar(ANA, "Bookings")
    other = f"{KEY}/calendars/{identity}"
    held = filed(push(office365, create(office365, other, event())))
    graph.world.remove_calendar(ANA, identity)
    changes = (create(office365, other, event("u2")), update(office365, held, event(summary="x")), delete(held))
    for change in changes:
        error = failed(push(office365, change))
        assert isinstance(error, NotAuthorised)
        assert error.calendar == other


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_a_missing_event_settles_nothing_while_no_question_is_answered(
    graph: GraphServer, office365: Office365Target, verb: str
) -> None:
    held = filed(push(office365, create(office365, KEY, event())))
    graph.world.user_deletes(ANA, held.href)
    change: Change = delete(held) if verb == "delete" else update(office365, held, event(summary="Later"))
    for fault in (part_status(500, "generalException"), part_status(400, "BadRequest"), part_missing()):
        graph.part_faults.add(fault, match=matching("/events", "GET"))
        assert isinstance(failed(push(office365, change)), Unavailable)
        graph.part_faults.clear()
    graph.part_faults.add(faults.error_200(), match=matching("/events", "GET"))
    assert isinstance(failed(push(office365, change)), Unavailable)


def test_events_that_are_missing_count_as_deleted_once_the_calendar_answers(
    graph: GraphServer, office365: Office365Target
) -> None:
    receipts = [filed(push(office365, create(office365, KEY, event(f"u{n}")))) for n in range(3)]
    for held in receipts:
        graph.world.user_deletes(ANA, held.href)
    graph.forget_requests()
    outcomes = push(office365, *(delete(held) for held in receipts))
    assert all(isinstance(one, Receipt) and one.fingerprint == "" for one in outcomes)
    assert graph.kinds == {"batch": 2}  # the deletions, and one question to the calendar


def test_an_answer_that_is_no_event_is_no_receipt(graph: GraphServer, office365: Office365Target) -> None:
    graph.part_faults.add(faults.error_200())
    assert isinstance(failed(push(office365, create(office365, KEY, event()))), Unavailable)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (403, "ErrorAccessDenied", NotAuthorised),
        (404, "MailboxNotEnabledForRESTAPI", NotAuthorised),
        (429, "ApplicationThrottled", Unavailable),
        (503, "ErrorServerBusy", Unavailable),
        (409, "ErrorIrresolvableConflict", Unavailable),
        (400, "ErrorPropertyValidationFailure", Refused),
    ],
)
def test_what_graph_refuses_is_decided_by_status_and_code(
    graph: GraphServer, office365: Office365Target, status: int, code: str, expected: type[CalferryError]
) -> None:
    graph.part_faults.add(part_status(status, code))
    assert type(failed(push(office365, create(office365, KEY, event())))) is expected


# ── surveys ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_survey_reads_every_page(graph: GraphServer, office365: Office365Target) -> None:
    template = filed(push(office365, create(office365, KEY, event("first"))))
    world, mailbox = graph.world, graph.world.mailboxes[ANA]
    kept = mailbox.events[template.href]
    for number in range(600):
        one = world.newborn(mailbox.default, dict(kept.item))
        one.properties = kept.properties | {MARK: mark_text(mark(f"u{number}"), KEY)}
        world.keep(mailbox, one)
    assert {one.mark.uid for one in office365.ours(KEY)} == {"first"} | {f"u{number}" for number in range(600)}
    assert graph.kinds["single"] == 2


def test_a_survey_finds_what_another_ledger_wrote(graph: GraphServer, office365: Office365Target) -> None:
    held = filed(push(office365, create(office365, KEY, event())))
    held_by(graph, held.href).properties[MARK] = mark_text(mark("u1", ledger="another"), KEY)
    assert [one.mark.ledger for one in office365.ours(KEY)] == ["another"]


@pytest.mark.parametrize(
    "fault",
    [faults.html(), faults.error_200(), faults.status(302), faults.status(400), faults.status(503), faults.dropped()],
)
def test_a_survey_believes_nothing_but_a_listing(graph: GraphServer, office365: Office365Target, fault: Fault) -> None:
    graph.faults.add(fault, match=matching("/events"))
    with pytest.raises(Unavailable):
        list(office365.ours(KEY))


# ── events of another hand ────────────────────────────────────────────────────────────────────────────────────────────


def test_an_event_of_anybodys_stands_while_it_is_there(graph: GraphServer) -> None:
    target = target_for(graph)
    href = graph.world.add_foreign_event(ANA, "by another hand", MORNING, MORNING + timedelta(hours=1))
    deleted = graph.world.add_foreign_event(ANA, "by another hand", MORNING, MORNING + timedelta(hours=2))
    graph.world.user_deletes(ANA, deleted)
    assert target.stands(KEY, [href, deleted, "nowhere"]) == {href: True, deleted: False, "nowhere": False}


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (part_status(503, "serviceUnavailable"), Unavailable),
        (part_status(403, "ErrorAccessDenied"), NotAuthorised),
        (part_status(400, "ErrorInvalidIdMalformed"), Refused),
        (part_missing(), Unavailable),
    ],
    ids=["503", "403", "400", "missing"],
)
def test_no_other_answer_says_whether_it_stands(graph: GraphServer, fault: Fault, error: type[CalferryError]) -> None:
    target = target_for(graph)
    href = graph.world.add_foreign_event(ANA, "by another hand", MORNING, MORNING + timedelta(hours=1))
    graph.part_faults.add(fault)
    assert isinstance(target.stands(KEY, [href])[href], error)


def test_a_mailbox_outside_of_allow_is_not_even_asked(graph: GraphServer) -> None:
    target = target_for(graph)
    assert isinstance(target.stands("office365:boss@elsewhere.example", ["x"])["x"], NotAuthorised)
    assert graph.requests == 0
