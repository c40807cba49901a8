"""What this process has counted since it started, for whoever asks how it fares; nothing here is ever stored.

Each transport counts its answers here, once each. That is also the sign by which a step that waits for many of them is
told from one that hangs.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from threading import Lock, get_ident

NO_ANSWER = "none"
"""What stands for a status where no answer came."""


class Meter:
    """A number for each combination of labels, from any thread."""

    def __init__(self, *labels: str) -> None:
        self.labels = labels
        self._numbers: dict[tuple[str, ...], float] = {}
        self._lock = Lock()

    def count(self, *values: str, by: float = 1) -> None:
        """`values` are those of the labels, in their order."""
        with self._lock:
            self._numbers[values] = self._numbers.get(values, 0) + by

    def read(self) -> Mapping[tuple[str, ...], float]:
        with self._lock:
            return dict(self._numbers)


REQUESTS = Meter("remote", "status")
CHANGES = Meter("change", "why")
STEPS = Meter("step", "name")
SECONDS = Meter("step", "name")
"""How many steps there were, and how long they took together."""

_heard: dict[int, float] = {}


def answered(remote: str, status: int | str) -> None:
    """A request of this thread was answered by the host `remote`, or was not (`NO_ANSWER`)."""
    REQUESTS.count(remote, str(status))
    _heard[get_ident()] = time.monotonic()


def heard(thread: int) -> float:
    """When (on the monotonic clock) a request of that thread last had an outcome; 0 where none had."""
    return _heard.get(thread, 0.0)
