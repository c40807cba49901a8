"""Small steps that the contract of the ledger is written in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from calferry.errors import CalferryError
from calferry.model import (
    Action,
    Event,
    Failure,
    Intent,
    Placement,
    Receipt,
    Removal,
    Wanted,
    Why,
    Window,
    uid_of,
)
from calferry.ports import Ledger, Pending, Routed, Standing
from tests.builders import ACCOUNT, NOW, event, receipt

INSTALLATION = "test"
CALENDAR, OTHER = "google:ana@salon.example", "google:desk@salon.example"
PLACE, OTHER_PLACE = (CALENDAR, "workspace", "staff"), (OTHER, "workspace", "staff")
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
LATER = NOW + HOUR
EVERYTHING = Window(NOW - timedelta(days=30), NOW + timedelta(days=400))
GONE = Removal(why=Why.GONE, evidence="status=deleted")
MOVED = Removal(why=Why.MOVED, evidence="owner 78", moved_to=(OTHER,))
WEAK = Removal(why=Why.GONE, evidence="404, control 200", weak=True)


class BrokenRow(Exception):
    """What a row that breaks the recording raises."""


class Broken:
    @property
    def source_id(self) -> str:
        raise BrokenRow


def uid(source_id: str = "1") -> str:
    return uid_of(INSTALLATION, ACCOUNT, source_id)


def pending(ledger: Ledger, now: datetime = NOW, limit: int = 1000) -> list[Pending]:
    return list(ledger.routing.pending(ACCOUNT, now, limit))


def revisions(ledger: Ledger) -> dict[str, int]:
    return {one.appointment.source_id: one.revision for one in pending(ledger)}


def settle(ledger: Ledger, wanted: dict[tuple[str, str, str], Wanted], source_id: str = "1", **more: Any) -> None:
    revision = revisions(ledger).get(source_id, 0)
    routed = Routed(uid=uid(source_id), revision=revision, wanted=wanted, **more)
    ledger.routing.settle(ACCOUNT, [routed])


def want(ledger: Ledger, source_id: str = "1", **changes: Any) -> Event:
    """Have an event wanted in the calendar, as routing does."""
    wanted = event(uid(source_id), **changes)
    settle(ledger, {PLACE: wanted}, source_id)
    return wanted


def intent(wanted: Event | str, action: Action = Action.CREATE, generation: int = 0) -> Intent:
    name, fingerprint = (wanted, "") if isinstance(wanted, str) else (wanted.uid, wanted.fingerprint)
    return Intent(
        calendar=CALENDAR,
        uid=name,
        target="workspace",
        generation=generation,
        action=action,
        fingerprint=fingerprint,
        request=b"\x00\xffrequest",
    )


def write(ledger: Ledger, wanted: Event) -> None:
    ledger.outbox.intend([intent(wanted)], NOW)
    ledger.outbox.file([receipt(wanted, CALENDAR)], NOW)


def erase(ledger: Ledger, name: str, at: datetime = NOW) -> None:
    ledger.outbox.intend([intent(name, Action.DELETE)], at)
    ledger.outbox.file([Receipt(calendar=CALENDAR, uid=name, fingerprint="")], at)


def fail(ledger: Ledger, error: CalferryError, at: datetime = NOW, source_id: str = "1") -> None:
    ledger.outbox.fail(Failure(calendar=CALENDAR, uid=uid(source_id), error=error), at)


def due(ledger: Ledger, now: datetime = NOW) -> list[Placement]:
    return list(ledger.outbox.due(CALENDAR, now))


def held(ledger: Ledger, now: datetime) -> int:
    return ledger.outbox.standing("workspace", now).get(CALENDAR, Standing()).held


def removed(ledger: Ledger, now: datetime, calendar: str = CALENDAR) -> tuple[int, int]:
    """Deletions acknowledged in the 24 hours before `now`: on weak and on explicit evidence."""
    standing = ledger.outbox.standing("workspace", now).get(calendar, Standing())
    return standing.weak, standing.explicit
