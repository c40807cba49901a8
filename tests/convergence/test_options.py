"""Options that decide what is carried, and whose it is: what another choice would take away waits for a person."""

from __future__ import annotations

from datetime import timedelta

from calferry.errors import Unavailable
from calferry.sandbox import faults
from calferry.sandbox.faults import matching
from tests.crossing import CALENDARS, COMPANY, STAFF_ROUTE, Salon

ANA, BEN, _, DESK = CALENDARS
HOUR = timedelta(hours=1)


BY_OWNER = """
[routes.staff]
source = "salon"
target = "workspace"

[routes.staff.calendars]
"Ana Pérez" = "ana@salon.example"
"Laser" = "desk@salon.example"
"""


def own_by(shop: Salon, owners: str) -> None:
    shop.configure(BY_OWNER)
    text = shop.config.read_text(encoding="utf-8")
    shop.config.write_text(text.replace("company = ", f'owners = "{owners}"\ncompany = ', 1), encoding="utf-8")


def waiting(shop: Salon) -> list[str]:
    """Why deletions wait for a person."""
    with shop.installation() as installation:
        attention = installation.ledger.attention(installation.clock.now())
    return [one.reason for one in attention if one.parked]


def test_the_staffs_own_time_comes_where_a_route_names_it_and_leaves_with_approval_only(shop: Salon) -> None:
    own = [shop.book(day, type="personal") for day in range(1, 4)]
    shop.book(5)
    shop.cross()
    assert len(shop.ours(ANA)) == 1
    shop.configure(STAFF_ROUTE + 'where = { kind = ["*", "personal"] }\n')
    shop.cross()
    assert len(shop.ours(ANA)) == 4
    shop.configure()
    shop.cross()
    shop.sandbox.agendize.world.edit_notes(own[0], "touched")
    shop.cross()
    assert len(shop.ours(ANA)) == 4
    assert ["configuration changed" in reason for reason in waiting(shop)] == [True] * 3


def test_the_basis_of_an_account_knows_the_options_that_decide_whose_an_appointment_is(shop: Salon) -> None:
    bases = []
    for options in ("", 'owners = "staff"', "reschedule_link = true", 'owners = "resources"'):
        shop.configure(BY_OWNER)
        text = shop.config.read_text(encoding="utf-8")
        shop.config.write_text(text.replace("company = ", f"{options}\ncompany = ", 1), encoding="utf-8")
        with shop.installation() as installation:
            bases.append(installation.accounts[0].basis)
    assert bases[0] == bases[1] == bases[2] != bases[3]


def test_another_choice_of_owners_moves_at_once_and_leaves_the_former_calendar_with_approval_only(shop: Salon) -> None:
    laser = shop.sandbox.agendize.world.add_bookable(COMPANY, "Laser", beside=True)
    booked = [shop.book(day, resources=(laser,)) for day in range(1, 9)]
    own_by(shop, "staff")
    shop.cross()
    assert (len(shop.ours(ANA)), len(shop.ours(DESK))) == (8, 0)
    own_by(shop, "resources")
    shop.cross()
    shop.sandbox.agendize.world.edit_notes(booked[0], "touched")
    shop.cross(26 * HOUR)
    assert (len(shop.ours(ANA)), len(shop.ours(DESK))) == (8, 8)
    assert ["configuration changed" in reason for reason in waiting(shop)] == [True] * 8
    own_by(shop, "staff")
    shop.cross()
    assert not [reason for reason in waiting(shop) if "configuration changed" not in reason]
    assert (len(shop.ours(ANA)), len(shop.ours(DESK))) == (8, 8)


def test_it_is_the_same_where_the_pull_right_after_the_choice_fails(shop: Salon) -> None:
    laser = shop.sandbox.agendize.world.add_bookable(COMPANY, "Laser", beside=True)
    booked = [shop.book(day, resources=(laser,)) for day in range(1, 9)]
    own_by(shop, "staff")
    shop.cross()
    own_by(shop, "resources")
    shop.sandbox.agendize.faults.add(faults.status(500), times=None, match=matching("/appointments"))
    assert shop.cross().exit_code == Unavailable.exit_code
    shop.sandbox.agendize.faults.clear()
    shop.cross()
    assert (len(shop.ours(ANA)), len(shop.ours(DESK))) == (8, 8)
    assert ["configuration changed" in reason for reason in waiting(shop)] == [True] * 8
    shop.sandbox.agendize.world.edit_notes(booked[0], "touched")
    shop.cross(26 * HOUR)
    assert len(waiting(shop)) == 8


def test_it_is_the_same_for_group_sessions(shop: Salon) -> None:
    laser = shop.sandbox.agendize.world.add_bookable(COMPANY, "Laser", beside=True)
    booked = [shop.book(day, resources=(laser,), meta_event=True) for day in (1, 2, 3, 3)]
    own_by(shop, "staff")
    shop.cross()
    assert (len(shop.ours(ANA)), len(shop.ours(DESK))) == (3, 0)
    own_by(shop, "resources")
    shop.sandbox.agendize.faults.add(faults.status(500), times=None, match=matching("/appointments"))
    assert shop.cross().exit_code == Unavailable.exit_code
    shop.sandbox.agendize.faults.clear()
    shop.cross()
    assert (len(shop.ours(ANA)), len(shop.ours(DESK))) == (3, 3)
    assert ["configuration changed" in reason for reason in waiting(shop)] == [True] * 3
    shop.sandbox.agendize.world.edit_notes(booked[0], "touched")
    shop.cross(26 * HOUR)
    assert len(waiting(shop)) == 3


def test_it_is_the_same_for_what_lies_outside_the_window_and_is_only_read_later(shop: Salon) -> None:
    laser = shop.sandbox.agendize.world.add_bookable(COMPANY, "Laser", beside=True)
    booked = shop.book(3, resources=(laser,))
    own_by(shop, "staff")
    shop.cross()
    shop.sandbox.agendize.world.move(booked, shop.wall(90, 9))
    shop.cross()
    own_by(shop, "resources")
    shop.cross()
    assert (len(shop.ours(ANA)), len(shop.ours(DESK)), waiting(shop)) == (1, 0, [])
    shop.sandbox.agendize.world.edit_notes(booked, "touched")
    shop.cross()
    assert (len(shop.ours(ANA)), len(shop.ours(DESK))) == (1, 1)
    assert ["configuration changed" in reason for reason in waiting(shop)] == [True]


def test_who_gets_an_appointment_long_after_another_choice_that_left_it_as_it_was_just_gets_it(shop: Salon) -> None:
    shop.configure(BY_OWNER + '"Ben Muster" = "ben@salon.example"\n')
    booked = shop.book(3)
    shop.cross()
    text = shop.config.read_text(encoding="utf-8")
    shop.config.write_text(text.replace("company = ", 'owners = "resources"\ncompany = ', 1), encoding="utf-8")
    shop.cross()
    shop.sandbox.agendize.world.reassign(booked, shop.staff[1])
    assert shop.cross().exit_code == 0
    assert (len(shop.ours(ANA)), len(shop.ours(BEN)), waiting(shop)) == (0, 1, [])
