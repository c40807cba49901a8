"""The calendar page: a week of what calferry has written into a calendar and wants there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import groupby

from calferry.model import Event, Removal, Status
from calferry.overview import State, oldest, resting_keys, state_of
from calferry.ports import Attention, Rest
from calferry.store import SqlLedger
from calferry.store.glance import CalendarGlance, Slot, agenda, calendar_glances, unknown
from calferry.sync.crossing import told_at
from calferry.sync.installation import Installation

WEEK = timedelta(days=7)
SPREAD = timedelta(hours=14)
"""As far as a wall time can be from UTC: a week of wall times lies within so much more of UTC."""


class Sign(StrEnum):
    """How an event in the calendar differs from what is wanted: not at all, not there yet, other than wanted, to leave;
    and what holds that up: it waits for a person, was refused, or is left to another hand."""

    SAME = "same"
    NEW = "new"
    CHANGES = "changes"
    LEAVES = "leaves"
    PARKED = "parked"
    REJECTED = "rejected"
    REFUSED = "refused"
    ASIDE = "aside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An event of a day. `before` is what stands there where that shows something else."""

    uid: str
    event: Event
    before: Event | None
    sign: Sign
    reason: str
    cancelled: bool


@dataclass(frozen=True, slots=True)
class Day:
    date: date
    items: Sequence[Item]


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """`known` are the keys of all calendars, for whoever looks for another one."""

    key: str
    monday: date
    days: Sequence[Day]
    glance: CalendarGlance
    state: State
    rest: Rest | None
    told: datetime | None
    attention: Sequence[Attention]
    unknown: int
    differing: int
    now: datetime


def week(installation: Installation, ledger: SqlLedger, key: str, monday: date) -> Week | None:
    """None where there is no such calendar. Raises Unavailable."""
    now = installation.clock.now()
    glances = {one.calendar: one for one in calendar_glances(ledger, now)}
    if key not in glances:
        return None
    told = oldest(told_at(account, installation) for account in installation.accounts)
    rests = resting_keys(ledger.pauses.rests(now), (), {key: glances[key].target})
    start = datetime.combine(monday, time(), tzinfo=now.tzinfo)
    slots = agenda(ledger, key, start - SPREAD, start + WEEK + SPREAD)
    days = _days(slots, monday)
    return Week(
        key=key,
        monday=monday,
        days=days,
        glance=glances[key],
        state=state_of(glances[key], rests, told, now),
        rest=rests.get(key),
        told=told,
        attention=sorted(
            (one for one in installation.ledger.attention(now) if one.where == key and one.what == "drift"),
            key=lambda one: one.id,
        ),
        unknown=unknown(ledger, key),
        differing=sum(item.sign is not Sign.SAME for day in days for item in day.items),
        now=now,
    )


def _days(slots: Sequence[Slot], monday: date) -> list[Day]:
    """Each event on the day it starts by its own wall clock; what began before the week, on its first day."""
    items = [(_day(event, monday), _item(slot, event)) for slot in slots if (event := slot.shown)]
    within = [(day, item) for day, item in items if day is not None]
    within.sort(key=lambda pair: (pair[0], pair[1].event.start.timetuple(), pair[1].uid))
    return [Day(day, [item for _, item in group]) for day, group in groupby(within, key=lambda pair: pair[0])]


def _day(event: Event, monday: date) -> date | None:
    start = event.start.date()
    if start >= monday:
        return start if start < monday + WEEK else None
    return monday if event.end.replace(tzinfo=None) > datetime.combine(monday, time()) else None


def _item(slot: Slot, event: Event) -> Item:
    other = slot.written if slot.written is not None and slot.written != event else None
    cancelled = event.status is Status.CANCELLED or event.called_off
    return Item(uid=slot.uid, event=event, before=other, sign=_sign(slot), reason=_reason(slot), cancelled=cancelled)


def _sign(slot: Slot) -> Sign:
    if not slot.differs:
        return Sign.SAME
    if slot.held in {Sign.PARKED, Sign.REJECTED, Sign.REFUSED, Sign.ASIDE}:
        return Sign(slot.held)
    if isinstance(slot.wanted, Removal):
        return Sign.LEAVES
    return Sign.CHANGES if slot.stands else Sign.NEW


def _reason(slot: Slot) -> str:
    if isinstance(slot.wanted, Removal) and slot.stands:
        told = "" if slot.wanted.evidence in slot.reason else slot.wanted.evidence
        return f"{slot.wanted.why}: {'; '.join(filter(None, (told, slot.reason)))}"
    return slot.reason
