"""A whole crossing from one booking system into calendars, with what each of its passes cost."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import count, cycle, filterfalse, islice
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from calferry import wiring
from calferry.sandbox import Exchange, Sandbox
from calferry.sync.crossing import run, waiting
from calferry.sync.installation import Installation, Watch
from calferry.sync.push import plan
from tests.convergence.systems import AUTUMN, KINDS, SPRING, ZONE, Slot, System, standing, wall
from tests.crossing import NOW, HandClock

FEW_OWNERS, MANY_OWNERS, MANY = 3, 10, 1_000
"""How many people have a calendar, and from how many appointments on it is the greater number."""

SOON, LATER, NEXT_DAY = timedelta(minutes=2), timedelta(minutes=16), timedelta(hours=25)
"""Until what changed is asked for, until the near days are listed whole, and until everything is."""


class Cost(NamedTuple):
    """What one pass cost: requests to the booking system and to the calendars (logins and tokens apart), seconds, and
    the peak of memory in MiB, where the pass had a process of its own. `errors` are what it said."""

    name: str
    requests: int
    logins: int
    calendar_requests: int
    seconds: float
    memory: int | None
    errors: tuple[str, ...]


class Mistakes(NamedTuple):
    """How many appointments are missing, stand where none is, at another time, and in somebody else's calendar."""

    missing: int = 0
    extra: int = 0
    instants: int = 0
    owner: int = 0


@dataclass
class Ferry:
    """A booking system with appointments, a calendar for each owner, and a calferry between them.

    `alone` gives each pass a process of its own, as `calferry sync` has; else one process goes on. What is `untold`
    does not happen.
    """

    kind: str
    sandbox: Sandbox
    home: Path
    clock: HandClock
    rows: int
    alone: bool
    costs: list[Cost] = field(default_factory=list)
    system: System = field(init=False)
    process: Installation | None = None
    running: ExitStack = field(default_factory=ExitStack)
    numbers: Iterator[int] = field(default_factory=partial(count, 1))
    happened: Counter[str] = field(default_factory=Counter)
    untold: frozenset[str] = frozenset()
    dice: random.Random = field(default_factory=partial(random.Random, 65))

    def __post_init__(self) -> None:
        owners = FEW_OWNERS if self.rows < MANY else MANY_OWNERS
        addresses = tuple(f"owner{number}@desk.example" for number in range(owners + 1))
        self.clock.time = NOW - timedelta(days=92)
        self.system = KINDS[self.kind](self.sandbox, addresses)
        google = self.sandbox.google.world
        for address in addresses:
            google.add_user(address, time_zone=ZONE.key)
            google.add_foreign_event(address, "Dentist", NOW, NOW + timedelta(hours=1))

    @property
    def config(self) -> Path:
        return self.home / "calferry.toml"

    def configure(self, options: str = "") -> None:
        key = self.sandbox.google.add_service_account(delegated=True)
        (self.home / "key.json").write_text(json.dumps(key), encoding="utf-8")
        self.config.write_text(
            f"""\
[calferry]
name = "desk"
[targets.workspace]
kind = "google"
root_url = "{self.sandbox.google.url}/"
credentials = {{ file = "key.json" }}
subject = "{{owner.email}}"
allow = ["*@desk.example"]
pace = 1000000
{self.system.configured(self.home, options)}
source = "desk"
target = "workspace"
reveal = "full"
description = "{{notes}}"
""",
            encoding="utf-8",
        )

    # At the desk

    def stock(self) -> None:
        """The appointments that are there when calferry comes, booked over the months before."""
        pause = timedelta(days=90) / self.rows
        self.clock.time = NOW - timedelta(days=91)
        for number in islice(self.numbers, self.rows - 3):
            self.clock.pass_by(pause)
            self.system.book(number, wall(number))
        for start in (AUTUMN, AUTUMN.replace(fold=1), SPRING):
            self.system.book(next(self.numbers), start)
        self.clock.time = NOW

    def book(self) -> None:
        number = next(self.numbers)
        self.system.book(number, wall(number))

    def happen(self, number: int) -> None:
        """That many changes, of every kind in turn, but each kind at least once; and every decree once."""
        for what, decree in self.system.decrees.items():
            decree(next(self.numbers))
            self.happened[what] += 1
        kinds = ["book", *(deed for deed in self.system.deeds if deed not in self.untold)]
        for what in islice(cycle(kinds), max(number, len(kinds))):
            self._happens(what, next(self.numbers))

    def _happens(self, what: str, number: int) -> None:
        if what == "book":
            self.book()
        else:
            rows = self.system.off() if what == "restore" else self.system.live()
            self.system.deeds[what](self.dice.choice(sorted(rows)), number)
        self.happened[what] += 1

    # calferry

    def cross(self, name: str, after: timedelta) -> Cost:
        """One pass, some time later."""
        self.clock.pass_by(after)
        self.system.server.forget_requests()
        self.sandbox.google.forget_requests()
        passed = self._pass()
        requests, logins = _counted(self.system.server.log)
        cost = Cost(name, requests, logins, self.sandbox.google.calls, *passed)
        self.costs.append(cost)
        return cost

    def _pass(self) -> Passed:
        if self.alone:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
                return process.submit(pass_alone, self.config, self.clock.time).result()
        if self.process is None:
            opened = wiring.installation(wiring.settings(self.config), self.clock)
            self.process = self.running.enter_context(opened)
        return _passed(self.process)

    def told(self) -> str:
        """What each pass cost, as a table."""
        lines = ["| pass | requests | of signing in | to the calendars | seconds | MiB |", "|---|---|---|---|---|---|"]
        for one in self.costs:
            asked = f"{one.requests:,} | {one.logins} | {one.calendar_requests:,}"
            lines.append(f"| {one.name} | {asked} | {one.seconds:.1f} | {one.memory} |")
        return "\n".join(lines)

    def stop(self) -> None:
        """End the process that goes on."""
        self.running.close()
        self.process = None

    # At the end

    def differences(self) -> tuple[list[Slot], list[Slot]]:
        """What is missing in the calendars, and what is there and should not be."""
        truth, found = Counter(self.system.truth()), standing(self.sandbox)
        return sorted((truth - found).elements()), sorted((found - truth).elements())

    def mistakes(self) -> Mistakes:
        """The differences by their kind: what is missing and what is there are one appointment where title and notes
        agree."""
        missing, extra = (Counter(slots) for slots in self.differences())
        found = {(slot.title, slot.notes): slot for slot in extra}
        moved = [(slot, found[slot[3:]]) for slot in missing.elements() if slot[3:] in found]
        owner = sum(slot.calendar != there.calendar for slot, there in moved)
        return Mistakes(missing.total() - len(moved), extra.total() - len(moved), len(moved) - owner, owner)

    def undone(self) -> tuple[object, ...]:
        """What a push would still do, and what waits for a person."""
        self.stop()
        with wiring.installation(wiring.settings(self.config), self.clock) as installation:
            return (*plan(installation), *waiting(installation))


class Passed(NamedTuple):
    """What a pass says of itself: seconds, MiB, errors."""

    seconds: float
    memory: int | None
    errors: tuple[str, ...]


def pass_alone(config: Path, now: datetime) -> Passed:
    """One pass in a process that ends with it."""
    with wiring.installation(wiring.settings(config), HandClock(now)) as installation:
        passed = _passed(installation)
    return passed._replace(memory=_peak())


def _peak() -> int | None:
    """The most memory this process ever held, in MiB. What `getrusage` says counts that of whoever started it."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    told = dict(line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines())
    return int(told["VmHWM"].split()[0]) // 1024


def _passed(installation: Installation) -> Passed:
    began = perf_counter()
    report = run(installation, Watch())
    return Passed(perf_counter() - began, None, tuple(map(str, report.errors)))


def _counted(log: Sequence[Exchange]) -> tuple[int, int]:
    """Requests for what is booked, and those that signing in cost: with the one that found the session over, which is
    asked again after."""
    asked = [one for one in log if not _is_login(one)]
    again = sum(
        (one.path, one.query) == (then.path, then.query)
        for number, one in enumerate(log[:-1])
        if _is_login(log[number + 1])
        for then in list(filterfalse(_is_login, log[number + 1 :]))[:1]
    )
    return len(asked) - again, len(log) - len(asked) + again


def _is_login(one: Exchange) -> bool:
    return not one.path.startswith("/api/") or "/sessions/" in one.path


@contextmanager
def ferry(kind: str, home: Path, rows: int = 60, *, alone: bool = False) -> Iterator[Ferry]:
    """Open for as long as it takes; no stand-in may crash, nobody may get mail, and nothing else may be touched."""
    clock = HandClock()
    with Sandbox(clock.now) as sandbox:
        opened = Ferry(kind, sandbox, home, clock, rows, alone)
        yield opened
        opened.stop()
        google = sandbox.google
        assert [*opened.system.server.crashes, *google.crashes, *google.world.schema_violations] == []
        assert [*google.world.mails, *google.world.reminder_mails] == []
        for (calendar, event), as_added in google.world.foreign.items():
            assert google.world.calendars[calendar].events[event] == as_added
