"""A window listed month by month: what fails in one month is no reason not to list the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from calferry.errors import Unavailable
from calferry.model import Batch, Window

ATTEMPTS = 3
"""How often a month is listed, at most, for it to prove itself complete."""

SUSPECT = 2
"""So many failing months in a row may be an outage."""


def months(window: Window) -> Iterator[Window]:
    """A window cut where months begin (UTC)."""
    start = window.start
    while start < window.end:
        within_next = start.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=32)
        end = min(within_next.replace(day=1), window.end)
        yield Window(start, end)
        start = end


def by_month(window: Window, listed: Callable[[Window], Iterator[Batch]]) -> Iterator[Batch]:
    """What `listed` tells of each month of a window, as a rule in their order.

    A month whose request fails does not stop the others: its error is raised at the end. After two in a row the last
    month is asked for next. Where it is answered, the fault lies with those two, and the others are listed as well:
    else whatever vanishes there would not be missed for as long as the two are broken. Where it fails too, that is an
    outage, and whoever is down is asked for no further month; nor is who asks for a pause. Raises Unavailable.
    """
    first: Unavailable | None = None
    failing = 0
    left = list(months(window))
    while left and failing <= SUSPECT:
        month = left.pop(-1 if failing == SUSPECT else 0)
        try:
            yield from listed(month)
        except Unavailable as error:
            first = first or error
            failing += 1
            if error.retry_after is not None:
                break
        else:
            failing = 0
    if first is not None:
        raise first


def proven(month: Window, listed: Callable[[Window], Batch]) -> Iterator[Batch]:
    """The first listing of a month that covers it; else the last that was answered.

    Raises the Unavailable that ended the tries, after what was answered before it.
    """
    answered: Batch | None = None
    failure: Unavailable | None = None
    for _ in range(ATTEMPTS):
        try:
            answered = listed(month)
        except Unavailable as error:
            failure = error
            break
        if answered.covers:
            break
    if answered:
        yield answered
    if failure:
        raise failure
