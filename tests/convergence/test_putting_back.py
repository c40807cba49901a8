"""A ledger that is put back finds in the calendars what was done after it was copied."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from calferry import wiring
from calferry.keeping import DriftKind
from calferry.store.copies import back_up, restore
from calferry.sync.verify import Repaired, repair, verify
from tests.convergence.test_verifying import ANA, uid
from tests.crossing import Salon

KEY = f"google:{ANA}"


@pytest.fixture
def booked(shop: Salon) -> str:
    """An appointment of Ana's beside another one, in her calendar."""
    booked, _ = shop.book(5, 9), shop.book(6, 9)
    shop.cross()
    return booked


def put_back_after(shop: Salon, happening: Callable[[], object]) -> None:
    """Copy the ledger, let something happen that a pass carries over, and put the copy back."""
    settings = wiring.settings(shop.config)
    back_up(settings.database, shop.home / "copy")
    happening()
    shop.cross()
    restore(settings.database, settings.name, shop.home / "copy", shop.clock.now())


def renewed(shop: Salon, booked: str) -> None:
    """An appointment is called off and comes back: its event is one of the next generation."""
    shop.sandbox.agendize.world.cancel(booked)
    shop.cross()
    shop.sandbox.agendize.world.restore(booked)


def test_an_appointment_that_was_moved_after_the_backup_and_back_before_it_was_put_back_is_shown_where_it_is(
    shop: Salon, booked: str
) -> None:
    world = shop.sandbox.agendize.world
    put_back_after(shop, lambda: world.move(booked, shop.wall(5, 12), 30))
    world.move(booked, shop.wall(5, 9), 30)
    shop.book(7, 9)
    for _ in range(2):
        shop.cross()
    assert shop.verdict().clean


def test_an_event_that_was_written_anew_after_the_backup_is_no_second_one_to_a_verification(
    shop: Salon, booked: str
) -> None:
    put_back_after(shop, lambda: renewed(shop, booked))
    with shop.installation() as installation:
        found = verify(installation, KEY, "workspace")
        assert (found.drifts, repair(installation, found)) == ((), Repaired())
    shop.cross()
    assert shop.standing()[ANA, uid(booked)] == 1
    assert shop.verdict().clean


def test_an_event_that_was_deleted_after_the_backup_comes_back_with_a_repair(shop: Salon, booked: str) -> None:
    world = shop.sandbox.agendize.world
    put_back_after(shop, lambda: world.cancel(booked))
    world.restore(booked)
    shop.cross()
    with shop.installation() as installation:
        found = verify(installation, KEY, "workspace")
        assert [one.kind for one in found.drifts] == [DriftKind.MISSING]
        assert repair(installation, found) == Repaired(due=1)
    shop.cross()
    assert shop.verdict().clean
