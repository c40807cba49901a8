"""The ledger as `pull` sees it: `ports.Intake`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, delete, exists, or_, select, update

from calferry.model import Answer, Appointment, Batch, Cursor, Deletion, Window, uid_of
from calferry.moments import utc
from calferry.ports import Recorded
from calferry.store import erasing, history, journal, look_ups, pausing
from calferry.store.codec import appointment_of
from calferry.store.database import Database, chunks, upsert
from calferry.store.journal import Entry
from calferry.store.recording import LISTED, Recording
from calferry.store.revisions import enter, hear
from calferry.store.tables import appointments, is_live, is_told, quarantine, resources, sources, streams, tasks, uses

COMPLETE_LISTING = "all"
"""The task that lists a source's whole window."""

RESOURCES = "resources"
PULL = "pull"
"""The task that reads all of a source's resources."""


class SqlIntake:
    def __init__(self, database: Database, installation: str) -> None:
        self._database = database
        self._installation = installation

    def cursor(self, source: str, stream: str) -> Cursor | None:
        where = (streams.c.source == source, streams.c.stream == stream)
        with self._database.reading() as connection:
            token = connection.scalar(select(streams.c.cursor).where(*where))
        return None if token is None else Cursor(token)

    def record(self, source: str, batch: Batch, reading: str = "") -> Recorded:
        with self._database.writing() as connection:
            enter(connection, source)
            hear(connection, source, batch.asked_at)
            batch = erasing.applied(connection, self._installation, source, batch)
            recording = Recording(connection, self._installation, source, batch.asked_at, reading)
            touched = recording.resources(batch.resources)
            found = recording.appointments(batch.appointments)
            deleted = recording.deletions(batch.deleted)
            quarantined = recording.quarantine(batch.quarantined)
            if batch.cursor:
                upsert(connection, streams, [{"source": source, "stream": batch.stream, "cursor": batch.cursor.token}])
        return replace(found, deleted=deleted, quarantined=quarantined, resources=touched)

    def newest(self, source: str) -> datetime | None:
        with self._database.reading() as connection:
            return connection.scalar(select(sources.c.newest).where(sources.c.source == source))

    def last(self, source: str, task: str) -> datetime | None:
        with self._database.reading() as connection:
            return connection.scalar(select(tasks.c.at).where(tasks.c.source == source, tasks.c.task == task))

    def complete(self, source: str, task: str, at: datetime) -> None:
        """File a task as completed.

        A row without a readable id is forgotten once a complete listing ("all") has passed without it: when it was not
        seen since the completion before this one.
        """
        with self._database.writing() as connection:
            enter(connection, source)
            if task == COMPLETE_LISTING:
                before = select(tasks.c.at).where(tasks.c.source == source, tasks.c.task == task).scalar_subquery()
                where = (quarantine.c.source == source, quarantine.c.source_id == "", quarantine.c.asked_at < before)
                connection.execute(delete(quarantine).where(*where))
            if task == RESOURCES:
                _resources_seen_to(connection, source)
            upsert(connection, tasks, [{"source": source, "task": task, "at": at}])
            if task == PULL:
                history.count(connection, at, history.PULLED)

    def lacks_resources(self, source: str) -> bool:
        """What was looked through once without finding a lack is not looked through again."""
        named = (resources.c.source == uses.c.source, resources.c.resource == uses.c.resource)
        seen_to = select(sources.c.resources_to).where(sources.c.source == source).scalar_subquery()
        where = (appointments.c.source == source, appointments.c.revision > seen_to, is_live)
        lacking = select(uses.c.uid).join(appointments, appointments.c.uid == uses.c.uid)
        with self._database.writing() as connection:
            if connection.scalar(lacking.where(*where, ~exists().where(*named)).limit(1)) is not None:
                return True
            _resources_seen_to(connection, source)
        return False

    def unlist(self, source: str, covered: Window, seen: Collection[str], before: datetime) -> int:
        row = appointments.c
        inside = (row.starts_at >= covered.start, row.starts_at < covered.end, row.ends_at <= covered.end)
        open_to_doubt = or_(row.vouched_until.is_(None), row.vouched_until <= before)
        listed = (is_live, is_told, row.unlisted_at.is_(None), row.asked_at < before, open_to_doubt)
        missing = LISTED | {"unlisted_at": before, "look_up_at": before}
        with self._database.writing() as connection:
            found = connection.execute(select(row.uid, row.source_id).where(row.source == source, *inside, *listed))
            present = frozenset(seen)
            absent = [uid for uid, source_id in found if source_id not in present]
            for uids in chunks(absent):
                connection.execute(update(appointments).where(row.uid.in_(uids)).values(missing))
            missing_from = f"missing from a complete listing of {covered.start:%Y-%m-%d} to {covered.end:%Y-%m-%d}"
            journal.write(connection, (Entry(before, source, uid, "unlisted", missing_from) for uid in absent))
        return len(absent)

    def unlisted(self, source: str, now: datetime, limit: int) -> Sequence[Appointment]:
        with self._database.reading() as connection:
            return look_ups.due(connection, source, now, limit)

    def open(self, source: str, now: datetime) -> int:
        with self._database.reading() as connection:
            return look_ups.number_open(connection, source, now)

    def answer(self, source: str, answer: Answer, at: datetime) -> None:
        uid = uid_of(self._installation, source, answer.source_id)
        with self._database.writing() as connection:
            look_ups.file(connection, uid, answer, at)

    def answers(self, source: str, now: datetime) -> Sequence[Answer]:
        with self._database.reading() as connection:
            return look_ups.proofs(connection, source, now)

    def relist(self, source: str) -> None:
        where = (appointments.c.source == source, appointments.c.unlisted_at.is_not(None))
        statement = update(appointments).where(*where).values(LISTED).returning(appointments.c.uid)
        with self._database.writing() as connection:
            relisted = connection.scalars(statement).all()
            journal.write(connection, (Entry(journal.now(), source, uid, "relisted") for uid in relisted))

    def doubt(self, source: str, source_id: str, at: datetime) -> None:
        uid = uid_of(self._installation, source, source_id)
        this = (appointments.c.uid == uid, is_live, is_told, appointments.c.unlisted_at.is_(None))
        with self._database.writing() as connection:
            doubted = update(appointments).where(*this).values(LISTED | {"unlisted_at": at, "look_up_at": at})
            if connection.execute(doubted).rowcount:
                journal.write(connection, [Entry(at, source, uid, "unlisted", "not found by its id")])

    def vouch(self, source: str, source_id: str, until: datetime) -> None:
        uid = uid_of(self._installation, source, source_id)
        with self._database.writing() as connection:
            connection.execute(update(appointments).where(appointments.c.uid == uid).values(vouched_until=until))
            journal.write(connection, [Entry(journal.now(), source, uid, "found", "by its id")])

    def controls(self, appointment: Appointment, limit: int) -> Sequence[str]:
        row, start = appointments.c, utc(appointment.start)
        readable = ~exists().where(quarantine.c.source == row.source, quarantine.c.source_id == row.source_id)
        where = [row.source == appointment.source, row.source_id != appointment.source_id, is_live, is_told, readable]
        if appointment.owners:
            where.append(row.owner == appointment.owners[0].key)
        others = select(row.source_id, row.starts_at).where(*where, row.unlisted_at.is_(None)).limit(limit)
        after = others.where(row.starts_at >= start).order_by(row.starts_at)
        before = others.where(row.starts_at < start).order_by(row.starts_at.desc())
        with self._database.reading() as connection:
            found = [*connection.execute(after), *connection.execute(before)]
        nearest = sorted(found, key=lambda other: abs(other.starts_at - start))
        return [other.source_id for other in nearest[:limit]]

    def bury(self, source: str, deletions: Sequence[Deletion], *, weak: bool, asked_at: datetime) -> None:
        with self._database.writing() as connection:
            enter(connection, source)
            hear(connection, source, asked_at)
            recording = Recording(connection, self._installation, source, asked_at)
            recording.deletions(deletions, weak=weak)

    def defer(self, source: str, source_id: str, until: datetime) -> None:
        unread = (quarantine.c.source == source, quarantine.c.source_id == source_id)
        later = {"look_up_at": until, "attempts": quarantine.c.attempts + 1}
        with self._database.writing() as connection:
            connection.execute(update(quarantine).where(*unread).values(later))

    def live(self, source: str, source_id: str) -> Appointment | None:
        uid = uid_of(self._installation, source, source_id)
        with self._database.reading() as connection:
            body = connection.scalar(select(appointments.c.body).where(appointments.c.uid == uid, is_live))
        return appointment_of(body) if body else None

    def forget(self, source: str, source_id: str) -> None:
        uid, row = uid_of(self._installation, source, source_id), quarantine.c
        held = exists().where(appointments.c.uid == uid, is_live)
        unread = delete(quarantine).where(row.source == source, row.source_id == source_id, ~held)
        with self._database.writing() as connection:
            forgotten = connection.scalars(unread.returning(row.source_id)).all()
            journal.write(connection, (Entry(journal.now(), source, uid, "forgotten") for _row in forgotten))

    def quarantined(self, source: str, now: datetime, limit: int) -> Sequence[tuple[str, int]]:
        row = quarantine.c
        due = (row.source == source, row.source_id != "", row.look_up_at <= now)
        statement = select(row.source_id, row.attempts).where(*due).order_by(row.look_up_at, row.source_id).limit(limit)
        with self._database.reading() as connection:
            return [(source_id, attempts) for source_id, attempts in connection.execute(statement)]

    def pause(self, source: str, reason: str, until: datetime) -> None:
        with self._database.writing() as connection:
            pausing.pause(connection, sources, source, reason, until)

    def pauses(self, source: str) -> int:
        with self._database.reading() as connection:
            return pausing.number(connection, sources, source)

    def is_paused(self, source: str, now: datetime) -> bool:
        paused = select(sources.c.source).where(sources.c.source == source, pausing.is_paused(sources, now))
        with self._database.reading() as connection:
            return any(connection.scalar(one) for one in (paused, pausing.rest_of("source", source, now)))

    def welcome(self, source: str) -> None:
        with self._database.writing() as connection:
            pausing.end(connection, sources, source)


def _resources_seen_to(connection: Connection, source: str) -> None:
    """Every resource in use up to now is held, or was asked for in vain."""
    this = (sources.c.source == source, sources.c.resources_to != sources.c.revision)
    connection.execute(update(sources).where(*this).values(resources_to=sources.c.revision))
