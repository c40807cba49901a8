"""What a feed holds right now: stored fragments one after another. Nothing is rendered, and nothing is ever empty that
should not be."""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from calferry.errors import Unavailable
from calferry.feeds import TAIL, Range, Shelf, Stamp
from calferry.ports import Clock
from calferry.web.catalogue import Feed
from calferry.web.memory import Memory

log = logging.getLogger(__name__)

KEPT = 64 * 1024 * 1024
"""Bytes of feeds kept in memory."""


@dataclass(frozen=True, kw_only=True)
class Edition:
    """A feed as one address shows it. `etag` is strong: it changes with every byte. `modified_at` (UTC, whole seconds)
    moves on with every change; where that many changes came at once, it may lie a little ahead."""

    content: tuple[bytes, ...]
    etag: str
    modified_at: datetime


_State = tuple[str, datetime, datetime]
"""Look, last stamp, day."""


@dataclass(frozen=True, kw_only=True)
class _Text:
    """The events of a feed, as they were at one state of it. `editions` are by address."""

    state: _State
    body: bytes
    digest: bytes
    modified_at: datetime
    editions: dict[str, Edition] = field(default_factory=dict)


class Editions:
    """Puts feeds together, and keeps them in memory until they change."""

    def __init__(self, shelf: Shelf, clock: Clock, memory: Memory | None = None, kept: int = KEPT) -> None:
        self._shelf, self._clock, self._kept = shelf, clock, kept
        self._memory = memory or Memory(shelf.version)
        self._texts: OrderedDict[str, _Text] = OrderedDict()
        self._lock = Lock()

    def of(self, feed: Feed, address: str) -> Edition:
        """The feed as it is now. When that cannot be told: as it was when it last could.

        Raises Unavailable when it never could, or the feed was never whole yet.
        """
        try:
            text = self._current(feed)
            return text.editions.get(address) or self._edition(text, feed, address)
        except Exception as error:
            last = self._texts.get(feed.key)
            if last is not None and address in last.editions:
                log.warning("%s is served as it last was: %s", feed.key, type(error).__name__)
                return last.editions[address]
            if isinstance(error, Unavailable):
                raise
            log.debug("it failed here", exc_info=error)
            msg = f"{feed.key} could not be put together ({type(error).__name__}); please report this"
            raise Unavailable(msg) from error

    def at_hand(self, feed: Feed, address: str) -> Edition | None:
        """The feed as it is now, if nothing has to be asked or put together for it; else None. Raises Unavailable."""
        text, stamps = self._texts.get(feed.key), self._memory.at_hand(feed.key)
        if text is None or stamps is None or text.state != self._state(feed, stamps, self._clock.now()):
            return None
        return text.editions.get(address)

    def waits(self, feed: Feed) -> bool:
        """Whether the feed is not served yet, for not all of it is there. Raises Unavailable."""
        return not self._is_published(self._stamps(feed).get(feed.key)) and not self._is_whole(feed)

    def _stamps(self, feed: Feed) -> Mapping[str, Stamp]:
        return self._memory.recall(feed.key, lambda: self._shelf.stamps({feed.key, *feed.calendars}))

    def _current(self, feed: Feed) -> _Text:
        now, stamps = self._clock.now(), self._stamps(feed)
        own = stamps.get(feed.key)
        if own is None or own.look != feed.look:
            stamps = {**stamps, feed.key: self._publish(feed, own, now)}
        state = self._state(feed, stamps, now)
        kept = self._texts.get(feed.key)
        return kept if kept and kept.state == state else self._read(feed, state, now)

    def _state(self, feed: Feed, stamps: Mapping[str, Stamp], now: datetime) -> _State:
        """All that a text depends on. Another look than the published one is in no text."""
        return feed.look, max(stamp.changed_at for stamp in stamps.values()), Range.day(now)

    def _publish(self, feed: Feed, own: Stamp | None, now: datetime) -> Stamp:
        """A feed looks different from now on. Its first time has to wait until all of it is there: after the ledger was
        lost, half a calendar would make subscribers delete the other half."""
        if not self._is_published(own) and not self._is_whole(feed):
            msg = f"{feed.key} is not whole yet: what the booking system tells is still being filed"
            raise Unavailable(msg, retry_after=60)
        return self._shelf.publish(feed.key, feed.look, now)

    def _is_published(self, own: Stamp | None) -> bool:
        return own is not None and bool(own.look)

    def _is_whole(self, feed: Feed) -> bool:
        return bool(feed.calendars) and self._shelf.is_whole(feed.calendars, feed.sources)

    def _read(self, feed: Feed, state: _State, now: datetime) -> _Text:
        excerpt = self._shelf.excerpt(feed.calendars, feed.publisher.shown, now)
        body = b"".join(excerpt.bodies)
        # It may have changed again since its state was asked for.
        moments = (state[1], excerpt.stamped_at, excerpt.changed_at)
        text = _Text(
            state=state,
            body=body,
            digest=hashlib.sha256(body).digest(),
            modified_at=max(moment for moment in moments if moment),
        )
        with self._lock:
            self._texts[feed.key] = text
            self._texts.move_to_end(feed.key)
            while len(self._texts) > 1 and sum(len(one.body) for one in self._texts.values()) > self._kept:
                self._texts.popitem(last=False)
        return text

    def _edition(self, text: _Text, feed: Feed, address: str) -> Edition:
        head = feed.publisher.head(feed.title, address)
        etag = hashlib.sha256(head + text.digest).hexdigest()
        edition = Edition(content=(head, text.body, TAIL), etag=f'"{etag}"', modified_at=text.modified_at)
        text.editions[address] = edition
        return edition
