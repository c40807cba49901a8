"""Google Calendar as a target, against the sandbox over real HTTP."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from calferry.errors import CalferryError, Conflict, NotAuthorised, Refused, Unavailable
from calferry.model import Failure, Receipt
from calferry.moments import utc
from calferry.ports import Target
from calferry.sandbox import GoogleServer, faults
from calferry.sandbox.faults import Fault, matching
from calferry.sandbox.google import part_missing, part_status, rate_limited
from calferry.targets.google import GoogleTarget
from calferry.targets.google.events import event_id, properties
from tests.builders import MORNING, event
from tests.contracts.target import TargetContract, create, delete, failed, filed, push, update
from tests.contracts.target_network import NetworkContract
from tests.targets.google_world import ANA, DELEGATION, KEY, GoogleRemote, target_for


class GoogleContract(TargetContract, NetworkContract):
    @pytest.fixture
    def calendar(self) -> str:
        return KEY

    @pytest.fixture
    def remote(self, server: GoogleServer) -> GoogleRemote:
        return GoogleRemote(server)


class TestASharedCalendar(GoogleContract):
    @pytest.fixture
    def target(self, server: GoogleServer) -> Target:
        return target_for(server)


class TestADelegatedCalendar(GoogleContract):
    @pytest.fixture
    def target(self, server: GoogleServer) -> Target:
        return target_for(server, **DELEGATION)


class TestADedicatedCalendar(GoogleContract):
    @pytest.fixture
    def target(self, server: GoogleServer) -> Target:
        return target_for(server, dedicated=True)


class TestTombstonesThatStayDead(GoogleContract):
    @pytest.fixture
    def target(self, server: GoogleServer) -> Target:
        server.switches.tombstones = "forbidden"
        return target_for(server)


# ── duplicates ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_request_whose_answer_was_lost_is_not_sent_again_behind_our_back(
    server: GoogleServer, target: GoogleTarget
) -> None:
    server.faults.add(faults.lost_reply(), match=matching("/batch"))
    change = create(target, KEY, event())
    assert isinstance(failed(push(target, change)), Unavailable)
    assert server.kinds["batch"] == 1
    filed(push(target, change))
    assert len(list(server.world.events(ANA))) == 1


def test_a_deleted_identity_is_restored_where_google_lets_us(server: GoogleServer, target: GoogleTarget) -> None:
    change = create(target, KEY, event())
    held = filed(push(target, change))
    server.world.user_deletes(ANA, held.href)
    assert filed(push(target, change)).href == held.href
    assert GoogleRemote(server).shown(KEY) == [change.event]


@pytest.mark.parametrize("tombstone", ["forbidden", "purged"])
def test_a_deleted_identity_that_stays_dead_is_used_up(
    server: GoogleServer, target: GoogleTarget, tombstone: str
) -> None:
    server.switches.tombstones = "forbidden"
    change = create(target, KEY, event())
    held = filed(push(target, change))
    server.world.user_deletes(ANA, held.href)
    if tombstone == "purged":
        server.world.purge(ANA, held.href)
    assert isinstance(failed(push(target, change)), Conflict)
    assert filed(push(target, create(target, KEY, event(), generation=1))).href != held.href


def test_a_closed_calendar_is_not_taken_for_a_used_up_identity(server: GoogleServer, target: GoogleTarget) -> None:
    change = create(target, KEY, event())
    held = filed(push(target, change))
    server.part_faults.add(part_status(403, "forbidden"), match=matching(method="PUT"))
    error = failed(push(target, change))
    assert isinstance(error, NotAuthorised)
    assert error.calendar == KEY
    assert filed(push(target, change)).href == held.href
    assert GoogleRemote(server).shown(KEY) == [change.event]


@pytest.mark.parametrize("status", [409, 412])
def test_a_clash_over_an_event_that_stands_is_tried_again(
    server: GoogleServer, target: GoogleTarget, status: int
) -> None:
    change = create(target, KEY, event())
    held = filed(push(target, change))
    for again, method in ((change, "PUT"), (update(target, held, event()), "PATCH"), (delete(held), "DELETE")):
        server.part_faults.add(part_status(status, "conflict"), match=matching(method=method))
        assert isinstance(failed(push(target, again)), Unavailable)


@pytest.mark.parametrize("status", [404, 410])
def test_an_identity_that_is_neither_written_nor_found_is_used_up_once_the_calendar_answers(
    server: GoogleServer, target: GoogleTarget, status: int
) -> None:
    change = create(target, KEY, event())
    held = filed(push(target, change))

    def forbid() -> None:
        server.part_faults.add(part_status(403, "forbidden"), match=matching(method="PUT"))
        server.part_faults.add(part_status(status, "notFound"), match=matching(held.href, "GET"))

    forbid()
    server.part_faults.add(part_status(404, "notFound"), match=matching("/events", "GET"))
    assert isinstance(failed(push(target, change)), NotAuthorised)
    forbid()
    assert isinstance(failed(push(target, change)), Conflict)


def test_without_an_answer_about_the_event_nothing_is_settled(server: GoogleServer, target: GoogleTarget) -> None:
    change = create(target, KEY, event())
    filed(push(target, change))
    for fault in (part_status(500, "backendError"), part_status(400, "invalid"), part_missing(), faults.error_200()):
        server.part_faults.add(part_status(403, "forbidden"), match=matching(method="PUT"))
        server.part_faults.add(fault, match=matching(method="GET"))
        assert isinstance(failed(push(target, change)), Unavailable)
        server.part_faults.clear()


def test_a_replay_refused_because_of_guests_says_that_the_event_stands(
    server: GoogleServer, target: GoogleTarget
) -> None:
    change = create(target, KEY, event())
    filed(push(target, change))
    server.part_faults.add(part_status(403, "forbiddenForNonOrganizer"), match=matching(method="PUT"))
    error = failed(push(target, change))
    assert isinstance(error, Refused)
    assert "invited guests" in str(error)
    assert "stands in the calendar" in str(error)


def test_primary_is_the_calendar_of_whom_we_act_as(server: GoogleServer, target: GoogleTarget) -> None:
    fixed = target_for(server, subject="Ana@Salon.example", allow=["*@salon.example"])
    assert fixed.canonical(" Primary ") == KEY
    assert target.canonical("primary") == "google:ferry@sandbox-project.example"
    assert target.canonical("ANA@salon.example") == KEY


# ── loss ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [403, 429])
def test_a_rate_limit_is_no_refusal_whichever_status_it_has(
    server: GoogleServer, target: GoogleTarget, status: int
) -> None:
    server.part_faults.add(rate_limited(status))
    error = failed(push(target, create(target, KEY, event())))
    assert isinstance(error, Unavailable)
    assert error.retry_after is None
    server.part_faults.add(part_status(status, "userRateLimitExceeded", retry_after=17))
    error = failed(push(target, create(target, KEY, event())))
    assert isinstance(error, Unavailable)
    assert error.retry_after == 17


@pytest.mark.parametrize("reason", ["quotaExceeded", "dailyLimitExceeded"])
def test_a_used_up_quota_is_left_alone_for_hours(server: GoogleServer, target: GoogleTarget, reason: str) -> None:
    server.part_faults.add(part_status(403, reason))
    error = failed(push(target, create(target, KEY, event())))
    assert isinstance(error, Unavailable)
    assert error.retry_after == 4 * 3600


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("forbidden", NotAuthorised),
        ("requiredAccessLevel", NotAuthorised),
        ("insufficientPermissions", NotAuthorised),
        ("forbiddenForServiceAccounts", Refused),
        ("accessNotConfigured", NotAuthorised),
        ("forbiddenForNonOrganizer", Refused),
    ],
)
def test_what_is_forbidden_is_decided_by_its_reason(
    server: GoogleServer, target: GoogleTarget, reason: str, expected: type[CalferryError]
) -> None:
    server.part_faults.add(part_status(403, reason))
    error = failed(push(target, create(target, KEY, event())))
    assert type(error) is expected
    assert not isinstance(error, NotAuthorised) or error.calendar == KEY


def test_each_part_of_a_batch_is_judged_by_itself(server: GoogleServer, target: GoogleTarget) -> None:
    server.switches.calendar_burst = 2
    outcomes = push(target, *(create(target, KEY, event(f"u{n}")) for n in range(3)))
    # The server carries a batch out backwards, so the first change is the one too many.
    assert [type(one) for one in outcomes] == [Failure, Receipt, Receipt]
    assert isinstance(outcomes[0], Failure)
    assert isinstance(outcomes[0].error, Unavailable)
    assert [outcome.uid for outcome in outcomes] == ["u0", "u1", "u2"]


@pytest.mark.parametrize("performed", [True, False])
def test_a_part_without_an_answer_is_open_and_its_replay_harmless(
    server: GoogleServer, target: GoogleTarget, performed: bool
) -> None:
    changes = [create(target, KEY, event(f"u{n}")) for n in range(3)]
    server.part_faults.add(part_missing(performed=performed))
    outcomes = push(target, *changes)
    assert any(isinstance(one, Failure) for one in outcomes)
    assert all(isinstance(one.error, Unavailable) for one in outcomes if isinstance(one, Failure))
    assert all(isinstance(one, Receipt) for one in push(target, *changes))
    assert len(list(server.world.events(ANA))) == 3


@pytest.mark.parametrize(
    ("fault", "retry_after"),
    [
        (faults.status(503, retry_after=120), 120),
        (faults.status(503, retry_after="Wed, 25 Nov 2026 09:01:00 GMT"), 60),
        (faults.status(503, retry_after="soon"), None),
        (faults.status(403, body=b"<html>a proxy</html>"), None),
        (faults.status(502), None),
        (faults.status(302), None),
        (faults.html(), None),
        (faults.error_200(), None),
        (faults.truncated(), None),
    ],
)
def test_a_batch_that_fails_as_a_whole_leaves_every_part_open(
    server: GoogleServer, target: GoogleTarget, fault: Fault, retry_after: float | None
) -> None:
    changes = [create(target, KEY, event(f"u{n}")) for n in range(3)]
    server.faults.add(fault, match=matching("/batch"))
    outcomes = push(target, *changes)
    errors = [one.error for one in outcomes if isinstance(one, Failure)]
    assert [(type(error), getattr(error, "retry_after", None)) for error in errors] == [(Unavailable, retry_after)] * 3
    server.faults.clear()
    assert all(isinstance(one, Receipt) for one in push(target, *changes))
    assert len(list(server.world.events(ANA))) == 3


def test_an_answer_that_is_no_event_is_no_receipt(server: GoogleServer, target: GoogleTarget) -> None:
    server.part_faults.add(faults.error_200())
    assert isinstance(failed(push(target, create(target, KEY, event()))), Unavailable)


def test_answers_find_their_changes_in_whatever_order_they_come(server: GoogleServer, target: GoogleTarget) -> None:
    changes = [create(target, KEY, event(f"u{n}", summary=f"No. {n}")) for n in range(3)]
    for outcome, change in zip(push(target, *changes), changes, strict=True):
        assert isinstance(outcome, Receipt)
        assert outcome.uid == change.uid
        assert outcome.href == event_id(KEY, change.uid, 0)
        assert server.world.calendars[ANA].events[outcome.href]["summary"] == change.event.summary


@pytest.mark.parametrize(("dedicated", "colour"), [(False, "3"), (True, None)])
def test_an_update_leaves_what_users_added_unless_the_calendar_is_dedicated(
    server: GoogleServer, dedicated: bool, colour: str | None
) -> None:
    target = target_for(server, dedicated=dedicated)
    held = filed(push(target, create(target, KEY, event())))
    server.world.user_edits(ANA, held.href, colorId="3", reminders={"useDefault": True})
    change = update(target, held, event(summary="Later"))
    filed(push(target, change))
    shown = server.world.calendars[ANA].events[held.href]
    assert shown.get("colorId") == colour
    assert shown["reminders"] == {"useDefault": False, "overrides": []}
    assert shown["extendedProperties"]["private"] == properties(change.mark)


@pytest.mark.parametrize("count", [1, 3])
def test_events_that_are_missing_count_as_deleted_once_the_calendar_answers(
    server: GoogleServer, target: GoogleTarget, count: int
) -> None:
    receipts = [filed(push(target, create(target, KEY, event(f"u{n}")))) for n in range(count)]
    for held in receipts:
        server.world.purge(ANA, held.href)
    server.forget_requests()
    outcomes = push(target, *(delete(held) for held in receipts))
    assert all(isinstance(one, Receipt) and one.fingerprint == "" for one in outcomes)
    assert server.kinds["batch"] == 2  # the deletions, and one question to the calendar


def test_an_update_of_an_event_that_is_missing_conflicts(server: GoogleServer, target: GoogleTarget) -> None:
    held = filed(push(target, create(target, KEY, event())))
    server.world.purge(ANA, held.href)
    assert isinstance(failed(push(target, update(target, held, event(summary="Later")))), Conflict)


def test_a_missing_event_is_no_deletion_while_the_calendar_does_not_answer(
    server: GoogleServer, target: GoogleTarget
) -> None:
    held = filed(push(target, create(target, KEY, event())))
    server.world.purge(ANA, held.href)
    server.part_faults.add(part_status(500, "backendError"), match=matching(method="GET"))
    assert isinstance(failed(push(target, delete(held))), Unavailable)


def test_a_calendar_shared_for_reading_only_is_closed_to_updates(server: GoogleServer, target: GoogleTarget) -> None:
    held = filed(push(target, create(target, KEY, event())))
    server.world.share(ANA, "ferry@sandbox-project.example", "reader")
    error = failed(push(target, update(target, held, event(summary="Later"))))
    assert isinstance(error, NotAuthorised)
    assert error.calendar == KEY


def test_the_basis_changes_with_what_decides_where_and_how_an_event_is_held(server: GoogleServer) -> None:
    plain = target_for(server)
    assert json.loads(plain.basis) == ["", []]
    assert target_for(server, batch=7, dedicated=True).basis == plain.basis
    assert len({plain.basis, target_for(server, allow=["*"]).basis, target_for(server, **DELEGATION).basis}) == 3


# ── time ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_appointments_back_to_back_do_not_overlap(server: GoogleServer, target: GoogleTarget) -> None:
    later = MORNING + timedelta(minutes=30)
    push(target, create(target, KEY, event("u1")), create(target, KEY, event("u2", start=later)))
    first, second = sorted(GoogleRemote(server).shown(KEY), key=lambda shown: utc(shown.start))
    assert utc(first.end) == utc(second.start)


# ── events of another hand ────────────────────────────────────────────────────────────────────────────────────────────


def theirs(server: GoogleServer, number: int = 0) -> str:
    return server.world.add_foreign_event(ANA, f"by another hand {number}", MORNING, MORNING + timedelta(hours=1))


def test_an_event_of_anybodys_stands_while_it_is_there_and_not_cancelled(
    server: GoogleServer, target: GoogleTarget
) -> None:
    standing, deleted = theirs(server), theirs(server, 1)
    server.world.user_deletes(ANA, deleted)
    assert target.stands(KEY, [standing, deleted, "nowhere"]) == {standing: True, deleted: False, "nowhere": False}
    assert server.kinds["batch"] == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (part_status(500, "backendError"), Unavailable),
        (part_status(403, "forbidden"), NotAuthorised),
        (part_status(400, "invalid"), Refused),
        (part_missing(), Unavailable),
    ],
    ids=["500", "403", "400", "missing"],
)
def test_no_other_answer_says_whether_it_stands(
    server: GoogleServer, target: GoogleTarget, fault: Fault, error: type[CalferryError]
) -> None:
    asked = theirs(server)
    server.part_faults.add(fault)
    assert isinstance(target.stands(KEY, [asked])[asked], error)


def test_a_calendar_outside_of_allow_is_not_even_asked(server: GoogleServer) -> None:
    target = target_for(server, **DELEGATION)
    assert isinstance(target.stands("google:boss@elsewhere.example", ["x"])["x"], NotAuthorised)
    assert server.calls == 0
