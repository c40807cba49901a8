"""Sessions as appointments of their own: `Routing.gather`. Runs inside one transaction.

What belongs to what is decided in `calferry.sessions`. Only bookings that changed since the route's mark are read, and
those that are or were together with them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, or_, select, update

from calferry.model import uid_of
from calferry.moments import utc
from calferry.sessions import Booking, Session, arranged, counted, gathered
from calferry.store import journal
from calferry.store.codec import appointment_of, appointment_text, digest
from calferry.store.database import chunks, upsert
from calferry.store.journal import Entry
from calferry.store.recording import LISTED
from calferry.store.revisions import draw
from calferry.store.tables import IS_PART, IS_SHARED, appointments, is_told, sources


@dataclass(frozen=True, slots=True)
class Gathering:
    """One source's sessions on their way into the ledger: in which transaction, and whose."""

    connection: Connection
    installation: str
    source: str

    def run(self) -> None:
        changed = self._changed()
        if not changed:
            return
        held = self._sessions({row.session for row in changed}, {row.part_of for row in changed})
        before = [_session_of(row) for row in held]
        bookings = self._bookings({row.session for row in changed}, {session.uid for session in before})
        sessions = arranged(before, bookings, self._found)
        parts = counted(sessions, bookings)
        self._count(bookings, parts)
        concerned = defaultdict[str, list[Booking]](list)
        for booking in bookings:
            for uid in {booking.part_of, parts[booking.uid]}:
                concerned[uid].append(booking)
        reread = {uid for uid, its in concerned.items() if any(booking.reread for booking in its)}
        self._store([gathered(session, concerned[session.uid], parts) for session in sessions], held, reread)

    def _changed(self) -> Sequence[Row[str, str]]:
        """What is or was counted in a session, of the bookings that changed since the mark."""
        row = appointments.c
        mark = select(sources.c.mark).where(sources.c.source == self.source).scalar_subquery()
        grouped = or_(row.session != "", row.part_of != "")
        changed = select(row.session, row.part_of).where(row.source == self.source, row.revision > mark)
        return self.connection.execute(changed.where(is_told, grouped)).all()

    def _sessions(self, shared: Collection[str], uids: Collection[str]) -> list[Row[Any]]:
        """The sessions of these uids, and those that stand where bookings share one of these."""
        row = appointments.c
        found = [
            *self._read((row.source == self.source, IS_SHARED, row.founded > 0), row.session, shared),
            *self._read((row.source == self.source, row.founded > 0), row.uid, uids),
        ]
        return list({one.uid: one for one in found}.values())

    def _bookings(self, shared: Collection[str], sessions: Collection[str]) -> list[Booking]:
        """The bookings that share one of these, or were counted in one of these sessions."""
        row = appointments.c
        found = [
            *self._read((row.source == self.source, IS_SHARED, is_told), row.session, shared),
            *self._read((row.source == self.source, IS_PART, is_told), row.part_of, sessions),
        ]
        return [_booking_of(one) for one in {one.uid: one for one in found}.values()]

    def _read(self, where: Iterable[ColumnElement[bool]], column: Any, keys: Collection[str]) -> list[Row[Any]]:
        statement = select(appointments).where(*where)
        wanted = sorted(filter(None, keys))
        return [row for chunk in chunks(wanted) for row in self.connection.execute(statement.where(column.in_(chunk)))]

    def _found(self, shared: str, first: Booking) -> Session:
        """A new session. Its name tells where it was founded: a ledger that is lost finds the same one there again."""
        taken = select(appointments.c.uid).where(appointments.c.uid == bindparam("of"))
        names = (f"session/{shared}/{number}" if number else f"session/{shared}" for number in count())
        drawn = ((name, uid_of(self.installation, self.source, name)) for name in names)
        name, uid = next(one for one in drawn if not self.connection.execute(taken, {"of": one[1]}).first())
        founded = next(draw(self.connection, self.source, 1))
        named = replace(first.appointment, source_id=name)
        return Session(uid=uid, founded=founded, shared=shared, appointment=named)

    def _count(self, bookings: Iterable[Booking], parts: dict[str, str]) -> None:
        moved = [{"of": one.uid, "to": parts[one.uid]} for one in bookings if parts[one.uid] != one.part_of]
        if moved:
            this = update(appointments).where(appointments.c.uid == bindparam("of"))
            self.connection.execute(this.values(part_of=bindparam("to")), moved)

    def _store(self, sessions: Sequence[Session], held: Sequence[Row[Any]], reread: Collection[str]) -> None:
        """Each with a new revision: what a booking refers to may have changed without the booking."""
        known = {row.uid: row for row in held}
        changed = {*reread, *(row.uid for row in held if row.reread)}
        newest = self.connection.scalar(select(sources.c.newest).where(sources.c.source == self.source))
        rows = [self._row(one) | {"asked_at": newest, "reread": one.uid in changed} for one in sessions]
        drawn = draw(self.connection, self.source, len(rows))
        upsert(self.connection, appointments, [{**row, **LISTED, "revision": next(drawn)} for row in rows])
        news = [row for row in rows if _says_more(known.get(row["uid"]), row)]
        journal.write(
            self.connection,
            (
                Entry(journal.now(), self.source, row["uid"], "gathered", row["deletion"] or row["session"])
                for row in news
            ),
        )

    def _row(self, session: Session) -> dict[str, Any]:
        told = session.appointment
        body = appointment_text(told)
        return {
            "uid": session.uid,
            "source": self.source,
            "source_id": told.source_id,
            "digest": digest(body),
            "body": body,
            "owner": told.owners[0].key if told.owners else "",
            "starts_at": utc(told.start),
            "ends_at": utc(told.end),
            "deletion": session.deletion,
            "deletion_weak": session.deletion_weak,
            "session": session.shared,
            "founded": session.founded,
        }


def _session_of(row: Row[Any]) -> Session:
    return Session(
        uid=row.uid,
        founded=row.founded,
        shared=row.session,
        appointment=appointment_of(row.body),
        deletion=row.deletion,
        deletion_weak=row.deletion_weak,
    )


def _booking_of(row: Row[Any]) -> Booking:
    return Booking(
        uid=row.uid,
        revision=row.revision,
        appointment=appointment_of(row.body),
        part_of=row.part_of,
        deletion=row.deletion,
        deletion_weak=row.deletion_weak,
        reread=row.reread,
    )


def _says_more(known: Row[Any] | None, row: Mapping[str, Any]) -> bool:
    told = ("digest", "deletion", "session")
    return known is None or any(known._mapping[name] != row[name] for name in told)
