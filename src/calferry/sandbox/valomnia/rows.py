"""How records look on the wire."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from calferry.sandbox.messages import JsonObject, Response

from .switches import ValomniaSwitches
from .world import Appointment, Category, Contact, Customer, Employee, Stamped, User, ValomniaWorld

PRINTED = "/api/v1.0"
"""What the samples print in links, whatever version was asked."""

_CHARSETS = {
    "utf-8": ("utf-8", "application/json; charset=UTF-8"),
    "utf-8 as latin-1": ("utf-8", "application/json; charset=ISO-8859-1"),
    "latin-1": ("latin-1", "application/json; charset=ISO-8859-1"),
}


class Rows:
    """Renders the truth as the switches have it."""

    def __init__(self, world: ValomniaWorld, switches: ValomniaSwitches) -> None:
        self._world = world
        self._switches = switches

    def of(self, record: Stamped) -> JsonObject:
        """A row of a listing. Vendor's pages: the "list" page of each resource."""
        match record:
            case Appointment():
                row = self._listed(record)
                return row | self._shown_only(record) if self._switches.list_names_user else row
            case User():
                own = {"email": record.email, "enabled": True, "employeeReference": record.reference}
                return {"id": int(record.id), **own, **_stamps(record)}
            case Employee():
                own = {"firstName": record.first, "lastName": record.last, "enabled": True}
                return {"id": int(record.id), "reference": record.reference, **own, **_stamps(record)}
            case Category():
                own = {"isActive": True, "isDefault": False, "color": "#3366FF"}
                return {
                    "id": int(record.id),
                    "reference": record.reference,
                    "name": record.name,
                    **own,
                    **_stamps(record),
                }
            case Customer():
                return _customer(record)
            case Contact():
                return self._contact(record)
            case _:
                raise AssertionError(record)

    def show(self, row: Appointment) -> JsonObject:
        """One appointment. Vendor's page: "Appointments: show"."""
        contacts = [_contact_link(one) for one in row.contacts]
        return self._listed(row) | self._shown_only(row) | {"contacts": contacts, "organization": "entity1"}

    def response(self, content: JsonObject, status: int = 200) -> Response:
        """Encode a body as the switches have it."""
        encoding, content_type = _CHARSETS[self._switches.charset]
        text = json.dumps(content, ensure_ascii=False)
        if self._switches.duplicate_keys:
            text = re.sub(r'("appointmentCategoryId": )(\d+)', r"\g<0>, \g<1>999", text)
        if self._switches.stray_bytes:
            text = text.replace('{"', '{²"')
        date = format_datetime(self._world.now().astimezone(UTC), usegmt=True)
        return Response(status, text.encode(encoding, "replace"), content_type, {"Date": date})

    def _listed(self, row: Appointment) -> JsonObject:
        category = self._world.categories[row.category]
        customer = self._world.customers[row.customer] if row.customer else None
        named = self._switches.list_contacts == "named"
        return {
            "id": int(row.id),
            **_stamps(row),
            "title": row.title,
            "note": row.note,
            "startDate": "0000-00-00" if row.id in self._switches.broken_starts else printed(row.start),
            "endDate": printed(row.end) if row.end else None,
            "done": row.done,
            "customerId": int(customer.id) if customer else None,
            "customer": _link("customers", customer) | {"name": customer.name} if customer else None,
            "appointmentCategoryId": int(category.id),
            "appointmentCategory": _link("appointmentCategories", category) | {"name": category.name},
            "contacts": [_contact_link(one) for one in row.contacts] if named else [],
        }

    def _shown_only(self, row: Appointment) -> JsonObject:
        user = None if row.id in self._switches.nobody else _link("users", self._world.users[row.user])
        return {"reference": row.reference, "user": user}

    def _contact(self, contact: Contact) -> JsonObject:
        return {
            "id": int(contact.id),
            "reference": contact.reference,
            "firstName": contact.first,
            "lastName": contact.last,
            "phone": contact.phone,
            "email": contact.email,
            "customerReference": self._world.customers[contact.customer].reference,
            **_stamps(contact),
        }


def printed(moment: datetime) -> str:
    """An instant as the API prints it: whole seconds, cut and not rounded."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _customer(customer: Customer) -> JsonObject:
    told: dict[str, Any] = {"email": customer.email, "phone": customer.phone, "address": customer.address}
    own = {"reference": customer.reference, "name": customer.name, "isActive": True}
    return {"id": int(customer.id), **own, **told, **_stamps(customer)}


def _stamps(record: Stamped) -> JsonObject:
    return {"dateCreated": printed(record.created), "lastUpdated": printed(record.updated)}


def _link(resource: str, record: Stamped) -> JsonObject:
    return {"id": int(record.id), "reference": record.reference, "href": f"{PRINTED}/{resource}/{record.id}"}


def _contact_link(contact: str) -> JsonObject:
    return {"id": int(contact), "href": f"{PRINTED}/contacts/{contact}"}
