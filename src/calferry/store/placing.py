"""Placements between their rows and the model."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row, select

from calferry.model import Event, Placement, Receipt, Removal, Wanted, Why
from calferry.moments import utc
from calferry.store.codec import event_of, event_text
from calferry.store.database import RowValues
from calferry.store.tables import placements

FREE = {"held": "", "reason": "", "attempts": 0, "not_before": None}
"""The values of a placement that is neither parked nor set aside."""

PARKED, REJECTED, APPROVED = "parked", "rejected", "approved"
"""What a placement's `held` says of its removal: it waits for a person; the person wants it to stay, or to go."""

RESPECTED = "respected"
"""What `held` says of an event that its user deleted, where the route respects that."""

HELD_BACK = (PARKED, REJECTED)

ASIDE = "aside"
"""What a placement's `held` says where another hand has written the appointment: nothing is written until later."""

Placed = dict[tuple[str, str], Row[Any]]
"""Rows of placements by calendar and uid."""


def placed(connection: Connection, uids: Collection[str]) -> Placed:
    """The placements of at most one chunk of appointments, in all calendars, kept from other writers."""
    statement = select(placements).where(placements.c.uid.in_(list(uids))).with_for_update()
    return {(row.calendar, row.uid): row for row in connection.execute(statement)}


def placement_of(row: Row[Any]) -> Placement:
    return Placement(
        calendar=row.calendar,
        uid=row.uid,
        target=row.target,
        route=row.route,
        wanted=event_of(row.wanted) if row.wanted else removal_of(row),
        written=_receipt_of(row) if row.written_fingerprint else None,
        before=event_of(row.written) if row.written else None,
        generation=row.generation,
        approved=row.held == APPROVED,
        cause=row.cause,
    )


def wanted_values(wanted: Wanted) -> RowValues:
    """The columns that say what a calendar shall hold. After a removal `ends_at` stays as it was."""
    if isinstance(wanted, Removal):
        return {
            "wanted": "",
            "wanted_fingerprint": "",
            "why": wanted.why.value,
            "evidence": wanted.evidence,
            "weak": wanted.weak,
            "moved_to": json.dumps(wanted.moved_to, ensure_ascii=False) if wanted.moved_to else "",
        }
    return _event_values(wanted)


def _event_values(event: Event) -> RowValues:
    return {
        "wanted": event_text(event),
        "wanted_fingerprint": event.fingerprint,
        "why": "",
        "evidence": "",
        "weak": False,
        "moved_to": "",
        "ends_at": utc(event.end),
    }


def removal_of(row: Row[Any]) -> Removal:
    moved_to = tuple(json.loads(row.moved_to)) if row.moved_to else ()
    return Removal(why=Why(row.why), evidence=row.evidence, weak=row.weak, moved_to=moved_to)


def _receipt_of(row: Row[Any]) -> Receipt:
    return Receipt(
        calendar=row.calendar, uid=row.uid, fingerprint=row.written_fingerprint, href=row.href, etag=row.etag
    )
