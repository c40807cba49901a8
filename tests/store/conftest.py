"""A ledger in a file of its own, and its address."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from calferry.feeds import Shelf
from calferry.keeping import Keeper
from calferry.store import SqlLedger, open_ledger
from tests.contracts.ledger_steps import INSTALLATION


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/calferry.db"


@pytest.fixture
def ledger(url: str) -> Iterator[SqlLedger]:
    with open_ledger(url, INSTALLATION, patience=0.2) as ledger:
        yield ledger


@pytest.fixture
def shelf(ledger: SqlLedger) -> Shelf:
    return ledger.shelf


@pytest.fixture
def keeper(ledger: SqlLedger) -> Keeper:
    return ledger.keeper
