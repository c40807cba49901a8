"""What people do to events in their calendars is seen, told, and undone once a person wants it undone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from calferry.errors import Unavailable
from calferry.keeping import DriftKind
from calferry.model import uid_of
from calferry.plan import Brake, Brakes
from calferry.sandbox import faults
from calferry.sandbox.faults import matching
from calferry.sync.crossing import run
from calferry.sync.installation import Watch
from calferry.sync.reached import calendars
from calferry.sync.verify import Repaired, Verified, repair, verify
from tests.convergence.test_office365 import opened
from tests.crash.instants import told
from tests.crossing import CALENDARS, COMPANY, STAFF_ROUTE, Salon, uid_of_event

ANA = CALENDARS[0]
MISSING, CHANGED, DOUBLED = DriftKind.MISSING, DriftKind.CHANGED, DriftKind.DOUBLED
ORPHANED, FOREIGN = DriftKind.ORPHANED, DriftKind.FOREIGN


def uid(booked: str) -> str:
    return uid_of("salon", f"agendize:{COMPANY}", booked)


def verified(shop: Salon) -> dict[str, Verified]:
    with shop.installation() as installation:
        return {
            calendar.partition(":")[2]: verify(installation, calendar, target)
            for calendar, target in calendars(installation).items()
        }


def drifts(shop: Salon, calendar: str = ANA) -> list[tuple[DriftKind, str]]:
    return [(one.kind, one.id) for one in verified(shop)[calendar].drifts]


def repaired(shop: Salon, calendar: str = ANA) -> Repaired:
    with shop.installation() as installation:
        key = next(key for key in calendars(installation) if key.endswith(calendar))
        return repair(installation, verify(installation, key, "workspace"))


def href(shop: Salon, booked: str, calendar: str = ANA) -> str:
    return next(str(one["id"]) for one in shop.ours(calendar) if uid_of_event(one) == uid(booked))


@pytest.fixture
def booked(shop: Salon) -> list[str]:
    """Three appointments of Ana's, in her calendar."""
    booked = [shop.book(2 + day, 9) for day in range(3)]
    shop.cross()
    return booked


def doubled(shop: Salon, booked: str) -> None:
    """The event of a former generation stands beside today's."""
    world, google = shop.sandbox.agendize.world, shop.sandbox.google.world
    old = href(shop, booked)
    world.cancel(booked)
    shop.cross()
    world.restore(booked)
    shop.cross()
    google.user_edits(ANA, old, status="confirmed")


def test_what_was_written_and_left_alone_is_as_written(shop: Salon, booked: list[str]) -> None:
    found = verified(shop)[ANA]
    assert (found.events, found.drifts, found.stale) == (3, (), 0)


def test_verifying_writes_to_no_calendar(shop: Salon, booked: list[str]) -> None:
    shop.sandbox.google.world.user_deletes(ANA, href(shop, booked[0]))
    writes = shop.sandbox.google.world.writes
    verified(shop)
    assert shop.sandbox.google.world.writes == writes
    shop.sandbox.google.forget_requests()
    verified(shop)
    assert shop.sandbox.google.kinds["batch"] == 0


def test_an_event_that_its_user_deleted_is_missing_and_comes_back_when_it_is_repaired(
    shop: Salon, booked: list[str]
) -> None:
    shop.sandbox.google.world.user_deletes(ANA, href(shop, booked[0]))
    assert drifts(shop) == [(MISSING, uid(booked[0]))]
    shop.cross()
    assert shop.verdict().missing == 1
    assert repaired(shop) == Repaired(due=1)
    assert not shop.cross().errors
    assert shop.verdict().clean
    assert drifts(shop) == []


def test_an_event_that_is_there_after_all_is_not_doubled_by_a_repair(shop: Salon, booked: list[str]) -> None:
    with shop.installation() as installation:
        installation.keeper.disown(f"google:{ANA}", {uid(booked[0]): None}, shop.clock.now())
    shop.cross()
    assert shop.verdict().clean


def test_an_event_that_its_user_edited_shows_something_else_and_is_restored_when_it_is_repaired(
    shop: Salon, booked: list[str]
) -> None:
    google = shop.sandbox.google.world
    google.user_edits(ANA, href(shop, booked[1]), summary="Mine", location="Elsewhere")
    (drift,) = verified(shop)[ANA].drifts
    assert (drift.kind, drift.id) == (CHANGED, uid(booked[1]))
    assert "shows another location, summary than was written" in drift.reason
    assert repaired(shop) == Repaired(due=1)
    shop.cross()
    assert shop.verdict().clean
    assert drifts(shop) == []


@pytest.mark.parametrize("members", [{"colorId": "5"}, {"reminders": {"useDefault": True}}, {}])
def test_another_etag_alone_is_no_difference(shop: Salon, booked: list[str], members: dict[str, object]) -> None:
    shop.sandbox.google.world.user_edits(ANA, href(shop, booked[1]), **members)
    assert drifts(shop) == []


def test_a_second_event_of_an_appointment_is_deleted_when_it_is_repaired(shop: Salon, booked: list[str]) -> None:
    doubled(shop, booked[0])
    assert [kind for kind, _ in drifts(shop)] == [DOUBLED]
    assert shop.standing()[ANA, uid(booked[0])] == 2
    assert repaired(shop) == Repaired(removed=1)
    assert (shop.standing()[ANA, uid(booked[0])], drifts(shop)) == (1, [])
    assert not shop.cross().errors
    assert shop.verdict().clean


def test_second_events_are_deleted_under_the_brakes(shop: Salon, booked: list[str]) -> None:
    doubled(shop, booked[0])
    with shop.installation() as installation:
        object.__setattr__(installation, "brakes", Brakes(explicit=Brake(few=0, share=0.0)))
        found = verify(installation, f"google:{ANA}", "workspace")
        assert repair(installation, found) == Repaired(held_back=1)
    assert shop.standing()[ANA, uid(booked[0])] == 2


def test_an_event_that_a_pass_took_for_the_first_meanwhile_is_not_deleted_as_the_second(
    shop: Salon, booked: list[str]
) -> None:
    doubled(shop, booked[0])
    with shop.installation() as installation:
        found = verify(installation, f"google:{ANA}", "workspace")
        (second,) = [one.found for one in found.drifts if one.found]
        installation.keeper.disown(f"google:{ANA}", {uid(booked[0]): second}, shop.clock.now())
        assert repair(installation, found).removed == 0
    assert shop.standing()[ANA, uid(booked[0])] == 2


class Crash(BaseException):
    """The process dies here."""


@pytest.mark.parametrize("instant", range(1, 40, 2))
def test_a_repair_that_is_killed_anywhere_leaves_each_appointment_its_event(
    shop: Salon, booked: list[str], instant: int
) -> None:
    doubled(shop, booked[0])
    left = instant

    def count(moment: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Crash

    try:
        with told(count):
            repaired(shop)
    except Crash:
        pass
    shop.cross(timedelta(minutes=10))
    repaired(shop)
    shop.cross()
    assert shop.verdict().clean
    assert max(shop.standing().values()) == 1


def test_a_deletion_whose_answer_was_lost_is_settled_by_the_next_pass(shop: Salon, booked: list[str]) -> None:
    doubled(shop, booked[0])
    shop.sandbox.google.faults.add(faults.lost_reply(), match=matching("/batch"), times=3)
    assert [type(error) for error in repaired(shop).errors] == [Unavailable]
    shop.sandbox.google.faults.clear()
    shop.cross(timedelta(minutes=10))
    assert shop.verdict().clean
    assert drifts(shop) == []


def test_an_event_that_was_deleted_and_that_its_user_took_back_is_left_to_a_person(
    shop: Salon, booked: list[str]
) -> None:
    old = href(shop, booked[0])
    shop.sandbox.agendize.world.cancel(booked[0])
    shop.cross()
    shop.sandbox.google.world.user_edits(ANA, old, status="confirmed")
    assert drifts(shop) == [(ORPHANED, uid(booked[0]))]
    assert repaired(shop) == Repaired(left=1)
    assert shop.standing()[ANA, uid(booked[0])] == 1


def test_events_of_a_ledger_that_is_not_ours_are_told_of_and_left_alone(shop: Salon, booked: list[str]) -> None:
    stranger = shop.ours(ANA)[0]
    private = {**stranger["extendedProperties"]["private"], "calferryLedger": "elsewhere"}
    shop.sandbox.google.world.user_edits(ANA, str(stranger["id"]), extendedProperties={"private": private})
    kinds = drifts(shop)
    assert (FOREIGN, "elsewhere") in kinds
    before = shop.standing()
    repaired(shop)
    assert shop.standing() == before


def test_copies_that_users_make_are_theirs(shop: Salon, booked: list[str]) -> None:
    home = shop.sandbox.google.world.calendars[ANA]
    shop.sandbox.google.world.store(home, home.events[href(shop, booked[0])] | {"id": "copy0"})
    assert drifts(shop) == []


def test_what_is_over_is_over(shop: Salon, booked: list[str]) -> None:
    shop.sandbox.google.world.user_deletes(ANA, href(shop, booked[0]))
    shop.clock.pass_by(timedelta(days=4))
    assert drifts(shop) == []


def test_a_difference_is_new_once_and_over_when_it_was_written_anew(shop: Salon, booked: list[str]) -> None:
    shop.sandbox.google.world.user_deletes(ANA, href(shop, booked[0]))
    assert [len(verified(shop)[ANA].new) for _ in range(2)] == [1, 0]
    with shop.installation() as installation:
        told_of = installation.ledger.attention(shop.clock.now())
        assert [(one.what, one.id) for one in told_of] == [("drift", uid(booked[0]))]
    repaired(shop)
    shop.cross()
    with shop.installation() as installation:
        assert not installation.ledger.attention(shop.clock.now())


def test_what_is_on_its_way_is_not_told_of(shop: Salon, booked: list[str]) -> None:
    shop.sandbox.agendize.world.move(booked[0], shop.wall(6, 15), 45)
    shop.sandbox.google.faults.add(faults.lost_reply(), match=matching("/batch"), times=3)
    shop.cross()
    shop.sandbox.google.faults.clear()
    assert drifts(shop) == []


def test_a_parked_event_that_its_user_deleted_is_done_with(shop: Salon, booked: list[str]) -> None:
    shop.configure(STAFF_ROUTE + '\n[routes.staff.where]\nowner = "ben*"\n')
    shop.cross()
    shop.sandbox.google.world.user_deletes(ANA, href(shop, booked[0]))
    assert drifts(shop) == [(MISSING, uid(booked[0]))]
    repaired(shop)
    with shop.installation() as installation:
        assert uid(booked[0]) not in {one.uid for one in installation.ledger.outbox.held_back()}
        assert not [one for one in run(installation, Watch()).new if one.id == uid(booked[0])]


def test_calendars_of_microsoft_365_are_verified_too() -> None:
    with opened() as shop:
        booked = [shop.book(5 + number, staff=0) for number in range(4)]
        shop.cross()
        assert drifts(shop) == []
        places = {name: place for place, name, _ in shop.marked()}
        world = shop.graph.world
        world.user_edits(*places[uid(booked[0])], subject="Mine")
        world.user_deletes(*places[uid(booked[1])])
        world.user_copies(*places[uid(booked[2])])
        world.user_invites(*places[uid(booked[3])], "jo@customer.example")
        found = verified(shop)[ANA]
        assert sorted((one.kind, one.id) for one in found.drifts) == sorted(
            [(CHANGED, uid(booked[0])), (MISSING, uid(booked[1]))]
        )
        assert repaired(shop) == Repaired(due=2)
        assert not shop.cross().errors
        assert drifts(shop) == []
        assert (world.mails, world.reminders) == ([], [])


def test_an_event_that_its_user_put_into_another_calendar_of_the_mailbox_is_not_missing() -> None:
    with opened() as shop:
        shop.book(5, staff=0)
        shop.cross()
        ((place, _, _),) = shop.marked()
        shop.graph.world.user_moves(*place, shop.graph.world.add_calendar(place[0], "Other"))
        assert drifts(shop) == []
