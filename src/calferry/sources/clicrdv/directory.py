"""What appointments refer to by id: the calendars and interventions of a group, and the sets they are in.

Vendor's pages: "Calendar API", "Intervention API", "Interventionset".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from calferry.sources.clicrdv.ids import id_at, id_of
from calferry.sources.fields import Row, number_of, says_yes, text_of


class Service(NamedTuple):
    """An intervention. `price` is text, without a currency: ClicRDV names none."""

    name: str
    minutes: int
    price: str


@dataclass(frozen=True, slots=True)
class Directory:
    """Services, and the addresses of calendars that have one of their own, by id."""

    services: Mapping[str, Service]
    addresses: Mapping[str, str]

    @classmethod
    def of(cls, calendars: Iterable[Row], services: Iterable[Row]) -> Directory:
        return cls(
            {id_of(row): service_of(row) for row in services}, {id_of(row): address_of(row) for row in calendars}
        )


def service_of(row: Row) -> Service:
    """An intervention: its length in minutes, its price in cents."""
    cents = number_of(row.get("price"), digits=12)
    return Service(
        name=name_of(row),
        minutes=number_of(row.get("length"), digits=5) or 0,
        price="" if cents is None else f"{cents // 100}.{cents % 100:02}",
    )


def fields_of_service(row: Row, sets: Mapping[str, str]) -> dict[str, str]:
    service = service_of(row)
    return {
        "name": service.name,
        "minutes": str(service.minutes) if service.minutes else "",
        "price": service.price,
        "colour": text_of(row.get("colorref")),
        "set": sets.get(id_at(row, "interventionset"), ""),
        "deleted": _deleted(row),
    }


def fields_of_staff(row: Row, sets: Mapping[str, str]) -> dict[str, str]:
    """A calendar is whose appointments it holds. No page says that it has an e-mail address; some day it may."""
    return {
        "name": name_of(row),
        "email": text_of(row.get("email")),
        "address": address_of(row),
        "set": sets.get(id_at(row, "calendarset"), ""),
        "deleted": _deleted(row),
    }


def names_of(rows: Iterable[Row]) -> dict[str, str]:
    return {id_of(row): name_of(row) for row in rows}


def name_of(row: Row) -> str:
    return text_of(row.get("name")) or text_of(row.get("publicname"))


def address_of(row: Row) -> str:
    """A postal address in one line; empty for a calendar at the group's own."""
    town = f"{text_of(row.get('zipcode')) or text_of(row.get('zip'))} {text_of(row.get('city'))}".strip()
    return ", ".join(part for part in (text_of(row.get("address")), town) if part)


def _deleted(row: Row) -> str:
    return "true" if says_yes(row.get("deleted")) else ""
