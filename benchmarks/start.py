"""How long it takes until anything happens."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.figure import Figure, child_cpu

TIMES = 9


def start() -> Iterator[Figure]:
    calferry = Path(sys.prefix) / "bin" / "calferry"
    ours = child_cpu(partial(_run, str(calferry), "--version"), TIMES)
    bare = child_cpu(partial(_run, sys.executable, "-c", "import typer"), TIMES)
    yield Figure("start: calferry --version / python -c 'import typer'", ours / bare, 2.0, f"{ours:.2f} s CPU")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own command
