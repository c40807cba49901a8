"""Which bookings make a session, and what they amount to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from calferry.model import Contact, Status
from calferry.sessions import Booking, Session, arranged, counted, gathered
from tests.builders import appointment

EVENING, MORNING = "5/77/evening", "5/77/morning"


def booking(number: int, shared: str = EVENING, part_of: str = "", **changes: Any) -> Booking:
    told = {name: changes.pop(name) for name in ("deletion", "deletion_weak") if name in changes}
    one = appointment(str(number), session=shared, **changes)
    return Booking(uid=f"u{number}", revision=number, appointment=one, part_of=part_of, **told)


def session(uid: str = "s1", shared: str = EVENING, founded: int = 1) -> Session:
    held = appointment(f"session/{uid}", session=shared, gathered=True)
    return Session(uid=uid, founded=founded, shared=shared, appointment=held)


def founded(shared: str, first: Booking) -> Session:
    return session(f"new {first.uid}", shared, 99)


def standing(sessions: list[Session], *bookings: Booking) -> dict[str, str]:
    """By uid of a session where it stands."""
    return {one.uid: one.shared for one in arranged(sessions, bookings, founded)}


def made_of(*bookings: Booking, was: Session | None = None) -> Session:
    """What bookings amount to that are all of the session "s1"."""
    one = was or session()
    return gathered(one, bookings, counted([one], bookings))


def test_bookings_without_a_session_found_one_for_each_thing_they_share() -> None:
    assert standing([], booking(1), booking(2), booking(3, MORNING)) == {"new u1": EVENING, "new u3": MORNING}


def test_what_takes_place_no_more_and_what_is_alone_founds_none() -> None:
    called_off = booking(1, status=Status.CANCELLED)
    assert standing([], called_off, booking(2, deletion="404"), booking(3, "")) == {}


def test_a_session_stays_while_one_of_its_bookings_does_and_follows_when_all_have_left() -> None:
    left = booking(1, MORNING, "s1")
    assert standing([session()], left, booking(2, EVENING, "s1")) == {"s1": EVENING, "new u1": MORNING}
    assert standing([session()], left, booking(2, MORNING, "s1")) == {"s1": MORNING}


def test_a_session_follows_most_of_its_bookings() -> None:
    bookings = [booking(1, MORNING, "s1"), booking(2, "noon", "s1"), booking(3, "noon", "s1")]
    assert standing([session()], *bookings) == {"s1": "noon", "new u1": MORNING}


def test_a_session_does_not_stay_for_newcomers() -> None:
    assert standing([session()], booking(1, MORNING, "s1"), booking(2)) == {"s1": MORNING, "new u2": EVENING}


def test_what_is_cancelled_stays_behind_and_holds_nobody() -> None:
    stayed = booking(1, EVENING, "s1", status=Status.CANCELLED)
    bookings = [stayed, booking(2, MORNING, "s1")]
    assert standing([session()], *bookings) == {"s1": MORNING}
    assert counted([session(shared=MORNING)], bookings) == {"u1": "s1", "u2": "s1"}


def test_of_two_that_meet_the_older_stays() -> None:
    both = [session(), session("s2", MORNING, 2)]
    bookings = [booking(1, MORNING, "s1"), booking(2, MORNING, "s2")]
    assert standing(both, *bookings) == {"s1": MORNING, "s2": ""}
    assert counted(arranged(both, bookings, founded), bookings) == {"u1": "s1", "u2": "s1"}


def test_one_that_takes_place_goes_before_an_older_one_that_does_not() -> None:
    both = [session("s1", MORNING), session("s2", EVENING, 2)]
    assert standing(both, booking(1, MORNING, "s2")) == {"s1": "", "s2": MORNING}


def test_one_that_was_called_off_takes_in_who_comes_after() -> None:
    assert standing([session()], booking(1, EVENING, "s1", deletion="404"), booking(2)) == {"s1": EVENING}


def test_one_that_became_part_of_another_does_not_come_back() -> None:
    sessions = [session(shared=""), session("s2", EVENING, 2)]
    assert standing(sessions, booking(1, EVENING, "s1"), booking(2, EVENING, "s2")) == {"s1": "", "s2": EVENING}


def test_a_session_names_its_customers_and_nothing_that_is_ones_own() -> None:
    own: dict[str, Any] = {"reference": "AB", "external_id": "x", "description": "shy"}
    one = made_of(booking(1, contact=Contact(last_name="Roy")), booking(2, contact=Contact(last_name="Abel"), **own))
    told = one.appointment
    assert [customer.name for customer in told.customers] == ["Abel", "Roy"]
    assert told.gathered
    assert (told.source_id, told.contact) == ("session/s1", Contact())
    assert (told.reference, told.external_id, told.description) == ("", "", "")


def test_a_booking_without_a_customer_counts_nobody() -> None:
    assert made_of(booking(1, contact=Contact())).appointment.customers == ()


def test_what_is_cancelled_is_not_counted() -> None:
    one = made_of(booking(1), booking(2, "", "s1", status=Status.CANCELLED), booking(3, "", "s1", deletion="404"))
    assert len(one.appointment.customers) == 1


def test_the_status_is_what_all_say_or_else_confirmed_as_soon_as_one_is() -> None:
    waiting: dict[str, Any] = {"status": Status.TENTATIVE, "said": "pending"}
    unsure = made_of(booking(1, **waiting), booking(2, **waiting)).appointment
    assert (unsure.status, unsure.said) == (Status.TENTATIVE, "pending")
    sure = made_of(booking(1, **waiting), booking(2)).appointment
    assert (sure.status, sure.said) == (Status.CONFIRMED, "")


def test_the_newest_booking_tells_the_rest() -> None:
    one = made_of(booking(2, location="studio 2"), booking(1, location="studio 1"))
    assert one.appointment.location == "studio 2"


def test_the_last_one_to_cancel_cancels_the_session() -> None:
    off: dict[str, Any] = {"part_of": "s1", "status": Status.CANCELLED}
    one = made_of(booking(1, said="declined", **off), booking(2, said="cancelled", **off))
    assert (one.appointment.status, one.appointment.said, one.deletion) == (Status.CANCELLED, "cancelled", "")
    assert one.appointment.customers == ()


def test_the_last_one_to_go_is_the_evidence_and_a_weak_one_makes_it_weak() -> None:
    explicit = made_of(booking(1, part_of="s1", deletion="deleted: true"))
    assert (explicit.deletion, explicit.deletion_weak) == ("its last booking, 1: deleted: true", False)
    weak = booking(1, part_of="s1", deletion="404; control 200", deletion_weak=True)
    later = booking(2, part_of="s1", deletion="deleted: true")
    assert made_of(weak, later).deletion_weak


def test_the_last_one_to_join_another_session_is_evidence_and_one_that_lost_its_flag_is_weak() -> None:
    sessions = [session(shared=""), session("s2", MORNING, 2)]
    moved = [booking(1, MORNING, "s1")]
    one = gathered(sessions[0], moved, counted(sessions, moved))
    assert (one.deletion, one.deletion_weak) == ("its last booking, 1, is part of another session", False)
    alone = made_of(booking(1, "", "s1"))
    assert alone.deletion_weak


def test_a_session_that_had_ended_takes_place_again_when_somebody_books() -> None:
    ended = replace(session(), deletion="its last booking, 1: 404", deletion_weak=True)
    again = made_of(booking(2), was=ended)
    assert (again.deletion, again.deletion_weak) == ("", False)
