"""No more requests a minute than Google allows: waiting costs less than being turned away.

Source: "Manage quotas" in Google's Calendar API guides: 600 requests a minute for a user of a project and 10,000 for a
project, in a sliding window; each part of a batch counts.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

PROJECT = 10_000
"""Requests a minute for all users of a project."""

MINUTE = 60.0

_projects: dict[str, Pace] = {}
_joining = threading.Lock()


class Pace:
    """At most so many requests in any minute, for all threads of this process."""

    def __init__(
        self, most: int, now: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._most = most
        self._now, self._sleep = now, sleep
        self._sent: deque[tuple[float, int]] = deque()
        self._counting = threading.Lock()

    def take(self, number: int) -> None:
        """Wait until `number` requests more may be sent. One lot that is larger than a minute holds waits for all."""
        with self._counting:
            now = self._now()
            wait = self._wait(number, now)
            self._sent.append((now + wait, number))
        if wait:
            self._sleep(wait)

    def _wait(self, number: int, now: float) -> float:
        while self._sent and self._sent[0][0] <= now - MINUTE:
            self._sent.popleft()
        under_way = sum(sent for _, sent in self._sent)
        wait = 0.0
        for at, sent in self._sent:
            if under_way + number <= self._most:
                break
            wait, under_way = at + MINUTE - now, under_way - sent
        return wait


def of_project(project: str) -> Pace:
    """The pace that all connections of this process to one project share."""
    with _joining:
        return _projects.setdefault(project, Pace(PROJECT))
