"""The demo's world: a clinic, a second practice and field staff, each with a booking system of its own, a year of
appointments, and a calendar a person. Most of them work for two of the three. It is the same on every run.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, timedelta

from calferry.sandbox import AgendizeWorld, ClicrdvWorld, Sandbox, ValomniaWorld

from .clinic import COMPANY, Clinic
from .days import FUTURE, PAST, switches
from .field import Field
from .people import AT_MICROSOFT, Person
from .practice import GROUP, Practice

__all__ = [
    "AT_MICROSOFT",
    "COMPANY",
    "FUTURE",
    "GROUP",
    "PAST",
    "Clinic",
    "Field",
    "Practice",
    "Scene",
    "furnish",
    "switches",
]

_FOREIGN = ("Dentist 🦷", "School run", "Téléphone: assurance", "Choir", "Lunch with a friend")


@dataclass(frozen=True, slots=True)
class Scene:
    """Who books what where."""

    clinic: Clinic
    practice: Practice
    field: Field

    @property
    def bookings(self) -> tuple[AgendizeWorld, ClicrdvWorld, ValomniaWorld]:
        """The truth of all three."""
        return self.clinic.world, self.practice.world, self.field.world

    @property
    def people(self) -> tuple[Person, ...]:
        """Everybody, once."""
        return tuple(self._employments())

    @property
    def busy_people(self) -> tuple[Person, ...]:
        """Whoever works for two of the three."""
        return tuple(person for person, number in self._employments().items() if number > 1)

    @property
    def calendar_of(self) -> dict[str, str]:
        """Calendar id by whose appointments it is to hold: an e-mail address, or the id of a calendar of ClicRDV."""
        by_address = {person.email: person.email for person in self.people}
        by_calendar = zip(self.practice.calendars, self.practice.people, strict=True)
        return by_address | {calendar: person.email for calendar, person in by_calendar}

    def changes(self) -> dict[str, list[str]]:
        """A minute at the desks. Returns what was done at each, in words."""
        return {
            "clinic": self.clinic.changes(),
            "practice": self.practice.changes(),
            "field": self.field.changes(),
        }

    def _employments(self) -> Counter[Person]:
        return Counter((*self.clinic.people, *self.practice.people, *self.field.people))


def furnish(sandbox: Sandbox) -> Scene:
    """Open all three, and everybody's calendar, around the sandbox's now."""
    scene = Scene(
        Clinic(sandbox.agendize.world),
        Practice(sandbox.clicrdv.world),
        Field(sandbox.valomnia.world),
    )
    for person in scene.people:
        if person in AT_MICROSOFT:
            sandbox.graph.world.add_mailbox(person.email)
        else:
            sandbox.google.world.add_user(person.email, time_zone="America/Montreal")
    _private_lives(sandbox, scene.people)
    # The story counts requests, and is the same each time: nobody is signed out in the middle of it.
    sandbox.valomnia.switches.session_uses = None
    return scene


def _private_lives(sandbox: Sandbox, people: Iterable[Person], *, seed: int = 2029) -> None:
    """Events of everybody's own, around the sandbox's now."""
    dice = random.Random(seed)  # noqa: S311 (a scene, not a secret)
    morning = sandbox.now().astimezone(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    for person in people:
        world = sandbox.graph.world if person in AT_MICROSOFT else sandbox.google.world
        for summary in _FOREIGN:
            start = morning + timedelta(days=dice.randrange(-20, 60), minutes=15 * dice.randrange(32))
            world.add_foreign_event(person.email, summary, start, start + timedelta(minutes=45))
