"""The service in this process: what changes while it runs is served soon after, and an outage is said once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from threading import Event

import pytest

from calferry import schedule
from calferry.sandbox import Request, faults
from calferry.schedule import Schedule
from calferry.sync.installation import Rhythm
from tests.web.served import LATER, Served, standing

PATIENCE = 20.0
"""Seconds; much less than the minute after which everything is looked after anyway."""


@contextmanager
def crossing(web: Served) -> Iterator[None]:
    """The schedule of a service that asks its booking system all the time."""
    often = Rhythm(every=timedelta(milliseconds=50), past=timedelta(days=7), future=timedelta(days=60))
    accounts = tuple(replace(account, rhythm=often) for account in web.installation.accounts)
    planned = Schedule(replace(web.installation, accounts=accounts), Event())
    planned.start()
    try:
        yield
    finally:
        assert planned.stop()


def soon(web: Served, path: str, expected: int) -> bool:
    """Whether the feed comes to show so many events that take place."""
    deadline = time.monotonic() + PATIENCE
    answer = web.get(path)
    while time.monotonic() < deadline and (answer.status_code != 200 or standing(answer.content) != expected):
        web.shop.clock.pass_by(timedelta(seconds=1))
        answer = web.get(path)
    return answer.status_code == 200 and standing(answer.content) == expected


def asked(web: Served, times: int) -> Callable[[], bool]:
    """Wait with what is returned until the booking system was asked so many times more."""
    enough = Event()
    left = [times]

    def count(moment: str, _: Request) -> None:
        left[0] -= moment == "after"
        if left[0] <= 0:
            enough.set()

    web.shop.sandbox.agendize.on_request = count
    return lambda: enough.wait(PATIENCE)


def test_what_changes_while_it_runs_is_served_soon_after(web: Served) -> None:
    path, everyone = web.path(), web.path("everyone")
    world = web.shop.sandbox.agendize.world
    with crossing(web):
        booked = web.shop.book(5)
        assert soon(web, path, 2)
        world.reassign(booked, web.shop.staff[1])
        assert soon(web, path, 1)
        assert soon(web, everyone, 2)
        world.cancel(booked)
        assert soon(web, everyone, 1)


def test_an_outage_of_the_booking_system_is_said_once_and_once_when_it_is_over(
    web: Served, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "calferry")
    monkeypatch.setattr(schedule, "PUSH_EVERY", timedelta(milliseconds=50))
    path, before = web.path(), web.get()
    web.shop.sandbox.agendize.faults.add(faults.status(500), times=None)
    with crossing(web):
        assert asked(web, 8)()
        web.shop.clock.pass_by(LATER)
        assert web.get(path).content == before.content
        web.shop.sandbox.agendize.faults.clear()
        assert asked(web, 8)()
    ours = [record.getMessage() for record in caplog.records if record.name == "calferry.schedule"]
    assert len([line for line in ours if "GET 127.0.0.1" in line]) == 1
    assert [line for line in ours if "well again" in line] == ["salon: well again"]
