"""What a person is told: what is wrong, where, since when, and what to do. No address, and nobody's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from calferry.model import label_of
from calferry.ports import Telling
from calferry.sync.installation import Installation
from calferry.sync.troubles import Kind, Trouble

WORDS: Mapping[Kind, tuple[str, str]] = {
    Kind.STALE: (
        "{where} could not be read to its end",
        "`calferry check` says whether it answers, and whether it lets calferry in.",
    ),
    Kind.BEHIND: (
        "{where} does not hold all that it should",
        "`calferry status` says what keeps it; `calferry alerts list` says which calendar this is.",
    ),
    Kind.PARKED: (
        "{where}: deletions that wait for a person: {size}",
        "`calferry deletions list` shows them with their evidence; approve or reject them.",
    ),
    Kind.REFUSED: (
        "{where}: events that were not taken: {size}",
        "`calferry status` names them with the reason; they are tried again by themselves.",
    ),
    Kind.QUARANTINED: (
        "{where}: rows that could not be read: {size}",
        "`calferry status` names them with the reason; mend them in the booking system.",
    ),
    Kind.UNROUTED: (
        "{where}: appointments without a calendar to be in: {size}",
        "`calferry status` names them with the reason, mostly staff without an e-mail address.",
    ),
    Kind.EXPIRING: (
        "the credential of {where} runs out within two weeks",
        "Replace it, then start calferry again.",
    ),
    Kind.EXPIRED: (
        "the credential of {where} has run out",
        "Replace it, then start calferry again.",
    ),
    Kind.TEST: ("{where}: nothing is wrong, and you would hear of it", "Nothing."),
}
"""What is wrong, and what to do about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that is wrong, or `over`; `where` is a connection as the file calls it, or a calendar's label."""

    kind: Kind
    where: str
    since: datetime
    size: int
    over: bool = False

    @property
    def what(self) -> str:
        return WORDS[self.kind][0].format(where=self.where, size=self.size)

    @property
    def remedy(self) -> str:
        return WORDS[self.kind][1]

    def as_json(self) -> dict[str, Any]:
        told = {"kind": self.kind.value, "where": self.where, "over": self.over, "what": self.what}
        return told | {"since": self.since.isoformat(), "number": self.size, "remedy": self.remedy}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """All that a channel is told at once, at a time (UTC)."""

    installation: str
    at: datetime
    items: tuple[Item, ...]

    @property
    def subject(self) -> str:
        wrong, over = self._wrong, self._over
        first, *others = wrong or over
        more = f" (and {len(others)} more)" if others else ""
        return f"calferry {self.installation}: {'' if wrong else 'over: '}{first.what}{more}"

    @property
    def text(self) -> str:
        """For a person, in lines."""
        lines = [f"This is calferry, installation {self.installation}, at {_time(self.at)}."]
        for item in self._wrong:
            lines += ["", f"{item.what}.", f"  Since: {_time(item.since)}", f"  What to do: {item.remedy}"]
        for item in self._over:
            lines += ["", f"Over: {item.what}.", f"  It had been so since {_time(item.since)}."]
        if self._wrong:
            lines += ["", "Each of these is told once, and once more when it is over."]
        return "\n".join(lines) + "\n"

    def as_json(self) -> dict[str, Any]:
        items = [item.as_json() for item in self.items]
        return {"installation": self.installation, "at": self.at.isoformat(), "text": self.text, "items": items}

    @property
    def _wrong(self) -> list[Item]:
        return [item for item in self.items if not item.over]

    @property
    def _over(self) -> list[Item]:
        return [item for item in self.items if item.over]


def wrong(trouble: Trouble, installation: Installation) -> Item:
    where = place(trouble.where, installation)
    return Item(kind=trouble.kind, where=where, since=trouble.since, size=trouble.size)


def over(told: Telling, installation: Installation) -> Item:
    kind, _, where = told.key.partition(" ")
    return Item(kind=Kind(kind), where=place(where, installation), since=told.since, size=told.size, over=True)


def place(where: str, installation: Installation) -> str:
    """A place as it may be told to anybody."""
    if where.startswith(("sources.", "targets.")):
        return where
    sources = {account.source.key: f"sources.{account.source.name}" for account in installation.accounts}
    return sources.get(where) or f"calendar {label_of(installation.name, where)}"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
