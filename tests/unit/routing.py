"""The rules with a workspace of two, for tests: what becomes of one appointment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import SecretStr

from calferry.model import (
    Appointment,
    Event,
    Placement,
    Receipt,
    Removal,
    Resource,
    Window,
)
from calferry.ports import Pending, Routed, Target
from calferry.rules import Route, belongs
from calferry.targets import google
from calferry.template import Template
from calferry.wiring import SystemClock
from tests.builders import MORNING, NOW, staff

WINDOW = Window(NOW - timedelta(days=30), NOW + timedelta(days=400))
ANA, BOB = "google:ana@salon.example", "google:bob@salon.example"
STAFF = {one.key: one for one in (staff(), staff("78", "bob@salon.example", name="Bob"))}
TO_OWNER = Route(name="staff", source="salon", target="workspace", calendar=Template("{owner.email}"))


KEY = '{"client_email": "ferry@project.example", "private_key": "not needed here"}'


def showing(route: Route, **changes: Any) -> Route:
    """The route, showing its appointments otherwise."""
    return replace(route, shows=replace(route.shows, **changes))


def workspace(allow: Sequence[str] = ("*",)) -> Target:
    settings = google.Settings(credentials=SecretStr(KEY), subject="{owner.email}", allow=tuple(allow))
    return google.build("workspace", settings, clock=SystemClock())


def pending(one: Appointment, *placements: Placement, **changes: Any) -> Pending:
    fields: dict[str, Any] = {"deletion": "", "deletion_weak": False, "reconfigured": False}
    return Pending(uid="u1", revision=1, appointment=one, placements=placements, **(fields | changes))


def placed(calendar: str = ANA, route: str = "staff") -> Placement:
    held = Event(uid="u1", start=MORNING, end=MORNING + timedelta(minutes=30), summary="Consultation")
    receipt = Receipt(calendar=calendar, uid="u1", fingerprint=held.fingerprint, href="h")
    return Placement(calendar=calendar, uid="u1", target="workspace", route=route, wanted=held, written=receipt)


def routed(
    one: Pending,
    *routes: Route,
    resources: Mapping[str, Resource] = STAFF,
    allow: Sequence[str] = ("*",),
    window: Window = WINDOW,
    now: datetime = NOW,
) -> Routed:
    return belongs(one, routes or (TO_OWNER,), {"workspace": workspace(allow)}, resources, window, now)


def only(result: Routed) -> tuple[str, Event | Removal]:
    ((calendar, _, _), wanted), *rest = result.wanted.items()
    assert not rest
    return calendar, wanted


def event_of(result: Routed) -> Event:
    wanted = only(result)[1]
    assert isinstance(wanted, Event)
    return wanted


def removal_of(result: Routed) -> Removal:
    wanted = only(result)[1]
    assert isinstance(wanted, Removal)
    return wanted
