"""`calferry deletions`: what waits for a person, and what the person says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from calferry.cli.console import ConfigOption, JsonOption, config_path, emit, guarded, out, show_errors, watched
from calferry.cli.explain import trail_document, trail_text
from calferry.errors import Unavailable

if TYPE_CHECKING:
    from rich.console import Console

    from calferry.ports import HeldBack
    from calferry.store.journal import Entry
    from calferry.sync.deciding import Decision

app = typer.Typer(help="Show, approve and reject deletions that wait for a person.", no_args_is_help=True)

UidsArgument = Annotated[
    list[str], typer.Argument(metavar="UID…", help="The deletions, by uid, as `calferry deletions list` names them.")
]


@app.command("list")
@guarded
def list_deletions(
    every: Annotated[bool, typer.Option("--all", help="Show those that were rejected as well.")] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """What would leave which calendar, why, and what holds it back."""
    from calferry import wiring
    from calferry.store.evidence import trails

    settings = wiring.settings(config_path(config))
    with wiring.installation(settings) as installation, wiring.existing_ledger(settings) as ledger:
        found = [one for one in installation.ledger.outbox.held_back() if every or not one.rejected]
        proof = trails(ledger, {one.uid for one in found}) if ledger else {}
    if json:
        emit({"deletions": [_row(one, proof[one.uid]) for one in found]})
    else:
        _show(out(), found, proof)
    return 0


def _row(one: HeldBack, proof: Iterable[Entry]) -> dict[str, Any]:
    return {
        "calendar": one.calendar,
        "uid": one.uid,
        "source": one.source,
        "source_id": one.source_id,
        "starts_at": one.starts_at,
        "why": one.removal.why.value,
        "evidence": one.removal.evidence,
        "trail": trail_document(proof),
        "held_back": one.reason,
        "rejected": one.rejected,
    }


def _show(console: Console, found: Iterable[HeldBack], proof: Mapping[str, Iterable[Entry]]) -> None:
    calendar = ""
    for one in found:
        if one.calendar != calendar:
            console.print(one.calendar, style="bold")
            calendar = one.calendar
        starts = f"{one.starts_at:%Y-%m-%d %H:%M} UTC" if one.starts_at else "start not known"
        console.print(f"  {one.uid}  {starts}  {one.source_id}")
        verdict = "rejected; it was held back: " if one.rejected else "held back: "
        console.print(f"    {one.removal.why}: {one.removal.evidence}; {verdict}{one.reason}")
        for line in trail_text(proof[one.uid], "      "):
            console.print(line)
    if not calendar:
        console.print("No deletion waits for a person.")


@app.command("approve")
@guarded
def approve(uids: UidsArgument, config: ConfigOption = None, json: JsonOption = False) -> int:
    """Let deletions be carried out. The booking system is asked for each of them again first."""
    from calferry import wiring
    from calferry.sync.deciding import approve as approve_them

    with wiring.installation(wiring.settings(config_path(config))) as installation, watched() as watch:
        _check(uids, installation.ledger.outbox.held_back())
        decision = approve_them(installation, frozenset(uids), watch)
    return _tell(decision, "approved; the next pass carries it out", json=json)


@app.command("reject")
@guarded
def reject(uids: UidsArgument, config: ConfigOption = None, json: JsonOption = False) -> int:
    """Let events stay, until their appointments change."""
    from calferry import wiring
    from calferry.sync.deciding import reject as reject_them

    with wiring.installation(wiring.settings(config_path(config))) as installation:
        _check(uids, installation.ledger.outbox.held_back())
        decision = reject_them(installation, frozenset(uids))
    return _tell(decision, "rejected; its event stays", json=json)


def _check(uids: Iterable[str], held_back: Iterable[HeldBack]) -> None:
    """Nothing is decided where one of the uids is none of a deletion that waits. Raises BadParameter."""
    known = {one.uid for one in held_back}
    if unknown := sorted(set(uids) - known):
        message = f"no deletion waits under {', '.join(unknown)}; `calferry deletions list` shows those that do"
        raise typer.BadParameter(message)


def _tell(decision: Decision, done: str, *, json: bool) -> int:
    if json:
        emit(
            {
                "decided": [{"calendar": one.calendar, "uid": one.uid} for one in _in_order(decision)],
                "over": list(decision.over),
                "unasked": decision.unasked,
            }
        )
    else:
        for one in _in_order(decision):
            out().print(f"{one.uid} in {one.calendar}: {done}")
        for uid in decision.over:
            out().print(f"{uid}: nobody wants it deleted any more")
        show_errors(
            f"{uid}: not approved: it could not be asked for again: {why}" for uid, why in decision.unasked.items()
        )
    return Unavailable.exit_code if decision.unasked else 0


def _in_order(decision: Decision) -> list[HeldBack]:
    return sorted(decision.decided, key=lambda one: (one.calendar, one.uid))
