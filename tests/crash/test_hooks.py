"""Killed anywhere while it registers a hook, calferry has one, and knows it, once it is run again."""

from __future__ import annotations

from signal import SIGKILL

import pytest

from tests.crash.conftest import today
from tests.crash.launching import Launcher
from tests.crossing import Salon

WEB = '\n[web]\nurl = "https://calendars.salon.example"\n'
REGISTER = ("hooks", "register", "salon")


def ready(shop: Salon) -> None:
    shop.config.write_text(shop.config.read_text(encoding="utf-8") + WEB, encoding="utf-8")


@pytest.fixture(scope="module")
def instants(launcher: Launcher, tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many instants a registration has."""
    with today(tmp_path_factory.mktemp("counted")) as shop:
        ready(shop)
        ended = launcher.run(shop, *REGISTER)
        assert (ended.exit, len(shop.sandbox.agendize.watchers.all)) == (0, 1)
        return ended.instants


def test_killed_at_any_instant_it_makes_one_hook_in_the_end(
    launcher: Launcher, instants: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert instants >= 8  # two requests, each sent and received
    standing: set[int] = set()
    for instant in range(1, instants + 1):
        with today(tmp_path_factory.mktemp("killed")) as shop:
            ready(shop)
            watchers = shop.sandbox.agendize.watchers.all
            assert launcher.run(shop, *REGISTER, die_at=instant).exit == -SIGKILL
            standing.add(len(watchers))
            made = [one.address for one in watchers.values()]
            assert launcher.run(shop, *REGISTER).exit == 0
            (hook,) = watchers.values()
            assert made in ([], [hook.address])
            assert launcher.run(shop, "hooks", "list").exit == 0
    assert standing == {0, 1}
