"""Calendars that calferry makes itself, on demand: one for each title in the account it acts as.

`calendars.insert` makes another calendar each time it is asked. So the intention is kept before it is sent, and who
comes after it looks for our tag among the calendars of the account first. Once found, a calendar is known by its id: it
may be renamed.

Sources: "Calendars: insert" and "CalendarList: list" in Google's Calendar API reference.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from calferry.errors import Unavailable
from calferry.targets.google.answers import Answer, no_verdict, trouble
from calferry.targets.google.events import KIND, Request

if TYPE_CHECKING:
    from calferry.ports import Clock
    from calferry.targets.google.memory import Memory
    from calferry.targets.google.transport import Transport

MADE, MAKING = "calendars", "making"
"""The members with the ids of calendars, and with the times (UTC) at which one was about to be made, by key."""

SETTLING = timedelta(minutes=5)
"""How long after an attempt without an answer another one waits: a list may lag behind what was just made."""


@dataclass(frozen=True)
class OwnCalendars:
    """The calendars of a connection. Keys are `google:ADDRESS/TITLE`; every method raises as `Target.apply` fails.

    Whoever calls `place` holds the lock of that calendar.
    """

    transport: Transport
    memory: Memory
    clock: Clock

    def place(self, lane: str, calendar: str) -> str:
        """The id of a calendar, which is made if there is none."""
        if found := self.find(lane, calendar):
            return found
        now = self.clock.now()
        left = _begun(self.memory.part(MAKING).get(calendar)) + SETTLING - now
        if timedelta(0) < left <= SETTLING:
            msg = f"{calendar} may have been made just now; Google is asked for it again before another one is made."
            raise Unavailable(msg, retry_after=left.total_seconds())
        self.memory.change(MAKING, lambda making: making.update({calendar: now.isoformat()}))
        answer = self.transport.ask(lane, make(calendar))
        if not isinstance(answer.body.get("id"), str):
            raise self._not_made(answer, calendar)
        return self._keep(calendar, answer.body["id"])

    def find(self, lane: str, calendar: str) -> str:
        """The id of a calendar; empty while it was not made."""
        kept = self.memory.part(MADE).get(calendar)
        if isinstance(kept, str):
            return kept
        tagged = [
            str(one["id"]) for one in self._listed(lane, calendar) if tag(calendar) in str(one.get("description"))
        ]
        return self._keep(calendar, min(tagged)) if tagged else ""

    def forget_the_gone(self, permits: Callable[[str], bool]) -> Iterator[str]:
        """Let go of the calendars that Google no longer has, so that they are made again; yields their keys.

        Those that the configuration no longer permits are not asked for.
        """
        for calendar, identity in self.memory.part(MADE).items():
            if permits(calendar):
                answer = self.transport.ask(_address(calendar), _get(str(identity)))
                if answer.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
                    self._forget(MADE, calendar)
                    yield calendar

    def _not_made(self, answer: Answer, calendar: str) -> Exception:
        """A refusal in Google's own words made nothing; whatever else came leaves that open."""
        if answer.status in range(400, 500) and answer.reason:
            self._forget(MAKING, calendar)
            return trouble(answer, calendar)
        return Unavailable(f"Google gave no usable answer about making {calendar} ({answer.status}).")

    def _keep(self, calendar: str, identity: str) -> str:
        self.memory.change(MADE, lambda made: made.update({calendar: identity}))
        self._forget(MAKING, calendar)
        return identity

    def _forget(self, what: str, calendar: str) -> None:
        if calendar in self.memory.part(what):
            self.memory.change(what, lambda known: known.pop(calendar, None))

    def _listed(self, lane: str, calendar: str) -> Iterator[Mapping[str, Any]]:
        """All calendars on the account's list, hidden ones too."""
        page = ""
        while True:
            answer = self.transport.ask(lane, _list(page))
            items, page = answer.body.get("items", []), answer.body.get("nextPageToken", "")
            if not (answer.ok and answer.body.get("kind") == "calendar#calendarList" and isinstance(items, list)):
                raise no_verdict(answer, calendar)
            yield from (one for one in items if isinstance(one, Mapping) and isinstance(one.get("id"), str))
            if not page:
                return


def tag(calendar: str) -> str:
    """What is in the description of a calendar (a key) that we made."""
    return f"calferry:{hashlib.sha256(calendar.encode()).hexdigest()[:32]}"


def make(calendar: str) -> Request:
    """Make a calendar (a key)."""
    description = f"Kept by calferry, which knows it by this: {tag(calendar)}"
    body = {"summary": calendar.partition("/")[2], "description": description}
    return Request("POST", "calendars", urlencode({"fields": "id"}), json.dumps(body, sort_keys=True))


def home(identity: str) -> str:
    """A calendar, by its key or its id, as a path names it."""
    return quote(identity.removeprefix(f"{KIND}:"), safe="")


def located(request: Request, places: Mapping[str, str]) -> Request:
    """A request about a calendar that we made, to the id it goes by; `places` has a `home` for each `home`."""
    first, named, *rest = request.path.split("/")
    return replace(request, path="/".join((first, places.get(named, named), *rest)))


def _list(page: str) -> Request:
    query = {"maxResults": 250, "showHidden": "true", "minAccessRole": "owner"}
    query |= {"fields": "kind,items(id,description),nextPageToken"} | ({"pageToken": page} if page else {})
    return Request("GET", "users/me/calendarList", urlencode(query))


def _get(identity: str) -> Request:
    return Request("GET", f"calendars/{home(identity)}", urlencode({"fields": "id"}))


def _address(calendar: str) -> str:
    return calendar.removeprefix(f"{KIND}:").partition("/")[0]


def _begun(text: object) -> datetime:
    """When a calendar was about to be made; long ago where it was not."""
    never = datetime.min.replace(tzinfo=UTC)
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return never
    return at if at.tzinfo else never
