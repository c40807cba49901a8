"""Pure: what the event of an appointment shows, and never more than its route reveals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from calferry.colors import OWN
from calferry.filters import UNASKED, fits
from calferry.language import WORDS, Language, booked_text, date_text, duration_text
from calferry.model import Appointment, Contact, Event, Owner, Resource, Status, at_least
from calferry.moments import utc
from calferry.policy import Treatment
from calferry.template import Template


class Reveal(StrEnum):
    """How much of an appointment a calendar may show; each level includes the ones before."""

    BUSY = "busy"
    SERVICE = "service"
    CONTACT = "contact"
    FULL = "full"


OWNER_FIELDS = frozenset({"owner.key", "owner.reference", "owner.email", "owner.name"})
SHOWN: Mapping[Reveal, frozenset[str]] = MappingProxyType(
    {
        Reveal.BUSY: OWNER_FIELDS | {"start.date", "start.time", "end.time", "duration"},
        Reveal.SERVICE: frozenset(
            {
                "service",
                "reference",
                "external_id",
                "status",
                "custom_status",
                "location",
                "url",
                "kind",
                "count",
                "booked",
            }
        ),
        Reveal.CONTACT: frozenset(
            {
                *("contact.first_name", "contact.last_name", "contact.name", "contact.names"),
                *("contact.email", "contact.phone", "summary"),
            }
        ),
        Reveal.FULL: frozenset({"notes", "reschedule_url", "price"}),
    }
)
"""The template fields that each level adds. What every calendar shows anyway, the times, is no secret at any level."""

SEEN: Mapping[Reveal, frozenset[str]] = MappingProxyType(
    {
        level: frozenset().union(*(SHOWN[one] for one in list(Reveal)[: number + 1]))
        for number, level in enumerate(Reveal)
    }
)
"""All the fields that each level shows."""

CUSTOMER_FIELDS = ("first_name", "last_name", "email", "phone")
"""What a resource of the kind "customer" may tell of a contact."""

SUMMARY = Template("{service}{ – contact.name}{ – booked}")
DESCRIPTION = Template(
    "{contact.name}\n{contact.names}\n{contact.phone}\n{contact.email}\n{notes}\n{reschedule_url}\n{price}\n{reference}"
)
LOCATION = Template("{location}")
LINK = Template("{url}")

COLORED_BY = ("service", "owner", "status")
"""What an event can have its colour by."""


@dataclass(frozen=True, slots=True)
class Coloring:
    """Events have `color` (a name of CSS, or OWN) where what is told `by` one of COLORED_BY fits the pattern."""

    by: str
    pattern: str
    color: str


@dataclass(frozen=True, kw_only=True)
class Presentation:
    """What the events of a route show. The first of `colors` that fits gives an event its colour.

    No event is shown as shorter than `shortest`.
    """

    reveal: Reveal = Reveal.SERVICE
    language: Language = Language.ENGLISH
    summary: Template = SUMMARY
    description: Template = DESCRIPTION
    location: Template = LOCATION
    link: Template = LINK
    categories: tuple[Template, ...] = ()
    colors: tuple[Coloring, ...] = ()
    shortest: timedelta = timedelta(minutes=1)


def render(
    uid: str,
    appointment: Appointment,
    owner: Owner | None,
    shows: Presentation,
    treatment: Treatment,
    resources: Mapping[str, Resource],
) -> Event:
    """The event that is made of an appointment, with no more in it than is revealed."""
    values = _shown(appointment, owner, shows, resources)
    words = WORDS[shows.language]
    summary = shows.summary.render(values) or (words.busy if shows.reveal is Reveal.BUSY else words.appointment)
    categories = (category.render(values) for category in shows.categories)
    event = Event(
        uid=uid,
        start=appointment.start,
        end=appointment.end,
        summary=f"{treatment.prefix}{summary}",
        description=shows.description.render(values),
        location=shows.location.render(values),
        url=shows.link.render(values),
        status=treatment.status,
        transparency=treatment.transparency,
        categories=tuple(dict.fromkeys(filter(None, categories))),
        color=_color(values, appointment.status, shows),
        called_off=appointment.status is Status.CANCELLED,
    )
    return at_least(event, shows.shortest / timedelta(minutes=1))


def service_name(appointment: Appointment, resources: Mapping[str, Resource]) -> str:
    """The service as it is called today: a renamed service does not touch the appointments that use it."""
    return _used("service", appointment, resources).get("name") or appointment.service


def owner_values(owner: Owner | None) -> dict[str, str]:
    """The template fields that tell of an owner; empty for nobody in particular."""
    if owner is None:
        return dict.fromkeys(OWNER_FIELDS, "")
    return {f"owner.{name}": getattr(owner, name) for name in ("key", "reference", "email", "name")}


def _color(values: Mapping[str, str], status: Status, shows: Presentation) -> str:
    """By what is shown alone: what is not revealed fits a pattern for everything at most.

    Where there are colours and none fits, the calendar's own: an event must not keep the one that it had before.
    """
    amounts = status.lower() if shows.reveal is not Reveal.BUSY else ""
    told = {
        "service": (values["service"],),
        "owner": tuple(values[name] for name in OWNER_FIELDS),
        "status": (values["custom_status"], values["status"], amounts),
    }
    fitting = (one.color for one in shows.colors if fits(told[one.by], [one.pattern]))
    return next(fitting, OWN if shows.colors else "")


def _unbooked(appointment: Appointment, language: Language) -> str:
    """What stands for the service of time that nobody booked; titles are made from the service."""
    return WORDS[language].busy if appointment.kind.casefold() in UNASKED else ""


def _contact(appointment: Appointment, resources: Mapping[str, Resource]) -> Contact:
    """The customer as they are known today, likewise."""
    told = _used("customer", appointment, resources)
    return replace(appointment.contact, **{name: told[name] for name in CUSTOMER_FIELDS if told.get(name)})


def _address(appointment: Appointment, reveal: Reveal, resources: Mapping[str, Resource]) -> str:
    """Where it takes place: where it says, else at its company's, else, for whom may know, at the customer's."""
    if appointment.location or appointment.url:
        return appointment.location
    kinds = ("company", "customer") if reveal in {Reveal.CONTACT, Reveal.FULL} else ("company",)
    addresses = (_used(kind, appointment, resources).get("address", "") for kind in kinds)
    return next(filter(None, addresses), "")


def _used(kind: str, appointment: Appointment, resources: Mapping[str, Resource]) -> Mapping[str, str]:
    """The fields of the first resource of that kind which the appointment uses and which is held."""
    keys = (key for key in appointment.uses if key.startswith(f"{kind}/") and key in resources)
    return next((resources[key].fields for key in keys), {})


def _times(appointment: Appointment, language: Language) -> dict[str, str]:
    """When it takes place, in words, by the clock and the calendar of its own zone."""
    return {
        "start.date": date_text(appointment.start, language),
        "start.time": f"{appointment.start:%H:%M}",
        "end.time": f"{appointment.end:%H:%M}",
        "duration": duration_text(utc(appointment.end) - utc(appointment.start)),
    }


def _shown(
    appointment: Appointment, owner: Owner | None, shows: Presentation, resources: Mapping[str, Resource]
) -> dict[str, str]:
    """Every template field, empty where it may not be revealed."""
    contact = _contact(appointment, resources)
    customers = appointment.customers if appointment.gathered else ()
    values = owner_values(owner) | _times(appointment, shows.language)
    values |= {
        "service": service_name(appointment, resources) or _unbooked(appointment, shows.language),
        "reference": appointment.reference,
        "external_id": appointment.external_id,
        "status": appointment.said,
        "custom_status": appointment.custom_status,
        "location": _address(appointment, shows.reveal, resources),
        "url": appointment.url,
        "kind": appointment.kind,
        "summary": appointment.summary,
        "contact.first_name": contact.first_name,
        "contact.last_name": contact.last_name,
        "contact.name": contact.name,
        "contact.names": "\n".join(filter(None, (one.name or one.email or one.phone for one in customers))),
        "count": str(len(customers) or ""),
        "booked": booked_text(len(customers), shows.language),
        "contact.email": contact.email,
        "contact.phone": contact.phone,
        "notes": appointment.description,
        "reschedule_url": appointment.reschedule_url,
        "price": appointment.price or _used("service", appointment, resources).get("price", ""),
    }
    seen = SEEN[shows.reveal]
    return {name: value if name in seen else "" for name, value in values.items()}
