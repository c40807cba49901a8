"""Killed while it makes a calendar, calferry makes no second one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from signal import SIGKILL

import pytest

from tests.crash.conftest import today
from tests.crash.launching import Launcher
from tests.crossing import Salon


def ready(shop: Salon) -> None:
    """Three appointments of one member of staff, whose calendar is yet to be made."""
    text = shop.config.read_text(encoding="utf-8")
    text = text.replace("batch = 3", "batch = 3\nown_calendars = true")
    shop.config.write_text(text.replace('"{owner.email}"\nreveal', '"{owner.email}/Work"\nreveal'), encoding="utf-8")
    for day in range(3):
        shop.book(2 + day, 9)


def held(shop: Salon) -> list[int]:
    """How many live events each calendar holds that was made over the API."""
    world = shop.sandbox.google.world
    return [len(list(world.events(one.id))) for one in world.calendars.values() if one.app]


def wait(shop: Salon) -> None:
    """Let the time pass that calferry waits after an attempt whose end it does not know."""
    file = shop.home / "tokens" / "targets.workspace"
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    long_ago = (datetime.now(UTC) - timedelta(minutes=6)).isoformat()
    if "making" in known:
        known["making"] = dict.fromkeys(known["making"], long_ago)
        file.write_text(json.dumps(known), encoding="utf-8")


@pytest.fixture(scope="module")
def making(launcher: Launcher, tmp_path_factory: pytest.TempPathFactory) -> int:
    """The first instant of a run at which the calendar is there."""
    with today(tmp_path_factory.mktemp("counted")) as shop:
        ready(shop)
        before, after = 0, launcher.sync(shop).instants
        assert held(shop) == [3]
    while after - before > 1:
        instant = (before + after) // 2
        with today(tmp_path_factory.mktemp("sought")) as shop:
            ready(shop)
            launcher.sync(shop, die_at=instant)
            before, after = (before, instant) if held(shop) else (instant, after)
    return after


@pytest.mark.parametrize("step", range(-2, 4))
def test_a_run_that_is_killed_around_the_making_of_a_calendar_makes_one(
    launcher: Launcher, making: int, tmp_path: Path, step: int
) -> None:
    with today(tmp_path) as shop:
        ready(shop)
        shop.sandbox.google.switches.listings_lag = timedelta(hours=step % 2)
        assert launcher.sync(shop, die_at=making + step).exit == -SIGKILL
        assert len(held(shop)) <= 1  # what was sent may still be on its way when the process is gone
        launcher.sync(shop)
        assert len(held(shop)) <= 1
        wait(shop)
        shop.sandbox.google.switches.listings_lag = timedelta(0)
        _unpaused(shop)
        launcher.sync(shop)
        assert held(shop) == [3]


def _unpaused(shop: Salon) -> None:
    """The pause of the calendar is over as well."""
    import sqlite3

    with sqlite3.connect(shop.home / "calferry.db") as ledger:
        ledger.execute("update calendars set paused_until = null")
        ledger.execute("update intents set not_before = null")
