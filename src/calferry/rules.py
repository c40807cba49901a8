"""Pure: an appointment, its resources and the routes → what each calendar shall hold.

What becomes of an appointment by its status is decided in `calferry.policy`; a filter never looks at the status.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Any

from calferry.errors import Refused
from calferry.filters import WEEKDAYS, fits, stopped_by
from calferry.model import Appointment, Event, Owner, Placement, Removal, Resource, Status, Wanted, Why, Window
from calferry.moments import utc
from calferry.policy import Fate, Policy, Treatment, sought, treat, turns_at
from calferry.ports import Pending, Routed, Target
from calferry.presentation import Presentation, owner_values, render, service_name
from calferry.template import Template

RULES_VERSION = "3"
"""Raise it when the same appointment would be shown differently: every appointment is then routed anew."""

Key = tuple[str, str, str]
"""Calendar key, target, route."""

_A_MOMENT = timedelta(seconds=1)


class Groups(StrEnum):
    """How the bookings of one session are shown: as one event with their number, or each as an event of its own."""

    ONE = "one"
    EACH = "each"


class Reaction(StrEnum):
    """What becomes of an event that its user edited or deleted: it is told of, written again, or left as it is."""

    REPORT = "report"
    RESTORE = "restore"
    RESPECT = "respect"


@dataclass(frozen=True, kw_only=True)
class Route:
    """Which appointments of a source go into which calendars of a target, and what they show there.

    The calendar is either a template (`calendar`) or looked up by the owner's key, reference, e-mail address or name
    (`calendars`). `otherwise` takes appointments without an owner. `aliases` are other names of the target's calendars,
    with the names that these are known by. `groups` says whether it carries sessions or their bookings. `on_user_edit`
    and `on_user_delete` decide nothing about what a calendar shall hold, so no digest holds them.
    """

    name: str
    source: str
    target: str
    calendar: Template | None = None
    calendars: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    otherwise: str = ""
    aliases: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    where: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    status: Policy = field(default_factory=lambda: MappingProxyType({}))
    groups: Groups = Groups.ONE
    on_user_edit: Reaction = field(default=Reaction.REPORT, repr=False)
    on_user_delete: Reaction = field(default=Reaction.REPORT, repr=False)
    shows: Presentation = field(default_factory=Presentation)

    @property
    def basis(self) -> str:
        """JSON of the members that decide what a calendar shall hold, where they are not as they are by default: what
        an upgrade adds or means otherwise is no other configuration (see RULES_VERSION)."""
        return json.dumps(_own(self))

    @cached_property
    def by_handle(self) -> Mapping[str, str]:
        """The table of calendars, in any case."""
        return {sought(handle): calendar for handle, calendar in self.calendars.items()}

    @cached_property
    def by_alias(self) -> Mapping[str, str]:
        """The table of aliases, likewise."""
        return {sought(alias): calendar for alias, calendar in self.aliases.items()}


def _own(value: Any) -> dict[str, object]:
    """What of a dataclass is not as it is by default, by name; what no `repr` shows is left out."""
    told: dict[str, object] = {}
    for one in fields(value):
        own, usual = getattr(value, one.name), one.default
        if one.default_factory is not MISSING:
            usual = one.default_factory()
        if one.repr and own != usual:
            told[one.name] = _own(own) if is_dataclass(own) else repr(own)
    return told


class _NoPlaceError(Exception):
    """An appointment that a route should carry and cannot; the text says why, without personal data."""


def belongs(
    pending: Pending,
    routes: Sequence[Route],
    targets: Mapping[str, Target],
    resources: Mapping[str, Resource],
    window: Window,
    now: datetime,
) -> Routed:
    """Where an appointment belongs by these routes (of its own source, in the order of the file).

    Two routes into one calendar want one event: the first in the file wins. An appointment that a route cannot place
    keeps its last placements of that route and says why. The window decides only what is created: what has a place is
    followed to another calendar wherever in time it lies.
    """
    gone = Removal(why=Why.GONE, evidence=pending.deletion, weak=pending.deletion_weak) if pending.deletion else None
    concerned = [] if gone else [route for route in routes if concerns(route, pending.appointment)]
    treated = [(route, treat(route.status, pending.appointment, now)) for route in concerned]
    showing = [(route, treatment) for route, treatment in treated if treatment.fate is not Fate.DELETE]
    deleting = {route.name for route, treatment in treated if treatment.fate is Fate.DELETE}
    wanted, stuck = _wishes(pending, showing, targets, resources, window)
    places = {calendar for calendar, _, _ in wanted}
    for placement in pending.placements:
        if placement.calendar in places or placement.route in stuck:
            continue
        dismissed = _dismissed(placement, pending, deleting)
        if removal := gone or dismissed or _no_longer_here(placement, pending, places, routes):
            wanted[placement.calendar, _reaching(placement, routes, targets), placement.route] = removal
    return Routed(
        uid=pending.uid,
        revision=pending.revision,
        wanted=wanted,
        unrouted="; ".join(f"route {name}: {reason}" for name, reason in stuck.items()),
        look_again_at=_look_again_at(pending, routes, window, now),
    )


def concerns(route: Route, appointment: Appointment) -> bool:
    """Whether the route carries such a thing at all: of a session either the whole or its bookings."""
    if appointment.gathered:
        return route.groups is Groups.ONE
    return not appointment.session or route.groups is Groups.EACH


def _wishes(
    pending: Pending,
    showing: Iterable[tuple[Route, Treatment]],
    targets: Mapping[str, Target],
    resources: Mapping[str, Resource],
    window: Window,
) -> tuple[dict[Key, Wanted], dict[str, str]]:
    """The events that routes want, the first one winning a calendar; and by name why a route cannot say where."""
    wanted: dict[Key, Wanted] = {}
    stuck: dict[str, str] = {}
    for route, treatment in showing:
        try:
            for calendar, event in _places(pending, route, treatment, targets[route.target], resources):
                taken = any(calendar == other for other, _, _ in wanted)
                if not taken and _may_show(pending, route, calendar, event, window):
                    wanted[calendar, route.target, route.name] = event
        except _NoPlaceError as reason:
            stuck[route.name] = str(reason)
    return wanted, stuck


def _dismissed(placement: Placement, pending: Pending, deleting: Set[str]) -> Removal | None:
    """Why its status takes an appointment out of a calendar, or None when it does not.

    `deleting` are the routes whose status policy says so. What was called off stays nowhere unless a route shows it.
    """
    appointment = pending.appointment
    called_off = appointment.status is Status.CANCELLED
    if not called_off and placement.route not in deleting:
        return None
    said = appointment.said or appointment.status
    word = f"{said} ({appointment.custom_status})" if appointment.custom_status else said
    reconfigured = Removal(why=Why.RECONFIGURED, evidence=f"the configuration changed for status {word}")
    if _is_the_configurations_doing(placement, pending, reconfigured):
        return reconfigured
    if called_off:
        return Removal(why=Why.CANCELLED, evidence=f"status {word}")
    return Removal(why=Why.FILTERED, evidence=f"status {word}, which route {placement.route} deletes")


def _is_the_configurations_doing(placement: Placement, pending: Pending, removal: Removal) -> bool:
    """Whether another status policy, and not the status itself, takes an event away; this stays so until an event is
    wanted there again. Of what was called off only an event that was shown all the same: any other was called off
    meanwhile."""
    called_off = pending.appointment.status is Status.CANCELLED
    before = placement.wanted
    if isinstance(before, Removal):
        return before == removal if called_off else before.why is Why.RECONFIGURED
    return pending.reconfigured and (before.called_off or not called_off)


def _may_show(pending: Pending, route: Route, calendar: str, event: Event, window: Window) -> bool:
    """The window decides what is created; what the route already shows somewhere is followed wherever it goes."""
    here = [placement for placement in pending.placements if placement.calendar == calendar]
    if pending.appointment.status is Status.CANCELLED:  # marked where it is, and created nowhere
        return any(placement.written or isinstance(placement.wanted, Event) for placement in here)
    if here:
        return True
    followed = any(placement.written and placement.route == route.name for placement in pending.placements)
    return followed or window.holds(utc(event.start), utc(event.end))


def _no_longer_here(
    placement: Placement, pending: Pending, places: Set[str], routes: Sequence[Route]
) -> Removal | None:
    """Why a placement that no route wants any more has to go, or None when it stays.

    `places` are the calendars that shall hold the appointment. What the configuration took away stays its doing until
    an event is wanted there again: touching the appointment must not turn it into a move.
    """
    before = placement.wanted.why if isinstance(placement.wanted, Removal) else None
    elsewhere = tuple(sorted(places))
    configured = any(route.name == placement.route for route in routes)
    if not configured and not places:
        return None  # what disappears from the file never deletes anything
    if before is Why.RECONFIGURED or not configured or (pending.reconfigured and before is None):
        return Removal(why=Why.RECONFIGURED, evidence="the configuration changed", moved_to=elsewhere)
    held = {one.calendar for one in pending.placements if one.written and isinstance(one.wanted, Event)}
    if places - held or (places and before):
        if not pending.appointment.owners:  # nobody took it over: a glitch can take owners away
            return Removal(why=Why.MOVED, evidence="the appointment has no owner", moved_to=elsewhere, weak=True)
        return Removal(why=Why.MOVED, evidence="the appointment has another owner", moved_to=elsewhere)
    if before in {Why.GONE, Why.CANCELLED}:  # it lives again, and yet no route carries it
        return Removal(why=Why.RECONFIGURED, evidence="it came back, and no route carries it any more")
    carried = all(concerns(route, pending.appointment) for route in routes if route.name == placement.route)
    evidence = "no longer carries it" if carried else "shows its session in its place"
    return Removal(why=Why.FILTERED, evidence=f"route {placement.route} {evidence}", weak=True)


def _reaching(placement: Placement, routes: Sequence[Route], targets: Mapping[str, Target]) -> str:
    """The configured target that reaches a placement's calendar today: targets may have been renamed."""
    kind = placement.calendar.partition(":")[0]
    todays = [route.target for route in routes if route.name == placement.route]
    reaching = (name for name in (*todays, placement.target) if name in targets and targets[name].kind == kind)
    return next(reaching, placement.target)


def _look_again_at(pending: Pending, routes: Sequence[Route], window: Window, now: datetime) -> datetime | None:
    """When (UTC) an appointment that lies too far ahead will have come into the window, or its status policy turns."""
    ahead = utc(pending.appointment.start) - window.end
    entering = [now + ahead + _A_MOMENT] if ahead >= timedelta(0) else []
    turns = () if pending.deletion else (turns_at(route.status, pending.appointment, now) for route in routes)
    return min((*entering, *(moment for moment in turns if moment)), default=None)


def _places(
    pending: Pending, route: Route, treatment: Treatment, target: Target, resources: Mapping[str, Resource]
) -> Iterator[tuple[str, Event]]:
    """Each calendar key the route wants the appointment in, with the event as its target can hold it."""
    for owner in _owners(pending.appointment, resources):
        if not carries(route, pending.appointment, owner, resources):
            continue
        try:
            calendar = target.canonical(_calendar_name(route, owner))
            event = render(pending.uid, pending.appointment, owner, route.shows, treatment, resources)
            elsewhere = dict(pending.appointment.elsewhere).get(target.kind, "")
            yield calendar, replace(target.fit(event), elsewhere=elsewhere)
        except Refused as refusal:
            raise _NoPlaceError(str(refusal)) from refusal


def _owners(appointment: Appointment, resources: Mapping[str, Resource]) -> Iterator[Owner | None]:
    """The owners with what their resources tell; None stands for "nobody in particular"."""
    if not appointment.owners:
        yield None
    for owner in appointment.owners:
        resource = resources.get(f"staff/{owner.key}") or resources.get(f"resource/{owner.key}")
        known = owner_of(resource) if resource else owner
        email, name = known.email or owner.email, known.name or owner.name
        yield replace(owner, email=email, name=name, reference=known.reference)


def owner_of(resource: Resource) -> Owner:
    """An owner as their resource tells of them. Each booking system has a name of its own for a reference."""
    told = resource.fields
    reference = told.get("reference") or told.get("external_id", "")
    return Owner(key=resource.id, name=told.get("name", ""), email=told.get("email", ""), reference=reference)


def carries(route: Route, appointment: Appointment, owner: Owner | None, resources: Mapping[str, Resource]) -> bool:
    """Whether the route's filter lets the appointment through.

    Raises _NoPlaceError where only an address that is not known could tell; a room or a machine has none to know.
    """
    told = {
        "service": (service_name(appointment, resources),),
        "owner": _handles(owner) if owner else ("",),
        "location": (appointment.location,),
        "kind": (appointment.kind,),
        "text": (appointment.summary, appointment.description),
        "weekday": (WEEKDAYS[appointment.start.weekday()],),
        "time": (f"{appointment.start:%H:%M}",),
    }
    stopped = stopped_by(route.where, told)
    if stopped == "owner" and owner and not owner.email and f"resource/{owner.key}" not in appointment.uses:
        msg = f"staff {owner.key} has no email in the booking system, which the route's filter asks for"
        raise _NoPlaceError(msg)
    return not stopped


def _calendar_name(route: Route, owner: Owner | None) -> str:
    """The calendar by the name it is known by. Raises _NoPlaceError."""
    name = _configured_name(route, owner)
    return route.by_alias.get(sought(name), name) if route.aliases else name


def _configured_name(route: Route, owner: Owner | None) -> str:
    """The calendar as the configuration names it. Raises _NoPlaceError."""
    if owner is None:
        fixed = route.calendar is not None and not route.calendar.names
        name = route.otherwise or (route.calendar.render({}) if route.calendar and fixed else "")
        if not name:
            msg = "the appointment has no owner, and the route no `otherwise`"
            raise _NoPlaceError(msg)
        return name
    if route.calendar is None:
        for handle in map(sought, _handles(owner)):
            if handle and handle in route.by_handle:
                return route.by_handle[handle]
        msg = f"staff {owner.key} is not in the route's `calendars`"
        raise _NoPlaceError(msg)
    values = owner_values(owner)
    if missing := [name for name in route.calendar.names if not values[name]]:
        msg = f"staff {owner.key} has no {missing[0].removeprefix('owner.')} in the booking system"
        raise _NoPlaceError(msg)
    return route.calendar.render(values)


def destinations(route: Route, staff: Iterable[Owner]) -> Iterator[tuple[str, str]]:
    """For each of the staff, and for nobody in particular: the calendar as configured, or "" and why there is none."""
    for owner in (*staff, None):
        try:
            yield _calendar_name(route, owner), ""
        except _NoPlaceError as reason:
            yield "", str(reason)


def admits(route: Route, owner: Owner | None) -> bool:
    """Whether the route's filter by owner lets through what is that owner's, or nobody's in particular."""
    asked = route.where.get("owner")
    return not asked or fits(_handles(owner) if owner else ("",), asked)


def unused(route: Route, staff: Iterable[Owner]) -> list[str]:
    """What in a route's table of calendars names none of the staff."""
    known = {sought(handle) for owner in staff for handle in _handles(owner)}
    return [handle for handle in route.calendars if sought(handle) not in known]


def _handles(owner: Owner) -> tuple[str, ...]:
    """What a configuration may call an owner by, the surest first."""
    return tuple(filter(None, (owner.key, owner.reference, owner.email, owner.name)))
