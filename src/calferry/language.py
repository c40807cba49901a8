"""The few words that calferry itself puts into calendars, in the languages it knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MINUTES_OF_AN_HOUR = 60


class Language(StrEnum):
    """By its code in ISO 639-1."""

    ENGLISH = "en"
    FRENCH = "fr"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """`busy` and `appointment` are titles where there is no other. `booked` says it of one and of several. `first` is
    how the first of a month is written."""

    busy: str
    appointment: str
    booked: tuple[str, str]
    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    first: str


WORDS = {
    Language.ENGLISH: Words(
        busy="Busy",
        appointment="Appointment",
        booked=("booked", "booked"),
        weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        months=(
            *("January", "February", "March", "April", "May", "June"),
            *("July", "August", "September", "October", "November", "December"),
        ),
        first="1",
    ),
    Language.FRENCH: Words(
        busy="Occupé",
        appointment="Rendez-vous",
        booked=("inscrit", "inscrits"),
        weekdays=("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
        months=(
            *("janvier", "février", "mars", "avril", "mai", "juin"),
            *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
        ),
        first="1er",
    ),
}


def date_text(moment: datetime, language: Language) -> str:
    """A date as it is read out: "Thursday 3 December 2026", "jeudi 3 décembre 2026"."""
    words = WORDS[language]
    day = words.first if moment.day == 1 else str(moment.day)
    return f"{words.weekdays[moment.weekday()]} {day} {words.months[moment.month - 1]} {moment.year}"


def booked_text(number: int, language: Language) -> str:
    """How many booked: "1 booked", "7 inscrits"; empty where nobody did."""
    one, several = WORDS[language].booked
    return f"{number} {one if number == 1 else several}" if number else ""


def duration_text(span: timedelta) -> str:
    """A duration as both languages write it: "45 min", "1 h", "1 h 30 min"; empty where it is shorter than a minute."""
    hours, minutes = divmod(span // timedelta(minutes=1), MINUTES_OF_AN_HOUR)
    parts = ((hours, "h"), (minutes, "min"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)
