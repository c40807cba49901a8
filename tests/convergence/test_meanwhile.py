"""A pass that comes between reading a calendar and doing something about it is not undone."""

from __future__ import annotations

from datetime import timedelta

from calferry.sync.crossing import run
from calferry.sync.installation import Installation, Watch
from calferry.sync.tend import react
from calferry.sync.verify import repair, verify
from tests.convergence.test_tending import salon_with
from tests.convergence.test_verifying import ANA, href, uid
from tests.crossing import Salon

KEY = f"google:{ANA}"


def written_anew(shop: Salon, installation: Installation, booked: str) -> None:
    """Its user deleted an event; its appointment is moved, so a pass creates it under the next generation."""
    shop.sandbox.agendize.world.move(booked, shop.wall(9, 15), 45)
    shop.clock.pass_by(timedelta(minutes=1))
    assert not run(installation, Watch()).errors


def test_an_event_that_a_pass_wrote_anew_is_not_taken_for_one_whose_absence_is_respected(shop: Salon) -> None:
    first, _ = salon_with(shop, on_user_delete="respect")
    shop.sandbox.google.world.user_deletes(ANA, href(shop, first))
    with shop.installation() as installation:
        found = verify(installation, KEY, "workspace")
        written_anew(shop, installation, first)
        assert react(installation, found)["respected"] == 0
    shop.sandbox.agendize.world.cancel(first)
    shop.cross()
    assert shop.verdict().clean


def test_an_event_that_a_pass_wrote_anew_is_not_doubled_by_a_repair(shop: Salon) -> None:
    first, _ = salon_with(shop)
    google = shop.sandbox.google.world
    google.user_edits(ANA, href(shop, first), summary="Mine")
    with shop.installation() as installation:
        found = verify(installation, KEY, "workspace")
        google.user_deletes(ANA, href(shop, first))
        written_anew(shop, installation, first)
        assert repair(installation, found).due == 0
    shop.sandbox.agendize.world.move(first, shop.wall(9, 17), 45)
    shop.cross()
    assert shop.standing()[ANA, uid(first)] == 1
    assert shop.verdict().clean


def test_an_event_that_a_pass_wrote_anew_is_not_restored_as_it_was(shop: Salon) -> None:
    first, _ = salon_with(shop, on_user_edit="restore")
    google = shop.sandbox.google.world
    google.user_edits(ANA, href(shop, first), summary="Mine")
    with shop.installation() as installation:
        found = verify(installation, KEY, "workspace")
        google.user_deletes(ANA, href(shop, first))
        written_anew(shop, installation, first)
        assert react(installation, found)["restored"] == 0
    shop.cross()
    assert shop.verdict().clean
