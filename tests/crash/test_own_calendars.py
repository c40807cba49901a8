"""Killed while it makes a calendar, calferry makes no second one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from signal import SIGKILL

import pytest

from tests.crash.conftest import Launcher, today
from tests.crossing import Salon

KILLS = 16


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
def instants(launcher: Launcher, tmp_path_factory: pytest.TempPathFactory) -> int:
    with today(tmp_path_factory.mktemp("counted")) as shop:
        ready(shop)
        ended = launcher.sync(shop)
        assert (ended.exit, held(shop)) == (0, [3])
        return ended.instants


@pytest.mark.parametrize("kill", range(KILLS))
@pytest.mark.parametrize("lag", [timedelta(0), timedelta(hours=1)])
def test_a_run_that_is_killed_makes_one_calendar(
    launcher: Launcher, instants: int, tmp_path: Path, kill: int, lag: timedelta
) -> None:
    """In the second half of a run, which is spent on the calendar."""
    with today(tmp_path) as shop:
        ready(shop)
        shop.sandbox.google.switches.listings_lag = lag
        die_at = instants // 2 + (kill + 1) * (instants // 2) // (KILLS + 1)
        assert launcher.sync(shop, die_at=die_at).exit == -SIGKILL
        assert len(held(shop)) <= 1
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
