"""`calferry erase`: forget a client."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from calferry.cli.console import ConfigOption, JsonOption, config_path, emit, guarded, out, show_errors, watched
from calferry.errors import Refused, gravest

if TYPE_CHECKING:
    from calferry.keeping import Kept, Trace
    from calferry.sync.installation import Installation, Watch

ELSEWHERE = (
    "Not erased, for calferry cannot: backups and ledgers kept aside, the booking system itself, what calendars keep "
    "of deleted and changed events, and copies that subscribers of feeds still hold."
)


@guarded
def erase(  # noqa: PLR0913, PLR0917 (each option of a command is an argument)
    ref: Annotated[
        str,
        typer.Argument(metavar="[REF]", help="One appointment: its uid, source id or reference.", show_default=False),
    ] = "",
    email: Annotated[str, typer.Option("--email", help="All of the client with this address.")] = "",
    phone: Annotated[str, typer.Option("--phone", help="All of the client with this number.")] = "",
    suppress: Annotated[
        bool, typer.Option("--suppress", help="Record nothing of this client ever again, whatever is still listed.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it.")] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Forget a client.

    Appointments stay, without what they tell of whose they are. Shows them; --yes does it.
    """
    from calferry import wiring
    from calferry.keeping import Trace

    if sum(map(bool, (ref, email, phone))) != 1:
        message = "give one of REF, --email and --phone"
        raise typer.BadParameter(message)
    trace = Trace(ref=ref, email=email, phone=phone)
    with wiring.installation(wiring.settings(config_path(config))) as installation, watched() as watch:
        found = installation.keeper.find(trace)
        _check(found, suppress=suppress)
        code = _erase(installation, trace, found, watch, suppress=suppress) if yes and (found or suppress) else 0
        left = _still_there(installation, found) if yes else []
    if json:
        at = wiring.SystemClock().now()
        emit({"erased": yes, "at": at, "suppressed": suppress and yes, "appointments": _rows(found), "left": left})
    else:
        for line in _lines(found, left, yes=yes):
            out().print(line)
    return code


def _check(found: Sequence[Kept], *, suppress: bool) -> None:
    """Raises Refused where the next pass would bring back what is erased."""
    listed = [one for one in found if one.listed]
    if listed and not suppress:
        msg = (
            f"{len(listed)} of {len(found)} appointments are still listed by the booking system, the first of them "
            f"{listed[0].source_id} of {listed[0].source}. Delete the client there and run `calferry sync`, or give "
            "--suppress: they stay as appointments of nobody."
        )
        raise Refused(msg)


def _erase(installation: Installation, trace: Trace, found: Sequence[Kept], watch: Watch, *, suppress: bool) -> int:
    """In the ledger, then in calendars and feeds. What cannot be written now is written by the next pass."""
    from calferry.sync.crossing import deliver
    from calferry.sync.route import route

    uids = [one.uid for one in found]
    installation.keeper.erase(trace, uids, installation.clock.now(), suppress=suppress)
    for account in installation.accounts:
        route(account, installation, watch)
    tally = deliver(installation, watch)
    installation.keeper.compact()
    show_errors(tally.errors)
    return gravest(error.exit_code for error in tally.errors)


def _still_there(installation: Installation, found: Sequence[Kept]) -> list[str]:
    """The calendars that may still show a client: an event of theirs was not written since."""
    uids = {one.uid for one in found}
    outbox = installation.ledger.outbox
    return sorted(
        calendar
        for calendar in {calendar for one in found for calendar in one.calendars}
        for place in installation.keeper.placements(calendar)
        if place.uid in uids and place.written and not outbox.holds(calendar, place.uid)
    )


def _lines(found: Sequence[Kept], left: Sequence[str], *, yes: bool) -> Iterator[str]:
    for one in found:
        where = ", ".join(one.calendars) or "in no calendar"
        yield f"{one.uid}  {one.starts_at:%Y-%m-%d %H:%M} UTC  {one.source_id} of {one.source}  {where}"
    if not found:
        yield "The ledger keeps nothing of this client."
    if not yes:
        yield from ["Nothing was erased yet; --yes does it."] if found else []
        return
    yield f"{len(found)} appointments tell nothing of their client any more."
    for calendar in left:
        yield f"still to be written: {calendar}; the next pass does it, unless its deletion waits for a person"
    yield ELSEWHERE


def _rows(found: Sequence[Kept]) -> list[dict[str, Any]]:
    return [
        {
            "uid": one.uid,
            "source": one.source,
            "source_id": one.source_id,
            "starts_at": one.starts_at,
            "calendars": list(one.calendars),
        }
        for one in found
    ]
