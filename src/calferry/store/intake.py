"""The ledger as `pull` sees it: `ports.Intake`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import delete, exists, select, update

from calferry.model import Appointment, Batch, Cursor, Deletion, Window, uid_of
from calferry.ports import Recorded
from calferry.store import journal
from calferry.store.codec import appointment_of
from calferry.store.database import Database, chunks, upsert
from calferry.store.journal import Entry
from calferry.store.recording import LISTED, Recording
from calferry.store.revisions import enter
from calferry.store.tables import appointments, is_live, quarantine, resources, sources, streams, tasks, uses

COMPLETE_LISTING = "all"
"""The task that lists a source's whole window."""


class SqlIntake:
    def __init__(self, database: Database, installation: str) -> None:
        self._database = database
        self._installation = installation

    def cursor(self, source: str, stream: str) -> Cursor | None:
        where = (streams.c.source == source, streams.c.stream == stream)
        with self._database.reading() as connection:
            token = connection.scalar(select(streams.c.cursor).where(*where))
        return None if token is None else Cursor(token)

    def record(self, source: str, batch: Batch) -> Recorded:
        with self._database.writing() as connection:
            enter(connection, source)
            recording = Recording(connection, self._installation, source, batch.asked_at)
            touched = recording.resources(batch.resources)
            found = recording.appointments(batch.appointments)
            deleted = recording.deletions(batch.deleted)
            quarantined = recording.quarantine(batch.quarantined)
            if batch.cursor:
                upsert(connection, streams, [{"source": source, "stream": batch.stream, "cursor": batch.cursor.token}])
        return replace(found, deleted=deleted, quarantined=quarantined, resources=touched)

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
            revision = connection.scalar(select(sources.c.revision).where(sources.c.source == source))
            upsert(connection, tasks, [{"source": source, "task": task, "at": at, "revision": revision}])

    def lacks_resources(self, source: str) -> bool:
        completed = select(tasks.c.revision).where(tasks.c.source == source, tasks.c.task == "resources")
        named = (resources.c.source == uses.c.source, resources.c.resource == uses.c.resource)
        with self._database.reading() as connection:
            since = connection.scalar(completed) or 0
            where = (appointments.c.source == source, appointments.c.revision > since, is_live)
            lacking = select(uses.c.uid).join(appointments, appointments.c.uid == uses.c.uid)
            lacking = lacking.where(*where, ~exists().where(*named))
            return connection.scalar(lacking.limit(1)) is not None

    def unlist(self, source: str, covered: Window, seen: Collection[str], before: datetime) -> int:
        row = appointments.c
        inside = (row.starts_at >= covered.start, row.starts_at < covered.end, row.ends_at <= covered.end)
        listed = (is_live, row.unlisted_at.is_(None), row.asked_at < before)
        missing = {"unlisted_at": before, "look_up_at": before, "attempts": 0}
        with self._database.writing() as connection:
            found = connection.execute(select(row.uid, row.source_id).where(row.source == source, *inside, *listed))
            present = frozenset(seen)
            absent = [uid for uid, source_id in found if source_id not in present]
            for uids in chunks(absent):
                connection.execute(update(appointments).where(row.uid.in_(uids)).values(missing))
            journal.write(connection, (Entry(before, source, uid, "unlisted") for uid in absent))
        return len(absent)

    def unlisted(self, source: str, now: datetime, limit: int) -> Sequence[Appointment]:
        row = appointments.c
        due = (row.source == source, row.unlisted_at.is_not(None), is_live, row.look_up_at <= now)
        statement = select(row.body).where(*due).order_by(row.unlisted_at, row.uid).limit(limit)
        with self._database.reading() as connection:
            return [appointment_of(body) for body in connection.scalars(statement)]

    def relist(self, source: str) -> None:
        where = (appointments.c.source == source, appointments.c.unlisted_at.is_not(None))
        statement = update(appointments).where(*where).values(LISTED).returning(appointments.c.uid)
        with self._database.writing() as connection:
            relisted = connection.scalars(statement).all()
            journal.write(connection, (Entry(journal.now(), source, uid, "relisted") for uid in relisted))

    def control(self, appointment: Appointment) -> str | None:
        """The one that was learnt last: the surest to be there still."""
        row = appointments.c
        readable = ~exists().where(quarantine.c.source == row.source, quarantine.c.source_id == row.source_id)
        where = [row.source == appointment.source, row.source_id != appointment.source_id, is_live, readable]
        if appointment.owners:
            where.append(row.owner == appointment.owners[0].key)
        statement = (
            select(row.source_id).where(*where, row.unlisted_at.is_(None)).order_by(row.asked_at.desc(), row.uid)
        )
        with self._database.reading() as connection:
            return connection.scalar(statement.limit(1))

    def bury(self, source: str, source_id: str, evidence: str, *, weak: bool, asked_at: datetime) -> None:
        with self._database.writing() as connection:
            enter(connection, source)
            recording = Recording(connection, self._installation, source, asked_at)
            recording.deletions([Deletion(source_id, evidence)], weak=weak)

    def defer(self, source: str, source_id: str, until: datetime) -> None:
        with self._database.writing() as connection:
            missing = appointments.c.unlisted_at.is_not(None)
            uid = uid_of(self._installation, source, source_id)
            later = {"look_up_at": until, "attempts": appointments.c.attempts + 1}
            connection.execute(update(appointments).where(appointments.c.uid == uid, missing).values(later))
            unread = (quarantine.c.source == source, quarantine.c.source_id == source_id)
            later = {"look_up_at": until, "attempts": quarantine.c.attempts + 1}
            connection.execute(update(quarantine).where(*unread).values(later))

    def quarantined(self, source: str, now: datetime, limit: int) -> Sequence[tuple[str, int]]:
        row = quarantine.c
        due = (row.source == source, row.source_id != "", row.look_up_at <= now)
        statement = select(row.source_id, row.attempts).where(*due).order_by(row.look_up_at, row.source_id).limit(limit)
        with self._database.reading() as connection:
            return [(source_id, attempts) for source_id, attempts in connection.execute(statement)]
