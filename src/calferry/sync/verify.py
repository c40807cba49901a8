"""Compare what stands in a calendar with what the ledger has of it, and make due again what differs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from calferry.errors import CalferryError
from calferry.keeping import Comparing, Drift, DriftKind
from calferry.model import Action, Delete, Event, Failure, Intent, Marked, Placement, Receipt, Removal, Why
from calferry.moments import utc
from calferry.ports import Standing, Target
from calferry.sync.adopt import sorted_out
from calferry.sync.installation import Installation

EVER = timedelta(days=3650)
"""Beyond any pause: whatever is under way, due or not."""

OVER = timedelta(days=1)
"""How long after its end an event is of no consequence any more: people tidy up."""


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What the verification of a calendar found: `drifts`, of which `new` were not known before; how many `events` of
    ours stand there, and how many changes are `stale`: wanted, free to be written, and not written yet. `places` are
    the placements, by uid, that it was compared with."""

    calendar: str
    target: str
    events: int
    drifts: tuple[Drift, ...]
    new: frozenset[Drift]
    stale: int
    places: Mapping[str, Placement] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Repaired:
    """What became of it: `due` again with the next pass, `removed` now, `left` to a person; `held_back` by the brakes.
    All by number."""

    due: int = 0
    removed: int = 0
    left: int = 0
    held_back: int = 0
    errors: tuple[CalferryError, ...] = ()


def verify(installation: Installation, calendar: str, target: str) -> Verified:
    """Read what stands in a calendar, compare, and file what was found. No calendar is written to.

    Raises LedgerBusy, and as `Target.ours` does.
    """
    with installation.ledger.lock(calendar):
        return _Verification(installation, calendar, target).run()


class _Verification:
    """One calendar: what stands there beside what the ledger has of it."""

    def __init__(self, installation: Installation, calendar: str, target: str) -> None:
        ledger, now = installation.ledger, installation.clock.now()
        self.keeper, self.outbox, self.now = installation.keeper, ledger.outbox, now
        self.calendar, self.target = calendar, installation.targets[target]
        self.under_way = {one.uid for one in self.outbox.unsettled(calendar, now + EVER)}
        self.places = {one.uid: one for one in self.keeper.placements(calendar)}
        self.ours = {ledger.id, *self.keeper.former}
        self.ledger, self.name = ledger.id, ledger.installation

    def run(self) -> Verified:
        found = list(self.target.ours(self.calendar))
        ours = [one for one in found if one.mark.ledger in self.ours and one.mark.is_of(self.name)]
        if len(ours) == len(found):
            self._survey(ours)
        drifts = (*self._foreign(found, ours), *self._of_each(ours))
        before = self.keeper.drifts(self.calendar)
        self.keeper.verified(self.calendar, drifts, self.now)
        return Verified(
            calendar=self.calendar,
            target=self.target.name,
            events=len(ours),
            drifts=drifts,
            new=frozenset(one for one in drifts if (one.kind, one.id) not in before),
            stale=len(self.outbox.due(self.calendar, self.now)),
            places=self.places,
        )

    def _survey(self, ours: Sequence[Marked]) -> None:
        """A ledger that was put back does not know yet what was written since it was copied: that is not a second
        event of anything, and nothing is missing for it."""
        if self.places and self.outbox.surveyed(self.calendar) is None:
            self.outbox.survey(self.calendar, ours, self.now)
            self.places = {one.uid: one for one in self.keeper.placements(self.calendar)}

    def _foreign(self, found: Iterable[Marked], ours: Sequence[Marked]) -> Iterator[Drift]:
        known = set(ours)
        others = [one.mark for one in found if one not in known]
        for ledger in sorted({mark.ledger for mark in others}):
            number = sum(mark.ledger == ledger for mark in others)
            name = next(mark.installation for mark in others if mark.ledger == ledger)
            reason = f"{number} events were written by ledger {ledger} of the installation {name!r}"
            yield self._drift(DriftKind.FOREIGN, ledger, f"{reason}; it may be in use elsewhere")

    def _of_each(self, ours: Sequence[Marked]) -> Iterator[Drift]:
        standing, _ = sorted_out(ours, self.ledger)
        by_uid: dict[str, list[Marked]] = {}
        for one in ours:
            by_uid.setdefault(one.mark.uid, []).append(one)
        last = {one.mark.uid: one for one in standing}
        for uid in sorted(self.places.keys() | by_uid.keys()):
            if uid not in self.under_way:
                yield from self._of_one(self.places.get(uid), by_uid.get(uid, []), last.get(uid))

    def _of_one(self, place: Placement | None, found: Sequence[Marked], last: Marked | None) -> Iterator[Drift]:
        """What is wrong with one appointment's events in this calendar."""
        if place is None or place.written is None:
            yield from (self._orphan(one, place) for one in found)
            return
        held = next((one for one in found if one.href == place.written.href), None)
        if held is None:
            held = last if last and last.mark.generation == place.generation else None
        if is_over(place, self.now):
            pass
        elif held is None:
            reason = f"what was written as {place.written.href} is not there"
            yield self._drift(DriftKind.MISSING, place.uid, reason, route=place.route)
        elif reason := self._changed(place, held):
            yield self._drift(DriftKind.CHANGED, place.uid, reason, held, place.route)
        for one in found:
            if one is not held:
                reason = f"{one.href} is a second event of {place.uid}"
                yield self._drift(DriftKind.DOUBLED, one.href, reason, one)

    def _orphan(self, one: Marked, place: Placement | None) -> Drift:
        what = "bears our mark, and the ledger does not know its appointment here"
        if place is not None and place.generation > one.mark.generation:
            what = "was deleted, and stands there again"
        return self._drift(DriftKind.ORPHANED, one.mark.uid, f"{one.href} {what}", one)

    def _changed(self, place: Placement, held: Marked) -> str:
        """What of an event is not as it was written; '' where nothing is. Another etag alone says little: that of
        Google moves when a guest answers. Then the event is read, where it can be."""
        written, event = place.written, place.wanted
        if written is None or not isinstance(event, Event) or event.fingerprint != written.fingerprint:
            return ""  # it is to be written, or removed, anyway
        if held.mark.fingerprint != written.fingerprint:
            return f"{held.href} was written by another calferry, or by this one under another ledger"
        if held.etag == written.etag or not isinstance(self.target, Comparing):
            return ""
        names = self.target.differences(self.calendar, held, event)
        return f"{held.href} shows another {', '.join(sorted(names))} than was written" if names else ""

    def _drift(self, kind: DriftKind, name: str, reason: str, found: Marked | None = None, route: str = "") -> Drift:
        return Drift(calendar=self.calendar, kind=kind, id=name, reason=reason, found=found, route=route)


def is_over(place: Placement, now: datetime) -> bool:
    """Whether nobody cares any more if an event is there."""
    return isinstance(place.wanted, Event) and utc(place.wanted.end) < now - OVER


def repair(installation: Installation, verified: Verified) -> Repaired:
    """Make what is missing or changed due again, and delete second events, as far as the brakes let that pass. What is
    orphaned or foreign is left to a person.

    Raises LedgerBusy.
    """
    target = installation.targets[verified.target]
    by_kind = {kind: [one for one in verified.drifts if one.kind is kind] for kind in DriftKind}
    with installation.ledger.lock(verified.calendar):
        differing = still(installation, verified, by_kind[DriftKind.MISSING] + by_kind[DriftKind.CHANGED])
        again = {one.id: one.found for one in differing}
        installation.keeper.disown(verified.calendar, again, installation.clock.now())
        doubles = _still_second(installation, verified.calendar, by_kind[DriftKind.DOUBLED])
        if held_back := 0 if _may_go(installation, target, verified.calendar, len(doubles)) else len(doubles):
            doubles = []
        removed, errors = delete_seconds(installation, target, verified.calendar, doubles)
    left = len(by_kind[DriftKind.ORPHANED]) + len(by_kind[DriftKind.FOREIGN])
    return Repaired(due=len(again), left=left, removed=removed, held_back=held_back, errors=tuple(errors))


def still(installation: Installation, verified: Verified, drifts: Iterable[Drift]) -> list[Drift]:
    """Those, of events missing or changed, of which the ledger has what it had when the calendar was read: a pass may
    have come in between, and what it wrote was not seen."""
    today = {place.uid: place for place in installation.keeper.placements(verified.calendar)}
    return [one for one in drifts if today.get(one.id) == verified.places.get(one.id)]


def _still_second(installation: Installation, calendar: str, doubled: Iterable[Drift]) -> list[Marked]:
    """A pass may have come in between, and may hold by now what was second then."""
    held = {place.written.href for place in installation.keeper.placements(calendar) if place.written}
    return [one.found for one in doubled if one.found and one.found.href not in held]


def delete_seconds(
    installation: Installation, target: Target, calendar: str, doubles: Sequence[Marked]
) -> tuple[int, list[CalferryError]]:
    """Delete second events, one of each appointment at a time: intents on disk, sent, receipts filed. Returns how many
    are gone, and why others are not."""
    removed, errors = 0, []
    for one in doubles:
        intents = installation.keeper.withdraw([_deletion(target, calendar, one)], installation.clock.now())
        for outcome in target.apply(intents):
            if isinstance(outcome, Failure):
                installation.ledger.outbox.fail(outcome, installation.clock.now())
                errors.append(outcome.error)
            else:
                installation.ledger.outbox.file([outcome], installation.clock.now())
                removed += 1
    return removed, errors


def _may_go(installation: Installation, target: Target, calendar: str, number: int) -> bool:
    """Second events are deleted on explicit evidence: they stand beside the one that is held."""
    standing = installation.ledger.outbox.standing(target.name, installation.clock.now())
    for seen in (standing.get(calendar, Standing()), _total(standing.values())):
        before = seen.held + seen.weak + seen.explicit
        if number and not installation.brakes.explicit.allows(seen.explicit + number, before):
            return False
    return True


def _total(standing: Iterable[Standing]) -> Standing:
    every = list(standing)
    return Standing(
        held=sum(one.held for one in every),
        weak=sum(one.weak for one in every),
        explicit=sum(one.explicit for one in every),
    )


def _deletion(target: Target, calendar: str, one: Marked) -> Intent:
    mark = one.mark
    receipt = Receipt(calendar=calendar, uid=mark.uid, fingerprint=mark.fingerprint, href=one.href, etag=one.etag)
    removal = Removal(why=Why.RECONFIGURED, evidence="a second event of the same appointment")
    change = Delete(calendar=calendar, receipt=receipt, mark=mark, removal=removal, approved=True)
    return Intent(
        calendar=calendar,
        uid=mark.uid,
        target=target.name,
        generation=mark.generation,
        action=Action.DELETE,
        fingerprint="",
        request=target.encode(change),
    )
