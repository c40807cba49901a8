"""The secret address of each feed: made, found, replaced, ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from urllib.parse import quote

from calferry.feeds import Link, Shelf, digest_of
from calferry.web.catalogue import Feed


def one_click(url: str, title: str) -> Mapping[str, str]:
    """Links that open a calendar with the subscription filled in, by what they are for.

    Neither Google nor Microsoft documents theirs. Google takes the address with the scheme webcal, Outlook with https.
    """
    webcal = f"webcal://{url.partition('://')[2]}"
    outlook = f"calendar/0/addfromweb?url={quote(url, safe='')}&name={quote(title, safe='')}"
    return {
        "Apple and others": webcal,
        "Google": f"https://calendar.google.com/calendar/r?cid={quote(webcal, safe='')}",
        "Outlook.com": f"https://outlook.live.com/{outlook}",
        "Microsoft 365": f"https://outlook.office.com/{outlook}",
    }


def current(shelf: Shelf, feeds: Iterable[Feed]) -> dict[str, Link]:
    """The newest link of each feed, made where there is none. One that ended stays ended, under any secret."""
    newest: dict[str, dict[str, Link]] = {}
    for link in shelf.links():  # of each feed the newest rotation last
        same = newest.setdefault(link.feed, {})
        if any(other.rotation != link.rotation for other in same.values()):
            same.clear()
        same[link.digest] = link
    links = {feed.key: _of_today(feed, newest.get(feed.key, {})) for feed in feeds}
    shelf.add([link for key, link in links.items() if link.digest not in newest.get(key, {})])
    return links


def rotate(shelf: Shelf, feed: Feed, overlap: timedelta, now: datetime) -> Link:
    """A new address. Those before it work for as long as `overlap` says, and no longer than they did."""
    latest = max((link.rotation for link in shelf.links() if link.feed == feed.key), default=-1)
    link = _link(feed, latest + 1)
    shelf.end(feed.key, now + overlap)
    shelf.add([link])
    return link


def revoke(shelf: Shelf, feed: Feed, now: datetime) -> int:
    """No address of the feed works any more. Returns how many did."""
    return shelf.end(feed.key, now)


def is_of_today(feed: Feed, link: Link) -> bool:
    """Whether the secret in force makes this link: another secret ends every address of before."""
    return digest_of(feed.token(link)) == link.digest


def _of_today(feed: Feed, same: Mapping[str, Link]) -> Link:
    """The link that today's secret makes, of the rotation of those in `same`; ended where one of them has."""
    rotation = next((link.rotation for link in same.values()), 0)
    ends = [link.ends_at for link in same.values() if link.ends_at]
    link = _link(feed, rotation, min(ends, default=None))
    return same.get(link.digest, link)


def _link(feed: Feed, rotation: int, ends_at: datetime | None = None) -> Link:
    digest = digest_of(feed.publisher.token(feed.key, rotation))
    return Link(feed=feed.key, rotation=rotation, digest=digest, ends_at=ends_at)
