"""`calferry status`: one honest line per calendar, and who has to act."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from calferry import wiring
from calferry.cli.status import ago
from calferry.sync.crossing import run
from calferry.sync.installation import Watch
from tests.cli.salon import ANA, BEN, Salon
from tests.crossing import HandClock

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_before_the_first_sync_it_says_what_to_do(salon: Salon) -> None:
    ran = salon.run("status")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "Nothing was ever pulled. Run `calferry check`, then `calferry sync`.\n"


def test_after_a_sync_every_calendar_is_in_step_and_not_before(salon: Salon) -> None:
    salon.book(2)
    salon.book(1, staff=salon.ben)
    salon.run("plan")
    assert f"google:{ANA}: 0 events, NOT in step: 2 to write" in salon.run("status").out
    salon.run("sync")
    salon.sandbox.agendize.forget_requests()
    ran = salon.run("status")
    just_now = "in step less than a minute ago, surveyed less than a minute ago"
    assert ran.code == 0
    assert ran.out.splitlines() == [
        "agendize:13772899: 3 appointments, pulled less than a minute ago",
        f"google:{ANA}: 2 events, {just_now}",
        f"google:{BEN}: 1 events, {just_now}",
        "Nobody has to act.",
    ]
    assert salon.sandbox.agendize.requests == 0


def test_a_paused_calendar_is_told_with_its_reason(salon: Salon) -> None:
    salon.book(1)
    salon.unshare(ANA)
    salon.run("sync")
    ran = salon.run("status")
    assert ran.code == 0
    assert f"google:{ANA}: 0 events, PAUSED until 20" in ran.out
    assert "its owner restores it or shares it" in ran.out
    assert "Nobody has to act" not in ran.out


def test_everything_that_waits_for_a_person_is_told(salon: Salon) -> None:
    """Parked, refused, unrouted and quarantined, all at once."""
    salon.book(1)
    salon.run("sync")
    bookings = salon.sandbox.agendize.world
    nobody = bookings.add_staff("13772899", "No", "Address", "")
    (unrouted,), (quarantined,) = salon.book(1, staff=nobody), salon.book(1, staff=salon.ben)
    salon.sandbox.agendize.switches.broken_starts.add(quarantined)
    salon.configure(more='\n[routes.staff.where]\nowner = ["ben*", "No*"]\n')
    salon.book(1, staff=salon.ben)
    salon.refuse_creates()
    assert salon.run("sync").code == 3
    lines = salon.run("status").out.splitlines()
    assert lines[1].startswith(f"google:{ANA}: 1 events, in step less than a minute ago but for 1 that waits, ")
    assert lines[2].startswith(f"google:{BEN}: 0 events, in step less than a minute ago but for 1 that waits, ")
    assert lines[3].startswith(f"quarantined: agendize:13772899 {quarantined}: ")
    assert lines[4].startswith(f"unrouted: agendize:13772899 {unrouted}: route staff: staff {nobody} has no email")
    assert lines[5].startswith(f"parked: google:{ANA} ")
    assert "reconfigured (the configuration changed)" in lines[5]
    assert lines[6].startswith("refused: Google refused ")
    assert " UTC" in lines[6]
    assert "Nobody has to act." not in lines
    told = salon.run("status", "--json").document
    assert [len(one["parked"]) for one in told["calendars"]] == [1, 0]
    assert [len(one["refused"]) for one in told["calendars"]] == [0, 1]
    assert [one["source_id"] for one in told["sources"][0]["unrouted"]] == [unrouted]
    assert [one["source_id"] for one in told["sources"][0]["quarantined"]] == [quarantined]


def test_the_json_has_times_in_iso_8601_and_what_a_route_left_behind(salon: Salon) -> None:
    salon.book(1)
    salon.run("sync")
    told = salon.run("status", "--json").document
    (calendar,) = told["calendars"]
    assert told.keys() == {"at", "sources", "calendars", "left_behind", "resting", "silence"}
    times = [told["at"], told["sources"][0]["pulled_at"], calendar["in_step_since"], calendar["surveyed_at"]]
    assert [datetime.fromisoformat(time).utcoffset() for time in times] == [timedelta()] * 4
    assert all("T" in time for time in times)
    assert (calendar["held"], calendar["due"], calendar["unsettled"], told["left_behind"]) == (1, 0, 0, [])
    text = salon.config.read_text(encoding="utf-8")
    salon.config.write_text(text.replace("[routes.staff]", "[routes.people]"), encoding="utf-8")
    assert "1 events belong to routes that left the configuration (staff); they stay." in salon.run("status").out


def test_how_many_are_missing_is_told_with_what_came_of_asking_for_them(
    salon: Salon, monkeypatch: pytest.MonkeyPatch
) -> None:
    salon.configure(near="1m")
    (gone,) = salon.book(1)
    salon.run("sync")
    world = salon.sandbox.agendize.world
    world.appointments[gone] = replace(world.appointments[gone], company="nowhere", deleted=world.now())
    monkeypatch.setenv("SALON_KEY", salon.sandbox.agendize.api_key)
    later = HandClock(datetime.now(UTC) + timedelta(minutes=2))
    with wiring.installation(wiring.settings(salon.config), later) as installation:
        run(installation, Watch())
    told = "missing from a listing; not proven gone; asked for 1 so far: 1 were not found, but neither was a control"
    assert f"unlisted: agendize:13772899: 1 appointments are {told}" in salon.run("status").out
    (seen,) = salon.run("status", "--json").document["sources"]
    assert (seen["unlisted"], seen["answers"]) == (1, {"unproven": 1})


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (None, "never"),
        (timedelta(seconds=-5), "less than a minute ago"),
        (timedelta(seconds=59), "less than a minute ago"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=5), "5 hours ago"),
        (timedelta(days=21, hours=23), "21 days ago"),
    ],
)
def test_ages_are_told_in_the_largest_unit(age: timedelta | None, text: str) -> None:
    assert ago(None if age is None else NOW - age, NOW) == text
