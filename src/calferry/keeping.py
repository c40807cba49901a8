"""Keeping the ledger and the calendars true to each other: what an operator sees, and what he may undo.

Here are the nouns, and two seams: `Keeper` is the ledger as the commands `adopt`, `verify` and `remove` see it, a
target that is `Comparing` can tell what an event of ours shows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from calferry.model import Event, Intent, Marked, Placement


@runtime_checkable
class Comparing(Protocol):
    """A target that can read what an event of ours shows; not all have to: nobody edits a feed."""

    def differences(self, calendar: str, found: Marked, event: Event) -> frozenset[str]:
        """In which members, by the calendar's own words, what stands there differs from a fitted event. Reads only.

        Raises as `ours` does.
        """
        ...


class DriftKind(StrEnum):
    """How a calendar can differ from the ledger.

    MISSING: what was written does not stand there. CHANGED: it stands there, and shows something else. DOUBLED: a
    second event of the same appointment. ORPHANED: an event with our mark that the ledger does not know. FOREIGN:
    events of a ledger or an installation that is not ours, or is not any more.
    """

    MISSING = "missing"
    CHANGED = "changed"
    DOUBLED = "doubled"
    ORPHANED = "orphaned"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One difference. `id` is the uid (of foreign events the ledger's id, of doubled ones the href); `reason` a
    sentence without a customer's data. `found` is the event it is about, where one stands there;
    `route` the one that wants it there."""

    calendar: str
    kind: DriftKind
    id: str
    reason: str
    found: Marked | None = None
    route: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What a client is known by: an e-mail address or a phone number (in any way of writing), or one appointment's uid,
    source id or reference. One of the three; the others are empty."""

    email: str = ""
    phone: str = ""
    ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An appointment of a client as the ledger keeps it: whether the booking system still `lists` it, when it starts
    (UTC), and the calendars (keys) that hold its event."""

    uid: str
    source: str
    source_id: str
    starts_at: datetime
    listed: bool
    calendars: tuple[str, ...]


class Keeper(Protocol):
    """The ledger as its operator sees it. Every method is one transaction."""

    @property
    def former(self) -> frozenset[str]:
        """The ids of lost ledgers of this installation whose events this one answers for."""
        ...

    def sources_of(self, uids: Collection[str]) -> Mapping[str, str]:
        """The source (key) of each of these appointments that was ever told of, by uid."""
        ...

    def calendars(self) -> Mapping[str, str]:
        """The target that reaches it last, by calendar key, of every calendar that something was ever wanted in."""
        ...

    def placements(self, calendar: str) -> Sequence[Placement]:
        """All placements in a calendar, by uid."""
        ...

    def drifts(self, calendar: str) -> frozenset[tuple[DriftKind, str]]:
        """The kinds and ids of what the last verification found, and what was not written anew since."""
        ...

    def verified(self, calendar: str, drifts: Sequence[Drift], at: datetime) -> None:
        """File what a verification found, in place of what the one before did."""
        ...

    def disown(self, calendar: str, found: Mapping[str, Marked | None], at: datetime) -> None:
        """What was written of these uids does not stand there as it was written: by uid what stands there, None where
        nothing does. What is wanted there is due again, under the same generation; a removal that found nothing to
        remove is done. What is under way is left alone."""
        ...

    def restore(self, calendar: str, found: Mapping[str, Marked | None], at: datetime, most: int) -> Collection[str]:
        """As `disown`, without a person: at most once for each event that is wanted, and at most so many within 24
        hours. Returns the uids that are due again."""
        ...

    def respect(self, calendar: str, uids: Collection[str], at: datetime) -> None:
        """What stood there is gone, and is not written again until something else is wanted there."""
        ...

    def withdraw(self, intents: Sequence[Intent], at: datetime) -> Sequence[Intent]:
        """Put deletions on disk that no placement asks for: of second events of an appointment. Their receipts count
        as deletions and change no placement. Returns those that were stored: of a uid that has something under way
        there, none is."""
        ...

    def adopt(
        self, calendar: str, target: str, found: Sequence[Marked], routes: Mapping[str, str], at: datetime
    ) -> None:
        """File a survey in which lost ledgers of this installation left marks: from now on this ledger answers for
        them, and for the events in `found` (one for each uid), which get their receipts back. The calendar is surveyed
        and its pause is over.

        An event without a placement stays until a person decides: if its appointment is known, `routes` names the
        route by which it is looked at again, by source (key), and that may take it away with its own reason. Where it
        may be a session that stands nowhere yet, as it was before, that is told of.
        """
        ...

    def unwritten_sessions(self, source: str, calendar: str) -> Sequence[Event]:
        """What shall stand in a calendar of those sessions that stand in none yet."""
        ...

    def refound(self, source: str, uids: Mapping[str, str], at: datetime) -> Collection[str]:
        """Give sessions that stand in no calendar yet the uids under which a lost ledger had founded them: `uids` has
        them by those. Returns the uids that could be given; one that something was placed under cannot.

        Nothing may route the source meanwhile.
        """
        ...

    def find(self, trace: Trace) -> Sequence[Kept]:
        """The appointments of a client, soonest first."""
        ...

    def erase(self, trace: Trace, uids: Collection[str], at: datetime, *, suppress: bool) -> None:
        """Keep these appointments from now on without what they tell of their client. Events that show it are wanted
        without it, and due; tombstones in feeds are gone. With `suppress`, whatever is told of this client by any later
        batch is recorded without it as well: only digests are kept for that.

        Raises Unavailable, and does nothing, while a change of one of them is under way.
        """
        ...

    def compact(self) -> None:
        """Leave nothing of what was deleted in the ledger's file. Raises Unavailable while others use it."""
        ...

    def leave(self, calendar: str, target: str, found: Sequence[Marked], at: datetime) -> None:
        """A person wants nothing of ours in a calendar any more: file a survey of it (one event for each uid), and want
        each of its events gone, as if its deletion had been approved. Anything that is wanted there later is written
        again.
        """
        ...
