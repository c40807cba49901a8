"""What waits for a person. Every statement reads an index that holds nothing else, or a table that is small."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from calferry.ports import Attention
from calferry.store.pausing import is_paused
from calferry.store.tables import (
    appointments,
    calendars,
    drifts,
    is_due,
    is_live,
    is_unrouted,
    placements,
    quarantine,
    sources,
)

TOLD_FOR = timedelta(hours=24)
"""How long a mass update is told of: it is done, and nobody can say that it was seen."""


def waiting(connection: Connection, now: datetime) -> frozenset[Attention]:
    """All that waits for a person at `now` (UTC)."""
    place, row, unread = placements.c, appointments.c, quarantine.c
    held = select(place.calendar, place.held, place.uid, place.reason).where(
        is_due, place.held.in_(["parked", "refused"])
    )
    closed = select(calendars.c.calendar, calendars.c.pause_reason).where(is_paused(calendars, now))
    shut = select(sources.c.source, sources.c.pause_reason).where(is_paused(sources, now))
    its = calendars.c
    masses = select(its.calendar, its.mass_reason).where(its.mass_at > now - TOLD_FOR)
    unrouted = select(row.source, row.uid, row.unrouted).where(is_unrouted, is_live)
    quarantined = select(unread.source, unread.source_id, unread.reason)
    drifted = select(drifts.c.calendar, drifts.c.id, drifts.c.reason)
    return frozenset(
        [
            *(_of(where, what, uid, why) for where, what, uid, why in connection.execute(held)),
            *(_of(where, "drift", name, why) for where, name, why in connection.execute(drifted)),
            *(_of(where, "mass update", "", why) for where, why in connection.execute(masses)),
            *(_of(where, "paused", "", why) for query in (closed, shut) for where, why in connection.execute(query)),
            *(_of(where, "unrouted", uid, why) for where, uid, why in connection.execute(unrouted)),
            *(_of(where, "quarantined", source_id, why) for where, source_id, why in connection.execute(quarantined)),
        ]
    )


def _of(where: str, what: str, name: str, reason: str) -> Attention:
    return Attention(where=where, what=what, id=name, reason=reason)
