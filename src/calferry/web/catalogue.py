"""Which feeds there are: those that routes lead to, those that hold something, and those that combine others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

from calferry.errors import Refused
from calferry.feeds import Link, Publisher
from calferry.model import Owner
from calferry.rules import Route, destinations, owner_of
from calferry.sync.installation import Installation

COMBINED = "combined"
PATH, SUFFIX = "/feeds/", ".ics"


@dataclass(frozen=True, kw_only=True)
class Feed:
    """What can be subscribed to. `key` is a calendar's key (`ical:1182`) or `combined:name`.

    `calendars` (keys) are those it shows, `sources` (keys) the booking accounts whose appointments may get there,
    `root` is the address of the web server, without a slash at its end.
    """

    key: str
    title: str
    calendars: tuple[str, ...]
    sources: tuple[str, ...]
    publisher: Publisher
    root: str

    @property
    def name(self) -> str:
        return self.key.partition(":")[2]

    @cached_property
    def look(self) -> str:
        """A digest of all that subscribers see besides the events themselves and the secret of their address."""
        parts = [self.publisher.head(self.title, self.root).decode(), self.calendars, repr(self.publisher.shown)]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def token(self, link: Link) -> str:
        return self.publisher.token(self.key, link.rotation)

    def file(self, link: Link) -> str:
        """The last part of an address."""
        return f"{self.token(link)}{SUFFIX}"

    def url(self, link: Link) -> str:
        """The address as subscribers paste it."""
        return f"{self.root}{PATH}{self.file(link)}"


def catalogue(installation: Installation, root: str) -> dict[str, Feed]:
    """All feeds by key, calendars before combinations of them; of two with one key the first target's."""
    feeds: dict[str, Feed] = {}
    for publisher in publishers(installation):
        sources = _sources(installation, publisher)
        singles = {
            calendar: Feed(
                key=calendar,
                title=publisher.title(owner or calendar.partition(":")[2]),
                calendars=(calendar,),
                sources=sources,
                publisher=publisher,
                root=root,
            )
            for calendar, owner in _calendars_of(installation, publisher).items()
            if calendar not in feeds
        }
        feeds |= singles
        feeds |= {feed.key: feed for feed in _combined(publisher, sources, singles, root) if feed.key not in feeds}
    return feeds


def is_settled(installation: Installation) -> bool:
    """Whether it is known which feeds there are: every account that leads to one was pulled to its end. After the
    ledger was lost, it takes a pass until then."""
    names = {publisher.name for publisher in publishers(installation)}
    leading = (one for one in installation.accounts if any(route.target in names for route in one.routes))
    return all(installation.ledger.intake.last(one.source.key, "pull") is not None for one in leading)


def publishers(installation: Installation) -> Iterator[Publisher]:
    return (target for target in installation.targets.values() if isinstance(target, Publisher))


def _sources(installation: Installation, publisher: Publisher) -> tuple[str, ...]:
    accounts = installation.accounts
    return tuple(one.source.key for one in accounts if any(route.target == publisher.name for route in one.routes))


def _calendars_of(installation: Installation, publisher: Publisher) -> dict[str, str]:
    """The calendars of a publisher, with the name of their owner; "" where it is nobody's or more than one's.

    Those that hold something stay, though no route leads there any more: what was served goes on being served.
    """
    owners: dict[str, set[str]] = {calendar: set() for calendar in _left(installation, publisher)}
    for account in installation.accounts:
        staff = [
            owner_of(one)
            for one in installation.ledger.routing.resources_of_kind(account.source.key, "staff")
            if not one.fields.get("deleted")
        ]
        for route in account.routes:
            if route.target == publisher.name:
                for calendar, owner in _destinations(route, staff, publisher):
                    owners.setdefault(calendar, set()).add(owner)
    return {calendar: names.pop() if len(names) == 1 else "" for calendar, names in sorted(owners.items())}


def _left(installation: Installation, publisher: Publisher) -> Iterator[str]:
    """The calendars that hold something of this publisher's; of a target that left the file, the first one's."""
    mine = {publisher.name}
    if publisher is next(publishers(installation)):
        mine |= {*installation.shelf.calendars().values()} - {other.name for other in publishers(installation)}
    return (calendar for calendar, target in installation.shelf.calendars().items() if target in mine)


def _destinations(route: Route, staff: list[Owner], publisher: Publisher) -> Iterator[tuple[str, str]]:
    """Each calendar that a route leads to, with the name of its owner."""
    for owner, (calendar, _) in zip([*staff, None], destinations(route, staff), strict=True):
        try:
            yield publisher.canonical(calendar), owner.name if owner else ""
        except Refused:
            continue  # such an appointment is unrouted, and reported as that


def _combined(publisher: Publisher, sources: tuple[str, ...], singles: Mapping[str, Feed], root: str) -> Iterator[Feed]:
    for name, patterns in publisher.combined.items():
        members = [feed for feed in singles.values() if any(fnmatchcase(feed.name, one) for one in patterns)]
        yield Feed(
            key=f"{COMBINED}:{name}",
            title=publisher.title(name),
            calendars=tuple(sorted(feed.key for feed in members)),
            sources=sources,
            publisher=publisher,
            root=root,
        )
