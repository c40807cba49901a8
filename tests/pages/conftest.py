"""Each test gets the pages of a salon in which something waits, signed in or not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crossing import Salon, salon
from tests.pages.showing import Shown, furnish, shown


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Salon]:
    with salon(tmp_path) as opened:
        furnish(opened)
        yield opened


@pytest.fixture
def pages(shop: Salon) -> Iterator[Shown]:
    """Somebody has signed in, and may do what they like."""
    with shown(shop) as opened:
        assert opened.sign_in().status_code == 200
        yield opened


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Salon]:
    """The same salon for tests that change nothing in it."""
    with salon(tmp_path_factory.mktemp("salon")) as shop:
        furnish(shop)
        yield shop


@pytest.fixture
def outside(house: Salon) -> Iterator[Shown]:
    """Nobody has signed in."""
    with shown(house) as opened:
        yield opened


@pytest.fixture
def inside(outside: Shown) -> Shown:
    assert outside.sign_in().status_code == 200
    return outside


@pytest.fixture(scope="module")
def still(house: Salon) -> Iterator[Shown]:
    """Somebody has signed in, once for all tests of a module."""
    with shown(house) as opened:
        assert opened.sign_in().status_code == 200
        yield opened
