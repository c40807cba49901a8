"""ClicRDV: the contract of every source, in both feeds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from calferry.sandbox.clicrdv import ClicrdvServer
from tests.contracts.source import SourceContract
from tests.sources.clicrdv import EMAIL, KEY, PASSWORD, ClicrdvStage


def staged(feed: str) -> Iterator[ClicrdvStage]:
    with ClicrdvServer(api_key=KEY, email=EMAIL, password=PASSWORD) as server:
        yield ClicrdvStage(server, feed)
        assert server.crashes == []


class TestVevents(SourceContract):
    @pytest.fixture
    def stage(self) -> Iterator[ClicrdvStage]:
        yield from staged("vevents")


class TestAppointments(SourceContract):
    """The feed of bookers: what is cancelled leaves it without a word."""

    @pytest.fixture
    def stage(self) -> Iterator[ClicrdvStage]:
        yield from staged("appointments")
