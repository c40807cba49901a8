"""The appointment page: where it should be, where it is, and all that happened to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from calferry.overview import rule
from calferry.ports import Routed
from calferry.store import SqlLedger
from calferry.store.story import Story, stories
from calferry.sync.installation import Installation


@dataclass(frozen=True, slots=True)
class Told:
    """An appointment, and what the routes would make of it now; None where its source is not configured any more."""

    story: Story
    ruled: Routed | None


@dataclass(frozen=True, slots=True)
class Answer:
    """All appointments that are known by `ref`."""

    ref: str
    found: Sequence[Told]
    now: datetime


def appointment(installation: Installation, ledger: SqlLedger, ref: str) -> Answer:
    """Raises Unavailable."""
    found = stories(ledger, ref) if ref else ()
    return Answer(ref, [Told(one, rule(one, installation)) for one in found], installation.clock.now())
