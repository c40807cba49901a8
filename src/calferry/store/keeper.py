"""The ledger as its operator sees it: `keeping.Keeper`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select

from calferry.keeping import Drift, DriftKind, Kept, Trace
from calferry.model import Event, Intent, Marked, Placement
from calferry.store import adopting, erasing, leaving, refounding, verifying
from calferry.store.database import Database, chunks
from calferry.store.placing import placement_of
from calferry.store.tables import appointments, calendars, placements


class SqlKeeper:
    def __init__(self, database: Database, installation: str, ledger: str) -> None:
        self._database = database
        self._installation = installation
        self._ledger = ledger

    @property
    def former(self) -> frozenset[str]:
        with self._database.reading() as connection:
            return adopting.former_ledgers(connection)

    def sources_of(self, uids: Collection[str]) -> Mapping[str, str]:
        known: dict[str, str] = {}
        with self._database.reading() as connection:
            for chunk in chunks(uids):
                told = select(appointments.c.uid, appointments.c.source).where(appointments.c.uid.in_(chunk))
                known |= {row.uid: row.source for row in connection.execute(told)}
        return known

    def calendars(self) -> Mapping[str, str]:
        known = select(calendars.c.calendar, calendars.c.target).order_by(calendars.c.calendar)
        with self._database.reading() as connection:
            return {row.calendar: row.target for row in connection.execute(known)}

    def placements(self, calendar: str) -> Sequence[Placement]:
        there = select(placements).where(placements.c.calendar == calendar).order_by(placements.c.uid)
        with self._database.reading() as connection:
            return [placement_of(row) for row in connection.execute(there)]

    def drifts(self, calendar: str) -> frozenset[tuple[DriftKind, str]]:
        with self._database.reading() as connection:
            return verifying.known(connection, calendar)

    def verified(self, calendar: str, drifts: Sequence[Drift], at: datetime) -> None:
        with self._database.writing() as connection:
            verifying.file(connection, calendar, drifts, at)

    def disown(self, calendar: str, found: Mapping[str, Marked | None], at: datetime) -> None:
        with self._database.writing() as connection:
            for chunk in chunks(found.items()):
                verifying.disown(connection, calendar, dict(chunk), at)

    def restore(self, calendar: str, found: Mapping[str, Marked | None], at: datetime, most: int) -> Collection[str]:
        with self._database.writing() as connection:
            restored = verifying.restorable(connection, calendar, list(found), at, most)
            for chunk in chunks(restored):
                verifying.disown(connection, calendar, {uid: found[uid] for uid in chunk}, at)
        return restored

    def respect(self, calendar: str, uids: Collection[str], at: datetime) -> None:
        with self._database.writing() as connection:
            for chunk in chunks(uids):
                verifying.respect(connection, calendar, chunk, at)

    def withdraw(self, intents: Sequence[Intent], at: datetime) -> Sequence[Intent]:
        with self._database.writing() as connection:
            return [one for chunk in chunks(intents) for one in verifying.withdraw(connection, chunk, at)]

    def adopt(
        self, calendar: str, target: str, found: Sequence[Marked], routes: Mapping[str, str], at: datetime
    ) -> None:
        with self._database.writing() as connection:
            adopting.answer_for(connection, {one.mark.ledger for one in found} - {self._ledger}, at)
            adopting.open_calendar(connection, calendar, target, at)
            for chunk in chunks(found):
                adopting.adopt(connection, calendar, target, chunk, routes, at)

    def unwritten_sessions(self, source: str, calendar: str) -> Sequence[Event]:
        with self._database.reading() as connection:
            return refounding.unwritten(connection, source, calendar)

    def refound(self, source: str, uids: Mapping[str, str], at: datetime) -> Collection[str]:
        with self._database.writing() as connection:
            return refounding.refound(connection, source, uids, at)

    def find(self, trace: Trace) -> Sequence[Kept]:
        with self._database.reading() as connection:
            return erasing.find(connection, trace)

    def erase(self, trace: Trace, uids: Collection[str], at: datetime, *, suppress: bool) -> None:
        with self._database.writing() as connection:
            if suppress:
                erasing.suppress(connection, self._installation, trace, uids, at)
            for chunk in chunks(uids):
                erasing.erase(connection, chunk, at)

    def compact(self) -> None:
        self._database.compact()

    def leave(self, calendar: str, target: str, found: Sequence[Marked], at: datetime) -> None:
        with self._database.writing() as connection:
            adopting.open_calendar(connection, calendar, target, at)
            for chunk in chunks(found):
                leaving.take_in(connection, calendar, target, chunk, at)
            leaving.leave(connection, calendar, at)
