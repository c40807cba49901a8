"""`stand_aside`: what Agendize has itself written into the very calendar, calferry leaves to it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from calferry.sandbox.google import part_status
from calferry.sync.installation import Watch
from calferry.sync.remove import remove
from calferry.sync.verify import repair, verify
from tests.convergence.test_adopting import adopt_all, lose
from tests.crossing import CALENDARS, STAFF_ROUTE, Salon, uid_of_event

ANA, BEN = CALENDARS[:2]
LATER, NEXT_DAY = timedelta(minutes=16), timedelta(hours=25)


@pytest.fixture
def aside(shop: Salon) -> Salon:
    """A salon whose Agendize writes appointments itself, and that says so."""
    shop.config.write_text(
        shop.config.read_text(encoding="utf-8").replace('kind = "agendize"', 'kind = "agendize"\nstand_aside = true'),
        encoding="utf-8",
    )
    return shop


def write_itself(shop: Salon, booked: str, calendar: str = ANA) -> str:
    """Agendize puts it into a calendar. Returns the event's id."""
    start, end = shop.sandbox.agendize.world.span(shop.sandbox.agendize.world.appointments[booked])
    event = shop.sandbox.google.world.add_foreign_event(calendar, f"by Agendize {booked}", start, end)
    shop.sandbox.agendize.world.write_itself(booked, "googleCalendar", event)
    return event


def shown(shop: Salon, calendar: str = ANA) -> int:
    return len(shop.ours(calendar))


def test_what_agendize_wrote_into_that_calendar_is_not_written_again_and_asked_for_once(aside: Salon) -> None:
    write_itself(aside, aside.book())
    aside.book(4)
    report = aside.cross()
    assert (shown(aside), report.pushed["standing aside"], report.new) == (1, 1, frozenset())
    assert aside.quiet_requests() == (1, 0)


def test_without_the_option_it_is_written_all_the_same(shop: Salon) -> None:
    write_itself(shop, shop.book())
    shop.cross()
    assert shown(shop) == 1


def test_an_id_that_the_calendar_does_not_have_or_has_cancelled_is_no_reason_to_stand_aside(aside: Salon) -> None:
    aside.sandbox.agendize.world.write_itself(aside.book(), "googleCalendar", "nowhere")
    booked = aside.book(4)
    aside.sandbox.google.world.user_deletes(ANA, write_itself(aside, booked))
    in_another = aside.book(5)
    write_itself(aside, in_another, BEN)
    aside.cross()
    assert shown(aside) == 3


def test_what_calferry_has_written_before_stays_its_own(aside: Salon) -> None:
    booked = aside.book()
    aside.cross()
    write_itself(aside, booked)
    aside.sandbox.agendize.world.move(booked, aside.wall(4, 10))
    report = aside.cross()
    assert (shown(aside), report.pushed["updated"]) == (1, 1)


def test_an_appointment_that_changes_hands_after_calferry_wrote_it_is_written_there_too(aside: Salon) -> None:
    booked = aside.book()
    aside.cross()
    aside.sandbox.agendize.world.reassign(booked, aside.staff[1])
    write_itself(aside, booked, BEN)
    aside.cross()
    assert (shown(aside), shown(aside, BEN)) == (0, 1)


def test_when_their_event_is_gone_the_next_change_writes_ours(aside: Salon) -> None:
    booked = aside.book()
    event = write_itself(aside, booked)
    aside.cross()
    aside.sandbox.google.world.user_deletes(ANA, event)
    aside.cross(LATER)
    assert shown(aside) == 0
    aside.sandbox.agendize.world.edit_notes(booked, "other notes")
    aside.cross()
    assert shown(aside) == 1


def test_when_their_event_is_gone_ours_is_written_a_day_later_at_the_latest(aside: Salon) -> None:
    event = write_itself(aside, aside.book())
    aside.cross()
    aside.cross(NEXT_DAY)
    assert shown(aside) == 0
    aside.sandbox.google.world.user_deletes(ANA, event)
    aside.cross(NEXT_DAY)
    assert shown(aside) == 1


def test_what_cannot_be_asked_is_not_written_until_it_can_and_the_others_are(aside: Salon) -> None:
    write_itself(aside, aside.book())
    aside.book(4)
    aside.sandbox.google.part_faults.add(part_status(500, "backendError"), times=1)
    report = aside.cross()
    assert report.errors
    assert all("by Agendize" not in one.get("summary", "") for one in aside.ours(ANA))
    aside.cross(LATER)
    assert shown(aside) == 1


def test_an_id_that_google_will_not_even_look_for_is_set_aside_with_its_reason(aside: Salon) -> None:
    write_itself(aside, aside.book())
    aside.book(4)
    aside.sandbox.google.part_faults.add(part_status(400, "invalid"), times=1)
    report = aside.cross()
    assert shown(aside) == 1
    assert [one.what for one in report.new] == ["refused"]


def test_a_cancelled_appointment_that_agendize_wrote_leaves_nothing_to_do(aside: Salon) -> None:
    booked = aside.book()
    write_itself(aside, booked)
    aside.cross()
    aside.sandbox.agendize.world.cancel(booked)
    report = aside.cross()
    assert (shown(aside), report.pushed["deleted"], aside.quiet_requests()) == (0, 0, (1, 0))


def test_a_class_stands_aside_only_where_all_of_its_bookings_name_the_same_event(aside: Salon) -> None:
    first, second = (aside.book(3, 18, meta_event=True) for _ in range(2))
    event = write_itself(aside, first)
    aside.cross()
    assert [uid_of_event(one) != "" for one in aside.ours(ANA)] == [True]
    others = [aside.book(5, 18, meta_event=True) for _ in range(2)]
    event = write_itself(aside, others[0])
    aside.sandbox.agendize.world.write_itself(others[1], "googleCalendar", event)
    aside.cross()
    assert (shown(aside), second in aside.sandbox.agendize.world.appointments) == (1, True)


def test_what_another_route_writes_elsewhere_is_no_reason_to_write_it_a_second_time(aside: Salon) -> None:
    desk = '[routes.desk]\nsource = "salon"\ntarget = "workspace"\ncalendar = "desk@salon.example"\n'
    booked = aside.book()
    write_itself(aside, booked)
    for text in (desk, ""):
        aside.config.write_text(aside.config.read_text(encoding="utf-8") + text, encoding="utf-8")
        aside.cross()
        aside.sandbox.agendize.world.edit_notes(booked, f"other notes {text}")
        aside.cross()
        assert (shown(aside), shown(aside, CALENDARS[3])) == (0, 1)


def test_no_repair_no_adoption_and_no_removal_takes_their_event_for_ours(aside: Salon) -> None:
    theirs = write_itself(aside, aside.book())
    aside.book(4)
    aside.cross()
    calendar = (f"google:{ANA}", "workspace")
    with aside.installation() as installation:
        verified = verify(installation, *calendar)
        assert (verified.drifts, repair(installation, verified).due) == ((), 0)
    lose(aside)
    adopt_all(aside)
    aside.cross()
    assert shown(aside) == 1
    aside.configure(STAFF_ROUTE.replace("{owner.email}", BEN))
    aside.cross()
    with aside.installation() as installation:
        remove(installation, *calendar, Watch())
    assert [event["id"] for event in aside.sandbox.google.world.events(ANA)] == [theirs]
