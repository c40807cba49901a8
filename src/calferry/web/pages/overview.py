"""The overview: from each source by its routes to the calendars, which of them lags, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from calferry.overview import State, is_paused, lead, oldest, resting_keys, state_of
from calferry.ports import Attention, HeldBack, Rest
from calferry.store import SqlLedger
from calferry.store.glance import CalendarGlance, SourceGlance, calendar_glances, parked, source_glances
from calferry.store.history import last_hours
from calferry.sync.crossing import told_at, waiting
from calferry.sync.installation import Account, Installation
from calferry.web.pages.chart import HOURS, Chart, chart

MOST = 50
"""Parked deletions shown at once."""

EXAMPLES = 3
"""Of several failures of one kind in one place, those that are shown."""

LAGS = frozenset({State.BEHIND, State.PAUSED, State.UNTOLD})


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarLine:
    """A calendar, `rest` where a person lets it rest. Times in UTC."""

    key: str
    name: str
    kind: str
    state: State
    facts: CalendarGlance
    rest: Rest | None
    told: datetime | None

    @property
    def lags(self) -> bool:
        return self.state in LAGS


@dataclass(frozen=True, slots=True)
class RouteLine:
    name: str
    target: str
    calendars: Sequence[CalendarLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """A booking account: when it was last pulled, and when it will be next; both in UTC, None where that is not known
    or not to be."""

    key: str
    name: str
    pulled_at: datetime | None
    next_at: datetime | None
    paused: SourceGlance | None
    rest: Rest | None
    routes: Sequence[RouteLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What waits for a person for one kind of reason in one place, with the command to type."""

    what: str
    where: str
    number: int
    examples: Sequence[Attention]
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    sources: Sequence[SourceLine]
    elsewhere: Sequence[CalendarLine]
    calendars: int
    lagging: Sequence[CalendarLine]
    troubles: Sequence[Trouble]
    parked: Sequence[HeldBack]
    parked_in_all: int
    chart: Chart
    now: datetime


def overview(installation: Installation, ledger: SqlLedger) -> Overview:
    """Raises Unavailable."""
    now = installation.clock.now()
    told = {account.source.key: told_at(account, installation) for account in installation.accounts}
    glances = {one.calendar: one for one in calendar_glances(ledger, now)}
    attention = waiting(installation)
    rests = resting_keys(ledger.pauses.rests(now), told, {key: one.target for key, one in glances.items()})
    since = oldest(told.values())
    lines = {key: _line(one, rests, since, now) for key, one in glances.items()}
    paused = source_glances(ledger)
    sources = [_source(one, installation, lines, paused, rests) for one in installation.accounts]
    shown = {line.key for source in sources for route in source.routes for line in route.calendars}
    in_all = sum(one.parked for one in attention)
    return Overview(
        sources=sources,
        elsewhere=[line for key, line in lines.items() if key not in shown],
        calendars=len(lines),
        lagging=[line for line in lines.values() if line.lags],
        troubles=list(_troubles(attention, told)),
        parked=parked(ledger, MOST) if in_all else (),
        parked_in_all=in_all,
        chart=chart(last_hours(ledger.database, now, HOURS)),
        now=now,
    )


def _line(one: CalendarGlance, rests: Mapping[str, Rest], told: datetime | None, now: datetime) -> CalendarLine:
    kind, _, name = one.calendar.partition(":")
    return CalendarLine(
        key=one.calendar,
        name=name,
        kind=kind,
        state=state_of(one, rests, told, now),
        facts=one,
        rest=rests.get(one.calendar),
        told=told,
    )


def _source(
    account: Account,
    installation: Installation,
    lines: Mapping[str, CalendarLine],
    paused: Mapping[str, SourceGlance],
    rests: Mapping[str, Rest],
) -> SourceLine:
    key, now = account.source.key, installation.clock.now()
    pulled, glance = installation.ledger.intake.last(key, "pull"), paused.get(key)
    led = lead(account, installation)
    closed = glance if glance and is_paused(glance, now) else None
    return SourceLine(
        key=key,
        name=account.source.name,
        pulled_at=pulled,
        next_at=None if key in rests else closed.paused_until if closed else pulled and pulled + account.rhythm.every,
        paused=closed,
        rest=rests.get(key),
        routes=[
            RouteLine(route.name, route.target, _worst_first(lines[key] for key in led[route.name] if key in lines))
            for route in account.routes
        ],
    )


def _worst_first(lines: Iterable[CalendarLine]) -> list[CalendarLine]:
    return sorted(lines, key=lambda line: (not line.lags, not line.facts.waiting, line.key))


def _troubles(attention: Iterable[Attention], sources: Iterable[str]) -> Iterable[Trouble]:
    """By place and kind. Parked deletions have a list of their own, and calendars that are paused lag."""
    known = frozenset(sources)
    others = [one for one in attention if not one.parked and (one.what != "paused" or one.where in known)]
    ordered = sorted(others, key=lambda one: (one.where, one.what, one.id))
    for (where, what), group in groupby(ordered, key=lambda one: (one.where, one.what)):
        its = list(group)
        yield Trouble(
            what=what,
            where=where,
            number=len(its),
            examples=its[:EXAMPLES],
            command=command_for(what, where, its[0].id),
        )


def command_for(what: str, where: str, name: str) -> str:
    """What to type about something that waits for a person."""
    match what:
        case "paused":
            return f"calferry resume {where}"
        case "refused" | "unrouted":
            return f"calferry explain {name}"
        case "drift":
            return f"calferry verify {where}"
        case "unreachable" | "expiring":
            return f"calferry connect {where.removeprefix('targets.')}"
        case _:
            return "calferry check"
