"""Valomnia as a stage: the sandbox's world and server, with the handles that contract and tests turn."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from calferry.model import Batch, Cursor
from calferry.sandbox import faults
from calferry.sandbox.messages import JsonObject, Request, Response
from calferry.sandbox.server import Moment
from calferry.sandbox.valomnia import ValomniaServer, ValomniaWorld, no_data
from calferry.sandbox.valomnia.faults import rewritten
from calferry.sources.valomnia import Settings, ValomniaSource, build
from tests.contracts.source import CLIENT, WINDOW, ZONE, Fault, appointments

STREAM = "appointments"
ORGANISATION = "acme"
USER, PASSWORD = "sync@acme.example", "password-for-tests"

FAULTS: dict[Fault, Callable[[], faults.Fault]] = {
    Fault.TORN: faults.truncated,
    Fault.HTML: faults.html,
    Fault.STATUS_500: lambda: faults.status(500),
    Fault.STATUS_503: lambda: faults.status(503),
    Fault.UNAUTHORISED: lambda: faults.status(401),
    Fault.WITHOUT_ROWS: no_data,
    Fault.HUNG_UP: faults.dropped,
}


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class ServerClock:
    """The clock of the other side. It goes on by `tick` each time somebody looks; ours knows nothing of it."""

    time: datetime = datetime(2026, 11, 20, 9, 0, 0, 250_000, tzinfo=UTC)
    tick: timedelta = timedelta(seconds=3)

    def now(self) -> datetime:
        self.time += self.tick
        return self.time


@dataclass
class ValomniaStage:
    """An organisation with one employee, one category, and one customer who is a person."""

    keeps_cancelled: ClassVar[bool] = False
    announces_deletions: ClassVar[bool] = False

    server: ValomniaServer
    clock: ServerClock
    user: str = field(init=False)
    category: str = field(init=False)
    customer: str = field(init=False)

    def __post_init__(self) -> None:
        world = self.server.world
        self.user = world.add_employee("Ana", "Pérez", "ana@acme.example", "emp1")
        self.category = world.add_category("Négociation", "negotiation")
        self.customer = world.add_customer(CLIENT, email="zoe@customer.example", phone="+33 1 00 00 00 00")

    def connect(self, **options: Any) -> ValomniaSource:
        settings = {"organisation": ORGANISATION, "user": USER, "password": PASSWORD, "base_url": self.server.url}
        told = settings | {"time_zone": ZONE.key} | options
        return build("sales", Settings.model_validate(told), clock=WallClock())

    def book(self, start: datetime, minutes: int = 30, **members: Any) -> str:
        """Book at a naive wall time of `ZONE`, or at an aware one."""
        begins = (start if start.tzinfo else start.replace(tzinfo=ZONE)).astimezone(UTC)
        usual: dict[str, Any] = {"user": self.user, "category": self.category, "customer": self.customer}
        usual |= {"start": begins, "end": begins + timedelta(minutes=minutes)}
        return self.server.world.book(**(usual | members))

    def move(self, source_id: str, start: datetime) -> None:
        begins = start.replace(tzinfo=ZONE)
        self.server.world.move(source_id, begins, begins.astimezone(UTC) + timedelta(minutes=30))

    def cancel(self, source_id: str) -> None:
        self.server.world.delete(source_id)

    def delete(self, source_id: str) -> None:
        self.server.world.delete(source_id)

    def garble(self, source_id: str) -> None:
        self.server.switches.broken_starts.add(source_id)

    def strip(self, source_id: str) -> None:
        self.rewrite_rows(lambda row: {"id": row["id"]} if str(row["id"]) == source_id else row)

    def modernise(self) -> None:
        self.rewrite_rows(lambda row: row | {"status": "teleported", "hologram": {"colours": [1, None, {}]}})

    def page_by(self, rows: int) -> None:
        self.server.switches.max_ceiling = rows

    def expire_cursors(self) -> None:
        """What is asked along the changes is refused from now on."""
        refusal = Response.of_json({"error": "invalid_datetime_format"}, 400)
        self.server.faults.add(
            faults.Fault("refused", lambda _perform: refusal), times=None, match=_goes_on_from_a_cursor
        )

    def spoil(self, fault: Fault) -> None:
        self.server.faults.add(FAULTS[fault](), times=None)

    def mend(self) -> None:
        self.server.faults.clear()

    def rewrite_rows(self, change: Callable[[JsonObject], Any], *, times: int | None = None) -> None:
        """From now on (or `times` times), every appointment that is told of goes through `change`."""

        def all_of(content: JsonObject) -> JsonObject:
            rows = content.get("data")
            changed: JsonObject = change(content) if rows is None else content | {"data": [change(row) for row in rows]}
            return changed

        self.server.faults.add(rewritten(all_of), times=times, match=is_about_appointments)

    def asked(self, path: str) -> list[dict[str, str]]:
        """The queries of all requests so far whose path ends so."""
        return [
            {name: values[-1] for name, values in exchange.query.items()}
            for exchange in self.server.log
            if exchange.path.endswith(path)
        ]

    def shows(self) -> list[str]:
        """The appointments that were asked for by their id so far."""
        return [one.path.rsplit("/", 1)[-1] for one in self.server.log if "/appointments/" in one.path]

    def requests(self) -> int:
        """How many requests there were so far, logins aside."""
        return sum(exchange.path.startswith("/api/") for exchange in self.server.log)


def is_about_appointments(request: Request) -> bool:
    return "/appointments" in request.path


def _goes_on_from_a_cursor(request: Request) -> bool:
    return (request.one("sort"), request.one("order")) == (
        "lastUpdated",
        "asc",
    ) and "startDate_gte" not in request.query


@contextmanager
def open_stage() -> Iterator[ValomniaStage]:
    """A stage with its server, which must not have crashed in the end."""
    clock = ServerClock()
    world = ValomniaWorld(clock.now)
    with ValomniaServer(world, user=USER, password=PASSWORD) as server:
        yield ValomniaStage(server, clock)
        assert server.crashes == []


@dataclass
class Interruption:
    """Something that happens at the other side before the n-th listing of appointments from now on."""

    before: int
    happens: Callable[[], None]

    def __call__(self, moment: Moment, request: Request) -> None:
        if moment == "before" and request.path.endswith("/appointments"):
            self.before -= 1
            if self.before == 0:
                self.happens()


def delta(source: ValomniaSource, cursor: Cursor, stream: str = STREAM) -> list[Batch]:
    return list(source.changes(stream, cursor, WINDOW))


def owners(batches: list[Batch]) -> dict[str, list[str]]:
    return {key: [owner.key for owner in row.owners] for key, row in appointments(batches).items()}


def stop_the_clock(stage: ValomniaStage) -> None:
    """From now on, everything happens within one second of the server."""
    stage.clock.tick = timedelta(milliseconds=1)
    stage.clock.time = stage.clock.time.replace(microsecond=0)


def let_pass(stage: ValomniaStage, span: timedelta) -> None:
    stage.clock.tick = timedelta(seconds=3)
    stage.clock.time += span


def is_slice(request: Request) -> bool:
    return is_about_appointments(request) and request.one("sort") == "id"


def begins_on(day: str) -> faults.Match:
    """Requests for the slice that is listed from that day on."""
    return lambda request: (request.one("startDate_gte") or "").startswith(day)


def hours_ago(cursor: Cursor, hours: int) -> Cursor:
    content = json.loads(cursor.token)
    content["asked_at"] = (datetime.fromisoformat(content["asked_at"]) - timedelta(hours=hours)).isoformat()
    return Cursor(json.dumps(content))
