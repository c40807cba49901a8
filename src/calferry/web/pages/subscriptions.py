"""The feeds page: the address of each feed, to click, to scan, to replace and to end."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from calferry.feeds import Link
from calferry.sync.installation import Installation
from calferry.web import addresses
from calferry.web.catalogue import Feed, catalogue
from calferry.web.editions import Editions


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLine:
    """A feed. `url` is "" once it is revoked; `waits` says that it is not served yet; addresses before it work until
    `overlap` (UTC)."""

    key: str
    name: str
    title: str
    url: str
    links: Mapping[str, str]
    waits: bool
    overlap: datetime | None


def feeds(installation: Installation, root: str) -> dict[str, tuple[Feed, Link]]:
    """Every feed with its newest address, by key. Raises Unavailable."""
    known = catalogue(installation, root)
    links = addresses.current(installation.shelf, known.values())
    return {key: (feed, links[key]) for key, feed in known.items()}


def subscriptions(installation: Installation, root: str) -> Sequence[FeedLine]:
    """Raises Unavailable."""
    now, editions = installation.clock.now(), Editions(installation.shelf, installation.clock)
    ends: dict[str, datetime] = {}
    for link in installation.shelf.links():
        if link.ends_at is not None and link.holds(now):
            ends[link.feed] = max(link.ends_at, ends.get(link.feed, link.ends_at))
    return [_line(feed, link, now, editions, ends.get(key)) for key, (feed, link) in feeds(installation, root).items()]


def _line(feed: Feed, link: Link, now: datetime, editions: Editions, overlap: datetime | None) -> FeedLine:
    url = feed.url(link) if link.holds(now) else ""
    return FeedLine(
        key=feed.key,
        name=feed.name,
        title=feed.title,
        url=url,
        links=addresses.one_click(url, feed.title) if url else {},
        waits=editions.waits(feed),
        overlap=overlap,
    )


def qr_code(url: str) -> bytes:
    """For the camera of a phone: an SVG, dark on light whatever the page is."""
    import segno

    drawing = io.BytesIO()
    segno.make(url, micro=False).save(drawing, kind="svg", scale=4, border=3, light="#ffffff", dark="#111111")
    return drawing.getvalue()
