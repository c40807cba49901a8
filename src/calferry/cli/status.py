"""`calferry status`: one honest line per calendar, and who has to act."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from calferry.cli.console import ConfigOption, JsonOption, attention_text, config_path, emit, guarded, out

if TYPE_CHECKING:
    from rich.console import Console

    from calferry.ports import Attention
    from calferry.store.overview import CalendarView, Orphan, SourceView


STALE = timedelta(hours=24)
"""A source that was not pulled for that long is told of: a sync that died must not die in silence."""


BEYOND = frozenset({"unproven", "unreachable", "unread"})
"""Of what waits for a person, that which no row of the ledger tells."""


@guarded
def status(config: ConfigOption = None, json: JsonOption = False) -> int:
    """How fresh every calendar is, and what waits for a person."""
    from calferry import wiring
    from calferry.store.ledger import open_ledger
    from calferry.store.overview import calendar_views, orphans, source_views
    from calferry.sync.crossing import told_at, waiting

    settings = wiring.settings(config_path(config))
    now = wiring.SystemClock().now()
    with wiring.installation(settings) as installation:
        beyond = sorted(one for one in map(_beyond_the_ledger, waiting(installation)) if one)
        told = {one.source.key: told_at(one, installation) for one in installation.accounts}
    with open_ledger(settings.database, settings.name) as ledger:
        sources, calendars = source_views(ledger), calendar_views(ledger, now)
        left_behind = orphans(ledger, [route.name for route in settings.routes])
    in_step = _oldest(told.get(one.source, one.pulled_at) for one in sources)
    if json:
        emit(
            _document(settings.name, sources, calendars, left_behind, in_step, now)
            | {"silence": _silence(sources, calendars, beyond, now)}
        )
    else:
        _show(out(), sources, calendars, left_behind, in_step, now)
        _conclude(out(), sources, calendars, _silence(sources, calendars, beyond, now), now)
    return 0


def _beyond_the_ledger(one: Attention) -> str:
    """A line about what only the configuration can tell, "" for all else."""
    return attention_text(one.what, one.where, one.id, one.reason) if one.what in BEYOND else ""


def _silence(
    sources: Sequence[SourceView], calendars: Sequence[CalendarView], beyond: Sequence[str], now: datetime
) -> list[str]:
    """What no row complains of and yet is not well: a source nobody asks any more, a calendar out of step."""
    stale = [one for one in sources if one.pulled_at is None or now - one.pulled_at > STALE]
    behind = [one for one in calendars if one.due or one.unsettled]
    return [
        *(f"stale: {one.source} was last pulled {ago(one.pulled_at, now)}; is `calferry sync` run?" for one in stale),
        *(f"behind: {one.calendar} has changes outstanding" for one in behind),
        *beyond,
    ]


def _conclude(
    console: Console,
    sources: Sequence[SourceView],
    calendars: Sequence[CalendarView],
    silence: Sequence[str],
    now: datetime,
) -> None:
    for line in silence if sources else ():
        console.print(line, style="yellow")
    waits = [*_source_trouble(sources), *_calendar_trouble(calendars), *silence]
    if sources and not waits and not any(_is_paused(calendar, now) for calendar in calendars):
        console.print("Nobody has to act.")


def _document(
    name: str,
    sources: Sequence[SourceView],
    calendars: Sequence[CalendarView],
    left_behind: Sequence[Orphan],
    told: datetime | None,
    now: datetime,
) -> dict[str, Any]:
    from dataclasses import asdict

    from calferry.model import label_of

    return {
        "at": now.isoformat(),
        "sources": [asdict(source) for source in sources],
        "calendars": [
            asdict(one) | {"label": label_of(name, one.calendar), "in_step_since": _in_step_since(one, told, now)}
            for one in calendars
        ],
        "left_behind": [asdict(orphan) for orphan in left_behind],
    }


def _oldest(told: Iterable[datetime | None]) -> datetime | None:
    """The age of the stalest source is the age of every calendar: any of them may have something new for it."""
    moments = list(told)
    return min((moment for moment in moments if moment), default=None) if all(moments) else None


def _in_step_since(calendar: CalendarView, told: datetime | None, now: datetime) -> datetime | None:
    """Since when (UTC) the calendar holds what the booking system said; None while something is outstanding."""
    return None if calendar.due or calendar.unsettled or _is_paused(calendar, now) else told


def _is_paused(calendar: CalendarView, now: datetime) -> bool:
    """A pause that is over leaves its end behind."""
    return calendar.paused_until is not None and calendar.paused_until > now


def _show(
    console: Console,
    sources: Sequence[SourceView],
    calendars: Sequence[CalendarView],
    left_behind: Sequence[Orphan],
    told: datetime | None,
    now: datetime,
) -> None:
    if not sources:
        console.print("Nothing was ever pulled. Run `calferry check`, then `calferry sync`.")
        return
    for source in sources:
        console.print(f"{source.source}: {source.live} appointments, pulled {ago(source.pulled_at, now)}")
    for calendar in calendars:
        console.print(f"{calendar.calendar}: {calendar.held} events, {_freshness(calendar, told, now)}")
    for line in (*_source_trouble(sources), *_calendar_trouble(calendars)):
        console.print(line, style="yellow")
    if left_behind:
        routes = ", ".join(sorted({orphan.route for orphan in left_behind}))
        console.print(f"{len(left_behind)} events belong to routes that left the configuration ({routes}); they stay.")


def _freshness(calendar: CalendarView, told: datetime | None, now: datetime) -> str:
    surveyed = f"surveyed {ago(calendar.surveyed_at, now)}"
    if _is_paused(calendar, now):
        return f"PAUSED until {calendar.paused_until:%Y-%m-%d %H:%M} UTC: {calendar.pause_reason}"
    if since := _in_step_since(calendar, told, now):
        waiting = len(calendar.parked) + len(calendar.refused)
        but = f" but for {waiting} that wait{'s' if waiting == 1 else ''}" if waiting else ""
        return f"in step {ago(since, now)}{but}, {surveyed}"
    if not (calendar.due or calendar.unsettled):
        return f"NOT in step: not every source was ever pulled whole, {surveyed}"
    return f"NOT in step: {calendar.due} to write, {calendar.unsettled} without an answer, {surveyed}"


def _source_trouble(sources: Sequence[SourceView]) -> Iterator[str]:
    for source in sources:
        if source.unlisted:
            missing = f"{source.unlisted} appointments are missing from a listing; not proven gone"
            yield f"unlisted: {source.source}: {missing}"
        for row in source.quarantined:
            yield attention_text("quarantined", source.source, row.source_id or "?", row.reason)
        for place in source.unrouted:
            yield attention_text("unrouted", source.source, place.source_id, place.reason)


def _calendar_trouble(calendars: Sequence[CalendarView]) -> Iterator[str]:
    for calendar in calendars:
        for parked in calendar.parked:
            reason = f"{parked.why} ({parked.evidence}); {parked.reason}"
            yield attention_text("parked", calendar.calendar, parked.uid, reason)
        for aside in calendar.refused:
            refusal = attention_text("refused", calendar.calendar, aside.uid, aside.reason)
            yield f"{refusal}; next try {aside.not_before:%Y-%m-%d %H:%M} UTC"


def ago(moment: datetime | None, now: datetime) -> str:
    """How long ago, in the largest unit that fits: "3 minutes ago", "never"."""
    if moment is None:
        return "never"
    age = max(now - moment, timedelta())
    units = ((timedelta(days=1), "day"), (timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute"))
    for unit, name in units:
        if age >= unit:
            number = age // unit
            return f"{number} {name}{'s' if number > 1 else ''} ago"
    return "less than a minute ago"
