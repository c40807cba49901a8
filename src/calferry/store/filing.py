"""Receipts: what a calendar acknowledged becomes what is written. Runs inside the transactions of the outbox."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from calferry.model import Action, Mark, Marked, Receipt, Why
from calferry.store import history, journal
from calferry.store.database import RowValues, upsert
from calferry.store.journal import Entry
from calferry.store.placing import APPROVED, FREE, HELD_BACK, PARKED, Placed, placed
from calferry.store.tables import calendars, deletions, drifts, intents, placements

DOUBLED = "doubled"
"""What an intent's `why` says where it deletes a second event of an appointment, which no placement is about."""

DONE = {Action.CREATE: "created", Action.UPDATE: "updated", Action.DELETE: "removed"}


def under_way(connection: Connection, uids: Collection[str]) -> Placed:
    """The unsettled intents of at most one chunk of appointments, by calendar and uid."""
    found = connection.execute(select(intents).where(intents.c.uid.in_(list(uids))))
    return {(row.calendar, row.uid): row for row in found}


def settle(connection: Connection, settled: Sequence[Row[Any]]) -> None:
    """The outcome of these intents is known."""
    if settled:
        connection.execute(delete(intents).where(intents.c.id.in_([row.id for row in settled])))


Done = tuple[str, str]
"""What happened in a calendar, and why."""


def file(connection: Connection, receipts: Sequence[Receipt], at: datetime) -> list[Done]:
    """File at most one chunk of receipts. One that says nothing new changes nothing. Returns what happened."""
    answers = {(receipt.calendar, receipt.uid): receipt for receipt in receipts}
    uids = {receipt.uid for receipt in receipts}
    places, open_intents = placed(connection, uids), under_way(connection, uids)
    _of_no_placement(connection, answers, open_intents, at)
    rows: list[RowValues] = []
    gone, entries = [], []
    done: list[Done] = []
    for key, receipt in answers.items():
        place, intent = places.get(key), open_intents.get(key)
        if intent is None and (place is None or _says(place, receipt)):
            continue
        entries.append(Entry(at, receipt.calendar, receipt.uid, _word(receipt, intent)))
        done.append((_word(receipt, intent), _reason(receipt, intent if intent is not None else place)))
        if place is None and receipt.fingerprint and intent is not None:
            rows.append({**lost(receipt, intent.target, at), "generation": intent.generation})
        elif place is not None:
            rows.append(written(place, receipt, intent, at))
        approved = place is not None and place.held == APPROVED  # what a person decided is no matter of the brakes
        if not receipt.fingerprint and not approved and (cause := intent if intent is not None else place) is not None:
            gone.append({"calendar": key[0], "uid": key[1], "at": at, "why": cause.why, "weak": cause.weak})
    upsert(connection, placements, rows)
    _written_anew(connection, answers)
    if gone:
        connection.execute(insert(deletions), gone)
    settle(connection, [row for key, row in open_intents.items() if key in answers])
    _answered(connection, {receipt.calendar for receipt in receipts})
    journal.write(connection, entries)
    for what, number in Counter(entry.what for entry in entries).items():
        history.count(connection, at, what, number)
    return done


def _of_no_placement(
    connection: Connection, answers: dict[tuple[str, str], Receipt], open_intents: Placed, at: datetime
) -> None:
    """Settle the deletions of second events, and take them out of both."""
    theirs = [key for key, intent in open_intents.items() if key in answers and intent.why == DOUBLED]
    settle(connection, [open_intents.pop(key) for key in theirs])
    for calendar, uid in theirs:
        del answers[calendar, uid]
        row = {"calendar": calendar, "uid": uid, "at": at, "why": DOUBLED, "weak": False}
        connection.execute(insert(deletions), row)
    journal.write(connection, [Entry(at, calendar, uid, DONE[Action.DELETE], DOUBLED) for calendar, uid in theirs])


def recover(connection: Connection, calendar: str, found: Sequence[Marked], at: datetime) -> None:
    """Take in what stands in the calendar with our mark and is not known: the ledger may be an older copy, put back.

    What was written later under the same identity counts as well. An event without a placement is parked.
    """
    places = placed(connection, [one.mark.uid for one in found])
    target = connection.scalar(select(calendars.c.target).where(calendars.c.calendar == calendar)) or ""
    rows, entries = [], []
    for one in found:
        mark = one.mark
        place = places.get((calendar, mark.uid))
        if place is not None and knows(place, mark) and not _shows_another(place, mark):
            continue
        receipt = Receipt(calendar=calendar, uid=mark.uid, fingerprint=mark.fingerprint, href=one.href, etag=one.etag)
        row = lost(receipt, target, at) if place is None else written(place, receipt, None, at)
        rows.append({**row, "generation": mark.generation})
        entries.append(Entry(at, calendar, mark.uid, "recovered"))
    upsert(connection, placements, rows)
    journal.write(connection, entries)


def _written_anew(connection: Connection, answers: Collection[tuple[str, str]]) -> None:
    """What was missing or changed is as it should be."""
    row = drifts.c
    for calendar in {calendar for calendar, _ in answers}:
        uids = [uid for place, uid in answers if place == calendar]
        over = (row.calendar == calendar, row.kind.in_(["missing", "changed"]), row.id.in_(uids))
        connection.execute(delete(drifts).where(*over))


def _answered(connection: Connection, answering: Collection[str]) -> None:
    """A calendar that acknowledges something is well: its pauses start short again."""
    where = (calendars.c.calendar.in_(answering), calendars.c.pauses > 0)
    connection.execute(update(calendars).where(*where).values(pauses=0))


def knows(place: Row[Any], mark: Mark) -> bool:
    """Whether a placement knows of an event with this mark, or of a later one."""
    same = place.generation == mark.generation and place.written_fingerprint
    return bool(same or place.generation > mark.generation)


def _shows_another(place: Row[Any], mark: Mark) -> bool:
    """Whether the event that a placement knows of was written otherwise than it says."""
    return bool(place.generation == mark.generation and place.written_fingerprint != mark.fingerprint)


def _says(place: Row[Any], receipt: Receipt) -> bool:
    held = (place.written_fingerprint, place.href, place.etag)
    return held == (receipt.fingerprint, receipt.href, receipt.etag) or not (receipt.fingerprint or held[0])


def _word(receipt: Receipt, intent: Row[Any] | None) -> str:
    if intent is not None:
        return DONE[Action(intent.action)]
    return DONE[Action.UPDATE] if receipt.fingerprint else DONE[Action.DELETE]


def _reason(receipt: Receipt, cause: Row[Any] | None) -> str:
    """Why an event left; what was written needs no reason."""
    return "" if receipt.fingerprint or cause is None else str(cause.why)


def written(place: Row[Any], receipt: Receipt, intent: Row[Any] | None, at: datetime) -> RowValues:
    """A placement's row once its receipt is filed: set aside no more. An identity that was deleted is used up."""
    generation = max(place.generation, intent.generation if intent is not None else 0)
    return {
        **place._mapping,
        **({} if place.held in HELD_BACK else FREE),
        "written": place.written if receipt.fingerprint == place.written_fingerprint else "",
        "written_fingerprint": receipt.fingerprint,
        "href": receipt.href,
        "etag": receipt.etag,
        "written_at": at,
        "generation": generation if receipt.fingerprint else generation + 1,
    }


def lost(receipt: Receipt, target: str, at: datetime) -> RowValues:
    """A row for an event that stands in a calendar though its placement is lost: it stays until a person decides."""
    return {
        "calendar": receipt.calendar,
        "uid": receipt.uid,
        "target": target,
        "route": "",
        "source": "",
        "wanted": "",
        "wanted_fingerprint": "",
        "why": Why.RECONFIGURED.value,
        "evidence": "its placement is missing from the ledger",
        "weak": True,
        "moved_to": "",
        "ends_at": at,
        "written": "",
        "written_fingerprint": receipt.fingerprint,
        "href": receipt.href,
        "etag": receipt.etag,
        "written_at": at,
        "generation": 0,
        "held": PARKED,
        "reason": "its placement is missing from the ledger",
        "attempts": 0,
        "not_before": None,
        "cause": "",
    }
