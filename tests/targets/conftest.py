"""Google in the sandbox, with Ana's calendar in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from calferry.sandbox import GoogleServer
from calferry.targets.google import GoogleTarget
from tests.targets.google_world import DELEGATION, target_for


@pytest.fixture
def server() -> Iterator[GoogleServer]:
    with GoogleServer() as server:
        yield server
        assert server.crashes == []
        assert server.world.schema_violations == []


@pytest.fixture
def target(server: GoogleServer) -> GoogleTarget:
    return target_for(server)


@pytest.fixture
def delegate(server: GoogleServer) -> GoogleTarget:
    return target_for(server, **DELEGATION)
