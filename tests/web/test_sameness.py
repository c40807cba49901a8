"""The same feed is the same bytes; other bytes are another tag."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calferry.web import addresses
from tests.crossing import Salon, salon
from tests.web.served import ROOT, Served, ferry_to_feeds, served, shown, standing

VALIDATORS = ("etag", "last-modified", "content-length", "content-type")


def test_after_a_restart_every_byte_and_every_validator_is_the_same(web: Served) -> None:
    web.shop.book(5)
    web.shop.book(6, staff=1)
    web.cross()
    paths = [web.path(name) for name in (*web.shop.staff, "everyone")]
    before = [web.get(path) for path in paths]
    web.shop.clock.pass_by(timedelta(minutes=5))
    before = [web.get(path) for path in paths]
    with served(web.shop) as again:
        after = [again.get(path) for path in paths]
    assert [answer.content for answer in after] == [answer.content for answer in before]
    for name in VALIDATORS:
        assert [answer.headers[name] for answer in after] == [answer.headers[name] for answer in before]
    assert [standing(answer.content) for answer in after] == [2, 1, 0, 3]


def test_a_pass_that_finds_nothing_new_changes_no_byte(web: Served) -> None:
    before = web.get()
    for _ in range(3):
        web.cross(timedelta(hours=1))
    after = web.get()
    assert (after.content, after.headers["ETag"]) == (before.content, before.headers["ETag"])
    assert after.headers["Last-Modified"] == before.headers["Last-Modified"]


def test_two_addresses_of_a_feed_differ_in_the_address_alone(web: Served) -> None:
    addresses.rotate(web.installation.shelf, web.feed(), timedelta(days=14), web.shop.clock.now())
    paths = [web.path(rotation=number) for number in (0, 1)]
    old, new = (web.get(path) for path in paths)
    lines = [answer.content.replace(b"\r\n ", b"").split(b"\r\n") for answer in (old, new)]
    other = [pair for pair in zip(*lines, strict=True) if pair[0] != pair[1]]
    assert other == [tuple(f"SOURCE;VALUE=URI:{ROOT}{path}".encode() for path in paths)]
    assert old.headers["ETag"] != new.headers["ETag"]
    assert old.headers["Last-Modified"] == new.headers["Last-Modified"]


def test_nobody_learns_another_feeds_address_from_a_feed(web: Served) -> None:
    web.shop.book(5, staff=1)
    web.cross()
    for name in (*web.shop.staff, "everyone"):
        told = web.get(web.path(name)).content.replace(b"\r\n ", b"")
        assert [one for one in (*web.shop.staff, "everyone") if web.token(one).encode() in told] == [name]


CHANGES = ("book", "move", "notes", "cancel", "restore", "delete", "reassign", "nothing", "day")


def change(shop: Salon, what: str, number: int) -> None:
    world = shop.sandbox.agendize.world
    which = sorted(world.appointments)[number % len(world.appointments)]
    if what == "book":
        shop.book(2 + number, staff=number % 2)
    elif what == "day":
        shop.clock.pass_by(timedelta(days=number))
    elif what == "move":
        world.move(which, shop.wall(3 + number, 9 + number))
    elif what == "notes":
        world.edit_notes(which, f"Note {number}")
    elif what == "reassign":
        world.reassign(which, shop.staff[number % 2])
    elif what != "nothing":
        getattr(world, what)(which)


def test_whatever_happens_a_tag_stands_for_one_sequence_of_bytes(tmp_path_factory: pytest.TempPathFactory) -> None:
    @settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(st.tuples(st.sampled_from(CHANGES), st.integers(0, 8)), min_size=3, max_size=7))
    def followed(changes: list[tuple[str, int]]) -> None:
        tags: dict[str, bytes] = {}
        with salon(tmp_path_factory.mktemp("salon")) as shop:
            ferry_to_feeds(shop)
            shop.book()
            shop.cross()
            with served(shop) as web:
                for what, number in [("nothing", 0), *changes]:
                    change(shop, what, number)
                    web.cross()
                    for name in (*shop.staff[:2], "everyone"):
                        answer = web.get(web.path(name))
                        assert answer.status_code == 200
                        assert tags.setdefault(answer.headers["ETag"], answer.content) == answer.content
        assert len(set(tags.values())) == len(tags)

    followed()


def test_a_combined_feed_shows_each_event_once(web: Served) -> None:
    """One that went from Ana to Ben stands once, and not as cancelled too."""
    (first,) = web.shop.sandbox.agendize.world.appointments
    web.shop.sandbox.agendize.world.reassign(first, web.shop.staff[1])
    web.cross()
    ana, ben, everyone = (shown(web.get(web.path(name)).content) for name in (*web.shop.staff[:2], "everyone"))
    assert (list(ana.values()), list(ben.values())) == (["CANCELLED"], ["CONFIRMED"])
    assert everyone == ben


def test_a_home_of_its_own_for_each_ledger(tmp_path: Path) -> None:
    """The same secret and the same names are the same addresses, in another ledger too."""
    paths = []
    with salon(tmp_path) as shop:
        for ledger in ("one.db", "two.db"):
            ferry_to_feeds(shop, ledger=ledger)
            with served(shop) as web:
                paths.append([web.path("everyone")])
                shop.cross()
                paths[-1] += [web.path(name) for name in shop.staff]
    assert paths[0] == paths[1]
    assert len(set(paths[0])) == 4
