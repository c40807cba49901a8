"""`calferry status`: one honest line per calendar, and who has to act."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from calferry.cli.console import ConfigOption, JsonOption, attention_text, config_path, emit, guarded, out
from calferry.cli.pause import until_text
from calferry.overview import BEYOND, STALE, State, is_paused, oldest, resting_keys, state_of

if TYPE_CHECKING:
    from rich.console import Console

    from calferry.ports import Attention, Rest
    from calferry.store.overview import CalendarView, Orphan, SourceView


ANSWERS = {
    "gone": "are said to be deleted",
    "not found": "were not found, though a control was",
    "unproven": "were not found, but neither was a control",
    "unanswered": "were not answered for",
}
"""What came of asking for unlisted appointments by their ids, in words."""


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
        resting = ledger.pauses.rests(now)
        left_behind = orphans(ledger, [route.name for route in settings.routes])
    in_step = oldest(told.get(one.source, one.pulled_at) for one in sources)
    reached = {one.calendar: one.target for one in calendars}
    rests = resting_keys(resting, [one.source for one in sources], reached)
    seen = _Seen(settings.name, sources, calendars, left_behind, resting, rests, in_step, now)
    if json:
        emit(_document(seen) | {"silence": _silence(seen, beyond)})
    else:
        _show(out(), seen)
        _conclude(out(), seen, _silence(seen, beyond))
    return 0


class _Seen(NamedTuple):
    """All that is shown: the installation's name; what a person lets rest, and the same by the key of each account and
    calendar that rests for it; since when all sources are told of."""

    name: str
    sources: Sequence[SourceView]
    calendars: Sequence[CalendarView]
    left_behind: Sequence[Orphan]
    resting: Sequence[Rest]
    rests: Mapping[str, Rest]
    told: datetime | None
    now: datetime


def _beyond_the_ledger(one: Attention) -> str:
    """A line about what only the configuration can tell, "" for all else."""
    return attention_text(one.what, one.where, one.id, one.reason) if one.what in BEYOND else ""


def _silence(seen: _Seen, beyond: Sequence[str]) -> list[str]:
    """What no row complains of and yet is not well: a source nobody asks any more, a calendar out of step. What is
    paused is told of already, and what a person lets rest is well."""
    now = seen.now
    awake = [one for one in seen.sources if one.source not in seen.rests and not is_paused(one, now)]
    stale = [one for one in awake if one.pulled_at is None or now - one.pulled_at > STALE]
    behind = [one for one in seen.calendars if (one.due or one.unsettled) and one.calendar not in seen.rests]
    return [
        *(f"stale: {one.source} was last pulled {ago(one.pulled_at, now)}; is `calferry sync` run?" for one in stale),
        *(f"behind: {one.calendar} has changes outstanding" for one in behind),
        *beyond,
    ]


def _conclude(console: Console, seen: _Seen, silence: Sequence[str]) -> None:
    for line in silence if seen.sources else ():
        console.print(line, style="yellow")
    waits = [*_source_trouble(seen.sources), *_calendar_trouble(seen.calendars), *silence]
    paused = [is_paused(one, seen.now) for views in (seen.sources, seen.calendars) for one in views]
    if seen.sources and not waits and not any(paused):
        console.print("Nobody has to act.")


def _document(seen: _Seen) -> dict[str, Any]:
    from dataclasses import asdict

    from calferry.model import label_of

    def resting(key: str) -> dict[str, Any]:
        return {"resting": asdict(seen.rests[key]) if key in seen.rests else None}

    def calendar(one: CalendarView) -> dict[str, Any]:
        derived = {"label": label_of(seen.name, one.calendar), "in_step_since": _in_step_since(one, seen)}
        return asdict(one) | derived | resting(one.calendar)

    return {
        "at": seen.now.isoformat(),
        "sources": [asdict(one) | resting(one.source) for one in seen.sources],
        "calendars": [calendar(one) for one in seen.calendars],
        "left_behind": [asdict(orphan) for orphan in seen.left_behind],
        "resting": [asdict(rest) for rest in seen.resting],
    }


def _in_step_since(calendar: CalendarView, seen: _Seen) -> datetime | None:
    """Since when (UTC) the calendar holds what the booking system said; None while something is outstanding."""
    state = state_of(calendar, seen.rests, seen.told, seen.now)
    return seen.told if state is State.IN_STEP else None


def _show(console: Console, seen: _Seen) -> None:
    if not seen.sources:
        console.print("Nothing was ever pulled. Run `calferry check`, then `calferry sync`.")
        return
    for source in seen.sources:
        pulled = f"{source.source}: {source.live} appointments, pulled {ago(source.pulled_at, seen.now)}"
        console.print(", ".join(filter(None, (pulled, _pause(source, source.source, seen)))))
    for calendar in seen.calendars:
        aside = f", {calendar.aside} stand aside (the booking system writes them itself)" if calendar.aside else ""
        console.print(f"{calendar.calendar}: {calendar.held} events{aside}, {_freshness(calendar, seen)}")
    for rest in seen.resting:
        if rest.name not in seen.rests:  # a target, or what nobody has heard of since
            console.print(f"{rest.what} {rest.name}: {_by_hand(rest)}")
    for line in (*_source_trouble(seen.sources), *_calendar_trouble(seen.calendars)):
        console.print(line, style="yellow")
    if seen.left_behind:
        routes = ", ".join(sorted({orphan.route for orphan in seen.left_behind}))
        number = len(seen.left_behind)
        console.print(f"{number} events belong to routes that left the configuration ({routes}); they stay.")


def _pause(one: SourceView | CalendarView, key: str, seen: _Seen) -> str:
    """Until when it is left alone, why, and what to do; "" where it is not."""
    if rest := seen.rests.get(key):
        return _by_hand(rest, f" with {rest.what} {rest.name}" if rest.name != key else "")
    if is_paused(one, seen.now):
        reason = one.pause_reason.removesuffix(".")
        retry = f"once that is mended, `calferry resume {key}` has it tried at once"
        return f"PAUSED {until_text(one.paused_until)}: {reason}; {retry}"
    return ""


def _by_hand(rest: Rest, beside: str = "") -> str:
    return f"PAUSED by hand {until_text(rest.until)}{beside}" + (f": {rest.reason}" if rest.reason else "")


def _freshness(calendar: CalendarView, seen: _Seen) -> str:
    surveyed = f"surveyed {ago(calendar.surveyed_at, seen.now)}"
    if pause := _pause(calendar, calendar.calendar, seen):
        return pause
    if since := _in_step_since(calendar, seen):
        waiting = len(calendar.parked) + len(calendar.refused)
        but = f" but for {waiting} that wait{'s' if waiting == 1 else ''}" if waiting else ""
        return f"in step {ago(since, seen.now)}{but}, {surveyed}"
    if not (calendar.due or calendar.unsettled):
        return f"NOT in step: not every source was ever pulled whole, {surveyed}"
    return f"NOT in step: {calendar.due} to write, {calendar.unsettled} without an answer, {surveyed}"


def _source_trouble(sources: Sequence[SourceView]) -> Iterator[str]:
    for source in sources:
        if source.unlisted:
            yield f"unlisted: {source.source}: {_missing(source)}"
        for row in source.quarantined:
            yield attention_text("quarantined", source.source, row.source_id or "?", row.reason)
        for place in source.unrouted:
            yield attention_text("unrouted", source.source, place.source_id, place.reason)


def _missing(source: SourceView) -> str:
    """How many are missing, how many of them were asked for, and what came of that."""
    asked = sum(source.answers.values())
    came = ", ".join(f"{number} {ANSWERS.get(verdict, verdict)}" for verdict, number in source.answers.items())
    missing = f"{source.unlisted} appointments are missing from a listing; not proven gone; asked for {asked} so far"
    return f"{missing}: {came}" if came else missing


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
