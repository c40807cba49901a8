"""When the steps of the service run: at their intervals, at once when nudged, and never beside themselves."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread
from threading import enumerate as enumerate_threads
from typing import Any

import pytest

from calferry import schedule
from calferry.errors import Unavailable
from calferry.model import Appointment, Batch, Change, Cursor, Found, Intent, LookUp, Marked, Outcome, Receipt, Window
from calferry.model import Event as CalendarEvent
from calferry.rules import Route
from calferry.schedule import Schedule
from calferry.store import open_ledger
from calferry.sync.heed import HEEDED
from calferry.sync.installation import Account, Installation, Rhythm, Tally
from calferry.template import Template
from calferry.wiring import SystemClock
from tests.builders import appointment

OFTEN = timedelta(milliseconds=40)
PATIENCE = 20.0
"""Seconds to wait for what has to happen; much less than a minute, after which everything is looked after anyway."""


class Bookings:
    """A booking system that tells its rows each time. `asked` gets a word each time; it answers when `open`."""

    streams = ("appointments",)

    def __init__(self, name: str = "salon") -> None:
        self.name, self.key = name, f"agendize:{name}"
        self.rows: list[Appointment] = []
        self.asked: SimpleQueue[int] = SimpleQueue()
        self.times = self.at_once = self.most_at_once = 0
        self.open = Event()
        self.open.set()
        self.error: Exception | None = None

    def book(self, source_id: str = "1") -> None:
        start = datetime.now(UTC) + timedelta(days=3)
        self.rows.append(appointment(source_id, source=self.key, start=start))

    def until_asked(self, times: int = 1) -> None:
        """Wait until it was asked so many times more. All but the last were answered by then, and routed."""
        while not self.asked.empty():
            self.asked.get()
        for _ in range(times):
            self.asked.get(timeout=PATIENCE)

    def resources(self) -> Batch:
        return Batch(asked_at=datetime.now(UTC))

    def changes(self, stream: str, since: Cursor | None, _window: Window) -> Iterator[Batch]:
        self.times += 1
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        self.asked.put(self.times)
        try:
            assert self.open.wait(PATIENCE)
            if self.error:
                raise self.error
        finally:
            self.at_once -= 1
        yield Batch(asked_at=datetime.now(UTC), stream=stream, appointments=tuple(self.rows), cursor=Cursor("next"))

    def within(self, window: Window) -> Iterator[Batch]:
        yield Batch(asked_at=datetime.now(UTC), covers=window, appointments=tuple(self.rows))

    def look_up(self, source_id: str) -> LookUp:
        raise AssertionError(source_id)


class Calendars:
    """A target that acknowledges everything when `open`. `written` gets the number of each batch, before it answers."""

    kind, basis, edition, batch = "yes", "", "1", 500

    def __init__(self, name: str = "calendars") -> None:
        self.name = name
        self.written: SimpleQueue[int] = SimpleQueue()
        self.open = Event()
        self.open.set()

    def canonical(self, calendar: str) -> str:
        return f"yes:{calendar}"

    def lane(self, calendar: str) -> str:
        return calendar

    def fit(self, event: CalendarEvent) -> CalendarEvent:
        return event

    def encode(self, change: Change) -> bytes:
        return change.uid.encode()

    def apply(self, intents: Sequence[Intent]) -> Iterator[Outcome]:
        self.written.put(len(intents))
        assert self.open.wait(PATIENCE)
        for one in intents:
            yield Receipt(calendar=one.calendar, uid=one.uid, fingerprint=one.fingerprint, href=one.uid, etag="1")

    def ours(self, _calendar: str) -> Iterator[Marked]:
        yield from ()


@contextmanager
def installation(folder: Path, *sources: Bookings, target: Calendars) -> Iterator[Installation]:
    with open_ledger(f"sqlite:///{folder / 'ledger.db'}", "test") as ledger:
        calendar = Template("{owner.key}")
        accounts = tuple(
            Account(
                source=source,
                rhythm=Rhythm(every=OFTEN),
                routes=(Route(name=f"r{source.name}", source=source.name, target=target.name, calendar=calendar),),
                basis="b",
                edition="1",
            )
            for source in sources
        )
        yield Installation(
            name="test",
            accounts=accounts,
            targets={target.name: target},
            ledger=ledger,
            shelf=ledger.shelf,
            keeper=ledger.keeper,
            clock=SystemClock(),
        )


@contextmanager
def running(joined: Installation, stopping: Event | None = None) -> Iterator[Schedule]:
    stopping = stopping or Event()
    planned = Schedule(joined, stopping)
    planned.start()
    try:
        yield planned
    finally:
        for source in joined.accounts:
            source.source.open.set()  # type: ignore[attr-defined]
        for target in joined.targets.values():
            target.open.set()  # type: ignore[attr-defined]
        if not stopping.is_set():
            assert planned.stop()


@pytest.fixture
def bookings() -> Bookings:
    return Bookings()


@pytest.fixture
def calendars() -> Calendars:
    return Calendars()


@pytest.fixture
def joined(tmp_path: Path, bookings: Bookings, calendars: Calendars) -> Iterator[Installation]:
    with installation(tmp_path, bookings, target=calendars) as opened:
        yield opened


# ── when ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_booked_is_written_at_once_each_time(
    joined: Installation, bookings: Bookings, calendars: Calendars
) -> None:
    with running(joined):
        for number in ("1", "2", "3"):
            bookings.book(number)
            assert calendars.written.get(timeout=PATIENCE) == 1


def test_a_slow_source_runs_once_at_a_time_and_holds_up_no_other(tmp_path: Path, calendars: Calendars) -> None:
    slow, quick = Bookings("slow"), Bookings("quick")
    slow.open.clear()
    with installation(tmp_path, slow, quick, target=calendars) as joined, running(joined):
        slow.asked.get(timeout=PATIENCE)
        quick.until_asked(10)
        quick.book()
        assert calendars.written.get(timeout=PATIENCE) == 1
        assert (slow.times, slow.most_at_once) == (1, 1)


def test_what_was_missed_is_made_up_for_once(tmp_path: Path, calendars: Calendars) -> None:
    slow, quick = Bookings("slow"), Bookings("quick")
    slow.open.clear()
    with installation(tmp_path, slow, quick, target=calendars) as joined, running(joined):
        slow.asked.get(timeout=PATIENCE)
        quick.until_asked(20)
        before = slow.times
        slow.open.set()
        quick.until_asked(5)
        assert before == 1
        assert slow.times <= before + 5 + 3
        assert slow.most_at_once == 1


def test_calendars_are_verified_at_the_interval_of_their_target(
    joined: Installation, bookings: Bookings, calendars: Calendars, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: SimpleQueue[str] = SimpleQueue()

    def ours(calendar: str) -> Iterator[Marked]:
        read.put(calendar)
        yield from ()

    monkeypatch.setattr(schedule, "VERIFY_AFTER", timedelta(0))
    monkeypatch.setattr(calendars, "ours", ours)
    with running(replace(joined, verify={"calendars": OFTEN})):
        bookings.book()
        assert calendars.written.get(timeout=PATIENCE) == 1
        assert {read.get(timeout=PATIENCE) for _ in range(4)} == {"yes:77"}  # the first was before the first write
    drifts = joined.keeper.drifts("yes:77")
    assert [kind.value for kind, _ in drifts] == ["missing"]


def test_a_nudge_during_a_push_is_not_lost(joined: Installation, bookings: Bookings, calendars: Calendars) -> None:
    calendars.open.clear()
    bookings.book("1")
    with running(joined):
        assert calendars.written.get(timeout=PATIENCE) == 1
        bookings.book("2")
        bookings.until_asked(3)  # it was pulled, routed, and the target nudged
        assert calendars.written.empty()
        calendars.open.set()
        assert calendars.written.get(timeout=PATIENCE) == 1


def test_when_the_clock_is_set_back_a_day_nothing_waits_for_tomorrow(
    joined: Installation, bookings: Bookings, calendars: Calendars, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = schedule._wall_clock_ahead
    with running(joined) as planned:
        bookings.until_asked(2)
        for job in planned._scheduler.get_jobs():  # what the jump leaves behind
            job.modify(next_run_time=datetime.now(UTC) + timedelta(days=1))
        bookings.until_asked(0)
        monkeypatch.setattr(schedule, "_wall_clock_ahead", lambda: ahead() - timedelta(days=1).total_seconds())
        planned.mind_the_clock()
        bookings.book()
        bookings.until_asked()
        assert calendars.written.get(timeout=PATIENCE) == 1


def test_a_clock_that_is_put_right_by_a_little_changes_nothing(
    joined: Installation, bookings: Bookings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = schedule._wall_clock_ahead
    with running(joined) as planned:
        bookings.until_asked(2)
        later = datetime.now(UTC) + timedelta(days=1)
        for job in planned._scheduler.get_jobs():
            job.modify(next_run_time=later)
        monkeypatch.setattr(schedule, "_wall_clock_ahead", lambda: ahead() + 5)
        planned.mind_the_clock()
        assert {job.next_run_time for job in planned._scheduler.get_jobs()} == {later}


def until_settled(joined: Installation) -> None:
    """Wait until there is no nudge any more; nobody tells when."""
    ends = time.monotonic() + PATIENCE
    while joined.ledger.nudges.nudged(joined.clock.now() + timedelta(days=1)) and time.monotonic() < ends:
        time.sleep(0.02)
    assert not joined.ledger.nudges.nudged(joined.clock.now() + timedelta(days=1))


def test_a_nudge_from_anywhere_is_heeded_long_before_the_next_interval(
    tmp_path: Path, bookings: Bookings, calendars: Calendars, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: SimpleQueue[str] = SimpleQueue()

    def look_up(source_id: str) -> LookUp:
        looked_up.put(source_id)
        (row,) = [row for row in bookings.rows if row.source_id == source_id]
        return Found(Batch(asked_at=datetime.now(UTC), appointments=(row,)))

    monkeypatch.setattr(bookings, "look_up", look_up)
    with installation(tmp_path, bookings, target=calendars) as opened:
        (account,) = opened.accounts
        joined = replace(opened, accounts=(replace(account, rhythm=Rhythm(every=timedelta(hours=1))),))
        with running(joined):
            bookings.asked.get(timeout=PATIENCE)
            bookings.book("1")
            joined.ledger.nudges.nudge(bookings.key, [""], joined.clock.now())
            assert calendars.written.get(timeout=PATIENCE) == 1
            until_settled(joined)
            before = bookings.times
            bookings.book("2")
            joined.ledger.nudges.nudge(bookings.key, ["2"], joined.clock.now())
            assert looked_up.get(timeout=PATIENCE) == "2"
            assert calendars.written.get(timeout=PATIENCE) == 1
            until_settled(joined)
            assert (bookings.times, looked_up.empty()) == (before, True)


def test_a_flood_of_hints_is_no_flood_of_requests(joined: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    passes: SimpleQueue[float] = SimpleQueue()

    def flooded(*_: object, **__: object) -> Tally:
        passes.put(time.monotonic())
        return Tally(counts={HEEDED: 3})

    monkeypatch.setattr(schedule, "bring_hinted", flooded)
    with running(joined):
        joined.ledger.nudges.nudge(joined.accounts[0].source.key, ["1"], joined.clock.now())
        first, second = (passes.get(timeout=PATIENCE) for _ in range(2))
    assert second - first >= 3 * schedule.PER_LOOK_UP


# ── what goes wrong ───────────────────────────────────────────────────────────────────────────────────────────────────


class Beside:
    """A ledger whose outbox does not answer while `error` is set."""

    def __init__(self, ledger: Any) -> None:
        self._ledger = ledger
        self.error: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        if self.error and name in {"outbox", "attention"}:
            raise self.error
        return getattr(self._ledger, name)


def said(caplog: pytest.LogCaptureFixture, text: str) -> int:
    return sum(text in record.getMessage() for record in caplog.records)


@pytest.fixture(autouse=True)
def _hearing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "apscheduler")
    caplog.set_level(logging.INFO)


@pytest.mark.parametrize("error", [Unavailable("sources.one: no answer"), ZeroDivisionError("Zoé Sample")], ids=repr)
def test_a_source_that_fails_is_told_once_and_once_when_it_is_well_again(
    tmp_path: Path, calendars: Calendars, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    failing, other = Bookings("one"), Bookings("other")
    failing.error = error
    with installation(tmp_path, failing, other, target=calendars) as joined, running(joined):
        failing.until_asked(5)
        other.book()
        assert calendars.written.get(timeout=PATIENCE) == 1
        failing.error = None
        failing.book()
        assert calendars.written.get(timeout=PATIENCE) == 1
        failing.until_asked(3)
    told = "no answer" if isinstance(error, Unavailable) else "ZeroDivisionError"
    assert said(caplog, f"one: {'sources.one: ' if told == 'no answer' else 'a step failed'}") == 1
    assert said(caplog, told) >= 1
    assert said(caplog, "one: well again") == 1
    assert "Zoé" not in caplog.text
    assert "Traceback" not in caplog.text


def test_a_source_that_asked_us_to_wait_is_not_called_well_again_while_it_is_not_asked(
    joined: Installation, bookings: Bookings, calendars: Calendars, caplog: pytest.LogCaptureFixture
) -> None:
    bookings.error = Unavailable("too many requests", retry_after=5 * OFTEN.total_seconds())
    with running(joined):
        bookings.until_asked(3)
        bookings.error = None
        bookings.book()
        assert calendars.written.get(timeout=PATIENCE) == 1
        bookings.until_asked(2)
    assert said(caplog, "salon: too many requests") == 1
    assert said(caplog, "salon: well again") == 1


@pytest.mark.parametrize(
    "error", [Unavailable("The ledger cannot be used: disk full."), ZeroDivisionError("Zoé Sample")], ids=repr
)
def test_a_ledger_that_does_not_answer_is_told_in_a_sentence_and_waited_for(
    joined: Installation,
    bookings: Bookings,
    calendars: Calendars,
    error: Exception,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(schedule, "PUSH_EVERY", OFTEN)
    ledger = Beside(joined.ledger)
    ledger.error = error
    with running(replace(joined, ledger=ledger)):
        bookings.book()
        bookings.until_asked(6)
        ledger.error = None
        assert calendars.written.get(timeout=PATIENCE) == 1
        bookings.until_asked(3)
    sentence = "The ledger cannot be used: disk full." if isinstance(error, Unavailable) else "does not know (ZeroDiv"
    assert said(caplog, sentence) == 1
    assert said(caplog, "calendars: well again") == 1
    assert "Zoé" not in caplog.text
    assert "Traceback" not in caplog.text


def test_a_target_that_has_the_name_of_a_source_is_told_apart_from_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "PUSH_EVERY", OFTEN)
    failing = Bookings("salon")
    failing.error = Unavailable("no answer")
    with installation(tmp_path, failing, target=Calendars("salon")) as joined, running(joined):
        failing.until_asked(8)
    assert said(caplog, "no answer") == 1
    assert said(caplog, "well again") == 0


# ── stopping ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_to_stop_is_to_wait_for_the_step_that_runs_and_to_begin_no_other(
    joined: Installation, bookings: Bookings, calendars: Calendars
) -> None:
    calendars.open.clear()
    bookings.book()
    stopping = Event()
    with running(joined, stopping) as planned:
        calendars.written.get(timeout=PATIENCE)
        stopped: SimpleQueue[bool] = SimpleQueue()
        Thread(target=lambda: stopped.put(planned.stop())).start()
        assert stopping.wait(PATIENCE)
        calendars.open.set()
        assert stopped.get(timeout=PATIENCE)
    assert list(joined.ledger.outbox.unsettled("yes:77", datetime.now(UTC))) == []
    assert [placed.uid for placed in joined.ledger.outbox.due("yes:77", datetime.now(UTC))] == []


def test_a_step_that_never_ends_is_not_waited_for(
    joined: Installation, bookings: Bookings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "FAREWELL", 0.1)
    bookings.open.clear()
    planned = Schedule(joined, Event())
    planned.start()
    bookings.asked.get(timeout=PATIENCE)
    assert not planned.stop()
    bookings.open.set()
    _end_of("farewell")  # the step must not outlive its ledger


def _end_of(name: str) -> None:
    for thread in enumerate_threads():
        if thread.name == name:
            thread.join(PATIENCE)


class Tripwire(Event):
    """Once a nudge has looked whether the service stops, it is given the time to."""

    def __init__(self) -> None:
        super().__init__()
        self.looked, self.go_on = Event(), Event()
        self._looks = count()

    def is_set(self) -> bool:
        found = super().is_set()
        if sys._getframe(1).f_code.co_name == "_hurry" and not next(self._looks):
            self.looked.set()
            self.go_on.wait(0.3)
        return found


def test_a_nudge_and_a_stop_at_the_same_time_do_not_wait_for_each_other(
    joined: Installation, bookings: Bookings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "FAREWELL", 3.0)
    stopping = Tripwire()
    bookings.book()
    with running(joined, stopping) as planned:
        assert stopping.looked.wait(PATIENCE)
        assert planned.stop()
