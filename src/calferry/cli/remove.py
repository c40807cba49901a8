"""`calferry remove`: take away from calendars what calferry wrote there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from calferry.cli.console import ConfigOption, JsonOption, config_path, emit, guarded, out, show_errors, watched
from calferry.errors import PARKED, Refused, gravest

if TYPE_CHECKING:
    from calferry.errors import CalferryError
    from calferry.sync.installation import Installation, Tally, Watch
    from calferry.sync.remove import Remainder

FIRST = 5
"""Starts shown of a calendar's events."""


@guarded
def remove(
    calendars: Annotated[
        list[str] | None, typer.Argument(metavar="[CALENDAR]…", help="Calendars by key or id.", show_default=False)
    ] = None,
    target: Annotated[str, typer.Option("--target", metavar="NAME", help="All known calendars of a target.")] = "",
    every: Annotated[bool, typer.Option("--all", help="All known calendars.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it.")] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Take away from calendars what calferry wrote.

    Shows what that is; --yes does it. A calendar that a route leads to is refused.
    """
    from calferry import wiring

    if sum(map(bool, (calendars, target, every))) != 1:
        message = "name calendars, or --target NAME, or --all"
        raise typer.BadParameter(message)
    with wiring.installation(wiring.settings(config_path(config))) as installation, watched() as watch:
        meant = _meant(installation, calendars or (), target)
        found, errors = _looked(installation, meant)
        going = [one for one in found if one.may_go]
        done = {one.calendar: _taken_away(installation, one, watch) for one in going if yes}
    if json:
        emit({"removed": yes, "calendars": [_document(one, done.get(one.calendar)) for one in found]})
    else:
        for line in _lines(found, done, yes=yes):
            out().print(line)
        if not meant:
            out().print("No calendar is known. Name it: `calferry remove CALENDAR`.")
    errors += [error for tally in done.values() for error in tally.errors]
    show_errors(errors)
    stays = [Refused.exit_code for one in found if one.number and one.routes]
    aside = [PARKED for tally in done.values() if tally["refused"]]
    return gravest([*stays, *aside, *(error.exit_code for error in errors)])


def _meant(installation: Installation, calendars: Sequence[str], target: str) -> dict[str, str]:
    """Raises BadParameter for a target that is not configured, Refused for a name that names no calendar."""
    from calferry.sync.reached import calendars as reached

    if target and target not in installation.targets:
        message = f"there is no target called {target}; there are {', '.join(installation.targets)}"
        raise typer.BadParameter(message)
    return {key: name for key, name in reached(installation, calendars).items() if target in {"", name}}


def _looked(installation: Installation, calendars: dict[str, str]) -> tuple[list[Remainder], list[CalferryError]]:
    """A calendar that cannot be read stops no other."""
    from calferry.errors import CalferryError
    from calferry.sync.remove import look

    found, errors = [], []
    for calendar, target in calendars.items():
        try:
            found.append(look(installation, calendar, target))
        except CalferryError as error:
            errors.append(error)
    return found, errors


def _taken_away(installation: Installation, one: Remainder, watch: Watch) -> Tally:
    """Nor does one that cannot be left."""
    from calferry.errors import CalferryError
    from calferry.sync.installation import Tally
    from calferry.sync.remove import remove as take_away

    try:
        return take_away(installation, one.calendar, one.target, watch)
    except CalferryError as error:
        return Tally(errors=[error])


def _lines(found: Sequence[Remainder], done: dict[str, Tally], *, yes: bool) -> Iterator[str]:
    for one in found:
        yield f"{one.calendar}: {_stands(one)}"
        if one.number and one.routes:
            routes = ", ".join(one.routes)
            yield f"  nothing is removed: route {routes} leads there, and the next pass would write it again."
            yield "  Take the route out of the configuration, or lead it elsewhere, and run `calferry sync` first."
        elif one.calendar in done:
            yield f"  {done[one.calendar].text() or 'nothing was deleted'}"
    if not yes and any(one.may_go for one in found):
        yield "Nothing was removed yet; --yes does it."


def _stands(one: Remainder) -> str:
    if not one.number:
        return "nothing of ours"
    copies = f" and {len(one.doubles)} second ones" if one.doubles else ""
    starts = ", ".join(f"{start:%Y-%m-%d %H:%M}" for start in one.starts[:FIRST])
    more = ", …" if len(one.starts) > FIRST else ""
    ledgers = f", written by {len(one.ledgers)} ledgers" if len(one.ledgers) > 1 else ""
    return f"{len(one.events)} events{copies}{ledgers}{f' ({starts}{more})' if starts else ''}"


def _document(one: Remainder, tally: Tally | None) -> dict[str, Any]:
    document: dict[str, Any] = {
        "calendar": one.calendar,
        "events": len(one.events),
        "doubles": len(one.doubles),
        "ledgers": dict(one.ledgers),
        "routes": list(one.routes),
        "starts": list(one.starts),
    }
    if tally is not None:
        document |= {"done": dict(tally.counts), "errors": [str(error) for error in tally.errors]}
    return document
