"""Subscription feeds: calendars that calferry serves itself, by a secret address, instead of writing them elsewhere.

A feed is a calendar like any other: what is written to it is a rendered event, its *fragment*, kept in the ledger
beside its receipt. To serve a feed is to put fragments one after another; nothing is rendered then.

Here are the nouns, and two seams: `Shelf` is where fragments and addresses are kept, a `Publisher` is a target whose
calendars are feeds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol, runtime_checkable

from calferry.model import Mark, Receipt
from calferry.ports import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """One event of a feed, rendered: a VEVENT with its line ends, in UTF-8.

    `stamped_at` (UTC, whole seconds) is when it last changed visibly, `sequence` counts upwards with every such change
    (RFC 5545, section 3.8.7.4). `cancelled_at` (UTC) is set once the event left the calendar: what stays for a while is
    a tombstone. `starts_at` and `ends_at` are in UTC.
    """

    calendar: str
    mark: Mark
    starts_at: datetime
    ends_at: datetime
    stamped_at: datetime
    sequence: int
    body: bytes
    cancelled_at: datetime | None = None

    @property
    def uid(self) -> str:
        return self.mark.uid


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A secret address of a feed. The secret itself is nowhere: `digest` stands for it, `rotation` is its number.

    It ends at `ends_at` (UTC), when another one has taken over or it was revoked; None while it holds.
    """

    feed: str
    rotation: int
    digest: str
    ends_at: datetime | None = None

    def holds(self, now: datetime) -> bool:
        return self.ends_at is None or now < self.ends_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """What of a feed is shown at some time: `past` is how long an event stays after its end, `tombstones` how long it
    stays after it was cancelled, `most` the greatest number of events.

    Time moves on in whole days (UTC), so that a feed of which nothing changes is the same all day.
    """

    past: timedelta
    tombstones: timedelta
    most: int

    @staticmethod
    def day(now: datetime) -> datetime:
        return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """The fragments of a feed that are shown, by start. `stamped_at` (UTC) is the last stamp of its calendars.

    `changed_at` (UTC) is when the choice was last another one for no other reason than the passing of time; None when
    it never was. `left_out` counts what is beyond the limit.
    """

    bodies: Sequence[bytes]
    stamped_at: datetime | None
    changed_at: datetime | None
    left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """`changed_at` (UTC, whole seconds) moves on with every change of what can be seen, by a second at least.

    `look` stands for all that is not in the fragments: the feed's name, colour, range, members. It is empty until the
    feed was first published: a feed that was never whole is not served, for it would look like an empty one.
    """

    changed_at: datetime
    look: str


class Shelf(Protocol):
    """The ledger as a feed sees it. Every method is one transaction. `ledger` is the ledger's id."""

    @property
    def installation(self) -> str: ...

    @property
    def ledger(self) -> str: ...

    def version(self) -> int | None:
        """Another number whenever any of the answers below may be another one; None where that cannot be told."""
        ...

    def fragments(self, keys: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Fragment]:
        """What stands in calendars under these (calendar, uid): events and tombstones."""
        ...

    def put(self, fragments: Sequence[Fragment], receipts: Sequence[Receipt], at: datetime) -> None:
        """Place fragments, settle the intents that the receipts answer, and stamp the calendars as changed: all or
        nothing. A calendar without a new fragment is not stamped."""
        ...

    def standing(self, calendar: str) -> Sequence[tuple[Mark, int]]:
        """The mark and the sequence number of each event that stands in a calendar, tombstones apart."""
        ...

    def calendars(self) -> Mapping[str, str]:
        """The keys of all calendars that ever held a fragment, with the target that routing last named for them."""
        ...

    def excerpt(self, calendars: Collection[str], shown: Range, now: datetime) -> Excerpt:
        """What of these calendars is shown now. An event that stands in several of them is shown once; one that stands
        hides its tombstones."""
        ...

    def stamps(self, feeds: Collection[str]) -> Mapping[str, Stamp]: ...

    def is_whole(self, calendars: Collection[str], sources: Collection[str]) -> bool:
        """Whether all that these sources (keys) tell was pulled, routed, and filed in these calendars."""
        ...

    def publish(self, feed: str, look: str, at: datetime) -> Stamp:
        """From now on the feed looks like this: stamped as changed."""
        ...

    def link(self, digest: str) -> Link | None: ...

    def links(self) -> Sequence[Link]:
        """All links, of each feed the newest rotation last."""
        ...

    def add(self, links: Sequence[Link]) -> None:
        """Store links. One that is there already stays as it is."""
        ...

    def end(self, feed: str, at: datetime) -> int:
        """Let all links of a feed that would hold longer end at that time. Returns how many those are."""
        ...


@runtime_checkable
class Publisher(Target, Protocol):
    """A target whose calendars are feeds. `combined` names feeds of several calendars, by patterns of calendar ids."""

    @property
    def combined(self) -> Mapping[str, tuple[str, ...]]: ...

    @property
    def shown(self) -> Range: ...

    def token(self, feed: str, rotation: int) -> str:
        """The secret part of an address: letters and digits, of 128 bits at least. Pure."""
        ...

    def title(self, name: str) -> str:
        """What subscribers see as the name of a feed, from its owner's name or its own. Pure."""
        ...

    def head(self, title: str, address: str) -> bytes:
        """All of a feed that comes before its fragments. Pure: the same arguments give the same bytes."""
        ...


TAIL = b"END:VCALENDAR\r\n"
"""All of a feed that comes after its fragments."""


def digest_of(token: str) -> str:
    """What the ledger keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
