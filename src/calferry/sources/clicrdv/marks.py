"""Where a stream was left: ClicRDV has no tokens, so it is the latest `updated_at` that came, and what came with it.

Changes are asked for from well before the mark, so rows come again; the mark knows the latest of them by their
digest, and those are not told twice. Times here are wall times of the group, as texts that sort by time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import nlargest
from typing import Any

from calferry.errors import CursorExpired, Refused
from calferry.model import Cursor
from calferry.sources.clicrdv.ids import id_of
from calferry.sources.clicrdv.times import wall_of
from calferry.sources.fields import Row, text_of

OVERLAP = timedelta(hours=3)
"""How far before the mark changes are asked for: two hours for the widest repeat of a clock (Antarctica/Troll), one for
clocks that differ and for changes that were late to be seen."""

MANY = 100
"""From so many rows on, it is worth a write to list fewer of them the next time."""

KEPT = 1000
"""The most rows a mark knows. Of more than that, the older ones are told again, and the ledger compares."""

EPOCH = 1970
"""No stamp is from before this year."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The latest stamp in the zone that is named, empty before there was any; digests by id.

    `came` is when (UTC) that stamp was here, empty where nobody can be sure. ClicRDV's clock had reached the stamp by
    then, so `waited`, the seconds from then to a later listing, is by how much it went on at the least: what was
    stamped the overlap before that had been seen as it settled.
    """

    zone: str
    latest: str = ""
    told: Mapping[str, str] = field(default_factory=dict)
    came: str = ""
    waited: int = 0

    @classmethod
    def read(cls, cursor: Cursor, zone: str) -> Mark:
        """Raises CursorExpired for a mark in another zone than the group's: all its times are other instants now."""
        try:
            content = json.loads(cursor.token)
            told, came = dict(content["told"]), str(content.get("came", ""))
            mark = cls(content["zone"], content["latest"], told, came, int(content.get("waited", 0)))
            datetime.fromisoformat(came or "1970-01-01")
        except (ValueError, TypeError, KeyError) as problem:
            msg = "the place where calferry left off cannot be read"
            raise CursorExpired(msg) from problem
        if mark.zone != zone:
            msg = f"the group moved from {mark.zone} to {zone}"
            raise CursorExpired(msg)
        return mark

    @property
    def since(self) -> str:
        """From when on to ask; empty where there is no mark yet."""
        if not self.latest:
            return ""
        return f"{datetime.fromisoformat(self.latest) + timedelta(seconds=self.waited) - OVERLAP}"

    def cursor(self) -> Cursor:
        content: dict[str, Any] = {"zone": self.zone, "latest": self.latest, "told": self.told}
        content |= {"came": self.came, "waited": self.waited} if self.came else {}
        return Cursor(json.dumps(content, separators=(",", ":"), sort_keys=True))


class Reader:
    """Follows rows from one mark to the next."""

    def __init__(self, mark: Mark) -> None:
        self._mark = mark
        self._latest = mark.latest
        self._told: dict[str, tuple[str, str]] = {}
        self._rows = 0
        self._began: datetime | None = None
        self._ended: datetime | None = None

    def at(self, moment: datetime | None) -> None:
        """When (UTC) the next page came; None where the clocks disagree on it."""
        self._began = self._began if self._rows else moment
        self._ended = moment

    def fresh(self, rows: Iterable[Any], now: datetime) -> list[Any]:
        """The rows that are not known yet, and those that cannot be told apart.

        `now` is what the group's clocks show (naive, to the second). No mark moves beyond it: what changes next would
        lie before the mark, and never be told. Raises CursorExpired where the mark lies beyond it already.
        """
        if self._mark.latest > f"{now + OVERLAP}":
            msg = "ClicRDV's clock was set back: what changed since may lie before the place where calferry left off"
            raise CursorExpired(msg)
        told = list(rows)
        self._rows += len(told)
        return [row for row in told if not isinstance(row, dict) or self._take(row, f"{now}")]

    def mark(self) -> Mark:
        """Where these rows leave off. Nothing at all leaves everything as it was."""
        if not self._told:
            return self._mark
        reached = Mark(self._mark.zone, self._latest, {}, *self._waiting())
        recent = ((stamp, key, seen) for key, (stamp, seen) in self._told.items() if stamp >= reached.since)
        return replace(reached, told={key: seen for _, key, seen in nlargest(KEPT, recent)})

    def _waiting(self) -> tuple[str, int]:
        """When the latest stamp came, and how long after that this listing began: where the listing was long, for else
        the mark of a quiet practice would be another one each time."""
        mark = self._mark
        if self._latest != mark.latest:
            return (f"{self._ended}", 0) if self._ended else ("", 0)
        if not mark.came or self._began is None or self._rows < MANY:
            return mark.came, mark.waited
        return mark.came, max(mark.waited, int((self._began - datetime.fromisoformat(mark.came)).total_seconds()))

    def _take(self, row: Row, limit: str) -> bool:
        key, stamp, seen = id_of(row), stamp_of(row), _digest(row)
        if stamp and stamp < self._mark.since:
            return False  # the filter was not heeded; it is known
        self._latest = max(self._latest, min(stamp, limit))
        if not key:
            return True
        self._told[key] = (stamp, seen)
        if len(self._told) > 4 * KEPT:
            self._told = dict(nlargest(KEPT, self._told.items(), key=lambda item: item[1]))
        return self._mark.told.get(key) != seen


def stamp_of(row: Row) -> str:
    """When a row was last changed, to the second; empty where it does not say."""
    try:
        stamp = wall_of(text_of(row.get("updated_at")), "updated_at")
    except Refused:
        return ""
    return f"{stamp.replace(tzinfo=None, microsecond=0)}" if stamp.year >= EPOCH else ""


def _digest(row: Row) -> str:
    return hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()[:16]
