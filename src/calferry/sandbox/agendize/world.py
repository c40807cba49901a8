"""The truth of the booking system: companies, their staff and services, and what is booked."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]

STATUSES = frozenset({"completed", "noShow", "accepted", "pending", "declined", "cancelled", "inProgress"})
OFF = frozenset({"cancelled", "declined"})


class Client(NamedTuple):
    """Who comes: made-up people only."""

    first: str
    last: str
    email: str
    phone: str


class Booked(NamedTuple):
    """One appointment that takes place, for a judge; both instants are aware and in UTC.

    `session` is the same text for all bookings of one group session, empty for any other.
    """

    id: str
    staff_email: str
    start: datetime
    end: datetime
    service: str
    client: str
    status: str
    session: str = ""


@dataclass(slots=True)
class Company:
    """`time_zone` is an IANA name; appointments are booked in its wall time."""

    id: str
    name: str
    time_zone: str
    withdrawn: bool = False
    address: str = ""
    currency: str = ""


@dataclass(slots=True)
class Staff:
    """A staff member; the e-mail address is nowhere but in the staff listing."""

    id: str
    company: str
    first: str
    last: str
    email: str


@dataclass(slots=True)
class Service:
    """What can be booked; `minutes` is its usual length, `price` an amount in the company's currency."""

    id: str
    company: str
    name: str
    minutes: int
    price: float | None = None


@dataclass(slots=True)
class Bookable:
    """A room, a seat, a machine: booked in place of a service, or (`beside`) together with one."""

    id: str
    company: str
    name: str
    minutes: int
    beside: bool


class Custom(NamedTuple):
    """A custom status."""

    id: str
    name: str


class Place(NamedTuple):
    """Where an appointment takes place, in the vendor's words, and the link to its video conference."""

    location: str = "companyAddress"
    custom: str = ""
    video_link: str = ""


AT_THE_COMPANY = Place()


@dataclass(frozen=True, slots=True)
class Appointment:
    """One booking. `start` is naive wall time of the company's zone, its `fold` kept; `created` is aware, in UTC.

    `staff` and `service` are empty where a resource alone is booked. `written` are the events that the vendor's own
    synchronisation wrote: the member of `synchronization`, and the id.
    """

    id: str
    reference: str
    company: str
    staff: str
    service: str
    start: datetime
    minutes: int
    client: Client
    client_id: str
    status: str
    notes: str
    type: str
    created: datetime
    resources: tuple[str, ...] = ()
    custom_status: Custom | None = None
    place: Place = AT_THE_COMPANY
    meta_event: bool = False
    written: tuple[tuple[str, str], ...] = ()
    deleted: datetime | None = None
    history: tuple[tuple[datetime, str], ...] = field(default=())


def utc_now() -> datetime:
    """The clock of a world that is not given one."""
    return datetime.now(UTC)


class AgendizeWorld:
    """What is true at the booking system. Every method is atomic; the change counter feeds sync tokens."""

    def __init__(self, now: Clock = utc_now) -> None:
        self.now = now
        self.lock = threading.RLock()
        self.companies: dict[str, Company] = {}
        self.staff: dict[str, Staff] = {}
        self.services: dict[str, Service] = {}
        self.bookables: dict[str, Bookable] = {}
        self.appointments: dict[str, Appointment] = {}
        self.references: dict[str, str] = {}
        self.changed: dict[str, int] = {}
        self.revision = 0
        self.token_era = 0
        self._last_id = 13804500
        self.listeners: list[Callable[[Appointment, str], None]] = []

    # Setting the scene

    def add_company(self, company: str, name: str, time_zone: str, *, address: str = "", currency: str = "") -> None:
        """Open a company in an IANA zone; ZoneInfoNotFoundError for any other."""
        ZoneInfo(time_zone)
        with self.lock:
            self.companies[company] = Company(company, name, time_zone, address=address, currency=currency)

    def add_staff(self, company: str, first: str, last: str, email: str) -> str:
        """Hire; returns the staff id."""
        with self.lock:
            member = Staff(self._next_id(), self.companies[company].id, first, last, email)
            self.staff[member.id] = member
            return member.id

    def add_service(self, company: str, name: str, minutes: int, price: float | None = None) -> str:
        """Offer a service; returns its id."""
        with self.lock:
            service = Service(self._next_id(), self.companies[company].id, name, minutes, price)
            self.services[service.id] = service
            return service.id

    def add_bookable(self, company: str, name: str, minutes: int = 0, *, beside: bool = False) -> str:
        """Offer a resource, in place of services or beside them; returns its id."""
        with self.lock:
            bookable = Bookable(self._next_id(), self.companies[company].id, name, minutes, beside)
            self.bookables[bookable.id] = bookable
            return bookable.id

    def rename_bookable(self, bookable: str, name: str) -> None:
        """Rename a resource: likewise silent."""
        with self.lock:
            self.bookables[bookable].name = name

    def rename_service(self, service: str, name: str) -> None:
        """Rename a service: its appointments show the new name, and no delta says so."""
        with self.lock:
            self.services[service].name = name

    def rename_staff(self, staff: str, first: str, last: str) -> None:
        """Rename a staff member: likewise silent."""
        with self.lock:
            self.staff[staff].first, self.staff[staff].last = first, last

    def set_staff_email(self, staff: str, email: str) -> None:
        """Give a staff member another address: likewise silent."""
        with self.lock:
            self.staff[staff].email = email

    def withdraw_company(self, company: str, *, withdrawn: bool = True) -> None:
        """Hide a company from these credentials (404); what is booked there stays true."""
        with self.lock:
            self.companies[company].withdrawn = withdrawn

    def expire_tokens(self) -> None:
        """Forget every sync token issued so far."""
        with self.lock:
            self.token_era += 1

    # What happens to appointments

    def book(  # noqa: PLR0913 (keyword-only; the vendor's row has that many members)
        self,
        company: str,
        *,
        staff: str = "",
        service: str = "",
        resources: tuple[str, ...] = (),
        start: datetime,
        minutes: int | None = None,
        client: tuple[str, str, str, str] = ("Ann", "Example", "ann@client.example", "+1 514 555 0100"),
        status: str = "accepted",
        notes: str = "",
        type: str = "normal",  # noqa: A002 (the vendor's word)
        meta_event: bool = False,
    ) -> str:
        """Book at a naive wall time of the company's zone, for the usual length of what is booked unless told; returns
        the id."""
        with self.lock:
            number = self._next_id()
            digest = hashlib.sha256(number.encode()).hexdigest()
            self._put(
                Appointment(
                    id=number,
                    reference=digest[:10].upper(),
                    company=self.companies[company].id,
                    staff=self.staff[staff].id if staff else "",
                    service=self.services[service].id if service else "",
                    resources=tuple(self.bookables[one].id for one in resources),
                    start=_naive(start),
                    minutes=minutes or self._usual_minutes(service, *resources),
                    client=Client(*client),
                    client_id=str(int(digest[8:14], 16)),
                    status=_known(status),
                    notes=notes,
                    type=type,
                    meta_event=meta_event,
                    created=self.now(),
                ),
                "created",
            )
            return number

    def move(self, appointment: str, start: datetime, minutes: int | None = None) -> None:
        """Reschedule to another naive wall time, with another length if given."""
        with self._changing(appointment) as was:
            self._put(replace(was, start=_naive(start), minutes=minutes or was.minutes), "rescheduled")

    def reassign(self, appointment: str, staff: str) -> None:
        """Give the appointment to another staff member."""
        with self._changing(appointment) as was:
            self._put(replace(was, staff=self.staff[staff].id), "updated")

    def set_status(self, appointment: str, status: str) -> None:
        """Set one of the vendor's native statuses; ValueError for any other."""
        with self._changing(appointment) as was:
            self._put(replace(was, status=_known(status), custom_status=None), status)

    def set_custom_status(self, appointment: str, number: str, name: str) -> None:
        """Give an appointment a status of the company's own making."""
        with self._changing(appointment) as was:
            self._put(replace(was, custom_status=Custom(number, name)), name)

    def place(self, appointment: str, location: str, *, custom: str = "", video_link: str = "") -> None:
        """Say where it takes place."""
        with self._changing(appointment) as was:
            self._put(replace(was, place=Place(location, custom, video_link)), "updated")

    def rebook(self, appointment: str, *resources: str) -> None:
        """Let it occupy other resources."""
        with self._changing(appointment) as was:
            self._put(replace(was, resources=tuple(self.bookables[one].id for one in resources)), "updated")

    def flag(self, appointment: str, *, meta_event: bool) -> None:
        """Make a booking one of a group session, or of its own."""
        with self._changing(appointment) as was:
            self._put(replace(was, meta_event=meta_event), "updated")

    def write_itself(self, appointment: str, service: str, event: str) -> None:
        """The vendor's own synchronisation has written the appointment into a calendar of that service."""
        with self._changing(appointment) as was:
            self._put(replace(was, written=((service, event),) if event else ()), "updated")

    def edit_notes(self, appointment: str, notes: str) -> None:
        """Rewrite the notes."""
        with self._changing(appointment) as was:
            self._put(replace(was, notes=notes), "updated")

    def cancel(self, appointment: str) -> None:
        """Cancel: the row stays listed with its status."""
        self.set_status(appointment, "cancelled")

    def delete(self, appointment: str) -> None:
        """Delete for good: only a stub is left, for those who ask to see deleted rows."""
        with self._changing(appointment) as was:
            self._put(replace(was, deleted=self.now()), "deleted")

    def restore(self, appointment: str) -> None:
        """Bring a cancelled or deleted appointment back, accepted, under its old id."""
        with self._changing(appointment) as was:
            self._put(replace(was, deleted=None, status="accepted"), "accepted")

    # The truth, for a judge

    def zone(self, appointment: Appointment) -> ZoneInfo:
        """The zone an appointment's wall times belong to."""
        return ZoneInfo(self.companies[appointment.company].time_zone)

    def span(self, appointment: Appointment) -> tuple[datetime, datetime]:
        """Start and end as instants in UTC; a wall time within a gap is carried forward by the gap's length."""
        start = appointment.start.replace(tzinfo=self.zone(appointment)).astimezone(UTC)
        return start, start + timedelta(minutes=appointment.minutes)

    def live(self) -> Iterator[Booked]:
        """What takes place: neither cancelled, declined nor deleted, personal appointments excluded."""
        with self.lock:
            rows = [row for row in self.appointments.values() if _takes_place(row)]
            booked = [self._booked(row) for row in rows]
        yield from booked

    def _booked(self, row: Appointment) -> Booked:
        start, end = self.span(row)
        client = f"{row.client.first} {row.client.last}"
        staff = self.staff[row.staff].email if row.staff else ""
        session = f"{row.service or row.resources} {row.staff} {start} {end}" if row.meta_event else ""
        return Booked(row.id, staff, start, end, self.offer(row), client, row.status, session)

    def offer(self, row: Appointment) -> str:
        """The name of what is booked: the service, or the resources in its place."""
        return (
            self.services[row.service].name
            if row.service
            else ", ".join(self.bookables[one].name for one in row.resources)
        )

    def _usual_minutes(self, service: str, *resources: str) -> int:
        return (
            self.services[service].minutes
            if service
            else max((self.bookables[one].minutes for one in resources), default=30)
        )

    # Book-keeping

    @contextmanager
    def _changing(self, appointment: str) -> Iterator[Appointment]:
        with self.lock:
            yield self.appointments[appointment]

    def _put(self, row: Appointment, event: str) -> None:
        self.revision += 1
        self.appointments[row.id] = replace(row, history=(*row.history, (self.now(), event)))
        self.references[row.reference] = row.id
        self.changed[row.id] = self.revision
        for tell in self.listeners:
            tell(row, event)

    def _next_id(self) -> str:
        self._last_id += 1
        return str(self._last_id)


def _takes_place(row: Appointment) -> bool:
    return row.deleted is None and row.status not in OFF and row.type != "personal"


def _naive(start: datetime) -> datetime:
    if start.tzinfo is not None:
        msg = "appointments are booked in naive wall time of the company's zone"
        raise ValueError(msg)
    return start


def _known(status: str) -> str:
    if status not in STATUSES:
        msg = f"no such status: {status!r}"
        raise ValueError(msg)
    return status
