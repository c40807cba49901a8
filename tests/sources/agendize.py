"""Agendize as a stage: the sandbox's world and server, with the handles that contract and tests turn."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from calferry.sandbox import faults
from calferry.sandbox.agendize import AgendizeServer
from calferry.sandbox.messages import Request, Response
from calferry.sources.agendize import AgendizeSource, Settings, build
from tests.contracts.source import Fault

COMPANY = "13772899"
KEY, TOKEN = "key-for-tests", "token-for-tests"

FAULTS: dict[Fault, Callable[[], faults.Fault]] = {
    Fault.TORN: faults.truncated,
    Fault.HTML: faults.html,
    Fault.STATUS_500: lambda: faults.status(500),
    Fault.STATUS_503: lambda: faults.status(503),
    Fault.UNAUTHORISED: lambda: faults.status(401),
    Fault.WITHOUT_ROWS: faults.no_items,
    Fault.HUNG_UP: faults.dropped,
}


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class AgendizeStage:
    """One company in Paris with one staff member and one service of half an hour."""

    keeps_cancelled: ClassVar[bool] = True
    announces_deletions: ClassVar[bool] = True

    server: AgendizeServer
    staff: str = field(init=False)
    service: str = field(init=False)

    def __post_init__(self) -> None:
        world = self.server.world
        world.add_company(COMPANY, "Salon Exemple", "Europe/Paris")
        self.staff = world.add_staff(COMPANY, "Ana", "Pérez", "ana@salon.example")
        self.service = world.add_service(COMPANY, "Consultation", 30)

    def connect(self, **options: Any) -> AgendizeSource:
        settings = {"company": COMPANY, "api_key": KEY, "token": TOKEN, "base_url": self.server.url}
        return build("salon", Settings.model_validate(settings | options), clock=WallClock())

    def book(self, start: datetime, minutes: int = 30, **members: Any) -> str:
        client = ("Zoé", "Sample", "zoe@customer.example", "+33 1 00 00 00 00")
        people = {"staff": self.staff, "service": self.service, "client": client}
        return self.server.world.book(COMPANY, start=start, minutes=minutes, **(people | members))

    def move(self, source_id: str, start: datetime) -> None:
        self.server.world.move(source_id, start)

    def cancel(self, source_id: str) -> None:
        self.server.world.cancel(source_id)

    def delete(self, source_id: str) -> None:
        self.server.world.delete(source_id)

    def garble(self, source_id: str) -> None:
        self.server.switches.broken_starts.add(source_id)

    def strip(self, source_id: str) -> None:
        def bare(row: dict[str, Any]) -> dict[str, Any]:
            return {"id": source_id} if row.get("id") == source_id else row

        self.rewrite_reply(
            lambda reply: reply | {"items": [bare(row) for row in reply["items"]]} if "items" in reply else bare(reply)
        )

    def modernise(self) -> None:
        self.rewrite(lambda row: row | {"status": "teleported", "hologram": {"colours": [1, None, {}]}})

    def page_by(self, rows: int) -> None:
        self.server.switches.page_size = rows

    def expire_cursors(self) -> None:
        self.server.world.expire_tokens()

    def spoil(self, fault: Fault) -> None:
        match = faults.matching("") if fault is not Fault.WITHOUT_ROWS else _is_listing
        self.server.faults.add(FAULTS[fault](), times=None, match=match)

    def mend(self) -> None:
        self.server.faults.clear()

    def rewrite(self, change: Callable[[dict[str, Any]], Any], *, times: int | None = None) -> None:
        """From now on (or `times` times), every row of a listing of appointments goes through `change`."""
        self.rewrite_reply(lambda reply: reply | {"items": [change(row) for row in reply["items"]]}, times=times)

    def rewrite_reply(self, change: Callable[[dict[str, Any]], Any], *, times: int | None = None) -> None:
        def effect(perform: Callable[[], Response]) -> Response:
            response = perform()
            return replace(response, body=json.dumps(change(json.loads(response.body))).encode())

        listing = faults.matching("/appointments")
        self.server.faults.add(faults.Fault("rewritten", effect), times=times, match=listing)

    def asked(self, path: str) -> list[dict[str, str]]:
        """The queries of all requests so far whose path ends so."""
        return [
            {name: values[-1] for name, values in exchange.query.items()}
            for exchange in self.server.log
            if exchange.path.endswith(path)
        ]


def _is_listing(request: Request) -> bool:
    return request.path.endswith(("/appointments", "/staff", "/services"))
