"""A window is listed month by month: what fails in some hides nothing in the others, and an outage is left in peace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from calferry.errors import Unavailable
from calferry.model import Batch, Window
from calferry.sources.months import by_month, months

YEAR = Window(datetime(2026, 1, 10, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


class Service:
    """Answers for a month, or fails; it remembers which months it was asked for."""

    def __init__(self, fails: Callable[[int], bool], retry_after: float | None = None) -> None:
        self.asked: list[int] = []
        self._fails = fails
        self._retry_after = retry_after

    def listed(self, month: Window) -> Iterator[Batch]:
        self.asked.append(month.start.month)
        if self._fails(month.start.month):
            msg = f"month {month.start.month}"
            raise Unavailable(msg, retry_after=self._retry_after)
        yield Batch(asked_at=month.start, covers=month)

    def covered(self, window: Window = YEAR) -> tuple[list[int], str]:
        """The months that were listed, and what was raised in the end."""
        covered: list[int] = []
        try:
            covered.extend(batch.covers.start.month for batch in by_month(window, self.listed) if batch.covers)
        except Unavailable as error:
            return covered, str(error)
        return covered, ""


def test_without_a_failure_months_come_in_their_order() -> None:
    assert Service(lambda _: False).covered() == ([*range(1, 13)], "")


@pytest.mark.parametrize("bad", [{1, 2}, {5, 6}, {3, 4, 5}, {2, 3, 4, 5, 6}, {1, 2, 5, 6, 9, 10}, {11}, {10, 11}, {12}])
def test_months_that_always_fail_hide_no_other(bad: set[int]) -> None:
    """Else what vanishes in a later month would never be missed as long as two earlier ones are broken."""
    covered, told = Service(bad.__contains__).covered()
    assert sorted(covered) == sorted({*range(1, 13)} - bad)
    assert told == f"month {min(bad)}"


def test_a_service_that_is_down_is_asked_for_three_months_and_no_more() -> None:
    service = Service(lambda _: True)
    assert service.covered() == ([], "month 1")
    assert service.asked == [1, 2, 12]


def test_a_service_that_goes_down_meanwhile_is_left_in_peace_as_well() -> None:
    service = Service(lambda month: month > 4)
    assert service.covered() == ([1, 2, 3, 4], "month 5")
    assert service.asked == [1, 2, 3, 4, 5, 6, 12]


def test_a_pause_that_was_asked_for_is_kept_at_once() -> None:
    service = Service(lambda month: month == 3, retry_after=600)
    assert service.covered() == ([1, 2], "month 3")
    assert service.asked == [1, 2, 3]


def test_two_months_are_all_there_is_in_a_short_window() -> None:
    short = Window(YEAR.start, datetime(2026, 2, 2, tzinfo=UTC))
    service = Service(lambda _: True)
    assert (service.covered(short), service.asked) == (([], "month 1"), [1, 2])
    assert len(list(months(short))) == 2
