"""A crowd of appointments, and a ledger that holds them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from calferry.model import (
    Appointment,
    Batch,
    Contact,
    Cursor,
    Event,
    Intent,
    LookUp,
    Marked,
    Outcome,
    Owner,
    Receipt,
    Status,
    Window,
)
from calferry.model import Change as PlannedChange
from calferry.rules import Route
from calferry.store import SqlLedger, open_ledger
from calferry.sync.installation import Account, Installation, Rhythm
from calferry.template import Template
from calferry.wiring import SystemClock

ACCOUNT = "agendize:1"
PARIS = ZoneInfo("Europe/Paris")
STAFF = 20


def appointments(number: int) -> Iterator[Appointment]:
    """That many appointments over the coming year."""
    start = datetime.now(PARIS).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)
    for index in range(number):
        begins = start + timedelta(days=index % 390, minutes=15 * (index // 390 % 32))
        yield Appointment(
            source=ACCOUNT,
            source_id=str(index),
            start=begins,
            end=begins + timedelta(minutes=15),
            status=Status.CONFIRMED,
            said="accepted",
            owners=(Owner(key=str(index % STAFF), email=f"staff{index % STAFF}@salon.example"),),
            service="Consultation",
            contact=Contact(first_name="Jo", last_name=f"Sample {index}", email=f"c{index}@mail.example"),
            uses=(f"staff/{index % STAFF}", "service/5"),
        )


class Quiet:
    """A source that tells a crowd once, and then that nothing changed. It counts how often it is asked."""

    name, key, streams = "salon", ACCOUNT, ("appointments",)

    def __init__(self, crowd: Sequence[Appointment]) -> None:
        self.crowd = crowd
        self.asked = 0

    def resources(self) -> Batch:
        return Batch(asked_at=datetime.now(UTC))

    def changes(self, stream: str, since: Cursor | None, _window: Window) -> Iterator[Batch]:
        self.asked += 1
        told = () if since else tuple(self.crowd)
        yield Batch(asked_at=datetime.now(UTC), stream=stream, appointments=told, cursor=Cursor("next"))

    def within(self, window: Window) -> Iterator[Batch]:
        yield Batch(asked_at=datetime.now(UTC), covers=window, appointments=tuple(self.crowd))

    def look_up(self, source_id: str) -> LookUp:
        raise AssertionError(source_id)


class Yes:
    """A target that acknowledges everything at once."""

    name, kind, basis, edition, batch = "yes", "yes", "", "1", 500

    def canonical(self, calendar: str) -> str:
        return f"yes:{calendar}"

    def lane(self, calendar: str) -> str:
        return calendar

    def fit(self, event: Event) -> Event:
        return event

    def encode(self, change: PlannedChange) -> bytes:
        return change.uid.encode()

    def apply(self, intents: Sequence[Intent]) -> Iterator[Outcome]:
        for one in intents:
            yield Receipt(calendar=one.calendar, uid=one.uid, fingerprint=one.fingerprint, href=one.uid, etag="1")

    def ours(self, _calendar: str) -> Iterator[Marked]:
        yield from ()


@contextmanager
def installation(source: Quiet) -> Iterator[tuple[Installation, SqlLedger]]:
    """A salon whose staff have a calendar each, with an empty ledger in a directory of its own."""
    calendar = Template("{owner.email}")
    route = Route(name="staff", source="salon", target="yes", calendar=calendar)
    with tempfile.TemporaryDirectory() as folder, open_ledger(f"sqlite:///{Path(folder) / 'l.db'}", "bench") as ledger:
        account = Account(source=source, rhythm=Rhythm(), routes=(route,), basis="b", edition="1")
        yield (
            Installation(
                name="bench",
                accounts=(account,),
                targets={"yes": Yes()},
                ledger=ledger,
                shelf=ledger.shelf,
                keeper=ledger.keeper,
                clock=SystemClock(),
            ),
            ledger,
        )
