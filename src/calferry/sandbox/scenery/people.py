"""Who works, and who comes. All people are made up; all addresses end in `.example`."""

from __future__ import annotations

import random
from typing import NamedTuple


class Person(NamedTuple):
    """Somebody who works here. The address is also the id of the calendar."""

    first: str
    last: str
    email: str

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"


class Guest(NamedTuple):
    """Somebody who comes."""

    first: str
    last: str
    email: str
    phone: str


ANA = Person("Ana", "Pérez-Sample", "ana@clinic.example")
BJORN = Person("Björn", "Beispiel", "bjorn@clinic.example")
CHLOE = Person("Chloé", "Exemple", "chloe@clinic.example")
DARIO = Person("Dário", "Amostra", "dario@clinic.example")

AT_MICROSOFT = (ANA, DARIO)
"""Those whose calendars are at Microsoft; everybody else's are at Google."""

NOTES = ("", "", "", "First visit", "Prefers the quiet room 🤫", "Côté gauche, s'il vous plaît", "Bring the X-rays")

_FIRST_NAMES = ("Zoé", "Ólafur", "Lev", "Nuria", "Thị Mai", "Łucja", "Åsa", "Jo", "美咲", "Élodie")
_LAST_NAMES = ("Sample", "Specimen", "O'Example", "Muster", "Échantillon", "Demo", "Ejemplo", "Esempio")


def somebody(dice: random.Random) -> Guest:
    """Anybody who may come."""
    number = dice.randrange(1000)
    first, last = dice.choice(_FIRST_NAMES), dice.choice(_LAST_NAMES)
    return Guest(first, last, f"client{number}@mail.example", f"+1 514 555 {number:04d}")
