"""Feeds as a target, on a shelf of a ledger."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar

from calferry.errors import Refused, Unavailable
from calferry.feeds import Publisher
from calferry.model import Event, Receipt, Status, Transparency
from calferry.ports import Target
from calferry.targets.ical import IcalTarget, events
from tests.builders import NOW, event
from tests.contracts.target import TargetContract, create, delete, failed, filed, intent, push, update
from tests.targets.ical_world import (
    ALL,
    KEY,
    FeedRemote,
    HandClock,
    LossyShelf,
    bodies,
    feed,
    new_shelf,
    read,
    target_for,
)

SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[LossyShelf]:
    with new_shelf(tmp_path) as shelf:
        yield shelf


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def feeds(shelf: LossyShelf, clock: HandClock) -> IcalTarget:
    return target_for(shelf, clock)


class TestAFeed(TargetContract):
    @pytest.fixture
    def calendar(self) -> str:
        return KEY

    @pytest.fixture
    def remote(self, shelf: LossyShelf) -> FeedRemote:
        return FeedRemote(shelf)

    @pytest.fixture
    def target(self, feeds: IcalTarget) -> Target:
        return feeds


def told(shelf: LossyShelf, uid: str = "u1") -> tuple[int, datetime, datetime]:
    """The three things by which readers notice a change of an event: SEQUENCE, DTSTAMP, LAST-MODIFIED."""
    components: list[Any] = Calendar.from_ical(feed(bodies(shelf))).walk("VEVENT")
    (one,) = [component for component in components if component["UID"] == uid]
    return int(one["SEQUENCE"]), one["DTSTAMP"].dt, one["LAST-MODIFIED"].dt


def assert_newer(shelf: LossyShelf, before: tuple[int, datetime, datetime]) -> tuple[int, datetime, datetime]:
    after = told(shelf)
    assert after[0] > before[0]
    assert after[1] > before[1]
    assert after[2] > before[2]
    return after


# ── how subscribers notice a change ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("span", [timedelta(0), SECOND, timedelta(seconds=59), MINUTE, DAY, -SECOND, -DAY, -900 * DAY])
def test_every_change_moves_sequence_and_stamps_on_whatever_the_clock_does(
    shelf: LossyShelf, feeds: IcalTarget, clock: HandClock, span: timedelta
) -> None:
    held = filed(push(feeds, create(feeds, KEY, event())))
    seen = told(shelf)
    for summary in ("once", "twice"):
        clock.time += span
        held = filed(push(feeds, update(feeds, held, event(summary=summary))))
        seen = assert_newer(shelf, seen)
    clock.time += span
    filed(push(feeds, delete(held)))
    seen = assert_newer(shelf, seen)
    clock.time += span
    filed(push(feeds, create(feeds, KEY, event(), generation=1)))
    assert_newer(shelf, seen)


def test_sequence_numbers_go_on_upwards_though_the_ledger_be_lost(tmp_path: Path, clock: HandClock) -> None:
    numbers = []
    for ledger in ("first", "second"):
        with new_shelf(tmp_path, ledger) as shelf:
            feeds = target_for(shelf, clock)
            held = filed(push(feeds, create(feeds, KEY, event())))
            numbers.append(told(shelf)[0])
            filed(push(feeds, update(feeds, held, event(summary="Later"))))
            numbers.append(told(shelf)[0])
        clock.time += 2 * SECOND
    assert numbers == sorted(set(numbers))


def test_in_a_combined_feed_an_event_that_changes_calendars_counts_on_upwards(
    shelf: LossyShelf, feeds: IcalTarget, clock: HandClock
) -> None:
    other = "ical:78"

    def number() -> int:
        shown = Calendar.from_ical(feed(list(shelf.excerpt([KEY, other], ALL, NOW).bodies)))
        (one,) = shown.walk("VEVENT")
        return int(str(one["SEQUENCE"]))

    seen = []
    held = filed(push(feeds, create(feeds, KEY, event())))
    for summary in ("once", "twice", "thrice"):
        seen.append(number())
        clock.time += 2 * SECOND
        held = filed(push(feeds, update(feeds, held, event(summary=summary))))
    clock.time += 2 * SECOND
    filed(push(feeds, create(feeds, other, event(summary="thrice"))))
    filed(push(feeds, delete(held)))
    seen.append(number())
    assert seen == sorted(set(seen))


def test_a_clock_before_our_time_gives_no_negative_number() -> None:
    assert events.sequence(datetime(1970, 1, 1, tzinfo=UTC), None) == 0


def test_a_replay_of_what_is_done_changes_no_byte(shelf: LossyShelf, feeds: IcalTarget, clock: HandClock) -> None:
    made = create(feeds, KEY, event())
    held = filed(push(feeds, made))
    changed = update(feeds, held, event(summary="Later"))
    for change in (made, changed, delete(held)):
        held = filed(push(feeds, change))
        before = (bodies(shelf), shelf.stamps([KEY]))
        clock.time += DAY
        assert filed(push(feeds, change)) == held
        assert (bodies(shelf), shelf.stamps([KEY])) == before


def test_deleting_what_was_never_there_leaves_no_tombstone(shelf: LossyShelf, feeds: IcalTarget) -> None:
    unknown = Receipt(calendar=KEY, uid="u1", fingerprint="f", href="u1")
    assert filed(push(feeds, delete(unknown))).fingerprint == ""
    assert bodies(shelf) == []
    assert shelf.stamps([KEY]) == {}


# ── tombstones ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_tombstone_is_cancelled_free_and_keeps_no_more_than_its_time_and_name(
    shelf: LossyShelf, feeds: IcalTarget
) -> None:
    full = event(summary="a, b; c\\n", description="d", location="l", url="https://x.example", categories=("x, y",))
    filed(push(feeds, delete(filed(push(feeds, create(feeds, KEY, full))))))
    (body,) = bodies(shelf)
    (left,) = read(feed([body]))
    fitted = feeds.fit(full)
    assert left == replace(
        fitted,
        description="",
        location="",
        url="",
        status=Status.CANCELLED,
        transparency=Transparency.TRANSPARENT,
    )
    assert b"X-MICROSOFT-CDO-BUSYSTATUS:FREE\r\n" in body
    assert body.count(b"STATUS:") == 2


def test_an_event_that_comes_back_takes_the_place_of_its_tombstone(shelf: LossyShelf, feeds: IcalTarget) -> None:
    filed(push(feeds, delete(filed(push(feeds, create(feeds, KEY, event()))))))
    again = create(feeds, KEY, event(), generation=1)
    filed(push(feeds, again))
    assert read(feed(bodies(shelf))) == [again.event]
    assert [one.mark for one in feeds.ours(KEY)] == [again.mark]


# ── work ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_of_ten_thousand_events_only_the_one_that_changed_is_rendered(
    shelf: LossyShelf, feeds: IcalTarget, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: list[str] = []
    render = events.render

    def counting(shown: Event, stamped_at: datetime, number: int) -> bytes:
        rendered.append(shown.uid)
        return render(shown, stamped_at, number)

    monkeypatch.setattr(events, "render", counting)
    whole = [create(feeds, KEY, event(f"u{n:05}", start=NOW + n * MINUTE)) for n in range(10_000)]
    receipts = [one for one in push(feeds, *whole) if isinstance(one, Receipt)]
    assert rendered == [one.uid for one in whole]
    rendered.clear()
    before = bodies(shelf)
    clock.time += DAY
    filed(push(feeds, update(feeds, receipts[5_000], event("u05000", start=NOW, summary="Later"))))
    assert rendered == ["u05000"]
    after = bodies(shelf)
    assert len(after) == len(before) == 10_000
    assert len(set(before) - set(after)) == len(set(after) - set(before)) == 1


# ── one at a time ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_event_that_cannot_be_rendered_is_refused_alone_and_nobody_is_named(
    shelf: LossyShelf, feeds: IcalTarget, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    render = events.render

    def choking(shown: Event, stamped_at: datetime, number: int) -> bytes:
        if shown.uid == "u1":
            raise ValueError(shown.summary)
        return render(shown, stamped_at, number)

    monkeypatch.setattr(events, "render", choking)
    with caplog.at_level(logging.INFO):
        outcomes = push(feeds, *(create(feeds, KEY, event(f"u{n}", summary="Jo Roy")) for n in range(3)))
    assert [isinstance(one, Receipt) for one in outcomes] == [True, False, True]
    error = failed(outcomes[1:2])
    assert isinstance(error, Refused)
    assert "ValueError" in str(error)
    assert "Jo Roy" not in str(error) + caplog.text
    assert len(bodies(shelf)) == 2


def test_a_request_that_cannot_be_read_is_refused_alone(shelf: LossyShelf, feeds: IcalTarget) -> None:
    good = intent(feeds, create(feeds, KEY, event()))
    broken = replace(good, uid="u2", request=b"{}")
    outcomes = list(feeds.apply([broken, good]))
    assert isinstance(failed(outcomes[:1]), Refused)
    assert filed(outcomes[1:]).uid == "u1"


def test_without_a_ledger_it_tells_and_does_not_hold() -> None:
    feeds = target_for(None)
    assert isinstance(feeds, Publisher)
    assert isinstance(failed(push(feeds, create(feeds, KEY, event()))), Unavailable)
    assert list(feeds.ours(KEY)) == []
    assert feeds.canonical("77") == KEY


# ── names and addresses ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["", "  ", "a\x00b", "a\nb", "a\tb", "a\u2028b", "\ud800", "n" * 201])
def test_what_cannot_name_a_feed_is_refused(name: str) -> None:
    with pytest.raises(Refused, match=r"target web: .* cannot be the name of a feed"):
        target_for(None).canonical(name)


@pytest.mark.parametrize("name", ["77", "ana@salon.example", "Ana Pérez", "n" * 200, "ical:77"])
def test_what_can_name_a_feed_is_taken_as_it_is_written(name: str) -> None:
    assert target_for(None).canonical(name) == f"ical:{name}"


def test_an_address_depends_on_the_secret_the_feed_and_its_number_alone() -> None:
    feeds = target_for(None)
    tokens = [
        feeds.token(feed, number) for feed in (KEY, "ical:7", "ical:7\n", "ical:combined/all") for number in (1, 2, 11)
    ]
    assert len(set(tokens)) == len(tokens)
    assert all(len(token) == 32 and token.isalnum() and token == token.lower() for token in tokens)
    assert target_for(None, title="Calendar of {owner.name}").token(KEY, 1) == feeds.token(KEY, 1)
    other: Any = feeds._settings.model_copy(update={"secret": type(feeds._settings.secret)("6" * 64)})
    assert IcalTarget("web", other, HandClock(), None).token(KEY, 1) != feeds.token(KEY, 1)


def test_the_secret_is_nowhere_to_be_seen(shelf: LossyShelf) -> None:
    feeds = target_for(shelf)
    for text in (repr(feeds._settings), feeds.basis, str(feeds.token(KEY, 1)), repr(vars(feeds))):
        assert "5555" not in text


# ── around the events ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_feed_without_events_is_a_calendar_all_the_same() -> None:
    empty: Any = Calendar.from_ical(feed())
    assert empty.walk("VEVENT") == []
    assert (empty["VERSION"], empty["X-WR-CALNAME"], empty["NAME"]) == ("2.0", "Ana", "Ana")
    assert empty["REFRESH-INTERVAL"].params["VALUE"] == "DURATION"
    assert empty["SOURCE"].params["VALUE"] == "URI"
    assert feed().startswith(b"BEGIN:VCALENDAR\r\n")


def test_the_same_head_is_the_same_bytes_and_every_option_shows() -> None:
    plain, coloured = target_for(None), target_for(None, color="teal", refresh="2h", title="Feed of {owner.name}")
    assert plain.head("Ana", "https://x.example") == plain.head("Ana", "https://x.example")
    assert b"COLOR" not in plain.head("Ana", "https://x.example")
    assert b"\r\nCOLOR:teal\r\n" in coloured.head("Ana", "https://x.example")
    assert b"\r\nX-PUBLISHED-TTL:PT2H\r\n" in coloured.head("Ana", "https://x.example")
    assert coloured.title("Ana") == "Feed of Ana"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ana\x00 Pérez\x9f", "Ana Pérez"),
        ("Ana\r\nMETHOD:REQUEST", "Ana METHOD:REQUEST"),
        ("\ud800Ana", "Ana"),
        ("Pérez, Ana; \\n \\N", "Pérez, Ana; \\n \\N"),
        ("é" * 400, "é" * 199 + "…"),
    ],
)
def test_no_name_breaks_a_feed(name: str, shown: str) -> None:
    feeds = target_for(None)
    served = feed(title=feeds.title(name))
    escaped = shown.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;")
    for one in ("NAME", "X-WR-CALNAME"):
        assert f"\r\n{one}:{escaped}\r\n".encode() in served.replace(b"\r\n ", b"")
    assert b"\r\nMETHOD" not in served
    assert all(len(line) <= 75 for line in served.split(b"\r\n"))


def test_what_is_shown_is_what_the_settings_say() -> None:
    feeds = target_for(None, past="2d", tombstones="1d", most=5, combined={"all": "*", "two": ["1", "2"]})
    assert (feeds.shown.past, feeds.shown.tombstones, feeds.shown.most) == (2 * DAY, DAY, 5)
    assert feeds.combined == {"all": ("*",), "two": ("1", "2")}
