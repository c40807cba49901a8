"""The failures that users of such programs complain of, and where each is played."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

PROVEN: Mapping[str, str] = {
    "empty 200 feed": "test_a_lying_booking_system_changes_nothing",
    "5xx/403/429/timeout at page 1 and k": "test_no_answer_of_a_booking_system_is_said_and_changes_nothing",
    "truncated body": "test_a_failing_request_to_a_calendar_is_said_and_made_good",
    "206": "test_a_lying_booking_system_changes_nothing",
    "HTML error page with 200": "test_no_answer_of_a_booking_system_is_said_and_changes_nothing",
    "listing capped silently": "test_a_day_of_nonsense_deletes_nothing_and_says_so",
    "token 410 mid-paging": "test_no_answer_of_a_booking_system_is_said_and_changes_nothing",
    "token refresh race": "test_in_the_end_the_calendars_hold_what_is_booked",
    "list-after-write lag": "test_a_run_that_is_killed_around_the_making_of_a_calendar_makes_one",
    "duplicate ids under parallel create": "test_two_at_the_same_moment_on_one_ledger_double_nothing",
    "server rewriting our fields": "test_another_etag_alone_is_no_difference",
    "marker stripped": "test_a_mark_that_a_user_took_off_doubles_nothing",
    "staff reassigned while offline": "test_a_move_is_in_the_new_calendar_before_it_leaves_the_old",
    "cancel and rebook the same slot": "test_every_command_can_be_killed_again_and_again",
    "window edge crossing": "test_outside_the_window_an_appointment_is_followed_to_another_calendar",
    "DST gap and overlap": "test_every_wall_time_in_every_zone_exists_after_resolution",
    "zero-length event": "test_a_zero_duration_is_kept_as_it_is",
    "equal lastUpdated ties": "test_the_ledger_holds_the_truth_after_any_history",
    "rows modified while paging": "test_a_slice_whose_pages_do_not_join_is_read_again",
    "clock skew": "test_a_clock_that_was_ahead_once_hides_no_deletion",
    "disk full": "test_a_full_disk_is_a_sentence_and_leaves_the_ledger_whole",
    "SQLite busy": "test_a_ledger_that_somebody_else_writes_to_is_a_sentence",
    "kill at every step": "test_every_command_can_be_killed_again_and_again",
    "two daemons": "test_two_services_on_one_ledger_double_nothing",
    "owner revokes consent": "test_a_calendar_that_is_shut_is_named_and_stops_no_other",
    "calendar deleted": "test_a_calendar_that_is_shut_is_named_and_stops_no_other",
    "quota exhausted until tomorrow": "test_failing_calls_to_a_calendar_are_said_and_made_good",
}
"""Failures that users of other programs met, and the test that plays each. An id that changes with every fetch makes no
second event by construction, because the id is our own; and no webhook is lost or forged where none is listened to."""


def test_each_failure_is_played_by_a_test_that_there_is() -> None:
    folder = Path(__file__).parents[1]
    files = [file.read_text(encoding="utf-8") for file in folder.rglob("test_*.py")]
    there = {name for text in files for name in re.findall(r"def (test_\w+)", text)}
    assert set(PROVEN.values()) <= there
