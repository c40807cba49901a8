"""What Agendize's rows say: pure functions from its JSON to the model.

Vendor's pages: "Appointments", the resource, "Resources" and "Service Resources" of the v2.1 scheduling reference.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

from calferry.errors import Refused
from calferry.model import Appointment, Contact, Owner, Status
from calferry.moments import span, utc, wall_clock, zone_of
from calferry.sources.fields import Row, id_of, number_of, part_of, says_yes, text_of, word_of

GROUP = "meta-event"
"""What Agendize calls a booking of a group session."""

CANCELLED = frozenset({"cancelled", "canceled", "declined"})

NEXT = ("nextPageToken", "pageToken", "next", "cursor")
"""What a listing may call the token of its next page."""


def to_appointment(
    row: Row,
    account: str,
    *,
    zone: ZoneInfo | None = None,
    minutes: Mapping[str, int] | None = None,
    by_resource: bool = False,
) -> Appointment:
    """An "Appointments" resource as an appointment of `account`.

    `zone` is the company's, for times that name none. `minutes` are the lengths of what can be booked by id, for rows
    without an end. `by_resource` makes the resources of a row its owners instead of its staff, where it has any. Raises
    Refused, with a reason free of personal data, for what cannot be read.
    """
    start, end = _times(row, zone, minutes or {})
    said = text_of(row.get("status"))
    resources = booked_resources(row)
    owners = _owners(resources, "name") if by_resource and resources else _owners([part_of(row, "staff")])
    location, url = _place(row)
    return Appointment(
        source=account,
        source_id=id_of(row),
        start=start,
        end=end,
        status=_status(said),
        said=said,
        owners=owners,
        reference=text_of(row.get("reference")),
        custom_status=_custom_status(row),
        kind=GROUP if _is_group(row) else text_of(row.get("type")),
        service=shown(part_of(row, "service").get("name")) or ", ".join(_names(resources)),
        description=shown(row.get("notes")),
        location=location,
        url=url,
        contact=_contact(part_of(row, "client")),
        price=_price(row.get("price")),
        uses=tuple(_uses(row, resources if by_resource else ())),
        session=_session(row, owners, start, end),
    )


def booked_resources(row: Row) -> Sequence[Row]:
    """The resources a row books: its service-resources, or the one resource of a company without services."""
    several = row.get("service-resource")
    listed = several if isinstance(several, list) else [several]
    parts = [part for part in (*listed, row.get("resource")) if isinstance(part, dict)]
    return list({key: part for part in parts if (key := id_of(part))}.values())


def reschedule_link(row: Row) -> str:
    """The link to the page on which a client moves an appointment: a text, or an object with a text in it."""
    told = row.get("rescheduleLink")
    texts = map(text_of, told.values() if isinstance(told, dict) else [told])
    return next((text for text in texts if text.startswith(("https://", "http://"))), "")


def synchronised_with(row: Row) -> Sequence[str]:
    """The calendar services into which Agendize itself has written an appointment, by their members' names."""
    calendars = ("googleCalendar", "office365Calendar", "windowsLiveCalendar")
    return [name for name in calendars if id_of(part_of(part_of(row, "synchronization"), name))]


def written_elsewhere(row: Row) -> tuple[tuple[str, str], ...]:
    """The events that Agendize itself has written for an appointment: kind of calendar, and id there."""
    told = part_of(row, "synchronization")
    kinds = {"google": "googleCalendar", "office365": "office365Calendar"}
    ids = ((kind, id_of(part_of(told, name))) for kind, name in kinds.items())
    return tuple((kind, href) for kind, href in ids if href)


def deletion_in(row: Row) -> str:
    """What in a row says that it was deleted; empty when nothing does.

    How deletions look is not documented, so only a mark in so many words counts.
    """
    if said := deletion_mark(row.get("deleted")):
        return f"Agendize lists it with deleted: {said}"
    if text_of(row.get("status")).casefold() == "deleted":
        return "Agendize lists it with status: deleted"
    return ""


def next_page(listing: Row, sent: str) -> str:
    """The token of the page after this one, by whichever name it comes; empty on the last.

    By all names but one a token may also be that of the page that was asked for (`sent`).
    """
    told = (text_of(listing.get(name)) for name in NEXT[1:])
    return text_of(listing.get(NEXT[0])) or next((token for token in told if token not in ("", sent)), "")


def is_personal(row: Row) -> bool:
    """Whether a row is the staff's own time, and no booking."""
    return text_of(row.get("type")).casefold() == "personal"


def lacks_zone(row: Row) -> bool:
    """Whether one of a row's times needs the company's time zone to be understood."""
    times = (part_of(row, "start"), part_of(row, "end"))
    return any(text_of(time.get("dateTime")) and not text_of(time.get("timeZone")) for time in times)


def lacks_end(row: Row) -> bool:
    """Whether a row needs the length of what is booked to have an end."""
    return not text_of(part_of(row, "end").get("dateTime")) and bool(_booked(row))


def _times(row: Row, zone: ZoneInfo | None, minutes: Mapping[str, int]) -> tuple[datetime, datetime]:
    start = _moment(part_of(row, "start"), zone, "start")
    ending = part_of(row, "end")
    try:
        if not text_of(ending.get("dateTime")):
            length = timedelta(minutes=minutes.get(_booked(row), 0))
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


def _booked(row: Row) -> str:
    """The id of what is booked: a service, or a resource in its place."""
    return id_of(part_of(row, "service")) or id_of(part_of(row, "resource"))


def _is_group(row: Row) -> bool:
    return says_yes(row.get(GROUP)) and not is_personal(row)


def _session(row: Row, owners: Iterable[Owner], start: datetime, end: datetime) -> str:
    """What the bookings of one group session have in common. There is nothing else: no id that they share."""
    if not _is_group(row):
        return ""
    return "/".join(
        [_booked(row), *(owner.key for owner in owners), *(f"{utc(when):%Y%m%dT%H%MZ}" for when in (start, end))]
    )


def _owners(parts: Iterable[Row], name: str = "") -> tuple[Owner, ...]:
    """Those of the parts that have an id, called by a member or by first and last name."""
    return tuple(
        Owner(key=key, name=shown(part.get(name)) if name else full_name(part))
        for part in parts
        if (key := id_of(part))
    )


def _names(resources: Iterable[Row]) -> list[str]:
    return [name for resource in resources if (name := shown(resource.get("name")))]


def _uses(row: Row, resources: Iterable[Row]) -> Iterator[str]:
    for kind in ("staff", "service", "company"):
        if key := id_of(part_of(row, kind)):
            yield f"{kind}/{key}"
    for resource in resources:
        yield f"resource/{id_of(resource)}"


def _custom_status(row: Row) -> str:
    """The custom status by its name; by its id where a row tells no name."""
    custom = part_of(row, "customStatus")
    return shown(custom.get("name")) or id_of(custom)


def _contact(client: Row) -> Contact:
    """The client; `client.timeZone` is how the client reads the clock, and says nothing of the appointment."""
    return Contact(
        first_name=shown(client.get("firstName")),
        last_name=shown(client.get("lastName")),
        email=text_of(client.get("email")),
        phone=text_of(client.get("phone")) or text_of(client.get("mobilePhone")),
    )


def _place(row: Row) -> tuple[str, str]:
    """Where it takes place, as a text and as a link.

    Neither stands for the company's address, which is found in the company's resource. What takes place nowhere says so
    in Agendize's own word, lest that address be shown for it.
    """
    kind = text_of(row.get("location"))
    link = text_of(part_of(row, "onlineMeeting").get("videoLink"))
    link = link if link.startswith(("https://", "http://")) else ""
    match kind:
        case "companyAddress":
            return "", ""
        case "custom":
            return shown(row.get("locationCustom")), ""
        case "phone":
            return kind, ""
        case "videoconference":
            return "" if link else kind, link
        case _:
            return shown(row.get("locationCustom")), link


def _price(price: Any) -> str:
    if not isinstance(price, dict):
        return text_of(price)
    return price_of(price.get("amount"), text_of(price.get("currency")))


def price_of(amount: Any, currency: str) -> str:
    """A price as people write it; empty where there is no amount."""
    whole = not isinstance(amount, float) or amount.is_integer() or not isfinite(amount)
    figure = text_of(amount) if whole else f"{amount:.2f}"
    return f"{figure} {currency}".strip() if figure else ""


def deletion_mark(deleted: Any) -> str:
    """What a `deleted` member says, where it says yes: `true` in any spelling, or when.

    An object without a date says nothing, whatever else it holds: a member may be there, empty, in every row.
    """
    if isinstance(deleted, dict):
        deleted = text_of(deleted.get("dateTime"))
    said = word_of(deleted)
    if says_yes(deleted):
        return said
    try:
        return datetime.fromisoformat(said).isoformat() if "-" in said else ""
    except ValueError:
        return ""


def full_name(person: Row) -> str:
    """First and last name as one text for people."""
    return f"{shown(person.get('firstName'))} {shown(person.get('lastName'))}".strip()


def minutes_of(service: Row) -> int:
    """The length of a service; 0 when it is not told."""
    return number_of(service.get("duration"), digits=5) or 0


def address_of(address: Any) -> str:
    """A postal address in one line, whether it came as text or in parts."""
    parts = address.values() if isinstance(address, dict) else [address]
    return ", ".join(text for part in parts if (text := shown(part)))


def shown(value: Any) -> str:
    """A text for people. Some of Agendize's own clients store entities (`&#233;`) in place of letters."""
    text = text_of(value)
    return text_of(re.sub(r"&#?\w+;", lambda entity: html.unescape(entity[0]), text)) if "&" in text else text
