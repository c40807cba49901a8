"""Group sessions: however their bookings come and go, a calendar shows each session once, with its number."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from calferry.sync.crossing import Report
from calferry.sync.deciding import approve
from calferry.sync.installation import Watch
from tests.crossing import CALENDARS, COMPANY, STAFF_ROUTE, Salon, uid_of_event

ANA, BEN = CALENDARS[:2]
LATER, NEXT_DAY = timedelta(minutes=16), timedelta(hours=25)


def clients(number: int) -> tuple[str, str, str, str]:
    return ("Zoé", f"Sample {number}", f"zoe{number}@customer.example", "+33 1 00 00 00 00")


def book(shop: Salon, *, day: int = 3, hour: int = 18, number: int = 0, **members: Any) -> str:
    """One booking of the class of that evening."""
    return shop.book(day, hour, client=clients(number), meta_event=True, **members)


def book_class(shop: Salon, size: int, **members: Any) -> list[str]:
    return [book(shop, number=number, **members) for number in range(size)]


def shown(shop: Salon, calendar: str = ANA) -> list[str]:
    """The titles of our events, by start."""
    return [event["summary"] for event in shop.ours(calendar)]


def uids(shop: Salon, calendar: str = ANA) -> list[str]:
    return [uid_of_event(event) for event in shop.ours(calendar)]


def deletions(report: Report) -> int:
    return report.pushed.counts.get("deleted", 0)


def test_a_class_is_one_event_with_its_number_and_lists_its_customers(shop: Salon) -> None:
    book_class(shop, 3)
    shop.cross()
    (event,) = shop.ours(ANA)
    assert event["summary"] == "Coupe – 3 booked"
    assert event["description"] == "Zoé Sample 0\nZoé Sample 1\nZoé Sample 2"
    assert shop.verdict().clean


def test_below_contact_no_customer_is_named(shop: Salon) -> None:
    shop.configure(STAFF_ROUTE.replace('"full"', '"service"'))
    book_class(shop, 2)
    shop.cross()
    (event,) = shop.ours(ANA)
    assert event["summary"] == "Coupe – 2 booked"
    assert "Sample" not in str(event)


def test_the_event_stays_the_same_while_customers_come_and_go_the_first_one_too(shop: Salon) -> None:
    world = shop.sandbox.agendize.world
    first, second, *_ = book_class(shop, 3)
    shop.cross()
    (uid,) = uids(shop)
    world.cancel(first)
    assert deletions(shop.cross()) == 0
    assert (shown(shop), uids(shop)) == (["Coupe – 2 booked"], [uid])
    world.delete(second)
    book(shop, number=9)
    shop.cross()
    world.restore(first)
    assert deletions(shop.cross()) == 0
    assert (shown(shop), uids(shop)) == (["Coupe – 3 booked"], [uid])


def test_a_class_that_is_moved_whole_stays_the_same_event(shop: Salon) -> None:
    booked = book_class(shop, 3)
    shop.cross()
    (uid,) = uids(shop)
    for one in booked:
        shop.sandbox.agendize.world.move(one, shop.wall(5, 10))
    report = shop.cross()
    assert (deletions(report), shown(shop), uids(shop)) == (0, ["Coupe – 3 booked"], [uid])
    assert shop.verdict().clean


def test_a_class_that_is_moved_one_by_one_between_passes_ends_as_the_same_event(shop: Salon) -> None:
    booked = book_class(shop, 3)
    shop.cross()
    (uid,) = uids(shop)
    for one in booked:
        shop.sandbox.agendize.world.move(one, shop.wall(5, 10))
        shop.cross()
        assert shop.verdict().clean, shop.verdict().details
        assert uid in uids(shop)
    assert (shown(shop), uids(shop)) == (["Coupe – 3 booked"], [uid])


def test_a_class_that_somebody_else_gives_is_created_there_before_it_leaves(shop: Salon) -> None:
    booked = book_class(shop, 2)
    shop.cross()
    (uid,) = uids(shop)
    for one in booked:
        shop.sandbox.agendize.world.reassign(one, shop.staff[1])
    shop.cross()
    assert (shown(shop), shown(shop, BEN), uids(shop, BEN)) == ([], ["Coupe – 2 booked"], [uid])


def test_a_customer_who_changes_classes_changes_both_numbers_and_no_event(shop: Salon) -> None:
    first, *_ = book_class(shop, 3)
    book_class(shop, 2, day=4)
    shop.cross()
    before = uids(shop)
    shop.sandbox.agendize.world.move(first, shop.wall(4, 18))
    assert deletions(shop.cross()) == 0
    assert (shown(shop), uids(shop)) == (["Coupe – 2 booked", "Coupe – 3 booked"], before)


def test_the_first_customer_who_leaves_for_another_time_leaves_the_event_behind(shop: Salon) -> None:
    first, *_ = book_class(shop, 3)
    shop.cross()
    (uid,) = uids(shop)
    shop.sandbox.agendize.world.move(first, shop.wall(4, 18))
    assert deletions(shop.cross()) == 0
    assert shown(shop) == ["Coupe – 2 booked", "Coupe – 1 booked"]
    assert uids(shop)[0] == uid


def test_the_last_one_who_cancels_takes_the_event_along_and_who_books_then_brings_it_back(shop: Salon) -> None:
    booked = book_class(shop, 2)
    shop.cross()
    (uid,) = uids(shop)
    for one in booked:
        shop.sandbox.agendize.world.cancel(one)
    assert deletions(shop.cross()) == 1
    assert shop.ours(ANA) == []
    book(shop, number=7)
    shop.cross()
    assert (shown(shop), uids(shop)) == (["Coupe – 1 booked"], [uid])


def test_of_a_class_of_which_one_leaves_no_trace_only_proof_changes_the_number(shop: Salon) -> None:
    gone, *_ = book_class(shop, 3)
    book(shop, day=9, number=8)
    shop.cross()
    shop.vanish(gone)
    shop.cross()
    assert shown(shop)[0] == "Coupe – 3 booked"
    shop.cross(LATER)
    assert shown(shop)[0] == "Coupe – 2 booked"
    assert deletions(shop.cross()) == 0


def test_an_unlisted_booking_that_nothing_proves_gone_still_counts(shop: Salon) -> None:
    gone, *_ = book_class(shop, 2)
    shop.cross()
    shop.vanish(gone)
    for other in list(shop.sandbox.agendize.world.appointments):
        if other != gone:
            shop.vanish(other)  # nobody is left to tell a hidden account from a deleted row
    shop.cross(LATER)
    assert shown(shop) == ["Coupe – 2 booked"]


def test_a_booking_that_cannot_be_read_still_counts_and_holds_up_nobody(shop: Salon) -> None:
    first, *_ = book_class(shop, 2)
    shop.cross()
    shop.sandbox.agendize.switches.broken_starts.add(first)
    shop.sandbox.agendize.world.edit_notes(first, "touched")
    book(shop, number=5)
    shop.cross()
    assert shown(shop) == ["Coupe – 3 booked"]


def test_to_the_brakes_a_class_is_one_deletion(shop: Salon) -> None:
    booked = book_class(shop, 12)
    kept = book(shop, day=9, number=50)
    shop.cross()
    for one in booked:
        shop.vanish(one)
    shop.cross(LATER)
    assert shown(shop) == ["Coupe – 1 booked"], kept


def test_the_bookings_of_a_class_may_come_on_pages_of_their_own(shop: Salon) -> None:
    shop.sandbox.agendize.switches.page_size = 1
    booked = book_class(shop, 5)
    shop.cross()
    (uid,) = uids(shop)
    for one in booked:
        shop.sandbox.agendize.world.move(one, shop.wall(6, 9))
    shop.cross()
    assert (shown(shop), uids(shop)) == (["Coupe – 5 booked"], [uid])


def test_a_renamed_service_renames_the_class(shop: Salon) -> None:
    book_class(shop, 2)
    shop.cross()
    shop.sandbox.agendize.world.rename_service(shop.services[0], "Yoga")
    shop.cross(NEXT_DAY)
    assert shown(shop) == ["Yoga – 2 booked"]


def test_each_booking_is_an_event_where_the_route_says_so(shop: Salon) -> None:
    shop.configure(STAFF_ROUTE + 'groups = "each"\n')
    book_class(shop, 3)
    shop.cross()
    assert sorted(shown(shop)) == [f"Coupe – Zoé Sample {number}" for number in range(3)]


def test_another_choice_is_the_configurations_doing_and_waits_for_a_person(shop: Salon) -> None:
    book_class(shop, 3)
    shop.cross()
    shop.configure(STAFF_ROUTE + 'groups = "each"\n')
    assert deletions(shop.cross()) == 0
    assert sorted(shown(shop)) == ["Coupe – 3 booked", *(f"Coupe – Zoé Sample {number}" for number in range(3))]
    shop.configure(STAFF_ROUTE)
    assert deletions(shop.cross()) == 0
    assert not shop.cross().pushed.counts.get("created")
    with shop.installation() as installation:
        parked = installation.ledger.outbox.held_back()
    assert [one.removal.why for one in parked] == ["reconfigured"] * 3


def test_who_approves_that_classes_leave_has_every_booking_asked_for_again(shop: Salon) -> None:
    classes = [book_class(shop, 2, day=day) for day in (2, 3, 4)]
    book(shop, day=9)
    shop.cross()
    for one in (booked for bookings in classes for booked in bookings):
        shop.vanish(one)
    shop.cross(LATER)
    assert len(shown(shop)) == 4
    world = shop.sandbox.agendize.world
    back = classes[0][1]
    world.appointments[back] = replace(world.appointments[back], company=COMPANY, deleted=None)
    with shop.installation() as installation:
        waiting = [one.uid for one in installation.ledger.outbox.held_back()]
        decision = approve(installation, waiting, Watch())
    assert (len(waiting), len(decision.decided), len(decision.over)) == (3, 2, 1)
    shop.cross()
    assert shown(shop) == ["Coupe – 1 booked"] * 2


def test_a_class_that_did_not_change_costs_nothing(shop: Salon) -> None:
    book_class(shop, 3)
    shop.cross()
    assert shop.quiet_requests() == (1, 0)
