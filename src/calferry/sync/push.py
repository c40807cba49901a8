"""Write the placements whose wanted differs from what is written, in two halves.

A moved appointment is in its new calendar before it leaves the old one: `write` creates and updates, `clear` deletes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import TypeVar

from calferry.errors import Conflict, NotAuthorised, Refused, Unavailable
from calferry.model import Action, Change, Delete, Failure, Intent, Outcome, Placement, Receipt, Removal
from calferry.plan import Plan, verb
from calferry.ports import Target
from calferry.sync.installation import Installation, Stopped, Tally, Watch

log = logging.getLogger(__name__)
T = TypeVar("T")

DONE = {Action.CREATE: "created", Action.UPDATE: "updated", Action.DELETE: "deleted"}
"""What a settled intent counts as."""

FIRST_PAUSE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=6)


def lanes(installation: Installation) -> dict[tuple[str, str], list[str]]:
    """The calendars with something to write, by target and lane: what shares a credential shares its requests."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for calendar, target in installation.ledger.outbox.due_calendars(installation.clock.now()):
        if target in installation.targets:
            lane = installation.targets[target].lane(calendar)
            grouped.setdefault((target, lane), []).append(calendar)
    return grouped


def plan(installation: Installation) -> tuple[Plan, ...]:
    """What the next push would do, brakes applied. Reads only."""
    now = installation.clock.now()
    outbox = installation.ledger.outbox
    calendars: dict[str, list[str]] = {}
    for (target, _), members in lanes(installation).items():
        calendars.setdefault(target, []).extend(members)
    return tuple(
        plan
        for target, members in calendars.items()
        for plan in installation.planner.plans(
            {calendar: outbox.due(calendar, now) for calendar in sorted(members)}, outbox.standing(target, now)
        )
    )


def write(installation: Installation, target: str, calendars: Iterable[str], watch: Watch) -> Tally:
    """First half of push, for the calendars (keys) of one lane: settle what a former run left open, survey a calendar
    before its first write, then create and update. Raises LedgerBusy, Stopped; anything else is in the tally."""
    with ExitStack() as locks:
        push = _Push.locked(installation, target, calendars, watch, locks)
        push.replay()
        push.survey()
        if push.write():
            push.write()  # identities that were used up have another generation now; once is enough
        return push.tally


def clear(installation: Installation, target: str, calendars: Iterable[str], watch: Watch) -> Tally:
    """Second half of push, for the calendars of one lane: delete what has to go, with the brakes on."""
    with ExitStack() as locks:
        push = _Push.locked(installation, target, calendars, watch, locks)
        push.clear()
        return push.tally


class _Push:
    """One push to the calendars of one lane. A calendar that fails leaves `open`; the others go on."""

    def __init__(self, installation: Installation, target: str, calendars: Sequence[str], watch: Watch) -> None:
        self.installation = installation
        self.target = installation.targets[target]
        self.outbox, self.clock = installation.ledger.outbox, installation.clock
        self.open = list(calendars)
        self.watch = watch
        self.tally = Tally()

    @classmethod
    def locked(
        cls, installation: Installation, target: str, calendars: Iterable[str], watch: Watch, locks: ExitStack
    ) -> _Push:
        in_order = sorted(calendars)  # every process takes them in this order, so none waits in a circle
        for calendar in in_order:
            locks.enter_context(installation.ledger.lock(calendar))
        return cls(installation, target, in_order, watch)

    def replay(self) -> None:
        """Send what was sent before and never answered: the same bytes, before anything newer for the same uid."""
        intents = [intent for calendar in self.open for intent in self.outbox.unsettled(calendar)]
        for chunk in _chunks(intents, self.target.batch):
            self.tally.count("replayed", len(chunk))
            self._send(chunk)

    def survey(self) -> None:
        """Read our marks in a calendar before the first write to it: nobody else's ledger may be at work there."""
        for calendar in list(self.open):
            if self.outbox.surveyed(calendar) is None:
                self._survey(calendar)

    def _survey(self, calendar: str) -> None:
        ledger = self.installation.ledger
        try:
            found = list(self.target.ours(calendar))
        except (NotAuthorised, Unavailable) as error:
            self._leave(calendar, error)
            return
        strangers = [one for one in found if one.mark.ledger != ledger.id]
        if strangers:
            reason = (
                f"{calendar} holds {len(strangers)} events written by calferry from another ledger or installation "
                f"({strangers[0].mark.installation!r}); nothing is written there until that is settled"
            )
            self._leave(calendar, NotAuthorised(reason, calendar=calendar))
            return
        self.outbox.survey(calendar, found, self.clock.now())

    def write(self) -> int:
        """Create and update. Returns how many changes met a used-up identity."""
        planner, now = self.installation.planner, self.clock.now()
        changes = [
            change for calendar in self.open for change in planner.plan(calendar, self.outbox.due(calendar, now)).writes
        ]
        return self._carry_out(changes)

    def clear(self) -> None:
        now = self.clock.now()
        self.open = [calendar for calendar in self.open if self.outbox.surveyed(calendar)]
        due = {calendar: self._removals_due(calendar, now) for calendar in self.open}
        if not any(due.values()):
            return
        standing = self.outbox.standing(self.target.name, now)
        ready: list[Change] = []
        for plan in self.installation.planner.plans(due, standing):
            for parked in plan.parked:
                self.outbox.park(plan.calendar, [parked.change.uid], parked.reason, now)
                self.tally.count("parked")
            ready.extend(change for change in plan.removals if self._may_go(change))
        self._carry_out(ready)

    def _removals_due(self, calendar: str, now: datetime) -> list[Placement]:
        return [placement for placement in self.outbox.due(calendar, now) if isinstance(placement.wanted, Removal)]

    def _may_go(self, change: Delete) -> bool:
        """A moved appointment leaves its old calendar only when every new one has acknowledged it."""
        return all(self.outbox.holds(calendar, change.uid) for calendar in change.removal.moved_to)

    def _carry_out(self, changes: Sequence[Change]) -> int:
        """In requests of the target's own size: intent on disk, send, file the receipts."""
        conflicts = 0
        for chunk in _chunks(changes, self.target.batch):
            self._stop_if_asked()
            still_open = [change for change in chunk if change.calendar in self.open]
            if not still_open:
                continue
            intents = list(self._intents(still_open))
            self.outbox.intend(intents, self.clock.now())
            conflicts += self._send(intents)
        return conflicts

    def _intents(self, changes: Iterable[Change]) -> Iterator[Intent]:
        """The exact request for each change. One that the target chokes on is set aside and stops no other."""
        for change in changes:
            try:
                yield _intent(change, self.target)
            except Exception as error:
                log.exception("%s could not be written for %s", change.uid, change.calendar)
                refusal = Refused(f"it could not be written ({type(error).__name__}); please report this")
                self._fail(Failure(calendar=change.calendar, uid=change.uid, error=refusal))

    def _send(self, intents: Sequence[Intent]) -> int:
        """Send intents that are on disk and file every outcome. Returns the number of conflicts."""
        outcomes: list[Outcome] = list(self.target.apply(intents))
        receipts = [outcome for outcome in outcomes if isinstance(outcome, Receipt)]
        failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
        self.outbox.file(receipts, self.clock.now())
        actions = {(intent.calendar, intent.uid): intent.action for intent in intents}
        for receipt in receipts:
            self.tally.count(DONE[actions[receipt.calendar, receipt.uid]])
        self.watch.tell("push", len(receipts))
        for failure in failures:
            self._fail(failure)
        return sum(isinstance(failure.error, Conflict) for failure in failures)

    def _fail(self, failure: Failure) -> None:
        self.outbox.fail(failure, self.clock.now())
        if isinstance(failure.error, Refused):
            self.tally.count("refused")
        if isinstance(failure.error, NotAuthorised | Unavailable) and failure.calendar in self.open:
            self._leave(failure.calendar, failure.error)

    def _leave(self, calendar: str, error: NotAuthorised | Unavailable) -> None:
        """Leave a calendar alone for the rest of this push, and as long after as its answer asks for."""
        self.open.remove(calendar)
        self.tally.errors.append(error)
        pause = self._pause(calendar, error)
        if pause:
            self.outbox.pause(calendar, str(error), self.clock.now() + pause)

    def _pause(self, calendar: str, error: NotAuthorised | Unavailable) -> timedelta | None:
        if isinstance(error, Unavailable):
            return timedelta(seconds=error.retry_after) if error.retry_after else None
        doublings = min(self.outbox.pauses(calendar), 10)
        return min(FIRST_PAUSE * 2.0**doublings, LONGEST_PAUSE)

    def _stop_if_asked(self) -> None:
        if self.watch.stopping():
            raise Stopped


def _intent(change: Change, target: Target) -> Intent:
    return Intent(
        calendar=change.calendar,
        uid=change.uid,
        target=target.name,
        generation=change.mark.generation,
        action=Action(verb(change)),
        fingerprint=change.mark.fingerprint,
        request=target.encode(change),
    )


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
