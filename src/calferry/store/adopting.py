"""Taking over what lost ledgers of the installation wrote. Runs inside the transactions of the outbox."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from calferry.model import Marked, Receipt, Why
from calferry.store import journal, refounding
from calferry.store.database import RowValues, upsert
from calferry.store.filing import knows, lost, written
from calferry.store.journal import Entry
from calferry.store.placing import PARKED, REJECTED, placed
from calferry.store.revisions import enter, revise
from calferry.store.tables import appointments, calendars, former, placements

UNLISTED = "adopted from a lost ledger; the booking system lists no appointment for it"
A_SESSION = (
    "adopted from a lost ledger; it may be a group session as it was before, which stands here a second time then"
)
UNCARRIED = "adopted from a lost ledger; no route carries it"


def former_ledgers(connection: Connection) -> frozenset[str]:
    return frozenset(connection.scalars(select(former.c.ledger)))


def answer_for(connection: Connection, ledgers: Collection[str], at: datetime) -> None:
    """From now on marks of these ledgers are ours."""
    rows = [{"ledger": ledger, "adopted_at": at} for ledger in sorted(ledgers)]
    upsert(connection, former, rows, keep=("adopted_at",))


def open_calendar(connection: Connection, calendar: str, target: str, at: datetime) -> None:
    """What stands in the calendar is known, and nothing keeps us out any more."""
    row = {"calendar": calendar, "target": target, "surveyed_at": at, "paused_until": None, "pause_reason": ""}
    upsert(connection, calendars, [row | {"pauses": 0}])


def adopt(
    connection: Connection,
    calendar: str,
    target: str,
    found: Sequence[Marked],
    routes: Mapping[str, str],
    at: datetime,
) -> None:
    """Give at most one chunk of events their receipts back."""
    told = _told(connection, [one.mark.uid for one in found])
    for source in sorted(set(told.values())):
        enter(connection, source)
    places = placed(connection, [one.mark.uid for one in found])
    rows: list[RowValues] = []
    strays: dict[str, str] = {}
    in_doubt = _stands_anew(connection, calendar, {one.mark.uid for one in found})
    for one in found:
        mark = one.mark
        place = places.get((calendar, mark.uid))
        if place is not None and knows(place, mark):
            continue
        receipt = Receipt(calendar=calendar, uid=mark.uid, fingerprint=mark.fingerprint, href=one.href, etag=one.etag)
        source = told.get(mark.uid, "")
        if place is None and source:
            strays[mark.uid] = source
        rows.append(
            _row(place, receipt, target, _origin(source, routes, in_doubt), at) | {"generation": mark.generation}
        )
    upsert(connection, placements, rows)
    for source in sorted(set(strays.values())):
        revise(connection, source, [{"uid": uid} for uid, its in strays.items() if its == source])
    journal.write(connection, [Entry(at, calendar, str(row["uid"]), "adopted") for row in rows])


def _told(connection: Connection, uids: Collection[str]) -> dict[str, str]:
    """The source of each appointment that is known, by uid."""
    known = select(appointments.c.uid, appointments.c.source).where(appointments.c.uid.in_(list(uids)))
    return {row.uid: row.source for row in connection.execute(known)}


def _stands_anew(connection: Connection, calendar: str, found: Collection[str]) -> bool:
    """Whether a session is about to be written there that was not found there."""
    sources = connection.scalars(select(appointments.c.source).where(appointments.c.founded > 0).distinct()).all()
    return any(one.uid not in found for source in sources for one in refounding.unwritten(connection, source, calendar))


def _origin(source: str, routes: Mapping[str, str], in_doubt: bool) -> RowValues:
    """What the placement of an event without one says until its appointment is routed: held back, for whatever it is
    that takes it out of this calendar has another reason."""
    if not source and in_doubt:
        return {"held": PARKED, "reason": A_SESSION, "evidence": A_SESSION}
    if not source:
        return {"held": REJECTED, "reason": UNLISTED, "evidence": UNLISTED}
    why = {"why": Why.FILTERED.value, "evidence": UNCARRIED}
    return {"held": PARKED, "reason": UNCARRIED, "source": source, "route": routes.get(source, "")} | why


def _row(place: Row[Any] | None, receipt: Receipt, target: str, origin: RowValues, at: datetime) -> dict[str, Any]:
    if place is not None:
        return {**written(place, receipt, None, at)}
    return {**lost(receipt, target, at), **origin}
