"""Nouns for tests, whole by default: a test names only what it is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from calferry.model import Appointment, Batch, Contact, Event, Mark, Owner, Receipt, Resource, Status

ACCOUNT = "agendize:13772899"
PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
MORNING = datetime(2026, 12, 3, 9, 0, tzinfo=PARIS)


def appointment(source_id: str = "1", **changes: Any) -> Appointment:
    start = changes.pop("start", MORNING)
    fields: dict[str, Any] = {
        "source": ACCOUNT,
        "source_id": source_id,
        "start": start,
        "end": changes.pop("end", start + timedelta(minutes=30)),
        "status": Status.CONFIRMED,
        "said": "accepted",
        "owners": (Owner(key="77", name="Ana Pérez"),),
        "service": "Consultation",
        "contact": Contact(first_name="Jo", last_name="Roy", email="jo@customer.example", phone="+33 1 00 00 00 00"),
        "uses": ("staff/77", "service/5"),
    }
    return Appointment(**(fields | changes))


def staff(key: str = "77", email: str = "ana@salon.example", **fields: str) -> Resource:
    return Resource(source=ACCOUNT, kind="staff", id=key, fields={"name": "Ana Pérez", "email": email} | fields)


def batch(*appointments: Appointment, asked_at: datetime = NOW, **members: Any) -> Batch:
    return Batch(asked_at=asked_at, stream="appointments", appointments=appointments, **members)


def event(uid: str = "u1", **changes: Any) -> Event:
    start = changes.pop("start", MORNING)
    fields: dict[str, Any] = {
        "uid": uid,
        "start": start,
        "end": changes.pop("end", start + timedelta(minutes=30)),
        "summary": "Consultation",
    }
    return Event(**(fields | changes))


def mark(uid: str = "u1", fingerprint: str = "f", generation: int = 0, ledger: str = "ledger-1") -> Mark:
    return Mark(installation="test", ledger=ledger, uid=uid, generation=generation, fingerprint=fingerprint)


def receipt(event: Event, calendar: str, href: str = "h1", etag: str = '"1"') -> Receipt:
    return Receipt(calendar=calendar, uid=event.uid, fingerprint=event.fingerprint, href=href, etag=etag)
