"""What people do to events is reported, restored or respected, as the routes say, and never fought over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from calferry.ports import Rest
from calferry.sync.installation import Stopped, Tally, Watch
from calferry.sync.tend import tend
from tests.convergence.test_verifying import href, uid
from tests.crossing import CALENDARS, STAFF_ROUTE, Salon

ANA = CALENDARS[0]
DAY = timedelta(days=1)


def salon_with(shop: Salon, number: int = 2, **reactions: str) -> list[str]:
    """Appointments of Ana's, in her calendar, by a route with these reactions."""
    shop.configure(STAFF_ROUTE + "".join(f'{name} = "{word}"\n' for name, word in reactions.items()))
    booked = [shop.book(10 + day, 9) for day in range(number)]
    shop.cross()
    return booked


def tended(shop: Salon) -> Tally:
    with shop.installation() as installation:
        return tend(installation, "workspace", Watch())


def drifting(shop: Salon) -> dict[str, str]:
    """Reasons by uid."""
    with shop.installation() as installation:
        return {one.id: one.reason for one in installation.ledger.attention(shop.clock.now()) if one.what == "drift"}


def test_by_default_all_of_it_is_told_of_and_nothing_is_done(shop: Salon) -> None:
    first, second = salon_with(shop)
    google = shop.sandbox.google.world
    google.user_deletes(ANA, href(shop, first))
    google.user_edits(ANA, href(shop, second), summary="Mine")
    assert tended(shop).text() == "2 found to differ"
    shop.cross()
    assert drifting(shop).keys() == {uid(first), uid(second)}
    assert [one["summary"] for one in shop.ours(ANA)] == ["Mine"]
    assert tended(shop).text() == ""


def test_what_is_to_be_restored_is_written_by_the_next_pass(shop: Salon) -> None:
    first, second = salon_with(shop, on_user_edit="restore", on_user_delete="restore")
    google = shop.sandbox.google.world
    google.user_deletes(ANA, href(shop, first))
    google.user_edits(ANA, href(shop, second), summary="Mine")
    assert tended(shop)["restored"] == 2
    shop.cross()
    assert shop.verdict().clean
    assert drifting(shop) == {}


def test_nobody_is_fought_with_over_an_event(shop: Salon) -> None:
    (booked,) = salon_with(shop, 1, on_user_delete="restore")
    for restored in (1, 0):
        shop.sandbox.google.world.user_deletes(ANA, href(shop, booked))
        shop.clock.pass_by(2 * DAY)
        assert tended(shop)["restored"] == restored
        shop.cross()
    assert "it is not restored: it was already" in drifting(shop)[uid(booked)]
    shop.sandbox.agendize.world.move(booked, shop.wall(9, 15), 45)
    shop.cross()
    assert shop.verdict().clean
    shop.sandbox.google.world.user_deletes(ANA, href(shop, booked))
    assert tended(shop)["restored"] == 1


def test_more_than_three_restores_a_day_are_left_to_a_person(shop: Salon) -> None:
    booked = salon_with(shop, 5, on_user_delete="restore")
    for one in booked:
        shop.sandbox.google.world.user_deletes(ANA, href(shop, one))
    assert tended(shop)["restored"] == 3
    shop.cross()
    assert len(shop.ours(ANA)) == 3
    assert len(drifting(shop)) == 2
    assert tended(shop)["restored"] == 0
    shop.clock.pass_by(DAY + timedelta(hours=1))
    assert tended(shop)["restored"] == 2


def test_a_deletion_that_is_respected_stays_until_its_appointment_changes(shop: Salon) -> None:
    first, second = salon_with(shop, on_user_delete="respect")
    shop.sandbox.google.world.user_deletes(ANA, href(shop, first))
    assert tended(shop)["respected"] == 1
    for _ in range(2):
        assert shop.cross(timedelta(hours=25)).exit_code == 0
        assert tended(shop).text() == ""
    assert shop.standing() == {(ANA, uid(second)): 1}
    shop.sandbox.agendize.world.move(first, shop.wall(9, 15), 45)
    shop.cross()
    assert shop.verdict().clean


@pytest.mark.parametrize("number", [1, 2, 5])
def test_a_calendar_that_was_cleared_is_no_wish_to_respect(shop: Salon, number: int) -> None:
    booked = salon_with(shop, number, on_user_delete="respect")
    for one in booked:
        shop.sandbox.google.world.user_deletes(ANA, href(shop, one))
    assert tended(shop)["respected"] == 0
    assert len(drifting(shop)) == number


def test_what_is_over_does_not_make_a_cleared_calendar_look_full(shop: Salon) -> None:
    over = salon_with(shop, 5, on_user_delete="respect")
    shop.clock.pass_by(timedelta(days=20))
    coming = salon_with(shop, 2, on_user_delete="respect")
    for one in coming:
        shop.sandbox.google.world.user_deletes(ANA, href(shop, one))
    assert tended(shop)["respected"] == 0
    assert drifting(shop).keys() == {uid(one) for one in coming}
    assert len(shop.ours(ANA)) == len(over)


def test_tending_ends_when_it_is_asked_to(shop: Salon) -> None:
    salon_with(shop)
    with shop.installation() as installation, pytest.raises(Stopped):
        tend(installation, "workspace", Watch(stopping=lambda: True))


def test_the_reactions_route_nothing_anew(shop: Salon) -> None:
    salon_with(shop)
    with shop.installation() as installation:
        before = installation.accounts[0].basis
    salon_with(shop, 0, on_user_edit="restore", on_user_delete="respect")
    with shop.installation() as installation:
        assert installation.accounts[0].basis == before


@pytest.mark.parametrize(("what", "name"), [("target", "workspace"), ("calendar", f"google:{ANA}")])
def test_nothing_is_asked_of_a_calendar_that_a_person_lets_rest(shop: Salon, what: str, name: str) -> None:
    booked = salon_with(shop, 3, on_user_delete="respect")
    shop.sandbox.google.world.user_deletes(ANA, href(shop, booked[0]))
    with shop.installation() as installation:
        installation.ledger.pauses.rest(Rest(what=what, name=name), shop.clock.now())
    shop.sandbox.google.forget_requests()
    assert tended(shop).text() == ""
    assert shop.sandbox.google.requests == 0
    with shop.installation() as installation:
        assert installation.ledger.pauses.resume(what, name, shop.clock.now())
    assert tended(shop)["respected"] == 1
