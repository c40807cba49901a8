from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calferry.model import Window, at_least, uid_of
from calferry.moments import span, utc, wall_clock
from tests.builders import MORNING, PARIS, event


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


class TestTime:
    def test_a_time_in_the_gap_of_spring_moves_forward_by_the_gap(self) -> None:
        assert wall_clock(at("2026-03-29T02:30:00"), PARIS).isoformat() == "2026-03-29T03:30:00+02:00"

    def test_a_time_in_the_repeat_of_autumn_is_the_first_one(self) -> None:
        assert wall_clock(at("2026-10-25T02:30:00"), PARIS).isoformat() == "2026-10-25T02:30:00+02:00"

    def test_an_end_in_the_repeat_that_would_lie_before_the_start_is_the_second_one(self) -> None:
        start = wall_clock(at("2026-10-25T02:50:00"), PARIS)
        end = wall_clock(at("2026-10-25T02:10:00"), PARIS)
        assert utc(span(start, end)[1]) - utc(start) == timedelta(minutes=20)

    def test_an_end_before_the_start_either_way_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="before it starts"):
            span(MORNING, MORNING - timedelta(minutes=1))

    @given(st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1)), st.timezones())
    def test_every_wall_time_in_every_zone_exists_after_resolution(self, wall: datetime, zone: ZoneInfo) -> None:
        resolved = wall_clock(wall, zone)
        assert resolved.astimezone(UTC).astimezone(zone) == resolved
        assert resolved.replace(tzinfo=None) >= wall

    def test_too_short_an_event_is_made_visible_across_a_change_of_the_clocks(self) -> None:
        start = wall_clock(at("2026-10-25T02:59:30"), PARIS)
        shown = at_least(event(start=start, end=start), 1)
        assert utc(shown.end) - utc(shown.start) == timedelta(minutes=1)


class TestFingerprint:
    def test_an_empty_member_does_not_count(self) -> None:
        assert event(description="").fingerprint == event().fingerprint

    @pytest.mark.parametrize(
        "changes",
        [
            {"summary": "Other"},
            {"description": "Other"},
            {"location": "Other"},
            {"url": "https://other.example"},
            {"start": MORNING + timedelta(minutes=1)},
            {"end": MORNING + timedelta(minutes=1)},
        ],
    )
    def test_whatever_can_be_seen_counts(self, changes: dict[str, Any]) -> None:
        assert event(**changes).fingerprint != event().fingerprint

    def test_where_another_hand_wrote_it_is_for_the_ledger_alone(self) -> None:
        assert event(elsewhere="theirs").fingerprint == event().fingerprint

    def test_the_same_wall_time_on_either_side_of_the_fold_is_another_instant(self) -> None:
        start = datetime(2026, 10, 25, 2, 30, tzinfo=PARIS)
        assert event(start=start).fingerprint != event(start=start.replace(fold=1)).fingerprint


class TestUid:
    def test_a_uid_can_be_rebuilt_and_knows_its_installation_account_and_id(self) -> None:
        assert uid_of("a", "agendize:1", "7") == uid_of("a", "agendize:1", "7")
        others = {uid_of("b", "agendize:1", "7"), uid_of("a", "agendize:2", "7"), uid_of("a", "agendize:1", "8")}
        assert len(others | {uid_of("a", "agendize:1", "7")}) == 4

    @given(st.text(), st.text(), st.text(), st.text())
    def test_no_choice_of_names_makes_two_accounts_one(self, one: str, two: str, three: str, four: str) -> None:
        assert (uid_of("x", one, two) == uid_of("x", three, four)) == ((one, two) == (three, four))


class TestWindow:
    WINDOW = Window(MORNING, MORNING + timedelta(hours=1))

    @pytest.mark.parametrize(
        ("start", "end", "held"),
        [(-30, 0, False), (-30, 1, True), (0, 0, True), (59, 90, True), (60, 90, False), (-9, 99, True)],
    )
    def test_a_window_holds_what_overlaps_it(self, start: int, end: int, held: bool) -> None:
        first, last = (MORNING + timedelta(minutes=minutes) for minutes in (start, end))
        assert self.WINDOW.holds(first, last) is held


def test_an_event_is_a_value() -> None:
    assert replace(event(), summary="x") != event()
    assert event() == event()
