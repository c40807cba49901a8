"""Measure everything and print one line each: what was measured, the figure, the budget, kept or missed."""

from __future__ import annotations

import sys

from benchmarks import feeds, pull, quiet, start
from benchmarks.figure import Figure

MEASUREMENTS = (start.start, quiet.nothing_changed, feeds.served, pull.pull)


def main() -> int:
    figures: list[Figure] = []
    for measure in MEASUREMENTS:
        for figure in measure():
            figures.append(figure)
            sys.stdout.write(f"{figure}\n")
            sys.stdout.flush()
    return 0 if all(figure.kept for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
