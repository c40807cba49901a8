"""Two towns to which the same happens: in one nobody disturbs calferry, in the other it is killed again and again.

The undisturbed one says how many instants a command has and how many requests it takes; the other one must end with
the same truth, and not with many requests more.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from signal import SIGKILL
from tempfile import TemporaryDirectory

from tests.crash.deeds import ROUNDS, Round
from tests.crash.launching import Ended, Launcher
from tests.crash.town import Town, town

AGAIN = 0.85
"""How likely it is that the process that goes on is killed as well."""

RESTARTS = 3
"""How often an undisturbed process may be needed until all is well."""


@dataclass
class Figures:
    """What became of so many kills.

    `extra` is how many requests they cost beyond those of the undisturbed town, `worst` how many for each restart in
    the dearest round, and `bound` how many a restart may cost: those of a first pass.
    """

    kills: int = 0
    restarts: int = 0
    missing: int = 0
    doubled: int = 0
    foreign: int = 0
    mails: int = 0
    extra: int = 0
    worst: int = 0
    bound: int = 0
    unsettled: int = 0
    at: Counter[str] = field(default_factory=Counter)
    within: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)

    def add(self, other: Figures) -> None:
        for one in fields(self):
            mine, theirs = getattr(self, one.name), getattr(other, one.name)
            together = max(mine, theirs) if one.name in {"worst", "bound"} else mine + theirs
            setattr(self, one.name, together)

    def line(self, seed: int) -> str:
        return (
            f"{self.kills} kills, {self.restarts} restarts: {self.missing} missing, {self.doubled} doubled, "
            f"{self.foreign} foreign touched, {self.mails} mails, {self.unsettled} unsettled, {self.extra} extra "
            f"requests (up to {self.worst} a restart, bound {self.bound}); seed {seed}"
        )


@dataclass
class Lives:
    """`calm` is never disturbed, `hard` is; both by the same dice."""

    launcher: Launcher
    calm: Town
    hard: Town
    seed: str
    figures: Figures = field(default_factory=Figures)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)  # noqa: S311 (which instants, not a secret)
        for one in (self.calm, self.hard):
            for name in [*one.systems] * 5:
                one.book(name)
            before = one.requests
            self._undisturbed(one)
            self.figures.bound = max(self.figures.bound, one.requests - before)

    def play(self, name: str) -> None:
        """A round, in which the command is killed at least once."""
        acted, dice = ROUNDS[name], self.dice.random()
        for one in (self.calm, self.hard):
            acted.prepare(one, random.Random(dice), partial(self._undisturbed, one))  # noqa: S311 (likewise)
        unhindered, instants = self._calmly(acted)
        before, restarts = self.hard.requests, 0
        while self._killed(acted, name, self.dice.randrange(instants) + 1):
            restarts += 1
            if self.dice.random() > AGAIN:
                break
        restarts += self._settle(acted, name)
        extra = self.hard.requests - before - unhindered
        self.figures.restarts += restarts
        self.figures.extra += max(0, extra)
        self.figures.worst = max(self.figures.worst, -(-extra // max(1, restarts)))
        self._judge(acted, name)

    def _calmly(self, acted: Round) -> tuple[int, int]:
        """Requests that the round takes, and instants of its command."""
        before = self.calm.requests
        ended = self._run(self.calm, acted.command)
        assert ended.exit in acted.ends, (acted.command, ended)
        if acted.command != ("sync",):
            self._undisturbed(self.calm)
        return self.calm.requests - before, ended.instants

    def _killed(self, acted: Round, name: str, die_at: int) -> bool:
        ended = self._run(self.hard, acted.command, die_at)
        if ended.exit != -SIGKILL:
            return False
        self.figures.kills += 1
        self.figures.at[ended.last] += 1
        self.figures.within[name] += 1
        self._no_harm(f"{name}, killed at {die_at} ({ended.last})")
        return True

    def _settle(self, acted: Round, name: str) -> int:
        """Let it go on to the end. Returns how many processes more than an undisturbed one that took."""
        failed = 0
        passes = () if acted.command == ("sync",) else ((("sync",), frozenset({0})),)
        for command, ends in ((acted.command, acted.ends), *passes):
            while (ended := self._run(self.hard, command)).exit not in ends:
                failed += 1
                if failed == RESTARTS:
                    self.figures.unsettled += 1
                    self.figures.complaints.append(f"seed {self.seed}, {name}: {' '.join(command)} ends with {ended}")
                    break
                self.hard.let_time_pass()
        return failed

    def _judge(self, acted: Round, name: str) -> None:
        """All is there, once, and the next pass has nothing to write."""
        verdict = self.hard.verdict()
        self.figures.missing += verdict.missing
        self.figures.doubled += verdict.duplicates
        if not verdict.clean:
            self.figures.complaints.append(f"seed {self.seed}, {name}: {verdict.details}")
        self._no_harm(name)
        writes = self.hard.writes
        self._undisturbed(self.hard)
        if self.hard.writes != writes or self.hard.crashes():
            self.figures.unsettled += 1
            self.figures.complaints.append(f"seed {self.seed}, {name}: written again {self.hard.crashes()}")
        if acted.gone and self.hard.remembers(acted.gone):
            self.figures.unsettled += 1
            self.figures.complaints.append(f"seed {self.seed}, {name}: {acted.gone} is still there")

    def _no_harm(self, when: str) -> None:
        """What must hold even in the ruins."""
        doubled, touched, mails = self.hard.harm()
        self.figures.doubled += doubled
        self.figures.foreign += touched
        self.figures.mails += mails
        if doubled or touched or mails:
            self.figures.complaints.append(
                f"seed {self.seed}, {when}: {doubled} doubled, {touched} touched, {mails} mails"
            )

    def _undisturbed(self, one: Town) -> None:
        for _ in range(RESTARTS):
            if self._run(one, ("sync",)).exit == 0:
                return
        raise AssertionError

    def _run(self, one: Town, command: Sequence[str], die_at: int = 0) -> Ended:
        return self.launcher.run(one, *(part.format(copy=one.copy) for part in command), die_at=die_at)


@contextmanager
def lives(launcher: Launcher, home: Path, seed: str) -> Iterator[Lives]:
    with town(home / "calm") as calm, town(home / "hard") as hard:
        yield Lives(launcher, calm, hard, seed)


def life(seed: str) -> Figures:
    """Every kind of round once, in any order, in a new town."""
    names = sorted(ROUNDS)
    random.Random(seed).shuffle(names)  # noqa: S311 (an order, not a secret)
    launcher = Launcher(Path(__file__).parents[2])
    try:
        with TemporaryDirectory(prefix="calferry-crash-") as home, lives(launcher, Path(home), seed) as played:
            for name in names:  # so few that what is called off in a day stays well below the brakes
                played.play(name)
            return played.figures
    finally:
        launcher.close()
