"""A small clinic, which keeps its agenda in Agendize."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from calferry.sandbox import AgendizeWorld
from calferry.sandbox.agendize.world import Appointment

from .days import another_day, any_day, around, is_coming, long_before, switches, this_week, today
from .people import ANA, BJORN, CHLOE, NOTES, somebody

COMPANY = "13772899"

_SERVICES = (("Consultation", 30), ("Massage 💆", 60), ("Épilation & soin", 45), ("Contrôle", 15))
_STATUSES = ("accepted",) * 16 + ("pending", "pending", "cancelled", "declined")
_CLASS, _SEATS, _WEEKS = ("Yoga 🧘", 75), 9, range(-3, 20)
_PAST_STATUSES = ("completed",) * 4 + ("noShow", "cancelled")


class Clinic:
    """The clinic with all that is booked; `appointments` come on top of the special days."""

    people = (ANA, BJORN, CHLOE)

    def __init__(
        self,
        world: AgendizeWorld,
        *,
        time_zone: str = "America/Montreal",
        appointments: int = 220,
        seed: int = 2026,
    ) -> None:
        self.world = world
        self._dice = random.Random(seed)  # noqa: S311 (a scene, not a secret)
        zone = ZoneInfo(time_zone)
        self._today = today(world.now(), zone)
        clocks = tuple(switches(zone, world.now()))
        world.add_company(COMPANY, "Clinique de l'Exemple", time_zone)
        self.staff = tuple(world.add_staff(COMPANY, *person) for person in self.people)
        self._services = tuple(world.add_service(COMPANY, *service) for service in _SERVICES)
        with long_before(world):
            for _ in range(appointments):
                self._book(any_day(self._dice, self._today))
            for switch in clocks:
                for start, minutes in around(switch):
                    self._book(start, minutes)
            self._close_calls()
            self._weekly_class()

    def changes(self) -> list[str]:
        """A minute at the desk: book, move, cancel, hand over and join a class. Returns what was done, in words."""
        coming = [row for row in self.world.appointments.values() if self._is_coming(row)]
        moved, cancelled, given = self._dice.sample(coming, 3)
        changes = [self._book_another(), self._move(moved), self._cancel(cancelled), self._give(given)]
        return [*changes, f"joined {self._said(self._join(self._today + timedelta(days=7)))}"]

    def _book_another(self) -> str:
        return f"booked {self._said(self._book(this_week(self._dice, self._today), status='accepted'))}"

    def _move(self, row: Appointment) -> str:
        before, start = self._said(row.id), another_day(self._dice, row.start)
        self.world.move(row.id, start)
        return f"moved {before} to {start:%a %d %b %H:%M}"

    def _cancel(self, row: Appointment) -> str:
        self.world.cancel(row.id)
        return f"cancelled {self._said(row.id)}"

    def _give(self, row: Appointment) -> str:
        before, colleague = self._said(row.id), next(one for one in self.staff if one != row.staff)
        self.world.reassign(row.id, colleague)
        return f"gave {before} to {self.world.staff[colleague].first}"

    def _close_calls(self) -> None:
        """Back to back, overlapping, and two at the very same time with the same person."""
        start = self._today + timedelta(days=3, hours=10)
        for offset in (0, 30, 60, 75, 120, 120):
            self._book(start + timedelta(minutes=offset), 30, staff=self.staff[0], status="accepted")
        for member in self.staff:
            self._book(self._today + timedelta(days=1, hours=9), staff=member, status="accepted")

    def _weekly_class(self) -> None:
        """Several clients in one room at once, every week: each has a booking of their own."""
        self._yoga = self.world.add_service(COMPANY, *_CLASS)
        guests = random.Random(len(_CLASS))  # noqa: S311 (a scene, not a secret)
        for week in _WEEKS:
            for _ in range(guests.randrange(2, _SEATS)):
                self._join(self._today + timedelta(weeks=week))

    def _join(self, day: datetime) -> str:
        """Somebody books the class of the week that begins on that day."""
        start, client = day + timedelta(days=2, hours=18), somebody(self._dice)
        chloe, service = self.staff[-1], self._yoga
        return self.world.book(COMPANY, staff=chloe, service=service, start=start, client=client, meta_event=True)

    def _book(
        self, start: datetime, minutes: int | None = None, *, staff: str | None = None, status: str | None = None
    ) -> str:
        dice = self._dice
        return self.world.book(
            COMPANY,
            staff=staff or dice.choice(self.staff),
            service=dice.choice(self._services),
            start=start,
            minutes=minutes,
            client=somebody(dice),
            status=status or dice.choice(_PAST_STATUSES if start < self._today else _STATUSES),
            notes=dice.choice(NOTES),
        )

    def _is_coming(self, row: Appointment) -> bool:
        standing = row.deleted is None and row.status == "accepted" and not row.meta_event
        return standing and is_coming(self.world.span(row)[0], self.world.now())

    def _said(self, appointment: str) -> str:
        row = self.world.appointments[appointment]
        service, staff = self.world.services[row.service].name, self.world.staff[row.staff].first
        return f"{service} with {staff} for {row.client.first}, {row.start:%a %d %b %H:%M}"
