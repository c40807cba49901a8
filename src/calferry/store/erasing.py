"""Forgetting a client: appointments stay, without what they tell of whose they are.

Runs inside the transactions of the keeper, and of every recording once somebody is suppressed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, select, update

from calferry.errors import Unavailable
from calferry.keeping import Kept, Trace
from calferry.model import Appointment, Batch, Contact, Event, Resource
from calferry.store import journal
from calferry.store.codec import appointment_of, appointment_text, digest, event_of, event_text
from calferry.store.database import chunks, upsert
from calferry.store.filing import under_way
from calferry.store.journal import Entry
from calferry.store.revisions import enter, revise
from calferry.store.tables import appointments, fragments, is_told, is_written, placements, resources, suppressed, uses

CUSTOMER = "customer/"
"""How the keys of those resources begin that are clients."""

COMPANY = "company/"
"""And of those whose address stands where an appointment names no place."""

NOBODYS = "Appointment"
"""The title of an event that shows nothing of its client."""


# ── whose an appointment is ───────────────────────────────────────────────────────────────────────────────────────────


def find(connection: Connection, trace: Trace) -> list[Kept]:
    theirs = _customers(connection, trace)
    rows = connection.execute(select(appointments).order_by(appointments.c.starts_at, appointments.c.uid))
    found = [row for row in rows if _is_theirs(row, trace, theirs)]
    return [_kept(connection, row) for row in _with_sessions(connection, found)]


def _with_sessions(connection: Connection, found: Iterable[Row[Any]]) -> list[Row[Any]]:
    """With the sessions that these are counted in, for they show them too; and with all bookings of a session that was
    itself asked for."""
    every = {row.uid: row for row in found}
    for chunk in chunks([uid for uid, row in every.items() if row.founded]):
        bookings = connection.execute(select(appointments).where(appointments.c.part_of.in_(chunk)))
        every |= {row.uid: row for row in bookings}
    for chunk in chunks(sorted({row.part_of for row in every.values()} - every.keys())):
        sessions = connection.execute(select(appointments).where(appointments.c.uid.in_(chunk)))
        every |= {row.uid: row for row in sessions}
    return sorted(every.values(), key=lambda row: (row.starts_at, row.uid))


def _customers(connection: Connection, trace: Trace) -> set[tuple[str, str]]:
    """The source and key of each client resource with that address or number."""
    clients = select(resources).where(resources.c.kind == CUSTOMER.rstrip("/"))
    return {
        (row.source, row.resource) for row in connection.execute(clients) if _is_known_by(trace, json.loads(row.fields))
    }


def _is_theirs(row: Row[Any], trace: Trace, customers: Collection[tuple[str, str]]) -> bool:
    told = appointment_of(row.body)
    if trace.ref:
        return trace.ref in {row.uid, row.source_id, told.reference, told.external_id}
    if row.founded:
        return False  # it goes with its bookings
    contact = {"email": told.contact.email, "phone": told.contact.phone}
    return _is_known_by(trace, contact) or any((row.source, key) in customers for key in told.uses)


def _is_known_by(trace: Trace, fields: Mapping[str, str]) -> bool:
    email, phone = fields.get("email", ""), fields.get("phone", "")
    same_email = bool(trace.email) and _plain_email(email) == _plain_email(trace.email)
    return same_email or (bool(digits(trace.phone)) and digits(phone) == digits(trace.phone))


def _kept(connection: Connection, row: Row[Any]) -> Kept:
    there = select(placements.c.calendar).where(placements.c.uid == row.uid, is_written)
    return Kept(
        uid=row.uid,
        source=row.source,
        source_id=row.source_id,
        starts_at=row.starts_at,
        listed=not row.deletion and not row.founded,
        calendars=tuple(connection.scalars(there.order_by(placements.c.calendar))),
    )


def _plain_email(address: str) -> str:
    return address.strip().casefold()


def digits(number: str) -> str:
    """A phone number in one way of writing: its last nine digits, which leaves out how a country is dialled."""
    return re.sub(r"\D", "", number)[-9:]


# ── forgetting ────────────────────────────────────────────────────────────────────────────────────────────────────────


def blanked(told: Appointment) -> Appointment:
    """Nobody's. Where it takes place may be at the client's, and is nobody's either, unless others come there too: who
    is booked for a session still counts there."""
    somebody = told.contact != Contact() or told.customers
    shared = bool(told.session)
    hidden = (CUSTOMER,) if shared or not told.location else (CUSTOMER, COMPANY)  # whose address would stand there
    return replace(
        told,
        contact=Contact(),
        summary="",
        description="",
        location=told.location if shared else "",
        url=told.url if shared else "",
        reschedule_url="",
        external_id="",
        uses=tuple(key for key in told.uses if not key.startswith(hidden)),
        customers=(Contact(),) if shared and somebody and not told.gathered else (),
    )


def erase(connection: Connection, uids: Collection[str], at: datetime) -> None:
    """For at most one chunk of appointments. Raises Unavailable."""
    if under_way(connection, uids):
        msg = "A change of one of these appointments is under way; run `calferry sync` first, then erase."
        raise Unavailable(msg)
    rows = connection.execute(select(appointments).where(appointments.c.uid.in_(list(uids)))).all()
    for source in sorted({row.source for row in rows}):
        enter(connection, source)
        its = {row.uid: appointment_text(blanked(appointment_of(row.body))) for row in rows if row.source == source}
        revise(connection, source, [{"uid": uid, "body": body, "digest": digest(body)} for uid, body in its.items()])
    _forget_customers(connection, uids)
    _forget_events(connection, uids)
    journal.write(connection, [Entry(at, row.source, row.uid, "erased") for row in rows])


def _forget_customers(connection: Connection, uids: Collection[str]) -> None:
    """Clients that no other appointment refers to."""
    its = (uses.c.uid.in_(list(uids)), uses.c.resource.startswith(CUSTOMER, autoescape=True))
    found = connection.execute(select(uses.c.source, uses.c.resource).where(*its).distinct()).all()
    connection.execute(delete(uses).where(*its))
    for source, key in found:
        others = exists().where(uses.c.source == source, uses.c.resource == key)
        connection.execute(delete(resources).where(resources.c.source == source, resources.c.resource == key, ~others))


def _forget_events(connection: Connection, uids: Collection[str]) -> None:
    theirs = placements.c.uid.in_(list(uids))
    connection.execute(update(placements).where(theirs, placements.c.written != "").values(written=""))
    for row in connection.execute(select(placements).where(theirs, placements.c.wanted != "")).all():
        event = _without_client(event_of(row.wanted))
        this = (placements.c.calendar == row.calendar, placements.c.uid == row.uid)
        values = {"wanted": event_text(event), "wanted_fingerprint": event.fingerprint}
        connection.execute(update(placements).where(*this).values(values))
    connection.execute(delete(fragments).where(fragments.c.uid.in_(list(uids)), fragments.c.cancelled_at.is_not(None)))


def _without_client(event: Event) -> Event:
    return replace(event, summary=NOBODYS, description="", location="", url="")


# ── never hearing of them again ───────────────────────────────────────────────────────────────────────────────────────


def suppress(connection: Connection, installation: str, trace: Trace, uids: Collection[str], at: datetime) -> None:
    """Keep digests of what a client is known by. Before anything of them is erased."""
    names: set[tuple[str, str]] = set()
    for chunk in chunks(uids):
        for row in connection.execute(select(appointments).where(appointments.c.uid.in_(chunk), is_told)):
            told = appointment_of(row.body)
            names.add((row.source, f"id {told.source_id}"))
            names |= {(row.source, key) for key in told.uses if _is_client(key)}
    if trace.email:
        names.add(("", f"email {_plain_email(trace.email)}"))
    if trace.phone:
        names.add(("", f"phone {digits(trace.phone)}"))
    held = [{"source": source, "digest": _digest(installation, name), "at": at} for source, name in sorted(names)]
    upsert(connection, suppressed, held, keep=("at",))


def applied(connection: Connection, installation: str, source: str, batch: Batch) -> Batch:
    """A batch as it may be recorded: of suppressed clients nothing is told."""
    known = select(suppressed.c.digest).where(suppressed.c.source.in_(["", source]))
    held = frozenset(connection.scalars(known))
    if not held:
        return batch

    def is_suppressed(names: Iterator[str]) -> bool:
        return any(_digest(installation, name) in held for name in names)

    told = tuple(blanked(one) if is_suppressed(_names_of(one)) else one for one in batch.appointments)
    kept = tuple(one for one in batch.resources if not is_suppressed(_names_of_resource(one)))
    return replace(batch, appointments=told, resources=kept)


def _names_of(told: Appointment) -> Iterator[str]:
    yield f"id {told.source_id}"
    yield from (key for key in told.uses if _is_client(key))
    yield from _reached_by({"email": told.contact.email, "phone": told.contact.phone})


def _names_of_resource(one: Resource) -> Iterator[str]:
    if _is_client(one.key):
        yield one.key
        yield from _reached_by(one.fields)


def _reached_by(fields: Mapping[str, str]) -> Iterator[str]:
    if email := _plain_email(fields.get("email", "")):
        yield f"email {email}"
    if phone := digits(fields.get("phone", "")):
        yield f"phone {phone}"


def _is_client(key: str) -> bool:
    return key.startswith(CUSTOMER)


def _digest(installation: str, name: str) -> str:
    return digest(f"{installation}|{name}")
