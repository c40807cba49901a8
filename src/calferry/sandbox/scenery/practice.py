"""A second practice, overseas, of people who also work elsewhere. It books with ClicRDV."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from calferry.sandbox import ClicrdvWorld
from calferry.sandbox.clicrdv.world import AVAILABILITY, Vevent, is_appointment

from .days import another_day, any_day, around, is_coming, long_before, second_time_round, switches, this_week, today
from .people import ANA, DARIO, NOTES, somebody

GROUP = "4"

_SERVICES = (("Téléconsultation", 30), ("Bilan postural", 60), ("Suivi", 20))
_CAME, _NOT_CAME, _PENDING = 1, 2, 3


class Practice:
    """The practice with all that is booked; `appointments` come on top of the special days."""

    people = (ANA, DARIO)

    def __init__(
        self, world: ClicrdvWorld, *, time_zone: str = "Europe/Paris", appointments: int = 70, seed: int = 2027
    ) -> None:
        self.world = world
        self._dice = random.Random(seed)  # noqa: S311 (a scene, not a secret)
        zone = ZoneInfo(time_zone)
        self._today = today(world.now(), zone)
        clocks = tuple(switches(zone, world.now()))
        world.add_group(GROUP, "Cabinet de l'Exemple", time_zone, "1, rue de l'Exemple")
        self.calendars = tuple(world.add("calendars", GROUP, person.name) for person in self.people)
        self._services = tuple(world.add("interventions", GROUP, name, length=length) for name, length in _SERVICES)
        with long_before(world):
            self._customers = tuple(world.add_fiche(GROUP, *somebody(self._dice)) for _ in range(30))
            for _ in range(appointments):
                self._book(any_day(self._dice, self._today))
            for switch in clocks:
                for start, minutes in (*around(switch), *second_time_round(switch)):
                    self._book(start, minutes)
            self._close_calls()
            self._what_is_no_appointment()

    def changes(self) -> list[str]:
        """A minute at the desk: book, move and cancel. Returns what was done, in words."""
        coming = [row for row in self.world.vevents.values() if self._is_coming(row)]
        moved, cancelled = self._dice.sample(coming, 2)
        return [self._book_another(), self._move(moved), self._cancel(cancelled)]

    def _book_another(self) -> str:
        return f"booked {self._said(self._book(this_week(self._dice, self._today)))}"

    def _move(self, row: Vevent) -> str:
        before, start = self._said(row.id), another_day(self._dice, row.start)
        self.world.move(row.id, start)
        return f"moved {before} to {start:%a %d %b %H:%M}"

    def _cancel(self, row: Vevent) -> str:
        self.world.delete(row.id)
        return f"cancelled {self._said(row.id)}"

    def _close_calls(self) -> None:
        """When somebody is at the clinic, most of the year (16:00 here is 10:00 in Montreal); and a cancelled one."""
        afternoon = self._today + timedelta(days=3, hours=16)
        for _ in range(2):
            self._book(afternoon, calendar=self.calendars[0])
        self.world.delete(self._book(afternoon))
        for calendar in self.calendars:
            self._book(self._today + timedelta(days=1, hours=17), calendar=calendar)

    def _what_is_no_appointment(self) -> None:
        """A block, a note, and opening hours: ClicRDV lists them among the others."""
        morning = self._today + timedelta(days=2, hours=8)
        calendar = self.calendars[0]
        self.world.book(GROUP, calendar=calendar, start=morning, minutes=120, text="Formation")
        self.world.book(GROUP, calendar=calendar, start=morning, minutes=0, note=True, text="Call the plumber")
        self.world.book(GROUP, calendar=calendar, start=morning, minutes=600, type=AVAILABILITY)

    def _book(self, start: datetime, minutes: int = 0, *, calendar: str = "") -> str:
        dice = self._dice
        service = dice.randrange(len(_SERVICES))
        return self.world.book(
            GROUP,
            calendar=calendar or dice.choice(self.calendars),
            fiche=dice.choice(self._customers),
            intervention=self._services[service],
            start=start,
            minutes=minutes or _SERVICES[service][1],
            comments=dice.choice(NOTES),
            state=dice.choice((_CAME, _CAME, _NOT_CAME) if start < self._today else (0, 0, _PENDING)),
        )

    def _is_coming(self, row: Vevent) -> bool:
        standing = is_appointment(row) and not row.deleted
        return standing and is_coming(self.world.span(row)[0], self.world.now())

    def _said(self, vevent: str) -> str:
        row = self.world.vevents[vevent]
        service = self.world.entries["interventions"][row.intervention].name
        who = self.people[self.calendars.index(row.calendar)].first
        return f"{service} with {who} for {self.world.fiches[row.fiche].first}, {row.start:%a %d %b %H:%M}"
