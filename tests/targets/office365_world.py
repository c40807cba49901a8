"""The sandbox's Microsoft Graph as the far side of a target: builders and a `Remote` for the contract suite."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from calferry.model import Classification, Event, Status, Transparency
from calferry.sandbox import GraphServer, Request, faults
from calferry.sandbox.graph import Kept, part_status
from calferry.targets.office365 import Office365Target, Settings, build
from calferry.targets.office365.requests import MARK, mark_of
from calferry.tokens import TokenFile
from tests.builders import MORNING
from tests.targets.google_world import StoppedClock

ANA = "ana@salon.example"
KEY = f"office365:{ANA}"
CLIENT, SECRET = "11111111-2222-3333-4444-555555555555", "s3cret"

CODES = {401: "InvalidAuthenticationToken", 403: "ErrorAccessDenied", 412: "ErrorIrresolvableConflict"}

_CLASSES = {"normal": Classification.PUBLIC} | {one.lower(): one for one in list(Classification)[1:]}
_STATUSES = {"tentative": Status.TENTATIVE}
_TRANSPARENCIES = {"free": Transparency.TRANSPARENT}


def settings_for(server: GraphServer, **options: Any) -> Settings:
    given = {
        "tenant": server.world.tenant,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "allow": ["*@salon.example"],
        "batch": 3,
        "root_url": server.url,
        "authority": server.url,
        "ca_file": server.ca_file,
    }
    return Settings(**(given | options))


def target_for(server: GraphServer, **options: Any) -> Office365Target:
    """A target that signs in with a secret; Ana has a mailbox."""
    server.world.add_application(CLIENT, SECRET)
    if ANA not in server.world.mailboxes:
        server.world.add_mailbox(ANA)
    return built(settings_for(server, **options))


def built(settings: Settings) -> Office365Target:
    """A target that nobody is to sign in for."""
    return build("m365", settings, clock=StoppedClock(), tokens=TokenFile(Path("/nowhere/m365")))


def person_for(server: GraphServer, folder: Path, **options: Any) -> Office365Target:
    """A target that signs in as Ana, with what is kept in `folder`."""
    server.world.add_application(CLIENT, public=True)
    if ANA not in server.world.mailboxes:
        server.world.add_mailbox(ANA)
    settings = settings_for(server, client_secret=None, **({"user": ANA} | options))
    return build("m365", settings, clock=StoppedClock(), tokens=TokenFile(folder / "targets.m365"))


@dataclass
class Reader:
    """Somebody who reads what they are told, and enters the code as `who`; declines it, or lets it run out, else."""

    server: GraphServer
    who: str = ANA
    declines: bool = False
    told: list[str] = field(default_factory=list)

    def tell(self, text: str) -> None:
        self.told.append(text)
        code = re.search(r"enter the code (\w+)", text)
        if code is None:
            return
        if self.declines:
            self.server.user_declines(code[1])
        elif self.who:
            self.server.user_enters(code[1], self.who)
        else:
            self.server.expire_codes()

    def ask(self, question: str) -> str:
        raise AssertionError(question)

    def open(self, url: str) -> bool:
        self.told.append(url)
        return False


def held_by(graph: GraphServer, href: str) -> Kept:
    return graph.world.mailboxes[ANA].events[href]


@dataclass
class Office365Remote:
    server: GraphServer

    def shown(self, calendar: str) -> list[Event]:
        address, home = _place(self.server, calendar)
        return [read_back(one, calendar) for one in self.server.world.events(address, home) if MARK in one.properties]

    def add_foreign(self, calendar: str) -> None:
        address, _ = _place(self.server, calendar)
        self.server.world.add_foreign_event(address, "Dentist", MORNING, MORNING + timedelta(hours=1))

    def foreign_touched(self) -> bool:
        return self.server.world.foreign_touched()

    def user_deletes(self, calendar: str, href: str) -> None:
        self.server.world.user_deletes(_place(self.server, calendar)[0], href)

    def user_copies(self, calendar: str, href: str) -> None:
        self.server.world.user_copies(_place(self.server, calendar)[0], href)

    def close(self, calendar: str) -> None:
        self.server.world.withdraw(_place(self.server, calendar)[0])

    def lose_replies(self) -> None:
        self.server.faults.add(faults.lost_reply(), match=lambda request: "/v1.0/" in request.path, times=None)

    def refuse(self, status: int, uid: str = "") -> None:
        subject = f'\\"{uid}\\"'.encode() if uid else b""

        def about(request: Request) -> bool:
            return request.method != "GET" and subject in request.body

        word = CODES.get(status, "UnknownError")
        self.server.part_faults.add(part_status(status, word), match=about, times=None)

    def recover(self) -> None:
        self.server.faults.clear()
        self.server.part_faults.clear()

    def mails(self) -> int:
        return len(self.server.world.mails) + len(self.server.world.reminders)


def read_back(kept: Kept, calendar: str) -> Event:
    """An event of Exchange's in our words."""
    mark = mark_of(kept.properties[MARK], calendar)
    assert mark is not None
    item = kept.item
    return Event(
        uid=mark.uid,
        start=_moment(item["start"]),
        end=_moment(item["end"]),
        summary=item["subject"],
        description=item["body"]["content"],
        location=item["location"]["displayName"],
        status=_STATUSES.get(item["showAs"], Status.CONFIRMED),
        transparency=_TRANSPARENCIES.get(item["showAs"], Transparency.OPAQUE),
        classification=_CLASSES[item["sensitivity"]],
        categories=tuple(item["categories"]),
    )


def _moment(side: dict[str, str]) -> datetime:
    return datetime.fromisoformat(side["dateTime"]).replace(tzinfo=ZoneInfo(side["timeZone"]))


def _place(server: GraphServer, calendar: str) -> tuple[str, str]:
    address, _, home = calendar.removeprefix("office365:").partition("/calendars/")
    return address, home or server.world.mailboxes[address].default
