"""ClicRDV as a stage: the sandbox's world and server, with the handles that contract and tests turn."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from calferry.model import Batch, Cursor
from calferry.sandbox import faults
from calferry.sandbox.clicrdv import ClicrdvServer, no_records
from calferry.sandbox.messages import Request, Response
from calferry.sources.clicrdv import ClicrdvSource, Settings, build
from tests.contracts.source import WINDOW, Fault

GROUP = "4"
KEY, EMAIL, PASSWORD = "key&for/tests", "desk@practice.example", "pässword for tests"

FAULTS: dict[Fault, Callable[[], faults.Fault]] = {
    Fault.TORN: faults.truncated,
    Fault.HTML: faults.html,
    Fault.STATUS_500: lambda: faults.status(500),
    Fault.STATUS_503: lambda: faults.status(503),
    Fault.UNAUTHORISED: lambda: faults.status(401),
    Fault.WITHOUT_ROWS: no_records,
    Fault.HUNG_UP: faults.dropped,
}


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class ClicrdvStage:
    """One group in Paris with one calendar, one intervention of half an hour and one customer."""

    keeps_cancelled: ClassVar[bool] = False

    server: ClicrdvServer
    feed: str = "vevents"
    calendar: str = field(init=False)
    service: str = field(init=False)
    fiche: str = field(init=False)

    def __post_init__(self) -> None:
        world = self.server.world
        world.add_group(GROUP, "Cabinet Exemple", "Europe/Paris", "1 rue Exemple, 75000 Paris")
        rooms = world.add("calendarsets", GROUP, "Rez-de-chaussée")
        kinds = world.add("interventionsets", GROUP, "Soins")
        self.calendar = world.add("calendars", GROUP, "Dr Ana Pérez", calendarset_id=int(rooms))
        members = {"length": 30, "price": 3550, "colorref": "#FF6600", "interventionset_id": int(kinds)}
        self.service = world.add("interventions", GROUP, "Consultation", **members)
        self.fiche = world.add_fiche(GROUP, "Zoé", "Sample", "zoe@customer.example", "+33 1 00 00 00 00")

    @property
    def announces_deletions(self) -> bool:
        return self.feed == "vevents"

    def connect(self, **options: Any) -> ClicrdvSource:
        signed = {"group": GROUP, "api_key": KEY, "email": EMAIL, "password": PASSWORD}
        settings = {**signed, "feed": self.feed, "base_url": self.server.url}
        return build("practice", Settings.model_validate(settings | options), clock=WallClock())

    def book(self, start: datetime, minutes: int = 30, **members: Any) -> str:
        usual: dict[str, Any] = {"calendar": self.calendar, "intervention": self.service, "fiche": self.fiche}
        return self.server.world.book(GROUP, start=start, minutes=minutes, **(usual | members))

    def move(self, source_id: str, start: datetime) -> None:
        self.server.world.move(source_id, start)

    def cancel(self, source_id: str) -> None:
        self.server.world.delete(source_id)

    def delete(self, source_id: str) -> None:
        self.server.world.delete(source_id)

    def garble(self, source_id: str) -> None:
        self.server.switches.broken_starts.add(source_id)

    def strip(self, source_id: str) -> None:
        self.rewrite(lambda row: {"id": row["id"]} if str(row.get("id")) == source_id else row)

    def modernise(self) -> None:
        self.rewrite(lambda row: row | {"state": "teleported", "hologram": {"colours": [1, None, {}]}})

    def page_by(self, rows: int) -> None:
        self.server.switches.page_cap = rows

    def expire_cursors(self) -> None:
        """ClicRDV has none to forget: its marks are times, which mean something else once the group moves."""
        self.server.world.move_group(GROUP, "Indian/Reunion")

    def spoil(self, fault: Fault) -> None:
        self.server.faults.add(FAULTS[fault](), times=None)

    def mend(self) -> None:
        self.server.faults.clear()

    def rewrite(self, change: Callable[[dict[str, Any]], Any], *, times: int | None = None) -> None:
        """From now on (or `times` times), every row of the feed goes through `change`, listed or alone."""

        def changed(reply: dict[str, Any]) -> Any:
            rows = reply.get("records")
            return change(reply) if rows is None else reply | {"records": [change(row) for row in rows]}

        self.rewrite_reply(changed, times=times)

    def rewrite_reply(self, change: Callable[[dict[str, Any]], Any], *, times: int | None = None) -> None:
        def effect(perform: Callable[[], Response]) -> Response:
            response = perform()
            return replace(response, body=json.dumps(change(json.loads(response.body))).encode())

        feed = self.feed

        def match(request: Request) -> bool:
            return f"/{feed}" in request.path and request.path.endswith(".json")

        self.server.faults.add(faults.Fault("rewritten", effect), times=times, match=match)

    def asked(self, path: str) -> list[dict[str, str]]:
        """The queries of all requests so far whose path ends so."""
        return [
            {name: values[-1] for name, values in exchange.query.items()}
            for exchange in self.server.log
            if exchange.path.endswith(path)
        ]


def changes(source: ClicrdvSource, since: Cursor | None = None) -> list[Batch]:
    """All batches of the feed's stream."""
    return list(source.changes(source.streams[0], since, WINDOW))


def cursor_of(batches: list[Batch]) -> Cursor:
    assert batches[-1].cursor is not None
    return batches[-1].cursor


def listings(request: Request) -> bool:
    """Whether a request is for a listing of vevents."""
    return request.path.endswith("/vevents.json")
