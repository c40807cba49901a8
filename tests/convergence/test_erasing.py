"""A client who is forgotten leaves the ledger, the calendars and the feeds: sessions, tombstones and all."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta

from calferry.keeping import Kept, Trace
from calferry.sync.crossing import deliver
from calferry.sync.installation import Watch
from calferry.sync.route import route
from tests.convergence.test_feeds import FEEDS, served
from tests.crossing import CALENDARS, Salon, uid_of_event

ANA = CALENDARS[0]
JO = ("Jo", "Roy", "jo@customer.example", "+33 1 00 00 00 00")
LI = ("Li", "Sample", "li@customer.example", "")
WORDS = ("Roy", "jo@customer.example", "+33 1 00", "Allergic")


def shown(shop: Salon) -> list[str]:
    """What the feeds show of her."""
    feed = served(shop)[""]
    return [word for word in WORDS if word.encode() in feed]


def remembered(shop: Salon) -> list[str]:
    """Where the ledger still has a word of her."""
    with closing(sqlite3.connect(shop.home / "calferry.db")) as ledger:
        tables = [name for (name,) in ledger.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = [(name, row) for name in tables for row in ledger.execute(f'SELECT * FROM "{name}"')]  # noqa: S608
    return [name for name, row in rows for word in WORDS if any(word.encode() in _bytes(value) for value in row)]


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def named(shop: Salon) -> list[str]:
    """The words of her that calendars show."""
    return [word for word in WORDS for calendar in CALENDARS if word in str(shop.ours(calendar))]


def forget(shop: Salon, trace: Trace) -> list[Kept]:
    """As the command does, which finds her suppressed from then on."""
    with shop.installation() as installation:
        found = list(installation.keeper.find(trace))
        installation.keeper.erase(trace, [one.uid for one in found], shop.clock.now(), suppress=True)
        for account in installation.accounts:
            route(account, installation, Watch())
        deliver(installation, Watch())
    return found


def book_class(shop: Salon) -> str:
    """Her booking of a class to which somebody else comes too."""
    shop.book(3, 18, client=LI, meta_event=True)
    return shop.book(3, 18, client=JO, notes="Allergic", meta_event=True)


def test_a_class_still_counts_a_client_who_was_erased_and_does_not_name_her(shop: Salon) -> None:
    book_class(shop)
    shop.book(4, 18, client=JO, notes="Allergic", meta_event=True)
    shop.cross()
    assert remembered(shop)
    found = forget(shop, Trace(email=JO[2]))
    for _ in range(2):
        assert [one["summary"] for one in shop.ours(ANA)] == ["Coupe – 2 booked", "Coupe – 1 booked"]
        assert [one.get("description", "") for one in shop.ours(ANA)] == ["Li Sample", ""]
        assert remembered(shop) == []
        assert not shop.cross().errors
    assert {one.calendars for one in found if not one.listed} == {(f"google:{ANA}",)}  # the classes


def test_who_is_asked_to_forget_a_class_forgets_all_who_come(shop: Salon) -> None:
    book_class(shop)
    shop.cross()
    (event,) = shop.ours(ANA)
    assert len(forget(shop, Trace(ref=uid_of_event(event)))) == 3
    (event,) = shop.ours(ANA)
    assert (event["summary"], "Sample" in str(event), remembered(shop)) == ("Coupe – 2 booked", False, [])


def test_the_ledger_forgets_a_client_though_a_calendar_takes_nothing_just_then(shop: Salon) -> None:
    book_class(shop)
    moved = shop.book(4, 9, client=JO, notes="Allergic")
    shop.cross()
    with shop.installation() as installation:
        installation.ledger.outbox.pause(f"google:{ANA}", "closed", shop.clock.now() + timedelta(hours=1))
    shop.sandbox.agendize.world.move(moved, shop.wall(4, 12))
    shop.cross()
    forget(shop, Trace(email=JO[2]))
    assert (remembered(shop), bool(named(shop))) == ([], True)
    shop.cross(timedelta(hours=2))
    assert named(shop) == []


def test_the_ledger_forgets_a_client_though_deletions_of_hers_wait_for_a_person(shop: Salon) -> None:
    booked = [shop.book(3 + day, 9, client=JO, notes="Allergic") for day in range(4)]
    booked += [shop.book(3 + day, 18, client=JO, notes="Allergic", meta_event=True) for day in range(4)]
    shop.book(9, 9, client=LI)
    shop.cross()
    for one in booked:
        shop.vanish(one)
    shop.cross(timedelta(hours=25))
    forget(shop, Trace(email=JO[2]))
    with shop.installation() as installation:
        assert len(installation.ledger.outbox.held_back()) == 8
    assert remembered(shop) == []


def test_a_feed_shows_nothing_of_a_client_who_was_erased(shop: Salon) -> None:
    (shop.home / "feed-secret").write_text("5" * 64, encoding="utf-8")
    shop.configure(FEEDS)
    theirs = [shop.book(3, hour, client=JO, notes="Allergic") for hour in (9, 11)]
    shop.book(4, 9, client=("Li", "Sample", "li@customer.example", ""))
    shop.cross()
    shop.sandbox.agendize.world.cancel(theirs[0])
    shop.cross()
    assert shown(shop)
    assert sorted(one.source_id for one in forget(shop, Trace(email=JO[2]))) == sorted(theirs)
    assert shown(shop) == []
    assert not shop.cross().errors
    assert shown(shop) == []
    assert b"Li Sample" in served(shop)[""]


def test_a_feed_shows_nothing_of_a_client_whose_class_was_called_off(shop: Salon) -> None:
    (shop.home / "feed-secret").write_text("5" * 64, encoding="utf-8")
    shop.configure(FEEDS)
    booked = shop.book(3, 18, client=JO, meta_event=True)
    shop.cross()
    shop.sandbox.agendize.world.cancel(booked)
    shop.cross()
    forget(shop, Trace(email=JO[2]))
    assert (shown(shop), remembered(shop)) == ([], [])
