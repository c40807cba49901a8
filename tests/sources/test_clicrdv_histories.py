"""Any history of a practice, told by a ClicRDV that fails in every way, ends with the ledger holding the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from calferry import wiring
from calferry.moments import utc
from calferry.ports import Pending, Routed
from calferry.presentation import service_name
from calferry.sandbox import faults
from calferry.sandbox.clicrdv import (
    ClicrdvServer,
    ClicrdvSwitches,
    ClicrdvWorld,
    empty,
    no_records,
    wrong_total,
)
from calferry.sandbox.clicrdv import (
    partial as half,
)
from calferry.sandbox.clicrdv.world import AVAILABILITY
from calferry.sandbox.messages import Request
from calferry.sync.installation import Installation, Watch
from calferry.sync.pull import pull
from tests.crossing import HandClock

GROUP = "4"
ZONE = "Europe/Paris"
PAST, FUTURE = timedelta(days=7), timedelta(days=30)
DAY = timedelta(days=1)

EXAMPLES = 50 if settings().max_examples <= 100 else 500
PHASES = [Phase.explicit, Phase.generate] if EXAMPLES == 50 else list(Phase)
"""By default a failing history is shown as it was found: to shrink it takes minutes, and is left to `soak`."""

Deed = Callable[["Practice", str, int], None]
Step = tuple[str, int, int]
Told = tuple[datetime, datetime, str, str, str, str]
"""Start, end, calendar, service, customer, comments."""

DEEDS: dict[str, Deed] = {
    "delete": lambda practice, row, _: practice.world.delete(row),
    "restore": lambda practice, row, _: practice.world.restore(row),
    "comment": lambda practice, row, n: practice.world.change(row, comments=f"note {n}"),
    "reassign": lambda practice, row, n: practice.world.change(row, calendar=practice.calendars[n % 2]),
    "move": lambda practice, row, n: practice.world.move(row, practice.wall(n % 30 - 3, 7 + n % 11)),
    "make it a block": lambda practice, row, _: practice.world.change(row, fiche="", intervention=""),
    "make it an appointment": lambda practice, row, n: practice.world.change(row, **practice.booked(n)),
    "make it a note": lambda practice, row, _: practice.world.change(row, note=True),
    "make it opening hours": lambda practice, row, _: practice.world.change(row, type=AVAILABILITY),
    "vanish": lambda practice, row, _: practice.world.vanish(row),
    "hide the group, or show it": lambda practice, _, n: practice.world.withdraw_group(GROUP, withdrawn=bool(n % 2)),
    "move the group": lambda practice, _, n: practice.world.move_group(GROUP, (ZONE, "Indian/Reunion")[n % 2]),
    "end all sessions": lambda practice, _, _n: practice.server.sessions.clear(),
    "rename the customer": lambda practice, _, n: practice.world.change_fiche(practice.fiches[n % 3], last=f"Roy {n}"),
    "rename the service": lambda practice, _, n: practice.world.rename(
        "interventions", practice.services[n % 2], f"{n}"
    ),
}

FAULTS: dict[str, Callable[[], faults.Fault]] = {
    "lost reply": faults.lost_reply,
    "dropped": faults.dropped,
    "truncated": faults.truncated,
    "a sign-in page": faults.html,
    "an error with 200": faults.error_200,
    "empty": empty,
    "half": half,
    "no records": no_records,
    "one too few": lambda: wrong_total(1),
    "one too many": lambda: wrong_total(-1),
    **{str(code): partial(faults.status, code) for code in (400, 401, 403, 404, 429, 500, 503)},
}

switches = st.fixed_dictionaries(
    {
        "strangers": st.sampled_from(["see less", "401 when a session is over", "401"]),
        "error_shape": st.sampled_from(["object", "text", "list", "bare"]),
        "no_result": st.sampled_from([0, 200, 400, 404]),
        "deleted_rows": st.sampled_from(["listed", "hidden"]),
        "page_cap": st.sampled_from([0, 3]),
        "echo": st.booleans(),
        "conditions": st.sampled_from(["honoured", "ignored"]),
        "embed_fiche": st.booleans(),
        "gap": st.sampled_from(["as booked", "shifted"]),
        "booleans": st.sampled_from(["bool", "number", "text"]),
        "text_ids": st.booleans(),
        "zone_labels": st.sampled_from([{}, {ZONE: "Paris"}]),
        "wrapped": st.booleans(),
    }
)
numbers = st.integers(0, 999)
days = st.integers(-3, 30)
deeds = st.tuples(st.sampled_from(sorted(DEEDS)), numbers, numbers)
steps = st.one_of(
    deeds,
    deeds,
    st.tuples(st.just("book"), days, st.integers(7, 18)),
    st.tuples(st.just("book at night"), st.integers(0, 5), st.integers(0, 1)),
)
breakages = st.tuples(st.sampled_from([f"fault: {name}" for name in FAULTS]), st.integers(1, 6), st.integers(0, 9))
spans = st.sampled_from([1, 16, 180, 25 * 60]).map(lambda minutes: timedelta(minutes=minutes))
rounds = st.tuples(st.lists(steps, min_size=2, max_size=5), st.none() | breakages, spans)
"""What happens, what breaks, and how much later a pull comes."""


@dataclass
class Practice:
    """Two calendars, two services, three customers, and a ledger that follows them."""

    server: ClicrdvServer
    clock: HandClock
    home: Path
    options: dict[str, str]
    calendars: list[str] = field(default_factory=list)
    services: list[str] = field(default_factory=list)
    fiches: list[str] = field(default_factory=list)
    been_off: set[str] = field(default_factory=set)
    """Rows that were no appointment at some time: of the others, calferry must never say that they are gone."""

    def __post_init__(self) -> None:
        self.world.add_group(GROUP, "Cabinet", ZONE)
        self.calendars = [self.world.add("calendars", GROUP, name) for name in ("Dr Pérez", "Dr Muster")]
        self.services = [self.world.add("interventions", GROUP, name, length=30) for name in ("Soin", "Radio")]
        self.fiches = [self.world.add_fiche(GROUP, name, "Roy") for name in ("Jo", "Al", "Vi")]

    @property
    def world(self) -> ClicrdvWorld:
        return self.server.world

    @property
    def source(self) -> str:
        return f"clicrdv:{GROUP}" + ("/appointments" if self.options.get("feed") == "appointments" else "")

    @property
    def config(self) -> Path:
        config = self.home / "calferry.toml"
        (self.home / "key").write_text(self.server.api_key)
        (self.home / "password").write_text(self.server.password)
        options = "\n".join(f'{name} = "{value}"' for name, value in self.options.items())
        config.write_text(
            f"""
[calferry]
name = "practice"
[sources.practice]
kind = "clicrdv"
group = "{GROUP}"
api_key = {{ file = "key" }}
email = "{self.server.email}"
password = {{ file = "password" }}
base_url = "{self.server.url}"
window = {{ past = "{PAST.days}d", future = "{FUTURE.days}d" }}
{options}
""",
            encoding="utf-8",
        )
        return config

    def wall(self, day: int, hour: int) -> datetime:
        return datetime.combine(self.clock.time.date() + timedelta(days=day), time(hour))

    def booked(self, number: int) -> dict[str, Any]:
        """The members that make an appointment of a row."""
        what = {"fiche": self.fiches[number % 3], "intervention": self.services[number % 2]}
        return {**what, "note": False, "type": "Vevent"}

    def book(self, start: datetime, number: int) -> str:
        calendar = self.calendars[number % 2]
        return self.world.book(GROUP, calendar=calendar, start=start, **self.booked(number))

    def take(self, step: Step) -> None:
        """What happens at the practice, or to the network."""
        what, first, second = step
        if what == "book":
            self.book(self.wall(first, second), first)
        elif what == "book at night":
            minute = (0, 15, 30, 45, 50, 59)[first]
            self.book(datetime(2026, 10, 25, 2, minute, fold=second), first)
        elif what.startswith("fault: "):
            fault = FAULTS[what.removeprefix("fault: ")]
            match = _no_look_up if what.endswith(("404", "400")) else None
            self.server.faults.add(fault(), times=first, after=second, match=match)
        elif self.world.vevents:
            rows = list(self.world.vevents)
            DEEDS[what](self, rows[first % len(rows)], second)
        live = {one.id for one in self.world.live()}
        self.been_off |= self.world.vevents.keys() - live

    def truth(self) -> dict[str, Told]:
        return {
            one.id: (one.start, one.end, one.calendar, one.service, one.customer, one.comments)
            for one in self.world.live()
            if self._within(one.start)
        }

    def known(self, installation: Installation) -> dict[str, Told]:
        """What the ledger says takes place."""
        routing, known = installation.ledger.routing, {}
        for pending in self.ledger_rows(installation):
            row = pending.appointment
            if pending.deletion or row.kind != "appointment" or not self._within(row.start):
                continue
            held = routing.resources(self.source, row.uses)
            customer = next(one.fields for key, one in held.items() if key.startswith("customer/"))
            name = f"{customer['first_name']} {customer['last_name']}"
            notes = "\n".join(line for line in row.description.splitlines() if not line.startswith("("))
            start, end = utc(row.start), utc(row.end)
            known[row.source_id] = (start, end, row.owners[0].key, service_name(row, held), name, notes)
        return known

    def ledger_rows(self, installation: Installation) -> list[Pending]:
        routing = installation.ledger.routing
        routing.begin(self.source, f"looked at {self.clock.now()}", "1")
        return list(routing.pending(self.source, self.clock.time, 10_000))

    def pull(self, installation: Installation, after: timedelta, *, judged: bool = True) -> int:
        """One pull, some time later; the number of errors. Judging it looks at every row anew."""
        self.clock.pass_by(after)
        (account,) = installation.accounts
        tally = pull(account, installation.ledger, self.clock, Watch())
        if not judged:
            return len(tally.errors)
        gone = {one.appointment.source_id for one in self.ledger_rows(installation) if one.deletion}
        vanished = {one for one in gone if one not in self.world.vevents}
        assert gone <= self.been_off | vanished
        return len(tally.errors)

    def _within(self, start: datetime) -> bool:
        return self.clock.time - PAST + 2 * DAY < utc(start) < self.clock.time + FUTURE - 2 * DAY


@contextmanager
def practice(told: dict[str, Any], options: dict[str, str]) -> Iterator[Practice]:
    clock = HandClock()
    with (
        TemporaryDirectory(prefix="calferry-clicrdv-") as home,
        ClicrdvServer(ClicrdvWorld(clock.now), ClicrdvSwitches(**told)) as server,
    ):
        yield Practice(server, clock, Path(home), options)
        assert server.crashes == []


def _no_look_up(request: Request) -> bool:
    """A false not-found for one appointment, while others are found, is a lie that nobody can tell from the truth."""
    return not request.path.rsplit("/", 1)[-1].partition(".")[0].isdigit()


@settings(max_examples=EXAMPLES, phases=PHASES)
@given(
    switches,
    st.sampled_from(["vevents", "appointments"]),
    st.sampled_from(["basic", "session"]),
    st.lists(rounds, min_size=3, max_size=5),
)
def test_whatever_happened_the_ledger_holds_the_truth_in_the_end(
    told: dict[str, Any], feed: str, login: str, history: list[tuple[list[Step], Step | None, timedelta]]
) -> None:
    with practice(told, {"feed": feed, "login": login}) as shop:
        for number in range(4):
            shop.book(shop.wall(2 + number, 9), number)
        with wiring.installation(wiring.settings(shop.config), shop.clock) as installation:
            for happenings, breakage, after in history:
                for step in [*happenings, *filter(None, [breakage])]:
                    shop.take(step)
                shop.pull(installation, after)
            shop.server.faults.clear()
            shop.world.withdraw_group(GROUP, withdrawn=False)
            for number in range(2):  # a not-found needs another appointment of the same calendar that is found
                shop.book(shop.wall(9, 12), number)
            for _ in range(3):  # by then nobody vouches any more for what a listing once left out
                shop.pull(installation, timedelta(hours=26))
            assert shop.pull(installation, timedelta(minutes=1)) == 0
            assert shop.known(installation) == shop.truth()


def test_the_histories_meet_what_they_are_about() -> None:
    """Nothing is proven by histories in which nothing lives, moves or ends."""
    told = {"deleted_rows": "hidden", "page_cap": 2}
    with practice(told, {"feed": "vevents", "login": "basic"}) as shop:
        first, second, third = (shop.book(shop.wall(3, hour), 0) for hour in (9, 10, 11))
        with wiring.installation(wiring.settings(shop.config), shop.clock) as installation:
            assert shop.pull(installation, DAY) == 0
            assert shop.known(installation).keys() == {first, second, third}
            shop.take(("vanish", 0, 0))
            shop.take(("delete", 1, 0))
            shop.take(("rename the customer", 0, 3))
            assert shop.pull(installation, DAY) == 0
            assert shop.known(installation) == shop.truth()
            assert shop.truth().keys() == {second}
            assert shop.truth()[second][4] == "Jo Roy 3"


def test_a_renamed_customer_and_service_reach_their_appointments() -> None:
    """Neither moves a stamp of theirs: the appointments are routed anew because what they use has changed."""
    with practice({}, {}) as shop, wiring.installation(wiring.settings(shop.config), shop.clock) as installation:
        ids = [shop.book(shop.wall(3, 9 + number), number) for number in range(3)]
        routing = installation.ledger.routing

        def touched(after: timedelta) -> set[str]:
            assert shop.pull(installation, after, judged=False) == 0
            pending = routing.pending(shop.source, shop.clock.time, 100)
            routing.settle(shop.source, [Routed(uid=one.uid, revision=one.revision, wanted={}) for one in pending])
            return {one.appointment.source_id for one in pending}

        routing.begin(shop.source, "the same as ever", "1")
        assert touched(DAY) == set(ids)
        assert touched(timedelta(minutes=1)) == set()
        shop.world.change_fiche(shop.fiches[1], last="Ray")
        assert touched(timedelta(minutes=1)) == {ids[1]}
        shop.world.rename("interventions", shop.services[0], "Coupe")
        assert touched(timedelta(minutes=1)) == set()
        assert touched(DAY) == {ids[0], ids[2]}
