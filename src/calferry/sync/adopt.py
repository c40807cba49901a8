"""Take over what lost ledgers of this installation wrote: their marks say what each event is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from calferry.errors import CalferryError, Unavailable
from calferry.model import Event, Marked
from calferry.sync.installation import Installation


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """What one calendar holds of ours.

    `events` are those to answer for, one for each uid: the one of the highest generation; `doubles` are the others.
    `former` counts events by the ledger that wrote them, without this one and those it answers for already.
    Of `events`, `in_step` (uids) show what is wanted now, `orphans` belong to no appointment that was ever told of,
    `strays` to one that no route has in this calendar. `unwritten` are sessions that stand in no calendar yet: an
    orphan may be one of them as it was before. `foreign` counts events of other installations by their names:
    where there are any, nothing is adopted.
    """

    calendar: str
    target: str
    events: tuple[Marked, ...]
    doubles: tuple[Marked, ...]
    former: Mapping[str, int]
    in_step: frozenset[str]
    orphans: frozenset[str]
    strays: frozenset[str]
    unwritten: frozenset[str]
    foreign: Mapping[str, int]

    @property
    def is_due(self) -> bool:
        """Whether there is something to adopt, and nothing that forbids it."""
        return bool(self.former) and not self.foreign


def unread(installation: Installation) -> Sequence[str]:
    """The sources that were never pulled to their end: until they are, nobody knows whose event is whose."""
    last = installation.ledger.intake.last
    return [one.source.name for one in installation.accounts if last(one.source.key, "pull") is None]


def survey(installation: Installation, calendars: Mapping[str, str]) -> tuple[list[Adoption], list[CalferryError]]:
    """What there is to adopt in these calendars (keys, with their targets), and what could not be read. Reads only."""
    found, errors = [], []
    for calendar, target in calendars.items():
        try:
            found.append(look(installation, calendar, target))
        except CalferryError as error:
            errors.append(error)
    return found, errors


def look(installation: Installation, calendar: str, target: str) -> Adoption:
    """What one calendar holds of ours. Raises as `Target.ours` does."""
    ledger, keeper = installation.ledger, installation.keeper
    marked = list(installation.targets[target].ours(calendar))
    ours = [one for one in marked if one.mark.is_of(ledger.installation)]
    events, doubles = sorted_out(ours, ledger.id)
    uids = {one.mark.uid for one in events}
    told = keeper.sources_of(uids)
    places = {one.uid: one for one in keeper.placements(calendar)}
    sessions = _unwritten(installation, calendar)
    moved = shown(events, sessions, told)
    wanted = {uid: place.wanted.fingerprint for uid, place in places.items() if isinstance(place.wanted, Event)}
    return Adoption(
        calendar=calendar,
        target=target,
        events=events,
        doubles=doubles,
        former=Counter(one.mark.ledger for one in ours if one.mark.ledger not in {ledger.id, *keeper.former}),
        in_step=frozenset(one.mark.uid for one in events if wanted.get(one.mark.uid) == one.mark.fingerprint)
        | moved.keys(),
        orphans=frozenset(uids - told.keys() - places.keys() - moved.keys()),
        strays=frozenset((uids & told.keys()) - places.keys()),
        unwritten=frozenset(one.uid for one in sessions) - uids - set(moved.values()),
        foreign=Counter(one.mark.installation for one in marked if not one.mark.is_of(ledger.installation)),
    )


def _unwritten(installation: Installation, calendar: str) -> list[Event]:
    keys = [account.source.key for account in installation.accounts]
    return [event for key in keys for event in installation.keeper.unwritten_sessions(key, calendar)]


def shown(events: Sequence[Marked], sessions: Iterable[Event], told: Container[str]) -> dict[str, str]:
    """By uid of an event of no known appointment the session (uid) that it shows to the letter.

    The uid of a session tells where it was founded. Since then it may have moved, and a new ledger founds it there.
    """
    of_their_own = {(one.mark.uid, one.mark.fingerprint) for one in events}
    left = [event for event in sessions if (event.uid, event.fingerprint) not in of_their_own]
    found: dict[str, str] = {}
    for mark in (one.mark for one in events if one.mark.uid not in told):
        for event in left:
            if replace(event, uid=mark.uid).fingerprint == mark.fingerprint:
                found[mark.uid] = event.uid
                left.remove(event)
                break
    return found


def _refound(installation: Installation, calendar: str, events: Sequence[Marked]) -> bool:
    """Know the sessions again that a lost ledger had founded somewhere else; one that is known again may leave its uid
    to another. Whether there were any."""
    keeper, now, found = installation.keeper, installation.clock.now(), False
    for key in (account.source.key for account in installation.accounts):
        with installation.ledger.lock(key):
            told = keeper.sources_of({one.mark.uid for one in events})
            while keeper.refound(key, shown(events, keeper.unwritten_sessions(key, calendar), told), now):
                told, found = keeper.sources_of({one.mark.uid for one in events}), True
    return found


def sorted_out(marked: Iterable[Marked], ledger: str) -> tuple[tuple[Marked, ...], tuple[Marked, ...]]:
    """One event for each uid, and those that are one too many. The highest generation is the one that was last; of
    two alike, that of this ledger."""
    in_order = sorted(marked, key=lambda one: (one.mark.generation, one.mark.ledger == ledger, one.href))
    last = {one.mark.uid: one for one in in_order}
    doubles = tuple(one for one in in_order if last[one.mark.uid] is not one)
    return tuple(last.values()), doubles


def adopt(installation: Installation, calendar: str, target: str) -> Adoption:
    """Answer for all that one calendar holds of ours from now on. What is there is read again first.

    Whatever of it is wanted no more is to be routed afterwards. Raises LedgerBusy, and as `Target.ours` does.
    """
    with installation.ledger.lock(calendar):
        found = look(installation, calendar, target)
        if found.foreign:
            names = ", ".join(sorted(found.foreign))
            msg = f"{calendar} holds events of another installation ({names}); nothing is adopted there"
            raise Unavailable(msg)
        if _refound(installation, calendar, found.events):
            found = look(installation, calendar, target)
        _file(installation, calendar, target, found.events)
    return found


def take_over(installation: Installation, calendar: str, target: str, found: Sequence[Marked]) -> bool:
    """File a survey of a calendar in which a ledger left marks that was adopted already. False where none did."""
    if installation.keeper.former.isdisjoint(one.mark.ledger for one in found):
        return False
    events, _ = sorted_out(found, installation.ledger.id)
    _refound(installation, calendar, events)
    _file(installation, calendar, target, events)
    return True


def _file(installation: Installation, calendar: str, target: str, events: Sequence[Marked]) -> None:
    routes = _routes_into(installation, target)
    installation.keeper.adopt(calendar, target, events, routes, installation.clock.now())


def _routes_into(installation: Installation, target: str) -> Mapping[str, str]:
    """The first route of each source that leads into a target, by the source's key."""
    into: dict[str, str] = {}
    for account in installation.accounts:
        for route in account.routes:
            if route.target == target:
                into.setdefault(account.source.key, route.name)
    return into
