"""`calferry check`: is the configuration right, and would every door open? Reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from calferry.cli.console import ConfigOption, JsonOption, config_path, emit, guarded, out
from calferry.errors import CalferryError, ConfigError, gravest

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from calferry.config import Settings
    from calferry.model import Owner
    from calferry.ports import Clock, Source, Target

NOBODY = "appointments of nobody in particular have no calendar and are reported; `otherwise` would give them one"


SourceArgument = Annotated[
    str, typer.Argument(metavar="SOURCE", help="Only this source, as the file names it.", show_default=False)
]
ProbeOption = Annotated[
    bool, typer.Option("--probe", help="Ask booking systems what their documents leave open: at most 25 requests each.")
]


@guarded
def check(
    source: SourceArgument = "", probe: ProbeOption = False, config: ConfigOption = None, json: JsonOption = False
) -> int:
    """Validate the configuration and try every connection, read-only."""
    from calferry import wiring
    from calferry.cli.probe import probed

    path = config_path(config)
    settings = wiring.settings(path)
    clock = wiring.SystemClock()
    sources = _named(source, wiring.build_sources(settings, clock), path)
    if probe:
        return probed(path, settings.name, sources, json=json)
    findings = list(_sources(sources, {})) if source else _everything(settings, sources, clock)
    findings += _hooks(settings, sources)
    code = gravest(finding["exit"] for finding in findings)
    if json:
        emit({"config": str(path), "name": settings.name, "findings": findings, "exit": code})
    else:
        _show(out(), path, settings, findings)
    return code


def _named(name: str, sources: Mapping[str, Source], path: Path) -> Mapping[str, Source]:
    """The source of that name, or all where none is given. Raises ConfigError with the nearest."""
    from calferry.config.problems import nearest

    if name and name not in sources:
        msg = f'{path.absolute()}: there is no source "{name}"; {nearest(name, sources.keys())}'
        raise ConfigError([msg])
    return {name: sources[name]} if name else sources


def _everything(settings: Settings, sources: Mapping[str, Source], clock: Clock) -> list[dict[str, Any]]:
    """What there is to say of the ledger, of every source, and of every calendar that a route would write to."""
    from calferry import wiring

    with wiring.existing_ledger(settings) as ledger:
        targets = wiring.build_targets(settings, clock, ledger.shelf if ledger else None)
        return [
            _ledger(ledger is not None),
            *findings_on_the_way(settings, sources, targets),
            *_web(settings.web.url, targets),
            *_idle(settings),
        ]


def _show(console: Console, path: Path, settings: Settings, findings: Iterable[dict[str, Any]]) -> None:
    console.print(f"{path.absolute()}: installation {settings.name}, ledger {settings.database}")
    say(console, findings)


def say(console: Console, findings: Iterable[dict[str, Any]]) -> None:
    """A line for each finding."""
    for finding in findings:
        sign = "NO  " if finding["exit"] else "note" if finding["note"] else "ok  "
        console.print(f"{sign}  {finding['what']}: {finding['says']}", style="red" if finding["exit"] else None)


def findings_on_the_way(
    settings: Settings, sources: Mapping[str, Source], targets: Mapping[str, Target]
) -> Iterator[dict[str, Any]]:
    """What is found from the sources over the targets to every calendar that is written to."""
    staff: dict[str, list[Owner]] = {}
    yield from _sources(sources, staff)
    for name, target in targets.items():
        yield from _cautions(f"targets.{name}", target)
        yield from _expiry(f"targets.{name}", target)
    yield from _routes(settings, targets, staff)


def _finding(what: str, says: str, error: CalferryError | None = None, *, note: bool = False) -> dict[str, Any]:
    return {"what": what, "says": says, "note": note, "exit": error.exit_code if error else 0}


def _ledger(found: bool) -> dict[str, Any]:
    if found:
        return _finding("calferry.database", "the ledger can be read")
    return _finding("calferry.database", "no ledger of this version is there yet; the first pass makes it", note=True)


def _sources(sources: Mapping[str, Source], staff: dict[str, list[Owner]]) -> Iterator[dict[str, Any]]:
    """Ask each booking system for its resources, and note for the routes who owns appointments there."""
    from calferry.rules import owner_of

    for name, source in sources.items():
        try:
            resources = source.resources().resources
        except CalferryError as error:
            yield _finding(f"sources.{name}", str(error), error)
            continue
        counts = [f"{number} {kind}" for kind, number in sorted(Counter(one.kind for one in resources).items())]
        staff[name] = [owner_of(one) for one in resources if one.kind in {"staff", "resource"}]
        yield _finding(f"sources.{name}", f"{source.key} answers ({', '.join(counts)})")
        yield from _cautions(f"sources.{name}", source)


def _hooks(settings: Settings, sources: Mapping[str, Source]) -> Iterator[dict[str, Any]]:
    """Whether hooks that were registered still stand."""
    from calferry.hooks import trouble
    from calferry.ports import Hooked
    from calferry.wiring import register_of

    for name, source in sources.items():
        what = f"sources.{name}"
        try:
            known = register_of(settings, source).read() if isinstance(source, Hooked) else None
            if known is None or not isinstance(source, Hooked):
                continue
            wrong = trouble(known, source.hooks(), settings.web.url)
        except CalferryError as error:
            yield _finding(what, str(error), error)
            continue
        says = f"its hook: {wrong}; `calferry hooks register {name}` puts that right"
        yield _finding(what, says if wrong else "its hook stands", note=bool(wrong))


def _cautions(what: str, one: Source | Target) -> Iterator[dict[str, Any]]:
    from calferry.ports import Cautious

    if not isinstance(one, Cautious):
        return
    try:
        for caution in one.cautions():
            yield _finding(what, caution, note=True)
    except CalferryError as error:
        yield _finding(what, str(error), error)


def _expiry(what: str, target: Target) -> Iterator[dict[str, Any]]:
    from calferry.ports import Expiring
    from calferry.sync.crossing import soon
    from calferry.wiring import SystemClock

    if isinstance(target, Expiring) and (ending := soon(target.expiry(), SystemClock().now())):
        yield _finding(what, ending, note=True)


def _routes(
    settings: Settings, targets: Mapping[str, Target], staff: Mapping[str, list[Owner]]
) -> Iterator[dict[str, Any]]:
    """For each route, every calendar it would write to, asked for its events with a mark of ours."""
    from calferry.rules import admits, destinations, unused

    asked: set[tuple[str, str]] = set()
    for route in settings.routes:
        what, known = f"routes.{route.name}", staff.get(route.source)
        if known is None:
            yield _finding(
                what, f"whose calendars these are is not known while sources.{route.source} fails", note=True
            )
        for handle in unused(route, known) if known else ():
            yield _finding(
                f"{what}.calendars", f"{handle!r} is the id, reference, address or name of nobody", note=True
            )
        owners = [*(known or ()), None]
        for owner, (calendar, problem) in zip(owners, destinations(route, known or ()), strict=True):
            if not admits(route, owner):
                continue
            if problem:
                yield _finding(what, problem if owner else NOBODY, note=True)
            elif (route.target, calendar) not in asked:
                asked.add((route.target, calendar))
                yield _calendar(route.name, targets[route.target], calendar)


def _web(url: str, targets: Mapping[str, Target]) -> Iterator[dict[str, Any]]:
    """Whether subscribers reach feeds, and nobody else does."""
    from calferry.feeds import Publisher

    if not any(isinstance(target, Publisher) for target in targets.values()):
        return
    if not url:
        yield _finding("web.url", "is not set, so feeds have addresses for this machine alone", note=True)
    elif url.startswith("http:"):
        says = "is not encrypted: whoever listens in reads every feed, and learns its address"
        yield _finding("web.url", says, note=True)


def _idle(settings: Settings) -> Iterator[dict[str, Any]]:
    """What the file leaves unused."""
    if not settings.sources:
        yield _finding("sources", "there is none, so nothing is read", note=True)
    if not settings.targets:
        yield _finding("targets", "there is none, so nothing is written", note=True)
    if settings.sources and settings.targets and not settings.routes:
        yield _finding("routes", "there is none, so nothing is written", note=True)
    for name in settings.sources:
        if settings.routes and not any(route.source == name for route in settings.routes):
            yield _finding(f"sources.{name}", "no route leads from here", note=True)
    for name in settings.targets:
        if settings.routes and not any(route.target == name for route in settings.routes):
            yield _finding(f"targets.{name}", "no route leads here", note=True)


def _calendar(route: str, target: Target, calendar: str) -> dict[str, Any]:
    from calferry.ports import Proving

    what, does = f"routes.{route}", "answers"
    try:
        key = target.canonical(calendar)
        if isinstance(target, Proving):
            target.prove(key)
            does = "can be written by"
        ours = sum(1 for _ in target.ours(key))
    except CalferryError as error:
        return _finding(what, str(error) if calendar in str(error) else f"{calendar}: {error}", error)
    return _finding(what, f"{key} {does} targets.{target.name}; {ours} of the events there are calferry's")
