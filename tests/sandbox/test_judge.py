"""The judge sees what is missing, doubled, touched and mailed; the scenery gives it something to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar, Event

from calferry.sandbox import (
    AgendizeWorld,
    ClicrdvWorld,
    GoogleWorld,
    GraphWorld,
    Sandbox,
    ValomniaWorld,
    Verdict,
    judge,
    judge_feed,
    scenery,
)
from calferry.sandbox.clicrdv.world import is_appointment
from calferry.sandbox.google import Mail
from calferry.sandbox.graph import Mail as GraphMail
from calferry.sandbox.judge import Due, Slot, everything_due

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(lambda: NOW) as sandbox:
        yield sandbox


@pytest.fixture
def scene(sandbox: Sandbox) -> scenery.Scene:
    return scenery.furnish(sandbox)


@pytest.fixture
def google(sandbox: Sandbox) -> GoogleWorld:
    return sandbox.google.world


@pytest.fixture
def graph(sandbox: Sandbox) -> GraphWorld:
    return sandbox.graph.world


def title(due: Due) -> str:
    return f"{due.service} – {due.booked} booked" if due.booked else due.service


def carry(google: GoogleWorld, due: Due, calendar: str, name: str, **members: Any) -> None:
    """Put an appointment into a calendar at Google, as a perfect client would."""
    home = google.calendars[calendar]
    times = {"start": {"dateTime": due.start.isoformat()}, "end": {"dateTime": due.end.isoformat()}}
    content = {"summary": title(due), "reminders": {"useDefault": False}} | times | members
    google.store(home, google.newborn(home, name, "ferry") | content)


def carry_to_microsoft(graph: GraphWorld, due: Due, address: str) -> str:
    """Put an appointment into the calendar of a mailbox, as a perfect client would. Returns the id of the event."""
    home = graph.mailboxes[address]
    start, end = ({"dateTime": f"{side:%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"} for side in (due.start, due.end))
    members = {"subject": title(due), "start": start, "end": end, "isReminderOn": False}
    return graph.keep(home, graph.newborn(home.default, members)).id


@pytest.fixture
def carried(google: GoogleWorld, graph: GraphWorld, scene: scenery.Scene) -> list[tuple[Due, str, str]]:
    """Everything, where it belongs; with the calendar and the id of each event at Google."""
    placed = []
    for number, due in enumerate(everything_due(scene.bookings)):
        calendar = scene.calendar_of[due.owner]
        if calendar in graph.mailboxes:
            carry_to_microsoft(graph, due, calendar)
        else:
            placed.append((due, calendar, f"e{number}"))
    for one in placed:
        carry(google, *one)
    return placed


@pytest.fixture
def verdict_on(sandbox: Sandbox, scene: scenery.Scene) -> Callable[..., Verdict]:
    worlds = (sandbox.google.world, sandbox.graph.world)
    return lambda **asked: judge(scene.bookings, worlds, scene.calendar_of, **asked)


def test_calendars_that_hold_the_truth_of_all_are_clean(
    verdict_on: Callable[..., Verdict], carried: Sequence[Any]
) -> None:
    assert verdict_on(named=True).clean


def test_empty_calendars_miss_everything(verdict_on: Callable[..., Verdict], scene: scenery.Scene) -> None:
    verdict = verdict_on()

    assert verdict.missing == len(list(everything_due(scene.bookings)))
    assert verdict.duplicates == verdict.foreign_touched == 0
    assert not verdict.clean


def test_what_one_booking_system_alone_holds_is_too_much_for_the_others(
    google: GoogleWorld, graph: GraphWorld, scene: scenery.Scene, carried: Sequence[Any]
) -> None:
    for world in scene.bookings:
        others = [one for one in scene.bookings if one is not world]
        verdict = judge(others, [google, graph], scene.calendar_of)
        assert (verdict.missing, verdict.duplicates) == (0, len(list(everything_due([world]))))


def test_each_fault_is_counted(
    google: GoogleWorld, verdict_on: Callable[..., Verdict], carried: list[tuple[Due, str, str]]
) -> None:
    (first, where, _), (_, second_calendar, second), (_, third_calendar, third) = carried[:3]
    carry(google, first, where, "another")
    google.user_deletes(second_calendar, second)
    google.user_edits(third_calendar, third, summary="?")
    calendar, event_id = next(iter(google.foreign))
    google.store(google.calendars[calendar], google.calendars[calendar].events[event_id])
    google.mails.append(Mail(calendar, event_id, "insert", None))

    verdict = verdict_on(named=True)

    assert verdict[:5] == (1, 1, 1, 1, 0)
    assert sorted(line.split(":")[0] for line in verdict.details) == ["missing", "too many", "touched", "unnamed"]


def test_a_group_session_is_one_event_with_its_number(
    google: GoogleWorld, graph: GraphWorld, scene: scenery.Scene
) -> None:
    sessions = [due for due in everything_due([scene.clinic.world]) if due.booked]
    assert {due.service for due in sessions} == {"Yoga 🧘"}
    assert max(due.booked for due in sessions) > 1
    for number, due in enumerate(everything_due([scene.clinic.world])):
        counted_wrongly = due._replace(booked=due.booked + 10 if due.booked else 0)
        if due.owner in google.calendars:
            carry(google, counted_wrongly, due.owner, f"e{number}")
        else:
            carry_to_microsoft(graph, counted_wrongly, due.owner)

    verdict = judge([scene.clinic.world], [google, graph], named=True)

    assert not verdict.missing
    assert [line.split(":")[0] for line in verdict.details] == ["unnamed"] * len(sessions)


def test_each_fault_at_microsoft_is_counted_too(
    graph: GraphWorld, scene: scenery.Scene, verdict_on: Callable[..., Verdict], carried: Sequence[Any]
) -> None:
    due = next(due for due in everything_due(scene.bookings) if scene.calendar_of[due.owner] in graph.mailboxes)
    address = scene.calendar_of[due.owner]
    ours = [one.id for one in graph.events(address) if (address, one.id) not in graph.foreign]
    carry_to_microsoft(graph, due, address)
    graph.user_deletes(address, ours[-1])
    graph.user_edits(address, ours[-2], subject="?")
    graph.touch(graph.mailboxes[address].events[next(one for home, one in graph.foreign if home == address)])
    graph.mails.append(GraphMail(address, ours[0], "create"))
    graph.reminders.append(ours[0])

    verdict = verdict_on(named=True)

    assert verdict[:5] == (1, 1, 1, 1, 1)
    assert sorted(line.split(":")[0] for line in verdict.details) == ["missing", "too many", "touched", "unnamed"]


def test_a_mapping_says_whose_appointments_go_where(google: GoogleWorld, scene: scenery.Scene) -> None:
    google.add_calendar("desk", "chloe@clinic.example")
    ana, _ = scene.practice.calendars
    for number, due in enumerate(everything_due(scene.bookings)):
        if due.owner == ana:
            carry(google, due, "desk", f"e{number}")

    assert judge(scene.bookings, [google], {ana: "desk"}).clean


def test_without_a_mapping_the_address_is_the_calendar(google: GoogleWorld, scene: scenery.Scene) -> None:
    google.add_user("dario@clinic.example")
    for number, due in enumerate(everything_due([scene.field.world])):
        carry(google, due, due.owner, f"e{number}")

    assert judge([scene.field.world], [google]).clean


def test_a_window_leaves_out_what_lies_beyond(verdict_on: Callable[..., Verdict]) -> None:
    assert verdict_on(window=(NOW, NOW + 7 * DAY)).missing < verdict_on().missing
    assert verdict_on(window=(NOW, NOW)).clean


def feed_of(everything: Sequence[Due]) -> bytes:
    feed = Calendar()
    for due in everything:
        event = Event()
        event.start, event.end = due.start, due.end
        feed.add_component(event)
    return bytes(feed.to_ical())


def test_a_feed_of_everything_is_clean_and_one_too_few_or_too_many_is_told(scene: scenery.Scene) -> None:
    everything = list(everything_due(scene.bookings))

    assert judge_feed(feed_of(everything), scene.bookings).clean
    assert judge_feed(feed_of(everything[1:]), scene.bookings)[:2] == (1, 0)
    assert judge_feed(feed_of([*everything, everything[-1]]), scene.bookings)[:2] == (0, 1)


def test_a_visit_without_an_end_takes_no_time(google: GoogleWorld) -> None:
    world = ValomniaWorld(lambda: NOW)
    user, category = world.add_employee("Eva", "Sample", "eva@sales.example"), world.add_category("Visit")
    world.book(user=user, category=category, start=NOW, end=None)

    assert list(everything_due([world])) == [Due("eva@sales.example", NOW, NOW, "Visit")]


def test_a_year_of_the_three_is_modest_and_everybody_has_a_life(
    google: GoogleWorld, graph: GraphWorld, scene: scenery.Scene
) -> None:
    everything = list(everything_due(scene.bookings))

    assert 370 <= len(everything) <= 430
    assert all(one.start > NOW - scenery.PAST and one.end < NOW + scenery.FUTURE for one in everything)
    assert {*google.calendars, *graph.mailboxes} == {person.email for person in scene.people}
    assert list(graph.mailboxes) == [person.email for person in scenery.AT_MICROSOFT]
    assert all(len(list(google.events(calendar))) == 5 for calendar in google.calendars)
    assert all(len(list(graph.events(address))) == 5 for address in graph.mailboxes)


def test_each_two_of_the_three_share_somebody_and_a_calendar(scene: scenery.Scene) -> None:
    sources = {world: {scene.calendar_of[due.owner] for due in everything_due([world])} for world in scene.bookings}
    clinic, practice, field = sources.values()

    assert [len(clinic & practice), len(clinic & field), len(practice & field)] == [1, 1, 1]
    assert {person.email for person in scene.busy_people} == (clinic & practice) | (clinic & field) | (practice & field)
    assert len(scene.people) == len(clinic | practice | field) > len(scene.busy_people)


def test_somebody_is_booked_twice_at_the_same_time_within_one_system_and_across_two(scene: scenery.Scene) -> None:
    def doubled(*worlds: AgendizeWorld | ClicrdvWorld | ValomniaWorld) -> Counter[Slot]:
        return Counter(Slot(scene.calendar_of[due.owner], due.start, due.end) for due in everything_due(worlds))

    clinic, practice = doubled(scene.clinic.world), doubled(scene.practice.world)
    starts = {(slot.calendar, slot.start) for slot in clinic} & {(slot.calendar, slot.start) for slot in practice}
    assert [number for number in clinic.values() if number > 1]
    assert starts


@pytest.fixture(params=["America/Montreal", "Europe/Paris"])
def clinic(request: Any) -> scenery.Clinic:
    return scenery.Clinic(AgendizeWorld(lambda: NOW), time_zone=request.param)


def test_the_clinic_has_everything_a_demo_should_cope_with(clinic: scenery.Clinic) -> None:
    rows = list(clinic.world.appointments.values())
    switching_days = {switch.wall.date() for switch in scenery.switches(clinic.world.zone(rows[0]), NOW)}

    assert {row.status for row in rows} >= {"accepted", "pending", "cancelled", "declined", "noShow", "completed"}
    assert switching_days
    assert switching_days <= {row.start.date() for row in rows}


def test_every_wall_time_of_the_clinic_can_be_told_from_its_row(clinic: scenery.Clinic) -> None:
    """Read as a careful client would: the first of two readings, unless the end would come before the start."""
    for row in clinic.world.appointments.values():
        zone = clinic.world.zone(row)
        start, end = clinic.world.span(row)
        wall_end = end.astimezone(zone).replace(tzinfo=None, fold=0)
        read_start = row.start.replace(tzinfo=zone).astimezone(UTC)
        readings = [wall_end.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
        read_end = next(reading for reading in readings if reading > read_start)
        assert (read_start, read_end) == (start, end)


def test_the_practice_has_both_autumn_hours_and_all_that_is_no_appointment(scene: scenery.Scene) -> None:
    world = scene.practice.world
    rows = list(world.vevents.values())
    others = [row for row in rows if not is_appointment(row)]

    # The clocks of Paris are one hour slower from 01:00 in UTC on.
    hours = {world.span(row)[0].replace(minute=0) for row in rows if row.start.date() == datetime(2027, 10, 31).date()}
    assert {datetime(2027, 10, 31, hour, tzinfo=UTC) for hour in (0, 1)} <= hours
    assert len(others) == 3
    assert {row.note for row in others} == {True, False}
    assert any(row.deleted for row in rows)


def test_all_of_it_was_booked_long_before(scene: scenery.Scene) -> None:
    stamps = [
        *(row.created for row in scene.clinic.world.appointments.values()),
        *(row.updated for row in scene.practice.world.vevents.values()),
        *(row.updated for row in scene.field.world.appointments.values()),
    ]

    assert max(stamps) < NOW - 10 * DAY
    assert all(world.now() == NOW for world in scene.bookings)


def test_the_scenery_is_the_same_on_every_run(scene: scenery.Scene) -> None:
    with Sandbox(lambda: NOW) as another:
        other = scenery.furnish(another)

    assert scene.calendar_of == other.calendar_of
    assert list(everything_due(scene.bookings)) == list(everything_due(other.bookings))
    assert scene.changes() == other.changes()


def test_a_minute_at_the_desks_is_told_line_by_line(
    scene: scenery.Scene, verdict_on: Callable[..., Verdict], carried: Sequence[Any]
) -> None:
    told = scene.changes()
    verdict = verdict_on()

    assert {desk: [line.split()[0] for line in lines] for desk, lines in told.items()} == {
        "clinic": ["booked", "moved", "cancelled", "gave", "joined"],
        "practice": ["booked", "moved", "cancelled"],
        "field": ["booked", "moved", "gave"],
    }
    # Missing: what was booked, moved or given; too many: what was moved, cancelled or given.
    assert (verdict.missing, verdict.duplicates) == (8, 7)


def test_the_changes_of_the_clocks_are_found_and_not_everywhere_are_there_any() -> None:
    shifts = [switch.shift for switch in scenery.switches(ZoneInfo("Europe/Paris"), NOW)]

    # From 21 October of one year to 25 December of the next.
    assert shifts == [timedelta(hours=-1), timedelta(hours=1), timedelta(hours=-1)]
    assert list(scenery.switches(ZoneInfo("UTC"), NOW)) == []


def test_the_sandbox_starts_and_stops_all_of_its_servers() -> None:
    with Sandbox(lambda: NOW) as box:
        servers = (box.agendize, box.clicrdv, box.valomnia, box.google)
        assert all(server.url.startswith("http://127.0.0.1:") for server in servers)
        assert len({server.url for server in servers}) == len(servers)
        assert all(server.world.now() == NOW for server in servers)
