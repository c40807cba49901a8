"""`calferry erase`: a client is forgotten in the ledger, in calendars, and in the ledger's file."""

from __future__ import annotations

import pytest

from tests.cli.salon import ANA, CLIENT, PERSONAL, Salon

EMAIL = CLIENT[2]


@pytest.fixture
def known(salon: Salon) -> Salon:
    """Two appointments of a client's, with her name on their events."""
    salon.book(2)
    salon.run("sync")
    assert all(CLIENT[0] in str(one["summary"]) for one in salon.sandbox.google.world.events(ANA))
    return salon


def erase(salon: Salon, *arguments: str) -> tuple[int, str]:
    ran = salon.run("erase", *arguments)
    return ran.code, ran.out + ran.err


def test_a_client_whom_the_booking_system_lists_is_not_erased_unless_suppressed(known: Salon) -> None:
    code, said = erase(known, "--email", EMAIL, "--yes")
    assert code == 1
    assert "2 of 2 appointments are still listed by the booking system" in said


def test_what_would_be_erased_is_shown_and_nothing_is_done(known: Salon) -> None:
    code, said = erase(known, "--email", EMAIL, "--suppress")
    assert (code, said.count(f"google:{ANA}")) == (0, 2)
    assert said.endswith("Nothing was erased yet; --yes does it.\n")
    assert CLIENT[0] in str(next(iter(known.sandbox.google.world.events(ANA)))["summary"])


def test_a_suppressed_client_leaves_the_ledger_its_file_and_the_calendars(known: Salon) -> None:
    code, said = erase(known, "--email", EMAIL, "--suppress", "--yes")
    assert code == 0, said
    assert "2 appointments tell nothing of their client any more." in said
    assert "Not erased, for calferry cannot: backups" in said
    events = list(known.sandbox.google.world.events(ANA))
    assert [one["summary"] for one in events] == ["Consultation"] * 2
    assert not [word for word in PERSONAL for one in events if word in str(one)]
    for file in known.home.glob("calferry.db*"):
        if file.is_file():
            content = file.read_bytes()
            assert not [word for word in PERSONAL if word.encode() in content], file
    known.book(1)
    assert known.run("sync").code == 0
    assert [one["summary"] for one in known.sandbox.google.world.events(ANA)].count("Consultation") == 3
    assert erase(known, "--email", EMAIL)[1] == "The ledger keeps nothing of this client.\n"


def test_a_client_whom_the_booking_system_deleted_is_erased(known: Salon) -> None:
    world = known.sandbox.agendize.world
    for one in list(world.appointments):
        world.delete(one)
    assert known.run("sync").code == 0
    document = known.run("erase", "--phone", "01 00 00 00 00", "--yes", "--json").document
    assert (len(document["appointments"]), document["left"], document["suppressed"]) == (2, [], False)
    assert erase(known, "--email", EMAIL)[1] == "The ledger keeps nothing of this client.\n"


def test_one_of_the_three_ways_to_say_whom_is_asked_for(salon: Salon) -> None:
    assert erase(salon)[0] == 2
    assert erase(salon, "1", "--email", EMAIL)[0] == 2
