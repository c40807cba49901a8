"""`calferry plan` and `calferry sync`: what they write, say and return."""

from __future__ import annotations

import jsonschema  # type: ignore[import-untyped]  # it ships none

from calferry.sandbox import faults
from tests.cli.salon import ANA, BEN, CLIENT, Salon
from tests.cli.terminal import Terminal

TALLY = {
    "type": "object",
    "required": ["counts", "errors"],
    "additionalProperties": False,
    "properties": {
        "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["error", "message"],
                "additionalProperties": False,
                "properties": {"error": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
REPORT = {
    "type": "object",
    "required": ["pulled", "pushed", "attention", "exit"],
    "additionalProperties": False,
    "properties": {
        "pulled": {"type": "object", "additionalProperties": TALLY},
        "pushed": TALLY,
        "attention": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["what", "where", "id", "reason", "new"],
                "additionalProperties": False,
                "properties": {
                    "what": {"enum": ["parked", "refused", "unrouted", "quarantined", "paused"]},
                    "where": {"type": "string"},
                    "id": {"type": "string"},
                    "reason": {"type": "string"},
                    "new": {"type": "boolean"},
                },
            },
        },
        "exit": {"enum": [0, 1, 3, 75, 77]},
    },
}
ONLY_BEN = '\n[routes.staff.where]\nowner = "ben*"\n'
"""A filter that leaves Ana out: what stands in her calendar has to be parked."""


# ── plan ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_plan_shows_everything_and_writes_nothing(salon: Salon) -> None:
    salon.book(2)
    salon.book(1, staff=salon.ben)
    ran = salon.run("plan")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [
        f"google:{ANA}: 2 to create",
        f"google:{BEN}: 1 to create",
    ]
    assert all(line.endswith("09:00  Consultation – Zoé Sample") for line in lines if line.startswith("  + "))
    told = salon.run("plan", "--json").document
    assert told.keys() == {"plans", "attention", "errors"}
    assert [plan["calendar"] for plan in told["plans"]] == [f"google:{ANA}", f"google:{BEN}"]
    assert told["plans"][0]["counts"] == {"create": 2, "update": 0, "delete": 0, "parked": 0}
    assert {change["summary"] for change in told["plans"][0]["changes"]} == {f"Consultation – {CLIENT[0]} {CLIENT[1]}"}
    assert salon.writes == 0


def test_a_plan_shows_each_kind_of_change(salon: Salon) -> None:
    moved, cancelled = salon.book(2)
    salon.run("sync")
    bookings = salon.sandbox.agendize.world
    bookings.move(moved, bookings.appointments[moved].start.replace(hour=15))
    bookings.cancel(cancelled)
    before = salon.writes
    ran = salon.run("plan")
    heading, update, deletion = ran.out.splitlines()
    assert heading == f"google:{ANA}: 1 to update, 1 to delete"
    assert update.startswith("  ~ ")
    assert "15:00" in update
    assert deletion.startswith("  - ")
    assert deletion.endswith("cancelled: status cancelled")
    assert salon.writes == before


def test_a_plan_without_the_booking_system_says_so(salon: Salon) -> None:
    salon.break_bookings()
    ran = salon.run("plan")
    assert ran.code == 75
    assert "sources.salon: GET 127.0.0.1/" in ran.err


# ── sync ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_sync_carries_everything_over_and_then_nothing(salon: Salon) -> None:
    salon.book(3)
    first = salon.run("sync")
    assert (first.code, first.err) == (0, "")
    assert first.out == "salon: 3 new\ncalendars: 3 created\n"
    assert salon.shown() == 3
    salon.sandbox.google.forget_requests()
    second = salon.run("sync")
    assert (second.code, second.err) == (0, "")
    assert second.out == "salon: nothing new\ncalendars: nothing to write\n"
    assert salon.run("plan").out == "Nothing to write.\n"
    assert (salon.sandbox.google.calls, salon.writes) == (0, 3)


def test_errors_are_part_of_the_json_report(salon: Salon) -> None:
    ran = salon.run("sync", "--json", SALON_KEY="wrong")
    jsonschema.validate(ran.document, REPORT)
    (error,) = ran.document["pulled"]["salon"]["errors"]
    assert (ran.code, ran.err, ran.document["exit"]) == (77, "", 77)
    assert error["error"] == "NotAuthorised"
    assert [(one["what"], one["where"]) for one in ran.document["attention"]] == [("paused", "agendize:13772899")]
    assert "does not take the api_key and token" in error["message"]


def test_an_event_that_is_refused_stops_no_other_and_is_news_once(salon: Salon) -> None:
    salon.book(3)
    salon.refuse_creates()
    first = salon.run("sync", "--json")
    told = first.document
    jsonschema.validate(told, REPORT)
    assert (first.code, told["exit"], salon.shown()) == (1, 1, 2)
    assert told["pulled"]["salon"]["counts"]["new"] == 3
    assert told["pushed"]["counts"] == {"created": 2, "refused": 1}
    (refused,) = told["attention"]
    assert (refused["what"], refused["new"]) == ("refused", True)
    second = salon.run("sync")
    assert (second.code, second.err) == (0, "")
    assert f"refused: {refused['reason'].rstrip('.')}\n" in second.out
    assert refused["reason"].endswith(f"in google:{ANA} (400 invalid).")


def test_what_is_parked_is_news_once_and_weighs_more_than_what_is_refused(salon: Salon) -> None:
    salon.book(2)
    salon.run("sync")
    salon.configure(more=ONLY_BEN)
    salon.book(1, staff=salon.ben)
    salon.refuse_creates()
    first = salon.run("sync")
    assert first.code == 3
    assert "calendars: 1 refused, 2 parked" in first.out
    assert f"parked: google:{ANA}" in first.out
    assert f"in google:{BEN} (400 invalid)" in first.out
    assert salon.run("sync").code == 0
    assert (salon.shown(ANA), salon.shown(BEN)) == (2, 0)


def test_a_booking_system_that_is_down_weighs_more_than_what_is_parked(salon: Salon) -> None:
    salon.book(1)
    salon.run("sync")
    salon.configure(more=ONLY_BEN)
    salon.break_bookings()
    ran = salon.run("sync")
    assert ran.code == 75
    assert "salon: could not be read to the end" in ran.out
    assert "calendars: 1 parked" in ran.out
    assert "sources.salon: GET 127.0.0.1/" in ran.err
    assert "the next run tries again" in ran.err


def test_a_closed_calendar_weighs_more_than_a_booking_system_that_is_down(salon: Salon) -> None:
    salon.book(1)
    salon.book(1, staff=salon.ben)
    salon.run("plan")
    salon.unshare(ANA)
    salon.break_bookings()
    ran = salon.run("sync")
    assert ran.code == 77
    assert "calendars: 1 created" in ran.out
    assert (salon.shown(ANA), salon.shown(BEN)) == (0, 1)
    assert f"Google does not let calferry write to google:{ANA}" in ran.err
    assert "`calferry check`" in ran.err


def test_a_broken_configuration_weighs_more_than_anything(salon: Salon) -> None:
    salon.unshare(ANA)
    salon.break_bookings()
    salon.configure(more="\n[colours]\n")
    ran = salon.run("sync", SALON_KEY="wrong")
    assert (ran.code, ran.out) == (2, "")
    assert "colours: is not a section" in ran.err


def test_calendars_that_are_down_are_caught_up_with(salon: Salon) -> None:
    salon.book(2)
    salon.sandbox.google.faults.add(faults.status(503), match=faults.matching("/calendar/v3"), times=None)
    down = salon.run("sync")
    assert down.code == 75
    assert "calendars: nothing could be written" in down.out
    salon.sandbox.google.faults.clear()
    up = salon.run("sync")
    assert (up.code, salon.shown()) == (0, 2)


def test_an_error_that_closes_a_whole_connection_is_told_once(salon: Salon) -> None:
    salon.book(1)
    salon.book(1, staff=salon.ben)
    salon.sandbox.google.world.revoke(salon.account)
    ran = salon.run("sync")
    assert ran.code == 77
    assert ran.err.count("does not let calferry sign in") == 1


# ── progress ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_progress_is_shown_on_a_terminal(salon: Salon) -> None:
    salon.book(2)
    with Terminal(salon.home, "sync", SALON_KEY=salon.sandbox.agendize.api_key) as terminal:
        code = terminal.end()
    assert code == 0
    assert [step in terminal.seen for step in ("pull", "route", "push")] == [True, True, True]
    assert "calendars: 2 created" in terminal.seen
