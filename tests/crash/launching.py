"""Whoever asks the launcher to run and kill calferry."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple, Protocol


class Home(Protocol):
    """Wherever there is a configuration."""

    @property
    def config(self) -> Path: ...


class Ended(NamedTuple):
    """How a run of calferry ended: its exit code, how many instants it had, and which was the last."""

    exit: int
    instants: int
    last: str


class Launcher:
    """Runs calferry, each time in a fresh process that was forked from one in which everything is loaded."""

    def __init__(self, root: Path) -> None:
        command = [sys.executable, "-m", "tests.crash.launcher"]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(  # noqa: S603 (our own code)
            command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, cwd=root
        )

    def sync(self, shop: Home, *, die_at: int = 0) -> Ended:
        """One pass."""
        return self.run(shop, "sync", die_at=die_at)

    def run(self, shop: Home, *arguments: str, die_at: int = 0) -> Ended:
        """A command; with `die_at` its process is killed at that instant, unless it ends before."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        order: dict[str, Any] = {"arguments": [*arguments, "-c", str(shop.config)], "die_at": die_at}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return Ended(**json.loads(self.process.stdout.readline()))

    def close(self) -> None:
        self.process.communicate()
