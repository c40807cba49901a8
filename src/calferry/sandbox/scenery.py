"""The demo's world: a small clinic with three calendars and a year of appointments, the same on every run.

All people are made up; all addresses end in `.example`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from .agendize import AgendizeWorld
from .agendize.world import Appointment
from .google import GoogleWorld

COMPANY = "13772899"
PAST, FUTURE = timedelta(days=30), timedelta(days=400)
_MARGIN = timedelta(days=2)

_STAFF = (
    ("Ana", "Pérez-Sample", "ana@clinic.example"),
    ("Björn", "Beispiel", "bjorn@clinic.example"),
    ("Chloé", "Exemple", "chloe@clinic.example"),
)
_SERVICES = (("Consultation", 30), ("Massage 💆", 60), ("Épilation & soin", 45), ("Contrôle", 15))
_FIRST_NAMES = ("Zoé", "Ólafur", "Lev", "Nuria", "Thị Mai", "Łucja", "Åsa", "Jo", "美咲", "Élodie")
_LAST_NAMES = ("Sample", "Specimen", "O'Example", "Muster", "Échantillon", "Demo", "Ejemplo", "Esempio")
_NOTES = ("", "", "", "First visit", "Prefers the quiet room 🤫", "Côté gauche, s'il vous plaît", "Bring the X-rays")
_STATUSES = ("accepted",) * 16 + ("pending", "pending", "cancelled", "declined")
_PAST_STATUSES = ("completed",) * 8 + ("noShow", "cancelled")
_FOREIGN = ("Dentist 🦷", "School run", "Téléphone: assurance", "Choir", "Lunch with a friend")


@dataclass(frozen=True, slots=True)
class Scene:
    """What was set up: the company, staff and service ids, and calendar ids by staff e-mail."""

    company: str
    staff: tuple[str, ...]
    services: tuple[str, ...]
    calendar_of: dict[str, str]


class Switch(NamedTuple):
    """A change of the clocks: naive wall time just before it, and by how much the clocks move on."""

    wall: datetime
    shift: timedelta


def furnish(
    bookings: AgendizeWorld,
    google: GoogleWorld,
    *,
    time_zone: str = "America/Montreal",
    appointments: int = 300,
    seed: int = 2026,
) -> Scene:
    """Open the clinic and its calendars around the worlds' now; `appointments` come on top of the special days."""
    dice = random.Random(seed)  # noqa: S311 (a scene, not a secret)
    bookings.add_company(COMPANY, "Clinique de l'Exemple", time_zone)
    staff = tuple(bookings.add_staff(COMPANY, *member) for member in _STAFF)
    services = tuple(bookings.add_service(COMPANY, *service) for service in _SERVICES)
    for *_, email in _STAFF:
        google.add_user(email, time_zone=time_zone)
    scene = Scene(COMPANY, staff, services, {email: email for *_, email in _STAFF})
    today = datetime.combine(bookings.now().astimezone(ZoneInfo(time_zone)).date(), time())
    for _ in range(appointments):
        _book(bookings, scene, dice, _office_hours(dice, today), today)
    for switch in switches(ZoneInfo(time_zone), bookings.now()):
        for start, minutes in _around(switch):
            _book(bookings, scene, dice, start, today, minutes)
    _close_calls(bookings, scene, dice, today)
    _private_lives(google, scene, dice, bookings.now())
    return scene


def changes(bookings: AgendizeWorld, scene: Scene, *, seed: int = 1) -> list[str]:
    """An hour at the front desk: book, move, cancel, reassign and delete a handful. Returns what was done, in words."""
    dice = random.Random(seed)  # noqa: S311 (a scene, not a secret)
    coming = [row for row in bookings.appointments.values() if _coming(bookings, row)]
    first, second, third, fourth, fifth, sixth = dice.sample(coming, 6)
    today = datetime.combine(bookings.now().astimezone(bookings.zone(first)).date(), time())
    new = [_book(bookings, scene, dice, _tomorrow(dice, today), today, status="accepted") for _ in range(2)]
    lines = [f"booked {_said(bookings, booked)}" for booked in new]
    for row in (first, second):
        before = _said(bookings, row.id)
        bookings.move(row.id, row.start.replace(hour=dice.randrange(9, 17)) + timedelta(days=1))
        lines.append(f"moved {before} to {bookings.appointments[row.id].start:%a %d %b %H:%M}")
    for row in (third, fourth):
        lines.append(f"cancelled {_said(bookings, row.id)}")
        bookings.cancel(row.id)
    colleague = next(one for one in scene.staff if one != fifth.staff)
    lines.append(f"gave {_said(bookings, fifth.id)} to {bookings.staff[colleague].first}")
    bookings.reassign(fifth.id, colleague)
    lines.append(f"deleted {_said(bookings, sixth.id)}")
    bookings.delete(sixth.id)
    return lines


def switches(zone: ZoneInfo, now: datetime) -> Iterator[Switch]:
    """The changes of the clocks within the window around an aware now."""
    midnight = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - PAST
    hours = (midnight + timedelta(hours=hour) for hour in range(int((PAST + FUTURE) / timedelta(hours=1))))
    for before, after in pairwise(instant.astimezone(zone) for instant in hours):
        shift = (after.utcoffset() or timedelta()) - (before.utcoffset() or timedelta())
        if shift:
            yield Switch(before.replace(tzinfo=None) + timedelta(hours=1), shift)


def _around(switch: Switch) -> Iterator[tuple[datetime, int]]:
    """Wall times and minutes on such a day, the night's last hour included; every one can be told from its row."""
    day = datetime.combine(switch.wall.date(), time())
    yield day.replace(hour=9), 30
    yield day.replace(hour=16), 60
    yield switch.wall - timedelta(minutes=30), 30
    if switch.shift < timedelta():
        # Within the hour that comes twice, the first time round.
        yield switch.wall + switch.shift + timedelta(minutes=10), 20
        yield switch.wall + switch.shift - timedelta(minutes=30), 60
    else:
        yield switch.wall + switch.shift, 45


def _close_calls(bookings: AgendizeWorld, scene: Scene, dice: random.Random, today: datetime) -> None:
    """Back to back, overlapping, and two at the very same time with the same person."""
    start = today + timedelta(days=3, hours=10)
    for offset in (0, 30, 60, 75, 120, 120):
        when = start + timedelta(minutes=offset)
        _book(bookings, scene, dice, when, today, 30, staff=scene.staff[0], status="accepted")


def _private_lives(google: GoogleWorld, scene: Scene, dice: random.Random, now: datetime) -> None:
    morning = now.astimezone(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    for calendar in scene.calendar_of.values():
        for summary in _FOREIGN:
            start = morning + timedelta(days=dice.randrange(-20, 60), minutes=15 * dice.randrange(32))
            google.add_foreign_event(calendar, summary, start, start + timedelta(minutes=45))


def _office_hours(dice: random.Random, today: datetime) -> datetime:
    first, last = -(PAST - _MARGIN).days, (FUTURE - _MARGIN).days
    day = round(dice.triangular(first, last, 10))
    return today + timedelta(days=day, hours=dice.randrange(8, 18), minutes=dice.choice((0, 15, 30, 45)))


def _tomorrow(dice: random.Random, today: datetime) -> datetime:
    return today + timedelta(days=dice.randrange(1, 8), hours=dice.randrange(9, 17))


def _book(  # noqa: PLR0913 (keyword-only where it varies)
    bookings: AgendizeWorld,
    scene: Scene,
    dice: random.Random,
    start: datetime,
    today: datetime,
    minutes: int | None = None,
    *,
    staff: str | None = None,
    status: str | None = None,
) -> str:
    number = dice.randrange(1000)
    first, last = dice.choice(_FIRST_NAMES), dice.choice(_LAST_NAMES)
    return bookings.book(
        scene.company,
        staff=staff or dice.choice(scene.staff),
        service=dice.choice(scene.services),
        start=start,
        minutes=minutes,
        client=(first, last, f"client{number}@mail.example", f"+1 514 555 {number:04d}"),
        status=status or dice.choice(_PAST_STATUSES if start < today else _STATUSES),
        notes=dice.choice(_NOTES),
    )


def _coming(bookings: AgendizeWorld, row: Appointment) -> bool:
    near = bookings.now() + timedelta(days=1) < bookings.span(row)[0] < bookings.now() + timedelta(days=300)
    return near and row.deleted is None and row.status == "accepted" and row.start.hour >= 9  # noqa: PLR2004 (o'clock)


def _said(bookings: AgendizeWorld, appointment: str) -> str:
    row = bookings.appointments[appointment]
    service, staff = bookings.services[row.service].name, bookings.staff[row.staff].first
    return (
        f"{row.reference}: {service} with {staff} for {row.client.first} {row.client.last}, {row.start:%a %d %b %H:%M}"
    )
