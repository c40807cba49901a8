"""What verifications find, and what they undo. Runs inside the transactions of the outbox."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from calferry.keeping import Drift, DriftKind
from calferry.model import Intent, Marked
from calferry.store import journal
from calferry.store.database import RowValues, chunks, upsert
from calferry.store.filing import DOUBLED, under_way
from calferry.store.journal import Entry
from calferry.store.placing import RESPECTED, placed
from calferry.store.tables import NOTHING, drifts, intents, is_due, placements, restores

DAY = timedelta(hours=24)

SOMETHING_ELSE = "?"
"""Stands for the fingerprint of what nobody of us wrote."""


def known(connection: Connection, calendar: str) -> frozenset[tuple[DriftKind, str]]:
    found = connection.execute(select(drifts.c.kind, drifts.c.id).where(drifts.c.calendar == calendar))
    return frozenset((DriftKind(row.kind), row.id) for row in found)


def file(connection: Connection, calendar: str, found: Sequence[Drift], at: datetime) -> None:
    before = known(connection, calendar)
    rows = [
        {"calendar": calendar, "kind": one.kind.value, "id": one.id, "reason": one.reason, "found_at": at}
        for one in found
    ]
    keys = {(one.kind, one.id) for one in found}
    for kind, name in before - keys:
        gone = (drifts.c.calendar == calendar, drifts.c.kind == kind.value, drifts.c.id == name)
        connection.execute(delete(drifts).where(*gone))
    upsert(connection, drifts, rows, keep=("found_at",))
    news = [one for one in found if (one.kind, one.id) not in before]
    journal.write(connection, [Entry(at, calendar, _uid(one), "drift", f"{one.kind}: {one.reason}") for one in news])


def _uid(drift: Drift) -> str:
    return drift.found.mark.uid if drift.found else drift.id


def disown(connection: Connection, calendar: str, found: Mapping[str, Marked | None], at: datetime) -> None:
    """For at most one chunk of appointments."""
    places, sending = placed(connection, found), under_way(connection, found)
    entries = []
    for uid, one in found.items():
        place = places.get((calendar, uid))
        if place is None or not place.written_fingerprint or (calendar, uid) in sending:
            continue
        this = (placements.c.calendar == calendar, placements.c.uid == uid)
        connection.execute(update(placements).where(*this).values(**_disowned(place, one)))
        entries.append(Entry(at, calendar, uid, "disowned", "it shows something else" if one else "it is not there"))
    journal.write(connection, entries)


def restorable(connection: Connection, calendar: str, uids: Sequence[str], at: datetime, most: int) -> list[str]:
    """Which of these may be restored without a person; noted as restored."""
    row = restores.c
    today = select(func.count()).select_from(restores).where(row.calendar == calendar, row.at > at - DAY)
    left = max(0, most - (connection.scalar(today) or 0))
    rows: list[RowValues] = []
    for chunk in chunks(uids):
        wanted = select(placements.c.uid, placements.c.wanted_fingerprint).where(
            placements.c.calendar == calendar, placements.c.uid.in_(chunk), placements.c.wanted_fingerprint != NOTHING
        )
        done = select(row.uid, row.fingerprint).where(row.calendar == calendar, row.uid.in_(chunk))
        fresh = {(one.uid, one.wanted_fingerprint) for one in connection.execute(wanted)}
        fresh -= {(one.uid, one.fingerprint) for one in connection.execute(done)}
        rows += [{"calendar": calendar, "uid": uid, "fingerprint": seen, "at": at} for uid, seen in sorted(fresh)]
    upsert(connection, restores, rows[:left])
    return [str(one["uid"]) for one in rows[:left]]


def respect(connection: Connection, calendar: str, uids: Sequence[str], at: datetime) -> None:
    """For at most one chunk of appointments."""
    disown(connection, calendar, dict.fromkeys(uids), at)
    left = (placements.c.calendar == calendar, placements.c.uid.in_(list(uids)), placements.c.written_fingerprint == "")
    values = {"held": RESPECTED, "reason": "its user deleted it, and the route respects that", "not_before": None}
    connection.execute(update(placements).where(*left, is_due).values(values))
    over = (drifts.c.calendar == calendar, drifts.c.kind == DriftKind.MISSING.value, drifts.c.id.in_(list(uids)))
    connection.execute(delete(drifts).where(*over))
    journal.write(connection, [Entry(at, calendar, uid, RESPECTED) for uid in uids])


def _disowned(place: Row[Any], one: Marked | None) -> Mapping[str, Any]:
    if one is not None:
        return {"written_fingerprint": SOMETHING_ELSE, "href": one.href, "etag": one.etag}
    used_up = not place.wanted_fingerprint
    return {"written_fingerprint": "", "href": "", "etag": "", "generation": place.generation + used_up}


def withdraw(connection: Connection, planned: Sequence[Intent], at: datetime) -> list[Intent]:
    """For at most one chunk of intents."""
    taken = under_way(connection, _uids(planned))
    free = {(one.calendar, one.uid): one for one in planned if (one.calendar, one.uid) not in taken}
    rows = [
        {
            "calendar": one.calendar,
            "uid": one.uid,
            "target": one.target,
            "generation": one.generation,
            "action": one.action.value,
            "fingerprint": "",
            "request": one.request,
            "created_at": at,
            "why": DOUBLED,
            "weak": False,
        }
        for one in free.values()
    ]
    if rows:
        connection.execute(insert(intents), rows)
    return list(free.values())


def _uids(planned: Sequence[Intent]) -> Collection[str]:
    return {one.uid for one in planned}
