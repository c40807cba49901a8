"""The three booking systems with something of everything that their probes look at, and every text of their people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from calferry.ports import Finding, Probing
from calferry.sandbox import AgendizeServer, ClicrdvServer, ValomniaServer
from tests.sources.agendize import KEY, TOKEN, AgendizeStage
from tests.sources.clicrdv import EMAIL, GROUP, PASSWORD, ClicrdvStage
from tests.sources.clicrdv import KEY as CLICRDV_KEY
from tests.sources.valomnia import open_stage

Server = AgendizeServer | ClicrdvServer | ValomniaServer

PERSONAL = frozenset(
    {"first", "last", "email", "phone", "notes", "note", "text", "comments", "title", "name", "address"}
)
"""The members of the worlds' records whose texts are somebody's."""

GAP = datetime(2026, 3, 29, 2, 30)


@dataclass(frozen=True)
class Account:
    """A booking system, and a source that reads it."""

    server: Server
    source: Probing

    @property
    def switches(self) -> Any:
        return self.server.switches

    def told(self) -> Mapping[str, Finding]:
        """What the probes find, by their question."""
        return {finding.question: finding for finding in self.source.probe()}

    def texts(self) -> set[str]:
        """Every text of a person in the world of the booking system, and every secret."""
        texts: set[str] = set()
        for held in vars(self.server.world).values():
            for record in held.values() if isinstance(held, dict) else ():
                texts |= set(_texts(record))
        return {text for text in texts if len(text) > 2}


def _texts(record: Any, name: str = "") -> Iterator[str]:
    if isinstance(record, dict):
        for part in record.values():
            yield from _texts(part, name)
    elif is_dataclass(record):
        for field in fields(record):
            yield from _texts(getattr(record, field.name), field.name)
    elif isinstance(record, tuple) and hasattr(record, "_fields"):
        for part_name, part in zip(record._fields, record, strict=True):
            yield from _texts(part, part_name)
    elif isinstance(record, str) and name in PERSONAL:
        yield record


@contextmanager
def agendize(*, booked: bool = True, **options: Any) -> Iterator[Account]:
    with AgendizeServer(api_key=KEY, token=TOKEN) as server:
        stage, today = AgendizeStage(server), _today()
        days = range(6 if booked else 0)
        rows = [stage.book(today + timedelta(days=day), notes=f"Allergique à tout {day}") for day in days]
        if booked:
            room = server.world.add_bookable("13772899", "Laser Zürich", beside=True)
            server.world.set_custom_status(rows[0], "9", "Chère habituée")
            server.world.delete(rows[1])
            server.world.cancel(rows[2])
            stage.book(today, type="personal", notes="Dentiste de Zoé")
            stage.book(today, resources=(room,))
            for _ in range(2):
                stage.book(today + timedelta(hours=3), meta_event=True)
        yield Account(server, stage.connect(**options))


@contextmanager
def clicrdv(*, booked: bool = True, **options: Any) -> Iterator[Account]:
    with ClicrdvServer(api_key=CLICRDV_KEY, email=EMAIL, password=PASSWORD) as server:
        stage, today = ClicrdvStage(server), _today()
        for day in range(9 if booked else 0):
            stage.book(today + timedelta(days=day), text=f"Doe Zoé {day}", comments=f"Allergique à tout {day}")
        if booked:
            stage.delete(stage.book(today))
            stage.book(_now(server) - timedelta(minutes=5))
            stage.book(GAP)
            stage.book(today, fiche="", intervention="", text="Pause de Zoé")
        yield Account(server, stage.connect(**options))


@contextmanager
def valomnia(*, booked: bool = True, **options: Any) -> Iterator[Account]:
    with open_stage() as stage:
        world, today = stage.server.world, _today()
        ben = world.add_employee("Ben", "Beispiel", "ben@acme.example", "emp22")
        for day in range(8 if booked else 0):
            zoe = world.add_contact(stage.customer, "Zoé", f"Sample {day}", "zoe@customer.example", "+33 1 00 00 00 01")
            told: dict[str, Any] = {
                "title": f"Visite chez Zoé {day}",
                "note": f"Allergique à tout {day}",
                "contacts": (zoe,),
            }
            stage.book(today + timedelta(days=day), user=ben if day % 2 else stage.user, **told)
        yield Account(stage.server, stage.connect(**options))


OPENED: Mapping[str, Callable[..., Any]] = {"agendize": agendize, "clicrdv": clicrdv, "valomnia": valomnia}


def _today() -> datetime:
    return datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0, tzinfo=None)


def _now(server: ClicrdvServer) -> datetime:
    return datetime.now(UTC).astimezone(server.world.zone(GROUP)).replace(tzinfo=None, microsecond=0)
