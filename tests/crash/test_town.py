"""Killed in any command, with every booking system and every kind of calendar, calferry loses and doubles nothing.

`make crash` does the same thousands of times, with other seeds.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.deeds import ROUNDS
from tests.crash.launching import Launcher
from tests.crash.lives import lives

SEED = "7"


@pytest.mark.parametrize("part", [0, 1])
def test_every_command_can_be_killed_again_and_again(launcher: Launcher, tmp_path: Path, part: int) -> None:
    with lives(launcher, tmp_path, f"{SEED}.{part}") as played:
        for name in sorted(ROUNDS)[part::2]:
            played.play(name)
        figures = played.figures
    assert figures.complaints == []
    assert (figures.missing, figures.doubled, figures.foreign, figures.mails, figures.unsettled) == (0, 0, 0, 0, 0)
    assert set(figures.within) == set(sorted(ROUNDS)[part::2])
    assert figures.worst <= figures.bound
