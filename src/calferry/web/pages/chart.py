"""The little chart on the overview: what the passes of the last hours did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from calferry.store.history import Hour

HOURS = 48
WIDTH, HEIGHT, STEP, LEAST = 480, 64, 10, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """An hour: where its bar stands, in the chart's units, and what is said of it."""

    x: int
    height: int
    y: int
    hour: Hour
    silent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """`changes` and `most` are the changes of all hours and of the busiest; `silent` are hours without any pass, once
    there had been one."""

    bars: Sequence[Bar]
    changes: int
    most: int
    silent: int


def chart(hours: Sequence[Hour]) -> Chart:
    """Heights grow with the root of the changes, so that a first crossing does not flatten all others."""
    most = max((hour.changes for hour in hours), default=0)
    begun = next((index for index, hour in enumerate(hours) if hour.counts), len(hours))
    bars = []
    for index, hour in enumerate(hours):
        height = max(LEAST, round(HEIGHT * sqrt(hour.changes / most))) if hour.changes else 0
        silent = index > begun and not hour.pulled and index < len(hours) - 1  # the hour that runs may still have one
        bars.append(Bar(x=index * STEP, height=height, y=HEIGHT - height, hour=hour, silent=silent))
    changes, silences = sum(hour.changes for hour in hours), sum(bar.silent for bar in bars)
    return Chart(bars=bars, changes=changes, most=most, silent=silences)
