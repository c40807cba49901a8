"""Model values as text and back. A member that is empty is left out: a new member changes no digest.

A time is kept as wall time, IANA zone and fold, so that it comes back as the very same aware datetime even where the
clock strikes an hour twice. A time that carries a plain offset instead of a zone comes back in the zone "UTC".
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from calferry.model import Appointment, Classification, Contact, Event, Owner, Status, Transparency

TEXTS = (
    "source",
    "source_id",
    "said",
    "reference",
    "external_id",
    "custom_status",
    "kind",
    "service",
    "summary",
    "description",
    "location",
    "url",
    "reschedule_url",
    "price",
    "session",
)
CONTACT = ("first_name", "last_name", "email", "phone")
EVENT_TEXTS = ("uid", "summary", "description", "location", "url", "color", "elsewhere")
UTC_ZONE = ZoneInfo("UTC")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def appointment_text(appointment: Appointment) -> str:
    members = _texts(appointment, TEXTS)
    members["start"] = _time(appointment.start)
    members["end"] = _time(appointment.end)
    members["status"] = appointment.status.value
    if appointment.owners:
        members["owners"] = [[owner.key, owner.name, owner.email] for owner in appointment.owners]
    if contact := _texts(appointment.contact, CONTACT):
        members["contact"] = contact
    if appointment.uses:
        members["uses"] = appointment.uses
    if appointment.elsewhere:
        members["elsewhere"] = appointment.elsewhere
    if appointment.gathered:
        members["gathered"] = True
    if appointment.gathered or appointment.customers:
        members["customers"] = [_texts(customer, CONTACT) for customer in appointment.customers]
    return _dump(members)


def appointment_of(text: str) -> Appointment:
    members = json.loads(text)
    members["start"] = _moment(members["start"])
    members["end"] = _moment(members["end"])
    members["status"] = Status(members["status"])
    members["owners"] = tuple(Owner(key=key, name=name, email=email) for key, name, email in members.get("owners", ()))
    members["contact"] = Contact(**members.get("contact", {}))
    members["uses"] = tuple(members.get("uses", ()))
    members["elsewhere"] = tuple((kind, href) for kind, href in members.get("elsewhere", ()))
    members["customers"] = tuple(Contact(**customer) for customer in members.get("customers", ()))
    return Appointment(**({"source": "", "source_id": "", "said": ""} | members))


def event_text(event: Event) -> str:
    members = _texts(event, EVENT_TEXTS)
    members["start"] = _time(event.start)
    members["end"] = _time(event.end)
    members["shown"] = [event.status, event.transparency, event.classification]
    if event.categories:
        members["categories"] = event.categories
    if event.called_off:
        members["called_off"] = True
    return _dump(members)


def event_of(text: str) -> Event:
    members = json.loads(text)
    status, transparency, classification = members.pop("shown")
    members["start"] = _moment(members["start"])
    members["end"] = _moment(members["end"])
    members["categories"] = tuple(members.get("categories", ()))
    return Event(
        **({"uid": "", "summary": ""} | members),
        status=Status(status),
        transparency=Transparency(transparency),
        classification=Classification(classification),
    )


def _texts(value: object, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: text for name in names if (text := getattr(value, name))}


def _time(moment: datetime) -> list[Any]:
    if not isinstance(moment.tzinfo, ZoneInfo):
        moment = moment.astimezone(UTC_ZONE)
    return [moment.replace(tzinfo=None).isoformat(), str(moment.tzinfo), moment.fold]


def _moment(stored: list[Any]) -> datetime:
    wall, zone, fold = stored
    return datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone), fold=fold)


def _dump(members: dict[str, Any]) -> str:
    return json.dumps(members, ensure_ascii=False, separators=(",", ":"))
