"""A real subscriber, vdirsyncer, follows a feed into a folder of files: what becomes of them is what people see."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar

from calferry.sandbox import faults
from tests.web.served import Served

COMMAND = Path(sys.prefix) / "bin" / "vdirsyncer"

CONFIGURATION = """\
[general]
status_path = "{home}/status/"

[pair salon]
a = "feed"
b = "files"
collections = null

[storage feed]
type = "http"
url = "{url}"
read_only = true

[storage files]
type = "filesystem"
path = "{home}/files/"
fileext = ".ics"
"""


class Subscriber:
    """With a configuration, a memory and a folder of its own."""

    def __init__(self, home: Path, url: str) -> None:
        self.home = home
        (home / "files").mkdir(parents=True)
        (home / "config").write_text(CONFIGURATION.format(home=home, url=url), encoding="utf-8")
        assert self._run("discover").returncode == 0

    def _run(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 (another maker's subscriber)
            [COMMAND, "-c", str(self.home / "config"), command],
            env={"HOME": str(self.home), "PATH": os.defpath, "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def look(self) -> bool:
        """Look after the feed once. Whether all went well."""
        return self._run("sync").returncode == 0

    @property
    def files(self) -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in (self.home / "files").glob("*.ics")}

    @property
    def events(self) -> set[tuple[str, str]]:
        """Start (hour and minute, UTC) and status of each event it holds."""
        events: list[Any] = [
            event for content in self.files.values() for event in Calendar.from_ical(content).walk("VEVENT")
        ]
        return {(f"{event['dtstart'].dt:%H:%M}", str(event["status"])) for event in events}


@pytest.fixture
def subscriber(web: Served, tmp_path: Path) -> Subscriber:
    return Subscriber(tmp_path / "subscriber", f"http://127.0.0.1:{web.port}{web.path()}")


def test_a_subscriber_follows_all_that_happens(web: Served, subscriber: Subscriber) -> None:
    shop, world = web.shop, web.shop.sandbox.agendize.world
    (first,) = world.appointments
    assert subscriber.look()
    assert subscriber.events == {("07:00", "CONFIRMED")}

    second = shop.book(4, 11)
    world.move(first, shop.wall(3, 14))
    web.cross()
    assert subscriber.look()
    assert subscriber.events == {("12:00", "CONFIRMED"), ("09:00", "CONFIRMED")}

    world.cancel(first)
    world.delete(second)
    shop.book(5, 16)
    web.cross()
    assert subscriber.look()
    assert subscriber.events == {("12:00", "CANCELLED"), ("09:00", "CANCELLED"), ("15:00", "CONFIRMED")}

    shop.clock.pass_by(timedelta(days=9))
    assert subscriber.look()
    assert subscriber.events == {("15:00", "CONFIRMED")}


def test_a_subscriber_loses_nothing_while_a_service_is_out_of_order(web: Served, subscriber: Subscriber) -> None:
    shop = web.shop
    shop.book(4, 11)
    web.cross()
    assert subscriber.look()
    held = subscriber.files
    assert len(held) == 2

    shop.sandbox.agendize.faults.add(faults.empty(), times=None)  # the booking system loses its rows
    web.cross(timedelta(hours=25))
    assert subscriber.look()
    assert subscriber.files == held
    shop.sandbox.agendize.faults.clear()

    def fail(_: str) -> None:
        raise ZeroDivisionError  # calferry answers 503

    web.shelf.ask = fail
    web.cross()
    assert not subscriber.look()
    assert subscriber.files == held

    web.shelf.ask = lambda _name: None
    assert subscriber.look()
    assert subscriber.files == held
