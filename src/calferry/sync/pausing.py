"""How long whoever does not let us in, or asks us to wait, is left alone: sources and calendars alike."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol

from calferry.errors import CalferryError, NotAuthorised, Unavailable

FIRST_PAUSE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=6)


class Pausing(Protocol):
    """The side of the ledger that pauses sources or calendars, each by its key."""

    def pause(self, key: str, reason: str, until: datetime, /) -> None: ...

    def pauses(self, key: str, /) -> int: ...


def pause(ledger: Pausing, key: str, error: NotAuthorised | Unavailable, now: datetime) -> None:
    """Leave it alone as long as its answer asks for: a refusal for longer each time, for it mostly takes a person to
    mend it; anything else for as long as it wishes, and not at all where it wishes nothing."""
    if isinstance(error, NotAuthorised):
        doublings = min(ledger.pauses(key), 10)
        ledger.pause(key, str(error), now + min(FIRST_PAUSE * 2.0**doublings, LONGEST_PAUSE))
    elif error.retry_after:
        ledger.pause(key, str(error), now + timedelta(seconds=error.retry_after))


def longest_wish(errors: Iterable[CalferryError]) -> Unavailable | None:
    """The error that asks for the longest wait, if any does."""
    wishes = [error for error in errors if isinstance(error, Unavailable) and error.retry_after]
    return max(wishes, key=lambda error: error.retry_after or 0.0, default=None)
