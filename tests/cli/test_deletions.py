"""`calferry deletions`: a person's word on what is held back."""

from __future__ import annotations

import pytest

from tests.cli.salon import ANA, Salon

ONLY_BEN = '\n[routes.staff.where]\nowner = "ben*"\n'


@pytest.fixture
def parked(salon: Salon) -> Salon:
    """Two events of Ana's, which a changed filter would take away."""
    salon.book(2)
    salon.book(1, staff=salon.ben)
    salon.run("sync")
    salon.configure(more=ONLY_BEN)
    assert salon.run("sync").code == 3
    return salon


def uids(salon: Salon, *more: str) -> list[str]:
    return [one["uid"] for one in salon.run("deletions", "list", "--json", *more).document["deletions"]]


def test_the_list_says_what_would_leave_which_calendar_and_why(parked: Salon) -> None:
    ran, (first, second) = parked.run("deletions", "list"), uids(parked)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == f"google:{ANA}"
    assert [line.split()[0] for line in lines[1::2]] == [first, second]
    assert all("reconfigured: the configuration changed; held back: " in line for line in lines[2::2])


def test_what_is_approved_goes_with_the_next_pass(parked: Salon) -> None:
    first, second = uids(parked)
    ran = parked.run("deletions", "approve", first)
    assert (ran.code, ran.out) == (0, f"{first} in google:{ANA}: approved; the next pass carries it out\n")
    assert parked.shown(ANA) == 2
    assert "1 deleted" in parked.run("sync").out
    assert (parked.shown(ANA), uids(parked)) == (1, [second])


def test_what_is_rejected_stays_and_is_shown_on_request(parked: Salon) -> None:
    told = parked.run("deletions", "reject", *uids(parked), "--json")
    assert (told.code, len(told.document["decided"])) == (0, 2)
    assert parked.run("deletions", "list").out == "No deletion waits for a person.\n"
    assert "Nobody has to act." in parked.run("status").out
    assert parked.run("sync").code == 0
    assert (parked.shown(ANA), len(uids(parked, "--all"))) == (2, 2)


def test_an_uid_that_waits_for_nobody_is_an_error_and_nothing_is_decided(parked: Salon) -> None:
    ran = parked.run("deletions", "approve", uids(parked)[0], "4711")
    assert (ran.code, ran.out) == (2, "")
    assert "no deletion waits under 4711" in ran.err
    assert len(uids(parked)) == 2


def test_nothing_is_approved_while_the_booking_system_is_down(parked: Salon) -> None:
    one = uids(parked)[0]
    parked.break_bookings()
    ran = parked.run("deletions", "approve", one)
    assert ran.code == 75
    assert f"{one}: not approved: it could not be asked for again: GET 127.0.0.1/" in ran.err
    assert len(uids(parked)) == 2
