"""How calendars fare. Every statement reads the calendars, and an index that holds only what is outstanding."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, exists, or_, select

from calferry.ports import Vitals
from calferry.store.outbox import DAY, is_free
from calferry.store.tables import calendars, intents, is_due, placements


def vitals(connection: Connection, now: datetime) -> Sequence[Vitals]:
    """All calendars at `now` (UTC), by key."""
    row = calendars.c
    due = exists().where(placements.c.calendar == row.calendar, is_due, is_free(now))
    unsettled = exists().where(intents.c.calendar == row.calendar)
    paused = and_(row.paused_until > now, row.paused_until <= now + DAY)  # one beyond that was set by a wrong clock
    columns = (row.calendar, row.target, row.surveyed_at, or_(due, unsettled), paused)
    return [
        Vitals(
            calendar=calendar,
            target=target,
            outstanding=bool(outstanding),
            paused=bool(is_paused),
            surveyed_at=surveyed_at,
        )
        for calendar, target, surveyed_at, outstanding, is_paused in connection.execute(
            select(*columns).order_by(row.calendar)
        )
    ]
