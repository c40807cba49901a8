"""`calferry verify`: what people did to events, told once, undone on request."""

from __future__ import annotations

import pytest

from tests.cli.salon import ANA, Salon


@pytest.fixture
def torn(salon: Salon) -> Salon:
    """Ana deleted one of her events, and gave another a title of her own."""
    salon.book(3)
    salon.run("sync")
    google = salon.sandbox.google.world
    first, second, _ = [str(one["id"]) for one in google.events(ANA)]
    google.user_deletes(ANA, first)
    google.user_edits(ANA, second, summary="Dentist, do not tell")
    return salon


def test_calendars_that_hold_what_was_written_are_in_order(salon: Salon) -> None:
    assert salon.run("verify").out == "No calendar is known yet. Run `calferry sync` first.\n"
    salon.book(1)
    salon.run("sync")
    ran = salon.run("verify")
    assert (ran.code, ran.out, ran.err) == (0, f"google:{ANA}: 1 events of ours, as written\n", "")


def test_what_differs_is_told_by_kind_and_is_news_once(torn: Salon) -> None:
    ran = torn.run("verify")
    assert (ran.code, ran.err) == (1, "")
    lines = ran.out.splitlines()
    assert lines[0] == f"google:{ANA}: 2 events of ours, 2 that differ"
    assert sorted(line.split(":")[0].strip() for line in lines[1:3]) == ["changed", "missing"]
    assert "shows another summary than was written" in ran.out
    assert "do not tell" not in ran.out
    again = torn.run("verify")
    assert (again.code, again.out.count("(known before)")) == (0, 2)
    assert torn.run("status").out.count("drift: ") == 2


def test_a_repair_makes_it_due_again_and_the_next_pass_writes_it(torn: Salon) -> None:
    ran = torn.run("verify", "--repair")
    assert (ran.code, ran.out.splitlines()[-1]) == (1, "  2 are due again: the next pass writes them")
    assert torn.run("sync").code == 0
    assert torn.run("verify", "--json").document["calendars"] == [
        {"calendar": f"google:{ANA}", "events": 3, "stale": 0, "drifts": []}
    ]
    assert torn.shown() == 3


def test_a_calendar_that_cannot_be_read_is_told_of_and_stops_no_other(torn: Salon) -> None:
    torn.book(1, staff=torn.ben)
    torn.run("sync")
    torn.unshare(ANA)
    ran = torn.run("verify")
    assert ran.code == 77
    assert ran.out == "google:ben@salon.example: 1 events of ours, as written\n"
    assert torn.run("verify", "ben@salon.example").code == 0
    nobody = torn.run("verify", "nobody")
    assert (nobody.code, nobody.out) == (77, "")
