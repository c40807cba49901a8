"""The ledger: what calferry remembers, in SQLite."""

from calferry.store.ledger import SqlLedger, open_ledger

__all__ = ["SqlLedger", "open_ledger"]
