"""Each trouble is told once, and once more when it is over: over days, restarts, and channels that fail."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from calferry.alerts.channels import Email
from calferry.alerts.lookout import Lookout
from calferry.alerts.notice import Item, Notice
from calferry.errors import Unavailable
from calferry.model import label_of
from calferry.ports import Expiry
from calferry.sandbox import faults
from calferry.sync.crossing import run
from calferry.sync.installation import Installation, Watch
from calferry.sync.troubles import Kind
from tests.alerts.post import MailServer, open_for_post
from tests.crossing import CALENDARS, Salon, salon

HOUR, MINUTES = timedelta(hours=1), timedelta(minutes=10)
ANA = f"calendar {label_of('salon', f'google:{CALENDARS[0]}')}"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Salon]:
    with salon(tmp_path) as opened:
        yield opened


class Ear:
    """A channel that keeps what it is told, unless it is `deaf`."""

    def __init__(self, name: str = "ear") -> None:
        self.name = name
        self.deaf = False
        self.heard: list[Notice] = []

    def send(self, notice: Notice) -> None:
        if self.deaf:
            msg = f"alerts.{self.name} could not be reached"
            raise Unavailable(msg)
        self.heard.append(notice)

    @property
    def items(self) -> list[Item]:
        return [item for notice in self.heard for item in notice.items]

    @property
    def told(self) -> list[tuple[Kind, str, bool]]:
        return [(item.kind, item.where, item.over) for item in self.items]


@contextmanager
def restarted(shop: Salon, *ears: Ear) -> Iterator[tuple[Installation, Lookout]]:
    with shop.installation() as installation:
        yield installation, Lookout(installation, ears, HOUR)


def pass_time(shop: Salon, span: timedelta, *ears: Ear) -> None:
    """A new process, with a pass every ten minutes and a look after each."""
    with restarted(shop, *ears) as (installation, lookout):
        for _ in range(span // MINUTES):
            shop.clock.pass_by(MINUTES)
            run(installation, Watch())
            lookout.look()


def break_calendars(shop: Salon) -> None:
    """Signing in goes on working: google-auth would wait for it."""
    shop.sandbox.google.faults.add(faults.status(503), match=lambda asked: asked.path != "/token", times=None)


# ── once, and once more ───────────────────────────────────────────────────────────────────────────────────────────────


def test_all_is_well_and_nobody_hears_of_it(shop: Salon) -> None:
    shop.book()
    ear = Ear()
    pass_time(shop, 2 * HOUR, ear)
    assert ear.heard == []


def test_a_calendar_that_is_not_in_step_is_told_after_its_limit_once_and_once_when_it_is_again(shop: Salon) -> None:
    ear = Ear()
    shop.book()
    break_calendars(shop)
    pass_time(shop, HOUR, ear)
    assert ear.heard == []
    pass_time(shop, HOUR, ear)
    shop.sandbox.google.faults.clear()
    pass_time(shop, HOUR, ear)
    assert ear.told == [(Kind.BEHIND, ANA, False), (Kind.BEHIND, ANA, True)]
    first, last = ear.items
    assert ear.heard[0].at - first.since >= HOUR
    assert last.since == first.since


def test_a_calendar_that_recovers_in_time_is_no_matter_for_anybody(shop: Salon) -> None:
    ear = Ear()
    for _ in range(4):
        shop.book(3, 9)
        break_calendars(shop)
        pass_time(shop, HOUR / 2, ear)
        shop.sandbox.google.faults.clear()
        pass_time(shop, HOUR / 2, ear)
    assert ear.heard == []


def test_a_booking_system_that_is_down_is_told_as_one_trouble_not_as_one_a_calendar(shop: Salon) -> None:
    ear = Ear()
    shop.book()
    pass_time(shop, MINUTES, ear)
    shop.sandbox.agendize.faults.add(faults.status(500), times=None)
    pass_time(shop, 3 * HOUR, ear)
    shop.sandbox.agendize.faults.clear()
    pass_time(shop, MINUTES, ear)
    assert ear.told == [(Kind.STALE, "sources.salon", False), (Kind.STALE, "sources.salon", True)]


def test_parked_work_is_told_at_once_and_again_when_there_is_more_of_it(shop: Salon) -> None:
    ear = Ear()
    booked = [shop.book(day, hour) for day in (2, 3, 4) for hour in (9, 10, 11)]
    pass_time(shop, MINUTES, ear)
    routes = shop.config.read_text(encoding="utf-8")
    shop.config.write_text(routes.replace('reveal = "full"', 'reveal = "full"\nwhere = { service = "Épi*" }'))
    pass_time(shop, HOUR, ear)
    ((kind, where, over),) = ear.told
    assert (kind, where, over, ear.items[0].size) == (Kind.PARKED, ANA, False, len(booked))
    shop.config.write_text(routes)
    pass_time(shop, HOUR, ear)
    assert ear.told[1:] == [(Kind.PARKED, ANA, True)]


def test_a_quarantine_is_told_again_only_when_it_has_doubled(shop: Salon) -> None:
    ear = Ear()
    nobody = shop.sandbox.agendize.world.add_staff("13772899", "Nobody", "Sample", "")
    shop.staff = (*shop.staff, nobody)
    for hour in (8, 9, 10, 11):
        shop.book(3, hour, staff=3)
        pass_time(shop, MINUTES, ear)
    assert [item.size for item in ear.items] == [1, 2, 4]
    assert {(item.kind, item.where) for item in ear.items} == {(Kind.UNROUTED, "sources.salon")}


def test_what_comes_on_top_of_what_was_settled_is_told_though_there_were_more_before(shop: Salon) -> None:
    ear = Ear()
    nobody = shop.sandbox.agendize.world.add_staff("13772899", "Nobody", "Sample", "")
    shop.staff = (*shop.staff, nobody)
    booked = [shop.book(3, hour, staff=3) for hour in (8, 9, 10, 11)]
    pass_time(shop, MINUTES, ear)
    for appointment in booked[1:]:
        shop.sandbox.agendize.world.reassign(appointment, shop.staff[0])
    pass_time(shop, MINUTES, ear)
    shop.book(3, 12, staff=3)
    pass_time(shop, MINUTES, ear)
    assert [item.size for item in ear.items] == [4, 2]


class Certified:
    """A target whose credential ends at some time."""

    def __init__(self, target: Any, left: timedelta, shop: Salon) -> None:
        self._target, self._end = target, shop.clock.time + left

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)

    def expiry(self) -> Expiry:
        return Expiry(what="the certificate", at=self._end, remedy="renew it")


def test_a_credential_is_told_of_two_weeks_before_it_runs_out_and_once_it_has(shop: Salon) -> None:
    ear = Ear()
    with shop.installation() as installation:
        target = Certified(installation.targets["workspace"], timedelta(days=20), shop)
        lookout = Lookout(replace(installation, targets={"workspace": target}), [ear], HOUR)
        shop.cross()
        for _ in range(21):
            shop.cross(timedelta(days=1))
            lookout.look()
    told = [(item.kind, item.over) for item in ear.items if item.kind in {Kind.EXPIRING, Kind.EXPIRED}]
    assert told == [(Kind.EXPIRING, False), (Kind.EXPIRED, False)]


# ── channels that fail ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_channel_that_fails_is_told_again_and_the_other_one_hears_it_once(
    shop: Salon, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "calferry.alerts")
    good, bad = Ear("good"), Ear("bad")
    bad.deaf = True
    shop.book()
    break_calendars(shop)
    pass_time(shop, HOUR + MINUTES, good, bad)
    with restarted(shop, good, bad) as (_, lookout):
        for _ in range(3):
            lookout.look()
        assert (len(good.heard), len(bad.heard)) == (1, 0)
        assert caplog.text.count("alerts.bad could not be reached; it is tried again") == 2  # once a process
        bad.deaf = False
        lookout.look()
    assert "alerts.bad: well again" in caplog.text
    assert good.told == bad.told == [(Kind.BEHIND, ANA, False)]


def test_what_was_over_before_a_channel_heard_of_it_is_not_told_there(shop: Salon) -> None:
    ear = Ear()
    ear.deaf = True
    shop.book()
    break_calendars(shop)
    pass_time(shop, 2 * HOUR, ear)
    shop.sandbox.google.faults.clear()
    pass_time(shop, MINUTES, ear)
    ear.deaf = False
    pass_time(shop, HOUR, ear)
    assert ear.heard == []


class Bug(Ear):
    def send(self, notice: Notice) -> None:
        raise ZeroDivisionError(notice.subject)


def test_a_channel_with_a_bug_stops_no_other(shop: Salon, caplog: pytest.LogCaptureFixture) -> None:
    bug, ear = Bug("bug"), Ear()
    nobody = shop.sandbox.agendize.world.add_staff("13772899", "Nobody", "Sample", "")
    shop.staff = (*shop.staff, nobody)
    shop.book(staff=3)
    pass_time(shop, MINUTES, bug, ear)
    assert ear.told == [(Kind.UNROUTED, "sources.salon", False)]
    assert "alerts.bug failed in a way calferry does not know (ZeroDivisionError); it is tried again" in caplog.text


# ── a day ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_day_with_two_outages_is_four_messages(shop: Salon) -> None:
    """Twenty-four hours by the clock of the salon, a pass every ten minutes; the mail server is a real one."""
    with open_for_post(MailServer()) as post:
        there = {"host": "127.0.0.1", "security": "none"}
        mail = Email(to=["desk@salon.example"], sender="calferry@salon.example", port=post.port, **there)
        with shop.installation() as installation:
            lookout = Lookout(installation, [mail], HOUR)
            for number in range(24 * 6):
                if number % 12 == 0:
                    shop.book(3 + number // 72, 9 + number // 12 % 6)
                if number in (30, 90):
                    shop.sandbox.agendize.faults.add(faults.status(502), times=None)
                if number in (48, 108):
                    shop.sandbox.agendize.faults.clear()
                shop.clock.pass_by(MINUTES)
                run(installation, Watch())
                lookout.look()
    assert [str(message["Subject"]) for message in post.messages] == [
        "calferry salon: sources.salon could not be read to its end",
        "calferry salon: over: sources.salon could not be read to its end",
    ] * 2
    assert shop.verdict().clean
