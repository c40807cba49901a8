"""A plan that was kept in a file is carried out exactly as it was seen, or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calferry.errors import PARKED
from calferry.model import Action, uid_of
from calferry.ports import Rest
from calferry.sandbox import faults
from calferry.sync.applying import Applied, apply
from calferry.sync.crossing import bring
from calferry.sync.installation import Watch
from calferry.sync.plan_file import VERSION, Item, UnusablePlan, digest, item_of, read, text
from calferry.sync.push import plan
from tests.crash.instants import told
from tests.crossing import CALENDARS, COMPANY, NOW, Salon, salon

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
ANA = f"google:{CALENDARS[0]}"


def seen(shop: Salon, after: timedelta = MINUTE) -> bytes:
    """The file of a plan as it is now."""
    shop.clock.pass_by(after)
    with shop.installation() as installation:
        bring(installation, Watch())
        items = [item_of(change) for one in plan(installation) for change in one.changes]
        name, ledger = installation.name, installation.ledger.id
    return text(items, installation=name, ledger=ledger, made_at=shop.clock.time).encode()


def applied(shop: Salon, file: bytes, after: timedelta = MINUTE) -> Applied:
    shop.clock.pass_by(after)
    with shop.installation() as installation:
        items = read(file, installation=installation.name, ledger=installation.ledger.id)
        return apply(installation, items, Watch())


def actions(items: Sequence[Item]) -> list[str]:
    return sorted(item.action for item in items)


@pytest.fixture
def busy(shop: Salon) -> list[str]:
    """Six appointments of Ana's in her calendar; one is moved to Ben, one to another hour, one called off, one new."""
    booked = [shop.book(3 + day) for day in range(6)]
    shop.cross()
    world = shop.sandbox.agendize.world
    world.reassign(booked[0], shop.staff[1])
    world.move(booked[1], shop.wall(4, 15))
    world.cancel(booked[2])
    return [*booked, shop.book(12)]


def test_all_that_was_seen_is_written_and_the_next_pass_has_nothing_left_to_do(shop: Salon, busy: list[str]) -> None:
    file = seen(shop)
    shop.sandbox.agendize.forget_requests()
    done = applied(shop, file)
    assert shop.sandbox.agendize.requests == 0
    assert actions(done.applied) == ["create", "create", "delete", "delete", "update"]
    assert (done.left, done.already, done.exit_code) == ({}, [], 0)
    assert shop.verdict().clean
    writes = shop.writes
    shop.cross()
    assert shop.writes == writes


def test_what_changed_since_is_left_and_says_so(shop: Salon, busy: list[str]) -> None:
    file = seen(shop)
    world = shop.sandbox.agendize.world
    world.move(busy[1], shop.wall(4, 17))
    world.restore(busy[2])
    before = shop.writes
    seen(shop)
    done = applied(shop, file)
    assert actions(done.applied) == ["create", "create", "delete"]
    assert {item.action: reason for item, reason in done.left.items()} == {
        "update": "changed since: something else is wanted there by now",
        "delete": "changed since: there is nothing to write any more",
    }
    assert (done.exit_code, shop.writes - before) == (1, 3)


def test_what_is_newer_than_the_plan_waits_for_the_next_pass(shop: Salon, busy: list[str]) -> None:
    file = seen(shop)
    shop.book(13)
    seen(shop)
    assert applied(shop, file).exit_code == 0
    with shop.installation() as installation:
        assert [len(one.changes) for one in plan(installation)] == [1]


def test_what_a_pass_has_done_meanwhile_is_done_and_nothing_is_left(shop: Salon, busy: list[str]) -> None:
    file = seen(shop)
    shop.cross()
    writes = shop.writes
    done = applied(shop, file)
    assert (done.applied, len(done.already), done.left, done.exit_code) == ([], 5, {}, 0)
    assert shop.writes == writes


def test_the_brakes_hold_whatever_a_plan_says(shop: Salon) -> None:
    """Five deletions on weak evidence, of which a plan that was cut down asks for two only."""
    booked = [shop.book(3 + day) for day in range(10)]
    shop.cross()
    for one in booked[:5]:
        shop.vanish(one)
    shop.clock.pass_by(DAY)
    with shop.installation() as installation:
        bring(installation, Watch())
        outbox, now = installation.ledger.outbox, installation.clock.now()
        removals = installation.planner.plan(ANA, outbox.due(ANA, now)).removals
        done = apply(installation, [item_of(change) for change in removals[:2]], Watch())
    assert [reason.partition(":")[0] for reason in done.left.values()] == ["parked", "parked"]
    assert (done.exit_code, shop.standing().total(), len(done.new)) == (PARKED, 10, 5)
    assert done.applied == []


def test_no_plan_holds_what_is_parked(shop: Salon) -> None:
    booked = [shop.book(3 + day) for day in range(10)]
    shop.cross()
    for one in booked[:5]:
        shop.vanish(one)
    shop.cross(DAY)
    assert json.loads(seen(shop))["items"] == []


def test_an_appointment_leaves_only_once_its_new_calendar_holds_it(shop: Salon, busy: list[str]) -> None:
    file = seen(shop)
    google = shop.sandbox.google
    google.faults.add(faults.status(500), match=lambda asked: b"ben%40" in asked.body, times=None)
    done = applied(shop, file)
    assert sorted(reason.partition(":")[0] for reason in done.left.values()) == ["not yet", "under way"]
    assert (done.exit_code, actions(done.applied)) == (75, ["create", "delete", "update"])
    assert shop.standing()[CALENDARS[0], uid_of("salon", f"agendize:{COMPANY}", busy[0])] == 1
    google.faults.clear()
    again = applied(shop, file, timedelta(hours=1))
    assert (again.exit_code, again.left, actions(again.applied)) == (0, {}, ["create", "delete"])
    assert shop.verdict().clean


def test_what_another_pass_has_begun_is_left_to_it(shop: Salon) -> None:
    shop.book(3)
    google = shop.sandbox.google
    google.faults.add(faults.status(500), match=lambda asked: asked.method == "POST" and b"ana%40" in asked.body)
    booked = seen(shop)
    shop.cross()
    document = json.loads(booked)
    document["items"][0]["wanted"] = "0" * 64
    done = applied(shop, sealed(document))
    assert [reason.partition(":")[0] for reason in done.left.values()] == ["under way"]
    assert (done.exit_code, shop.standing().total()) == (1, 0)


def test_in_a_calendar_that_rests_nothing_is_written(shop: Salon, busy: list[str]) -> None:
    file = seen(shop)
    with shop.installation() as installation:
        installation.ledger.pauses.rest(Rest(what="calendar", name=ANA), installation.clock.now())
    done = applied(shop, file)
    assert {item.calendar for item in done.applied} == {f"google:{CALENDARS[1]}"}
    assert set(done.left.values()) == {"its calendar rests; `calferry resume` ends that"}


class Crash(BaseException):
    """The process dies here."""


@pytest.mark.parametrize("instant", range(1, 60, 6))
def test_a_plan_that_is_killed_anywhere_is_brought_to_its_end_by_the_same_plan(
    shop: Salon, busy: list[str], instant: int
) -> None:
    file, left = seen(shop), instant

    def count(moment: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Crash

    try:
        with told(count):
            applied(shop, file)
    except Crash:
        pass
    again = applied(shop, file, timedelta(minutes=10))
    assert (again.exit_code, again.left, len(again.applied) + len(again.already)) == (0, {}, 5)
    assert shop.verdict().clean
    assert max(shop.standing().values()) == 1


def sealed(document: Any) -> bytes:
    """A document with its digest made right again."""
    if isinstance(document, dict):
        document["digest"] = digest(document)
    return json.dumps(document).encode()


def with_member(document: Any, name: str, value: object) -> bytes:
    return sealed(document | {name: value})


def with_item(document: Any, **members: object) -> bytes:
    document["items"][0] |= members
    return sealed(document)


UNUSABLE: dict[str, tuple[Callable[[Any], bytes], str]] = {
    "no JSON": (lambda _: b"{", "it is no plan"),
    "no text": (lambda _: b"\xff\xfe\xfd", "it is no plan"),
    "nested without an end": (lambda _: b"[" * 100_000, "it is no plan"),
    "something else": (lambda _: b"[1]", "it is no plan"),
    "a newer one": (lambda one: with_member(one, "version", VERSION + 1), "it was written by a newer calferry"),
    "a version that never was": (
        lambda one: with_member(one, "version", 0),
        "a version of the format that there",
    ),
    "a member too many": (lambda one: with_member(one, "force", True), "it has a member 'force', which no plan has"),
    "an item with a member too many": (
        lambda one: with_item(one, approved=True),
        "item 1 has a member 'approved', which no plan has",
    ),
    "a truth for a number": (lambda one: with_item(one, generation=True), "item 1 has no proper 'generation'"),
    "another installation's": (lambda one: with_member(one, "installation", "x"), "made for the installation 'x', not"),
    "another ledger's": (lambda one: with_member(one, "ledger", "x"), "made with another ledger than this one"),
    "one that was edited": (
        lambda one: json.dumps(one | {"made_at": "then"}).encode(),
        "it is not as it was written: its digest is another",
    ),
    "one event twice": (
        lambda one: sealed(one | {"items": [*one["items"], one["items"][0]]}),
        "it names an event of a calendar twice",
    ),
    "an event that never was": (lambda one: with_item(one, uid="\ud800"), r"never had an event '\\ud800' in 'google:"),
    "a calendar that never was": (lambda one: with_item(one, calendar="x"), "in 'x'"),
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_a_file_that_is_no_plan_of_ours_changes_nothing(shop: Salon, busy: list[str], what: str) -> None:
    spoil, message = UNUSABLE[what]
    file = spoil(json.loads(seen(shop)))
    writes = shop.writes
    with pytest.raises(UnusablePlan) as error:
        applied(shop, file)
    assert message.replace("\\\\", "\\") in str(error.value)
    assert "nothing is changed" in str(error.value)
    assert shop.writes == writes


# ── whatever stands in a file ─────────────────────────────────────────────────────────────────────────────────────────

texts = st.text(max_size=12)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
members = st.sampled_from(
    ["calendar", "uid", "action", "generation", "wanted", "written", "why", "evidence", "summary", "start", "end"]
)


class Spoiler:
    """A salon with something to write, on which file after file is tried."""

    def __init__(self, shop: Salon) -> None:
        self.shop = shop
        self.days = cycle(range(3, 30))
        self.renew()

    def renew(self) -> None:
        """Have something to create, to update and to delete."""
        shop, day = self.shop, next(self.days)
        moved, off = shop.book(day), shop.book(day, 11)
        shop.cross()
        shop.sandbox.agendize.world.cancel(off)
        shop.sandbox.agendize.world.move(moved, shop.wall(day, 15))
        shop.book(day, 17, staff=1)
        self.file = seen(shop)
        with shop.installation() as installation:
            self.due = {item_of(change) for one in plan(installation) for change in one.changes}

    def try_out(self, file: bytes) -> None:
        """Whatever it is: what it changes was due, just so; all else is a sentence."""
        writes = self.shop.writes
        try:
            done = applied(self.shop, file)
        except UnusablePlan:
            assert self.shop.writes == writes
            return
        assert set(done.applied) <= self.due
        assert self.shop.writes - writes == len(done.applied)
        self.due -= set(done.applied)


@pytest.fixture(scope="module")
def spoiler() -> Iterator[Spoiler]:
    with TemporaryDirectory(prefix="calferry-plans-") as home, salon(Path(home)) as shop:
        yield Spoiler(shop)


@given(st.binary(max_size=40) | anything.map(lambda one: json.dumps(one).encode()) | anything.map(sealed))
@settings(max_examples=15, deadline=None)
def test_no_file_whatever_ends_in_anything_but_a_sentence(spoiler: Spoiler, file: bytes) -> None:
    spoiler.try_out(file)


@given(
    st.lists(st.tuples(st.integers(0, 20), members, anything | st.sampled_from(list(Action))), max_size=3), st.data()
)
@settings(max_examples=25, deadline=None)
def test_no_edit_of_a_plan_whatever_changes_more_than_the_ledger_wants(
    spoiler: Spoiler, edits: list[tuple[int, str, object]], data: st.DataObject
) -> None:
    if len(spoiler.due) < 3:
        spoiler.renew()
    document = json.loads(spoiler.file)
    rows = document["items"]
    for number, member, value in edits:
        others = st.sampled_from([row.get(member) for row in rows])
        rows[number % len(rows)][member] = data.draw(others | st.just(value))
    spoiler.try_out(sealed(document))


def test_a_plan_says_what_is_written_and_when_to_whoever_reads_it(shop: Salon) -> None:
    shop.book(3)
    document = json.loads(seen(shop))
    assert (document["version"], document["installation"]) == (VERSION, "salon")
    (item,) = document["items"]
    assert (item["action"], item["start"][:10]) == ("create", f"{NOW + 3 * DAY:%Y-%m-%d}")
    assert "Coupe" in item["summary"]
