"""What can go wrong, sorted by what calferry does next.

* CalferryError
  x ConfigError      nothing starts; every problem is printed at once
  x NotAuthorised    the scope (a connection or one calendar) pauses until somebody acts
  x Unavailable      this step ends; it is tried again later
    - LedgerBusy     another calferry holds the lock
  x Refused          this one appointment is set aside with its reason; the others go on
  x CursorExpired    the source is listed whole again, and compared; nothing is wiped
  x Conflict         this one event is created anew, under its next generation

A class is a decision, so the engine never reads a message to find out what to do. The docstring of a class is the
message a user sees when no better one was given. `exit_code` is what a command returns (sysexits.h where one fits);
parked work is no error and has a code of its own, `PARKED`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

PARKED = 3
"""Exit code: everything else is done, and something new waits for a person."""

SEVERITY = (2, 77, 75, PARKED, 1)
"""Exit codes, gravest first: the first of these that occurred is what a command returns."""


def gravest(codes: Iterable[int]) -> int:
    """Of several exit codes, the one a command returns; 0 when there is none."""
    occurred = set(codes)
    return next((code for code in SEVERITY if code in occurred), 0)


class CalferryError(Exception):
    """Something went wrong in calferry."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class ConfigError(CalferryError):
    """The configuration cannot be used."""

    exit_code = 2

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class NotAuthorised(CalferryError):
    """The remote service does not let calferry in.

    `calendar` names the one calendar that is closed to us (its key, `kind:canonical id`); None means that the whole
    connection is.
    """

    exit_code = 77

    def __init__(self, message: str = "", *, calendar: str | None = None) -> None:
        self.calendar = calendar
        super().__init__(message or "The remote service does not let calferry in.")


class Unavailable(CalferryError):
    """The remote service gave no usable answer. No answer is not an empty answer.

    `retry_after` is the number of seconds the service asked us to wait, where it said so.
    """

    exit_code = 75

    def __init__(self, message: str = "", *, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message or "The remote service gave no usable answer.")


class LedgerBusy(Unavailable):
    """Another calferry process is working on the same part of the ledger."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or "Another calferry process is working on the same part of the ledger.")


class Refused(CalferryError):
    """This one appointment cannot be carried as it is."""


class CursorExpired(CalferryError):
    """The booking system no longer knows the place where we left off."""


class Conflict(CalferryError):
    """Nothing of ours stands in the calendar under this identity, and nothing can any more."""
