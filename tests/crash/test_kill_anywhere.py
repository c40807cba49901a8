"""Killed at any instant, calferry loses nothing and doubles nothing: the next run goes on from there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from signal import SIGKILL

import pytest

from tests.crash.conftest import today
from tests.crash.launching import Launcher
from tests.crossing import CALENDARS, Salon
from tests.office import Desk, Office

Situation = Callable[[Launcher, Salon], None]


def first_day(_: Launcher, shop: Salon) -> None:
    """Nothing was ever ferried; people have a life of their own in their calendars."""
    for number in range(8):
        shop.book(2 + number, 9 + number % 5, staff=number % 3, service=shop.services[number % 2])
    for calendar in CALENDARS:
        start = shop.clock.time.replace(hour=12, minute=0)
        shop.add_foreign_event(calendar, "Dentist", start, start.replace(minute=45))


def any_day(launcher: Launcher, shop: Salon) -> None:
    """All was ferried; since then some came, some went, one moved, one was given to somebody else."""
    first_day(launcher, shop)
    assert launcher.sync(shop).exit == 0
    world = shop.sandbox.agendize.world
    first, second, third, fourth, fifth, *_ = world.appointments
    shop.book(12, 9, staff=0)
    shop.book(12, 10, staff=1)
    world.move(first, shop.wall(14, 16))
    world.edit_notes(second, "Prefers the quiet room")
    world.cancel(third)
    world.delete(fourth)
    world.reassign(fifth, shop.staff[0])


def any_day_after_a_while(launcher: Launcher, shop: Salon) -> None:
    """The same, and the tokens for the calendars have ended meanwhile."""
    any_day(launcher, shop)
    shop.sandbox.graph.world.expire_access_tokens()


SITUATIONS: tuple[tuple[type[Salon], Situation], ...] = (
    *((Salon, first_day), (Salon, any_day)),
    *((Office, first_day), (Office, any_day), (Desk, any_day_after_a_while)),
)


@pytest.fixture(scope="module")
def instants(launcher: Launcher, tmp_path_factory: pytest.TempPathFactory) -> list[int]:
    """How many instants an unhindered run has, in each situation."""
    counted = []
    for kind, situation in SITUATIONS:
        with today(tmp_path_factory.mktemp("counted"), kind) as shop:
            situation(launcher, shop)
            ended = launcher.sync(shop)
            assert ended.exit == 0
            assert shop.verdict().clean
            counted.append(ended.instants)
    return counted


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kill" in metafunc.fixturenames:
        kills = metafunc.config.getoption("--kills")
        metafunc.parametrize("kill", [pytest.param((n, kills), id=f"{n + 1}-of-{kills}") for n in range(kills)])


def test_a_run_that_is_killed_loses_nothing_and_doubles_nothing(
    launcher: Launcher, instants: list[int], tmp_path: Path, kill: tuple[int, int]
) -> None:
    kind, situation, die_at = _spread(kill, instants)
    with today(tmp_path, kind) as shop:
        situation(launcher, shop)
        killed = launcher.sync(shop, die_at=die_at)
        assert (killed.exit, killed.instants) == (-SIGKILL, die_at)
        _no_harm_done(shop)
        ends = [launcher.sync(shop).exit for _ in range(2)]
        assert ends[-1] == 0, (ends, killed)
        assert shop.verdict().clean, (shop.verdict(), killed)
        writes = shop.writes
        assert launcher.sync(shop).exit == 0
        assert shop.writes == writes


@pytest.mark.parametrize("kind", [Salon, Office])
def test_all_kinds_of_instants_are_met(launcher: Launcher, tmp_path: Path, kind: type[Salon]) -> None:
    with today(tmp_path, kind) as shop:
        first_day(launcher, shop)
        met = {launcher.sync(shop, die_at=instant).last for instant in range(1, 40)}
    moments = {f"{when} {what}" for when in ("before", "after") for what in ("send", "receive", "commit")}
    assert met == moments


@pytest.mark.parametrize("kind", [Salon, Office, Desk])
def test_killed_again_and_again_at_the_same_instant_it_still_arrives(
    launcher: Launcher, tmp_path: Path, kind: type[Salon]
) -> None:
    with today(tmp_path, kind) as shop:
        any_day(launcher, shop)
        for instant in range(1, 120, 7):
            launcher.sync(shop, die_at=instant)
            _no_harm_done(shop)
        launcher.sync(shop)
        assert launcher.sync(shop).exit == 0
        assert shop.verdict().clean, shop.verdict()


def test_what_was_sent_and_called_off_before_the_next_run_is_taken_away_again(
    launcher: Launcher, instants: list[int], tmp_path: Path
) -> None:
    """Killed between a request and its receipt: only the intent knows of the event that is there."""
    with today(tmp_path) as shop:
        first_day(launcher, shop)
        for die_at in range(1, instants[0] + 1):
            ended = launcher.sync(shop, die_at=die_at)
            if ended.last == "after receive" and shop.standing():
                break
        orphan_candidates = shop.standing().total()
        for booked in list(shop.sandbox.agendize.world.appointments):
            shop.sandbox.agendize.world.cancel(booked)
        ends = [launcher.sync(shop).exit for _ in range(2)]
        assert orphan_candidates
        assert (ends[-1], shop.standing().total()) == (0, 0)


def _spread(kill: tuple[int, int], instants: list[int]) -> tuple[type[Salon], Situation, int]:
    """The n-th of so many kills, spread evenly over the instants of all situations one after another."""
    number, kills = kill
    instant = number * sum(instants) // kills
    for (kind, situation), length in zip(SITUATIONS, instants, strict=True):
        if instant < length:
            return kind, situation, instant + 1
        instant -= length
    raise AssertionError


def _no_harm_done(shop: Salon) -> None:
    """What must hold even in the ruins: nothing doubled in a calendar, nothing of other people's touched, no mail."""
    assert max(shop.standing().values(), default=0) <= 1
    verdict = shop.verdict()
    assert (verdict.foreign_touched, verdict.mails, verdict.reminder_mails) == (0, 0, 0)
