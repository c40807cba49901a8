"""A salon whose feeds are served over HTTP, in this process and by the salon's clock."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from icalendar import Calendar

from calferry.feeds import Link, Shelf
from calferry.sync.installation import Installation
from calferry.targets import ical
from calferry.web import addresses
from calferry.web.catalogue import Feed, catalogue
from calferry.web.feeds import Feeds, application
from calferry.web.server import bind, root_of, serving
from tests.crossing import Salon

ROOT = "https://calendars.salon.example"
"""The address in front of the server: the same whatever port it listens on."""

SECRET = "5ec7e7" * 8

TARGET = """
[targets.web]
kind = "ical"
secret = { file = "feed-secret" }
title = "Salon: {owner.name}"
combined = { everyone = ["*"] }
"""
ROUTE = """
[routes.feeds]
source = "salon"
target = "web"
calendar = "{owner.key}"
reveal = "full"
"""

LATER = timedelta(minutes=1)


class Guarded:
    """A shelf that asks `ask` before each answer, and tells `told` after each time that something was put on it.
    Both hear the name of the method."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self.ask: Callable[[str], None] = lambda _name: None
        self.told: Callable[[str], None] = lambda _name: None

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._shelf, name)
        if not callable(found):
            return found

        def call(*args: Any) -> Any:
            self.ask(name)
            answer = found(*args)
            if name == "put":
                self.told(name)
            return answer

        return call


@dataclass(frozen=True, kw_only=True)
class Served:
    """Feeds, and a client that follows no redirect and keeps no cookie."""

    shop: Salon
    installation: Installation
    feeds: Feeds
    shelf: Guarded
    client: httpx.Client
    port: int

    def feed(self, name: str = "") -> Feed:
        """The feed of that name; of Ana, where none is given."""
        name = name or self.shop.staff[0]
        return next(feed for feed in catalogue(self.installation, ROOT).values() if feed.name == name)

    def link(self, name: str = "") -> Link:
        feed = self.feed(name)
        return addresses.current(self.installation.shelf, [feed])[feed.key]

    def path(self, name: str = "", rotation: int = 0) -> str:
        """Where the feed is served; the first address is given out by that."""
        feed = self.feed(name)
        self.link(name)
        return f"/feeds/{feed.publisher.token(feed.key, rotation)}.ics"

    def token(self, name: str = "") -> str:
        return self.path(name).removeprefix("/feeds/").removesuffix(".ics")

    def get(self, path: str = "", method: str = "GET", headers: Any = None) -> httpx.Response:
        """What Ana's subscribers get, where no other path is given."""
        return self.client.request(method, path or self.path(), headers=headers)

    def raw(self, request: bytes) -> bytes:
        """The answer to these bytes, as it came over the wire."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(request)
            answer = b""
            while part := connection.recv(65536):
                answer += part
            return answer

    def cross(self, after: timedelta = LATER) -> None:
        """A pass of another process; then some time, so that what is served has a date."""
        self.shop.cross(after)
        self.shop.clock.pass_by(after)


def ferry_to_feeds(shop: Salon, *, target: str = TARGET, route: str = ROUTE, ledger: str = "calferry.db") -> None:
    """Configure the salon to have feeds and nothing else."""
    (shop.home / "feed-secret").write_text(SECRET, encoding="utf-8")
    shop.configure(target + route, ledger=ledger)


@contextmanager
def served(shop: Salon) -> Iterator[Served]:
    with shop.installation() as opened, bind("127.0.0.1", 0) as listening:
        shelf = Guarded(opened.shelf)
        installation = replace(opened, shelf=shelf)
        feeds = Feeds(installation, ROOT)
        with serving(application(feeds), listening), httpx.Client(base_url=root_of(listening), timeout=60) as client:
            yield Served(
                shop=shop,
                installation=installation,
                feeds=feeds,
                shelf=shelf,
                client=client,
                port=listening.getsockname()[1],
            )


def filing_on(served: Served, *, batch: int) -> Installation:
    """The same installation, whose feeds are filed through the guarded shelf, so many events at a time."""
    settings = ical.Settings(secret=SECRET, combined={"everyone": ["*"]})
    target = ical.build("web", settings, clock=served.shop.clock, shelf=served.shelf)
    target.batch = batch
    return replace(served.installation, targets={**served.installation.targets, "web": target})


def shown(content: bytes) -> dict[str, str]:
    """The events of a feed: their status by uid."""
    return {str(event["uid"]): str(event["status"]) for event in Calendar.from_ical(content).walk("VEVENT")}


def standing(content: bytes) -> int:
    """How many events of a feed take place."""
    return sum(status != "CANCELLED" for status in shown(content).values())


def modified(answer: httpx.Response) -> datetime:
    return parsedate_to_datetime(answer.headers["Last-Modified"])
