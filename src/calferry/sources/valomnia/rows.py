"""What Valomnia's rows say: pure functions from its JSON to the model.

Vendor's pages: "Appointments: list" and "Appointments: show"; of users, employees, customers, contacts and categories
what their pages and the vendor's own client name.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from calferry.errors import Refused
from calferry.model import Appointment, Contact, Owner, Resource, Status
from calferry.sources.batches import resource_of
from calferry.sources.fields import Row, id_of, part_of, text_of

log = logging.getLogger(__name__)

TELLING = (
    *("lastUpdated", "title", "note", "startDate", "endDate", "done", "status", "customerId", "customer"),
    *("appointmentCategoryId", "appointmentCategory", "contacts", "user", "reference"),
)
"""The members of an appointment whose change is a change of the appointment."""

ITS_OWN = tuple(name for name in TELLING if name not in {"customer", "appointmentCategory"})
"""Of those, the members that no renamed customer or category changes."""

ADDRESS = ("address", "street", "zipCode", "postalCode", "city", "country")


def to_appointment(row: Row, account: str, *, zone: ZoneInfo, references: bool) -> Appointment:
    """A row that says whose it is, as an appointment of `account`.

    Times are shown in `zone`: Valomnia keeps instants. What ends before it starts, or never, ends when it starts.
    `references` says whether the appointment tells its reference. Raises Refused, with a reason free of personal data.
    """
    start, end = times_of(row)
    if end < start:
        log.info("appointment %s ends before it starts; its end is not believed", id_of(row))
        end = start
    user, category = id_of(part_of(row, "user")), part_of(row, "appointmentCategory")
    if not user:
        msg = "Valomnia does not say whose it is"
        raise Refused(msg)
    return Appointment(
        source=account,
        source_id=id_of(row),
        start=_shown(start, zone),
        end=_shown(end, zone),
        status=Status.CONFIRMED,
        said=_said(row),
        owners=(Owner(key=user),),
        reference=text_of(row.get("reference")) if references else "",
        service=text_of(category.get("name")),
        summary=text_of(row.get("title")),
        description=text_of(row.get("note")),
        contact=Contact(last_name=text_of(part_of(row, "customer").get("name"))),
        uses=_uses(row, user),
    )


def times_of(row: Row) -> tuple[datetime, datetime]:
    """Start and end (UTC), as they are told; no end is an end at the start. Raises Refused."""
    start = moment_of(row.get("startDate"))
    if start is None:
        msg = "its start is no date and time in UTC"
        raise Refused(msg)
    ending = row.get("endDate")
    end = moment_of(ending) if text_of(ending) else start
    if end is None:
        msg = "its end is no date and time in UTC"
        raise Refused(msg)
    return start, end


def moment_of(value: Any) -> datetime | None:
    """An instant as Valomnia prints it (`2016-08-15T14:52:48Z`), in UTC; None for what is none."""
    text = text_of(value)
    try:
        moment = datetime.fromisoformat(text) if "T" in text else None
        return moment.astimezone(UTC) if moment and moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def digest_of(row: Row) -> str:
    """A short digest of what a list row tells of an appointment or a person: equal means told before."""
    return _digest([row.get(name) for name in TELLING] if "startDate" in row else row)


def version_of(row: Row) -> str:
    """A short digest of what a list row tells of the appointment itself: equal means that it is still the same user's,
    as far as Valomnia tells of a change of the user."""
    return _digest([row.get(name) for name in ITS_OWN])


def staff(user: Row, names: Mapping[str, str], account: str) -> Resource:
    """A user. `names` are those of the employees by their reference."""
    reference = reference_of(user)
    name = names.get(reference) or full_name(user)
    return resource_of(account, "staff", id_of(user), name=name, email=text_of(user.get("email")), reference=reference)


def service(category: Row, account: str) -> Resource:
    return resource_of(account, "service", id_of(category), name=text_of(category.get("name")))


def customer(row: Row, account: str) -> Resource:
    """A customer: as a rule a company, which has no first name."""
    last = text_of(row.get("lastName")) or text_of(row.get("name"))
    address = ", ".join(text for name in ADDRESS if (text := text_of(row.get(name))))
    return resource_of(account, "customer", id_of(row), last_name=last, address=address, **_reachable(row))


def contact(row: Row, account: str) -> Resource:
    """Somebody who works at a customer's."""
    return resource_of(account, "contact", id_of(row), last_name=text_of(row.get("lastName")), **_reachable(row))


def reference_of(user: Row) -> str:
    """The reference of the employee that a user is."""
    return text_of(user.get("employeeReference"))


def full_name(person: Row) -> str:
    """First and last name as one text for people."""
    return f"{text_of(person.get('firstName'))} {text_of(person.get('lastName'))}".strip()


def _digest(told: object) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=True).encode()).hexdigest()[:12]


def _said(row: Row) -> str:
    """Version 2.1 knows no word for a status, only whether an appointment is done."""
    done = text_of(str(row.get("done"))).casefold() == "true"
    return text_of(row.get("status")) or ("done" if done else "planned")


def _shown(moment: datetime, zone: ZoneInfo) -> datetime:
    try:
        return moment.astimezone(zone)
    except OverflowError:
        msg = "its time lies beyond the calendar"
        raise Refused(msg) from None


def _uses(row: Row, user: str) -> tuple[str, ...]:
    """The nested ids count: a sample names another category beside the one it shows."""
    named = {
        "service": id_of(part_of(row, "appointmentCategory")) or text_of(row.get("appointmentCategoryId")),
        "customer": id_of(part_of(row, "customer")) or text_of(row.get("customerId")),
    }
    uses = [f"staff/{user}", *(f"{kind}/{key}" for kind, key in named.items() if key)]
    contacts = row.get("contacts")
    for one in contacts if isinstance(contacts, list) else []:
        key = id_of(one) if isinstance(one, dict) else text_of(one)
        uses += [f"contact/{key}"] if key else []
    return tuple(dict.fromkeys(uses))


def _reachable(row: Row) -> dict[str, str]:
    phone = text_of(row.get("phone")) or text_of(row.get("mobile")) or text_of(row.get("phone2"))
    return {"first_name": text_of(row.get("firstName")), "email": text_of(row.get("email")), "phone": phone}
