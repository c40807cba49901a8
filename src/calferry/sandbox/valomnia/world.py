"""The truth of the sales organisation: its employees and customers, and who visits whom when."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

Clock = Callable[[], datetime]


class Visit(NamedTuple):
    """One appointment that stands, for a judge; both instants are aware and in UTC."""

    id: str
    user_email: str
    start: datetime
    end: datetime | None
    category: str
    customer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """Any record: `created` and `updated` are aware, in UTC, and finer than what the API prints."""

    id: str
    reference: str
    created: datetime
    updated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Stamped):
    """A login. `reference` is that of its employee; the e-mail address is nowhere else."""

    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Employee(Stamped):
    first: str
    last: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Category(Stamped):
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer(Stamped):
    """A company, as a rule: one name."""

    name: str
    email: str = ""
    phone: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact(Stamped):
    """Who works at a customer's."""

    customer: str
    first: str
    last: str
    email: str
    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment(Stamped):
    """One appointment; `start` and `end` are aware, in UTC. Nothing keeps the end behind the start."""

    title: str
    note: str | None
    start: datetime
    end: datetime | None
    done: bool
    user: str
    customer: str | None
    category: str
    contacts: tuple[str, ...]


def utc_now() -> datetime:
    """The clock of a world that is not given one."""
    return datetime.now(UTC)


class ValomniaWorld:
    """What is true at one organisation. Every method is atomic.

    `commit_after` is how long after its stamp a change of an appointment becomes visible: a record is stamped before
    its transaction is committed.
    """

    def __init__(self, now: Clock = utc_now) -> None:
        self.now = now
        self.lock = threading.RLock()
        self.commit_after = timedelta(0)
        self.users: dict[str, User] = {}
        self.employees: dict[str, Employee] = {}
        self.categories: dict[str, Category] = {}
        self.customers: dict[str, Customer] = {}
        self.contacts: dict[str, Contact] = {}
        self.appointments: dict[str, Appointment] = {}
        self._visible: dict[str, Appointment] = {}
        self._uncommitted: list[tuple[datetime, str, Appointment | None]] = []
        self._last_id = 0

    # Setting the scene

    def add_employee(self, first: str, last: str, email: str, reference: str = "") -> str:
        """Hire an employee and give out a login; returns the id of the user, which is not that of the employee."""
        with self.lock:
            employee = Employee(**self._stamped(reference or f"emp{self._last_id + 1:02}"), first=first, last=last)
            self.employees[employee.id] = employee
            user = User(**self._stamped(employee.reference), email=email)
            self.users[user.id] = user
            return user.id

    def add_category(self, name: str, reference: str = "") -> str:
        """Offer a kind of appointment; returns its id."""
        with self.lock:
            category = Category(**self._stamped(reference), name=name)
            self.categories[category.id] = category
            return category.id

    def add_customer(self, name: str, *, email: str = "", phone: str = "", address: str = "") -> str:
        """Win a customer; returns the id."""
        with self.lock:
            customer = Customer(**self._stamped(""), name=name, email=email, phone=phone, address=address)
            self.customers[customer.id] = customer
            return customer.id

    def add_contact(self, customer: str, first: str, last: str, email: str = "", phone: str = "") -> str:
        """Get to know somebody at a customer's; returns the id."""
        with self.lock:
            at = self.customers[customer].id
            contact = Contact(**self._stamped(""), customer=at, first=first, last=last, email=email, phone=phone)
            self.contacts[contact.id] = contact
            return contact.id

    def rename_customer(self, customer: str, name: str) -> None:
        """The customer's own stamp moves, that of its appointments does not."""
        with self.lock:
            self.customers[customer] = replace(self.customers[customer], name=name, updated=self.now())

    def rename_category(self, category: str, name: str) -> None:
        """Likewise."""
        with self.lock:
            self.categories[category] = replace(self.categories[category], name=name, updated=self.now())

    def set_email(self, user: str, email: str) -> None:
        """Give a user another address: likewise."""
        with self.lock:
            self.users[user] = replace(self.users[user], email=email, updated=self.now())

    # What happens to appointments

    def book(  # noqa: PLR0913 (keyword-only; the vendor's row has that many members)
        self,
        *,
        user: str,
        category: str,
        start: datetime,
        end: datetime | None,
        customer: str | None = None,
        contacts: tuple[str, ...] = (),
        title: str = "Visit",
        note: str | None = None,
    ) -> str:
        """Book from one instant to another (aware); returns the id."""
        with self.lock:
            number = str(self._last_id + 1)
            row = Appointment(
                **self._stamped(f"Ref-{number}"),
                title=title,
                note=note,
                start=start.astimezone(UTC),
                end=end.astimezone(UTC) if end else None,
                done=False,
                user=self.users[user].id,
                customer=self.customers[customer].id if customer else None,
                category=self.categories[category].id,
                contacts=tuple(self.contacts[contact].id for contact in contacts),
            )
            self._put(row.id, row)
            return number

    def move(self, appointment: str, start: datetime, end: datetime | None) -> None:
        """Reschedule."""
        moved = (start.astimezone(UTC), end.astimezone(UTC) if end else None)
        self._change(appointment, start=moved[0], end=moved[1])

    def edit(self, appointment: str, *, title: str | None = None, note: str | None = None) -> None:
        """Rewrite the title or the note."""
        self._change(
            appointment, **{name: text for name, text in (("title", title), ("note", note)) if text is not None}
        )

    def finish(self, appointment: str, *, done: bool = True) -> None:
        """Mark as done, the only status there is."""
        self._change(appointment, done=done)

    def reassign(self, appointment: str, user: str, *, silently: bool = False) -> None:
        """Give the appointment to another user; whether that moves `lastUpdated` is not documented."""
        with self.lock:
            row = replace(self.appointments[appointment], user=self.users[user].id)
            self._put(appointment, row if silently else replace(row, updated=self.now()))

    def touch(self, appointment: str, updated: datetime) -> None:
        """Stamp an appointment with any instant, as an import would."""
        self._change(appointment, updated=updated.astimezone(UTC))

    def delete(self, appointment: str) -> None:
        """Delete for good: nothing is left of it."""
        with self.lock:
            self._put(appointment, None)

    # The truth

    def visible(self) -> Mapping[str, Appointment]:
        """What the API can tell at this moment: all that is committed."""
        with self.lock:
            now = self.now()
            due = [change for change in self._uncommitted if change[0] <= now]
            self._uncommitted = [change for change in self._uncommitted if change[0] > now]
            for _at, number, row in due:
                if row is None:
                    self._visible.pop(number, None)
                else:
                    self._visible[number] = row
            return self._visible

    def live(self) -> Iterator[Visit]:
        """Every appointment that was not deleted."""
        with self.lock:
            rows = [self._visit(row) for row in self.appointments.values()]
        yield from rows

    def _visit(self, row: Appointment) -> Visit:
        customer = self.customers[row.customer].name if row.customer else ""
        return Visit(
            row.id, self.users[row.user].email, row.start, row.end, self.categories[row.category].name, customer
        )

    # Book-keeping

    def _change(self, appointment: str, **members: object) -> None:
        with self.lock:
            row: Appointment = replace(self.appointments[appointment], **({"updated": self.now()} | members))  # type: ignore[arg-type]  # members of an Appointment, by name
            self._put(appointment, row)

    def _put(self, appointment: str, row: Appointment | None) -> None:
        if row is None:
            del self.appointments[appointment]
        else:
            self.appointments[appointment] = row
        self._uncommitted.append((self.now() + self.commit_after, appointment, row))

    def _stamped(self, reference: str) -> dict[str, Any]:
        self._last_id += 1
        now = self.now()
        number = str(self._last_id)
        return {"id": number, "reference": reference or f"ref-{number}", "created": now, "updated": now}
