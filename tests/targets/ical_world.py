"""Feeds as subscribers see them: builders and a `Remote` for the contract suite."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar
from pydantic import SecretStr

from calferry.errors import Unavailable
from calferry.feeds import TAIL, Fragment, Range
from calferry.model import Classification, Event, Mark, Receipt, Status, Transparency
from calferry.store import open_ledger
from calferry.store.shelf import SqlShelf
from calferry.targets.ical import IcalTarget, Settings, build
from tests.builders import NOW, mark

KEY = "ical:77"
SECRET = "5" * 64
UTC = ZoneInfo("UTC")

ALL = Range(past=timedelta(days=36_500), tombstones=timedelta(days=36_500), most=100_000)
STANDING = Range(past=timedelta(days=36_500), tombstones=timedelta(0), most=100_000)
"""Everything, with and without tombstones."""


@dataclass
class HandClock:
    """It shows the time that a test set."""

    time: datetime = NOW

    def now(self) -> datetime:
        return self.time


class LossyShelf(SqlShelf):
    """A shelf that, while `lost`, does as it is told and then does not answer."""

    lost = False

    def put(self, placed: Sequence[Fragment], receipts: Sequence[Receipt], at: datetime) -> None:
        super().put(placed, receipts, at)
        self._answer()

    def standing(self, calendar: str) -> Sequence[tuple[Mark, int]]:
        found = super().standing(calendar)
        self._answer()
        return found

    def _answer(self) -> None:
        if self.lost:
            raise Unavailable


@contextmanager
def new_shelf(folder: Path, name: str = "calferry") -> Iterator[LossyShelf]:
    """A shelf in a ledger file of that name, which bears the id that the marks of the builders name."""
    with open_ledger(f"sqlite:///{folder}/{name}.db", "test") as ledger:
        yield LossyShelf(ledger.database, ledger.installation, mark().ledger)


def target_for(shelf: SqlShelf | None, clock: HandClock | None = None, **options: Any) -> IcalTarget:
    settings = Settings(secret=SecretStr(SECRET), **options)
    return build("web", settings, clock=clock or HandClock(), shelf=shelf)


def feed(bodies: Sequence[bytes] = (), title: str = "Ana", address: str = "https://x.example/feeds/t.ics") -> bytes:
    """What is served: the head, fragments, the tail."""
    return b"".join((target_for(None).head(title, address), *bodies, TAIL))


def bodies(shelf: SqlShelf, calendar: str = KEY, shown: Range = ALL, now: datetime = NOW) -> list[bytes]:
    return list(shelf.excerpt([calendar], shown, now).bodies)


@dataclass
class FeedRemote:
    """The subscribers' side."""

    shelf: LossyShelf

    def shown(self, calendar: str) -> list[Event]:
        return read(feed(bodies(self.shelf, calendar, STANDING)))

    def lose_replies(self) -> None:
        self.shelf.lost = True

    def recover(self) -> None:
        self.shelf.lost = False


def read(served: bytes) -> list[Event]:
    """The events of a feed in our words, in UTC."""
    return [read_back(one) for one in Calendar.from_ical(served).walk("VEVENT")]


def read_back(component: Any) -> Event:
    """A VEVENT in our words, in UTC."""
    return Event(
        uid=str(component["UID"]),
        start=component["DTSTART"].dt.astimezone(UTC),
        end=component["DTEND"].dt.astimezone(UTC),
        summary=str(component.get("SUMMARY", "")),
        description=str(component.get("DESCRIPTION", "")),
        location=str(component.get("LOCATION", "")),
        url=str(component.get("URL", "")),
        status=Status(str(component["STATUS"])),
        transparency=Transparency(str(component["TRANSP"])),
        classification=Classification(str(component.get("CLASS", "PUBLIC"))),
        categories=tuple(str(one) for one in component["CATEGORIES"].cats) if "CATEGORIES" in component else (),
        color=str(component.get("COLOR", "")),
    )
