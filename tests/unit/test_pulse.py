"""Waiting is progress, hanging is not."""

from __future__ import annotations

import time
from threading import Event, Thread

import pytest

from calferry import meters, pulse
from calferry.pulse import STILLNESS, Pulse


class Seconds:
    """The monotonic clock, moved on by hand."""

    def __init__(self) -> None:
        self.now = float(int(time.monotonic()) + 1)  # whole seconds add up exactly

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


@pytest.fixture
def watched(clock: Seconds) -> Pulse:
    watched = Pulse(clock)
    watched.expect("pull salon", 120)
    return watched


def test_a_job_between_two_rounds_is_overdue_only_when_the_next_one_should_have_begun_long_ago(
    watched: Pulse, clock: Seconds
) -> None:
    with watched.working("pull salon"):
        pass
    clock.now += 119 + STILLNESS  # not to the very second: sums of floats are not exact
    assert watched.overdue() == []
    clock.now += 2
    assert watched.overdue() == ["pull salon"]


def test_a_round_that_gets_somewhere_may_take_as_long_as_it_takes(watched: Pulse, clock: Seconds) -> None:
    with watched.working("pull salon"):
        for _ in range(20):
            clock.now += STILLNESS
            watched.move("pull salon")
            assert watched.overdue() == []
        clock.now += STILLNESS + 1
        assert watched.overdue() == ["pull salon"]
    assert watched.overdue() == []


def test_a_request_that_had_an_outcome_is_progress_for_the_thread_that_sent_it(
    watched: Pulse, clock: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meters, "_heard", {})
    with watched.working("pull salon"):
        clock.now -= 2 * STILLNESS
        watched.move("pull salon")
        clock.now += 2 * STILLNESS
        other = Thread(target=meters.answered, args=("api.example", 200))
        other.start()
        other.join()
        assert watched.overdue() == ["pull salon"]
        meters.answered("api.example", meters.NO_ANSWER)
        assert watched.overdue() == []


def test_it_is_known_which_jobs_were_never_done(watched: Pulse) -> None:
    watched.expect("push web", 60)
    with watched.working("push web"):
        assert watched.never_done() == ["pull salon", "push web"]
    assert watched.never_done() == ["pull salon"]


def test_nothing_that_a_request_may_take_is_longer_than_a_job_may_stand_still() -> None:
    from calferry import http

    assert http.PATIENCE + http.LONGEST_ANSWER + http.LONGEST_WAIT < pulse.STILLNESS


def test_numbers_are_counted_from_any_thread() -> None:
    meter, go = meters.Meter("what"), Event()

    def count() -> None:
        go.wait()
        for _ in range(1000):
            meter.count("a")

    threads = [Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    go.set()
    for thread in threads:
        thread.join()
    assert meter.read() == {("a",): 8000}


def test_what_begins_later_is_not_waited_for_before() -> None:
    now = 0.0
    pulse = Pulse(lambda: now)
    pulse.expect("verify", 3600.0, first=900.0)
    told = []
    for moment in (0.0, 899.0, 901.0, 900.0 + 3600.0 + STILLNESS + 1.0):
        now = moment
        told.append((pulse.never_done(), pulse.overdue()))
    assert told == [([], []), ([], []), (["verify"], []), (["verify"], ["verify"])]
