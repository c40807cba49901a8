"""Which appointments get into which calendars, over whole passes: several sources into one calendar, one source into
several, and one calendar under several names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from calferry.errors import PARKED
from calferry.sandbox import faults
from calferry.sandbox.messages import JsonObject
from tests.crossing import CALENDARS, STAFF_ROUTE, ZONE, Salon

ANA, BEN, _, DESK = CALENDARS
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BRANCH = "9"

BRANCH_SOURCE = """
[sources.branch]
kind = "agendize"
company = "9"
base_url = "URL"
api_key = { file = "api-key" }
token = { file = "token" }
window = { past = "7d", future = "60d" }
"""
INTO_ONE = """
[routes.salon]
source = "salon"
target = "workspace"
calendar = "desk@salon.example"
summary = "Salon: {service}"

[routes.branch]
source = "branch"
target = "workspace"
calendar = "Desk@Salon.example"
summary = "Branch: {service}"
"""
Deed = Callable[[Salon, str], object]

ROUTE = """
[routes.staff]
source = "salon"
target = "workspace"
"""
INTO_SEVERAL = """
[routes.wall]
source = "salon"
target = "workspace"
calendar = "desk@salon.example"
reveal = "busy"
summary = "{owner.name}"
"""


def titles(shop: Salon, calendar: str) -> list[str]:
    return [str(one["summary"]) for one in shop.ours(calendar)]


def waiting(shop: Salon) -> list[str]:
    with shop.installation() as installation:
        return [one.what for one in installation.ledger.attention(installation.clock.now())]


def writes(shop: Salon) -> int:
    return shop.sandbox.google.world.writes


# ── several sources into one calendar, one source into several ────────────────────────────────────────────────────────


@pytest.fixture
def both(shop: Salon) -> str:
    """A branch with a company of its own, whose appointments go into the desk's calendar as the salon's do; the id of
    one of each."""
    world = shop.sandbox.agendize.world
    world.add_company(BRANCH, "Salon Exemple 2", ZONE.key)
    staff = world.add_staff(BRANCH, "Zed", "Sample", "zed@salon.example")
    service = world.add_service(BRANCH, "Massage", 60)
    shop.configure(BRANCH_SOURCE.replace("URL", shop.sandbox.agendize.url) + INTO_ONE)
    shop.book(3)
    booked = world.book(BRANCH, staff=staff, service=service, start=shop.wall(4, 9))
    assert shop.cross().exit_code == 0
    return booked


def test_several_sources_share_a_calendar(shop: Salon, both: str) -> None:
    assert titles(shop, DESK) == ["Salon: Coupe", "Branch: Massage"]
    before = writes(shop)
    assert shop.cross(DAY).exit_code == 0
    assert writes(shop) == before


def test_what_one_source_takes_back_leaves_what_another_wrote(shop: Salon, both: str) -> None:
    shop.sandbox.agendize.world.cancel(both)
    assert shop.cross().exit_code == 0
    assert titles(shop, DESK) == ["Salon: Coupe"]


def test_a_source_that_is_down_keeps_its_events_in_a_calendar_that_another_writes_to(shop: Salon, both: str) -> None:
    server = shop.sandbox.agendize
    server.faults.add(faults.status(500), match=faults.matching(f"/companies/{BRANCH}"), times=None)
    shop.book(5)
    assert shop.cross(DAY).exit_code == 75
    assert titles(shop, DESK) == ["Salon: Coupe", "Branch: Massage", "Salon: Coupe"]


def test_the_same_id_in_two_accounts_is_two_appointments(shop: Salon, both: str) -> None:
    uids = {event["extendedProperties"]["private"]["calferryUid"] for event in shop.ours(DESK)}
    assert len(uids) == 2


def test_one_source_fills_several_calendars_each_of_which_shows_what_it_may(shop: Salon) -> None:
    shop.configure(STAFF_ROUTE + INTO_SEVERAL)
    booked = shop.book(3, client=("Zoé", "Sample", "zoe@customer.example", "555"), notes="allergic")
    shop.cross()
    assert titles(shop, ANA) == ["Coupe – Zoé Sample"]
    assert titles(shop, DESK) == ["Ana Pérez"]
    (shown,) = shop.ours(DESK)
    assert not [word for word in ("Coupe", "Zoé", "555", "allergic") if word in str(shown)]
    shop.sandbox.agendize.world.reassign(booked, shop.staff[1])
    shop.cross()
    assert [titles(shop, one) for one in (ANA, BEN, DESK)] == [[], ["Coupe – Zoé Sample"], ["Ben Muster"]]
    shop.sandbox.agendize.world.cancel(booked)
    assert shop.cross().exit_code == 0
    assert shop.standing().total() == 0


def test_a_route_that_comes_second_in_one_calendar_takes_over_when_the_first_does_not_carry_an_appointment(
    shop: Salon,
) -> None:
    first = f'{STAFF_ROUTE}summary = "First"\n[routes.staff.where]\ntime = "08:00-12:00"\n'
    second = STAFF_ROUTE.replace("routes.staff", "routes.rest") + 'summary = "Second"\n'
    shop.configure(first + second)
    booked = shop.book(3, 9)
    shop.book(4, 15)
    shop.cross()
    assert titles(shop, ANA) == ["First", "Second"]
    shop.sandbox.agendize.world.move(booked, shop.wall(3, 14))
    shop.cross()
    assert titles(shop, ANA) == ["Second", "Second"]
    assert waiting(shop) == []


# ── one calendar under several names ──────────────────────────────────────────────────────────────────────────────────


def test_an_address_that_is_spelled_otherwise_is_the_same_calendar(shop: Salon) -> None:
    shop.book(3)
    shop.cross()
    before = writes(shop)
    shop.sandbox.agendize.world.set_staff_email(shop.staff[0], "ANA@Salon.Example")
    assert shop.cross(25 * HOUR).exit_code == 0
    assert (writes(shop), len(shop.ours(ANA))) == (before, 1)


@pytest.mark.parametrize(
    "calendar",
    [
        'calendar = "ANA@Salon.example"',
        'calendars = { "ana@salon.example" = "Ana@salon.example" }',
        'calendars = { "Ana Pérez" = " ana@salon.example " }',
    ],
)
def test_another_spelling_in_the_configuration_writes_nothing_and_parks_nothing(shop: Salon, calendar: str) -> None:
    shop.book(3)
    shop.cross()
    before = writes(shop)
    shop.configure(f'{ROUTE}{calendar}\nreveal = "full"\n')
    assert shop.cross(HOUR).exit_code == 0
    assert (writes(shop), len(shop.ours(ANA)), waiting(shop)) == (before, 1, [])


def test_an_alias_that_the_configuration_knows_is_the_same_calendar(shop: Salon) -> None:
    shop.book(3)
    shop.cross()
    before = writes(shop)
    text = shop.config.read_text(encoding="utf-8")
    shop.config.write_text(
        text.replace("batch = 3", 'batch = 3\naliases = { "Ana.Perez@salon.example" = "ana@salon.example" }'),
        encoding="utf-8",
    )
    shop.sandbox.agendize.world.set_staff_email(shop.staff[0], "ana.perez@salon.example")
    assert shop.cross(25 * HOUR).exit_code == 0
    assert (writes(shop), len(shop.ours(ANA)), waiting(shop)) == (before, 1, [])


def test_primary_is_the_calendar_of_whom_calferry_acts_as(shop: Salon) -> None:
    shop.book(3)
    seen: list[tuple[int, list[JsonObject]]] = []
    for calendar in ("desk@salon.example", "primary", "Primary"):
        shop.configure(f'{ROUTE}calendar = "{calendar}"\n')
        text = shop.config.read_text(encoding="utf-8")
        shop.config.write_text(text.replace("{owner.email}", "desk@salon.example", 1), encoding="utf-8")
        assert shop.cross(HOUR).exit_code == 0
        seen.append((writes(shop), shop.ours(DESK)))
    assert seen[0] == seen[1] == seen[2]
    assert len(seen[0][1]) == 1


def test_another_address_of_a_member_of_staff_is_another_calendar_and_a_move(shop: Salon) -> None:
    shop.book(3)
    shop.cross()
    shop.sandbox.agendize.world.set_staff_email(shop.staff[0], DESK)
    assert shop.cross(25 * HOUR).exit_code == 0
    assert [len(shop.ours(one)) for one in (ANA, DESK)] == [0, 1]


# ── filters over time ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("where", "out", "back"),
    [
        (
            'time = "08:00-12:00"',
            lambda shop, booked: shop.sandbox.agendize.world.move(booked, shop.wall(3, 14)),
            lambda shop, booked: shop.sandbox.agendize.world.move(booked, shop.wall(3, 8)),
        ),
        (
            'text = "*visible*"',
            lambda shop, booked: shop.sandbox.agendize.world.edit_notes(booked, "hidden"),
            lambda shop, booked: shop.sandbox.agendize.world.edit_notes(booked, "VISIBLE again"),
        ),
    ],
    ids=["time", "text"],
)
def test_what_stops_passing_a_filter_leaves_and_what_passes_again_returns(
    shop: Salon, where: str, out: Deed, back: Deed
) -> None:
    shop.configure(f"{STAFF_ROUTE}where = {{ {where} }}\n")
    booked = shop.book(3, 9, notes="visible")
    shop.cross()
    for deed, standing in ((out, 0), (back, 1)):
        deed(shop, booked)
        assert shop.cross(HOUR).exit_code == 0
        assert len(shop.ours(ANA)) == standing


def test_a_filter_that_is_added_takes_nothing_away_without_a_person(shop: Salon) -> None:
    shop.book(3, 9)
    shop.book(3, 15)
    shop.cross()
    shop.configure(f'{STAFF_ROUTE}where = {{ time = "08:00-12:00" }}\n')
    assert shop.cross(HOUR).exit_code == PARKED
    assert len(shop.ours(ANA)) == 2
    assert waiting(shop) == ["parked"]


# ── colours ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_colour_by_status_goes_with_the_status_and_a_users_own_stays_where_no_route_gives_one(shop: Salon) -> None:
    booked = shop.book(3)
    shop.cross()
    (event,) = shop.ours(ANA)
    google = shop.sandbox.google.world
    google.calendars[ANA].events[str(event["id"])]["colorId"] = "3"  # by hand
    shop.sandbox.agendize.world.edit_notes(booked, "edited")
    shop.cross()
    assert shop.ours(ANA)[0]["colorId"] == "3"
    shop.configure(f'{STAFF_ROUTE}colors = {{ status = {{ noShow = "tomato" }} }}\n')
    shop.cross()
    assert "colorId" not in shop.ours(ANA)[0]
    for status, color in (("noShow", "11"), ("accepted", None)):
        shop.sandbox.agendize.world.set_status(booked, status)
        shop.cross()
        assert shop.ours(ANA)[0].get("colorId") == color
