"""The ledger: what calferry remembers, in SQLite."""

from calferry.store.ledger import SqlLedger, existing_ledger, open_ledger

__all__ = ["SqlLedger", "existing_ledger", "open_ledger"]
