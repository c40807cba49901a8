"""What a person decides on deletions that the brakes hold back, over whole passes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from calferry.errors import PARKED
from calferry.sandbox import faults
from calferry.sync.deciding import Decision, approve, reject
from calferry.sync.installation import Watch
from tests.crossing import COMPANY, STAFF_ROUTE, Salon, salon

DAY = timedelta(days=1)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Salon]:
    with salon(tmp_path) as opened:
        yield opened


@pytest.fixture
def parked(shop: Salon) -> list[str]:
    """Ten appointments, of which five vanished without a word: their deletions are held back."""
    booked = [shop.book(3 + day) for day in range(10)]
    shop.cross()
    for one in booked[:5]:
        shop.vanish(one)
    assert shop.cross(DAY).exit_code == PARKED
    return booked


def held_back(shop: Salon) -> dict[str, str]:
    """The uids whose deletion is held back, by source id."""
    with shop.installation() as installation:
        return {one.source_id: one.uid for one in installation.ledger.outbox.held_back()}


def approved(shop: Salon, *uids: str) -> Decision:
    with shop.installation() as installation:
        return approve(installation, frozenset(uids), Watch())


def come_back(shop: Salon, appointment: str) -> None:
    """It was there all the time."""
    appointments = shop.sandbox.agendize.world.appointments
    appointments[appointment] = replace(appointments[appointment], company=COMPANY, deleted=None)


def test_what_is_approved_is_carried_out_by_the_next_pass_and_no_more(shop: Salon, parked: list[str]) -> None:
    uids = held_back(shop)
    first, second = (uids[one] for one in parked[:2])
    assert {one.uid for one in approved(shop, first, second).decided} == {first, second}
    assert shop.standing().total() == 10
    report = shop.cross()
    assert (report.exit_code, report.pushed["deleted"]) == (0, 2)
    assert held_back(shop).keys() == set(parked[2:5])
    assert shop.cross(DAY).pushed["deleted"] == 0


def test_an_appointment_that_is_there_after_all_is_not_deleted_though_it_was_approved(
    shop: Salon, parked: list[str]
) -> None:
    """It came back after the last pass: asking again finds it."""
    uids = held_back(shop)
    come_back(shop, parked[0])
    decision = approved(shop, uids[parked[0]], uids[parked[1]])
    assert (list(decision.over), [one.source_id for one in decision.decided]) == ([uids[parked[0]]], [parked[1]])
    shop.cross()
    assert shop.standing().total() == 9


def test_nothing_is_approved_while_the_booking_system_cannot_be_asked(shop: Salon, parked: list[str]) -> None:
    uids = held_back(shop)
    shop.sandbox.agendize.faults.add(faults.status(500), times=None)
    decision = approved(shop, *uids.values())
    assert not decision.decided
    assert set(decision.unasked) == set(uids.values())
    shop.sandbox.agendize.faults.clear()
    shop.cross()
    assert shop.standing().total() == 10


def test_whoever_does_not_let_us_in_or_is_paused_is_not_asked_about_each_deletion(
    shop: Salon, parked: list[str]
) -> None:
    uids = held_back(shop).values()
    shop.sandbox.agendize.faults.add(faults.status(401), times=None)
    shop.sandbox.agendize.forget_requests()
    assert set(approved(shop, *uids).unasked) == set(uids)
    assert shop.sandbox.agendize.requests == 1
    shop.cross()
    shop.sandbox.agendize.forget_requests()
    decision = approved(shop, *uids)
    assert {why.partition(";")[0] for why in decision.unasked.values()} == {f"agendize:{COMPANY} is paused"}
    assert shop.sandbox.agendize.requests == 0


def test_what_is_rejected_stays_and_is_not_news_again(shop: Salon, parked: list[str]) -> None:
    uids = held_back(shop)
    with shop.installation() as installation:
        decision = reject(installation, frozenset(uids.values()))
    assert {one.uid for one in decision.decided} == set(uids.values())
    for _ in range(3):
        report = shop.cross(DAY)
        assert (report.exit_code, report.attention) == (0, frozenset())
    assert shop.standing().total() == 10


def test_what_the_configuration_takes_away_goes_once_it_is_approved(shop: Salon) -> None:
    shop.book()
    shop.book(4, staff=1)
    shop.cross()
    shop.configure(STAFF_ROUTE + '[routes.staff.where]\nowner = "ben*"\n')
    assert shop.cross().exit_code == PARKED
    (uid,) = held_back(shop).values()
    assert [one.removal.why for one in approved(shop, uid).decided] == ["reconfigured"]
    report = shop.cross()
    assert (report.exit_code, report.pushed["deleted"]) == (0, 1)
    assert shop.standing().total() == 1
    assert shop.cross().pushed.counts.get("deleted", 0) == 0


def test_an_approval_is_forgotten_when_the_appointment_lives_again_before_it_is_carried_out(
    shop: Salon, parked: list[str]
) -> None:
    uids = held_back(shop)
    approved(shop, uids[parked[0]])
    come_back(shop, parked[0])
    shop.cross(DAY)
    assert shop.standing().total() == 10
    assert uids[parked[0]] not in held_back(shop).values()
