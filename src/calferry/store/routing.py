"""The ledger as `route` sees it: `ports.Routing`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, or_, select, update

from calferry.model import Event, Resource, Wanted
from calferry.ports import Pending, Routed
from calferry.store import causes, journal
from calferry.store.codec import appointment_of
from calferry.store.database import Database, RowValues, chunks, upsert
from calferry.store.filing import under_way
from calferry.store.gathering import Gathering
from calferry.store.journal import Entry
from calferry.store.placing import ASIDE, FREE, Placed, placed, placement_of, wanted_values
from calferry.store.revisions import enter
from calferry.store.tables import appointments, calendars, placements, resources, sources

Wish = tuple[str, str, Wanted]
"""What somebody wants in a calendar: target, route, and what."""


class SqlRouting:
    def __init__(self, database: Database, installation: str) -> None:
        self._database = database
        self._installation = installation

    def begin(self, source: str, basis: str, edition: str) -> None:
        with self._database.writing() as connection:
            enter(connection, source)
            row = connection.execute(select(sources).where(sources.c.source == source)).one()
            if (row.basis, row.edition) != (basis, edition):
                number = row.basis_number + (row.basis != basis)
                again = {"basis": basis, "basis_number": number, "edition": edition, "mark": 0}
                again |= causes.reset(row, basis, edition)
                connection.execute(update(sources).where(sources.c.source == source).values(again))

    def gather(self, source: str) -> None:
        with self._database.writing() as connection:
            enter(connection, source)
            Gathering(connection, self._installation, source).run()

    def pending(self, source: str, now: datetime, limit: int) -> Sequence[Pending]:
        with self._database.reading() as connection:
            state = connection.execute(select(sources).where(sources.c.source == source)).one_or_none()
            if state is None:
                return []
            row = appointments.c
            names = ("uid", "revision", "body", "deletion", "deletion_weak", "routed_by", "reread")
            this = select(*(row[name] for name in names)).where(row.source == source)
            changed = this.where(row.revision > state.mark).order_by(row.revision)
            waiting = this.where(row.look_again_at <= now).order_by(row.look_again_at, row.uid)
            found = connection.execute(changed.limit(limit)).all() or connection.execute(waiting.limit(limit)).all()
            return _pending(connection, found, state.basis_number)

    def resources(self, source: str, keys: Collection[str]) -> Mapping[str, Resource]:
        row = resources.c
        held = {}
        with self._database.reading() as connection:
            for chunk in chunks(keys):
                columns = select(row.resource, row.kind, row.id, row.fields)
                for found in connection.execute(columns.where(row.source == source, row.resource.in_(chunk))):
                    fields = json.loads(found.fields)
                    held[found.resource] = Resource(source=source, kind=found.kind, id=found.id, fields=fields)
        return held

    def resources_of_kind(self, source: str, kind: str) -> Sequence[Resource]:
        row = resources.c
        statement = select(row.id, row.fields).where(row.source == source, row.kind == kind).order_by(row.resource)
        with self._database.reading() as connection:
            return [
                Resource(source=source, kind=kind, id=found.id, fields=json.loads(found.fields))
                for found in connection.execute(statement)
            ]

    def settle(self, source: str, routed: Iterable[Routed]) -> None:
        with self._database.writing() as connection:
            mark = 0
            for chunk in chunks(routed):
                _place(connection, source, chunk, causes.of(connection, source, chunk))
                _note(connection, source, chunk)
                _stamp(connection, source, [one for one in chunk if not one.unrouted])
                mark = max(mark, *(one.revision for one in chunk))
            # Rows that were only looked at again lie before the mark: they never move it back.
            moved = update(sources).where(sources.c.source == source, sources.c.mark < mark)
            connection.execute(moved.values(mark=mark))


def _pending(connection: Connection, found: Sequence[Row[Any]], basis: int) -> list[Pending]:
    where: dict[str, list[Row[Any]]] = {row.uid: [] for row in found}
    for uids in chunks(where):
        statement = select(placements).where(placements.c.uid.in_(uids)).order_by(placements.c.calendar)
        for row in connection.execute(statement):
            where[row.uid].append(row)
    return [
        Pending(
            uid=row.uid,
            revision=row.revision,
            appointment=appointment_of(row.body),
            deletion=row.deletion,
            deletion_weak=row.deletion_weak,
            reconfigured=row.routed_by not in {0, basis} or row.reread,
            placements=tuple(placement_of(place) for place in where[row.uid]),
        )
        for row in found
    ]


def _place(connection: Connection, source: str, routed: Sequence[Routed], why: Mapping[str, str]) -> None:
    """Store what differs from what was wanted before."""
    before = placed(connection, [one.uid for one in routed])
    rows: list[RowValues] = []
    entries = []
    for one in routed:
        for calendar, (target, route, wanted) in _wishes(one).items():
            held = before.get((calendar, one.uid))
            if held is None and not isinstance(wanted, Event):
                continue
            names = {"calendar": calendar, "uid": one.uid, "target": target, "route": route, "source": source}
            row = {**names, **wanted_values(wanted)}
            if held is None or _differs(held, row):
                rows.append(_placement_row(held, row, why[one.uid]))
                entries.append(Entry(journal.now(), calendar, one.uid, "routed", _detail(held, row)))
    upsert(connection, placements, rows)
    _reach(connection, routed, before)
    journal.write(connection, entries)


def _reach(connection: Connection, routed: Sequence[Routed], before: Placed) -> None:
    """From now on each calendar is reached by the target named for what it shall hold, else for what has to leave it.

    A removal that is done has nothing to say: a target it names may be one of long ago.
    """
    open_intents = under_way(connection, [one.uid for one in routed])
    holding: dict[str, str] = {}
    leaving: dict[str, str] = {}
    for one in routed:
        for calendar, (target, _route, wanted) in _wishes(one).items():
            place = before.get((calendar, one.uid))
            if isinstance(wanted, Event):
                holding[calendar] = target
            elif (place is not None and place.written_fingerprint) or (calendar, one.uid) in open_intents:
                leaving[calendar] = target
    targets = leaving | holding
    held = select(calendars.c.calendar, calendars.c.target).where(calendars.c.calendar.in_(list(targets)))
    known = dict(connection.execute(held).all())
    news = [{"calendar": calendar, "target": target} for calendar, target in targets.items()]
    upsert(connection, calendars, [row for row in news if known.get(row["calendar"]) != row["target"]])


def _wishes(routed: Routed) -> dict[str, Wish]:
    """One wish per calendar. Where routes disagree, an event goes before a removal, and the first before the others."""
    wishes: dict[str, Wish] = {}
    for (calendar, target, route), wanted in routed.wanted.items():
        first = wishes.get(calendar)
        if first is None or (isinstance(wanted, Event) and not isinstance(first[2], Event)):
            wishes[calendar] = (target, route, wanted)
    return wishes


def _differs(held: Row[Any], row: RowValues) -> bool:
    known = held._mapping
    unwritten = not held.written_fingerprint and (held.held == ASIDE or held.wanted != row["wanted"])
    return unwritten or any(known[name] != value for name, value in row.items() if name != "wanted")


def _placement_row(held: Row[Any] | None, row: RowValues, cause: str) -> RowValues:
    """The whole row. What was parked or set aside is free again where something else is wanted, or for another reason.

    That a removal's evidence is worded differently frees nothing.
    """
    if held is None:
        return {**row, **FREE, "written": "", "cause": ""}
    known = held._mapping
    same = held.held != ASIDE and all(known[name] == row[name] for name in ("wanted_fingerprint", "why", "weak"))
    kept = {name: known[name] for name in FREE} if same else FREE
    if not row["wanted"]:
        cause = ""  # a removal says why by itself
    elif held.wanted_fingerprint == row["wanted_fingerprint"]:
        cause = held.cause
    return {"ends_at": held.ends_at, **row, **kept, "written": _written(held, row), "cause": cause}


def _written(held: Row[Any], row: RowValues) -> str:
    """The event that the calendar holds, for as long as another one is wanted there; it was the one wanted before."""
    if held.written_fingerprint in {"", row["wanted_fingerprint"]}:
        return ""
    before: str = held.wanted if held.wanted_fingerprint == held.written_fingerprint else held.written
    return before


def _detail(held: Row[Any] | None, row: RowValues) -> str:
    if row["why"]:
        return f"to be removed: {row['why']}"
    return "to be written" if held is None or held.wanted_fingerprint != row["wanted_fingerprint"] else "same event"


def _stamp(connection: Connection, source: str, routed: Sequence[Routed]) -> None:
    """Remember by which basis these were routed, and that it was as they are read today. One that has no place counts
    as it did before until it has."""
    row, today = appointments.c, select(sources.c.basis_number).where(sources.c.source == source).scalar_subquery()
    former = (row.uid.in_([one.uid for one in routed]), or_(row.routed_by != today, row.reread))
    connection.execute(update(appointments).where(*former).values(routed_by=today, reread=False))


def _note(connection: Connection, source: str, routed: Sequence[Routed]) -> None:
    """Note on the appointments why they have no place and when to look again, where that is new."""
    notes = {one.uid: (one.unrouted, one.look_again_at) for one in routed}
    row = appointments.c
    known = select(row.uid, row.unrouted, row.look_again_at).where(row.uid.in_(list(notes)))
    before = {uid: (unrouted, again) for uid, unrouted, again in connection.execute(known)}
    news = [(uid, *note) for uid, note in notes.items() if before.get(uid, note) != note]
    if not news:
        return
    values: dict[str, Any] = {"unrouted": bindparam("why"), "look_again_at": bindparam("again")}
    statement = update(appointments).where(row.uid == bindparam("of")).values(values)
    connection.execute(statement, [{"of": uid, "why": why, "again": again} for uid, why, again in news])
    unrouted = [(uid, why) for uid, why, _again in news if why and why != before[uid][0]]
    journal.write(connection, (Entry(journal.now(), source, uid, "unrouted", why) for uid, why in unrouted))
