"""Where most of a calendar is updated at once, somebody is told, and told why."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from calferry.errors import Unavailable
from calferry.ports import Attention
from calferry.sandbox import faults
from calferry.sync.crossing import Report, bring
from calferry.sync.installation import Watch
from calferry.sync.push import plan
from tests.crossing import CALENDARS, STAFF_ROUTE, Salon

DAY = timedelta(days=1)
ANA = f"google:{CALENDARS[0]}"
SERVICE = STAFF_ROUTE.replace('"full"', '"service"')

CONFIGURED = "the configuration changed"
TOLD = "the booking system changed them, or what they refer to"


def book(shop: Salon, number: int, *, staff: int = 0) -> list[str]:
    """As many appointments, all in calendars."""
    booked = [shop.book(2 + one % 20, 8 + one // 20, staff=staff) for one in range(number)]
    shop.cross()
    return booked


def masses(report: Report) -> list[Attention]:
    return sorted((one for one in report.new if one.what == "mass update"), key=lambda one: one.where)


def told(shop: Salon, reason: str, where: str = ANA) -> Attention:
    return Attention(where=where, what="mass update", id="", reason=reason)


def test_another_presentation_is_told_of_once_and_written_all_the_same(shop: Salon) -> None:
    book(shop, 24)
    shop.configure(SERVICE)
    report = shop.cross()
    assert masses(report) == [told(shop, f"24 of 24 events are updated at once: 24 because {CONFIGURED}")]
    assert (report.exit_code, report.pushed["updated"]) == (1, 24)
    report = shop.cross()
    assert (report.exit_code, len(report.attention), report.new) == (0, 1, frozenset())
    assert shop.cross(DAY).attention == frozenset()


def test_what_the_booking_system_changed_is_not_laid_on_the_configuration(shop: Salon) -> None:
    book(shop, 24)
    shop.sandbox.agendize.world.rename_service(shop.services[0], "Coupe & soin")
    report = shop.cross(DAY)
    assert masses(report) == [told(shop, f"24 of 24 events are updated at once: 24 because {TOLD}")]


def test_of_several_causes_each_is_named_with_its_number(shop: Salon) -> None:
    booked = book(shop, 30)
    with shop.installation() as installation:
        for number, one in enumerate(booked[:6]):
            shop.sandbox.agendize.world.move(one, shop.wall(2 + number, 19))
        shop.clock.pass_by(timedelta(minutes=1))
        bring(installation, Watch())
    shop.configure(SERVICE)
    reason = f"30 of 30 events are updated at once: 30 because {CONFIGURED}"
    assert masses(shop.cross()) == [told(shop, reason)]
    for number, one in enumerate(booked[:22]):
        shop.sandbox.agendize.world.move(one, shop.wall(2 + number, 18))
    assert masses(shop.cross(DAY)) == [told(shop, f"22 of 30 events are updated at once: 22 because {TOLD}")]


def test_an_upgrade_names_what_went_from_which_version_to_which(shop: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    book(shop, 24)
    for module in ("calferry.model", "calferry.wiring"):
        monkeypatch.setattr(f"{module}.FINGERPRINT_VERSION", "next")
    (alarm,) = masses(shop.cross())
    assert alarm.reason.endswith("24 because the fingerprint of events went from version 1 to next")


def test_what_a_user_edited_is_told_of_as_what_it_is(shop: Salon) -> None:
    book(shop, 24)
    with shop.installation() as installation:
        keeper, target = installation.keeper, installation.targets["workspace"]
        found = {one.mark.uid: one for one in target.ours(ANA)}
        keeper.disown(ANA, found, installation.clock.now())
    (alarm,) = masses(shop.cross())
    assert alarm.reason.endswith("24 because what stands there is not what this ledger last wrote")


@pytest.mark.parametrize(("held", "moved"), [(24, 19), (60, 30)])
def test_fewer_than_twenty_and_up_to_half_of_a_calendar_are_daily_work(shop: Salon, held: int, moved: int) -> None:
    booked = book(shop, held)
    for number, one in enumerate(booked[:moved]):
        shop.sandbox.agendize.world.move(one, shop.wall(2 + number, 19))
    report = shop.cross()
    assert (report.pushed["updated"], report.exit_code, report.new) == (moved, 0, frozenset())


def test_it_is_told_of_before_the_first_event_is_written(shop: Salon, caplog: pytest.LogCaptureFixture) -> None:
    book(shop, 24)
    shop.configure(SERVICE)
    with shop.installation() as installation:
        shop.clock.pass_by(timedelta(minutes=1))
        bring(installation, Watch())
        (planned,) = plan(installation)
    assert (
        planned.mass
        == planned.as_json()["mass_update"]
        == f"24 of 24 events are updated at once: 24 because {CONFIGURED}"
    )
    writes = shop.writes
    shop.sandbox.google.faults.add(faults.status(500), match=lambda asked: b"PATCH" in asked.body, times=None)
    with caplog.at_level(logging.INFO, logger="calferry"):
        report = shop.cross()
    assert f"{ANA}: mass update: {planned.mass}" in caplog.messages
    assert masses(report) == [told(shop, planned.mass)]
    assert (shop.writes, report.exit_code) == (writes, Unavailable.exit_code)


def test_each_calendar_is_told_of_by_itself(shop: Salon) -> None:
    book(shop, 24)
    book(shop, 5, staff=1)
    shop.configure(SERVICE)
    assert [one.where for one in masses(shop.cross())] == [ANA]
