"""Which feeds there are: those that routes lead to, those that hold something, and those that combine others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

from calferry.errors import Refused
from calferry.feeds import Publisher
from calferry.model import Owner
from calferry.rules import Route, destinations
from calferry.sync.installation import Installation

COMBINED = "combined"


@dataclass(frozen=True, kw_only=True)
class Feed:
    """What can be subscribed to. `key` is a calendar's key (`ical:1182`) or `combined:name`.

    `calendars` (keys) are those it shows, `sources` (keys) the booking accounts whose appointments may get there.
    """

    key: str
    title: str
    calendars: tuple[str, ...]
    sources: tuple[str, ...]
    publisher: Publisher

    @property
    def name(self) -> str:
        return self.key.partition(":")[2]

    @cached_property
    def look(self) -> str:
        """A digest of all that subscribers see besides the events themselves."""
        parts = [self.publisher.head(self.title, "").decode(), self.calendars, repr(self.publisher.shown)]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def catalogue(installation: Installation) -> dict[str, Feed]:
    """All feeds by key, calendars before combinations of them."""
    feeds: dict[str, Feed] = {}
    for publisher in publishers(installation):
        sources = _sources(installation, publisher)
        owners = _owners(installation, publisher)
        singles = {
            calendar: Feed(
                key=calendar,
                title=publisher.title(owners.get(calendar) or calendar.partition(":")[2]),
                calendars=(calendar,),
                sources=sources,
                publisher=publisher,
            )
            for calendar in (*owners, *_left(installation, publisher))
            if calendar not in feeds
        }
        feeds |= singles
        feeds |= {feed.key: feed for feed in _combined(publisher, sources, singles) if feed.key not in feeds}
    return feeds


def publishers(installation: Installation) -> Iterator[Publisher]:
    return (target for target in installation.targets.values() if isinstance(target, Publisher))


def _sources(installation: Installation, publisher: Publisher) -> tuple[str, ...]:
    accounts = installation.accounts
    return tuple(one.source.key for one in accounts if any(route.target == publisher.name for route in one.routes))


def _owners(installation: Installation, publisher: Publisher) -> dict[str, str]:
    """The calendars that routes lead to, with the name of their owner; "" where it is nobody's or more than one's."""
    found: dict[str, set[str]] = {}
    for account in installation.accounts:
        staff = [
            Owner(key=one.id, name=one.fields.get("name", ""), email=one.fields.get("email", ""))
            for one in installation.ledger.routing.resources_of_kind(account.source.key, "staff")
        ]
        for route in account.routes:
            if route.target == publisher.name:
                for calendar, owner in _calendars(route, staff, publisher):
                    found.setdefault(calendar, set()).add(owner)
    return {calendar: names.pop() if len(names) == 1 else "" for calendar, names in sorted(found.items())}


def _calendars(route: Route, staff: list[Owner], publisher: Publisher) -> Iterator[tuple[str, str]]:
    for owner, (calendar, _) in zip([*staff, None], destinations(route, staff), strict=True):
        try:
            yield publisher.canonical(calendar), owner.name if owner else ""
        except Refused:
            continue  # such an appointment is unrouted, and reported as that


def _left(installation: Installation, publisher: Publisher) -> Iterator[str]:
    """Calendars that hold something, though no route may lead there any more: what was served goes on being served."""
    return (one for one in installation.shelf.calendars() if one.partition(":")[0] == publisher.kind)


def _combined(publisher: Publisher, sources: tuple[str, ...], singles: Mapping[str, Feed]) -> Iterator[Feed]:
    for name, patterns in publisher.combined.items():
        members = [feed for feed in singles.values() if any(fnmatchcase(feed.name, one) for one in patterns)]
        yield Feed(
            key=f"{COMBINED}:{name}",
            title=publisher.title(name),
            calendars=tuple(sorted(feed.key for feed in members)),
            sources=sources,
            publisher=publisher,
        )
