"""Troubles and who was told of them: `ports.AlertBook`. A quiet pass writes nothing here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlalchemy import delete, insert, select

from calferry.ports import Telling
from calferry.store.database import Database, chunks, upsert
from calferry.store.tables import tellings, troubles


class SqlAlertBook:
    def __init__(self, database: Database) -> None:
        self._database = database

    def since(self) -> Mapping[str, datetime]:
        with self._database.reading() as connection:
            return dict(connection.execute(select(troubles.c.trouble, troubles.c.since)).all())

    def observe(self, found: Mapping[str, datetime]) -> None:
        known = self.since()
        new = [{"trouble": key, "since": since} for key, since in found.items() if key not in known]
        over = [key for key in known if key not in found]
        if not (new or over):
            return
        with self._database.writing() as connection:
            for chunk in chunks(over):
                connection.execute(delete(troubles).where(troubles.c.trouble.in_(chunk)))
            upsert(connection, troubles, new, keep=["since"])

    def told(self, channel: str) -> Mapping[str, Telling]:
        row = tellings.c
        statement = select(row.trouble, row.since, row.size).where(row.channel == channel)
        with self._database.reading() as connection:
            return {key: Telling(key=key, since=since, size=size) for key, since, size in connection.execute(statement)}

    def file(self, channel: str, told: Iterable[Telling], over: Collection[str], at: datetime) -> None:
        rows = [
            {"channel": channel, "trouble": one.key, "since": one.since, "size": one.size, "told_at": at}
            for one in told
        ]
        replaced = [*(row["trouble"] for row in rows), *over]
        with self._database.writing() as connection:
            for chunk in chunks(replaced):
                connection.execute(delete(tellings).where(tellings.c.channel == channel, tellings.c.trouble.in_(chunk)))
            if rows:
                connection.execute(insert(tellings), rows)
