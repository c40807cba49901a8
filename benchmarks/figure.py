"""A measured figure beside its budget."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Figure:
    what: str
    measured: float
    budget: float
    note: str = ""

    @property
    def kept(self) -> bool:
        return self.measured <= self.budget

    def __str__(self) -> str:
        word = "kept" if self.kept else "MISSED"
        return f"{self.what:<58} {self.measured:8.2f}  budget {self.budget:6.2f}  {word}  {self.note}"


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds (user and system) that this process spends on some work."""
    before = time.process_time()
    work()
    return time.process_time() - before


def child_cpu(run: Callable[[], object], times: int) -> float:
    """Median CPU seconds of the child processes that `run` starts and waits for."""

    def spent() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    figures = []
    for _ in range(times):
        before = spent()
        run()
        figures.append(spent() - before)
    return median(figures)
