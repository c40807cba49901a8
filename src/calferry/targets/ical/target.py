"""Feeds as a target."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from calferry.errors import Refused, Unavailable
from calferry.feeds import Fragment, Range
from calferry.model import Change, Event, Failure, Intent, Mark, Marked, Outcome, Receipt
from calferry.targets.ical import calendar as around
from calferry.targets.ical import events
from calferry.targets.ical.events import FIT_VERSION, KIND
from calferry.targets.ical.settings import OWNER, Settings
from calferry.template import Template

if TYPE_CHECKING:
    from calferry.feeds import Shelf
    from calferry.ports import Clock
    from calferry.tokens import TokenFile

log = logging.getLogger(__name__)

LONGEST_NAME = 200
NAME = re.compile(rf"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{{1,{LONGEST_NAME}}}")
"""What a calendar may be called: a line without control characters."""

TOKEN_BYTES = 20
"""160 bits: 32 letters and digits."""


def build(
    name: str,
    settings: Settings,
    *,
    clock: Clock,
    shelf: Shelf | None = None,
    tokens: TokenFile | None = None,  # noqa: ARG001
) -> IcalTarget:
    """The target that a configuration describes. Without a shelf it can tell, but not hold."""
    return IcalTarget(name, settings, clock, shelf)


class IcalTarget:
    """Feeds on a shelf of the ledger; see `calferry.feeds.Publisher`."""

    kind = KIND
    batch = 500

    def __init__(self, name: str, settings: Settings, clock: Clock, shelf: Shelf | None) -> None:
        self.name = name
        self._settings = settings
        self._clock = clock
        self._shelf = shelf
        self._title = Template(settings.title)

    # As a target.

    def canonical(self, calendar: str) -> str:
        """`ical:` and the name, as it is written: all feeds of an installation share one space of names."""
        name = calendar.strip()
        if not NAME.fullmatch(name):
            msg = f"target {self.name}: {name[:LONGEST_NAME]!r} cannot be the name of a feed"
            raise Refused(msg)
        return f"{KIND}:{name}"

    @property
    def basis(self) -> str:
        """Nothing: no option decides what `canonical` and `fit` answer."""
        return ""

    @property
    def edition(self) -> str:
        return FIT_VERSION

    def lane(self, calendar: str) -> str:  # noqa: ARG002 (all feeds are written alike)
        return KIND

    def fit(self, event: Event) -> Event:
        return events.fit(event)

    def encode(self, change: Change) -> bytes:
        return events.encode(change)

    def apply(self, intents: Sequence[Intent]) -> Iterator[Outcome]:
        """Render each event once, and file its fragment together with its receipt."""
        for start in range(0, len(intents), self.batch):
            part = intents[start : start + self.batch]
            try:
                outcomes = self._file(part)
            except Unavailable as error:
                outcomes = [Failure(calendar=one.calendar, uid=one.uid, error=error) for one in part]
            yield from outcomes

    def ours(self, calendar: str) -> Iterator[Marked]:
        """What stands on the shelf is ours, all of it."""
        if self._shelf is not None:
            for mark, number in self._shelf.standing(calendar):
                yield Marked(mark=mark, href=mark.uid, etag=_etag(number))

    def _file(self, intents: Sequence[Intent]) -> list[Outcome]:
        if self._shelf is None:
            msg = f"target {self.name}: no ledger is open to file events in"
            raise Unavailable(msg)
        held = self._shelf.fragments({(intent.calendar, intent.uid) for intent in intents})
        at = self._clock.now().replace(microsecond=0)
        placed: list[Fragment] = []
        outcomes: list[Outcome] = []
        for intent in intents:
            before = held.get((intent.calendar, intent.uid))
            outcome, fragment = _carry_out(intent, before, at)
            outcomes.append(outcome)
            placed += [fragment] if fragment is not None and fragment is not before else []
        receipts = [outcome for outcome in outcomes if isinstance(outcome, Receipt)]
        self._shelf.put(placed, receipts, at)
        return outcomes

    # As a publisher.

    @property
    def combined(self) -> Mapping[str, tuple[str, ...]]:
        return self._settings.combined

    @property
    def shown(self) -> Range:
        settings = self._settings
        return Range(past=settings.past, tombstones=settings.tombstones, most=settings.most)

    def token(self, feed: str, rotation: int) -> str:
        """HMAC-SHA256 of the feed and the number of its address, in letters that can be read aloud."""
        secret = self._settings.secret.get_secret_value().encode()
        code = hmac.digest(secret, f"{feed}\n{rotation}".encode(), hashlib.sha256)
        return base64.b32encode(code[:TOKEN_BYTES]).decode().lower()

    def title(self, name: str) -> str:
        return self._title.render({OWNER: name})

    def head(self, title: str, address: str) -> bytes:
        return around.head(title, address, color=self._settings.color, refresh=self._settings.refresh)


def _carry_out(intent: Intent, before: Fragment | None, at: datetime) -> tuple[Outcome, Fragment | None]:
    """The outcome of an intent, and what shall stand in place of what stood there before."""
    try:
        mark, event = events.decode(intent.request)
        fragment = _standing(intent.calendar, mark, event, before, at) if event else _cancelled(before, at)
    except Exception as error:
        log.warning("%s could not be rendered for %s: %s", intent.uid, intent.calendar, type(error).__name__)
        log.debug("it failed here", exc_info=error)
        refusal = Refused(f"it could not be rendered ({type(error).__name__}); please report this")
        return Failure(calendar=intent.calendar, uid=intent.uid, error=refusal), None
    receipt = Receipt(calendar=intent.calendar, uid=intent.uid, fingerprint=intent.fingerprint)
    if event and fragment:
        receipt = replace(receipt, href=intent.uid, etag=_etag(fragment.sequence))
    return receipt, fragment


def _standing(calendar: str, mark: Mark, event: Event, before: Fragment | None, at: datetime) -> Fragment:
    """The event as it now stands; unchanged where it stood already, for then only the answer got lost."""
    if before and before.mark == mark and before.cancelled_at is None:
        return before
    stamped_at, number = _next(before, at)
    return Fragment(
        calendar=calendar,
        mark=mark,
        starts_at=event.start.astimezone(UTC),
        ends_at=event.end.astimezone(UTC),
        stamped_at=stamped_at,
        sequence=number,
        body=events.render(event, stamped_at, number),
    )


def _cancelled(before: Fragment | None, at: datetime) -> Fragment | None:
    """The tombstone of what stood there."""
    if before is None or before.cancelled_at is not None:
        return before
    stamped_at, number = _next(before, at)
    body = events.tombstone(before.body, stamped_at, number)
    return replace(before, stamped_at=stamped_at, sequence=number, body=body, cancelled_at=stamped_at)


def _next(before: Fragment | None, at: datetime) -> tuple[datetime, int]:
    """When the event now changes, and the number of that change: later and higher than before."""
    if before is None:
        return at, events.sequence(at, None)
    stamped_at = max(at, before.stamped_at + timedelta(seconds=1))
    return stamped_at, events.sequence(stamped_at, before.sequence)


def _etag(number: int) -> str:
    return f'"{number}"'
