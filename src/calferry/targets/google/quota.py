"""Leaves a user alone whose quota is used up, or a whole project: in this process and, by what is kept, in the next.

Source: "Handle API errors" in Google's Calendar API guides: an account beyond its limits is read-only for some hours,
and each further attempt counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from calferry.errors import Unavailable
from calferry.targets.google.answers import HOURS, Answer, Reply

if TYPE_CHECKING:
    from calferry.ports import Clock
    from calferry.targets.google.memory import JsonObject, Memory

QUIET = "quiet"
"""The member with the times (UTC) until which lanes are left alone."""

PROJECT = "the project"
"""What stands in place of a lane where it is all of them."""

LONGEST = timedelta(hours=24)


class Quota:
    """Which lanes are left alone. Every method raises ConfigError and LedgerBusy as `Memory` does."""

    def __init__(self, memory: Memory, clock: Clock) -> None:
        self._memory = memory
        self._clock = clock

    def check(self, lane: str) -> None:
        """Raise Unavailable, with the time that is left, while nothing may be sent for a lane."""
        now = self._clock.now()
        quiet = _times(self._memory.part(QUIET))
        for whose in (PROJECT, lane):
            until = quiet.get(whose, now)
            if now < until <= now + LONGEST:  # one that lasts longer was set by a clock that was ahead
                msg = (
                    f"Google's quota for {whose} is used up; each further attempt would prolong that, so nothing is "
                    f"sent for {lane} until {until:%Y-%m-%d %H:%M} UTC."
                )
                raise Unavailable(msg, retry_after=(until - now).total_seconds())

    def heed(self, lane: str, answers: Iterable[Reply]) -> None:
        """Take note of what answers say about the quota."""
        spent = next((one for one in answers if isinstance(one, Answer) and one.spent), None)
        if spent is not None:
            whose = lane if spent.reason == "quotaExceeded" else PROJECT
            until = self._clock.now() + timedelta(seconds=max(HOURS, spent.retry_after or 0))
            self._memory.change(QUIET, lambda quiet: quiet.update({whose: until.isoformat()}))


def _times(quiet: JsonObject) -> dict[str, datetime]:
    try:
        told = {lane: datetime.fromisoformat(text) for lane, text in quiet.items()}
    except (TypeError, ValueError):
        return {}
    return {lane: at for lane, at in told.items() if at.tzinfo}
