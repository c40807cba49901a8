"""The field staff of a sales organisation, which plans its visits with Valomnia, in UTC."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from calferry.sandbox import ValomniaWorld
from calferry.sandbox.valomnia.world import Appointment

from .days import another_day, any_day, is_coming, long_before, this_week, today
from .people import CHLOE, DARIO, somebody

_CATEGORIES = ("Visite", "Démonstration", "Livraison & stock")
_CUSTOMERS = ("Pharmacie Exemple", "Labor Muster", "Farmacia Ejemplo", "Spa Esempio", "Próbka Sp. z o.o.")
_MINUTES = (30, 45, 60, 90)
_NOTES = (None, None, "Bring the samples", "Nouveau responsable des achats")


class Field:
    """The field staff with all their visits: so many, and some that come close."""

    people = (CHLOE, DARIO)

    def __init__(self, world: ValomniaWorld, *, appointments: int = 80, seed: int = 2028) -> None:
        self.world = world
        self._dice = random.Random(seed)  # noqa: S311 (a scene, not a secret)
        self._today = today(world.now(), ZoneInfo("UTC")).replace(tzinfo=UTC)
        with long_before(world):
            self.users = tuple(world.add_employee(*person) for person in self.people)
            self._categories = tuple(world.add_category(name) for name in _CATEGORIES)
            self._customers = tuple(world.add_customer(name, address="1, rue de l'Exemple") for name in _CUSTOMERS)
            self._contacts = {one: world.add_contact(one, *somebody(self._dice)) for one in self._customers}
            for _ in range(appointments):
                self._book(any_day(self._dice, self._today))
            for days in (1, 1, 3):
                for user in self.users:
                    self._book(self._today + timedelta(days=days, hours=17), user=user)

    def changes(self) -> list[str]:
        """A minute in the field: book, move and hand over. Returns what was done, in words."""
        coming = [row for row in self.world.appointments.values() if is_coming(row.start, self.world.now())]
        moved, given = self._dice.sample(coming, 2)
        return [self._book_another(), self._move(moved), self._give(given)]

    def _book_another(self) -> str:
        return f"booked {self._said(self._book(this_week(self._dice, self._today)))}"

    def _move(self, row: Appointment) -> str:
        before, start = self._said(row.id), another_day(self._dice, row.start)
        self.world.move(row.id, start, row.end and start + (row.end - row.start))
        return f"moved {before} to {start:%a %d %b %H:%M}"

    def _give(self, row: Appointment) -> str:
        before, colleague = self._said(row.id), next(one for one in self.users if one != row.user)
        self.world.reassign(row.id, colleague)
        return f"gave {before} to {self._first_name(colleague)}"

    def _book(self, start: datetime, *, user: str = "") -> str:
        dice = self._dice
        customer = dice.choice(self._customers)
        visit = self.world.book(
            user=user or dice.choice(self.users),
            category=dice.choice(self._categories),
            start=start,
            end=start + timedelta(minutes=dice.choice(_MINUTES)),
            customer=customer,
            contacts=dice.choice(((), (self._contacts[customer],))),
            note=dice.choice(_NOTES),
        )
        if start < self._today:
            self.world.finish(visit)
        return visit

    def _said(self, appointment: str) -> str:
        row = self.world.appointments[appointment]
        category, customer = self.world.categories[row.category].name, self.world.customers[row.customer or ""].name
        return f"{category} by {self._first_name(row.user)} at {customer}, {row.start:%a %d %b %H:%M}"

    def _first_name(self, user: str) -> str:
        return self.people[self.users.index(user)].first
