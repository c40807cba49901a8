"""What Agendize's rows say: pure functions from its JSON to the model.

Vendor's page: "Appointments" of the v2.1 scheduling reference, the resource.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from calferry.errors import Refused
from calferry.model import Appointment, Contact, Owner, Status
from calferry.moments import span, utc, wall_clock

Row = Mapping[str, Any]

CANCELLED = frozenset({"cancelled", "canceled", "declined"})


def to_appointment(
    row: Row, account: str, *, zone: ZoneInfo | None = None, minutes: Mapping[str, int] | None = None
) -> Appointment:
    """An "Appointments" resource as an appointment of `account`.

    `zone` is the company's, for times that name none. `minutes` are the lengths of services by id, for rows without an
    end. Raises Refused, with a reason free of personal data, for what cannot be read.
    """
    start, end = _times(row, zone, minutes or {})
    said = text_of(row.get("status"))
    service, staff, client = part_of(row, "service"), part_of(row, "staff"), part_of(row, "client")
    return Appointment(
        source=account,
        source_id=id_of(row),
        start=start,
        end=end,
        status=_status(said),
        said=said,
        owners=_owners(staff),
        reference=text_of(row.get("reference")),
        custom_status=shown(part_of(row, "customStatus").get("name")),
        kind=text_of(row.get("type")),
        service=shown(service.get("name")) or shown(part_of(row, "resource").get("name")),
        description=shown(row.get("notes")),
        location=_location(row),
        url=_link(row),
        contact=_contact(client),
        price=_price(row.get("price")),
        uses=tuple(f"{kind}/{key}" for kind in ("staff", "service", "company") if (key := id_of(part_of(row, kind)))),
    )


def id_of(row: Row) -> str:
    """The id of a row as text, whether it came as text or as a number; empty when there is none."""
    return text_of(row.get("id"))


def deletion_in(row: Row) -> str:
    """What in a row says that it is no booking any more; empty when nothing does.

    How deletions look is not documented, so only a mark in so many words counts. Personal appointments are nobody's
    booking, and are not asked for.
    """
    if said := deletion_mark(row.get("deleted")):
        return f"Agendize lists it with deleted: {said}"
    if text_of(row.get("status")).casefold() == "deleted":
        return "Agendize lists it with status: deleted"
    if text_of(row.get("type")).casefold() == "personal":
        return "Agendize holds it as the staff's own time (type: personal)"
    return ""


def is_bare(row: Row) -> bool:
    """Whether a row holds nothing but its id: it says nothing of the appointment, least of all that it was deleted."""
    return row.keys() <= {"id"}


def lacks_zone(row: Row) -> bool:
    """Whether one of a row's times needs the company's time zone to be understood."""
    times = (part_of(row, "start"), part_of(row, "end"))
    return any(text_of(time.get("dateTime")) and not text_of(time.get("timeZone")) for time in times)


def lacks_end(row: Row) -> bool:
    """Whether a row needs the length of its service to have an end."""
    return not text_of(part_of(row, "end").get("dateTime")) and bool(id_of(part_of(row, "service")))


def _times(row: Row, zone: ZoneInfo | None, minutes: Mapping[str, int]) -> tuple[datetime, datetime]:
    start = _moment(part_of(row, "start"), zone, "start")
    ending = part_of(row, "end")
    try:
        if not text_of(ending.get("dateTime")):
            length = timedelta(minutes=minutes.get(id_of(part_of(row, "service")), 0))
            return start, (utc(start) + length).astimezone(start.tzinfo)
        return span(start, _moment(ending, zone, "end"))
    except (ValueError, OverflowError):
        msg = "it ends before it starts, or beyond the calendar"
        raise Refused(msg) from None


def _moment(time: Row, company_zone: ZoneInfo | None, which: str) -> datetime:
    named = text_of(time.get("timeZone"))
    zone = zone_of(named) if named else company_zone
    if zone is None:
        msg = f"its {which} has no time zone that is known here"
        raise Refused(msg)
    text = text_of(time.get("dateTime"))
    try:
        wall = datetime.fromisoformat(text) if "T" in text or " " in text else None
        if wall is not None:
            return wall_clock(wall, zone) if wall.tzinfo is None else wall.astimezone(zone)
    except (ValueError, OverflowError):
        pass
    msg = f"its {which} is no date and time"
    raise Refused(msg)


def _status(said: str) -> Status:
    if said.casefold() in CANCELLED:
        return Status.CANCELLED
    return Status.TENTATIVE if said.casefold() == "pending" else Status.CONFIRMED


def _owners(staff: Row) -> tuple[Owner, ...]:
    key = id_of(staff)
    return (Owner(key=key, name=full_name(staff)),) if key else ()


def _contact(client: Row) -> Contact:
    """The client; `client.timeZone` is how the client reads the clock, and says nothing of the appointment."""
    return Contact(
        first_name=shown(client.get("firstName")),
        last_name=shown(client.get("lastName")),
        email=text_of(client.get("email")),
        phone=text_of(client.get("phone")) or text_of(client.get("mobilePhone")),
    )


def _location(row: Row) -> str:
    """What is written by hand. The company's address is found in the company's resource."""
    standard = text_of(row.get("location")) in {"companyAddress", "videoconference", "phone"}
    return "" if standard else shown(row.get("locationCustom"))


def _link(row: Row) -> str:
    link = text_of(part_of(row, "onlineMeeting").get("videoLink"))
    return link if link.startswith(("https://", "http://")) else ""


def _price(price: Any) -> str:
    if not isinstance(price, dict):
        return text_of(price)
    amount = price.get("amount")
    figure = str(amount) if isinstance(amount, float) else text_of(amount)
    return f"{figure} {text_of(price.get('currency'))}".strip() if figure else ""


def deletion_mark(deleted: Any) -> str:
    """What a `deleted` member says, where it says yes: `true` in any spelling, or when."""
    if isinstance(deleted, dict):
        return text_of(deleted.get("dateTime")) or ("{…}" if deleted else "")
    said = str(deleted).lower() if isinstance(deleted, bool) else text_of(deleted)
    if said.casefold() in {"true", "1", "yes"}:
        return said
    try:
        return datetime.fromisoformat(said).isoformat() if "-" in said else ""
    except ValueError:
        return ""


def full_name(person: Row) -> str:
    """First and last name as one text for people."""
    return f"{shown(person.get('firstName'))} {shown(person.get('lastName'))}".strip()


def zone_of(name: str) -> ZoneInfo | None:
    """A time zone by its IANA name, old or new; None for what the database does not know."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; no such path; a directory of the database
        return None


def minutes_of(service: Row) -> int:
    """The length of a service; 0 when it is not told."""
    text = text_of(service.get("duration"))
    return int(text) if re.fullmatch("[0-9]{1,5}", text) else 0


def address_of(address: Any) -> str:
    """A postal address in one line, whether it came as text or in parts."""
    parts = address.values() if isinstance(address, dict) else [address]
    return ", ".join(text for part in parts if (text := shown(part)))


def part_of(row: Row, name: str) -> Row:
    """A member that is itself an object; an empty one when it is missing or something else."""
    part = row.get(name)
    return part if isinstance(part, dict) else {}


def text_of(value: Any) -> str:
    """A member as text that every ledger and calendar can hold: NFC, no NUL, no lone surrogates; numbers as text."""
    text: str = value if isinstance(value, str) else _figure(value)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text.encode("utf-8", "ignore").decode("utf-8"))
    return text.replace("\0", "").strip()


def shown(value: Any) -> str:
    """A text for people. Some of Agendize's own clients store entities (`&#233;`) in place of letters."""
    text = text_of(value)
    return text_of(re.sub(r"&#?\w+;", lambda entity: html.unescape(entity[0]), text)) if "&" in text else text


def _figure(value: Any) -> str:
    """A whole number as text: ids come as either."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""
