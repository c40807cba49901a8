"""A town: every booking system and every kind of calendar, in one installation of calferry.

A salon (Agendize) writes into Google calendars, a practice (ClicRDV) into Microsoft 365, field staff (Valomnia) into
Google calendars that calferry makes itself; and everything goes into feeds as well.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import NamedTuple

from calferry import wiring
from calferry.feeds import TAIL, Publisher
from calferry.sandbox import AgendizeWorld, ClicrdvWorld, Sandbox, ValomniaWorld, Verdict, judge, judge_feed
from calferry.targets.office365.requests import MARK, mark_of
from tests.convergence.systems import Agendize, Clicrdv, System, Valomnia
from tests.crossing import uid_of_event

CLIENT, SECRET = "11111111-2222-3333-4444-555555555555", "s3cret"
SALON = tuple(f"{name}@salon.example" for name in ("ana", "ben", "eva"))
PRACTICE = tuple(f"{name}@practice.example" for name in ("dora", "emil", "finn"))
FIELD = tuple(f"{name}@field.example" for name in ("gil", "hana", "ines"))
DESK = "desk@salon.example"
TITLE = "Visits"

TARGETS = """
[calferry]
name = "town"
database = "sqlite:///calferry.db"

[targets.google]
kind = "google"
root_url = "{google}/"
credentials = {{ file = "key.json" }}
subject = "{{owner.email}}"
allow = ["*@salon.example"]
batch = 3
pace = 1000000

[targets.own]
kind = "google"
root_url = "{google}/"
credentials = {{ file = "key.json" }}
subject = "{{owner.email}}"
allow = ["*@field.example"]
own_calendars = true
batch = 3
pace = 1000000

[targets.microsoft]
kind = "office365"
tenant = "{tenant}"
client_id = "{client}"
client_secret = {{ file = "secret" }}
allow = ["*@practice.example"]
batch = 3
root_url = "{graph}"
authority = "{graph}"
ca_file = "{ca}"

[targets.web]
kind = "ical"
secret = {{ file = "feed-secret" }}
"""

FEED = """
[routes.{name}-feed]
source = "{name}"
target = "web"
calendar = "{name}-{{owner.key}}"
reveal = "full"
"""

AT_THE_DESK = f"""
[routes.desk]
source = "salon"
target = "google"
calendar = "{DESK}"
reveal = "full"
"""


def is_plain(number: int) -> bool:
    """Whether a system books nothing but an ordinary appointment for that number."""
    return number % 9 != 4 and number % 10 > 1


class Harm(NamedTuple):
    """Events and calendars of ours that are one too many, events of others that were touched, and mails."""

    doubled: int
    touched: int
    mails: int


@dataclass
class Town:
    sandbox: Sandbox
    home: Path
    salon: Agendize = field(init=False)
    practice: Clicrdv = field(init=False)
    visits: Valomnia = field(init=False)
    numbers: Iterator[int] = field(default_factory=partial(filter, is_plain, count(100)))

    def __post_init__(self) -> None:
        self.salon = Agendize(self.sandbox.agendize, SALON)
        self.practice = Clicrdv(self.sandbox.clicrdv, PRACTICE)
        self.visits = Valomnia(self.sandbox.valomnia, FIELD)
        for address in (*SALON, DESK, *FIELD):
            self.sandbox.google.world.add_user(address)
        for address in PRACTICE:
            self.sandbox.graph.world.add_mailbox(address)
        self.sandbox.graph.world.add_application(CLIENT, SECRET)
        noon = datetime.combine(self.today, time(12), UTC)
        for address in (*SALON, DESK):
            self.sandbox.google.world.add_foreign_event(address, "Dentist", noon, noon + timedelta(hours=1))
        self.sandbox.graph.world.add_foreign_event(PRACTICE[0], "Dentist", noon, noon + timedelta(hours=1))
        key = self.sandbox.google.add_service_account(delegated=True)
        (self.home / "key.json").write_text(json.dumps(key), encoding="utf-8")
        (self.home / "secret").write_text(SECRET, encoding="utf-8")
        (self.home / "feed-secret").write_text("5" * 64, encoding="utf-8")
        self.configure()

    @property
    def systems(self) -> Mapping[str, System]:
        return {"salon": self.salon, "practice": self.practice, "field": self.visits}

    @property
    def copy(self) -> Path:
        """Where a copy of the ledger goes."""
        return self.home / "copy.db"

    @property
    def config(self) -> Path:
        return self.home / "calferry.toml"

    @property
    def today(self) -> datetime:
        """Today at midnight, naive."""
        return datetime.combine(self.sandbox.now().date(), time())

    def configure(self, more: str = "") -> None:
        graph = self.sandbox.graph
        text = TARGETS.format(
            google=self.sandbox.google.url,
            graph=graph.url,
            ca=graph.ca_file,
            tenant=graph.world.tenant,
            client=CLIENT,
        )
        for (name, system), target in zip(self.systems.items(), ("google", "microsoft", "own"), strict=True):
            folder = self.home / name
            folder.mkdir(exist_ok=True)
            said = system.configured(folder, "").replace("sources.desk", f"sources.{name}")
            said = said.replace("routes.staff", f"routes.{name}").replace('file = "', f'file = "{name}/')
            said = said.replace('"{owner.email}"', f'"{{owner.email}}/{TITLE}"') if target == "own" else said
            text += f'{said}source = "{name}"\ntarget = "{target}"\nreveal = "full"\n{FEED.format(name=name)}'
        self.config.write_text(text + more, encoding="utf-8")

    # What happens

    def start(self, number: int) -> datetime:
        """A working hour within the next weeks, as naive wall time."""
        return self.today + timedelta(days=2 + number % 26, hours=8 + number % 9)

    def book(self, name: str) -> str:
        number = next(self.numbers)
        return self.systems[name].book(number, self.start(number))

    def move(self, name: str, row: str, number: int) -> None:
        start = self.start(number)
        if name == "field":
            aware = start.replace(tzinfo=UTC)
            self.sandbox.valomnia.world.move(row, aware, aware + timedelta(minutes=30))
        else:
            self.systems[name].deeds["edit"](row, number)
            world = self.sandbox.agendize.world if name == "salon" else self.sandbox.clicrdv.world
            world.move(row, start)

    def live(self, name: str) -> list[str]:
        return sorted(self.systems[name].live(), key=int)

    def lose_the_ledger(self) -> None:
        for file in filter(Path.is_file, self.home.glob("calferry.db*")):
            file.unlink()

    def let_time_pass(self) -> None:
        """As long as calferry waits after an attempt whose end it does not know."""
        file = self.home / "tokens" / "targets.own"
        known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        if "making" in known:
            long_ago = (datetime.now(UTC) - timedelta(minutes=6)).isoformat()
            known["making"] = dict.fromkeys(known["making"], long_ago)
            file.write_text(json.dumps(known), encoding="utf-8")
        with closing(sqlite3.connect(self.home / "calferry.db")) as ledger, ledger:
            tables = {name for (name,) in ledger.execute("select name from sqlite_master")}
            if "intents" in tables:
                ledger.execute("update calendars set paused_until = null")
                ledger.execute("update intents set not_before = null")

    # What is true

    @property
    def requests(self) -> int:
        """Everything that was ever asked of anybody, signing in and all."""
        servers = (self.sandbox.agendize, self.sandbox.clicrdv, self.sandbox.valomnia)
        return sum(one.requests for one in (*servers, self.sandbox.google, self.sandbox.graph))

    @property
    def writes(self) -> int:
        return self.sandbox.google.world.writes + self.sandbox.graph.world.performed.total()

    def calendar_of(self) -> dict[str, str]:
        """Calendar id by owner, as the judge wants it; a calendar that is yet to be made has none that exists."""
        made = {one.owner: one.id for one in self.sandbox.google.world.calendars.values() if one.app}
        theirs = dict(zip(self.practice.calendars, PRACTICE, strict=True))
        visits = {user.email: made.get(user.email, "none yet") for user in self.sandbox.valomnia.world.users.values()}
        return {one: one for one in SALON} | theirs | visits

    def verdict(self) -> Verdict:
        """On all calendars and feeds."""
        return self._judged().and_also(judge_feed(self.served(), self._worlds))

    def _judged(self) -> Verdict:
        """On the calendars alone."""
        return judge(self._worlds, (self.sandbox.google.world, self.sandbox.graph.world), self.calendar_of())

    @property
    def _worlds(self) -> tuple[AgendizeWorld, ClicrdvWorld, ValomniaWorld]:
        return self.sandbox.agendize.world, self.sandbox.clicrdv.world, self.sandbox.valomnia.world

    def harm(self) -> Harm:
        """What must be nothing at any instant."""
        verdict = self._judged()
        made = Counter(one.owner for one in self.sandbox.google.world.calendars.values() if one.app)
        doubled = sum(number - 1 for number in (*self.standing().values(), *made.values()))
        return Harm(doubled, verdict.foreign_touched, verdict.mails + verdict.reminder_mails)

    def standing(self) -> Counter[tuple[str, str]]:
        """How many events of ours stand, by calendar and uid."""
        google, graph = self.sandbox.google.world, self.sandbox.graph.world
        found = Counter((one, uid_of_event(event)) for one in google.calendars for event in google.events(one))
        for address in graph.mailboxes:
            for kept in graph.events(address):
                mark = mark_of(kept.properties.get(MARK), f"office365:{address}")
                found[address, mark.uid if mark else ""] += 1
        return Counter({place: number for place, number in found.items() if place[1]})

    def remembers(self, word: str) -> bool:
        """Whether a word is in the ledger's files, or in any calendar of Google's."""
        files = (self.home / f"calferry.db{suffix}" for suffix in ("", "-wal", "-shm"))
        google = self.sandbox.google.world
        shown = any(word in str(event) for one in google.calendars for event in google.events(one))
        return shown or any(word.encode() in file.read_bytes() for file in files if file.exists())

    def served(self) -> bytes:
        """All feeds as one, as they would be served."""
        settings, clock = wiring.settings(self.config), wiring.SystemClock()
        with wiring.existing_ledger(settings) as ledger:
            assert ledger is not None
            web = wiring.build_targets(settings, clock, ledger.shelf)["web"]
            assert isinstance(web, Publisher)
            keys = sorted(self._feeds())
            bodies = ledger.shelf.excerpt(keys, web.shown, clock.now()).bodies
            return b"".join((web.head(web.title("Town"), "https://feeds.town.example"), *bodies, TAIL))

    def _feeds(self) -> Iterator[str]:
        yield from (f"ical:salon-{one}" for one in self.salon.staff)
        yield from (f"ical:practice-{one}" for one in self.practice.calendars)
        yield from (f"ical:field-{one}" for one in self.visits.users)

    def crashes(self) -> list[str]:
        """What the stand-ins complain of themselves."""
        google, graph = self.sandbox.google, self.sandbox.graph
        servers = (self.sandbox.agendize, self.sandbox.clicrdv, self.sandbox.valomnia, google, graph)
        broken = [*google.world.schema_violations, *graph.world.schema_violations]
        return [*broken, *(crash for one in servers for crash in one.crashes)]


@contextmanager
def town(home: Path) -> Iterator[Town]:
    """By the real clock, since calferry in a process of its own knows no other."""
    home.mkdir(exist_ok=True)
    with Sandbox(lambda: datetime.now(UTC)) as sandbox:
        yield Town(sandbox, home)
