"""An organisation at Valomnia for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from calferry.sources.valomnia import ValomniaSource
from tests.sources.valomnia import ServerClock, ValomniaStage, stage_on


@pytest.fixture
def office() -> Iterator[ValomniaStage]:
    stage = stage_on(ServerClock())
    with stage.server as server:
        yield stage
        assert server.crashes == []


@pytest.fixture
def valomnia(office: ValomniaStage) -> ValomniaSource:
    return office.connect()
