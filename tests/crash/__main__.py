"""`make crash`: kill calferry so many times, and say what became of it. The last line holds the figures."""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import count
from multiprocessing import get_context
from time import monotonic

from tests.crash.lives import Figures, life


def killed(kills: int, seed: int, workers: int) -> Iterator[Figures]:
    """What became of each life, until there were so many kills."""
    seeds, done = (f"{seed}.{number}" for number in count()), 0
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        running = {pool.submit(life, next(seeds)) for _ in range(workers)}
        while running:
            over = next(as_completed(running))
            running.remove(over)
            done += over.result().kills
            yield over.result()
            if done < kills:
                running.add(pool.submit(life, next(seeds)))


def main() -> int:
    parser = argparse.ArgumentParser(prog="make crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    seed = secrets.randbelow(10**6) if asked.seed is None else asked.seed
    total, began = Figures(), monotonic()
    for figures in killed(asked.kills, seed, asked.workers):
        total.add(figures)
        for complaint in figures.complaints:
            _say(complaint)
        _say(f"… {total.kills} kills, {60 * total.kills / (monotonic() - began):.0f} a minute")
    for counted in (total.within, total.at):
        _say(", ".join(f"{name}: {number}" for name, number in counted.most_common()))
    _say(total.line(seed))
    return int(bool(total.complaints) or total.worst > total.bound)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
