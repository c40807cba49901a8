"""How appointments, staff and services look on the wire."""

from __future__ import annotations

import json
import secrets
from datetime import datetime
from typing import Any

from calferry.sandbox.messages import JsonObject, Response

from .switches import AgendizeSwitches
from .world import AgendizeWorld, Appointment, Bookable, Company, Service, Staff

_CHARSETS = {
    "utf-8": ("utf-8", "application/json; charset=UTF-8"),
    "latin-1": ("latin-1", "application/json; charset=ISO-8859-1"),
    "latin-1 undeclared": ("latin-1", "application/json"),
}


class Rows:
    """Renders the truth as the switches have it."""

    def __init__(self, world: AgendizeWorld, switches: AgendizeSwitches) -> None:
        self._world = world
        self._switches = switches

    def appointment(self, row: Appointment, *, full: bool, fields: tuple[str, ...] = ()) -> JsonObject:
        """An "Appointments resource": the whole of it, or what `levelDetail=light` leaves; a stub once deleted."""
        if row.deleted is not None:
            return {"id": row.id} | self._deleted(row, row.deleted)
        content = self._light(row)
        if full:
            content = _merged(content, self._full(row))
        return {name: part for name, part in content.items() if not fields or name in fields}

    def company(self, company: Company) -> JsonObject:
        """A company with the zone its appointments are booked in. Vendor page: "Companies", the resource."""
        content: JsonObject = {"id": company.id, "name": company.name, "timeZone": self._zone_name(company.time_zone)}
        if company.address:
            content["address"] = {"street": company.address}
        return content | ({"currency": company.currency} if company.currency else {})

    def staff(self, member: Staff) -> JsonObject:
        """A staff member: the one place where the e-mail address is found."""
        names = {"firstName": member.first, "lastName": member.last}
        return {"id": member.id, **names, "email": member.email, "role": "staff"}

    def service(self, service: Service) -> JsonObject:
        """A service; `duration` in minutes, `price` an amount. Vendor page: "Services", the resource."""
        content: JsonObject = {"id": service.id, "name": service.name, "duration": service.minutes}
        return content | ({} if service.price is None else {"price": service.price})

    def bookable(self, one: Bookable) -> JsonObject:
        """A resource, or a service resource. Vendor pages: "Resources" and "Service Resources", the resources."""
        content: JsonObject = {"id": one.id, "name": one.name}
        return content | ({"quantity": 1} if one.beside else {"duration": one.minutes, "count": 1})

    def response(self, content: JsonObject) -> Response:
        """Encode a body as the switches have it."""
        encoding, content_type = _CHARSETS[self._switches.charset]
        text = json.dumps(self._dressed(content), ensure_ascii=False)
        return Response(200, text.encode(encoding, "xmlcharrefreplace"), content_type)

    def _light(self, row: Appointment) -> JsonObject:
        world, switches = self._world, self._switches
        company = world.companies[row.company]
        end = world.span(row)[1].astimezone(world.zone(row)).replace(tzinfo=None)
        content: JsonObject = {
            "id": row.id,
            "reference": row.reference,
            "company": {"id": company.id, "name": company.name},
            "start": self._wall(row, row.start),
            "end": self._wall(row, end),
            "created": self._wall(row, row.created.astimezone(world.zone(row)).replace(tzinfo=None)),
            "status": row.status,
            "type": row.type,
        }
        if row.staff:
            staff = world.staff[row.staff]
            content["staff"] = {"id": staff.id, "firstName": staff.first, "lastName": staff.last}
        if row.meta_event:
            content["meta-event"] = True
        if row.custom_status:
            content["customStatus"] = row.custom_status._asdict()
            if switches.omit_status:
                del content["status"]
        content |= self._booked(row)
        if row.id in switches.broken_starts:
            content["start"]["dateTime"] = "0000-00-00T00:00:00"
        if row.type != "personal":
            names = {"firstName": row.client.first, "lastName": row.client.last}
            content["client"] = {"id": row.client_id, **names, "email": row.client.email}
        return content | self._synchronization(row)

    def _synchronization(self, row: Appointment) -> JsonObject:
        """What the vendor's own synchronisation has written."""
        always = {"googleCalendar": f"agendize{row.id}"} if self._switches.google_synchronization else {}
        written = always | dict(row.written)
        events = {service: {"id": event} for service, event in written.items()}
        return {"synchronization": events} if events else {}

    def _booked(self, row: Appointment) -> JsonObject:
        """What is booked: a service, a resource in its place, or service resources beside it."""
        parts = [self._world.bookables[one] for one in row.resources]
        named = [({"id": one.id, "name": one.name}, one.beside) for one in parts]
        content: JsonObject = {}
        if row.service and not self._switches.omit_service:
            content["service"] = {"id": row.service, "name": self._world.services[row.service].name}
        if alone := [part for part, beside in named if not beside]:
            content["resource"] = alone[0]
        if several := [part for part, beside in named if beside]:
            content["service-resource"] = several
        return content

    def _link(self, row: Appointment, nonce: str) -> JsonObject:
        """The link to the reschedule page: only while the end is ahead."""
        if self._world.span(row)[1] <= self._world.now():
            return {}
        link = f"https://booking.example/reschedule?id={row.reference if self._switches.stable_links else nonce}"
        return {"rescheduleLink": {"link": link} if self._switches.link_objects else link}

    def _priced(self, row: Appointment) -> JsonObject:
        """The price: only if the service has one."""
        amount = self._world.services[row.service].price if row.service else None
        currency = self._world.companies[row.company].currency
        return {} if amount is None else {"price": {"amount": amount, "currency": currency}}

    def _full(self, row: Appointment) -> JsonObject:
        # Some members differ from one reading to the next although nothing was changed: links that are signed anew.
        nonce = secrets.token_urlsafe(12)
        zone = self._world.zone(row)
        content: JsonObject = (
            {
                "notes": row.notes,
                "form": [],
                "paid": "false",
                "location": row.place.location,
                "encryptedId": nonce,
                "extendedProperties": {"private": {}, "public": {}},
                "history": [self._event(row, instant.astimezone(zone), text) for instant, text in row.history],
            }
            | self._link(row, nonce)
            | self._priced(row)
            | ({"deleted": {"dateTime": None, "timeZone": None}} if self._switches.empty_deleted else {})
        )
        if row.place.custom:
            content["locationCustom"] = row.place.custom
        if row.place.video_link:
            content["onlineMeeting"] = {"provider": "teams", "videoLink": row.place.video_link}
        if row.type != "personal":
            content["client"] = {"phone": row.client.phone, "mobilePhone": row.client.phone}
        return content

    def _event(self, row: Appointment, when: datetime, text: str) -> JsonObject:
        return {"text": text, "type": text, "date": self._wall(row, when.replace(tzinfo=None))}

    def _wall(self, row: Appointment, wall: datetime) -> JsonObject:
        content = {"dateTime": wall.isoformat(timespec="seconds")}
        if not self._switches.omit_time_zone:
            content["timeZone"] = self._zone_name(self._world.companies[row.company].time_zone)
        return content

    def _zone_name(self, name: str) -> str:
        return self._switches.zone_aliases.get(name, name)

    def _deleted(self, row: Appointment, when: datetime) -> JsonObject:
        match self._switches.deleted_marker:
            case "flag":
                return {"deleted": True}
            case "date":
                return {"deleted": self._wall(row, when.astimezone(self._world.zone(row)).replace(tzinfo=None))}
            case "status":
                return {"status": "deleted"}
            case "none":
                return {}

    def _dressed(self, part: Any, name: str = "") -> Any:
        match part:
            case dict():
                return {key: self._dressed(value, key) for key, value in part.items()}
            case list():
                return [self._dressed(value) for value in part]
            case str() if name == "id" and self._switches.integer_ids and part.isdigit():
                return int(part)
            case str() if self._switches.html_entities:
                return part.encode("ascii", "xmlcharrefreplace").decode()
        return part


def straddles(span: tuple[datetime, datetime], window: tuple[datetime, datetime], border: str) -> bool:
    """Whether a span lies in an open window: entirely (`containment`), or with any part of it (`overlap`)."""
    (start, end), (opens, closes) = span, window
    if border == "containment":
        return opens < start and end < closes
    return opens < end and start < closes


def _merged(light: JsonObject, more: JsonObject) -> JsonObject:
    client = light.get("client", {}) | more.get("client", {})
    return light | more | ({"client": client} if client else {})
