"""A small salon behind the installed command: its booking system and calendars in this process, over loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from calferry.sandbox import Request, Sandbox, faults
from calferry.sandbox.google import part_status

COMMAND = Path(sys.prefix) / "bin" / "calferry"
COMPANY = "13772899"
ANA, BEN = "ana@salon.example", "ben@salon.example"
CLIENT = ("Zoé", "Sample", "zoe@customer.example", "+33 1 00 00 00 00")

NOTES = "Allergic to everything"
PERSONAL = (*CLIENT, NOTES)

CONFIGURATION = """\
[calferry]
name = "salon"

[sources.salon]
kind = "agendize"
company = "13772899"
base_url = "{agendize}"
api_key = {{ env = "SALON_KEY" }}
token = {{ file = "token" }}
reconcile = {{ near = "{near}", all = "31d" }}

[targets.workspace]
kind = "google"
root_url = "{google}/"
credentials = {{ file = "service-account.json" }}

[routes.staff]
source = "salon"
target = "workspace"
calendar = "{{owner.email}}"
reveal = "contact"
"""


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err

    @property
    def document(self) -> Any:
        """The JSON document that standard output is."""
        return json.loads(self.out)


def environment(home: Path, **variables: str) -> dict[str, str]:
    """That of a fresh account, and nothing of whoever runs the tests."""
    return {"HOME": str(home), "PATH": os.defpath, "LANG": "C.UTF-8"} | variables


def calferry(home: Path, *arguments: str, **variables: str) -> Ran:
    """Run the installed command, without a terminal, in the folder `home`."""
    done = subprocess.run(  # noqa: S603 (the command under test)
        [COMMAND, *arguments],
        cwd=home,
        env=environment(home, **variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@dataclass
class Salon:
    """Two people with a calendar each, shared with calferry's service account, and a service of half an hour."""

    sandbox: Sandbox
    home: Path
    ana: str = field(init=False)
    ben: str = field(init=False)
    service: str = field(init=False)

    def __post_init__(self) -> None:
        bookings, google = self.sandbox.agendize.world, self.sandbox.google.world
        bookings.add_company(COMPANY, "Salon Exemple", "Europe/Paris")
        self.ana = bookings.add_staff(COMPANY, "Ana", "Pérez", ANA)
        self.ben = bookings.add_staff(COMPANY, "Ben", "Beispiel", BEN)
        self.service = bookings.add_service(COMPANY, "Consultation", 30)
        key = self.sandbox.google.add_service_account()
        self.account = key["client_email"]
        for calendar in (ANA, BEN):
            google.add_user(calendar, time_zone="Europe/Paris")
            google.share(calendar, self.account, "writer")
        (self.home / "service-account.json").write_text(json.dumps(key), encoding="utf-8")
        (self.home / "token").write_text(self.sandbox.agendize.token, encoding="utf-8")
        self.secrets = (self.sandbox.agendize.api_key, self.sandbox.agendize.token, key["private_key"][40:80])
        self.configure()

    @property
    def config(self) -> Path:
        return self.home / "calferry.toml"

    def configure(self, *, near: str = "7d", more: str = "", **others: str) -> None:
        """Write the configuration, with `more` at its end; `agendize` and `google` may name other addresses."""
        urls = {"agendize": self.sandbox.agendize.url, "google": self.sandbox.google.url} | others
        self.config.write_text(CONFIGURATION.format(near=near, **urls) + more, encoding="utf-8")

    def run(self, *arguments: str, **variables: str) -> Ran:
        """Run a command in the folder of the configuration, with the key in the environment.

        Whatever it does, it shows no secret and, unless it is a plan, nobody's name.
        """
        ran = calferry(self.home, *arguments, **({"SALON_KEY": self.sandbox.agendize.api_key} | variables))
        assert not [secret for secret in self.secrets if secret in ran.all]
        assert "plan" in arguments or not [word for word in PERSONAL if word in ran.all], ran.all
        assert "Traceback" not in ran.all, ran.all
        return ran

    def book(self, number: int = 1, *, staff: str = "") -> list[str]:
        """Book one appointment a day from tomorrow on; returns their ids, the soonest first."""
        first = datetime.combine(date.today(), time(9)) + timedelta(days=1)  # noqa: DTZ011 (any day will do)
        return [
            self.sandbox.agendize.world.book(
                COMPANY,
                staff=staff or self.ana,
                service=self.service,
                start=first + timedelta(days=day),
                client=CLIENT,
                notes=NOTES,
            )
            for day in range(number)
        ]

    @property
    def writes(self) -> int:
        """What was ever written into the calendars."""
        return self.sandbox.google.world.writes

    def shown(self, calendar: str = ANA) -> int:
        """How many events a calendar shows."""
        return len(list(self.sandbox.google.world.events(calendar)))

    def refuse_creates(self, calls: int | None = 1) -> None:
        """Let Google answer 400 to the next inserts."""
        self.sandbox.google.part_faults.add(part_status(400, "invalid"), match=_is_insert, times=calls)

    def break_bookings(self) -> None:
        """Let the booking system answer 500, until its faults are cleared."""
        self.sandbox.agendize.faults.add(faults.status(500), times=None)

    def unshare(self, calendar: str) -> None:
        self.sandbox.google.world.unshare(calendar, self.account)


def _is_insert(request: Request) -> bool:
    return request.method == "POST"
