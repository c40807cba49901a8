"""Options that decide what is carried, and whose it is: what another choice would take away waits for a person."""

from __future__ import annotations

from tests.crossing import CALENDARS, STAFF_ROUTE, Salon

ANA, DESK = CALENDARS[0], CALENDARS[3]


def waiting(shop: Salon) -> list[str]:
    """Why deletions wait for a person."""
    with shop.installation() as installation:
        attention = installation.ledger.attention(installation.clock.now())
    return [one.reason for one in attention if one.parked]


def test_the_staffs_own_time_comes_where_a_route_names_it_and_leaves_with_approval_only(shop: Salon) -> None:
    own = [shop.book(day, type="personal") for day in range(1, 4)]
    shop.book(5)
    shop.cross()
    assert len(shop.ours(ANA)) == 1
    shop.configure(STAFF_ROUTE + 'where = { kind = ["*", "personal"] }\n')
    shop.cross()
    assert len(shop.ours(ANA)) == 4
    shop.configure()
    shop.cross()
    shop.sandbox.agendize.world.edit_notes(own[0], "touched")
    shop.cross()
    assert len(shop.ours(ANA)) == 4
    assert ["configuration changed" in reason for reason in waiting(shop)] == [True] * 3
