"""`calferry sync` and `calferry plan`: one pass, and the same pass without its last step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from calferry.cli.alerts import tell_of_trouble
from calferry.cli.console import (
    ConfigOption,
    JsonOption,
    attention_text,
    config_path,
    emit,
    err,
    guarded,
    out,
    show_errors,
    watched,
)
from calferry.cli.plan_file import OutOption, PlanOption, applied, check_room, show_file, write_file
from calferry.errors import NotAuthorised, Unavailable, gravest

if TYPE_CHECKING:
    from rich.console import Console

    from calferry.errors import CalferryError
    from calferry.plan import Plan
    from calferry.ports import Attention
    from calferry.sync.crossing import Report
    from calferry.sync.installation import Tally

AT_MOST = 20
"""Lines of what waits for a person, and changes of a calendar, unless all are asked for."""

ShowOption = Annotated[
    bool, typer.Option("--show", help="Show each field of an event that would change, as it is and as it would be.")
]
AllOption = Annotated[bool, typer.Option("--all", help="Show long lists to their end.")]

SourcesArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SOURCE]…", help="With --now: only these, as the file names them.", show_default=False),
]
NowOption = Annotated[
    bool, typer.Option("--now", help="Have the running service ask for what is new, at once, and do not wait for it.")
]

NEXT = {
    NotAuthorised.exit_code: "Everything else went on. `calferry check` says which connections are closed; once "
    "they are mended, `calferry resume` has them tried at once.",
    Unavailable.exit_code: "Everything else went on, and nothing is lost: the next run tries again.",
}
"""What to do about the gravest error of a pass."""

SIGNS = {"create": "+", "update": "~", "delete": "-"}


@guarded
def sync(
    sources: SourcesArgument = None,
    now: NowOption = False,
    plan: PlanOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Carry over what changed, once, here or in a running service."""
    from calferry import wiring
    from calferry.cli.nudge import nudged
    from calferry.sync.crossing import run

    if now:
        return nudged(config_path(config), sources or [], json=json)
    if sources:
        msg = "sources are named together with --now; a pass of its own is over all of them"
        raise typer.BadParameter(msg)
    if plan is not None:
        return applied(plan, config, json=json)
    settings = wiring.settings(config_path(config))
    with wiring.installation(settings) as installation, watched() as watch:
        report = run(installation, watch)
        tell_of_trouble(settings, installation)
    if json:
        emit(report_json(report))
    else:
        show_report(out(), report)
        _show_trouble(report.pulled, report.pushed.errors)
    return report.exit_code


@guarded
def plan(
    show: ShowOption = False,
    all_: AllOption = False,
    file: OutOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Pull, and show what `sync` would write. No calendar is touched."""
    from calferry import wiring
    from calferry.sync.crossing import bring
    from calferry.sync.push import plan as make_plan

    if file is not None:
        check_room(file)
    with wiring.installation(wiring.settings(config_path(config))) as installation, watched() as watch:
        pulled = bring(installation, watch)
        plans, attention = make_plan(installation), installation.ledger.attention(installation.clock.now())
        if file is not None:
            write_file(file, installation, plans)
    errors = [error for tally in pulled.values() for error in tally.errors]
    if json:
        emit(
            {
                "plans": [_plan_json(one, show=show) for one in plans],
                "attention": [_attention_json(one) for one in _in_order(attention)],
                "errors": [error_json(error) for error in errors],
            }
        )
    else:
        show_plans(out(), plans, None if all_ else AT_MOST, show=show)
        show_attention(out(), attention, None if all_ else AT_MOST)
        if file is not None:
            show_file(out(), file, plans)
        _show_trouble(pulled)
    return gravest(error.exit_code for error in errors)


def show_plans(console: Console, plans: Iterable[Plan], at_most: int | None = None, *, show: bool = False) -> None:
    """An itemised diff, calendar by calendar; the first `at_most` of its changes and of what is parked there."""
    plans = [plan for plan in plans if plan.changes or plan.parked]
    if not plans:
        console.print("Nothing to write.")
    for plan in plans:
        console.print(f"{plan.calendar}: {_todo_text(plan.counts)}", style="bold")
        if plan.mass:
            console.print(f"  mass update: {plan.mass}", style="yellow")
        told = _plan_json(plan, show=show)
        for rows in (told["changes"], told["parked"]):
            for row in rows[:at_most]:
                _show_row(console, row)
            if at_most is not None and len(rows) > at_most:
                console.print(f"  … and {len(rows) - at_most} more")


def _show_row(console: Console, row: Mapping[str, Any]) -> None:
    """A line, and below it what is told of single fields."""
    from calferry.cli.differences import field_text

    parked = f" ({row['parked']})" if "parked" in row else ""
    console.print(f"  {'! parked:' if parked else SIGNS[row['change']]} {_row_text(row)}{parked}")
    for field, told in row.get("fields", {}).items():
        console.print(f"      {field_text(field, told)}")
    if row.get("fields") == {}:
        console.print("      nothing more is known of it")


def _todo_text(counts: Mapping[str, int]) -> str:
    return ", ".join(
        f"{number} {what if what == 'parked' else f'to {what}'}" for what, number in counts.items() if number
    )


def _row_text(row: Mapping[str, Any]) -> str:
    if row["change"] == "delete":
        return f"{row['uid']}  {row['why']}: {row['evidence']}"
    return f"{row['start'][:16].replace('T', ' ')}  {row['summary']}"


def show_report(console: Console, report: Report) -> None:
    """A line a source, a line for the calendars, and what waits for a person."""
    from calferry.sync.pull import PAUSED

    for name, tally in report.pulled.items():
        nothing = PAUSED if tally[PAUSED] else "could not be read to the end" if tally.errors else "nothing new"
        console.print(f"{name}: {tally.text(besides=('routed', PAUSED)) or nothing}")
    nothing = "nothing could be written" if report.pushed.errors else "nothing to write"
    console.print(f"calendars: {report.pushed.text() or nothing}")
    show_attention(console, report.attention)


def show_attention(console: Console, attention: Iterable[Attention], at_most: int | None = AT_MOST) -> None:
    rows = _in_order(attention)
    for one in rows[:at_most]:
        console.print(attention_text(one.what, one.where, one.id, one.reason), style="yellow")
    if at_most is not None and len(rows) > at_most:
        console.print(f"… and {len(rows) - at_most} more; `calferry status` shows all", style="yellow")


def _in_order(attention: Iterable[Attention]) -> list[Attention]:
    return sorted(attention, key=lambda one: (one.what, one.where, one.id))


def _show_trouble(pulled: Mapping[str, Tally], others: Iterable[CalferryError] = ()) -> None:
    """The errors that ended parts of a pass, and what to do about them."""
    of_sources = [(f"sources.{name}: {error}", error) for name, tally in pulled.items() for error in tally.errors]
    errors = [*of_sources, *((str(error), error) for error in others)]
    show_errors(message for message, _ in errors)
    if advice := NEXT.get(gravest(error.exit_code for _, error in errors)):
        err().print(advice)


def report_json(report: Report) -> dict[str, Any]:
    return {
        "pulled": {name: tally_json(tally) for name, tally in report.pulled.items()},
        "pushed": tally_json(report.pushed),
        "attention": [_attention_json(one) | {"new": one in report.new} for one in _in_order(report.attention)],
        "exit": report.exit_code,
    }


def _plan_json(plan: Plan, *, show: bool) -> dict[str, Any]:
    """The plan, with what becomes of single fields where that shall be shown."""
    from calferry.cli.differences import differences

    told = plan.as_json()
    changes = (*plan.changes, *(one.change for one in plan.parked))
    for row, change in zip((*told["changes"], *told["parked"]), changes, strict=True):
        if show:
            row["fields"] = differences(change)
    return told


def _attention_json(one: Attention) -> dict[str, Any]:
    return {"what": one.what, "where": one.where, "id": one.id, "reason": one.reason}


def tally_json(tally: Tally) -> dict[str, Any]:
    return {"counts": dict(tally.counts), "errors": [error_json(error) for error in tally.errors]}


def error_json(error: CalferryError) -> dict[str, str]:
    return {"error": type(error).__name__, "message": str(error)}
