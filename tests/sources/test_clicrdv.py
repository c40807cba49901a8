"""ClicRDV: the contract of every source, in both feeds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

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


def test_every_test_that_the_page_names_is_there() -> None:
    root = Path(__file__).parents[2]
    named = re.findall(r"`(\w*[Tt]est_?\w+)(?:\.py)?`", (root / "docs/adapters/clicrdv.md").read_text(encoding="utf-8"))
    tests = list((root / "tests/sources").glob("test_clicrdv*.py"))
    there = "\n".join([*(file.read_text(encoding="utf-8") for file in tests), *(f"def {file.stem}(" for file in tests)])
    assert len(named) > 20
    assert [name for name in named if not re.search(rf"\b(?:def|class) {name}\b", there)] == []
