"""Carry out what a person saw in a plan: exactly that, or nothing. Nothing is pulled or routed before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from calferry.errors import PARKED, gravest
from calferry.model import Action, Change, Intent, Placement, Removal
from calferry.ports import Attention
from calferry.sync.crossing import attention_of, empty, fill
from calferry.sync.installation import Installation, Tally, Watch
from calferry.sync.plan_file import INSTEAD, Item, UnusablePlan, item_of

EVER = timedelta(days=3650)
"""Beyond any pause: whatever is under way, due or not."""

Places = Mapping[tuple[str, str], Placement]


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What became of a plan: items that were applied, those that were done before, and those that were left, with the
    reason of each. `new` is what newly waits for a person."""

    applied: Sequence[Item]
    already: Sequence[Item]
    left: Mapping[Item, str]
    pushed: Tally
    new: frozenset[Attention]

    @property
    def exit_code(self) -> int:
        codes = {error.exit_code for error in self.pushed.errors}
        codes |= {PARKED if one.parked else 1 for one in self.new}
        return gravest(codes | {1} if self.left else codes)


class _Seen:
    """Of all that is due, what stands in a plan just so."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = frozenset(items)
        self._calendars = {item.calendar for item in items}
        self._sent = {(*item.key, item.action, item.generation, item.wanted) for item in items}

    def reaches(self, calendar: str) -> bool:
        return calendar in self._calendars

    def takes(self, change: Change) -> bool:
        return item_of(change) in self._items

    def resumes(self, intent: Intent) -> bool:
        """What was begun for the plan is brought to its end; what others began is not this plan's."""
        asked = (intent.calendar, intent.uid, intent.action.value, intent.generation, intent.fingerprint)
        return asked in self._sent


def apply(installation: Installation, items: Sequence[Item], watch: Watch) -> Applied:
    """Make the changes that are still wanted where what is written is still the same; intents, receipts, locks and
    brakes are those of every push. Raises UnusablePlan before anything is done, and Stopped."""
    earlier = _places(installation, items)
    if strangers := [item for item in items if item.key not in earlier]:
        message = f"the ledger never had an event {strangers[0].uid!a} in {strangers[0].calendar!a}; {INSTEAD}"
        raise UnusablePlan(message)
    before = attention_of(installation)
    open_ = [item for item in items if not _is_done(item, earlier[item.key])]
    pushed = _push(installation, open_, watch)
    now = _Afterwards(installation, items)
    attention = attention_of(installation)
    return Applied(
        applied=[item for item in open_ if _is_done(item, now.places[item.key])],
        already=[item for item in items if item not in open_],
        left={item: now.why_left(item) for item in open_ if not _is_done(item, now.places[item.key])},
        pushed=pushed,
        new=attention - before,
    )


def _push(installation: Installation, items: Sequence[Item], watch: Watch) -> Tally:
    choice, known = _Seen(items), installation.keeper.calendars()
    pushed = fill(installation, watch, {known[item.calendar] for item in items}, choice)
    leaving = {known[item.calendar] for item in items if item.action == Action.DELETE}
    if leaving:
        pushed.add(empty(installation, watch, leaving, choice))
    return pushed


def _places(installation: Installation, items: Sequence[Item]) -> Places:
    """The placements that the items are about, as far as there are any."""
    keeper = installation.keeper
    named = {item.calendar for item in items} & keeper.calendars().keys()
    keys = {item.key for item in items}
    found = (place for calendar in sorted(named) for place in keeper.placements(calendar))
    return {key: place for place in found if (key := (place.calendar, place.uid)) in keys}


def _is_done(item: Item, place: Placement) -> bool:
    """Whether the calendar holds what the item asks for."""
    if item.action == Action.DELETE:
        return place.written is None and isinstance(place.wanted, Removal)
    return place.written is not None and place.written.fingerprint == item.wanted


class _Afterwards:
    """What is still open after a push, and why."""

    def __init__(self, installation: Installation, items: Sequence[Item]) -> None:
        ledger, now = installation.ledger, installation.clock.now()
        calendars = {item.calendar for item in items}
        self.places = _places(installation, items)
        told = [one for one in attention_of(installation) if one.what in {"parked", "refused"} or not one.id]
        self.attention = {(one.where, one.id): one for one in told}
        self.resting = {rest.name for rest in ledger.pauses.rests(now)}
        self.under_way = {
            (one.calendar, one.uid) for calendar in calendars for one in ledger.outbox.unsettled(calendar, now + EVER)
        }
        planner = installation.planner
        plans = [planner.plan(calendar, ledger.outbox.due(calendar, now)) for calendar in calendars]
        self.due = {(change.calendar, change.uid): item_of(change) for plan in plans for change in plan.changes}

    def why_left(self, item: Item) -> str:
        """Why an item was not applied, a sentence without a customer's data."""
        if item.key in self.under_way:
            return "under way: what was sent before was not answered; the next `calferry sync` sends it again"
        if waiting := self.attention.get(item.key):
            return f"{waiting.what}: {waiting.reason}"
        due, place = self.due.get(item.key), self.places[item.key]
        if due != item and (due or _is_in_step(place)):
            return f"changed since: {_difference(item, due)}"
        if due is None:
            return f"held back; `calferry explain {item.uid}` says why"
        return self._why_not_now(item, place)

    def _why_not_now(self, item: Item, place: Placement) -> str:
        """It is due just as it was seen, and was not written."""
        if closed := self.attention.get((item.calendar, "")):
            return f"{closed.what}: {closed.reason}"
        if self.resting & {item.calendar, place.target}:
            return "its calendar rests; `calferry resume` ends that"
        if isinstance(place.wanted, Removal) and place.wanted.moved_to:
            return "not yet: it leaves once the calendars that it moved to hold it"
        return "not written: the calendar did not take it; the next pass tries again"


def _is_in_step(place: Placement) -> bool:
    wanted = "" if isinstance(place.wanted, Removal) else place.wanted.fingerprint
    return wanted == (place.written.fingerprint if place.written else "")


def _difference(item: Item, due: Item | None) -> str:
    return next(_differences(item, due))


def _differences(item: Item, due: Item | None) -> Iterator[str]:
    if due is None:
        yield "there is nothing to write any more"
    elif (item.action, item.wanted) != (due.action, due.wanted):
        yield "something else is wanted there by now"
    elif item.written != due.written:
        yield "the calendar holds something else by now"
    elif item.generation != due.generation:
        yield "its former identity is used up"
    yield "it is not what the plan says"
