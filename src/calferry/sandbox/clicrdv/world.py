"""The truth of the booking system: groups, their calendars, interventions and customers, and what is booked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]

AVAILABILITY = "VfreebusyEvent"


class Reserved(NamedTuple):
    """One appointment that takes place, for a judge; both instants are aware and in UTC."""

    id: str
    calendar: str
    start: datetime
    end: datetime
    service: str
    customer: str
    comments: str


@dataclass(slots=True)
class Group:
    """`time_zone` is an IANA name; everything is booked in its wall time."""

    id: str
    name: str
    time_zone: str
    address: str = ""
    withdrawn: bool = False


@dataclass(slots=True)
class Entry:
    """Something that is listed by name: a calendar, an intervention, or a set of either."""

    id: str
    group: str
    name: str
    members: dict[str, Any]
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Fiche:
    """A customer: made-up people only. `updated` is aware, in UTC."""

    id: str
    group: str
    first: str
    last: str
    email: str
    phone: str
    updated: datetime
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Vevent:
    """One row of a calendar. `start` is naive wall time of the group, its `fold` kept; stamps are aware, in UTC.

    With neither `fiche` nor `intervention` (both empty) it is a block; a note lasts no time.
    """

    id: str
    group: str
    calendar: str
    fiche: str
    intervention: str
    start: datetime
    minutes: int
    type: str
    note: bool
    text: str
    comments: str
    state: int
    created: datetime
    updated: datetime
    deleted: bool = False


class ClicrdvWorld:
    """What is true at the booking system. Every method is atomic."""

    def __init__(self, now: Clock = lambda: datetime.now(UTC)) -> None:
        self.now = now
        self.lock = threading.RLock()
        self.groups: dict[str, Group] = {}
        self.entries: dict[str, dict[str, Entry]] = {
            kind: {} for kind in ("calendars", "calendarsets", "interventions", "interventionsets")
        }
        self.fiches: dict[str, Fiche] = {}
        self.vevents: dict[str, Vevent] = {}
        self._last_id = 91_800

    # Setting the scene

    def add_group(self, group: str, name: str, time_zone: str, address: str = "") -> None:
        """Open a group in an IANA zone; ZoneInfoNotFoundError for any other."""
        ZoneInfo(time_zone)
        with self.lock:
            self.groups[group] = Group(group, name, time_zone, address)

    def add(self, kind: str, group: str, name: str, **members: Any) -> str:
        """Add a calendar, an intervention, or a set of either; returns its id."""
        with self.lock:
            entry = Entry(self._next_id(), self.groups[group].id, name, members)
            self.entries[kind][entry.id] = entry
            return entry.id

    def rename(self, kind: str, key: str, name: str) -> None:
        """Rename one of those: no vevent's stamp moves."""
        with self.lock:
            self.entries[kind][key].name = name

    def delete_entry(self, kind: str, key: str) -> None:
        """Delete one of those: softly, and what is booked there stays."""
        with self.lock:
            self.entries[kind][key].deleted = True

    def add_fiche(self, group: str, first: str, last: str, email: str = "", phone: str = "") -> str:
        """Take up a customer; returns the id."""
        with self.lock:
            fiche = Fiche(self._next_id(), self.groups[group].id, first, last, email, phone, self.now())
            self.fiches[fiche.id] = fiche
            return fiche.id

    def change_fiche(self, fiche: str, **members: Any) -> None:
        """Change a customer: their stamp moves, that of their appointments does not."""
        with self.lock:
            self.fiches[fiche] = replace(self.fiches[fiche], **members, updated=self.now())

    def withdraw_group(self, group: str, *, withdrawn: bool = True) -> None:
        """Hide a group from these credentials; what is booked there stays true."""
        with self.lock:
            self.groups[group].withdrawn = withdrawn

    def move_group(self, group: str, time_zone: str) -> None:
        """Another time zone: all wall times stay, and mean other instants."""
        ZoneInfo(time_zone)
        with self.lock:
            self.groups[group].time_zone = time_zone

    # What happens to vevents

    def book(  # noqa: PLR0913 (keyword-only; the vendor's row has that many members)
        self,
        group: str,
        *,
        calendar: str,
        start: datetime,
        fiche: str = "",
        intervention: str = "",
        minutes: int = 30,
        type: str = "Vevent",  # noqa: A002 (the vendor's word)
        note: bool = False,
        text: str = "",
        comments: str = "",
        state: int = 0,
    ) -> str:
        """Put something into a calendar at a naive wall time of the group; returns the id."""
        with self.lock:
            now = self.now()
            row = Vevent(
                id=self._next_id(),
                group=self.groups[group].id,
                calendar=self.entries["calendars"][calendar].id,
                fiche=fiche,
                intervention=intervention,
                start=_naive(start),
                minutes=minutes,
                type=type,
                note=note,
                text=text,
                comments=comments,
                state=state,
                created=now,
                updated=now,
            )
            self.vevents[row.id] = row
            return row.id

    def move(self, vevent: str, start: datetime, minutes: int = 0) -> None:
        """Reschedule to another naive wall time, with another length if given."""
        self.change(vevent, start=_naive(start), minutes=minutes or self.vevents[vevent].minutes)

    def change(self, vevent: str, **members: Any) -> None:
        """Change members of a row; its stamp moves."""
        with self.lock:
            self.vevents[vevent] = replace(self.vevents[vevent], **members, updated=self.now())

    def delete(self, vevent: str) -> None:
        """Delete, which is how appointments are cancelled: softly."""
        self.change(vevent, deleted=True)

    def restore(self, vevent: str) -> None:
        """Bring a deleted row back under its old id."""
        self.change(vevent, deleted=False)

    def vanish(self, vevent: str) -> None:
        """Take a row away for good, without a trace."""
        with self.lock:
            del self.vevents[vevent]

    # The truth, for a judge

    def zone(self, group: str) -> ZoneInfo:
        return ZoneInfo(self.groups[group].time_zone)

    def span(self, row: Vevent) -> tuple[datetime, datetime]:
        """Start and end as instants in UTC; a wall time within a gap is carried forward by the gap's length."""
        start = row.start.replace(tzinfo=self.zone(row.group)).astimezone(UTC)
        return start, start + timedelta(minutes=row.minutes)

    def live(self) -> Iterator[Reserved]:
        """Appointments that take place: neither deleted, nor blocks, notes or opening hours."""
        with self.lock:
            rows = [row for row in self.vevents.values() if is_appointment(row) and not row.deleted]
            reserved = [self._reserved(row) for row in rows]
        yield from reserved

    def _reserved(self, row: Vevent) -> Reserved:
        start, end = self.span(row)
        fiche, service = self.fiches[row.fiche], self.entries["interventions"][row.intervention]
        return Reserved(row.id, row.calendar, start, end, service.name, f"{fiche.first} {fiche.last}", row.comments)

    def _next_id(self) -> str:
        self._last_id += 1
        return str(self._last_id)


def is_appointment(row: Vevent) -> bool:
    """Of the four kinds of vevents, the one with a customer and an intervention."""
    return bool(row.fiche and row.intervention) and not row.note and row.type != AVAILABILITY


def _naive(start: datetime) -> datetime:
    if start.tzinfo is not None:
        msg = "vevents are booked in naive wall time of the group"
        raise ValueError(msg)
    return start
