"""Revisions: one rising number per source, drawn inside the transaction that uses it.

The counter's row is taken first, so transactions of one source follow each other and a later commit never hides an
earlier one from a reader that remembers how far it got.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, or_, select, update

from calferry.store.database import RowValues, upsert
from calferry.store.tables import appointments, sources


def enter(connection: Connection, source: str) -> None:
    """Make sure that the source has its row, and keep other writers of this source out."""
    upsert(connection, sources, [{"source": source}])
    connection.execute(select(sources.c.revision).where(sources.c.source == source).with_for_update())


def hear(connection: Connection, source: str, asked_at: datetime) -> None:
    """Remember when the newest answer of a source was asked for."""
    older = or_(sources.c.newest.is_(None), sources.c.newest < asked_at)
    connection.execute(update(sources).where(sources.c.source == source, older).values(newest=asked_at))


def draw(connection: Connection, source: str, number: int) -> Iterator[int]:
    """As many new revisions, rising."""
    if not number:
        return iter(())
    statement = update(sources).where(sources.c.source == source).values(revision=sources.c.revision + number)
    last: int = connection.execute(statement.returning(sources.c.revision)).scalar_one()
    return iter(range(last - number + 1, last + 1))


def revise(connection: Connection, source: str, changes: Sequence[RowValues]) -> None:
    """Give appointments, named by `uid`, new values and each a new revision. All changes have the same columns."""
    if not changes:
        return
    drawn = draw(connection, source, len(changes))
    values: dict[str, Any] = {name: bindparam(name) for name in changes[0] if name != "uid"}
    statement = (
        update(appointments).where(appointments.c.uid == bindparam("of")).values(**values, revision=bindparam("to"))
    )
    rows = [{name: value for name, value in change.items() if name != "uid"} for change in changes]
    for row, change in zip(rows, changes, strict=True):
        row |= {"of": change["uid"], "to": next(drawn)}
    connection.execute(statement, rows)
