"""Customers may be closed to us for ever, or be in trouble for days: appointments go on, and nobody is told that all is
well."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer

from calferry import wiring
from calferry.cli.status import status
from calferry.errors import NotAuthorised, Unavailable
from calferry.feeds import TAIL, Publisher
from calferry.model import Status
from calferry.sandbox import faults
from calferry.sandbox.clicrdv import ClicrdvServer, ClicrdvWorld
from calferry.sync.crossing import Report, run, told_at, waiting
from calferry.sync.installation import Installation, Watch
from tests.crossing import HandClock
from tests.targets.ical_world import read

MINUTE, QUARTER, DAY = timedelta(minutes=1), timedelta(minutes=16), timedelta(days=1)
GROUP, SOURCE = "4", "clicrdv:4"

REFUSALS: dict[str, Callable[[], faults.Fault]] = {
    "not allowed": lambda: faults.status(403),
    "not taken": lambda: faults.status(400),
    "not there": lambda: faults.status(404),
    "in trouble": lambda: faults.status(500),
}


@dataclass
class Practice:
    """One calendar with a feed, one service, one customer."""

    server: ClicrdvServer
    clock: HandClock
    home: Path
    calendar: str = field(init=False)
    service: str = field(init=False)
    fiche: str = field(init=False)

    def __post_init__(self) -> None:
        world = self.server.world
        world.add_group(GROUP, "Cabinet", "Europe/Paris")
        self.calendar = world.add("calendars", GROUP, "Dr Pérez")
        self.service = world.add("interventions", GROUP, "Soin", length=30)
        self.fiche = world.add_fiche(GROUP, "Jo", "Roy")
        for name, text in (("key", self.server.api_key), ("password", self.server.password), ("secret", "5" * 64)):
            (self.home / name).write_text(text, encoding="utf-8")
        (self.home / "calferry.toml").write_text(
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
[targets.web]
kind = "ical"
secret = {{ file = "secret" }}
[routes.feeds]
source = "practice"
target = "web"
calendar = "{{owner.key}}"
reveal = "contact"
""",
            encoding="utf-8",
        )

    def book(self, day: int) -> str:
        start = datetime.combine(self.clock.time.date() + timedelta(days=day), time(9))
        told: dict[str, Any] = {"calendar": self.calendar, "intervention": self.service, "fiche": self.fiche}
        return self.server.world.book(GROUP, start=start, minutes=30, **told)

    def close_customers(self, refusal: faults.Fault) -> None:
        self.server.faults.add(refusal, match=lambda request: "/fiches" in request.path, times=None)

    def cross(self, after: timedelta = MINUTE) -> Report:
        self.clock.pass_by(after)
        with self.installation() as installation:
            return run(installation, Watch())

    def installation(self) -> AbstractContextManager[Installation]:
        return wiring.installation(wiring.settings(self.home / "calferry.toml"), self.clock)

    def is_whole(self) -> bool:
        with self.installation() as installation:
            return installation.shelf.is_whole([f"ical:{self.calendar}"], [SOURCE])

    def shown(self) -> list[str]:
        """The titles in the feed, of what takes place."""
        with self.installation() as installation:
            web = installation.targets["web"]
            assert isinstance(web, Publisher)
            bodies = installation.shelf.excerpt([f"ical:{self.calendar}"], web.shown, self.clock.time).bodies
            feed = b"".join((web.head("Dr Pérez", "https://calendars.practice.example"), *bodies, TAIL))
        return [one.summary for one in read(feed) if one.status is not Status.CANCELLED]

    def unread(self) -> list[tuple[str, str]]:
        with self.installation() as installation:
            return [(one.where, one.id) for one in waiting(installation) if one.what == "unread"]

    def told_at(self) -> datetime | None:
        with self.installation() as installation:
            return told_at(installation.accounts[0], installation)


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Practice]:
    clock = HandClock()
    with ClicrdvServer(ClicrdvWorld(clock.now)) as server:
        yield Practice(server, clock, tmp_path)
        assert server.crashes == []


@pytest.mark.parametrize("kind", REFUSALS)
def test_customers_that_are_refused_for_ever_hide_no_deletion(practice: Practice, kind: str) -> None:
    gone, _control = practice.book(2), practice.book(3)
    practice.close_customers(REFUSALS[kind]())
    reports = [practice.cross()]
    practice.server.world.vanish(gone)
    reports += [practice.cross(QUARTER) for _ in range(2)]
    assert [len(report.pulled["practice"].errors) for report in reports] == [1, 1, 1]
    codes = {report.exit_code for report in reports}
    assert codes == {NotAuthorised.exit_code if kind == "not allowed" else Unavailable.exit_code}
    assert sum(report.pulled["practice"]["deleted"] for report in reports) == 1
    assert practice.shown() == ["Soin"]


def test_a_feed_does_not_wait_for_customers_that_never_come(practice: Practice) -> None:
    practice.book(2)
    practice.close_customers(faults.status(403))
    practice.cross()
    assert practice.is_whole()
    assert practice.shown() == ["Soin"]
    assert practice.unread() == [(SOURCE, "fiches")]


def test_customers_that_can_be_read_again_are_caught_up_with(practice: Practice) -> None:
    practice.book(2)
    assert practice.cross().exit_code == 0
    practice.close_customers(faults.status(500))
    practice.server.world.change_fiche(practice.fiche, last="Sample")
    practice.cross(2 * DAY)
    assert practice.shown() == ["Soin – Jo Roy"]
    practice.server.faults.clear()
    assert practice.cross().exit_code == 0
    assert practice.shown() == ["Soin – Jo Sample"]
    assert practice.unread() == []


def test_a_calendar_with_the_names_of_yesterday_does_not_look_fresh(practice: Practice) -> None:
    practice.book(2)
    practice.cross()
    read_at = practice.clock.time
    practice.close_customers(faults.status(403))
    practice.cross()
    assert practice.unread() == []
    told = [one.what for _ in range(3) for one in practice.cross(DAY).new]
    assert told == ["unread"]
    assert practice.unread() == [(SOURCE, "fiches")]
    fresh = practice.told_at()
    assert fresh
    assert abs(fresh - read_at) < MINUTE
    practice.server.faults.clear()
    practice.cross()
    fresh = practice.told_at()
    assert fresh
    assert practice.clock.time - fresh < MINUTE


def test_status_says_since_when_the_names_are_old(practice: Practice, capsys: pytest.CaptureFixture[str]) -> None:
    practice.clock.time = datetime.now(UTC) - 3 * DAY
    practice.book(2)
    practice.cross()
    read_at = practice.clock.time
    practice.close_customers(faults.status(403))
    practice.cross(3 * DAY - QUARTER)
    with pytest.raises(typer.Exit):
        status(practice.home / "calferry.toml", json=True)
    told = json.loads(capsys.readouterr().out)
    assert [line.split(":")[0] for line in told["silence"]] == ["unread"]
    assert abs(datetime.fromisoformat(told["calendars"][0]["in_step_since"]) - read_at) < MINUTE


def test_appointments_that_fail_end_the_pull(practice: Practice) -> None:
    practice.server.faults.add(faults.status(500), match=lambda request: "/vevents" in request.path, times=None)
    assert practice.cross().exit_code == Unavailable.exit_code
    assert not practice.is_whole()
    assert practice.unread() == []
    assert not [one for one in practice.server.log if "/fiches" in one.path]
