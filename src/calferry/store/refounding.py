"""Sessions that a lost ledger had founded somewhere else. Runs inside the transactions of the keeper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, exists, select, update

from calferry.model import Event
from calferry.store import journal
from calferry.store.codec import event_of, event_text
from calferry.store.journal import Entry
from calferry.store.revisions import enter
from calferry.store.tables import appointments, intents, placements


def unwritten(connection: Connection, source: str, calendar: str) -> Sequence[Event]:
    """What the sessions that stand in no calendar yet shall show in this one."""
    row, others = placements.c, placements.alias()
    stands = exists().where(others.c.uid == row.uid, others.c.written_fingerprint != "")
    under_way = exists().where(intents.c.uid == row.uid)
    session = exists().where(appointments.c.uid == row.uid, appointments.c.founded > 0)
    wanted = select(row.wanted).where(row.source == source, row.calendar == calendar, row.wanted != "")
    free = wanted.where(session, ~stands, ~under_way)
    return [event_of(text) for text in connection.scalars(free.order_by(row.uid))]


def refound(connection: Connection, source: str, uids: Mapping[str, str], at: datetime) -> list[str]:
    enter(connection, source)
    free = {former: today for former, today in uids.items() if not _is_placed(connection, former)}
    for former, today in free.items():
        _rename_placements(connection, former, today)
        for column in (appointments.c.part_of, appointments.c.uid):
            connection.execute(update(appointments).where(column == today).values({column.name: former}))
        journal.write(connection, [Entry(at, source, former, "refounded", f"it was {today} in this ledger")])
    return list(free)


def _is_placed(connection: Connection, uid: str) -> bool:
    return connection.scalar(select(placements.c.uid).where(placements.c.uid == uid).limit(1)) is not None


def _rename_placements(connection: Connection, former: str, today: str) -> None:
    row = placements.c
    for place in connection.execute(select(placements).where(row.uid == today)).all():
        this = update(placements).where(row.uid == today, row.calendar == place.calendar)
        connection.execute(this.values(uid=former))
        if place.wanted:
            event = replace(event_of(place.wanted), uid=former)
            wanted = {"wanted": event_text(event), "wanted_fingerprint": event.fingerprint}
            here = update(placements).where(row.uid == former, row.calendar == place.calendar)
            connection.execute(here.values(wanted))
