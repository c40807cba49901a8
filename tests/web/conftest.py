"""Each test gets a salon, and its feeds over HTTP if it wants them: with an appointment of Ana's that is filed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.crossing import Salon, salon
from tests.web.served import LATER, Served, ferry_to_feeds, served


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Salon]:
    with salon(tmp_path) as opened:
        ferry_to_feeds(opened)
        yield opened


@contextmanager
def one_filed(shop: Salon) -> Iterator[Served]:
    shop.book()
    shop.cross()
    with served(shop) as opened:
        assert opened.get().status_code == 200  # which publishes it
        shop.clock.pass_by(LATER)
        yield opened


@pytest.fixture
def web(shop: Salon) -> Iterator[Served]:
    with one_filed(shop) as opened:
        yield opened


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The same for tests that change nothing."""
    with salon(tmp_path_factory.mktemp("salon")) as shop:
        ferry_to_feeds(shop)
        with one_filed(shop) as opened:
            yield opened
