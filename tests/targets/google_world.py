"""The sandbox's Google as the far side of a target: builders and a `Remote` for the contract suite."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from calferry.model import Classification, Event, Status, Transparency
from calferry.ports import Clock
from calferry.sandbox import GoogleServer, Request, faults
from calferry.sandbox.google import part_status
from calferry.targets.google import GoogleTarget, Settings, build
from calferry.targets.google.events import COLORS
from calferry.tokens import TokenFile
from tests.builders import MORNING, NOW

ANA = "ana@salon.example"
KEY = f"google:{ANA}"

DELEGATION: Mapping[str, Any] = {"subject": "{owner.email}", "allow": ["*@salon.example"]}

REASONS = {400: "invalid", 401: "authError", 403: "forbidden", 412: "conditionNotMet", 429: "rateLimitExceeded"}


@dataclass(frozen=True)
class StoppedClock:
    """It is always the same time."""

    time: datetime = NOW

    def now(self) -> datetime:
        return self.time


def settings_for(server: GoogleServer, key: Mapping[str, Any], **options: Any) -> Settings:
    return Settings(**{"credentials": json.dumps(key), "root_url": server.url, "batch": 3} | options)


def target_for(server: GoogleServer, **options: Any) -> GoogleTarget:
    """A target that acts as its service account, with which Ana shares her calendar."""
    key = server.add_service_account(delegated="subject" in options)
    if ANA not in server.world.users:
        server.world.add_user(ANA)
    server.world.share(ANA, key["client_email"], "writer")
    return build("workspace", settings_for(server, key, **options), clock=StoppedClock())


def installed_target(
    server: GoogleServer, tokens: TokenFile, clock: Clock | None = None, **options: Any
) -> GoogleTarget:
    """A target for Ana to sign in to."""
    if ANA not in server.world.users:
        server.world.add_user(ANA)
    settings = settings_for(server, server.add_installed_client(), **{"subject": ANA} | options)
    return build("workspace", settings, clock=clock or StoppedClock(), tokens=tokens)


@dataclass
class Person:
    """Who sits at a terminal, with a browser on the same machine or on another one."""

    here: bool = True
    told: list[str] = field(default_factory=list)
    pasted: str = ""
    page: str = ""

    def tell(self, text: str) -> None:
        self.told.append(text)

    def ask(self, question: str) -> str:
        self.told.append(question)
        return self.pasted or httpx.get(self.page).headers["Location"]

    def open(self, url: str) -> bool:
        self.page = url
        if self.here:
            Thread(target=httpx.get, args=(url,), kwargs={"follow_redirects": True}).start()
        return self.here


@dataclass
class GoogleRemote:
    server: GoogleServer

    def shown(self, calendar: str) -> list[Event]:
        held = self.server.world.events(_id(calendar))
        return [read_back(one) for one in held if "extendedProperties" in one]

    def add_foreign(self, calendar: str) -> None:
        self.server.world.add_foreign_event(_id(calendar), "Dentist", MORNING, MORNING + timedelta(hours=1))

    def foreign_touched(self) -> bool:
        world = self.server.world
        return any(world.calendars[home].events.get(one) != kept for (home, one), kept in world.foreign.items())

    def user_deletes(self, calendar: str, href: str) -> None:
        self.server.world.user_deletes(_id(calendar), href)

    def user_copies(self, calendar: str, href: str) -> None:
        home = self.server.world.calendars[_id(calendar)]
        self.server.world.store(home, home.events[href] | {"id": "copy0"})

    def close(self, calendar: str) -> None:
        self.server.world.withdraw(_id(calendar))

    def lose_replies(self) -> None:
        self.server.faults.add(faults.lost_reply(), match=lambda request: request.path != "/token", times=None)

    def refuse(self, status: int, uid: str = "") -> None:
        subject = f'"calferryUid":"{uid}"'.encode() if uid else b""

        def about(request: Request) -> bool:
            return request.method != "GET" and subject in request.body

        self.server.part_faults.add(part_status(status, REASONS.get(status, "backendError")), match=about, times=None)

    def recover(self) -> None:
        self.server.faults.clear()
        self.server.part_faults.clear()

    def mails(self) -> int:
        return len(self.server.world.mails) + len(self.server.world.reminder_mails)


def read_back(item: Mapping[str, Any]) -> Event:
    """An event of Google's in our words."""
    private = item["extendedProperties"]["private"]
    return Event(
        uid=private["calferryUid"],
        start=_moment(item["start"]),
        end=_moment(item["end"]),
        summary=item["summary"],
        description=html.unescape(item.get("description", "")),
        location=item.get("location", ""),
        url=item.get("source", {}).get("url", ""),
        status=Status(item["status"].upper()),
        transparency=Transparency(item.get("transparency", "opaque").upper()),
        classification=Classification(item.get("visibility", "public").upper()),
        color=list(COLORS)[int(item["colorId"]) - 1] if item.get("colorId") else "",
    )


def _moment(side: Mapping[str, str]) -> datetime:
    return datetime.fromisoformat(side["dateTime"]).astimezone(UTC).astimezone(ZoneInfo(side["timeZone"]))


def _id(calendar: str) -> str:
    return calendar.removeprefix("google:")
