"""Pure: placements whose wanted differs from what is written → a Plan, with the brakes applied.

A plan is a value: it can be printed, counted, compared and refused. It is bound to the fingerprints it was made from:
a change that no longer holds when its turn comes is left out, and planned anew (`Outbox.intend`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from calferry.model import Change, Create, Delete, Mark, Placement, Removal, Update, Why
from calferry.moments import utc
from calferry.ports import Standing


@dataclass(frozen=True)
class Brake:
    """Deletions beyond the greater of `few` and `share` of what is held are parked."""

    few: int
    share: float

    def allows(self, deletions: int, held: int) -> bool:
        return deletions <= max(self.few, self.share * held)


@dataclass(frozen=True, kw_only=True)
class Brakes:
    """The limits per calendar and per target, over a rolling 24 hours.

    Weak evidence (a not-found, a filter) can be a glitch; an explicit cancellation hardly, but a salon does not
    cancel half of its week either. Moves to another owner lose nothing, and a colleague who leaves hands over a whole
    calendar: they are not braked.
    """

    weak: Brake = Brake(few=2, share=0.20)
    explicit: Brake = Brake(few=20, share=0.50)


MASS = Brake(few=19, share=0.50)
"""Updates beyond the greater of these at once are told of: 20 or more, and most of what the calendar holds."""

TOLD = "changed"
"""Why an event is updated whose appointment the booking system changed, or what the appointment refers to."""

UNKNOWN = "what stands there is not what this ledger last wrote"
"""Why an event is updated that its user edited, or that another ledger wrote."""


def mass_update(writes: Sequence[Create | Update], held: int, now: datetime) -> str:
    """What to say of updates that make most of a calendar another at once, '' where they do not. Events that have ended
    are left out of account, as they are in `held`."""
    updates = [one for one in writes if isinstance(one, Update) and utc(one.event.end) > now]
    if MASS.allows(len(updates), held):
        return ""
    causes = Counter(one.why for one in updates).most_common()
    told = [f"{number} because {_cause_text(why)}" for why, number in causes]
    return f"{len(updates)} of {held} events are updated at once: {', '.join(told)}"


def _cause_text(why: str) -> str:
    return "the booking system changed them, or what they refer to" if why == TOLD else why


class Strength(StrEnum):
    """What kind of evidence stands behind a deletion, as far as the brakes care."""

    WEAK = "weak"
    EXPLICIT = "explicit"
    MOVE = "move"
    RECONFIGURED = "reconfigured"


def strength(removal: Removal) -> Strength:
    if removal.why is Why.RECONFIGURED:
        return Strength.RECONFIGURED
    if removal.weak:
        return Strength.WEAK
    return Strength.MOVE if removal.why is Why.MOVED else Strength.EXPLICIT


@dataclass(frozen=True)
class Parked:
    """A deletion that waits for a person."""

    change: Delete
    reason: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What shall happen to one calendar, in this order: creates and updates by start time, then deletions. `mass` says
    it where most of its events are updated at once."""

    calendar: str
    changes: tuple[Change, ...] = ()
    parked: tuple[Parked, ...] = ()
    mass: str = ""

    @property
    def writes(self) -> tuple[Create | Update, ...]:
        return tuple(change for change in self.changes if not isinstance(change, Delete))

    @property
    def removals(self) -> tuple[Delete, ...]:
        return tuple(change for change in self.changes if isinstance(change, Delete))

    @property
    def counts(self) -> Mapping[str, int]:
        """Numbers of `create`, `update`, `delete` and `parked`."""
        kinds = Counter(verb(change) for change in self.changes)
        return {name: kinds[name] for name in ("create", "update", "delete")} | {"parked": len(self.parked)}

    def as_json(self) -> dict[str, Any]:
        return {
            "calendar": self.calendar,
            "counts": dict(self.counts),
            "changes": [_change_json(change) for change in self.changes],
            "parked": [_change_json(parked.change) | {"parked": parked.reason} for parked in self.parked],
            "mass_update": self.mass,
        }


def verb(change: Change) -> str:
    match change:
        case Create():
            return "create"
        case Update():
            return "update"
        case Delete():
            return "delete"


@dataclass(frozen=True, kw_only=True)
class Planner:
    """Makes the plans of one target's calendars. `installation` and `ledger` go into the mark on each event."""

    installation: str
    ledger: str
    brakes: Brakes = field(default_factory=Brakes)

    def plans(self, due: Mapping[str, Sequence[Placement]], standing: Mapping[str, Standing]) -> tuple[Plan, ...]:
        """One plan per calendar (key) in `due`, braked by calendar and, over all of `standing`, by target."""
        plans = [
            self._braked(self.plan(calendar, placements), standing.get(calendar, Standing()))
            for calendar, placements in due.items()
        ]
        return self._braked_together(plans, standing)

    def plan(self, calendar: str, due: Sequence[Placement]) -> Plan:
        """What the placements ask for, without brakes."""
        changes = [self._change(placement) for placement in due]
        writes = [change for change in changes if not isinstance(change, Delete)]
        removals = [change for change in changes if isinstance(change, Delete)]
        return Plan(
            calendar=calendar,
            changes=(*sorted(writes, key=lambda w: (utc(w.event.start), w.uid)), *sorted(removals, key=_by_uid)),
        )

    def _change(self, placement: Placement) -> Change:
        wanted, calendar = placement.wanted, placement.calendar
        if isinstance(wanted, Removal):
            return self._delete(placement, wanted)
        mark = self._mark(placement, wanted.fingerprint)
        if placement.written is None:
            return Create(calendar=calendar, event=wanted, mark=mark)
        why = (placement.cause or TOLD) if placement.before else UNKNOWN
        return Update(
            calendar=calendar, event=wanted, mark=mark, receipt=placement.written, before=placement.before, why=why
        )

    def _delete(self, placement: Placement, removal: Removal) -> Delete:
        if placement.written is None:
            msg = f"{placement.calendar} {placement.uid}: nothing wanted and nothing written is nothing to do"
            raise ValueError(msg)
        mark = self._mark(placement, "")
        return Delete(
            calendar=placement.calendar,
            receipt=placement.written,
            mark=mark,
            removal=removal,
            before=placement.before,
            approved=placement.approved,
        )

    def _mark(self, placement: Placement, fingerprint: str) -> Mark:
        return Mark(
            installation=self.installation,
            ledger=self.ledger,
            uid=placement.uid,
            generation=placement.generation,
            fingerprint=fingerprint,
        )

    def _braked(self, plan: Plan, standing: Standing) -> Plan:
        plan = _park(plan, Strength.RECONFIGURED, "the configuration changed; it stays until a person decides")
        for kind, brake, recent in self._limits(standing):
            asked = _count(plan, kind)
            if asked and not brake.allows(recent + asked, _yesterday(standing)):
                plan = _park(plan, kind, _reason(kind, recent + asked, _yesterday(standing), "in this calendar"))
        return plan

    def _braked_together(self, plans: Sequence[Plan], standing: Mapping[str, Standing]) -> tuple[Plan, ...]:
        total = Standing(
            held=sum(one.held for one in standing.values()),
            weak=sum(one.weak for one in standing.values()),
            explicit=sum(one.explicit for one in standing.values()),
        )
        for kind, brake, recent in self._limits(total):
            asked = sum(_count(plan, kind) for plan in plans)
            if asked and not brake.allows(recent + asked, _yesterday(total)):
                reason = _reason(kind, recent + asked, _yesterday(total), "in all calendars of the target")
                plans = [_park(plan, kind, reason) for plan in plans]
        return tuple(plans)

    def _limits(self, standing: Standing) -> tuple[tuple[Strength, Brake, int], ...]:
        return (
            (Strength.WEAK, self.brakes.weak, standing.weak),
            (Strength.EXPLICIT, self.brakes.explicit, standing.explicit),
        )


def _by_uid(change: Delete) -> str:
    return change.uid


def _yesterday(standing: Standing) -> int:
    """What was held before the deletions of the last 24 hours: a share of it must not shrink as they go on."""
    return standing.held + standing.weak + standing.explicit


def _brakes(change: Delete, kind: Strength) -> bool:
    """Whether a deletion is of that kind, as far as brakes have a say in it."""
    return not change.approved and strength(change.removal) is kind


def _count(plan: Plan, kind: Strength) -> int:
    return sum(_brakes(change, kind) for change in plan.removals)


def _park(plan: Plan, kind: Strength, reason: str) -> Plan:
    """All deletions of a kind, not only those beyond the limit: nobody knows which of them are the glitch."""
    held_back = tuple(Parked(change, reason) for change in plan.removals if _brakes(change, kind))
    others = tuple(change for change in plan.removals if not _brakes(change, kind))
    return Plan(calendar=plan.calendar, changes=(*plan.writes, *others), parked=(*plan.parked, *held_back))


def _reason(kind: Strength, deletions: int, held: int, where: str) -> str:
    return f"{deletions} deletions on {kind} evidence within 24 hours, of {held} events {where}"


def _change_json(change: Change) -> dict[str, Any]:
    row: dict[str, Any] = {"change": verb(change), "uid": change.uid, "why": str(change.why)}
    if isinstance(change, Delete):
        return row | {"evidence": change.removal.evidence}
    event = change.event
    return row | {"summary": event.summary, "start": event.start.isoformat(), "end": event.end.isoformat()}
