"""The salon of the crossing, with its calendars at Microsoft 365."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from calferry.sandbox import GraphServer, Verdict
from calferry.sandbox.graph import Kept
from calferry.targets.office365.requests import MARK, mark_of
from tests.crossing import CALENDARS, STAFF_ROUTE, Salon

CLIENT, SECRET = "11111111-2222-3333-4444-555555555555", "s3cret"
DESK = CALENDARS[-1]

Place = tuple[str, str]
"""A mailbox, and the id of an event there."""


@dataclass
class Office(Salon):
    """Signs in as an application."""

    way_in = 'client_secret = { file = "secret" }'

    @property
    def graph(self) -> GraphServer:
        return self.sandbox.graph

    def configure(self, routes: str = STAFF_ROUTE, *, ledger: str = "calferry.db") -> None:
        super().configure(routes, ledger=ledger)
        world = self.graph.world
        world.add_application(CLIENT, SECRET, public=True)
        for address in CALENDARS:
            if address not in world.mailboxes:
                world.add_mailbox(address)
        (self.home / "secret").write_text(SECRET, encoding="utf-8")
        before, _, rest = self.config.read_text(encoding="utf-8").partition("[targets.workspace]")
        target = f"""\
[targets.workspace]
kind = "office365"
tenant = "{world.tenant}"
client_id = "{CLIENT}"
{self.way_in}
allow = ["*@salon.example"]
batch = 3
root_url = "{self.graph.url}"
authority = "{self.graph.url}"
ca_file = "{self.graph.ca_file}"
"""
        self.config.write_text(f"{before}{target}{rest[rest.index('[routes') :]}", encoding="utf-8")

    def add_foreign_event(self, calendar: str, subject: str, start: datetime, end: datetime) -> None:
        self.graph.world.add_foreign_event(calendar, subject, start, end)

    @property
    def writes(self) -> int:
        return self.graph.world.performed.total()

    def verdict(self) -> Verdict:
        return self.judged(self.graph.world)

    def standing(self) -> Counter[tuple[str, str]]:
        return Counter((place[0], uid) for place, uid, _ in self.marked())

    def marked(self) -> list[tuple[Place, str, Kept]]:
        """Our events, and copies of them, with their uids."""
        found = [
            ((address, kept.id), mark.uid, kept)
            for address in CALENDARS
            for kept in self.graph.world.events(address)
            if (mark := mark_of(kept.properties.get(MARK), f"office365:{address}"))
        ]
        return sorted(found, key=lambda one: (one[0][0], str(one[2].item["createdDateTime"])))


@dataclass
class Desk(Office):
    """Signs in as the person at the desk, with whom everybody shares their calendar for editing."""

    way_in = f'user = "{DESK}"'

    def configure(self, routes: str = STAFF_ROUTE, *, ledger: str = "calferry.db") -> None:
        super().configure(routes, ledger=ledger)
        for address in CALENDARS:
            self.graph.world.share(address, DESK)
        with self.installation() as installation:
            list(installation.targets["workspace"].connect(_Enters(self.graph)))  # type: ignore[attr-defined]  # it can


@dataclass
class _Enters:
    """Enters the code at once."""

    graph: GraphServer

    def tell(self, text: str) -> None:
        words = text.replace(",", "").split()
        if "code" in words:
            self.graph.user_enters(words[words.index("code") + 1], DESK)

    def ask(self, question: str) -> str:
        raise AssertionError(question)

    def open(self, url: str) -> bool:
        return bool(url) and False
