"""Every failure that users of such programs complain of, in every kind of calendar that others keep.

It is said, it is tried again, and nothing is doubled or taken away meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from calferry.errors import NotAuthorised, Unavailable
from calferry.sandbox.faults import FaultQueue, matching
from tests.convergence.failures import CALLS, REQUESTS, assert_said
from tests.crossing import CALENDARS, Salon, salon
from tests.office import Office

ANA = CALENDARS[0]
HOUR = timedelta(hours=1)

SHOPS: Mapping[str, type[Salon]] = {"google": Salon, "office365": Office}
BATCHES = {"google": "/batch", "office365": "$batch"}


def remote(shop: Salon) -> FaultQueue:
    return shop.sandbox.graph.faults if isinstance(shop, Office) else shop.sandbox.google.faults


def calls(shop: Salon) -> FaultQueue:
    return shop.sandbox.graph.part_faults if isinstance(shop, Office) else shop.sandbox.google.part_faults


@contextmanager
def changing(kind: str, home: Path) -> Iterator[Salon]:
    """All was carried; since then one came, one moved and one was cancelled."""
    with salon(home, kind=SHOPS[kind]) as shop:
        booked = [shop.book(2 + day, 9 + who, staff=who) for day in range(2) for who in range(3)]
        shop.cross()
        shop.book(5, 14)
        shop.sandbox.agendize.world.move(booked[1], shop.wall(6, 15))
        shop.sandbox.agendize.world.cancel(booked[2])
        yield shop


def assert_carried_later(shop: Salon) -> None:
    """Nothing is doubled meanwhile and nothing taken away that is not called off; in the end all is well."""
    assert max(shop.standing().values()) == 1
    assert shop.standing().total() >= 5
    remote(shop).clear()
    calls(shop).clear()
    for _ in range(2):
        report = shop.cross(25 * HOUR)
    assert report.exit_code == 0
    assert shop.verdict().clean, shop.verdict().details


@pytest.mark.parametrize("kind", SHOPS)
@pytest.mark.parametrize("failure", REQUESTS)
def test_a_failing_request_to_a_calendar_is_said_and_made_good(tmp_path: Path, kind: str, failure: str) -> None:
    with changing(kind, tmp_path) as shop:
        remote(shop).add(REQUESTS[failure](), times=None, match=matching(BATCHES[kind]))
        report = shop.cross()
        assert_said(report)
        assert report.exit_code in {Unavailable.exit_code, NotAuthorised.exit_code}
        assert_carried_later(shop)


@pytest.mark.parametrize("kind", SHOPS)
@pytest.mark.parametrize("failure", CALLS["google"])
def test_failing_calls_to_a_calendar_are_said_and_made_good(tmp_path: Path, kind: str, failure: str) -> None:
    with changing(kind, tmp_path) as shop:
        calls(shop).add(CALLS[kind][failure](), times=None)
        report = shop.cross()
        assert report.exit_code in {Unavailable.exit_code, NotAuthorised.exit_code}
        assert_said(report)
        assert_carried_later(shop)


WITHDRAWN: Mapping[str, Mapping[str, tuple[Callable[[Salon], Any], Callable[[Salon], Any]]]] = {
    "google": {
        "consent withdrawn": (
            lambda shop: shop.sandbox.google.world.revoke(ANA),
            lambda shop: shop.sandbox.google.world.revoke(ANA, revoked=False),
        ),
        "calendar gone": (
            lambda shop: shop.sandbox.google.world.withdraw(ANA),
            lambda shop: shop.sandbox.google.world.withdraw(ANA, withdrawn=False),
        ),
    },
    "office365": {
        "consent withdrawn": (
            lambda shop: shop.sandbox.graph.world.restrict(ANA),
            lambda shop: shop.sandbox.graph.world.restrict(ANA, accessible=True),
        ),
        "calendar gone": (
            lambda shop: shop.sandbox.graph.world.withdraw(ANA),
            lambda shop: shop.sandbox.graph.world.withdraw(ANA, withdrawn=False),
        ),
    },
}
"""How an owner shuts calferry out, and lets it in again."""


@pytest.mark.parametrize("kind", SHOPS)
@pytest.mark.parametrize("failure", WITHDRAWN["google"])
def test_a_calendar_that_is_shut_is_named_and_stops_no_other(tmp_path: Path, kind: str, failure: str) -> None:
    shut, open_again = WITHDRAWN[kind][failure]
    with changing(kind, tmp_path) as shop:
        shut(shop)
        report = shop.cross()
        assert report.exit_code == NotAuthorised.exit_code
        assert {error.calendar for error in report.errors if isinstance(error, NotAuthorised)} == {f"{kind}:{ANA}"}
        assert (report.pushed["updated"], report.pushed["deleted"]) == (1, 1)
        open_again(shop)
        assert_carried_later(shop)


def test_a_mark_that_a_user_took_off_doubles_nothing(tmp_path: Path) -> None:
    with changing("google", tmp_path) as shop:
        for address in CALENDARS:
            for event in shop.ours(address):
                shop.sandbox.google.world.user_edits(address, event["id"], extendedProperties={})
        number = sum(len(list(shop.sandbox.google.world.events(address))) for address in CALENDARS)
        shop.cross()
        assert sum(len(list(shop.sandbox.google.world.events(address))) for address in CALENDARS) == number
        assert shop.verdict().duplicates == 0
