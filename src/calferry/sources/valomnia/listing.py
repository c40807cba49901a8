"""Listings: read whole and proven, or followed along the time of the last change.

Vendor's pages: the "list" page of each resource. `paging.next` is never followed: in the samples it has lost the
filters, and names another version of the API.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from calferry.errors import Unavailable
from calferry.moments import instant
from calferry.ports import Clock
from calferry.sources.fields import id_of, number_of
from calferry.sources.valomnia.rows import moment_of
from calferry.sources.valomnia.session import Session

SIZE = 100
"""Rows a page: the documented default, and the largest size that is documented."""

ATTEMPTS = 3
"""How often a listing is read, at most, for it to prove itself complete."""

SECOND = timedelta(seconds=1)

FIRST = datetime(1970, 1, 1, tzinfo=UTC)
"""A stamp before that is none: it is what an import makes of nothing."""

LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""The last second that there is; no filter can name its end."""

BY_ID = {"sort": "id", "order": "asc"}
BY_CHANGE = {"sort": "lastUpdated", "order": "asc"}
NEWEST_FIRST = {"sort": "lastUpdated", "order": "desc"}


class Page(NamedTuple):
    """`total` is that of the whole listing. `asked_at` is our clock before the request, `date` the server's when it
    answered, where it said so."""

    rows: Sequence[Any]
    total: int
    asked_at: datetime
    date: datetime | None


class Listed(NamedTuple):
    """All that a listing told; `proven` says that it left nothing out."""

    rows: Sequence[Any]
    proven: bool


class Listings:
    """The listings of one organisation."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def page(self, resource: str, asked: Mapping[str, str], offset: int = 0, size: int = SIZE) -> Page:
        """One page. Raises Unavailable unless it is the one that was asked for."""
        asked_at = self._clock.now()
        reply = self._session.get(f"/{resource}", {**asked, "max": str(size), "offset": str(offset)})
        paging, rows = reply.content.get("paging"), reply.content.get("data")
        if not isinstance(paging, dict) or not isinstance(rows, list):
            msg = f"Valomnia answered a listing of {resource} without its rows"
            raise Unavailable(msg)
        total = number_of(paging.get("total"))
        if total is None or number_of(paging.get("offset")) != offset:
            msg = f"Valomnia answered with another page of {resource} than the one that was asked for"
            raise Unavailable(msg)
        return Page(rows, total, asked_at, reply.date)

    def count(self, resource: str, asked: Mapping[str, str]) -> Page:
        """A page that need not hold more than the total of its listing."""
        return self.page(resource, asked, size=1)

    def newest(self, resource: str) -> datetime | None:
        """The time of the last change of all, by the server's clock at most now; None when there was none."""
        page = self._beginning(resource, NEWEST_FIRST, size=1)
        changed = changed_of(page.rows)
        return min(changed[0], page.date or page.asked_at) if changed else None

    def whole(self, resource: str, asked: Mapping[str, str]) -> Listed:
        """A listing read to its end, again if need be until it proves that it left nothing out."""
        listed = Listed((), proven=False)
        for _ in range(ATTEMPTS):
            listed = self._read(resource, {**asked, **BY_ID})
            if listed.proven:
                break
        return listed

    def _read(self, resource: str, asked: Mapping[str, str]) -> Listed:
        """Pages overlap by a row: one that came or went while they were read shows in that they do not join."""
        page = self.page(resource, asked)
        rows, joined, first = list(page.rows), True, page.total
        offset = 0
        while page.rows and offset + len(page.rows) < page.total:
            overlap = min(1, len(page.rows) - 1)
            offset += len(page.rows) - overlap
            page = self.page(resource, asked, offset)
            joined = joined and ids_of(page.rows[:overlap]) == ids_of(rows[-overlap:] if overlap else [])
            rows += page.rows[overlap:]
        ids = ids_of(rows)
        proven = joined and page.total == first == len(set(ids)) and "" not in ids
        return Listed(rows, proven)

    def following(self, resource: str, asked: Mapping[str, str], since: datetime | None) -> Iterator[Page]:
        """Everything that changed at or after `since`, in that order; some rows come more than once.

        Each page begins at the second in which the one before it ended, so nothing is lost when rows change, and so
        leave their place, meanwhile. A second with more rows than a page is read by itself.
        """
        while True:
            page = self._beginning(resource, {**asked, **BY_CHANGE, **_from(since)})
            changed = changed_of(page.rows)
            _check_order(resource, changed, since)
            yield page
            if len(page.rows) >= page.total:
                return
            if not changed:
                msg = f"Valomnia lists {resource} without saying when they changed"
                raise Unavailable(msg)
            if changed[-1] != since:
                since = changed[-1]
                continue
            yield self._second(resource, asked, since, page)
            if since == LAST:
                return
            since += SECOND

    def _beginning(self, resource: str, asked: Mapping[str, str], size: int = SIZE) -> Page:
        """The first page of a listing, which is empty only where the listing is."""
        page = self.page(resource, asked, size=size)
        if page.total and not page.rows:
            msg = f"Valomnia lists none of the {page.total} {resource} that it says there are"
            raise Unavailable(msg)
        return page

    def _second(self, resource: str, asked: Mapping[str, str], second: datetime, page: Page) -> Page:
        ends = {"lastUpdated_lt": instant(second + SECOND)} if second < LAST else {}
        listed = self.whole(resource, {**asked, **_from(second), **ends})
        if not listed.proven:
            msg = f"the {resource} that changed within one second kept changing while Valomnia listed them"
            raise Unavailable(msg)
        return page._replace(rows=listed.rows)


def changed_of(rows: Sequence[Any]) -> list[datetime]:
    """When rows changed, to the second, as far as they say so."""
    told = (moment_of(row.get("lastUpdated")) for row in rows if isinstance(row, dict))
    return [moment.replace(microsecond=0) for moment in told if moment and moment >= FIRST]


def _check_order(resource: str, changed: Sequence[datetime], since: datetime | None) -> None:
    """Whether filter and sort were heeded: everything that is concluded from a page rests on them."""
    if list(changed) != sorted(changed) or (since and changed and changed[0] < since):
        msg = f"Valomnia lists {resource} in another order than the one that was asked for"
        raise Unavailable(msg)


def _from(since: datetime | None) -> dict[str, str]:
    return {"lastUpdated_gte": instant(since)} if since else {}


def ids_of(rows: Sequence[Any]) -> list[str]:
    """The ids of rows; empty where one has none."""
    return [id_of(row) if isinstance(row, dict) else "" for row in rows]
