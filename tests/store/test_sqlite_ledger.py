"""The SQLite ledger keeps the contract."""

from __future__ import annotations

from tests.contracts.ledger import LedgerContract


class TestSqliteLedger(LedgerContract):
    """With the fixtures of this folder."""
