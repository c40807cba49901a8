"""What is wrong with the installation as a whole, for whoever has to be told: observed, and remembered since when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from calferry.sync.crossing import told_at, waiting
from calferry.sync.freshness import expiries, reached
from calferry.sync.installation import Installation

EXPIRING = timedelta(days=14)
"""A credential that runs out within this time is told of."""


class Kind(StrEnum):
    """The kinds of trouble. The first two are told of when they have lasted for a while, the others at once; the last
    one is none."""

    STALE = "stale"
    BEHIND = "behind"
    PARKED = "parked"
    REFUSED = "refused"
    QUARANTINED = "quarantined"
    UNROUTED = "unrouted"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    TEST = "test"


LASTING = frozenset({Kind.STALE, Kind.BEHIND})
COUNTED = frozenset({Kind.PARKED, Kind.REFUSED, Kind.QUARANTINED, Kind.UNROUTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that is wrong since then (UTC). `where` is the key of a source or calendar, or a connection as the file
    calls it; `size` is how many there are of what is counted."""

    kind: Kind
    where: str
    since: datetime
    size: int = 1

    @property
    def key(self) -> str:
        return f"{self.kind} {self.where}"

    def has_grown(self, told: int) -> bool:
        """Whether it is worth telling again. Every parked deletion is; of the rest, twice as many as were told of."""
        return self.size > told if self.kind is Kind.PARKED else self.size >= 2 * told


def observe(installation: Installation) -> Sequence[Trouble]:
    """All that is wrong now, each since it was first observed; that is filed. Raises Unavailable."""
    found = {trouble.key: trouble for trouble in _troubles(installation)}
    book = installation.ledger.alerts
    book.observe({key: trouble.since for key, trouble in found.items()})
    since = book.since()
    return [replace(trouble, since=since.get(key, trouble.since)) for key, trouble in found.items()]


def out_of_step_since(installation: Installation) -> Mapping[str, datetime]:
    """The calendars (keys) that were last observed to be behind, and since when (UTC)."""
    start = f"{Kind.BEHIND} "
    observed = installation.ledger.alerts.since().items()
    return {key.removeprefix(start): since for key, since in observed if key.startswith(start)}


def _troubles(installation: Installation) -> Iterator[Trouble]:
    now = installation.clock.now()
    yield from _out_of_date(installation, now)
    counted = Counter((one.what, one.where) for one in waiting(installation) if one.what in COUNTED)
    for (what, where), number in counted.items():
        yield Trouble(kind=Kind(what), where=where, since=now, size=number)
    for connection, end in expiries(installation).items():
        if end - now < EXPIRING:
            yield Trouble(kind=Kind.EXPIRING, where=connection, since=now)
        if end <= now:
            yield Trouble(kind=Kind.EXPIRED, where=connection, since=end)


def _out_of_date(installation: Installation, now: datetime) -> Iterator[Trouble]:
    for account in installation.accounts:
        told = told_at(account, installation)
        if told is None or now - told > 2 * account.rhythm.every:
            yield Trouble(kind=Kind.STALE, where=account.source.key, since=min(told or now, now))
    for one in reached(installation):
        if one.outstanding or one.paused:
            yield Trouble(kind=Kind.BEHIND, where=one.calendar, since=now)
