"""`calferry sync --now`: have the running service look at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from calferry.cli.console import emit, out
from calferry.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

IT_RUNS = "The service looks now."
IT_DOES_NOT = "No service is running: it is looked for when one starts, or by the next `calferry sync`."


def nudged(path: Path, names: Sequence[str], *, json: bool) -> int:
    """Nudge these sources, or all. Raises ConfigError for one that is not in the file."""
    from calferry import wiring
    from calferry.config.problems import nearest
    from calferry.store import open_ledger

    settings, clock = wiring.settings(path), wiring.SystemClock()
    for name in names:
        if name not in settings.sources:
            msg = f'{path.absolute()}: there is no source "{name}"; {nearest(name, settings.sources.keys())}'
            raise ConfigError([msg])
    chosen = {name: one for name, one in wiring.build_sources(settings, clock).items() if not names or name in names}
    with open_ledger(settings.database, settings.name) as ledger:
        for source in chosen.values():
            ledger.nudges.nudge(source.key, [""], clock.now())
        running = ledger.is_attended()
    if json:
        emit({"nudged": list(chosen), "running": running})
    else:
        out().print(f"{', '.join(chosen) or 'nothing'}: {IT_RUNS if running else IT_DOES_NOT}")
    return 0
