"""`calferry adopt`: take over what a lost ledger wrote."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from calferry.cli.console import ConfigOption, JsonOption, config_path, emit, guarded, out, show_errors, watched
from calferry.errors import Unavailable, gravest

if TYPE_CHECKING:
    from calferry.errors import CalferryError
    from calferry.sync.adopt import Adoption
    from calferry.sync.installation import Installation, Watch

CalendarsArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[CALENDAR]…", help="Calendars by key or id; without any, all that appointments go to."),
]

SHOWN = 5
"""Uids shown of each kind."""


@guarded
def adopt(
    calendars: CalendarsArgument = None,
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Do it. It also says that the former ledgers are in use nowhere any more."),
    ] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Take over what a lost ledger wrote.

    Shows what that is; --yes does it.
    """
    from calferry import wiring
    from calferry.sync.adopt import adopt as take_over
    from calferry.sync.adopt import survey
    from calferry.sync.reached import calendars as meant

    with wiring.installation(wiring.settings(config_path(config))) as installation, watched() as watch:
        _pull(installation, watch)
        found, errors = survey(installation, meant(installation, calendars or ()))
        due = [one for one in found if one.is_due]
        if yes:
            due = [take_over(installation, one.calendar, one.target) for one in due]
            _route(installation, watch)
    if json:
        emit({"adopted": yes, "calendars": [_document(one) for one in found if one.former or one.foreign]})
    else:
        for line in _lines(found, done=yes):
            out().print(line)
    show_errors(errors)
    return _code(found, errors)


def _pull(installation: Installation, watch: Watch) -> None:
    """Learn which appointments there are. Raises Unavailable while a booking system cannot tell."""
    from calferry.sync.adopt import unread
    from calferry.sync.crossing import bring

    tallies = bring(installation, watch)
    if missing := unread(installation):
        show_errors(error for name in missing for error in tallies[name].errors)
        msg = f"sources.{missing[0]} was not pulled to its end: nobody knows yet which event belongs to what"
        raise Unavailable(msg)


def _route(installation: Installation, watch: Watch) -> None:
    """What was adopted and is wanted elsewhere, or nowhere, by now gets its reason."""
    from calferry.sync.route import route

    for account in installation.accounts:
        route(account, installation, watch)


def _code(found: Iterable[Adoption], errors: Sequence[CalferryError]) -> int:
    foreign = [Unavailable.exit_code for one in found if one.foreign]
    return gravest([*(error.exit_code for error in errors), *foreign])


def _lines(found: Sequence[Adoption], *, done: bool) -> Iterator[str]:
    for one in found:
        if one.foreign:
            names = ", ".join(f"{number} of {name!r}" for name, number in sorted(one.foreign.items()))
            yield f"{one.calendar}: holds events of other installations ({names}); nothing is adopted there"
        elif one.is_due:
            yield from _calendar_lines(one)
    due = [one for one in found if one.is_due]
    if not due:
        yield "There is nothing to adopt."
    elif done:
        yield "Adopted. `calferry plan` shows what is to be written now."
    else:
        yield "Nothing was adopted yet. Two calferries that write into one calendar undo each other's work: make sure"
        yield f"that none works with {_ledgers(due)} any more, on no other machine and from no copy; then add --yes."


def _calendar_lines(one: Adoption) -> Iterator[str]:
    written = ", ".join(f"{number} by ledger {ledger}" for ledger, number in sorted(one.former.items()))
    yield f"{one.calendar}: {sum(one.former.values())} events of former ledgers ({written})"
    others = len(one.events) - len(one.in_step) - len(one.orphans) - len(one.strays)
    yield f"  {len(one.in_step)} as the booking system has them now, {others} changed since"
    if one.strays:
        yield f"  {len(one.strays)} of appointments that were called off, moved or filtered since{_few(one.strays)}"
    if one.orphans:
        yield f"  {len(one.orphans)} of appointments that the booking system does not list{_few(one.orphans)};"
        if one.unwritten:
            yield f"    some may be group sessions as they were: {len(one.unwritten)} of today's stand nowhere yet;"
        yield "    they stay: `calferry deletions list --all` shows them, `calferry deletions approve` removes them"
    if one.doubles:
        doubled = {double.mark.uid for double in one.doubles}
        yield f"  {len(one.doubles)} copies too many{_few(doubled)}; `calferry verify --repair` removes them"


def _few(uids: Iterable[str]) -> str:
    first = sorted(uids)
    more = ", …" if len(first) > SHOWN else ""
    return f" ({', '.join(first[:SHOWN])}{more})"


def _ledgers(due: Iterable[Adoption]) -> str:
    return ", ".join(sorted({ledger for one in due for ledger in one.former}))


def _document(one: Adoption) -> dict[str, Any]:
    return {
        "calendar": one.calendar,
        "former": dict(one.former),
        "foreign": dict(one.foreign),
        "events": len(one.events),
        "in_step": sorted(one.in_step),
        "strays": sorted(one.strays),
        "orphans": sorted(one.orphans),
        "doubles": [{"uid": double.mark.uid, "href": double.href} for double in one.doubles],
    }
