"""How an appointment came to be taken as gone: told, then unlisted, then asked for by its id, then gone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import select

from calferry.store.database import chunks
from calferry.store.journal import Entry
from calferry.store.ledger import SqlLedger
from calferry.store.tables import journal

ALIVE = frozenset({"booked", "changed", "restored", "relisted", "found"})
"""Entries of the journal that show that the booking system has it."""

AGAINST = frozenset({"unlisted", "asked for", "deleted"})
"""Entries that say that it may not have it any more."""


def trail(history: Iterable[Entry]) -> Sequence[Entry]:
    """Of all that happened to an appointment (oldest first): when it was last shown alive, and all that has spoken
    against it since. Empty where nothing has."""
    steps: list[Entry] = []
    for entry in history:
        if entry.what in ALIVE:
            steps = [entry]
        elif entry.what in AGAINST:
            steps.append(entry)
    return steps if any(entry.what in AGAINST for entry in steps) else []


def trails(ledger: SqlLedger, uids: Collection[str]) -> Mapping[str, Sequence[Entry]]:
    """The trails of several appointments, by uid."""
    row = journal.c
    columns = select(row.at, row.place, row.uid, row.what, row.detail)
    histories: dict[str, list[Entry]] = {uid: [] for uid in uids}
    with ledger.database.reading() as connection:
        for chunk in chunks(uids):
            told = columns.where(row.uid.in_(chunk), row.what.in_(ALIVE | AGAINST)).order_by(row.id)
            for entry in connection.execute(told):
                histories[entry.uid].append(Entry(*entry))
    return {uid: trail(history) for uid, history in histories.items()}
