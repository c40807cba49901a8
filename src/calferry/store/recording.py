"""What a batch changes in the ledger. Everything here runs inside the one transaction of `Intake.record`.

Existing rows are read by key, a chunk at a time; what is equal is not written again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, delete, insert, select, update

from calferry.model import Appointment, Deletion, Quarantined, Resource, uid_of
from calferry.moments import utc
from calferry.ports import Recorded
from calferry.store import journal
from calferry.store.codec import appointment_text, digest
from calferry.store.database import RowValues, chunks, upsert
from calferry.store.journal import Entry
from calferry.store.revisions import draw, revise
from calferry.store.tables import appointments, quarantine, resources, uses

LISTED = {"unlisted_at": None, "look_up_at": None, "attempts": 0, "verdict": "", "verdict_evidence": ""}
"""The values of an appointment that is not unlisted."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One batch on its way into the ledger: in which transaction, whose, when it was asked for (UTC), and how its rows
    were read."""

    connection: Connection
    installation: str
    source: str
    asked_at: datetime
    reading: str = ""

    def uid(self, source_id: str) -> str:
        return uid_of(self.installation, self.source, source_id)

    def resources(self, told: Iterable[Resource]) -> int:
        """Store resources; each user of one that changed gets a new revision. Returns the number changed."""
        changed = [key for chunk in chunks(told) for key in self._resource_chunk({item.key: item for item in chunk})]
        for keys in chunks(changed):
            used = select(uses.c.uid).where(uses.c.source == self.source, uses.c.resource.in_(keys)).distinct()
            for uids in chunks(list(self.connection.scalars(used))):
                revise(self.connection, self.source, [{"uid": uid} for uid in uids])
                self._journal("touched", dict.fromkeys(uids, "a resource it uses changed"))
        return len(changed)

    def _resource_chunk(self, told: Mapping[str, Resource]) -> list[str]:
        where = (resources.c.source == self.source, resources.c.resource.in_(list(told)))
        columns = (resources.c.resource, resources.c.fields, resources.c.asked_at)
        held = {row.resource: row for row in self.connection.execute(select(*columns).where(*where))}
        rows = []
        for key, resource in told.items():
            fields = json.dumps(dict(resource.fields), sort_keys=True, ensure_ascii=False)
            if (row := held.get(key)) is not None and (row.fields == fields or row.asked_at > self.asked_at):
                continue
            names = {"source": self.source, "resource": key, "kind": resource.kind, "id": resource.id}
            rows.append(names | {"asked_at": self.asked_at, "fields": fields})
        upsert(self.connection, resources, rows)
        return [str(row["resource"]) for row in rows]

    def appointments(self, told: Iterable[Appointment]) -> Recorded:
        """Store appointments that were found. Returns how many were new, changed, unchanged."""
        counts = [self._appointment_chunk(chunk) for chunk in chunks(told)]
        return Recorded(
            new=sum(count.new for count in counts),
            changed=sum(count.changed for count in counts),
            unchanged=sum(count.unchanged for count in counts),
        )

    def _appointment_chunk(self, told: Sequence[Appointment]) -> Recorded:
        found = {self.uid(appointment.source_id): appointment for appointment in told}
        held = self.held(found)
        rows: list[RowValues] = []
        unchanged: list[str] = []
        for uid, appointment in found.items():
            row = self._row(uid, appointment)
            if (known := held.get(uid)) is None:
                rows.append({**row, "reread": False})
            elif known.asked_at <= self.asked_at:
                same = known.digest == row["digest"] and not known.deletion
                unchanged.append(uid) if same else rows.append({**row, "reread": self._rereads(known)})
        self._store(rows, found)
        self.listed(uid for uid in unchanged if held[uid].unlisted_at is not None)
        self._read(uid for uid in unchanged if held[uid].reading != self.reading)
        self._unquarantine([appointment.source_id for appointment in told])
        what = {row["uid"]: _event_of(held.get(row["uid"])) for row in rows}
        journal.write(self.connection, (Entry(self.asked_at, self.source, uid, word) for uid, word in what.items()))
        new = sum(1 for uid in what if uid not in held)
        return Recorded(new=new, changed=len(rows) - new, unchanged=len(unchanged))

    def _row(self, uid: str, appointment: Appointment) -> RowValues:
        body = appointment_text(appointment)
        return {
            "uid": uid,
            "source": self.source,
            "source_id": appointment.source_id,
            "asked_at": self.asked_at,
            "digest": digest(body),
            "body": body,
            "owner": appointment.owners[0].key if appointment.owners else "",
            "starts_at": utc(appointment.start),
            "ends_at": utc(appointment.end),
            "deletion": "",
            "deletion_weak": False,
            "session": appointment.session,
            "reading": self.reading,
        }

    def _rereads(self, known: Row[tuple[object, ...]]) -> bool:
        """Whether another reading has changed an appointment by now. How it was read before is not always known."""
        return bool(known.reread or (known.reading and known.reading != self.reading))

    def _read(self, uids: Iterable[str]) -> None:
        """This reading makes the same of them as the one before."""
        for chunk in chunks(uids):
            this = update(appointments).where(appointments.c.uid.in_(chunk))
            self.connection.execute(this.values(reading=self.reading))

    def _store(self, rows: Sequence[RowValues], found: Mapping[str, Appointment]) -> None:
        if not rows:
            return
        drawn = draw(self.connection, self.source, len(rows))
        upsert(self.connection, appointments, [{**row, **LISTED, "revision": next(drawn)} for row in rows])
        uids = [row["uid"] for row in rows]
        self.connection.execute(delete(uses).where(uses.c.uid.in_(uids)))
        used = [(uid, key) for uid in uids for key in dict.fromkeys(found[uid].uses)]
        if used:
            new_rows = [{"uid": uid, "source": self.source, "resource": key} for uid, key in used]
            self.connection.execute(insert(uses), new_rows)

    def deletions(self, told: Iterable[Deletion], *, weak: bool = False) -> int:
        """File that appointments are gone. What was never heard of is ignored. Returns the number newly gone."""
        return sum(self._deletion_chunk(chunk, weak) for chunk in chunks(told))

    def _deletion_chunk(self, told: Sequence[Deletion], weak: bool) -> int:
        gone = {self.uid(deletion.source_id): deletion.evidence or "deleted" for deletion in told}
        proven = {uid: gone[uid] for uid, row in self.held(gone).items() if self._proves_more(row, weak)}
        state = LISTED | {"asked_at": self.asked_at, "deletion_weak": weak}
        revise(self.connection, self.source, [{**state, "uid": uid, "deletion": why} for uid, why in proven.items()])
        self._unquarantine([deletion.source_id for deletion in told])
        self._journal("deleted", proven)
        return len(proven)

    def _proves_more(self, row: Row[tuple[object, ...]], weak: bool) -> bool:
        """Whether a deletion says anything new: explicit evidence replaces weak evidence, and nothing else does."""
        newer: bool = row.asked_at <= self.asked_at
        return newer and (not row.deletion or (row.deletion_weak and not weak))

    def quarantine(self, told: Iterable[Quarantined]) -> int:
        """Keep what could not be read, one row per id (or, without an id, per reason). Returns their number."""
        return sum(self._quarantine_chunk(chunk) for chunk in chunks(told))

    def _quarantine_chunk(self, told: Sequence[Quarantined]) -> int:
        held = self.held([self.uid(item.source_id) for item in told])
        rows = {}
        for item in told:
            known = held.get(self.uid(item.source_id))
            if known is None or known.asked_at <= self.asked_at:
                key = (item.source_id, "" if item.source_id else digest(item.reason))
                rows[key] = {"reason": item.reason, "asked_at": self.asked_at, "look_up_at": self.asked_at}
        where = (quarantine.c.source == self.source, quarantine.c.source_id.in_([key[0] for key in rows]))
        columns = (quarantine.c.source_id, quarantine.c.digest, quarantine.c.reason)
        before = {
            (row.source_id, row.digest): row.reason for row in self.connection.execute(select(*columns).where(*where))
        }
        names = [{"source": self.source, "source_id": key[0], "digest": key[1]} | row for key, row in rows.items()]
        upsert(self.connection, quarantine, names, keep=("look_up_at",))
        self.listed(self.uid(source_id) for source_id, _digest in rows if source_id)
        news = {key: str(row["reason"]) for key, row in rows.items() if before.get(key) != row["reason"]}
        self._journal("quarantined", {self.uid(key[0]) if key[0] else "": reason for key, reason in news.items()})
        return len(rows)

    def listed(self, uids: Iterable[str]) -> None:
        """These were seen: they are not unlisted any more."""
        for chunk in chunks(uids):
            where = (appointments.c.uid.in_(chunk), appointments.c.unlisted_at.is_not(None))
            again = update(appointments).where(*where).values(LISTED).returning(appointments.c.uid)
            self._journal("relisted", dict.fromkeys(self.connection.scalars(again).all(), ""))

    def held(self, uids: Iterable[str]) -> dict[str, Row[tuple[object, ...]]]:
        """What the ledger holds of at most one chunk of appointments."""
        names = ("uid", "digest", "asked_at", "deletion", "deletion_weak", "unlisted_at", "reading", "reread")
        columns = [appointments.c[name] for name in names]
        found = self.connection.execute(select(*columns).where(appointments.c.uid.in_(list(uids))))
        return {row.uid: row for row in found}

    def _unquarantine(self, source_ids: Sequence[str]) -> None:
        where = (quarantine.c.source_id.in_(source_ids), quarantine.c.asked_at <= self.asked_at)
        self.connection.execute(delete(quarantine).where(quarantine.c.source == self.source, *where))

    def _journal(self, what: str, details: Mapping[str, str]) -> None:
        entries = (Entry(self.asked_at, self.source, uid, what, detail) for uid, detail in details.items())
        journal.write(self.connection, entries)


def _event_of(known: Row[tuple[object, ...]] | None) -> str:
    if known is None:
        return "booked"
    return "restored" if known.deletion else "changed"
