"""A small salon in the sandbox, its calendars, and an installation that ferries between them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from calferry import wiring
from calferry.sandbox import GoogleWorld, GraphWorld, Sandbox, Verdict, judge
from calferry.sandbox.messages import JsonObject
from calferry.sync.crossing import Report, run
from calferry.sync.installation import Installation, Watch

COMPANY = "13772899"
ZONE = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 10, 20, 9, 0, tzinfo=UTC)
"""A Tuesday; the clocks go back on the Sunday after."""

CALENDARS = ("ana@salon.example", "ben@salon.example", "eva@salon.example", "desk@salon.example")
"""Everybody's calendar. The first three belong to the staff."""

PAST, FUTURE = timedelta(days=7), timedelta(days=60)
"""How far the installation looks."""

STAFF_ROUTE = """
[routes.staff]
source = "salon"
target = "workspace"
calendar = "{owner.email}"
reveal = "full"
"""


@dataclass
class HandClock:
    """A clock that a test moves on. Left alone, it ticks a millisecond each time somebody looks."""

    time: datetime = NOW

    def now(self) -> datetime:
        self.time += timedelta(milliseconds=1)
        return self.time

    def pass_by(self, span: timedelta) -> None:
        self.time += span


@dataclass
class Salon:
    """Three staff with a calendar each, a desk's calendar, two services, and a calferry that looks after them."""

    sandbox: Sandbox
    home: Path
    clock: HandClock
    staff: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    config: Path = field(init=False)

    def __post_init__(self) -> None:
        bookings, google = self.sandbox.agendize.world, self.sandbox.google.world
        bookings.add_company(COMPANY, "Salon Exemple", ZONE.key)
        names = (("Ana", "Pérez"), ("Ben", "Muster"), ("Eva", "Sample"))
        who = zip(names, CALENDARS[:3], strict=True)
        self.staff = tuple(bookings.add_staff(COMPANY, *name, email) for name, email in who)
        self.services = tuple(bookings.add_service(COMPANY, name, 30) for name in ("Coupe", "Épilation & soin"))
        for email in CALENDARS:
            google.add_user(email, time_zone=ZONE.key)
        self.configure()

    def configure(self, routes: str = STAFF_ROUTE, *, ledger: str = "calferry.db") -> None:
        """Write the configuration: an installation of that name's ledger, with these routes."""
        account = self.sandbox.google.add_service_account(delegated=True)
        self.config = self.home / "calferry.toml"
        (self.home / "key.json").write_text(json.dumps(account), encoding="utf-8")
        (self.home / "api-key").write_text(self.sandbox.agendize.api_key, encoding="utf-8")
        (self.home / "token").write_text(self.sandbox.agendize.token, encoding="utf-8")
        self.config.write_text(
            f"""\
[calferry]
name = "salon"
database = "sqlite:///{ledger}"

[sources.salon]
kind = "agendize"
company = "{COMPANY}"
base_url = "{self.sandbox.agendize.url}"
api_key = {{ file = "api-key" }}
token = {{ file = "token" }}
window = {{ past = "{PAST.days}d", future = "{FUTURE.days}d" }}

[targets.workspace]
kind = "google"
root_url = "{self.sandbox.google.url}/"
credentials = {{ file = "key.json" }}
subject = "{{owner.email}}"
allow = ["*@salon.example"]
batch = 3
pace = 1000000
{routes}""",
            encoding="utf-8",
        )

    def book(self, day: int = 3, hour: int = 9, *, staff: int = 0, **members: Any) -> str:
        """Book so many days from the clock's today, at that hour in the salon's zone; returns the id."""
        usual: dict[str, Any] = {"service": self.services[0], "start": self.wall(day, hour)}
        return self.sandbox.agendize.world.book(COMPANY, staff=self.staff[staff], **usual | members)

    def wall(self, day: int, hour: int, minute: int = 0) -> datetime:
        """A naive wall time of the salon, so many days from the clock's today."""
        today = self.clock.time.astimezone(ZONE).date()
        return datetime.combine(today + timedelta(days=day), time(hour, minute))

    def vanish(self, appointment: str) -> None:
        """An appointment leaves without a trace: no delta tells, and asked for by id it is not found."""
        world = self.sandbox.agendize.world
        with world.lock:
            row = world.appointments[appointment]
            world.appointments[appointment] = replace(row, company="nowhere", deleted=world.now())

    @contextmanager
    def installation(self) -> Iterator[Installation]:
        with wiring.installation(wiring.settings(self.config), self.clock) as installation:
            yield installation

    def cross(self, after: timedelta = timedelta(minutes=1)) -> Report:
        """One pass of a new process, some time later."""
        self.clock.pass_by(after)
        with self.installation() as installation:
            return run(installation, Watch())

    def quiet_requests(self) -> tuple[int, int]:
        """How many requests the next pass makes, to the booking system and to the calendars."""
        self.sandbox.agendize.forget_requests()
        self.sandbox.google.forget_requests()
        self.cross()
        return self.sandbox.agendize.requests, self.sandbox.google.requests

    def verdict(self) -> Verdict:
        """How far the calendars are from the truth, well within the window."""
        return self.judged(self.sandbox.google.world)

    def judged(self, calendars: GoogleWorld | GraphWorld) -> Verdict:
        now, day = self.clock.time, timedelta(days=1)
        window = (now - PAST + day, now + FUTURE - day)
        return judge([self.sandbox.agendize.world], [calendars], window=window, named=True)

    def add_foreign_event(self, calendar: str, subject: str, start: datetime, end: datetime) -> None:
        """Somebody's own event in their calendar, at aware instants."""
        self.sandbox.google.world.add_foreign_event(calendar, subject, start, end)

    @property
    def writes(self) -> int:
        """What was ever written into the calendars."""
        return self.sandbox.google.world.writes

    def ours(self, calendar: str) -> list[JsonObject]:
        """Our events as they stand in a calendar, by start."""
        events = self.sandbox.google.world.events(calendar)
        return sorted((one for one in events if uid_of_event(one)), key=lambda one: str(one["start"]["dateTime"]))

    def standing(self) -> Counter[tuple[str, str]]:
        """How many events of ours stand, by calendar and uid."""
        return Counter((calendar, uid_of_event(one)) for calendar in CALENDARS for one in self.ours(calendar))


def uid_of_event(event: JsonObject) -> str:
    """The uid in the mark of an event, empty where it is not ours."""
    uid: str = event.get("extendedProperties", {}).get("private", {}).get("calferryUid", "")
    return uid


@contextmanager
def salon(home: Path, now: datetime = NOW, kind: type[Salon] = Salon) -> Iterator[Salon]:
    """Open for as long as it takes; the sandbox must not have crashed, nor seen a request that breaks the rules."""
    clock = HandClock(now)
    with Sandbox(clock.now) as sandbox:
        yield kind(sandbox, home, clock)
        assert [*sandbox.agendize.crashes, *sandbox.google.crashes, *sandbox.graph.crashes] == []
        assert sandbox.google.world.schema_violations == sandbox.graph.world.schema_violations == []
        assert sandbox.graph.world.changing_ids == 0
