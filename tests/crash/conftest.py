"""A salon, and a launcher that runs and kills calferry for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.crash.launching import Launcher
from tests.crossing import Salon, salon


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
