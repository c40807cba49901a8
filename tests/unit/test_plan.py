from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calferry.model import Create, Delete, Placement, Receipt, Removal, Update, Why
from calferry.plan import Plan, Planner
from calferry.ports import Standing
from tests.builders import MORNING, event

A, B = "google:a@salon.example", "google:b@salon.example"
PLANNER = Planner(installation="test", ledger="ledger-1")


def leaving(number: int, why: Why = Why.GONE, *, weak: bool = False, calendar: str = A) -> Placement:
    uid = f"u{number}"
    receipt = Receipt(calendar=calendar, uid=uid, fingerprint="f", href="h")
    removal = Removal(why=why, evidence="because", weak=weak)
    return Placement(calendar=calendar, uid=uid, target="t", route="r", wanted=removal, written=receipt)


def wanting(uid: str = "u", *, days: int = 0, written: bool = False) -> Placement:
    want = event(uid, start=MORNING + timedelta(days=days))
    receipt = Receipt(calendar=A, uid=uid, fingerprint="old", href="h") if written else None
    return Placement(calendar=A, uid=uid, target="t", route="r", wanted=want, written=receipt, generation=3)


def braked(*due: Placement, held: int, weak: int = 0, explicit: int = 0) -> Plan:
    standing = {A: Standing(held=held, weak=weak, explicit=explicit)}
    (plan,) = PLANNER.plans({A: due}, standing)
    return plan


def test_wanted_and_not_written_is_created_wanted_otherwise_is_updated_not_wanted_is_deleted() -> None:
    plan = PLANNER.plan(A, [wanting("new"), wanting("other", written=True), leaving(1)])
    assert [(type(change), change.uid) for change in plan.changes] == [
        (Create, "new"),
        (Update, "other"),
        (Delete, "u1"),
    ]
    assert plan.counts == {"create": 1, "update": 1, "delete": 1, "parked": 0}


def test_the_mark_on_each_event_names_the_ledger_the_generation_and_the_fingerprint() -> None:
    (change,) = PLANNER.plan(A, [wanting("new")]).changes
    assert (change.mark.installation, change.mark.ledger, change.mark.uid) == ("test", "ledger-1", "new")
    assert change.mark.generation == 3
    assert isinstance(change, Create)
    assert change.mark.fingerprint == change.event.fingerprint


def test_what_comes_first_is_written_first() -> None:
    plan = PLANNER.plan(A, [wanting("later", days=9), wanting("sooner", days=1)])
    assert [change.uid for change in plan.changes] == ["sooner", "later"]


@pytest.mark.parametrize(("asked", "parked"), [(2, 0), (3, 3)])
def test_in_a_small_calendar_two_weak_deletions_pass_and_three_park(asked: int, parked: int) -> None:
    plan = braked(*(leaving(n, weak=True) for n in range(asked)), held=3)
    assert len(plan.parked) == parked
    assert len(plan.removals) == asked - parked


@pytest.mark.parametrize(("asked", "parked"), [(20, 0), (21, 21)])
def test_weak_deletions_beyond_a_fifth_of_what_was_held_are_parked(asked: int, parked: int) -> None:
    plan = braked(*(leaving(n, weak=True) for n in range(asked)), held=100)
    assert len(plan.parked) == parked


@pytest.mark.parametrize(("asked", "parked"), [(20, 0), (21, 21)])
def test_in_a_small_calendar_twenty_cancellations_pass_and_more_park(asked: int, parked: int) -> None:
    plan = braked(*(leaving(n, Why.CANCELLED) for n in range(asked)), held=30)
    assert len(plan.parked) == parked


@pytest.mark.parametrize(("asked", "parked"), [(100, 0), (101, 101)])
def test_cancellations_beyond_half_of_what_was_held_are_parked(asked: int, parked: int) -> None:
    plan = braked(*(leaving(n, Why.CANCELLED) for n in range(asked)), held=200)
    assert len(plan.parked) == parked


def test_deletions_of_the_last_day_count_so_that_a_glitch_cannot_come_in_slices() -> None:
    assert braked(leaving(1, weak=True), held=82, weak=18).parked == ()
    assert len(braked(leaving(1, weak=True), held=80, weak=20).parked) == 1


def test_a_share_does_not_shrink_while_its_deletions_are_carried_out() -> None:
    """20 of 100 are allowed: after ten of them there are 90 left, and ten more still are."""
    assert braked(*(leaving(n, weak=True) for n in range(10)), held=90, weak=10).parked == ()


def test_everything_but_the_deletions_proceeds() -> None:
    plan = braked(wanting("new"), *(leaving(n, weak=True) for n in range(9)), held=10)
    assert [type(change) for change in plan.changes] == [Create]
    assert len(plan.parked) == 9


def test_explicit_cancellations_proceed_while_weak_deletions_are_parked() -> None:
    plan = braked(leaving(0, Why.CANCELLED), *(leaving(n, weak=True) for n in range(1, 9)), held=10)
    assert [change.uid for change in plan.removals] == ["u0"]
    assert len(plan.parked) == 8


def test_what_the_configuration_takes_away_is_always_parked() -> None:
    plan = braked(leaving(1, Why.RECONFIGURED), held=1000)
    assert [parked.change.uid for parked in plan.parked] == ["u1"]


@pytest.mark.parametrize("why", Why)
def test_what_a_person_approved_is_held_back_by_nothing_and_counts_for_nothing(why: Why) -> None:
    approved = [replace(leaving(number, why, weak=True), approved=True) for number in range(50)]
    plan = braked(*approved, leaving(50, weak=True), leaving(51, weak=True), held=52)
    assert plan.counts == {"create": 0, "update": 0, "delete": 52, "parked": 0}


def test_a_whole_calendar_may_be_handed_over() -> None:
    due = {A: [leaving(n, Why.MOVED) for n in range(50)]}
    (plan,) = PLANNER.plans(due, {A: Standing(held=50)})
    assert plan.parked == ()


def test_appointments_that_lose_their_owner_are_no_handover() -> None:
    due = {A: [leaving(n, Why.MOVED, weak=True) for n in range(11)]}
    (plan,) = PLANNER.plans(due, {A: Standing(held=50)})
    assert len(plan.parked) == 11


def test_a_little_from_each_of_many_calendars_is_braked_by_target() -> None:
    calendars = [f"google:{n}@salon.example" for n in range(30)]
    due = {one: [leaving(n, weak=True, calendar=one) for n in range(2)] for one in calendars}
    plans = PLANNER.plans(due, {one: Standing(held=5) for one in calendars})
    assert all(not plan.removals and len(plan.parked) == 2 for plan in plans)
    assert "all calendars" in plans[0].parked[0].reason


@pytest.mark.parametrize(("gone_elsewhere", "parked"), [(1, 0), (2, 2)])
def test_a_glitch_cannot_come_in_slices_from_one_calendar_after_another(gone_elsewhere: int, parked: int) -> None:
    """Of eighteen events in two calendars three may go in a day: what went from one of them counts for the other."""
    standing = {A: Standing(held=8), B: Standing(held=10 - gone_elsewhere, weak=gone_elsewhere)}
    (plan,) = PLANNER.plans({A: [leaving(n, weak=True) for n in range(2)]}, standing)
    assert len(plan.parked) == parked


def test_calendars_without_deletions_count_towards_the_whole_of_a_target() -> None:
    standing = {A: Standing(held=5), B: Standing(held=95)}
    (plan,) = PLANNER.plans({A: [leaving(n, weak=True) for n in range(2)]}, standing)
    assert len(plan.removals) == 2


@given(
    st.lists(st.tuples(st.sampled_from(Why), st.booleans()), max_size=60),
    st.integers(0, 200),
    st.integers(0, 60),
    st.integers(0, 60),
)
def test_no_plan_ever_loses_a_placement_or_exceeds_its_limits(
    removals: list[tuple[Why, bool]], held: int, weak: int, explicit: int
) -> None:
    due = [leaving(n, why, weak=weak_evidence) for n, (why, weak_evidence) in enumerate(removals)]
    plan = braked(*due, held=held, weak=weak, explicit=explicit)
    assert sorted([c.uid for c in plan.removals] + [p.change.uid for p in plan.parked]) == sorted(p.uid for p in due)
    going = [
        change.removal for change in plan.removals if change.removal.why in {Why.GONE, Why.CANCELLED, Why.FILTERED}
    ]
    was_held = held + weak + explicit
    if any(removal.weak for removal in going):
        assert weak + sum(removal.weak for removal in going) <= max(2, 0.2 * was_held)
    if any(not removal.weak for removal in going):
        assert explicit + sum(not removal.weak for removal in going) <= max(20, 0.5 * was_held)
    assert not [removal for removal in plan.removals if removal.removal.why is Why.RECONFIGURED]


def test_a_plan_as_json_tells_each_change_with_its_evidence() -> None:
    document = braked(wanting("new"), leaving(1, Why.CANCELLED), held=10).as_json()
    assert [row["change"] for row in document["changes"]] == ["create", "delete"]
    assert document["changes"][1]["evidence"] == "because"
