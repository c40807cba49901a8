"""Leaving a calendar takes away what is ours, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from calferry.model import uid_of
from calferry.sandbox import faults
from calferry.sandbox.faults import matching
from calferry.sync.installation import Tally, Watch
from calferry.sync.reached import calendars
from calferry.sync.remove import Remainder, look, remove
from tests.convergence import test_feeds as feeds
from tests.convergence.test_adopting import lose
from tests.convergence.test_office365 import opened
from tests.convergence.test_verifying import doubled
from tests.crash.instants import told
from tests.crossing import CALENDARS, COMPANY, STAFF_ROUTE, Salon

ANA, KEY = CALENDARS[0], f"google:{CALENDARS[0]}"


def uid(booked: str) -> str:
    return uid_of("salon", f"agendize:{COMPANY}", booked)


@pytest.fixture
def booked(shop: Salon) -> list[str]:
    """Three appointments of Ana's and one of Ben's, in their calendars beside an event that is not ours."""
    now = shop.clock.time
    shop.sandbox.google.world.add_foreign_event(ANA, "Dentist", now, now + timedelta(hours=1))
    booked = [shop.book(2 + day, 9) for day in range(3)]
    shop.book(4, 9, staff=1)
    shop.cross()
    return booked


def without_routes(shop: Salon) -> None:
    before, _, _ = shop.config.read_text(encoding="utf-8").partition("[routes")
    shop.config.write_text(before, encoding="utf-8")


def removed(shop: Salon, *names: str) -> list[Tally]:
    with shop.installation() as installation:
        return [remove(installation, *one, Watch()) for one in calendars(installation, names).items()]


def looked(shop: Salon, name: str = ANA) -> Remainder:
    with shop.installation() as installation:
        ((calendar, target),) = calendars(installation, [name]).items()
        return look(installation, calendar, target)


def test_everything_of_ours_goes_and_nothing_else(shop: Salon, booked: list[str]) -> None:
    without_routes(shop)
    assert [tally["deleted"] for tally in removed(shop, ANA)] == [3]
    assert shop.ours(ANA) == []
    assert len(shop.ours(CALENDARS[1])) == 1
    assert shop.verdict().foreign_touched == 0
    assert shop.cross().exit_code == 0
    assert shop.ours(ANA) == []


def test_looking_removes_nothing(shop: Salon, booked: list[str]) -> None:
    without_routes(shop)
    found = looked(shop)
    assert (found.number, found.may_go, len(found.starts)) == (3, True, 3)
    assert len(shop.ours(ANA)) == 3


def test_nothing_is_removed_where_a_route_leads(shop: Salon, booked: list[str]) -> None:
    assert looked(shop).routes == ("staff",)
    assert [tally.counts for tally in removed(shop, ANA)] == [{}]
    assert len(shop.ours(ANA)) == 3


def test_nothing_is_removed_while_a_new_ledger_does_not_know_yet_what_a_route_carries(
    shop: Salon, booked: list[str]
) -> None:
    lose(shop)
    assert looked(shop).routes == ("staff",)
    removed(shop, ANA)
    assert len(shop.ours(ANA)) == 3


def test_what_was_removed_is_written_again_once_a_route_leads_there_again(shop: Salon, booked: list[str]) -> None:
    without_routes(shop)
    removed(shop)
    shop.configure(STAFF_ROUTE)
    shop.cross()
    assert shop.verdict().clean


def test_everything_goes_without_the_ledger_that_wrote_it(shop: Salon, booked: list[str]) -> None:
    doubled(shop, booked[0])
    lose(shop)
    without_routes(shop)
    assert looked(shop).number == 4
    assert [tally["deleted"] for tally in removed(shop, ANA)] == [4]
    assert shop.ours(ANA) == []


def test_second_events_go_too(shop: Salon, booked: list[str]) -> None:
    doubled(shop, booked[0])
    without_routes(shop)
    assert [tally["deleted"] for tally in removed(shop, ANA)] == [4]
    assert shop.ours(ANA) == []


class Crash(BaseException):
    """The process dies here."""


@pytest.mark.parametrize("instant", range(1, 60, 4))
def test_a_removal_that_is_killed_anywhere_goes_on_when_it_is_repeated(
    shop: Salon, booked: list[str], instant: int
) -> None:
    without_routes(shop)
    left = instant

    def count(moment: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Crash

    try:
        with told(count):
            removed(shop, ANA)
    except Crash:
        pass
    shop.cross()
    removed(shop, ANA)
    shop.cross()
    assert shop.ours(ANA) == []
    assert len(shop.ours(CALENDARS[1])) == 1


def test_a_removal_whose_answers_are_lost_is_finished_by_the_next_pass(shop: Salon, booked: list[str]) -> None:
    without_routes(shop)
    shop.sandbox.google.faults.add(faults.lost_reply(), match=matching("/batch"), times=3)
    (tally,) = removed(shop, ANA)
    assert tally.errors
    shop.sandbox.google.faults.clear()
    assert not shop.cross().errors
    assert shop.ours(ANA) == []


def test_an_event_with_guests_stays_at_microsoft_365_and_nobody_is_mailed() -> None:
    with opened() as shop:
        kept, *_ = [shop.book(5 + number, staff=0) for number in range(3)]
        shop.cross()
        place = next(place for place, name, _ in shop.marked() if name == uid(kept))
        shop.graph.world.user_invites(*place, "jo@customer.example")
        without_routes(shop)
        (tally,) = removed(shop, ANA)
        assert (tally["deleted"], tally["refused"]) == (2, 1)
        assert [name for _, name, _ in shop.marked()] == [uid(kept)]
        assert (shop.graph.world.mails, shop.graph.world.reminders) == ([], [])


def test_a_feed_that_is_left_shows_nothing_any_more(shop: Salon) -> None:
    (shop.home / "feed-secret").write_text("5" * 64, encoding="utf-8")
    shop.configure(feeds.FEEDS)
    feeds.stocked(shop)
    shop.cross()
    shop.configure(feeds.FEEDS.partition("[routes")[0])
    with shop.installation() as installation:
        for calendar, target in calendars(installation).items():
            remove(installation, calendar, target, Watch())
    assert not any(feeds.standing(feeds.served(shop)).values())
