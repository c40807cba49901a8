"""A client who is forgotten leaves the feeds as well, tombstones and all."""

from __future__ import annotations

from calferry.keeping import Trace
from calferry.sync.crossing import deliver
from calferry.sync.installation import Watch
from calferry.sync.route import route
from tests.convergence.test_feeds import FEEDS, served
from tests.crossing import Salon

JO = ("Jo", "Roy", "jo@customer.example", "+33 1 00 00 00 00")
WORDS = ("Roy", "jo@customer.example", "+33 1 00", "Allergic")


def shown(shop: Salon) -> list[str]:
    """What the feeds show of her."""
    feed = served(shop)[""]
    return [word for word in WORDS if word.encode() in feed]


def test_a_feed_shows_nothing_of_a_client_who_was_erased(shop: Salon) -> None:
    (shop.home / "feed-secret").write_text("5" * 64, encoding="utf-8")
    shop.configure(FEEDS)
    theirs = [shop.book(3, hour, client=JO, notes="Allergic") for hour in (9, 11)]
    shop.book(4, 9, client=("Li", "Sample", "li@customer.example", ""))
    shop.cross()
    shop.sandbox.agendize.world.cancel(theirs[0])
    shop.cross()
    assert shown(shop)
    with shop.installation() as installation:
        found = installation.keeper.find(Trace(email=JO[2]))
        assert sorted(one.source_id for one in found) == sorted(theirs)
        installation.keeper.erase(Trace(email=JO[2]), [one.uid for one in found], shop.clock.now(), suppress=True)
        for account in installation.accounts:
            route(account, installation, Watch())
        deliver(installation, Watch())
    assert shown(shop) == []
    assert not shop.cross().errors
    assert shown(shop) == []
    assert b"Li Sample" in served(shop)[""]
