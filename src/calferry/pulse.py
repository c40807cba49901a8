"""Whether every job gets somewhere. Waiting is progress, hanging is not.

All times are of the monotonic clock, so that no change of the wall clock makes a job look late.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import get_ident

from calferry.meters import heard

STILLNESS = 600.0
"""Seconds without any sign of progress after which a job hangs. One request, with all its tries and the last byte of
its answer, is over in less; so is the waiting for a lock."""


@dataclass
class _Job:
    every: float
    moved: float
    rounds: int = 0
    thread: int | None = None


class Pulse:
    """What is known of each job: how often it shall run, whether it runs, and when it last got somewhere."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._jobs: dict[str, _Job] = {}

    def expect(self, name: str, every: float, first: float = 0.0) -> None:
        """A job that shall run every so many seconds, for the first time in so many."""
        self._jobs[name] = _Job(every, self._clock() + first)

    @contextmanager
    def working(self, name: str) -> Iterator[None]:
        """One round of a job, in the thread that asks."""
        job = self._jobs[name]
        job.thread, job.moved = get_ident(), self._clock()
        try:
            yield
        finally:
            job.thread, job.moved = None, self._clock()
            job.rounds += 1

    def move(self, name: str) -> None:
        """The job got somewhere."""
        self._jobs[name].moved = self._clock()

    def overdue(self) -> list[str]:
        """The jobs past their deadline: those that hang, and those that should have begun again long ago."""
        return [name for name, job in self._jobs.items() if self._clock() - self._last(job) > self._patience(job)]

    def never_done(self) -> list[str]:
        """The jobs whose first round is due, and not over yet."""
        return [name for name, job in self._jobs.items() if not job.rounds and job.moved <= self._clock()]

    def _last(self, job: _Job) -> float:
        return job.moved if job.thread is None else max(job.moved, heard(job.thread))

    def _patience(self, job: _Job) -> float:
        return STILLNESS + (job.every if job.thread is None else 0)
