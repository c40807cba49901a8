"""A status policy, from the configuration to the calendars, as time goes by."""

from __future__ import annotations

from datetime import timedelta

from tests.crossing import CALENDARS, STAFF_ROUTE, Salon

ANA = CALENDARS[0]
POLICY = """
[routes.staff.status]
noShow = { past = "mark", busy = true }
completed = { past = "delete" }
cancelled = "mark"
"""
DAY = timedelta(days=1)


def shown(shop: Salon) -> list[tuple[str, str]]:
    """The events in Ana's calendar: title, and whether they are free."""
    return [(str(event["summary"]), str(event.get("transparency", "opaque"))) for event in shop.ours(ANA)]


def test_time_alone_marks_and_deletes_what_the_policy_says_once(shop: Salon) -> None:
    shop.configure(STAFF_ROUTE + POLICY)
    world = shop.sandbox.agendize.world
    ordinary, missed, done = (shop.book(1, hour) for hour in (9, 11, 14))
    world.set_status(missed, "noShow")
    world.set_status(done, "completed")
    shop.cross()
    assert [title[:1] for title, _ in shown(shop)] == ["C", "C", "C"]
    shop.cross(2 * DAY)
    assert shown(shop) == [("Coupe – Ann Example", "opaque"), ("✗ Coupe – Ann Example", "opaque")]
    assert world.appointments[ordinary].status == "accepted"
    before = shop.sandbox.google.requests
    shop.cross(DAY)
    assert shop.sandbox.google.requests == before


def test_what_is_called_off_is_crossed_out_where_the_policy_marks_it(shop: Salon) -> None:
    shop.configure(STAFF_ROUTE + POLICY)
    booked = shop.book()
    shop.cross()
    shop.sandbox.agendize.world.set_status(booked, "declined")
    shop.cross()
    assert shown(shop) == [("✗ Coupe – Ann Example", "transparent")]


def test_what_another_policy_would_delete_waits_for_a_person(shop: Salon) -> None:
    shop.configure(STAFF_ROUTE + POLICY)
    off, done = shop.book(2), shop.book(-1)
    shop.cross()
    world = shop.sandbox.agendize.world
    world.cancel(off)
    world.set_status(done, "accepted")
    shop.cross()
    shop.configure(STAFF_ROUTE + '[routes.staff.status]\naccepted = { past = "delete" }\n')
    shop.cross()
    assert len(shown(shop)) == 2
    with shop.installation() as installation:
        waiting = installation.ledger.attention(installation.clock.now())
    assert [one.what for one in waiting] == ["parked", "parked"]
    assert all("configuration changed" in one.reason for one in waiting)
