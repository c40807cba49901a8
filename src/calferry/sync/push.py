"""Write the placements whose wanted differs from what is written, in two halves.

A moved appointment is in its new calendar before it leaves the old one: `write` creates and updates, `clear` deletes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import ExitStack
from dataclasses import replace
from typing import Protocol, TypeVar

from calferry.errors import CalferryError, Conflict, NotAuthorised, Refused, Unavailable
from calferry.model import Action, Change, Create, Delete, Failure, Intent, Marked, Outcome, Receipt, Removal, Update
from calferry.plan import MASS, Plan, mass_update, verb
from calferry.ports import Attention, Looking, Standing, Target
from calferry.sync.adopt import take_over
from calferry.sync.installation import Installation, Stopped, Tally, Watch
from calferry.sync.pausing import pause

log = logging.getLogger(__name__)
T = TypeVar("T")

DONE = {Action.CREATE: "created", Action.UPDATE: "updated", Action.DELETE: "deleted"}
"""What a settled intent counts as."""

MOST_LOCKS = 100
"""Calendars locked at the same time: each lock is an open file."""

STANDS_ASIDE = "the booking system has written it there itself"


class Choice(Protocol):
    """Which part of what is due shall be done."""

    def reaches(self, calendar: str) -> bool:
        """Whether there is anything to do in this calendar (a key): no other one is asked anything."""
        ...

    def takes(self, change: Change) -> bool: ...

    def resumes(self, intent: Intent) -> bool:
        """Whether to send again what was sent before and never answered."""
        ...


class Everything:
    """All that is due."""

    def reaches(self, _calendar: str) -> bool:
        return True

    def takes(self, _change: Change) -> bool:
        return True

    def resumes(self, _intent: Intent) -> bool:
        return True


EVERYTHING = Everything()


def lanes(installation: Installation, choice: Choice = EVERYTHING) -> Iterator[tuple[str, list[str]]]:
    """The calendars with something to write, by target and lane: what shares a credential shares its requests.

    A lane of very many calendars comes in several parts, for each of them is locked while it is written.
    """
    grouped: dict[tuple[str, str], list[str]] = {}
    for target, calendars in due_by_target(installation).items():
        for calendar in filter(choice.reaches, calendars):
            grouped.setdefault((target, installation.targets[target].lane(calendar)), []).append(calendar)
    for (target, _), calendars in grouped.items():
        yield from ((target, list(part)) for part in _chunks(calendars, MOST_LOCKS))


def due_by_target(installation: Installation) -> dict[str, list[str]]:
    """The calendars (keys) with something to write, by the configured target that reaches them."""
    due: dict[str, list[str]] = {}
    for calendar, target in installation.ledger.outbox.due_calendars(installation.clock.now()):
        if target in installation.targets:
            due.setdefault(target, []).append(calendar)
    return due


def out_of_reach(installation: Installation) -> frozenset[Attention]:
    """Calendars with something to write that no configured target reaches any more."""
    return frozenset(
        Attention(where=calendar, what="unreachable", id="", reason=f"target {target} is not in the configuration")
        for calendar, target in installation.ledger.outbox.due_calendars(installation.clock.now())
        if target not in installation.targets
    )


def plan(installation: Installation) -> tuple[Plan, ...]:
    """What the next push would do, brakes applied. Reads only."""
    now, outbox = installation.clock.now(), installation.ledger.outbox
    plans = []
    for target, calendars in due_by_target(installation).items():
        standing = outbox.standing(target, now)
        due = {calendar: outbox.due(calendar, now) for calendar in calendars}
        for one in installation.planner.plans(due, standing):
            held = standing.get(one.calendar, Standing()).held
            plans.append(replace(one, mass=mass_update(one.writes, held, now)))
    return tuple(plans)


def park(installation: Installation, target: str, calendars: Iterable[str]) -> Tally:
    """Between the halves of push: hold back what the brakes do not let pass, over all calendars of a target at once."""
    plans = _planned_removals(installation, target, calendars)
    return Tally(counts={"parked": _park(installation, plans)})


def write(
    installation: Installation, target: str, calendars: Iterable[str], watch: Watch, choice: Choice = EVERYTHING
) -> Tally:
    """First half of push, for the calendars (keys) of one lane: settle what a former run left open, survey a calendar
    before its first write, then create and update. Raises LedgerBusy, Stopped; anything else is in the tally."""
    with ExitStack() as locks:
        push = _Push(installation, target, _locked(installation, calendars, locks), watch, choice)
        push.replay()
        push.survey()
        if push.write():
            push.write()  # identities that were used up have another generation now; once is enough
        return push.tally


def clear(
    installation: Installation, target: str, calendars: Iterable[str], watch: Watch, choice: Choice = EVERYTHING
) -> Tally:
    """Second half of push, for the calendars of one lane: delete what has to go, with the brakes on.

    The brakes measure all that is to go, whatever is chosen of it: nothing slips past them in portions.
    """
    with ExitStack() as locks:
        push = _Push(installation, target, _locked(installation, calendars, locks), watch, choice)
        push.clear()
        return push.tally


class _Push:
    """One push to the calendars of one lane. A calendar that fails leaves `open`; the others go on."""

    def __init__(
        self, installation: Installation, target: str, calendars: Sequence[str], watch: Watch, choice: Choice
    ) -> None:
        self.installation = installation
        self.target = installation.targets[target]
        self.outbox, self.clock = installation.ledger.outbox, installation.clock
        self.open = list(calendars)
        self.watch, self.choice = watch, choice
        self.tally = Tally()

    def replay(self) -> None:
        """Send what was sent before and never answered: the same bytes, before anything newer for the same uid.

        One that is never answered, or never let in, must not hold up its calendar for ever: only a wish to wait closes
        a calendar here.
        """
        now = self.clock.now()
        unsettled = [intent for calendar in self.open for intent in self.outbox.unsettled(calendar, now)]
        intents = list(filter(self.choice.resumes, unsettled))
        for chunk in _chunks(intents, self.target.batch):
            still_open = [intent for intent in chunk if intent.calendar in self.open]
            self.tally.count("replayed", len(still_open))
            self._send(still_open, replaying=True)

    def survey(self) -> None:
        """Read our marks in a calendar before the first write to it: nobody else's ledger may be at work there."""
        for calendar in list(self.open):
            if self.outbox.surveyed(calendar) is None:
                self._survey(calendar)

    def _survey(self, calendar: str) -> None:
        try:
            found = list(self.target.ours(calendar))
        except (NotAuthorised, Unavailable) as error:
            self._leave(calendar, error)
            return
        if strangers := self._strangers(calendar, found):
            self._leave(calendar, NotAuthorised(strangers, calendar=calendar))
            return
        if not take_over(self.installation, calendar, self.target.name, found):
            self.outbox.survey(calendar, found, self.clock.now())

    def _strangers(self, calendar: str, found: Sequence[Marked]) -> str:
        """What to say of events that another ledger or installation wrote, '' where there are none."""
        ledger = self.installation.ledger
        known = {ledger.id, *self.installation.keeper.former}
        others = [one.mark for one in found if one.mark.ledger not in known]
        names = sorted({mark.installation for mark in others if not mark.is_of(ledger.installation)})
        if not others:
            return ""
        if names:
            settled = f"of another installation ({names[0]!r}); nothing is written there until they are gone"
        else:
            settled = "from another ledger of this installation; nothing is written there before `calferry adopt`"
        return f"{calendar} holds {len(others)} events written by calferry {settled}"

    def write(self) -> int:
        """Create and update. Returns how many changes met a used-up identity."""
        planner, now = self.installation.planner, self.clock.now()
        plans = [planner.plan(calendar, self.outbox.due(calendar, now)) for calendar in self.open]
        chosen = {plan.calendar: list(filter(self.choice.takes, plan.writes)) for plan in plans}
        self._tell_of_masses(chosen)
        kept = [self._not_elsewhere(calendar, changes) for calendar, changes in chosen.items()]
        return self._carry_out([change for changes in kept for change in changes])

    def _tell_of_masses(self, chosen: Mapping[str, Sequence[Create | Update]]) -> None:
        """Say so before most of a calendar is updated at once, and why: what is wrong in it should not be found out by
        whoever looks at that calendar."""
        many = [calendar for calendar, changes in chosen.items() if not MASS.allows(len(changes), 0)]
        now = self.clock.now()
        standing = self.outbox.standing(self.target.name, now) if many else {}
        for calendar in many:
            held = standing.get(calendar, Standing()).held
            if reason := mass_update(chosen[calendar], held, now):
                log.info("%s: mass update: %s", calendar, reason)
                self.outbox.alarm(calendar, reason, now)

    def _not_elsewhere(self, calendar: str, chosen: Sequence[Create | Update]) -> Sequence[Create | Update]:
        """Without those that the booking system has itself written into this calendar: there we stand aside. What we
        have written there stays ours, and so does what leaves another calendar for this one."""
        hrefs = {change.uid: change.event.elsewhere for change in chosen if change.event.elsewhere}
        if not hrefs or not isinstance(self.target, Looking):
            return chosen
        unwritten = self.outbox.unwritten(calendar, hrefs.keys())
        held_up: set[str] = set()
        for chunk in _chunks(sorted(unwritten), self.target.batch):
            self._stop_if_asked()
            held_up |= self._looked_for(calendar, {uid: hrefs[uid] for uid in chunk})
        return [change for change in chosen if change.uid not in held_up]

    def _looked_for(self, calendar: str, hrefs: Mapping[str, str]) -> set[str]:
        """The uids that are not to be written now: they stand in the calendar already, or that could not be told."""
        told = self.target.stands(calendar, list(hrefs.values())) if isinstance(self.target, Looking) else {}
        standing = [uid for uid, href in hrefs.items() if told[href] is True]
        self.outbox.stand_aside(calendar, standing, STANDS_ASIDE, self.clock.now())
        self.tally.count("standing aside", len(standing))
        for uid, href in hrefs.items():
            if isinstance(error := told[href], CalferryError):
                self._fail(Failure(calendar=calendar, uid=uid, error=error))
        return {uid for uid, href in hrefs.items() if told[href] is not False}

    def clear(self) -> None:
        self.open = [calendar for calendar in self.open if self.outbox.surveyed(calendar)]
        plans = _planned_removals(self.installation, self.target.name, self.open)
        self.tally.count("parked", _park(self.installation, plans))
        removals = [change for plan in plans for change in plan.removals if self.choice.takes(change)]
        self._carry_out([change for change in removals if self._may_go(change)])

    def _may_go(self, change: Delete) -> bool:
        """A moved appointment leaves its old calendar only when every new one has acknowledged it."""
        return all(self.outbox.holds(calendar, change.uid) for calendar in change.removal.moved_to)

    def _carry_out(self, changes: Sequence[Change]) -> int:
        """In requests of the target's own size: intent on disk, send, file the receipts."""
        conflicts = 0
        for chunk in _chunks(changes, self.target.batch):
            self._stop_if_asked()
            still_open = [change for change in chunk if change.calendar in self.open]
            intents = self.outbox.intend(list(self._intents(still_open)), self.clock.now())
            conflicts += self._send(intents)
        return conflicts

    def _intents(self, changes: Iterable[Change]) -> Iterator[Intent]:
        """The exact request for each change. One that the target chokes on is set aside and stops no other."""
        for change in changes:
            try:
                yield _intent(change, self.target)
            except Exception as error:
                log.warning("%s could not be written for %s", change.uid, change.calendar)
                log.debug("it failed here", exc_info=error)
                refusal = Refused(f"it could not be written ({type(error).__name__}); please report this")
                self._fail(Failure(calendar=change.calendar, uid=change.uid, error=refusal))

    def _send(self, intents: Sequence[Intent], *, replaying: bool = False) -> int:
        """Send intents that are on disk and file every outcome. Returns the number of conflicts."""
        if not intents:
            return 0
        outcomes: list[Outcome] = list(self.target.apply(intents))
        receipts = [outcome for outcome in outcomes if isinstance(outcome, Receipt)]
        failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
        self.outbox.file(receipts, self.clock.now())
        actions = {(intent.calendar, intent.uid): intent.action for intent in intents}
        for receipt in receipts:
            self.tally.count(DONE[actions[receipt.calendar, receipt.uid]])
        self.watch.tell("push", len(receipts))
        answering = {receipt.calendar for receipt in receipts} | (set(self.open) if replaying else set())
        for failure in failures:
            self._fail(failure, answering)
        return sum(isinstance(failure.error, Conflict) for failure in failures)

    def _fail(self, failure: Failure, answering: Set[str] = frozenset()) -> None:
        """File a failure. What one event met in a calendar that is `answering` holds up that event alone."""
        error = failure.error
        self.outbox.fail(failure, self.clock.now())
        if isinstance(error, Refused):
            self.tally.count("refused")
        if not isinstance(error, NotAuthorised | Unavailable) or failure.calendar not in self.open:
            return
        asked_to_wait = isinstance(error, Unavailable) and error.retry_after
        if failure.calendar in answering and not asked_to_wait:
            self.tally.errors.append(error)
        else:
            self._leave(failure.calendar, error)

    def _leave(self, calendar: str, error: NotAuthorised | Unavailable) -> None:
        """Leave a calendar alone for the rest of this push, and as long after as its answer asks for."""
        self.open.remove(calendar)
        self.tally.errors.append(error)
        pause(self.outbox, calendar, error, self.clock.now())

    def _stop_if_asked(self) -> None:
        if self.watch.stopping():
            raise Stopped


def _locked(installation: Installation, calendars: Iterable[str], locks: ExitStack) -> list[str]:
    """The calendars, each locked for as long as `locks` stand."""
    in_order = sorted(calendars)  # every process takes them in this order, so none waits in a circle
    for calendar in in_order:
        locks.enter_context(installation.ledger.lock(calendar))
    return in_order


def _planned_removals(installation: Installation, target: str, calendars: Iterable[str]) -> tuple[Plan, ...]:
    now, outbox = installation.clock.now(), installation.ledger.outbox
    found = {calendar: outbox.due(calendar, now) for calendar in calendars}
    due = {calendar: [one for one in rows if isinstance(one.wanted, Removal)] for calendar, rows in found.items()}
    due = {calendar: removals for calendar, removals in due.items() if removals}
    return installation.planner.plans(due, outbox.standing(target, now)) if due else ()


def _park(installation: Installation, plans: Iterable[Plan]) -> int:
    """Park what the plans hold back. Returns the number."""
    parked = [(plan.calendar, one) for plan in plans for one in plan.parked]
    for calendar, one in parked:
        installation.ledger.outbox.park(calendar, [one.change.uid], one.reason, installation.clock.now())
    return len(parked)


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
