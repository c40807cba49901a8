"""Where a stream was left, and the way from there: what a cursor of Valomnia's holds."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from calferry.errors import CursorExpired
from calferry.model import Cursor
from calferry.moments import instant
from calferry.sources.fields import id_of
from calferry.sources.valomnia.listing import SECOND, Page, changed_of
from calferry.sources.valomnia.rows import digest_of, moment_of

OVERLAP = timedelta(minutes=10)
"""Listed again before the last change: a row is stamped before its transaction is committed, and shows up late."""

UNSETTLED = 2 * SECOND
"""What changed this shortly before it was listed may change again under the same stamp, which has no fractions."""


@dataclass(frozen=True, slots=True)
class Place:
    """`changed` is the largest `lastUpdated` that Valomnia told (UTC, None before the first row), `told` the digests by
    id of the rows near it, which are listed again and need not be asked for again. `asked_at` is our own clock.
    """

    changed: datetime | None
    told: Mapping[str, str]
    asked_at: datetime

    def cursor(self) -> Cursor:
        changed = instant(self.changed) if self.changed else None
        content = {"changed": changed, "told": dict(self.told), "asked_at": self.asked_at.isoformat()}
        return Cursor(json.dumps(content, separators=(",", ":")))


def read(cursor: Cursor) -> Place:
    """The place that a cursor names. Raises CursorExpired for one that was not written here."""
    try:
        content = json.loads(cursor.token)
        asked_at = datetime.fromisoformat(content["asked_at"])
        changed = moment_of(content["changed"]) if content["changed"] is not None else None
        return Place(changed, {str(key): str(digest) for key, digest in content["told"].items()}, asked_at)
    except (ValueError, KeyError, TypeError, AttributeError):
        msg = "the cursor cannot be read"
        raise CursorExpired(msg) from None


class Trail:
    """One pass along a stream: what it need not tell again, and where it will leave off."""

    def __init__(self, left: Place, began: datetime) -> None:
        self._left = left
        self._began = began
        self._changed = left.changed
        self._told = dict(left.told)
        self._near: list[tuple[datetime, str, str]] = []
        self._rows = 0

    @property
    def since(self) -> datetime | None:
        return self._left.changed - OVERLAP if self._left.changed else None

    def check_clock(self, page: Page) -> None:
        """Raises CursorExpired where the server's clock was set back: its changes would stay behind the cursor."""
        if page.date and self._left.changed and self._left.changed - page.date > OVERLAP:
            msg = "the clock of the server was set back"
            raise CursorExpired(msg)

    def news(self, page: Page) -> list[Any]:
        """The rows that tell something new, and those without a readable id."""
        return [row for row in page.rows if not isinstance(row, dict) or self._told.get(id_of(row)) != digest_of(row)]

    def pass_by(self, page: Page, told: Collection[str]) -> None:
        """Remember a page, of which the rows with these ids were news, and told, if only as set aside.

        No stamp counts for more than the server's clock: one from the future would hide all later changes.
        """
        self._rows += len(page.rows)
        now = page.date or page.asked_at
        for row in page.rows:
            if not isinstance(row, dict):
                continue
            key, digest = id_of(row), digest_of(row)
            if key in told:
                self._told[key] = digest
            for changed in changed_of([row]):
                self._changed = max(self._changed or changed, min(changed, now))
                if self._told.get(key) == digest and abs(now - changed) > UNSETTLED:
                    self._near.append((changed, key, digest))

    def cursor(self) -> Cursor | None:
        """Where the next pass begins. None, so that the cursor before stays, where a listing was empty that the cursor
        knows rows of: perhaps they were deleted, perhaps it lied.
        """
        if self._left.told and not self._rows:
            return None
        after = self._changed - OVERLAP if self._changed else None
        near = {key: digest for changed, key, digest in self._near if after and changed >= after}
        return Place(self._changed, near, self._began).cursor()
