"""What is missing is asked for by its id, whatever else goes wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from calferry.sandbox import Request, Response, faults
from calferry.sandbox.faults import Fault, Perform
from tests.crossing import Salon, salon

DAY = timedelta(days=1)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Salon]:
    with salon(tmp_path) as opened:
        yield opened


def booked(shop: Salon) -> list[str]:
    """Ten of Ana's, all in her calendar."""
    ids = [shop.book(3 + day) for day in range(10)]
    shop.cross()
    return ids


def with_stub(appointment: str) -> Fault:
    """A listing in which nothing but the id is left of it."""

    def effect(perform: Perform) -> Response:
        answer = perform()
        listing = json.loads(answer.body)
        listing["items"].append({"id": appointment})
        return replace(answer, body=json.dumps(listing).encode())

    return Fault("a stub", effect)


@pytest.mark.parametrize("status", [401, 403, 405, 409, 500])
def test_one_that_nobody_may_see_keeps_no_other_from_being_asked_for(shop: Salon, status: int) -> None:
    closed, gone, *_ = booked(shop)
    for one in (closed, gone):
        shop.vanish(one)
    path = f"/appointments/{closed}"
    shop.sandbox.agendize.faults.add(faults.status(status), match=lambda asked: asked.path.endswith(path), times=None)
    for _ in range(3):
        shop.cross(DAY)
    assert shop.standing().total() == 9


def test_a_row_of_which_only_its_id_is_left_is_gone_once_it_is_not_found(shop: Salon) -> None:
    """Such a row is listed, so no listing makes it unlisted; and it cannot be read."""
    stub, *_ = booked(shop)
    shop.vanish(stub)
    shop.sandbox.agendize.faults.add(
        with_stub(stub), match=lambda asked: asked.path.endswith("/appointments"), times=None
    )
    for _ in range(3):
        shop.cross(DAY)
    assert shop.standing().total() == 9


def test_a_month_that_cannot_be_listed_keeps_nothing_from_being_asked_for(shop: Salon) -> None:
    gone, *_ = booked(shop)
    shop.vanish(gone)

    def of_december(asked: Request) -> bool:
        return asked.query.get("startDate", ("",))[0].startswith("2026-11-30")

    shop.sandbox.agendize.faults.add(faults.status(500), match=of_december, times=None)
    for _ in range(3):
        shop.cross(DAY)
    assert shop.standing().total() == 9
