"""`calferry adopt`: a lost ledger is taken over, once a person says so."""

from __future__ import annotations

import pytest

from tests.cli.salon import ANA, Salon


@pytest.fixture
def lost(salon: Salon) -> Salon:
    """Three events in calendars, and no ledger any more."""
    salon.book(2)
    salon.book(1, staff=salon.ben)
    salon.run("sync")
    (salon.home / "calferry.db").unlink()
    return salon


def test_sync_names_the_way_back(lost: Salon) -> None:
    before = lost.writes
    ran = lost.run("sync")
    assert ran.code == 77
    assert f"google:{ANA} holds 2 events written by calferry from another ledger of this installation" in ran.err
    assert "`calferry adopt`" in ran.err
    assert lost.writes == before


def test_what_there_is_to_adopt_is_shown_and_nothing_is_done(lost: Salon) -> None:
    ran = lost.run("adopt")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0].startswith(f"google:{ANA}: 2 events of former ledgers (2 by ledger ")
    assert lines[1] == "  2 as the booking system has them now, 0 changed since"
    assert lines[-1].endswith("then add --yes.")
    assert lost.run("sync").code == 77


def test_what_is_adopted_is_written_on_as_before(lost: Salon) -> None:
    assert lost.run("sync").code == 77
    before = lost.writes
    ran = lost.run("adopt", "--yes")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "Adopted. `calferry plan` shows what is to be written now.")
    assert lost.run("plan").out == "Nothing to write.\n"
    assert lost.run("sync").code == 0
    assert lost.writes == before
    assert lost.run("adopt").out == "There is nothing to adopt.\n"
    assert "Nobody has to act." in lost.run("status").out


def test_who_adopts_one_calendar_has_settled_it_for_all(lost: Salon) -> None:
    (one,) = lost.run("adopt", ANA, "--yes", "--json").document["calendars"]
    assert (one["calendar"], one["events"], len(one["in_step"])) == (f"google:{ANA}", 2, 2)
    assert lost.run("adopt", "--json").document["calendars"] == []
    before = lost.writes
    assert lost.run("sync").code == 0
    assert (lost.writes, lost.shown("ben@salon.example")) == (before, 1)


def test_nothing_is_adopted_while_the_booking_system_does_not_answer(lost: Salon) -> None:
    lost.break_bookings()
    ran = lost.run("adopt", "--yes")
    assert (ran.code, ran.out) == (75, "")
    assert "sources.salon was not pulled to its end" in ran.err
    assert lost.run("plan").code == 75


def test_events_of_another_installation_are_told_of_and_left_alone(lost: Salon) -> None:
    lost.config.write_text(lost.config.read_text(encoding="utf-8").replace('name = "salon"', 'name = "other"'), "utf-8")
    ran = lost.run("adopt", "--yes")
    assert ran.code == 75
    assert f"google:{ANA}: holds events of other installations (2 of 'salon'); nothing is adopted there" in ran.out
    assert lost.run("sync").code == 77
