"""How every source and every calendar fares: what `calferry status` and the pages both tell.

Pure functions of what was read; only `told_since`, `lead` and `rule` ask the ledger themselves, and only they import
what is heavy: the command line imports this module whatever it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from calferry.errors import Refused

if TYPE_CHECKING:
    from calferry.ports import Rest, Routed
    from calferry.rules import Route
    from calferry.store.story import Story
    from calferry.sync.installation import Account, Installation

STALE = timedelta(hours=24)
"""A source that was not pulled for that long is told of: a sync that died must not die in silence."""

BEYOND = frozenset({"unproven", "unreachable", "unread", "expiring", "drift", "mass update"})
"""Of what waits for a person, that which neither a source nor a calendar tells by itself."""


class Pausable(Protocol):
    """A source or a calendar as it was read; `paused_until` in UTC."""

    @property
    def paused_until(self) -> datetime | None: ...


class CalendarFacts(Pausable, Protocol):
    """A calendar as it was read: changes to write now, and those under way."""

    @property
    def calendar(self) -> str: ...

    @property
    def due(self) -> int: ...

    @property
    def unsettled(self) -> int: ...


class State(StrEnum):
    """How a calendar fares. UNTOLD: not every source was ever pulled, so nobody knows."""

    IN_STEP = "in step"
    BEHIND = "behind"
    PAUSED = "paused"
    RESTING = "resting"
    UNTOLD = "untold"


def state_of(calendar: CalendarFacts, rests: Mapping[str, Rest], told: datetime | None, now: datetime) -> State:
    if calendar.calendar in rests:
        return State.RESTING
    if is_paused(calendar, now):
        return State.PAUSED
    if calendar.due or calendar.unsettled:
        return State.BEHIND
    return State.IN_STEP if told else State.UNTOLD


def is_paused(one: Pausable, now: datetime) -> bool:
    """A pause that is over leaves its end behind."""
    return one.paused_until is not None and one.paused_until > now


def oldest(told: Iterable[datetime | None]) -> datetime | None:
    """The age of the stalest source is the age of every calendar: any of them may have something new for it."""
    moments = list(told)
    return min((moment for moment in moments if moment), default=None) if all(moments) else None


def told_since(installation: Installation) -> datetime | None:
    """Since when (UTC) all that the booking systems tell is held; None before each was pulled."""
    from calferry.sync.crossing import told_at

    return oldest(told_at(account, installation) for account in installation.accounts)


def resting_keys(rests: Iterable[Rest], sources: Iterable[str], calendars: Mapping[str, str]) -> dict[str, Rest]:
    """What rests of these sources (keys) and calendars (keys, with their targets), each by its own key: a calendar
    rests with its target."""
    named = {(rest.what, rest.name): rest for rest in rests}
    asleep = {source: named.get(("source", source)) for source in sources}
    asleep |= {key: named.get(("calendar", key)) or named.get(("target", target)) for key, target in calendars.items()}
    return {key: rest for key, rest in asleep.items() if rest}


def lead(account: Account, installation: Installation) -> dict[str, list[str]]:
    """The calendars (keys) that each route of an account leads to, by its name, as far as its staff is known."""
    from calferry.rules import destinations, owner_of

    known = installation.ledger.routing.resources_of_kind(account.source.key, "staff")
    staff = [owner_of(one) for one in known if not one.fields.get("deleted")]
    found = {}
    for route in account.routes:
        named = (name for name, _ in destinations(route, staff) if name)
        found[route.name] = sorted(set(_canonical(named, route, installation)))
    return found


def _canonical(names: Iterable[str], route: Route, installation: Installation) -> Iterator[str]:
    for name in names:
        try:
            yield installation.targets[route.target].canonical(name)
        except Refused:
            continue  # such an appointment is unrouted, and reported as that


def rule(story: Story, installation: Installation) -> Routed | None:
    """What the routes would make of an appointment now; None where its source is not configured any more."""
    from calferry.ports import Pending
    from calferry.rules import belongs

    account = next((one for one in installation.accounts if one.source.key == story.appointment.source), None)
    if account is None:
        return None
    now = installation.clock.now()
    pending = Pending(
        uid=story.uid,
        revision=story.revision,
        appointment=story.appointment,
        deletion=story.deletion,
        deletion_weak=story.deletion_weak,
        reconfigured=False,
        placements=tuple(place.placement for place in story.places),
    )
    return belongs(
        pending,
        routes=account.routes,
        targets=installation.targets,
        resources=installation.ledger.routing.resources(account.source.key, set(story.appointment.uses)),
        window=account.rhythm.window(now),
        now=now,
    )
