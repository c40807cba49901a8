"""What every shelf must keep: what is shown of calendars at some time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calferry.feeds import Fragment, Range, Shelf
from tests.builders import NOW
from tests.contracts.ledger_steps import SECOND
from tests.contracts.shelf_steps import DAY, DESK, FEED, FRESH, HOUR, MIDNIGHT, SHOWN, fragment, numbers, put

hours = st.integers(-24 * 8, 24 * 8).map(lambda number: MIDNIGHT + number * HOUR)
moments = hours | st.floats(-8 * 86_400, 8 * 86_400).map(lambda seconds: MIDNIGHT + timedelta(seconds=int(seconds)))
spans = st.integers(0, 4).map(lambda days: days * DAY) | st.integers(0, 100).map(lambda number: number * HOUR)
ranges = st.builds(Range, past=spans, tombstones=spans, most=st.integers(1, 8))


def fragments_of(shelf: Shelf, calendars: Sequence[str]) -> st.SearchStrategy[Fragment]:
    """Few uids, so that they meet in several calendars; numbers that never repeat."""

    def one(name: str, calendar: str, starts_at: datetime, length: int, cancelled_at: datetime | None) -> Fragment:
        ends_at = starts_at + length * HOUR
        members = {"starts_at": starts_at, "ends_at": ends_at, "cancelled_at": cancelled_at}
        return fragment(shelf, name, calendar, sequence=next(numbers), **members)

    names, lengths = st.sampled_from("abcde"), st.integers(1, 72)
    return st.builds(one, names, st.sampled_from(calendars), moments, lengths, st.none() | moments)


def expected(placed: Iterable[Fragment], asked: Range, now: datetime) -> tuple[list[bytes], int]:
    """What a range says, in so many words; and how many are left out."""
    day = asked.day(now)
    inside = [one for one in placed if one.ends_at > day - asked.past]
    if asked.tombstones:
        inside = [one for one in inside if not one.cancelled_at or one.cancelled_at > day - asked.tombstones]
    else:
        inside = [one for one in inside if not one.cancelled_at]
    by_rank = sorted(inside, key=lambda one: (one.cancelled_at is None, one.sequence))
    chosen = sorted({one.uid: one for one in by_rank}.values(), key=lambda one: (one.ends_at, one.uid))
    ended, coming = ([one for one in chosen if (one.ends_at <= day) is over] for over in (True, False))
    left_out = max(0, len(chosen) - asked.most)
    kept = [*ended[left_out:], *coming][: asked.most]
    return [one.body for one in sorted(kept, key=lambda one: (one.starts_at, one.uid))], left_out


def shown(
    shelf: Shelf, *calendars: str, now: datetime = NOW, most: int = 100, tombstones: timedelta = 7 * DAY
) -> list[bytes]:
    asked = Range(past=30 * DAY, tombstones=tombstones, most=most)
    return list(shelf.excerpt(calendars or (FEED,), asked, now).bodies)


class ExcerptContract:
    def test_events_are_shown_by_start_and_of_the_asked_calendars_alone(self, shelf: Shelf) -> None:
        third, first, second = (
            fragment(shelf, name, starts_at=NOW + hours * HOUR) for name, hours in (("c", 2), ("b", 0), ("a", 1))
        )
        same = fragment(shelf, "a0", DESK, starts_at=NOW)
        put(shelf, third, first, second, same)
        assert shown(shelf) == [first.body, second.body, third.body]
        assert shown(shelf, FEED, DESK) == [same.body, first.body, second.body, third.body]
        empty = shelf.excerpt([], SHOWN, NOW)
        assert (list(empty.bodies), empty.changed_at, empty.left_out) == ([], None, 0)

    def test_an_event_leaves_at_the_midnight_at_which_it_ended_so_long_ago(self, shelf: Shelf) -> None:
        edge = MIDNIGHT - 30 * DAY
        stays, leaves = (
            fragment(shelf, name, starts_at=edge - HOUR, ends_at=ends)
            for name, ends in (("stays", edge + SECOND), ("leaves", edge))
        )
        put(shelf, stays, leaves)
        assert shown(shelf, now=MIDNIGHT - SECOND) == [leaves.body, stays.body]
        for now in (MIDNIGHT, NOW, MIDNIGHT + DAY - SECOND):
            excerpt = shelf.excerpt([FEED], SHOWN, now)
            assert (list(excerpt.bodies), excerpt.changed_at) == ([stays.body], MIDNIGHT)
        assert shown(shelf, now=MIDNIGHT + DAY) == []

    def test_a_tombstone_leaves_at_the_midnight_at_which_it_is_so_old(self, shelf: Shelf) -> None:
        edge = MIDNIGHT - 7 * DAY
        stays, leaves = (
            fragment(shelf, name, cancelled_at=at) for name, at in (("stays", edge + SECOND), ("leaves", edge))
        )
        put(shelf, stays, leaves)
        assert shown(shelf, now=MIDNIGHT - SECOND) == [leaves.body, stays.body]
        excerpt = shelf.excerpt([FEED], SHOWN, NOW)
        assert (list(excerpt.bodies), excerpt.changed_at) == ([stays.body], MIDNIGHT)
        assert shown(shelf, now=MIDNIGHT + DAY) == []

    def test_without_tombstones_what_is_cancelled_is_gone_at_once(self, shelf: Shelf) -> None:
        stands = fragment(shelf)
        put(shelf, stands, fragment(shelf, "u2", cancelled_at=NOW + DAY))
        assert shown(shelf, tombstones=timedelta(0)) == [stands.body]
        assert shelf.excerpt([FEED], replace(SHOWN, tombstones=timedelta(0)), NOW).changed_at is None

    @pytest.mark.parametrize(
        ("most", "expected"),
        [(5, "abcde"), (4, "bcde"), (3, "cde"), (2, "cd"), (1, "c")],
    )
    def test_of_too_many_the_longest_ended_is_left_out_first_then_the_farthest_ahead(
        self, shelf: Shelf, most: int, expected: str
    ) -> None:
        placed = {
            name: fragment(shelf, name, starts_at=MIDNIGHT + days * DAY)
            for name, days in {"a": -3, "b": -2, "c": 1, "d": 2, "e": 3}.items()
        }
        put(shelf, *placed.values())
        excerpt = shelf.excerpt([FEED], replace(SHOWN, most=most), NOW)
        assert list(excerpt.bodies) == [placed[name].body for name in expected]
        assert excerpt.left_out == 5 - most
        assert excerpt.changed_at == (MIDNIGHT if most < 5 else None)

    @pytest.mark.parametrize("order", [(FEED, DESK), (DESK, FEED)])
    @pytest.mark.parametrize("days", [(0, 0), (-2, 2), (2, -2), (-3, -2)])
    def test_an_event_in_several_calendars_is_shown_once_and_what_stands_hides_its_tombstones(
        self, shelf: Shelf, order: tuple[str, str], days: tuple[int, int]
    ) -> None:
        """Whether it moved into the past, out of it, or not at all."""
        there, here = order
        stands = fragment(shelf, calendar=here, starts_at=NOW + days[0] * DAY)
        tombstone = fragment(shelf, calendar=there, starts_at=NOW + days[1] * DAY, cancelled_at=NOW - HOUR, sequence=9)
        put(shelf, stands, tombstone)
        assert shown(shelf, FEED, DESK) == [stands.body]
        assert shown(shelf, there) == [tombstone.body]

    def test_of_two_that_stand_or_two_tombstones_the_one_that_changed_last_is_shown(self, shelf: Shelf) -> None:
        older, newer = fragment(shelf, sequence=1), fragment(shelf, calendar=DESK, sequence=2)
        put(shelf, older, newer)
        assert shown(shelf, FEED, DESK) == [newer.body]
        older, newer = (replace(one, cancelled_at=NOW, body=one.body + b"x") for one in (older, newer))
        put(shelf, older, newer)
        assert shown(shelf, FEED, DESK) == [newer.body]

    @FRESH
    @given(data=st.data())
    def test_an_excerpt_is_what_its_range_says_and_tells_when_time_changed_it(
        self, shelf: Shelf, data: st.DataObject
    ) -> None:
        calendars = [f"ical:{next(numbers)}" for _ in range(2)]
        several = st.lists(fragments_of(shelf, calendars), min_size=1, max_size=16)
        placed = {(one.calendar, one.uid): one for one in data.draw(several)}
        put(shelf, *placed.values())
        asked = data.draw(ranges)
        before = None
        for now in sorted(data.draw(st.lists(moments, min_size=2, max_size=6))):
            excerpt = shelf.excerpt(calendars, asked, now)
            chosen, left_out = expected(placed.values(), asked, now)
            assert (list(excerpt.bodies), excerpt.left_out) == (chosen, left_out)
            assert excerpt.changed_at is None or excerpt.changed_at <= now
            if before and list(excerpt.bodies) != list(before.bodies):
                assert excerpt.changed_at is not None
                assert before.changed_at is None or excerpt.changed_at > before.changed_at
            before = excerpt
