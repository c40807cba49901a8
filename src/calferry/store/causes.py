"""Why another event than before is wanted: for the booking system, the configuration, another version, or the time.

Runs inside the transactions of the routing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from calferry.ports import Routed
from calferry.store.database import RowValues
from calferry.store.tables import appointments, sources

CONFIGURED = "the configuration changed"
UPGRADED = "calferry was upgraded"
AND = ", and "

TIMELY = "the time came for it, by a route's status policy"


def reset(row: Row[Any], basis: str, edition: str) -> RowValues:
    """What to keep of a source (`row`) whose rows are all routed anew by this basis and edition. Where the reset before
    this one is not worked through, its causes go on."""
    before = row.reset_cause.split(AND) if row.mark < row.reset_from else []
    configured = [CONFIGURED] if row.basis != basis else []
    causes = dict.fromkeys([*before, *(configured or [UPGRADED]), *_upgraded(row.edition, edition)])
    if len(causes) > 1:
        causes.pop(UPGRADED, None)
    return {"reset_from": max(row.mark, row.reset_from), "reset_cause": AND.join(causes)}


def _upgraded(before: str, edition: str) -> Iterator[str]:
    """Which versions became others, from one edition (`wiring`: a JSON list of texts) to the next."""
    former, today = _versions(before), _versions(edition)
    for name in today:
        if name in former and former[name] != today[name]:
            yield f"{name} went from version {former[name]} to {today[name]}"


def _versions(edition: str) -> Mapping[str, str]:
    try:
        rules, fingerprint, zones, *fits = json.loads(edition)
        names = {"the rules of calferry": rules, "the fingerprint of events": fingerprint, "tzdata": zones}
        return names | {f"what {kind} can hold": number for kind, number in (one.split(" ", 1) for one in fits)}
    except (ValueError, TypeError):
        return {"calferry": edition}


def of(connection: Connection, source: str, routed: Sequence[Routed]) -> Mapping[str, str]:
    """For at most one chunk of appointments that are about to be settled, by uid: why they were routed; '' where the
    booking system is the cause."""
    state = connection.execute(select(sources).where(sources.c.source == source)).one_or_none()
    row = appointments.c
    reread = select(row.uid).where(row.uid.in_([one.uid for one in routed]), row.reread)
    by_another_reading = set(connection.scalars(reread))
    return {one.uid: CONFIGURED if one.uid in by_another_reading else _cause(one.revision, state) for one in routed}


def _cause(revision: int, state: Row[Any] | None) -> str:
    if state is None:
        return ""
    if revision <= state.mark:
        return TIMELY
    cause: str = state.reset_cause
    return cause if revision <= state.reset_from else ""
