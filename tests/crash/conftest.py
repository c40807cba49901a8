"""A salon, and a launcher that runs and kills calferry for it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.crossing import Salon, salon


class Ended(NamedTuple):
    """How a run of calferry ended: its exit code, how many instants it had, and which was the last."""

    exit: int
    instants: int
    last: str


class Launcher:
    """Runs `calferry sync`, each time in a fresh process."""

    def __init__(self, root: Path) -> None:
        command = [sys.executable, "-m", "tests.crash.launcher"]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(  # noqa: S603 (our own code)
            command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, cwd=root
        )

    def sync(self, shop: Salon, *, die_at: int = 0) -> Ended:
        """One pass."""
        return self.run(shop, "sync", die_at=die_at)

    def run(self, shop: Salon, *command: str, die_at: int = 0) -> Ended:
        """One command; with `die_at` its process is killed at that instant, unless it ends before."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        order: dict[str, Any] = {"arguments": [*command, "-c", str(shop.config)], "die_at": die_at}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return Ended(**json.loads(self.process.stdout.readline()))

    def close(self) -> None:
        self.process.communicate()


@pytest.fixture(scope="module")
def launcher(request: pytest.FixtureRequest) -> Iterator[Launcher]:
    started = Launcher(request.config.rootpath)
    yield started
    started.close()


@contextmanager
def today(home: Path, kind: type[Salon] = Salon) -> Iterator[Salon]:
    """A salon by the real clock, since calferry in a process of its own knows no other."""
    with salon(home, datetime.now(UTC), kind) as shop:
        yield shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Salon]:
    with today(tmp_path) as opened:
        yield opened
