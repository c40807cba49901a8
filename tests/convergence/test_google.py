"""What only Google does to a pass: quotas, and calendars that calferry makes itself."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from calferry.errors import NotAuthorised, Unavailable
from calferry.sandbox import faults
from calferry.sandbox.faults import matching
from calferry.sandbox.google import part_status
from calferry.sandbox.messages import Request
from tests.crossing import CALENDARS, Salon

ANA, BEN, EVA, DESK = CALENDARS
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def stocked(shop: Salon) -> None:
    """Two appointments for each of the staff."""
    for number in range(6):
        shop.book(2 + number, 9, staff=number % 3)


def of_our_own(shop: Salon) -> None:
    """From now on calferry makes the calendars itself."""
    text = shop.config.read_text(encoding="utf-8")
    text = text.replace("batch = 3", "batch = 3\nown_calendars = true").replace(
        '"{owner.email}"\nreveal', '"{owner.email}/Appointments"\nreveal'
    )
    shop.config.write_text(text, encoding="utf-8")


def made(shop: Salon) -> Counter[tuple[str, str, int]]:
    """Whose calendars were made over the API, under which title, and how many live events they hold."""
    world = shop.sandbox.google.world
    return Counter(
        (one.owner, one.summary, len(list(world.events(one.id)))) for one in world.calendars.values() if one.app
    )


# ── quota ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_whose_quota_is_used_up_is_left_alone_for_hours_while_the_others_go_on(shop: Salon) -> None:
    stocked(shop)

    def hers(request: Request) -> bool:
        return request.method != "GET" and ANA.replace("@", "%40") in request.path

    shop.sandbox.google.part_faults.add(part_status(403, "quotaExceeded"), match=hers, times=None)
    report = shop.cross()
    assert report.exit_code == Unavailable.exit_code
    assert report.pushed["created"] == 4
    with shop.installation() as installation:
        (paused,) = installation.ledger.attention(installation.clock.now())
    assert (paused.where, paused.what) == (f"google:{ANA}", "paused")
    assert "quota" in paused.reason
    shop.sandbox.google.part_faults.clear()
    for _ in range(3):
        shop.book(20, 9, staff=0)
        shop.sandbox.google.forget_requests()
        shop.cross(HOUR)
        assert shop.sandbox.google.requests == 0
    assert shop.cross(HOUR + timedelta(minutes=5)).pushed["created"] == 5
    assert shop.verdict().clean


def test_a_project_whose_day_is_used_up_is_left_alone_for_all(shop: Salon) -> None:
    stocked(shop)
    shop.sandbox.google.part_faults.add(part_status(403, "dailyLimitExceeded"))
    shop.cross()
    batches = shop.sandbox.google.kinds["batch"]
    assert batches == 1
    shop.cross(HOUR)
    assert shop.sandbox.google.kinds["batch"] == batches
    shop.cross(4 * HOUR)
    shop.cross()
    assert shop.verdict().clean


# ── calendars of our own ──────────────────────────────────────────────────────────────────────────────────────────────


def test_each_of_the_staff_gets_a_calendar_that_calferry_makes(shop: Salon) -> None:
    of_our_own(shop)
    stocked(shop)
    assert shop.cross().exit_code == 0
    assert made(shop) == {(user, "Appointments", 2): 1 for user in (ANA, BEN, EVA)}
    assert shop.quiet_requests() == (1, 0)


@pytest.mark.parametrize("lag", [timedelta(0), timedelta(minutes=4)])
@pytest.mark.parametrize("fault", [faults.lost_reply(), faults.dropped(), faults.truncated()])
def test_a_calendar_whose_making_was_not_answered_is_there_once_in_the_end(
    shop: Salon, fault: faults.Fault, lag: timedelta
) -> None:
    of_our_own(shop)
    stocked(shop)
    shop.sandbox.google.switches.listings_lag = lag
    shop.sandbox.google.faults.add(fault, match=matching("/calendars", "POST"), after=1)
    assert shop.cross().exit_code == Unavailable.exit_code
    for _ in range(8):
        shop.cross(timedelta(minutes=2))
    assert made(shop) == {(user, "Appointments", 2): 1 for user in (ANA, BEN, EVA)}


def test_a_calendar_of_our_own_that_is_deleted_stops_no_other_and_is_not_made_again(shop: Salon) -> None:
    of_our_own(shop)
    stocked(shop)
    shop.cross()
    world = shop.sandbox.google.world
    world.delete_calendar(next(one.id for one in world.calendars.values() if one.app and one.owner == ANA))
    for staff in range(3):
        shop.book(30, 9, staff=staff)
    assert shop.cross().exit_code == NotAuthorised.exit_code
    assert made(shop) == {(user, "Appointments", 3): 1 for user in (BEN, EVA)}
    with shop.installation() as installation:
        reasons = [one.reason for one in installation.ledger.attention(installation.clock.now())]
    assert any("restores it" in reason and "`calferry connect workspace`" in reason for reason in reasons)
    shop.cross(DAY)
    assert made(shop) == {(user, "Appointments", 3): 1 for user in (BEN, EVA)}
