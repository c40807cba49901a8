"""What a pass costs when nothing changed: it must not grow with what exists."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

from benchmarks.crowd import Quiet, appointments, installation
from benchmarks.figure import Figure, cpu
from calferry.sync.crossing import run
from calferry.sync.installation import Watch

FEW, MANY = 1_000, 100_000
PASSES = 5


def nothing_changed() -> Iterator[Figure]:
    few, many = _measure(FEW), _measure(MANY)
    yield Figure("nothing changed: requests to the booking system", many["asked"], 1)
    yield Figure(f"nothing changed: steps of SQLite, {MANY:,} / {FEW:,}", many["steps"] / few["steps"], 1.1)
    note = f"{1000 * many['cpu']:.1f} ms CPU at {MANY:,}"
    yield Figure(f"nothing changed: CPU of a pass, {MANY:,} / {FEW:,}", many["cpu"] / few["cpu"], 1.5, note)


def _measure(number: int) -> dict[str, float]:
    source = Quiet(list(appointments(number)))
    with installation(source) as (joined, ledger):
        created = run(joined, Watch()).pushed["created"]
        if created != number:
            msg = f"{created} instead of {number} created"
            raise AssertionError(msg)
        source.asked = 0
        seconds = min(cpu(lambda: run(joined, Watch())) for _ in range(PASSES))
        asked = source.asked / PASSES
        with _steps_of(ledger.database.engine) as steps:
            run(joined, Watch())
    return {"asked": asked, "steps": len(steps), "cpu": seconds}


@contextmanager
def _steps_of(engine: Engine) -> Iterator[list[None]]:
    """Grows by one for every ten instructions of SQLite's virtual machine: every row it reads costs some."""
    steps: list[None] = []

    def follow(dbapi_connection: Any, *_: object) -> None:
        dbapi_connection.set_progress_handler(lambda: steps.append(None), 10)

    event.listen(engine, "checkout", follow)
    try:
        yield steps
    finally:
        event.remove(engine, "checkout", follow)
