"""The judge sees what is missing, doubled, touched and mailed; the scenery gives it something to look at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from calferry.sandbox import Sandbox, judge, scenery
from calferry.sandbox.agendize import AgendizeWorld, Booked
from calferry.sandbox.google import GoogleWorld, Mail
from calferry.sandbox.judge import Due, everything_due
from calferry.sandbox.valomnia import ValomniaWorld

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)


@pytest.fixture
def bookings() -> AgendizeWorld:
    return AgendizeWorld(lambda: NOW)


@pytest.fixture
def google() -> GoogleWorld:
    return GoogleWorld(lambda: NOW)


@pytest.fixture(params=["America/Montreal", "Europe/Paris"])
def scene(request: Any, bookings: AgendizeWorld, google: GoogleWorld) -> scenery.Scene:
    return scenery.furnish(bookings, google, time_zone=request.param)


def carry(google: GoogleWorld, booked: Booked, calendar: str | None = None, **members: Any) -> None:
    """Put an appointment into a calendar, as a perfect client would."""
    home = google.calendars[calendar or booked.staff_email]
    times = {"start": {"dateTime": booked.start.isoformat()}, "end": {"dateTime": booked.end.isoformat()}}
    content = {"summary": booked.service, "reminders": {"useDefault": False}} | times | members
    google.store(home, google.newborn(home, f"e{booked.id}", "ferry") | content)


@pytest.fixture
def carried(bookings: AgendizeWorld, google: GoogleWorld, scene: scenery.Scene) -> list[Booked]:
    booked = list(bookings.live())
    for one in booked:
        carry(google, one)
    return booked


def test_calendars_that_hold_the_truth_are_clean(
    bookings: AgendizeWorld, google: GoogleWorld, carried: list[Booked]
) -> None:
    assert judge([bookings], google, named=True).clean


def test_empty_calendars_miss_everything(bookings: AgendizeWorld, google: GoogleWorld, scene: scenery.Scene) -> None:
    verdict = judge([bookings], google)

    assert verdict.missing == len(list(bookings.live()))
    assert verdict.duplicates == verdict.foreign_touched == 0
    assert not verdict.clean


def test_each_fault_is_counted(bookings: AgendizeWorld, google: GoogleWorld, carried: list[Booked]) -> None:
    first, second, third = carried[:3]
    carry(google, first, id="another")
    google.user_deletes(second.staff_email, f"e{second.id}")
    google.user_edits(third.staff_email, f"e{third.id}", summary="?")
    calendar, event_id = next(iter(google.foreign))
    google.store(google.calendars[calendar], google.calendars[calendar].events[event_id])
    google.mails.append(Mail(calendar, event_id, "insert", None))

    verdict = judge([bookings], google, named=True)

    assert verdict[:5] == (1, 1, 1, 1, 0)
    assert sorted(line.split(":")[0] for line in verdict.details) == ["missing", "too many", "touched", "unnamed"]


def test_a_mapping_says_whose_appointments_go_where(
    bookings: AgendizeWorld, google: GoogleWorld, scene: scenery.Scene
) -> None:
    google.add_calendar("desk", "boss@clinic.example")
    ana = next(iter(scene.calendar_of))
    for one in bookings.live():
        if one.staff_email == ana:
            carry(google, one, "desk")

    assert judge([bookings], google, {ana: "desk"}).clean


def test_a_window_leaves_out_what_lies_beyond(
    bookings: AgendizeWorld, google: GoogleWorld, scene: scenery.Scene
) -> None:
    week = (NOW, NOW + timedelta(days=7))
    assert judge([bookings], google, window=week).missing < judge([bookings], google).missing
    assert judge([bookings], google, window=(NOW, NOW)).clean


def test_a_visit_without_an_end_takes_no_time() -> None:
    world = ValomniaWorld(lambda: NOW)
    user, category = world.add_employee("Eva", "Sample", "eva@sales.example"), world.add_category("Visit")
    world.book(user=user, category=category, start=NOW, end=None)

    assert list(everything_due([world])) == [Due("eva@sales.example", NOW, NOW, "Visit")]


def test_the_scenery_has_everything_a_demo_should_cope_with(
    bookings: AgendizeWorld, google: GoogleWorld, scene: scenery.Scene
) -> None:
    rows = list(bookings.appointments.values())
    zone = bookings.zone(rows[0])
    switching_days = {switch.wall.date() for switch in scenery.switches(zone, NOW)}
    slots = [(row.staff, row.start) for row in rows if row.status == "accepted"]

    assert 300 <= len(rows) <= 330
    assert {row.status for row in rows} >= {"accepted", "pending", "cancelled", "declined", "noShow", "completed"}
    assert switching_days
    assert switching_days <= {row.start.date() for row in rows}
    assert len(slots) > len(set(slots))
    assert all(len(list(google.events(calendar))) == 5 for calendar in scene.calendar_of.values())
    assert all(one.start > NOW - scenery.PAST and one.end < NOW + scenery.FUTURE for one in bookings.live())


def test_every_wall_time_of_the_scenery_can_be_told_from_its_row(bookings: AgendizeWorld, scene: scenery.Scene) -> None:
    """Read as a careful client would: the first of two readings, unless the end would come before the start."""
    for row in bookings.appointments.values():
        zone = bookings.zone(row)
        start, end = bookings.span(row)
        wall_end = end.astimezone(zone).replace(tzinfo=None, fold=0)
        read_start = row.start.replace(tzinfo=zone).astimezone(UTC)
        readings = [wall_end.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
        read_end = next(reading for reading in readings if reading > read_start)
        assert (read_start, read_end) == (start, end)


def test_the_scenery_is_the_same_on_every_run(bookings: AgendizeWorld, google: GoogleWorld) -> None:
    other = AgendizeWorld(lambda: NOW)
    scenes = [
        scenery.furnish(bookings, google, appointments=20),
        scenery.furnish(other, GoogleWorld(lambda: NOW), appointments=20),
    ]

    assert scenes[0] == scenes[1]
    assert list(bookings.live()) == list(other.live())
    assert scenery.changes(bookings, scenes[0]) == scenery.changes(other, scenes[1])


def test_an_hour_at_the_desk_is_told_line_by_line(
    bookings: AgendizeWorld, google: GoogleWorld, carried: list[Booked], scene: scenery.Scene
) -> None:
    lines = scenery.changes(bookings, scene)
    verdict = judge([bookings], google)

    assert [line.split()[0] for line in lines] == [
        *["booked"] * 2,
        *["moved"] * 2,
        *["cancelled"] * 2,
        "gave",
        "deleted",
    ]
    assert (verdict.missing, verdict.duplicates) == (5, 6)


def test_the_changes_of_the_clocks_are_found_and_not_everywhere_are_there_any() -> None:
    shifts = [switch.shift for switch in scenery.switches(ZoneInfo("Europe/Paris"), NOW)]

    # From 21 October of one year to 25 December of the next.
    assert shifts == [timedelta(hours=-1), timedelta(hours=1), timedelta(hours=-1)]
    assert list(scenery.switches(ZoneInfo("UTC"), NOW)) == []


def test_the_sandbox_starts_and_stops_all_of_its_servers() -> None:
    with Sandbox(lambda: NOW) as box:
        assert box.agendize.url.startswith("http://127.0.0.1:")
        assert box.google.url != box.agendize.url
        assert box.agendize.world.now() == box.google.world.now() == NOW
