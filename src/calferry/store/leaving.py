"""Leaving a calendar for good. Runs inside the transactions of the keeper."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from calferry.model import Marked, Receipt, Removal, Why
from calferry.store import journal
from calferry.store.database import RowValues, chunks, upsert
from calferry.store.filing import knows, lost, written
from calferry.store.journal import Entry
from calferry.store.placing import APPROVED, placed, wanted_values
from calferry.store.revisions import enter, revise
from calferry.store.tables import appointments, placements

LEFT = Removal(why=Why.RECONFIGURED, evidence="a person removed all of ours from this calendar")


def take_in(connection: Connection, calendar: str, target: str, found: Sequence[Marked], at: datetime) -> None:
    """Have a placement with its receipt for each of at most one chunk of events, whoever of us wrote it."""
    places = placed(connection, [one.mark.uid for one in found])
    rows: list[RowValues] = []
    for one in found:
        mark = one.mark
        place = places.get((calendar, mark.uid))
        if place is not None and knows(place, mark) and place.written_fingerprint:
            continue
        receipt = Receipt(calendar=calendar, uid=mark.uid, fingerprint=mark.fingerprint, href=one.href, etag=one.etag)
        row = lost(receipt, target, at) if place is None else written(place, receipt, None, at)
        generation = max(mark.generation, place.generation if place is not None else 0)
        rows.append({**row, "generation": generation})
    upsert(connection, placements, rows)


def leave(connection: Connection, calendar: str, at: datetime) -> None:
    """Want nothing there any more. The appointments are routed again: the configuration of before may be back by then,
    and nothing else would tell."""
    values = {**wanted_values(LEFT), "held": APPROVED, "reason": "", "attempts": 0, "not_before": None}
    connection.execute(update(placements).where(placements.c.calendar == calendar).values(values))
    journal.write(connection, [Entry(at, calendar, "", "left", LEFT.evidence)])
    its = appointments.join(placements, placements.c.uid == appointments.c.uid)
    there = select(appointments.c.source, appointments.c.uid).select_from(its).where(placements.c.calendar == calendar)
    by_source: dict[str, list[str]] = {}
    for source, uid in connection.execute(there.order_by(appointments.c.source, appointments.c.uid)):
        by_source.setdefault(source, []).append(uid)
    for source, uids in by_source.items():
        enter(connection, source)
        for chunk in chunks(uids):
            revise(connection, source, [{"uid": uid} for uid in chunk])
