"""`calferry hooks`: have booking systems call when something changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from calferry.cli.console import ConfigOption, JsonOption, config_path, emit, guarded, out
from calferry.errors import CalferryError, ConfigError, gravest
from calferry.hooks import PATH, Register, Registration, register, remove, trouble
from calferry.ports import Hook, Hooked

app = typer.Typer(help="Have booking systems call when an appointment changes.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="SOURCE", help="The source, as the file names it.")]


@dataclass(frozen=True)
class _Desk:
    """All that the commands need: the sources that can call, by name, with where their hooks are kept."""

    file: Path
    root: str
    sources: Mapping[str, tuple[Hooked, Register]]

    def source(self, name: str) -> tuple[Hooked, Register]:
        from calferry.config.problems import nearest

        if name not in self.sources:
            known = nearest(name, self.sources.keys())
            raise ConfigError([f'{self.file.absolute()}: there is no source "{name}" that can call; {known}'])
        return self.sources[name]


def _desk(config: Path | None) -> _Desk:
    from calferry import wiring

    file = config_path(config)
    settings = wiring.settings(file)
    built = wiring.build_sources(settings, wiring.SystemClock())
    hooked = {name: (one, wiring.register_of(settings, one)) for name, one in built.items() if isinstance(one, Hooked)}
    return _Desk(file, settings.web.url, hooked)


@app.command("register")
@guarded
def register_hook(name: NameArgument, config: ConfigOption = None, json: JsonOption = False) -> int:
    """Have a booking system call this installation. The one command, with `remove`, that changes anything there."""
    desk = _desk(config)
    source, kept = desk.source(name)
    if not desk.root.startswith("https:"):
        msg = "web.url: has to be an address that begins with https:// for a booking system to call"
        raise ConfigError([msg])
    made = register(source, kept, desk.root)
    if json:
        emit({"source": name, "made": made, "hook": kept.hook()})
    else:
        out().print(f"{name}: {'calls from now on' if made else 'calls already'}; `calferry run` listens")
    return 0


@app.command("remove")
@guarded
def remove_hook(name: NameArgument, config: ConfigOption = None, json: JsonOption = False) -> int:
    """Have a booking system call no more. Hooks of anybody else stay."""
    source, kept = _desk(config).source(name)
    removed = remove(source, kept)
    if json:
        emit({"source": name, "removed": removed})
    else:
        out().print(f"{name}: {'calls no more' if removed else 'there was no hook of ours'}")
    return 0


@app.command("list")
@guarded
def list_hooks(config: ConfigOption = None, json: JsonOption = False) -> int:
    """Which booking systems call, as they say themselves. Reads only."""
    desk = _desk(config)
    rows = [_row(desk.root, name, *pair) for name, pair in desk.sources.items()]
    code = gravest(row.pop("exit") for row in rows)
    if json:
        emit({"hooks": rows, "exit": code})
        return code
    if not rows:
        out().print("No source is of a kind that can call.")
    for row in rows:
        out().print(f"{row['source']}: {row['says']}")
    return code


def _row(root: str, name: str, source: Hooked, kept: Register) -> dict[str, Any]:
    """Of one source: whether its hook stands, and what of ours was left behind by a registration that got lost."""
    try:
        known, hooks = kept.read(), source.hooks()
    except CalferryError as error:
        return {"source": name, "stands": None, "left_behind": 0, "says": str(error), "exit": error.exit_code}
    wrong = trouble(known, hooks, root) if known else "no hook is registered"
    left = _left_behind(root, known, hooks)
    says = wrong or "calls"
    if left:
        says += f"; {left} hooks call addresses of this installation that it does not know: remove them there"
    return {"source": name, "stands": not wrong, "left_behind": left, "says": says, "exit": int(bool(known and wrong))}


def _left_behind(root: str, known: Registration | None, hooks: list[Hook] | Any) -> int:
    ours = [hook for hook in hooks if root and hook.address.startswith(f"{root}{PATH}")]
    return sum(not (known and known.is_called_by(hook)) for hook in ours)
