"""The secret address of each feed: made, found, replaced, ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import quote

from calferry.feeds import Link, Shelf, digest_of
from calferry.web.catalogue import Feed

PATH = "/feeds/"
SUFFIX = ".ics"


def url_of(root: str, feed: Feed, link: Link) -> str:
    """The address as subscribers paste it; `root` is that of the web server, without a slash at its end."""
    return f"{root}{PATH}{file_of(feed, link)}"


def file_of(feed: Feed, link: Link) -> str:
    return f"{feed.publisher.token(feed.key, link.rotation)}{SUFFIX}"


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


def current(shelf: Shelf, feeds: Iterable[Feed], now: datetime) -> dict[str, Link]:
    """The newest link of each feed, made where there is none. One that was revoked is not made anew.

    Where the secret is another one than before, the links that hold are as of now the ones it makes.
    """
    by_feed: dict[str, list[Link]] = {}
    for link in shelf.links():
        by_feed.setdefault(link.feed, []).append(link)
    newest = {}
    for feed in feeds:
        links = by_feed.get(feed.key) or [_link(feed, rotation=0)]
        for link in links:
            todays = replace(link, digest=_digest(feed, link.rotation))
            if feed.key not in by_feed or (link.holds(now) and link != todays):
                shelf.keep(todays, now)
            newest[feed.key] = todays if link.holds(now) else link
    return newest


def rotate(shelf: Shelf, feed: Feed, overlap: timedelta, now: datetime) -> Link:
    """A new address. Those before it work for as long as `overlap` says, and no longer than they did."""
    links = [link for link in shelf.links() if link.feed == feed.key]
    for link in links:
        if link.holds(now) and (link.ends_at is None or link.ends_at > now + overlap):
            shelf.keep(replace(link, ends_at=now + overlap), now)
    new = _link(feed, rotation=max((link.rotation for link in links), default=-1) + 1)
    shelf.keep(new, now)
    return new


def revoke(shelf: Shelf, feed: Feed, now: datetime) -> int:
    """No address of the feed works any more. Returns how many did."""
    holding = [link for link in shelf.links() if link.feed == feed.key and link.holds(now)]
    for link in holding:
        shelf.keep(replace(link, ends_at=now), now)
    return len(holding)


def _link(feed: Feed, rotation: int) -> Link:
    return Link(feed=feed.key, rotation=rotation, digest=_digest(feed, rotation))


def _digest(feed: Feed, rotation: int) -> str:
    return digest_of(feed.publisher.token(feed.key, rotation))
