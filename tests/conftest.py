"""What holds for every test: no network but loopback (see addopts), a clean environment, no waiting, the same data."""

from __future__ import annotations

import os
import zoneinfo
from collections.abc import Iterator

import pytest
import stamina
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("tests.contracts")

settings.register_profile(
    "default", max_examples=30, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("soak", deadline=None, max_examples=2_000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")

zoneinfo.reset_tzpath(to=())


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=16, help="how many instants the crash tests kill a process at")
    parser.addoption("--screenshots", action="store_true", help="write docs/images anew")
    parser.addoption("--rows", type=int, default=60, help="how many appointments cross from each booking system")


OURS = ("CALFERRY", "AGENDIZE", "CLICRDV", "VALOMNIA", "GOOGLE")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's proxies, credentials and configuration never leak into a test."""
    for name in list(os.environ):
        if name.startswith(("CALFERRY", "AGENDIZE", "CLICRDV", "VALOMNIA", "GOOGLE")) or name.lower().endswith(
            "_proxy"
        ):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Retries happen, and cost no time."""
    with stamina.set_testing(True, attempts=3, cap=True):
        yield
