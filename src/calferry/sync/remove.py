"""Take away from a calendar everything that this installation wrote there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import datetime

from calferry.model import Event, Marked
from calferry.sync.adopt import sorted_out
from calferry.sync.installation import Installation, Tally, Watch
from calferry.sync.push import clear
from calferry.sync.verify import delete_seconds


@dataclass(frozen=True, kw_only=True)
class Remainder:
    """What of ours stands in a calendar: `events`, one for each uid, and `doubles`; `ledgers` counts them by who wrote
    them. `starts` are the starts that the ledger knows, soonest first. `routes` are those of the configuration that
    carry something there: while there are any, it would be written again, and nothing is removed."""

    calendar: str
    target: str
    events: tuple[Marked, ...]
    doubles: tuple[Marked, ...]
    ledgers: Mapping[str, int]
    starts: tuple[datetime, ...]
    routes: tuple[str, ...]

    @property
    def number(self) -> int:
        return len(self.events) + len(self.doubles)

    @property
    def may_go(self) -> bool:
        return bool(self.number) and not self.routes


def look(installation: Installation, calendar: str, target: str) -> Remainder:
    """Reads only. Raises as `Target.ours` does."""
    ledger = installation.ledger
    ours = [one for one in installation.targets[target].ours(calendar) if one.mark.is_of(ledger.installation)]
    events, doubles = sorted_out(ours, ledger.id)
    places = installation.keeper.placements(calendar)
    uids = {one.mark.uid for one in events}
    wanted = [(place, place.wanted) for place in places if isinstance(place.wanted, Event)]
    return Remainder(
        calendar=calendar,
        target=target,
        events=events,
        doubles=doubles,
        ledgers=Counter(one.mark.ledger for one in ours),
        starts=tuple(sorted(event.start for place, event in wanted if place.uid in uids)),
        routes=tuple(sorted(_leading(installation, target, {place.route for place, _ in wanted}))),
    )


def _leading(installation: Installation, target: str, carrying: Set[str]) -> Iterator[str]:
    """The configured routes among those that carry something to a calendar of the target; before its source was ever
    pulled, nobody knows what a route carries."""
    last = installation.ledger.intake.last
    for account in installation.accounts:
        unknown = last(account.source.key, "pull") is None
        for route in account.routes:
            if route.name in carrying or (unknown and route.target == target):
                yield route.name


def remove(installation: Installation, calendar: str, target: str, watch: Watch) -> Tally:
    """Delete all of ours in a calendar; what is there is read again first. An event whose guests would be mailed is set
    aside. Nothing is done while a route leads there.

    Raises LedgerBusy, Stopped, and as `Target.ours` does.
    """
    with installation.ledger.lock(calendar):
        found = look(installation, calendar, target)
        if not found.may_go:
            return Tally()
        seconds, errors = delete_seconds(installation, installation.targets[target], calendar, found.doubles)
        installation.keeper.leave(calendar, target, found.events, installation.clock.now())
    tally = Tally(counts={"deleted": seconds}, errors=errors)
    tally.add(clear(installation, target, [calendar], watch))
    return tally
