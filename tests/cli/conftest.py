"""Each test gets a folder that is its whole world, and the salon if it wants one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from calferry.sandbox import Sandbox
from tests.cli.salon import Salon


@pytest.fixture
def salon(tmp_path: Path) -> Iterator[Salon]:
    with Sandbox() as sandbox:
        yield Salon(sandbox, tmp_path)
        assert sandbox.agendize.crashes == sandbox.google.crashes == []
