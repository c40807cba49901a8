"""The three booking systems as places where things happen: what each one knows to do, and what is true there.

What is true is read from the sandbox's worlds alone. Nothing here asks calferry.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from calferry.sandbox import AgendizeServer, ClicrdvServer, Sandbox, ValomniaServer

ZONE = ZoneInfo("Europe/Paris")
AUTUMN, SPRING = datetime(2026, 10, 25, 2, 15), datetime(2027, 3, 28, 2, 30)
"""A wall time that comes twice, and one that never comes."""

FIRST, LAST = date(2026, 9, 28), date(2027, 11, 10)
"""The days on which anything is booked: well within the usual window of thirty days back and 400 ahead."""

Deed = Callable[[str, int], None]
"""What happens to an appointment, by its id and any number."""


class Slot(NamedTuple):
    """What stands in a calendar, or should: instants in UTC, the title, and the first line of the notes."""

    calendar: str
    start: datetime
    end: datetime
    title: str
    notes: str


class System(Protocol):
    """A booking system. `owners` are addresses, each with a calendar of that name; the last one is nobody's yet."""

    owners: tuple[str, ...]

    @property
    def server(self) -> AgendizeServer | ClicrdvServer | ValomniaServer: ...

    @property
    def deeds(self) -> Mapping[str, Deed]:
        """Everything that can happen to an appointment; `restore` is for those that are off."""
        ...

    @property
    def decrees(self) -> Mapping[str, Callable[[int], None]]:
        """Everything that can happen to what appointments refer to."""
        ...

    def configured(self, home: Path, options: str) -> str:
        """The source "desk" and the calendars of the route "staff", in TOML."""
        ...

    def book(self, number: int, start: datetime) -> str:
        """Book at a naive wall time (its fold counts), for the owner that the number stands for; returns the id."""
        ...

    def live(self) -> list[str]:
        """What takes place."""
        ...

    def off(self) -> list[str]:
        """What does not, and could be restored."""
        ...

    def truth(self) -> Iterator[Slot]:
        """What the calendars should hold."""
        ...

    def budget(self) -> int:
        """Requests of a pass in which nothing changed, logins not counted."""
        ...


def wall(number: int) -> datetime:
    """Any working hour of the days on which something is booked; a third of all within the next two weeks."""
    days = (LAST - FIRST).days
    day = 23 + number % 13 if number % 3 == 0 else (number * 37) % days
    return datetime.combine(FIRST + timedelta(days=day), time(7 + number % 11, number % 4 * 15))


@dataclass
class Agendize:
    """A salon: staff, two services, and clients that exist within their appointments alone."""

    server: AgendizeServer
    owners: tuple[str, ...]
    company = "13772899"
    staff: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        world = self.server.world
        world.add_company(self.company, "Salon Exemple", ZONE.key, address="1 rue Exemple")
        self.staff = [world.add_staff(self.company, "Ana", f"Pérez {n}", who) for n, who in enumerate(self.owners[:-1])]
        self.services = [world.add_service(self.company, name, 30) for name in ("Coupe", "Épilation & soin")]

    def configured(self, home: Path, options: str) -> str:
        (home / "key").write_text(self.server.api_key, encoding="utf-8")
        (home / "token").write_text(self.server.token, encoding="utf-8")
        entry = 'api_key = { file = "key" }\ntoken = { file = "token" }\n'
        return f"""\
[sources.desk]
kind = "agendize"
company = "{self.company}"
base_url = "{self.server.url}"
{"" if "client_id" in options else entry}{options}
[routes.staff]
calendar = "{{owner.email}}"
"""

    @property
    def deeds(self) -> Mapping[str, Deed]:
        world = self.server.world
        return {
            "move": lambda row, n: world.move(row, wall(n)),
            "lengthen": lambda row, n: world.move(row, world.appointments[row].start, 45 + n % 3 * 15),
            "reassign": lambda row, n: world.reassign(row, self.staff[n % len(self.staff)]),
            "cancel": lambda row, _: world.cancel(row),
            "decline": lambda row, _: world.set_status(row, "declined"),
            "delete": lambda row, _: world.delete(row),
            "vanish": lambda row, _: self._vanish(row),
            "restore": lambda row, _: world.restore(row),
            "edit": lambda row, n: world.edit_notes(row, f"édité {n}"),
            "complete": lambda row, _: world.set_status(row, "completed"),
            "set a custom status": lambda row, n: world.set_custom_status(row, str(n % 3), f"Étape {n % 3}"),
        }

    @property
    def decrees(self) -> Mapping[str, Callable[[int], None]]:
        world = self.server.world
        return {
            "rename a service": lambda n: world.rename_service(self.services[n % 2], f"Soin nº {n}"),
            "another address": lambda _: world.set_staff_email(self.staff[0], self.owners[-1]),
            "forget tokens": lambda _: world.expire_tokens(),
        }

    def book(self, number: int, start: datetime) -> str:
        in_class = number % 9 == 4
        evening = datetime.combine(FIRST + timedelta(days=24 + number % 5), time(19))
        return self.server.world.book(
            self.company,
            staff=self.staff[number % len(self.staff)],
            service=self.services[0 if in_class else number % 2],
            start=evening if in_class else start.replace(fold=0),  # a row cannot say which of the two hours it means
            meta_event=in_class,
            client=("Zoé", f"Sample {number}", "zoe@customer.example", "+33 1 00 00 00 00"),
            status="pending" if number % 7 == 0 else "accepted",
            notes=f"note {number}",
        )

    def live(self) -> list[str]:
        return [one.id for one in self.server.world.live() if self._is_here(one.id)]

    def off(self) -> list[str]:
        return [one for one in self.server.world.appointments.keys() - {*self.live()} if self._is_here(one)]

    def truth(self) -> Iterator[Slot]:
        world = self.server.world
        here = [one for one in world.live() if self._is_here(one.id)]
        classes = Counter(one.session for one in here)
        for one in here:
            offer = "" if self.server.switches.omit_service else one.service
            if not one.session:
                notes = world.appointments[one.id].notes
                yield Slot(one.staff_email, one.start, one.end, f"{offer} – {one.client}".strip(), notes)
            elif number := classes.pop(one.session, 0):
                yield Slot(one.staff_email, one.start, one.end, f"{offer} – {number} booked".strip(), "")

    def budget(self) -> int:
        return 1

    def _is_here(self, row: str) -> bool:
        return self.server.world.appointments[row].company == self.company

    def _vanish(self, row: str) -> None:
        """It leaves without a trace: no delta tells, and asked for by id it is not found."""
        world = self.server.world
        with world.lock:
            world.appointments[row] = replace(world.appointments[row], company="nowhere", deleted=world.now())


@dataclass
class Clicrdv:
    """A practice: calendars without addresses, two services, and customers who are kept apart."""

    server: ClicrdvServer
    owners: tuple[str, ...]
    group = "4"
    calendars: list[str] = field(default_factory=list)
    fiches: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        world = self.server.world
        world.add_group(self.group, "Cabinet Exemple", ZONE.key, "1 rue Exemple")
        self.calendars = [world.add("calendars", self.group, f"Dr {who}") for who in self.owners]
        self.services = [world.add("interventions", self.group, name, length=30) for name in ("Soin", "Radio à côté")]
        self.fiches = [world.add_fiche(self.group, "Zoé", f"Sample {n}", "zoe@customer.example") for n in range(40)]

    def configured(self, home: Path, options: str) -> str:
        (home / "key").write_text(self.server.api_key, encoding="utf-8")
        (home / "password").write_text(self.server.password, encoding="utf-8")
        calendars = "\n".join(f'"{key}" = "{who}"' for key, who in zip(self.calendars, self.owners, strict=True))
        return f"""\
[sources.desk]
kind = "clicrdv"
group = "{self.group}"
api_key = {{ file = "key" }}
email = "{self.server.email}"
password = {{ file = "password" }}
base_url = "{self.server.url}"
{options}
[routes.staff.calendars]
{calendars}
[routes.staff]
"""

    @property
    def deeds(self) -> Mapping[str, Deed]:
        world = self.server.world
        return {
            "move": lambda row, n: world.move(row, wall(n)),
            "lengthen": lambda row, n: world.change(row, minutes=45 + n % 3 * 15),
            "reassign": lambda row, n: world.change(row, calendar=self.calendars[n % len(self.calendars)]),
            "delete": lambda row, _: world.delete(row),
            "vanish": lambda row, _: world.vanish(row),
            "restore": lambda row, _: world.restore(row),
            "edit": lambda row, n: world.change(row, comments=f"édité {n}"),
            "come": lambda row, _: world.change(row, state=1),
            "another customer": lambda row, n: world.change(row, fiche=self.fiches[n % len(self.fiches)]),
            "another service": lambda row, n: world.change(row, intervention=self.services[n % 2]),
        }

    @property
    def decrees(self) -> Mapping[str, Callable[[int], None]]:
        world = self.server.world
        return {
            "rename a service": lambda n: world.rename("interventions", self.services[n % 2], f"Soin nº {n}"),
            "rename a customer": lambda n: world.change_fiche(self.fiches[n % len(self.fiches)], last=f"Roy {n}"),
            "rename a calendar": lambda n: world.rename("calendars", self.calendars[0], f"Dr Ana {n}"),
            "end all sessions": lambda _: self.server.sessions.clear(),
        }

    def book(self, number: int, start: datetime) -> str:
        switches = self.server.switches
        told = switches.xml == "offset" and switches.single_appointments  # which of the two hours is meant
        if number % 20 == 0:  # what is nobody's appointment, beside it
            self.server.world.book(self.group, calendar=self.calendars[0], start=wall(number), text="Pause")
        return self.server.world.book(
            self.group,
            calendar=self.calendars[number % (len(self.calendars) - 1)],
            intervention=self.services[number % 2],
            fiche=self.fiches[number % len(self.fiches)],
            start=start if told else start.replace(fold=0),
            comments=f"note {number}",
        )

    def live(self) -> list[str]:
        return [one.id for one in self.server.world.live()]

    def off(self) -> list[str]:
        return [one.id for one in self.server.world.vevents.values() if one.deleted]

    def truth(self) -> Iterator[Slot]:
        for one in self.server.world.live():
            calendar = self.owners[self.calendars.index(one.calendar)]
            yield Slot(calendar, one.start, one.end, f"{one.service} – {one.customer}", one.comments)

    def budget(self) -> int:
        """Whether the group is there to be seen, what changed among the appointments, and among the customers.

        Where a listing cannot be narrowed, all appointments: pages of a hundred that overlap by a row.
        """
        listed = len(self.live()) if self.server.switches.conditions == "ignored" else 1
        return 2 + max(1, ceil((listed - 1) / 99))


@dataclass
class Valomnia:
    """A sales organisation: employees with a login each, customers and the people who work there."""

    server: ValomniaServer
    owners: tuple[str, ...]
    users: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        world = self.server.world
        self.users = [world.add_employee("Ana", f"Pérez {n}", who) for n, who in enumerate(self.owners[:-1])]
        self.categories = [world.add_category(name) for name in ("Rendez-vous", "Démo")]
        self.customers = [world.add_customer(f"Boutique Réunion {n}") for n in range(40)]
        self.contact = world.add_contact(self.customers[0], "Zoé", "Sample")

    def configured(self, home: Path, options: str) -> str:
        (home / "password").write_text(self.server.password, encoding="utf-8")
        return f"""\
[sources.desk]
kind = "valomnia"
organisation = "acme"
user = "{self.server.user}"
password = {{ file = "password" }}
time_zone = "{ZONE.key}"
base_url = "{self.server.url}"
{options}
[routes.staff]
calendar = "{{owner.email}}"
"""

    @property
    def deeds(self) -> Mapping[str, Deed]:
        world = self.server.world
        return {
            "move": lambda row, n: world.move(row, *self._span(wall(n), n)),
            "lengthen": lambda row, n: self._last(row, 45 + n % 3 * 15),
            "reassign": lambda row, n: world.reassign(row, self.users[n % len(self.users)]),
            "reassign silently": lambda row, n: world.reassign(row, self.users[n % len(self.users)], silently=True),
            "delete": lambda row, _: world.delete(row),
            "edit": lambda row, n: world.edit(row, title=f"Visite {n}", note=f"édité {n}"),
            "finish": lambda row, n: world.finish(row, done=n % 2 == 0),
        }

    @property
    def decrees(self) -> Mapping[str, Callable[[int], None]]:
        world = self.server.world
        return {
            "rename a service": lambda n: world.rename_category(self.categories[n % 2], f"Visite nº {n}"),
            "rename a customer": lambda n: world.rename_customer(self.customers[n % 40], f"Magasin {n}"),
            "another address": lambda _: world.set_email(self.users[0], self.owners[-1]),
            "end all sessions": lambda _: self.server.expire_sessions(),
        }

    def book(self, number: int, start: datetime) -> str:
        begins, ends = self._span(start, number)
        told: dict[str, Any] = {"contacts": (self.contact,)} if number % 2 else {}
        return self.server.world.book(
            user=self.users[number % len(self.users)],
            category=self.categories[number % 2],
            customer=self.customers[number % len(self.customers)],
            start=begins,
            end=ends,
            note=f"note {number}",
            **told,
        )

    def live(self) -> list[str]:
        return list(self.server.world.appointments)

    def off(self) -> list[str]:
        """What was deleted is deleted for good."""
        return []

    def truth(self) -> Iterator[Slot]:
        """A calendar shows for a minute what has no end, or one before its start."""
        for one in self.server.world.live():
            end = one.end if one.end and one.end > one.start else one.start + timedelta(minutes=1)
            notes = self.server.world.appointments[one.id].note or ""
            yield Slot(one.user_email, one.start, end, f"{one.category} – {one.customer}", notes)

    def budget(self) -> int:
        return 1

    def _span(self, start: datetime, number: int) -> tuple[datetime, datetime | None]:
        begins = start.replace(tzinfo=ZONE).astimezone(UTC)
        return begins, {0: None, 1: begins - timedelta(hours=1)}.get(number % 10, begins + timedelta(minutes=30))

    def _last(self, row: str, minutes: int) -> None:
        start = self.server.world.appointments[row].start
        self.server.world.move(row, start, start + timedelta(minutes=minutes))


KINDS: Mapping[str, Callable[[Sandbox, tuple[str, ...]], System]] = {
    "agendize": lambda sandbox, owners: Agendize(sandbox.agendize, owners),
    "clicrdv": lambda sandbox, owners: Clicrdv(sandbox.clicrdv, owners),
    "valomnia": lambda sandbox, owners: Valomnia(sandbox.valomnia, owners),
}


def standing(sandbox: Sandbox) -> Counter[Slot]:
    """What stands in the calendars, whoever wrote it."""
    from calferry.sandbox.google.rules import instant

    world = sandbox.google.world
    return Counter(
        Slot(calendar, instant(event, "start"), instant(event, "end"), event["summary"], _first_line(event))
        for calendar in world.calendars
        for event in world.events(calendar)
        if (calendar, event["id"]) not in world.foreign
    )


def _first_line(event: Mapping[str, Any]) -> str:
    return str(event.get("description", "")).partition("\n")[0]
