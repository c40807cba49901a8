"""`calferry verify`: whether calendars hold what calferry wrote."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from calferry.cli.adopt import CalendarsArgument
from calferry.cli.console import ConfigOption, JsonOption, config_path, emit, guarded, out, show_errors
from calferry.errors import PARKED, gravest

if TYPE_CHECKING:
    from calferry.errors import CalferryError
    from calferry.sync.installation import Installation
    from calferry.sync.verify import Repaired, Verified

SHOWN = 20
"""Lines of a calendar; `--json` shows all."""

DRIFTED = 1
"""Exit code where something is new."""


@guarded
def verify(
    calendars: CalendarsArgument = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Make what differs due again, and delete second events.")
    ] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Compare calendars with what was written to them.

    Reads only, unless --repair is given.
    """
    from calferry import wiring
    from calferry.sync.reached import calendars as meant
    from calferry.sync.verify import repair as mend

    with wiring.installation(wiring.settings(config_path(config))) as installation:
        found, errors = _verified(installation, meant(installation, calendars or ()))
        repaired = {one.calendar: mend(installation, one) for one in found if one.drifts} if repair else {}
    errors = [*errors, *(error for one in repaired.values() for error in one.errors)]
    if json:
        emit({"calendars": [_document(one, repaired.get(one.calendar)) for one in found]})
    else:
        for line in _lines(found, repaired):
            out().print(line)
        if not (found or errors):
            out().print("No calendar is known yet. Run `calferry sync` first.")
    show_errors(errors)
    return _code(found, repaired.values(), errors)


def _verified(installation: Installation, calendars: dict[str, str]) -> tuple[list[Verified], list[CalferryError]]:
    """A calendar that cannot be read stops no other."""
    from calferry.errors import CalferryError
    from calferry.sync.verify import verify as compare

    found, errors = [], []
    for calendar, target in calendars.items():
        try:
            found.append(compare(installation, calendar, target))
        except CalferryError as error:
            errors.append(error)
    return found, errors


def _code(found: Iterable[Verified], repaired: Iterable[Repaired], errors: Iterable[CalferryError]) -> int:
    """What was known already does not count again, so that a cron job stays quiet."""
    codes = [DRIFTED for one in found if one.new]
    codes += [PARKED for one in repaired if one.held_back]
    return gravest([*codes, *(error.exit_code for error in errors)])


def _lines(found: Sequence[Verified], repaired: dict[str, Repaired]) -> Iterator[str]:
    for one in found:
        waiting = f", {one.stale} changes to be written" if one.stale else ""
        yield f"{one.calendar}: {one.events} events of ours, {_number(len(one.drifts))}{waiting}"
        for drift in one.drifts[:SHOWN]:
            yield f"  {drift.kind}: {drift.reason}{'' if drift in one.new else ' (known before)'}"
        if len(one.drifts) > SHOWN:
            yield f"  … and {len(one.drifts) - SHOWN} more"
        if one.calendar in repaired:
            yield f"  {_repaired_text(repaired[one.calendar])}"
    if not repaired and any(one.drifts for one in found):
        yield "`calferry verify --repair` makes it due again; the next pass writes it."


def _number(drifts: int) -> str:
    return f"{drifts} that {'differs' if drifts == 1 else 'differ'}" if drifts else "as written"


def _repaired_text(one: Repaired) -> str:
    told = [
        (one.due, "are due again: the next pass writes them"),
        (one.removed, "second events were deleted"),
        (one.held_back, "second events stay: more than the brakes let pass in a day"),
        (one.left, "are left to you: delete them in the calendar, or `calferry adopt` what is yours"),
    ]
    return "; ".join(f"{number} {text}" for number, text in told if number)


def _document(one: Verified, repaired: Repaired | None) -> dict[str, Any]:
    drifts = [
        {
            "kind": drift.kind.value,
            "id": drift.id,
            "reason": drift.reason,
            "href": drift.found.href if drift.found else "",
            "new": drift in one.new,
        }
        for drift in one.drifts
    ]
    document: dict[str, Any] = {"calendar": one.calendar, "events": one.events, "stale": one.stale, "drifts": drifts}
    if repaired is not None:
        told = {name: getattr(repaired, name) for name in ("due", "removed", "held_back", "left")}
        document["repaired"] = told | {"errors": [str(error) for error in repaired.errors]}
    return document
