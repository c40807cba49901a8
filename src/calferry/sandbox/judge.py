"""Compares the calendars with the truth of the booking systems; knows nothing of whoever carried one to the other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from .agendize import AgendizeWorld, Booked
from .clicrdv import ClicrdvWorld, Reserved
from .google import GoogleWorld
from .google.rules import instant
from .graph import GraphWorld
from .graph.rules import instant as graph_instant
from .valomnia import ValomniaWorld, Visit

Window = tuple[datetime, datetime]
World = AgendizeWorld | ClicrdvWorld | ValomniaWorld
Calendars = GoogleWorld | GraphWorld


class Due(NamedTuple):
    """What a booking system holds: whose it is (an e-mail address; for ClicRDV the id of a calendar), when (aware, in
    UTC), the name of the service, and for a group session how many booked it (0 for anything else)."""

    owner: str
    start: datetime
    end: datetime
    service: str
    booked: int = 0


class Slot(NamedTuple):
    """Where and when something is booked; both instants are aware and in UTC."""

    calendar: str
    start: datetime
    end: datetime


class Entry(NamedTuple):
    """An event as a calendar shows it; `foreign` where it is a user's own."""

    slot: Slot
    summary: str
    foreign: bool


class Verdict(NamedTuple):
    """How far the calendars are from the truth; counts of appointments, events and mails."""

    missing: int
    duplicates: int
    foreign_touched: int
    mails: int
    reminder_mails: int
    details: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Whether there is nothing to complain about."""
        return not any(self[:-1]) and not self.details

    def and_also(self, other: Verdict) -> Verdict:
        """Both verdicts as one."""
        return Verdict(
            missing=self.missing + other.missing,
            duplicates=self.duplicates + other.duplicates,
            foreign_touched=self.foreign_touched + other.foreign_touched,
            mails=self.mails + other.mails,
            reminder_mails=self.reminder_mails + other.reminder_mails,
            details=self.details + other.details,
        )


def judge(
    bookings: Iterable[World],
    calendars: Iterable[Calendars],
    calendar_of: Mapping[str, str] | None = None,
    *,
    window: Window | None = None,
    named: bool = False,
) -> Verdict:
    """Compare what all the booking systems hold with all the calendars, as multisets of (calendar, start, end).

    A calendar at Microsoft is its mailbox's address. `calendar_of` maps owner → calendar id; without it the id is the
    owner's address, and owners it leaves out are not expected anywhere. `window` leaves out what is not entirely
    within, on both sides. `named` also complains about events whose summary lacks the name of the service booked then
    and there, or the number of those who booked it. A group session is one event.
    """
    truth, services = _truth(bookings, calendar_of, window)
    worlds = tuple(calendars)
    found, summaries = _found(worlds, window)
    missing, extra = truth - found, found - truth
    touched = [f"touched: {calendar} {event_id}" for world in worlds for calendar, event_id in _touched(world)]
    details = [
        *(f"missing: {slot.calendar} {slot.start:%F %H:%M}Z x{count}" for slot, count in sorted(missing.items())),
        *(f"too many: {slot.calendar} {slot.start:%F %H:%M}Z x{count}" for slot, count in sorted(extra.items())),
        *touched,
        *(_unnamed(services, summaries) if named else ()),
    ]
    return Verdict(
        missing=missing.total(),
        duplicates=extra.total(),
        foreign_touched=len(touched),
        mails=sum(len(world.mails) for world in worlds),
        reminder_mails=sum(len(_reminders(world)) for world in worlds),
        details=tuple(details),
    )


def judge_feed(content: bytes, bookings: Iterable[World]) -> Verdict:
    """Compare a subscription feed of everybody's appointments with the truth, as multisets of (start, end).

    What it shows as cancelled is not there (RFC 5545, section 3.8.1.11).
    """
    from icalendar import Calendar

    events: list[Any] = list(Calendar.from_ical(content).walk("VEVENT"))
    found = Counter(
        Slot("feed", event["dtstart"].dt, event["dtend"].dt) for event in events if event.get("status") != "CANCELLED"
    )
    truth = Counter(Slot("feed", due.start, due.end) for due in everything_due(bookings))
    missing, extra = truth - found, found - truth
    return Verdict(
        missing=missing.total(),
        duplicates=extra.total(),
        foreign_touched=0,
        mails=0,
        reminder_mails=0,
        details=(
            *(f"missing in the feed: {slot.start:%F %H:%M}Z x{count}" for slot, count in sorted(missing.items())),
            *(f"too many in the feed: {slot.start:%F %H:%M}Z x{count}" for slot, count in sorted(extra.items())),
        ),
    )


def everything_due(bookings: Iterable[World]) -> Iterator[Due]:
    """What takes place, of each booking system in turn; the bookings of one group session as one."""
    for world in bookings:
        live: list[Booked | Reserved | Visit] = list(world.live())
        sessions = Counter(one.session for one in live if isinstance(one, Booked) and one.session)
        told = set[str]()
        for one in live:
            session = one.session if isinstance(one, Booked) else ""
            if session not in told:
                yield _due(one)._replace(booked=sessions[session])
            told |= {session} - {""}


def _due(one: Booked | Reserved | Visit) -> Due:
    match one:
        case Booked():
            return Due(one.staff_email, one.start, one.end, one.service)
        case Reserved():
            return Due(one.calendar, one.start, one.end, one.service)
        case Visit():  # one without an end takes no time
            return Due(one.user_email, one.start, one.end or one.start, one.category)


def _truth(
    bookings: Iterable[World], calendar_of: Mapping[str, str] | None, window: Window | None
) -> tuple[Counter[Slot], dict[Slot, set[tuple[str, int]]]]:
    truth: Counter[Slot] = Counter()
    services: dict[Slot, set[tuple[str, int]]] = {}
    for due in everything_due(bookings):
        calendar = due.owner if calendar_of is None else calendar_of.get(due.owner)
        if calendar is not None and _within(due.start, due.end, window):
            slot = Slot(calendar, due.start, due.end)
            truth[slot] += 1
            services.setdefault(slot, set()).add((due.service, due.booked))
    return truth, services


def _found(worlds: Iterable[Calendars], window: Window | None) -> tuple[Counter[Slot], dict[Slot, list[str]]]:
    found: Counter[Slot] = Counter()
    summaries: dict[Slot, list[str]] = {}
    for world in worlds:
        for slot, summary, foreign in _entries(world):
            if not foreign and _within(slot.start, slot.end, window):
                found[slot] += 1
                summaries.setdefault(slot, []).append(summary)
    return found, summaries


def _entries(world: Calendars) -> list[Entry]:
    with world.lock:
        if isinstance(world, GraphWorld):
            return [
                Entry(_graph_slot(address, kept.item), kept.item["subject"], (address, kept.id) in world.foreign)
                for address in world.mailboxes
                for kept in world.events(address)
            ]
        return [
            Entry(
                Slot(calendar, instant(event, "start"), instant(event, "end")),
                event.get("summary", ""),
                (calendar, event["id"]) in world.foreign,
            )
            for calendar in world.calendars
            for event in world.events(calendar)
        ]


def _graph_slot(address: str, item: Mapping[str, Any]) -> Slot:
    start, end = (graph_instant(dict(item), side).astimezone(UTC) for side in ("start", "end"))
    return Slot(address, start, end)


def _touched(world: Calendars) -> list[tuple[str, str]]:
    with world.lock:
        if isinstance(world, GraphWorld):
            held = {(address, one.id): one for address in world.mailboxes for one in world.events(address)}
            return [place for place, as_added in world.foreign.items() if held.get(place) != as_added]
        return [
            (calendar, event_id)
            for (calendar, event_id), as_added in world.foreign.items()
            if world.calendars[calendar].events.get(event_id) != as_added
        ]


def _reminders(world: Calendars) -> Sequence[object]:
    """What will remind people, by mail or on their screens, of events that others wrote."""
    return world.reminders if isinstance(world, GraphWorld) else world.reminder_mails


def _unnamed(services: Mapping[Slot, set[tuple[str, int]]], summaries: Mapping[Slot, list[str]]) -> list[str]:
    return [
        f"unnamed: {slot.calendar} {slot.start:%F %H:%M}Z {summary!r}"
        for slot, texts in sorted(summaries.items())
        for summary in texts
        if slot in services and not any(_names(summary, *due) for due in services[slot])
    ]


def _names(summary: str, service: str, booked: int) -> bool:
    """Whether a summary tells the service and, for a group session, how many booked it."""
    return service in summary and (not booked or re.search(rf"\b{booked}\b", summary.replace(service, "")) is not None)


def _within(start: datetime, end: datetime, window: Window | None) -> bool:
    return window is None or (window[0] <= start and end <= window[1])
