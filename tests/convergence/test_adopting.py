"""A lost ledger is taken over: nothing is missing, nothing is doubled, nothing of others is touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from calferry.errors import NotAuthorised, Refused, Unavailable
from calferry.model import uid_of
from calferry.sync.adopt import Adoption, adopt, look
from calferry.sync.crossing import bring, run
from calferry.sync.deciding import approve
from calferry.sync.installation import Watch
from calferry.sync.push import plan
from calferry.sync.reached import calendars
from calferry.sync.route import route
from calferry.web.addresses import current
from calferry.web.catalogue import catalogue
from tests.convergence import test_feeds as feeds
from tests.convergence.test_office365 import Office, opened
from tests.crossing import CALENDARS, COMPANY, Salon, uid_of_event

ANA, BEN = f"google:{CALENDARS[0]}", f"google:{CALENDARS[1]}"


def uid(booked: str) -> str:
    return uid_of("salon", f"agendize:{COMPANY}", booked)


def stocked(shop: Salon) -> list[str]:
    """Two appointments for each of the staff, in their calendars."""
    booked = [shop.book(2 + day, 9 + who, staff=who) for day in range(2) for who in range(3)]
    shop.cross()
    return booked


def lose(shop: Salon) -> None:
    """The ledger's file is gone, and what lay beside it."""
    for file in shop.home.glob("calferry.db*"):
        if file.is_file():
            file.unlink()


def adopt_all(shop: Salon, *names: str) -> list[Adoption]:
    """As the command does."""
    with shop.installation() as installation:
        bring(installation, Watch())
        adopted = [adopt(installation, *one) for one in calendars(installation, names).items()]
        for account in installation.accounts:
            route(account, installation, Watch())
    return adopted


def planned(shop: Salon) -> int:
    with shop.installation() as installation:
        bring(installation, Watch())
        return sum(len(one.changes) + len(one.parked) for one in plan(installation))


def parked(shop: Salon, *, rejected: bool) -> list[str]:
    with shop.installation() as installation:
        return [one.uid for one in installation.ledger.outbox.held_back() if one.rejected is rejected]


def test_nothing_is_written_beside_what_a_lost_ledger_wrote(shop: Salon) -> None:
    stocked(shop)
    lose(shop)
    before = shop.standing()
    report = shop.cross()
    assert {type(error) for error in report.errors} == {NotAuthorised}
    assert all("nothing is written there before `calferry adopt`" in str(error) for error in report.errors)
    assert shop.standing() == before


def test_what_was_adopted_is_as_if_the_ledger_had_never_been_lost(shop: Salon) -> None:
    stocked(shop)
    lose(shop)
    shop.cross()
    adopted = adopt_all(shop)
    assert [(len(one.events), len(one.in_step), one.orphans) for one in adopted] == [(2, 2, frozenset())] * 3
    writes = shop.sandbox.google.world.writes
    assert planned(shop) == 0
    assert not shop.cross().errors
    assert (shop.sandbox.google.world.writes, shop.verdict().clean) == (writes, True)


def test_what_happened_between_loss_and_adoption_is_made_up_for(shop: Salon) -> None:
    booked, world = stocked(shop), shop.sandbox.agendize.world
    lose(shop)
    world.edit_notes(booked[0], "other")
    world.cancel(booked[1])
    world.move(booked[2], shop.wall(5, 16), 45)
    world.reassign(booked[3], shop.staff[1])
    shop.book(6, 8, staff=2)
    adopted = {one.calendar: one for one in adopt_all(shop)}
    assert adopted[BEN].strays == {uid(booked[1])}
    report = shop.cross()
    assert not report.errors
    assert shop.verdict().clean
    assert max(shop.standing().values()) == 1
    assert shop.quiet_requests()[1] == 0


def test_an_event_is_followed_after_its_adoption(shop: Salon) -> None:
    booked, world = stocked(shop), shop.sandbox.agendize.world
    lose(shop)
    adopt_all(shop)
    shop.cross()
    world.move(booked[0], shop.wall(5, 16), 45)
    world.cancel(booked[1])
    shop.cross()
    world.restore(booked[1])
    shop.cross()
    assert shop.verdict().clean
    marks = [one["extendedProperties"]["private"]["calferryLedger"] for one in shop.ours(CALENDARS[0])]
    assert len(set(marks)) == 2  # a mark is written anew with its event, and not before


def test_what_the_booking_system_does_not_list_stays_until_a_person_removes_it(shop: Salon) -> None:
    booked = stocked(shop)
    lose(shop)
    shop.vanish(booked[0])
    (first, *_) = adopt_all(shop)
    assert (first.calendar, sorted(first.orphans)) == (ANA, [uid(booked[0])])
    assert shop.cross().exit_code == 0
    assert shop.standing()[CALENDARS[0], uid(booked[0])] == 1
    assert (parked(shop, rejected=False), parked(shop, rejected=True)) == ([], [uid(booked[0])])
    with shop.installation() as installation:
        installation.ledger.outbox.decide(ANA, [uid(booked[0])], approved=True, at=shop.clock.now())
    shop.cross()
    assert shop.standing()[CALENDARS[0], uid(booked[0])] == 0
    assert shop.verdict().clean


def test_an_orphan_whose_appointment_is_told_of_later_is_its_event_again(shop: Salon) -> None:
    booked, world = stocked(shop), shop.sandbox.agendize.world
    lose(shop)
    shop.vanish(booked[0])
    adopt_all(shop)
    shop.cross()
    world.restore(booked[0])
    with world.lock:
        world.appointments[booked[0]] = replace(world.appointments[booked[0]], company=COMPANY)
    world.move(booked[0], shop.wall(6, 16), 45)
    shop.cross()
    assert shop.verdict().clean
    assert shop.standing()[CALENDARS[0], uid(booked[0])] == 1


def test_of_several_generations_the_last_is_adopted_and_the_others_are_named(shop: Salon) -> None:
    booked, world = stocked(shop), shop.sandbox.agendize.world
    world.cancel(booked[0])
    shop.cross()
    world.restore(booked[0])
    shop.cross()
    lose(shop)
    google = shop.sandbox.google.world
    gone = next(one for one in google.calendars[CALENDARS[0]].events.values() if uid_of_event(one) == uid(booked[0]))
    google.user_edits(CALENDARS[0], gone["id"], status="confirmed")
    (first, *_) = adopt_all(shop)
    assert [one.mark.generation for one in first.events if one.mark.uid == uid(booked[0])] == [1]
    assert [(one.mark.uid, one.mark.generation) for one in first.doubles] == [(uid(booked[0]), 0)]


def test_events_of_another_installation_are_never_adopted(shop: Salon) -> None:
    stocked(shop)
    lose(shop)
    shop.config.write_text(shop.config.read_text(encoding="utf-8").replace('"salon"\nd', '"other"\nd'), "utf-8")
    report = shop.cross()
    assert all("of another installation ('salon')" in str(error) for error in report.errors)
    with pytest.raises(Unavailable, match="another installation"):
        adopt_all(shop)


def test_a_calendar_that_no_appointment_goes_to_is_adopted_by_its_name(shop: Salon) -> None:
    booked = shop.book(staff=0)
    shop.cross()
    lose(shop)
    shop.sandbox.agendize.world.reassign(booked, shop.staff[1])
    adopt_all(shop, CALENDARS[0], BEN)
    shop.cross()
    assert shop.standing() == {(CALENDARS[1], uid(booked)): 1}


def test_a_name_that_names_no_calendar_is_refused(shop: Salon) -> None:
    with shop.installation() as installation, pytest.raises(Refused, match="is no calendar of a configured target"):
        calendars(installation, ["nobody@elsewhere.example"])


def test_looking_adopts_nothing(shop: Salon) -> None:
    stocked(shop)
    lose(shop)
    with shop.installation() as installation:
        bring(installation, Watch())
        assert look(installation, ANA, "workspace").is_due
        assert installation.keeper.former == frozenset()
        assert run(installation, Watch()).errors


def mailboxes(shop: Office) -> Sequence[str]:
    return [one[1] for one in shop.marked()]


def test_calendars_of_microsoft_365_are_adopted_too() -> None:
    with opened() as shop:
        booked = [shop.book(5 + number, staff=number % 3) for number in range(6)]
        shop.cross()
        lose(shop)
        assert shop.cross().errors
        world = shop.sandbox.agendize.world
        world.cancel(booked[0])
        world.edit_notes(booked[1], "other")
        shop.handle("retitle", 2)
        adopt_all(shop)
        assert not shop.cross().errors
        world.move(booked[2], shop.wall(9, 16), 45)
        world.cancel(booked[3])
        assert not shop.cross().errors
        shop.check_always()
        shop.check_in_the_end()
        assert len(mailboxes(shop)) == 4


def address(shop: Salon) -> str:
    with shop.installation() as installation:
        links = current(installation.shelf, catalogue(installation, "https://calendars.salon.example").values())
    return min(link.digest for link in links.values())


def test_feeds_come_back_with_the_next_pass_under_their_addresses(shop: Salon) -> None:
    (shop.home / "feed-secret").write_text("5" * 64, encoding="utf-8")
    shop.configure(feeds.FEEDS)
    feeds.stocked(shop)
    shop.cross()
    before = address(shop)
    shown = feeds.served(shop)
    lose(shop)
    assert not shop.cross().errors
    assert not any(one.is_due for one in adopt_all(shop))
    feeds.assert_true(shop)
    assert address(shop) == before
    assert feeds.served(shop).keys() == shown.keys()


def booked_class(shop: Salon, size: int, day: int = 3) -> list[str]:
    return [shop.book(day, 18, client=(f"Jo {one}", "Roy", "", ""), meta_event=True) for one in range(size)]


def moved_class(shop: Salon) -> tuple[str, ...]:
    """A class of three that was moved since it was first seen: in which events it stands."""
    for one in booked_class(shop, 3):
        shop.cross()
        shop.sandbox.agendize.world.move(one, shop.wall(5, 10))
    shop.cross()
    return hrefs(shop)


def hrefs(shop: Salon) -> tuple[str, ...]:
    return tuple(event["id"] for event in shop.ours(CALENDARS[0]))


def titles(shop: Salon) -> list[str]:
    return [event["summary"] for event in shop.ours(CALENDARS[0])]


def test_a_class_that_was_moved_before_the_ledger_was_lost_is_known_again(shop: Salon) -> None:
    before = moved_class(shop)
    lose(shop)
    (adopted,) = adopt_all(shop)
    assert (len(adopted.in_step), adopted.orphans, adopted.unwritten) == (1, frozenset(), frozenset())
    assert not shop.cross().attention
    assert (titles(shop), hrefs(shop)) == (["Coupe – 3 booked"], before)
    shop.book(5, 10, client=("Li", "Sample", "", ""), meta_event=True)
    shop.cross()
    assert (titles(shop), hrefs(shop)) == (["Coupe – 4 booked"], before)


def test_what_would_be_known_again_is_shown_before_it_is_adopted(shop: Salon) -> None:
    moved_class(shop)
    lose(shop)
    with shop.installation() as installation:
        bring(installation, Watch())
        found = look(installation, ANA, "workspace")
        assert (len(found.in_step), found.orphans) == (1, frozenset())
        assert look(installation, ANA, "workspace") == found


def test_a_class_that_stands_where_another_was_founded_is_known_again_too(shop: Salon) -> None:
    moved_class(shop)
    booked_class(shop, 2)
    shop.cross()
    before = hrefs(shop)
    lose(shop)
    adopt_all(shop)
    assert not shop.cross().attention
    assert (sorted(titles(shop)), hrefs(shop)) == (["Coupe – 2 booked", "Coupe – 3 booked"], before)


def test_a_class_in_a_calendar_that_is_surveyed_after_the_adoption_is_known_again(shop: Salon) -> None:
    moved_class(shop)
    shop.book(4, 9, staff=1)
    shop.cross()
    before = hrefs(shop)
    lose(shop)
    adopt_all(shop, BEN)
    assert not shop.cross().errors
    assert (titles(shop), hrefs(shop)) == (["Coupe – 3 booked"], before)


def test_a_class_that_was_moved_and_changed_since_waits_for_a_person(shop: Salon) -> None:
    before = moved_class(shop)
    lose(shop)
    shop.book(5, 10, client=("Li", "Sample", "", ""), meta_event=True)
    (adopted,) = adopt_all(shop)
    assert (len(adopted.orphans), len(adopted.unwritten)) == (1, 1)
    report = shop.cross()
    assert [one.what for one in report.attention] == ["parked"]
    assert "it may be a group session as it was before" in next(iter(report.attention)).reason
    with shop.installation() as installation:
        approve(installation, adopted.orphans, Watch())
    shop.cross()
    assert titles(shop) == ["Coupe – 4 booked"]
    assert not set(hrefs(shop)) & set(before)
