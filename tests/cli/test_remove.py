"""`calferry remove`: what calferry wrote leaves a calendar that no route leads to, once a person says so."""

from __future__ import annotations

import pytest

from tests.cli.salon import ANA, BEN, Salon


@pytest.fixture
def left(salon: Salon) -> Salon:
    """Events in two calendars, by a route that is not in the configuration any more."""
    salon.book(2)
    salon.book(1, staff=salon.ben)
    salon.run("sync")
    before, _, _ = salon.config.read_text(encoding="utf-8").partition("[routes")
    salon.config.write_text(before, encoding="utf-8")
    return salon


def test_what_would_go_is_shown_and_nothing_is_done(left: Salon) -> None:
    ran = left.run("remove", ANA)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"google:{ANA}: 2 events (20")
    assert ran.out.endswith("Nothing was removed yet; --yes does it.\n")
    assert left.shown() == 2


def test_what_is_confirmed_goes(left: Salon) -> None:
    ran = left.run("remove", ANA, "--yes")
    assert (ran.code, ran.out.splitlines()[1]) == (0, "  2 deleted")
    assert (left.shown(ANA), left.shown(BEN)) == (0, 1)
    told = left.run("remove", "--all", "--yes", "--json").document["calendars"]
    assert [(one["calendar"], one["events"]) for one in told] == [(f"google:{ANA}", 0), (f"google:{BEN}", 1)]
    assert left.shown(BEN) == 0
    assert left.run("sync").code == 0


def test_a_calendar_that_a_route_leads_to_is_refused(salon: Salon) -> None:
    salon.book(1)
    salon.run("sync")
    ran = salon.run("remove", "--target", "workspace", "--yes")
    assert ran.code == 1
    assert "nothing is removed: route staff leads there, and the next pass would write it again" in ran.out
    assert salon.shown() == 1


def test_one_of_the_three_ways_to_say_which_is_asked_for(salon: Salon) -> None:
    assert salon.run("remove", "--yes").code == 2
    assert salon.run("remove", ANA, "--all").code == 2
    assert "there is no target called elsewhere" in salon.run("remove", "--target", "elsewhere").err
    assert salon.run("remove", "--all").out == "No calendar is known. Name it: `calferry remove CALENDAR`.\n"


def test_a_calendar_that_is_closed_stops_no_other(left: Salon) -> None:
    left.unshare(ANA)
    ran = left.run("remove", "--all", "--yes")
    assert ran.code == 77
    assert f"google:{BEN}: 1 events" in ran.out
    assert f"google:{ANA} (404 notFound)" in ran.err
    assert (left.shown(ANA), left.shown(BEN)) == (2, 0)
