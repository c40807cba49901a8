"""`calferry pause` and `calferry resume`: a person lets a source, a target or a calendar rest, and ends that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from calferry.cli.console import ConfigOption, JsonOption, config_path, emit, guarded, out

if TYPE_CHECKING:
    from calferry.ports import Rest
    from calferry.sync.installation import Installation

NamesArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="NAME…",
        help="Sources or targets by their names in the configuration, or calendars by their addresses.",
        show_default=False,
    ),
]


class Named(NamedTuple):
    """What a name stands for: source, target or calendar; and the account's key, the target's name, the calendar's
    key."""

    what: str
    name: str

    def __str__(self) -> str:
        return f"{self.what} {self.name}"


@guarded
def pause(
    names: NamesArgument,
    lasts: Annotated[
        str, typer.Option("--for", metavar="TIME", help="How long, such as 2h or 3d; else until it is resumed.")
    ] = "",
    reason: Annotated[str, typer.Option(help="Why, for whoever reads `calferry status`.")] = "",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Let a source, a target or a calendar rest."""
    from calferry import wiring
    from calferry.ports import Rest

    with wiring.installation(wiring.settings(config_path(config))) as installation:
        found = [_found(name, installation) for name in names]
        now = installation.clock.now()
        until = _end(lasts, now)
        for one in found:
            installation.ledger.pauses.rest(Rest(what=one.what, name=one.name, reason=reason, until=until), now)
    if json:
        emit({"paused": [_row(one) | {"until": until, "reason": reason} for one in found]})
    else:
        for one in found:
            out().print(f"{one}: paused {until_text(until)}")
    return 0


@guarded
def resume(names: NamesArgument, config: ConfigOption = None, json: JsonOption = False) -> int:
    """End pauses, whoever made them."""
    from calferry import wiring

    with wiring.installation(wiring.settings(config_path(config))) as installation:
        found = [_found(name, installation) for name in names]
        now, pauses = installation.clock.now(), installation.ledger.pauses
        done = [(one, pauses.resume(one.what, one.name, now)) for one in found]
        still = {one: _resting_with(one, installation, now) for one in found}
    if json:
        rows = [_row(one) | {"was_paused": was, "rests_with": still[one]} for one, was in done]
        emit({"resumed": rows})
        return 0
    for one, was in done:
        out().print(f"{one}: {'resumed; the next pass goes on with it' if was else 'it was not paused'}")
        if still[one]:
            out().print(f"{one}: it rests with target {still[one]}; `calferry resume {still[one]}` ends that")
    return 0


def until_text(until: datetime | None) -> str:
    return f"until {until:%Y-%m-%d %H:%M} UTC" if until else "until it is resumed"


def _end(lasts: str, now: datetime) -> datetime | None:
    """Raises BadParameter."""
    from calferry.moments import duration

    if not lasts:
        return None
    try:
        return now + duration(lasts)
    except (ValueError, OverflowError):
        message = f"{lasts!r} is no length of time that can be used; write it like 30m, 2h or 3d"
        raise typer.BadParameter(message, param_hint="--for") from None


def _row(one: Named) -> dict[str, Any]:
    return {"what": one.what, "name": one.name}


def _resting_with(one: Named, installation: Installation, now: datetime) -> str:
    """The target that a calendar rests with, if it does."""
    pauses = installation.ledger.pauses
    target = pauses.calendars().get(one.name, "") if one.what == "calendar" else ""
    return target if any(_is(rest, "target", target) for rest in pauses.rests(now)) else ""


def _is(rest: Rest, what: str, name: str) -> bool:
    return (rest.what, rest.name) == (what, name)


def _found(name: str, installation: Installation) -> Named:
    """What a name stands for. Raises BadParameter for one that stands for nothing, or for several things."""
    known = _known(installation)
    meant = known.get(name) or known.get(name.casefold()) or ()
    if len(meant) == 1:
        return next(iter(meant))
    if meant:
        message = f"{name} could be {' or '.join(sorted(map(str, meant)))}; write {_longer(meant, known)}"
        raise typer.BadParameter(message)
    message = f"{name} is no source, target or calendar; {_nearest(name, known)}"
    raise typer.BadParameter(message)


def _known(installation: Installation) -> Mapping[str, set[Named]]:
    """Every name that stands for something, short ones and full ones."""
    known: dict[str, set[Named]] = {}

    def add(one: Named, *names: str) -> None:
        for name in names:
            known.setdefault(name, set()).add(one)

    for account in installation.accounts:
        key = account.source.key
        add(Named("source", key), account.source.name, f"sources.{account.source.name}", key)
    for target in installation.targets:
        add(Named("target", target), target, f"targets.{target}")
    for calendar in installation.ledger.pauses.calendars():
        add(Named("calendar", calendar), calendar, calendar.partition(":")[2])
    for rest in installation.ledger.pauses.rests(installation.clock.now()):  # its name may have left the configuration
        add(Named(rest.what, rest.name), rest.name)
    return known


def _longer(meant: Iterable[Named], known: Mapping[str, set[Named]]) -> str:
    """For each of them, a name that stands for nothing else."""
    names = (min((name for name, ones in known.items() if ones == {one}), key=len) for one in sorted(meant))
    return " or ".join(names)


def _nearest(name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    nearest = get_close_matches(name.casefold(), known, cutoff=0.5)
    return f"did you mean {' or '.join(nearest)}?" if nearest else "`calferry status` shows them all"
