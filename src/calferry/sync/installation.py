"""What one configuration describes, joined, and how a pass over it is counted and watched."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from calferry.errors import CalferryError
from calferry.feeds import Shelf
from calferry.keeping import Keeper
from calferry.model import Window
from calferry.plan import Brakes, Planner
from calferry.ports import Clock, Ledger, Source, Target
from calferry.rules import Route


@dataclass(frozen=True, kw_only=True)
class Rhythm:
    """How often a source is asked, and how far the window reaches from now."""

    every: timedelta = timedelta(minutes=2)
    near: timedelta = timedelta(minutes=15)
    all: timedelta = timedelta(hours=24)
    past: timedelta = timedelta(days=30)
    future: timedelta = timedelta(days=400)

    def window(self, now: datetime) -> Window:
        return Window(now - self.past, now + self.future)


@dataclass(frozen=True, kw_only=True)
class Account:
    """A source with its rhythm and its routes. `basis` stands for all of the configuration that decides what the routes
    make of a row, `edition` for all of the code: where one is another than before, every row is routed anew. `reading`
    stands for the part of the basis by which the source reads its rows, '' where it has none. `hook` tells the booking
    system's id of the hook that calferry has there, '' while it has none."""

    source: Source
    rhythm: Rhythm
    routes: tuple[Route, ...]
    basis: str
    edition: str
    reading: str = ""
    hook: Callable[[], str] = str


@dataclass(frozen=True, kw_only=True)
class Installation:
    """All that one configuration file describes, joined. `verify` says how often the service verifies which targets."""

    name: str
    accounts: tuple[Account, ...]
    targets: Mapping[str, Target]
    ledger: Ledger
    shelf: Shelf
    keeper: Keeper
    clock: Clock
    brakes: Brakes = field(default_factory=Brakes)
    verify: Mapping[str, timedelta] = field(default_factory=dict)

    @property
    def planner(self) -> Planner:
        return Planner(installation=self.name, ledger=self.ledger.id, brakes=self.brakes)


def _silent(step: str, done: int) -> None:
    """The default: nobody watches."""


@dataclass(frozen=True)
class Watch:
    """Who follows a pass: `tell(step, done)` hears of progress, `stopping()` may end it between two requests."""

    tell: Callable[[str, int], None] = _silent
    stopping: Callable[[], bool] = lambda: False


class Stopped(Exception):
    """Asked to stop; everything done so far is filed."""


@dataclass
class Tally:
    """What one step did, in numbers, and the errors that ended parts of it."""

    counts: dict[str, int] = field(default_factory=dict)
    errors: list[CalferryError] = field(default_factory=list)

    def __getitem__(self, what: str) -> int:
        return self.counts.get(what, 0)

    def text(self, besides: Collection[str] = ()) -> str:
        """The numbers that are not 0, for a person: "3 new, 1 changed"."""
        return ", ".join(f"{number} {what}" for what, number in self.counts.items() if number and what not in besides)

    def count(self, what: str, number: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + number

    def add(self, other: Tally) -> None:
        for what, number in other.counts.items():
            self.count(what, number)
        self.errors.extend(other.errors)
