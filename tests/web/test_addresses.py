"""Addresses that end stay ended, whoever does what at the same time."""

from __future__ import annotations

from datetime import timedelta

from calferry.feeds import digest_of
from calferry.web import addresses
from tests.web.served import Served

OVERLAP = timedelta(days=14)


def test_an_address_that_was_revoked_is_not_revived_by_a_rotation_or_a_look(web: Served) -> None:
    shelf, feed, now = web.installation.shelf, web.feed(), web.shop.clock.now()
    old = web.token()
    assert addresses.revoke(shelf, feed, now) == 1
    assert not addresses.current(shelf, [feed])[feed.key].holds(now)
    addresses.rotate(shelf, feed, OVERLAP, now)
    ended = shelf.link(digest_of(old))
    assert ended
    assert ended.ends_at == now
    assert addresses.current(shelf, [feed])[feed.key].holds(now)


def test_two_that_give_out_the_first_address_at_once_give_out_the_same(web: Served) -> None:
    shelf, feed = web.installation.shelf, web.feed()
    first = addresses.current(shelf, [feed])[feed.key]
    stale = web.link()
    addresses.revoke(shelf, feed, web.shop.clock.now())
    shelf.add([stale])  # as another process does that looked before the revocation
    assert shelf.link(first.digest) != first


def test_a_second_rotation_shortens_the_first_overlap_at_most(web: Served) -> None:
    shelf, feed, now = web.installation.shelf, web.feed(), web.shop.clock.now()
    web.token()
    addresses.rotate(shelf, feed, OVERLAP, now)
    addresses.rotate(shelf, feed, 2 * OVERLAP, now)
    ends = [link.ends_at for link in shelf.links() if link.feed == feed.key]
    assert ends == [now + OVERLAP, now + 2 * OVERLAP, None]


def test_one_click_links_carry_the_address_whole() -> None:
    links = addresses.one_click("https://calendars.salon.example/feeds/abc.ics", "Salon & Söhne")
    assert links == {
        "Apple and others": "webcal://calendars.salon.example/feeds/abc.ics",
        "Google": "https://calendar.google.com/calendar/r?cid=webcal%3A%2F%2Fcalendars.salon.example%2Ffeeds%2Fabc.ics",
        "Outlook.com": "https://outlook.live.com/calendar/0/addfromweb"
        "?url=https%3A%2F%2Fcalendars.salon.example%2Ffeeds%2Fabc.ics&name=Salon%20%26%20S%C3%B6hne",
        "Microsoft 365": "https://outlook.office.com/calendar/0/addfromweb"
        "?url=https%3A%2F%2Fcalendars.salon.example%2Ffeeds%2Fabc.ics&name=Salon%20%26%20S%C3%B6hne",
    }
