"""What is true at Google: users, calendars, who may do what, and every event as it stands."""

from __future__ import annotations

import copy
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from calferry.sandbox.messages import JsonObject

from .rules import check_event, instant

Role = Literal["owner", "writer", "reader", "freeBusyReader"]
EventKey = tuple[str, str]

ROLES: tuple[Role, ...] = ("freeBusyReader", "reader", "writer", "owner")
# A mail among the defaults, as an owner may well have set it: whoever forgets `reminders` sends mail.
DEFAULT_REMINDERS: list[JsonObject] = [{"method": "email", "minutes": 30}, {"method": "popup", "minutes": 10}]
_LEFT_OUT_IF = {"transparency": "opaque", "visibility": "default"}


class Mail(NamedTuple):
    """One write that made, or might have made, Google write to guests."""

    calendar: str
    event_id: str
    verb: str
    send_updates: str | None


class Account(NamedTuple):
    """A service account; `delegated` if the domain lets it act as its users."""

    client_email: str
    public_key_pem: bytes
    delegated: bool


@dataclass(slots=True)
class Calendar:
    """One calendar. `roles` maps subject → role; `used_ids` outlives the events themselves.

    `app` is what made it over the API, if anything did, and `made_at` when.
    """

    id: str
    owner: str
    time_zone: str = "America/Montreal"
    roles: dict[str, Role] = field(default_factory=dict)
    listed_by: set[str] = field(default_factory=set)
    events: dict[str, JsonObject] = field(default_factory=dict)
    revisions: dict[str, int] = field(default_factory=dict)
    used_ids: set[str] = field(default_factory=set)
    default_reminders: list[JsonObject] = field(default_factory=lambda: copy.deepcopy(DEFAULT_REMINDERS))
    withdrawn: bool = False
    summary: str = ""
    description: str = ""
    app: str = ""
    made_at: datetime | None = None

    def allows(self, subject: str, role: Role) -> bool:
        """Whether the subject has this role here, or a higher one."""
        held = self.roles.get(subject)
        return held is not None and ROLES.index(held) >= ROLES.index(role)


class GoogleWorld:
    """The calendars of one domain, the mails that went out, and what was done over the API."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.now = now
        self.lock = threading.RLock()
        self.calendars: dict[str, Calendar] = {}
        self.accounts: dict[str, Account] = {}
        self.users: set[str] = set()
        self.revoked: set[str] = set()
        self.disabled: set[str] = set()
        self.api_enabled = True
        self.clients: dict[str, str] = {}
        self.at_the_browser = ""
        self.declines = False
        self.unticked: set[str] = set()
        self.foreign: dict[EventKey, JsonObject] = {}
        self.mails: list[Mail] = []
        self.reminder_mails: list[EventKey] = []
        self.schema_violations: list[str] = []
        self.performed: Counter[str] = Counter()
        self.revision = 0
        self.token_era = 0
        self.sync_era = 0

    @property
    def writes(self) -> int:
        """Writes performed over the API: insert, update, patch, delete."""
        return self.performed.total()

    # Who may do what

    def add_user(self, email: str, *, time_zone: str = "America/Montreal") -> str:
        """Add a user with a primary calendar of the same id; returns that id."""
        with self.lock:
            self.users.add(email)
            return self.add_calendar(email, email, time_zone=time_zone)

    def add_calendar(self, calendar: str, owner: str, *, time_zone: str = "America/Montreal") -> str:
        """Add a secondary calendar; returns its id."""
        with self.lock:
            self.calendars[calendar] = Calendar(calendar, owner, time_zone, {owner: "owner"}, {owner})
            return calendar

    def make_calendar(self, owner: str, app: str, summary: str, description: str) -> Calendar:
        """What `calendars.insert` does: another calendar each time."""
        self.revision += 1
        made = self.calendars[self.add_calendar(f"c{self.revision:06d}@group.calendar.example", owner)]
        made.app, made.summary, made.description, made.made_at = app, summary, description, self.now()
        return made

    def delete_calendar(self, calendar: str) -> None:
        """The user deletes a calendar with all that is in it."""
        with self.lock:
            del self.calendars[calendar]

    def share(self, calendar: str, email: str, role: Role, *, listed: bool = False) -> None:
        """Give somebody a role; it enters their calendar list only if they accept it (`listed`)."""
        with self.lock:
            self.calendars[calendar].roles[email] = role
            if listed:
                self.calendars[calendar].listed_by.add(email)

    def unshare(self, calendar: str, email: str) -> None:
        """Take a role away."""
        with self.lock:
            self.calendars[calendar].roles.pop(email, None)

    def withdraw(self, calendar: str, *, withdrawn: bool = True) -> None:
        """Make a calendar answer 404 to everybody; its events stay as they are."""
        with self.lock:
            self.calendars[calendar].withdrawn = withdrawn

    def revoke(self, subject: str, *, revoked: bool = True) -> None:
        """Make the token endpoint answer `invalid_grant` for a subject, and end its access tokens."""
        with self.lock:
            self.revoked = self.revoked | {subject} if revoked else self.revoked - {subject}

    def register_service_account(self, client_email: str, public_key_pem: bytes, *, delegated: bool = False) -> None:
        """Make a service account known; it has a primary calendar like anybody."""
        with self.lock:
            self.accounts[client_email] = Account(client_email, public_key_pem, delegated)
            if client_email not in self.users:
                self.add_user(client_email)

    def disable(self, client_email: str) -> None:
        """Disable a service account, or delete its key: its assertions are refused, and its access tokens end."""
        with self.lock:
            self.disabled = self.disabled | {client_email}
            self.token_era += 1

    def sit_down(self, user: str = "", *, declines: bool = False, unticked: Iterable[str] = ()) -> None:
        """Who is signed in at the browser ("": whoever is hinted at), and what they do about an app that asks."""
        with self.lock:
            self.at_the_browser, self.declines, self.unticked = user, declines, set(unticked)

    def expire_access_tokens(self) -> None:
        """End every access token issued so far: the next request with one is answered 401."""
        with self.lock:
            self.token_era += 1

    def expire_sync_tokens(self) -> None:
        """End every sync token issued so far: 410 `fullSyncRequired`."""
        with self.lock:
            self.sync_era += 1

    # What users do in their own calendars

    def add_foreign_event(self, calendar: str, summary: str, start: datetime, end: datetime, **members: Any) -> str:
        """An event of the user's own, at aware instants; remembered for the judge. Returns its id."""
        with self.lock:
            event_id = f"f{len(self.foreign):05d}{uuid.uuid5(uuid.NAMESPACE_OID, summary + start.isoformat()).hex[:16]}"
            home = self.calendars[calendar]
            times = {"start": {"dateTime": start.isoformat()}, "end": {"dateTime": end.isoformat()}}
            content = {"summary": summary, "reminders": {"useDefault": True}} | times | members
            event = self.newborn(home, event_id, home.owner) | content
            check_event(event)
            self.foreign[calendar, event_id] = copy.deepcopy(self.store(home, event))
            return event_id

    def user_edits(self, calendar: str, event_id: str, **members: Any) -> None:
        """The user edits an event by hand; an own one is remembered anew for the judge."""
        with self.lock:
            home = self.calendars[calendar]
            old = home.events[event_id]
            moved = not members.keys().isdisjoint({"start", "end"})
            event = self.store(home, old | members | {"sequence": old["sequence"] + moved})
            if (calendar, event_id) in self.foreign:
                self.foreign[calendar, event_id] = copy.deepcopy(event)

    def user_deletes(self, calendar: str, event_id: str) -> None:
        """The user deletes an event by hand: a tombstone stays."""
        with self.lock:
            self.foreign.pop((calendar, event_id), None)
            self.bury(self.calendars[calendar], event_id)

    def purge(self, calendar: str, event_id: str) -> None:
        """A tombstone eventually disappears: the event is unknown from then on, its id still taken."""
        with self.lock:
            self.foreign.pop((calendar, event_id), None)
            del self.calendars[calendar].events[event_id]
            del self.calendars[calendar].revisions[event_id]

    def events(self, calendar: str) -> Iterator[JsonObject]:
        """Copies of the live events of a calendar, the user's own ones included."""
        with self.lock:
            live = [copy.deepcopy(one) for one in self.calendars[calendar].events.values() if is_live(one)]
        yield from live

    # How events are kept

    def newborn(self, calendar: Calendar, event_id: str, creator: str) -> JsonObject:
        """The members an event gets from the service itself."""
        return {
            "kind": "calendar#event",
            "id": event_id,
            "status": "confirmed",
            "htmlLink": f"https://calendar.example/event?eid={event_id}",
            "created": self._stamp(),
            "creator": {"email": creator},
            "organizer": {"email": calendar.id, "self": True},
            "iCalUID": f"{event_id}@google.example",
            "sequence": 0,
            "eventType": "default",
        }

    def store(self, calendar: Calendar, event: JsonObject) -> JsonObject:
        """Keep an event: a new etag, times in the calendar's zone, defaults left out. Returns what is kept."""
        self.revision += 1
        kept = {name: value for name, value in event.items() if value is not None and _LEFT_OUT_IF.get(name) != value}
        for side in ("start", "end"):
            kept[side] = _printed(kept, side, calendar.time_zone)
        kept["etag"], kept["updated"] = f'"{3500000000000 + self.revision * 2}"', self._stamp()
        calendar.events[kept["id"]] = kept
        calendar.revisions[kept["id"]] = self.revision
        calendar.used_ids.add(kept["id"])
        return kept

    def bury(self, calendar: Calendar, event_id: str) -> None:
        """Make an event a tombstone; its details are kept so that it can be restored."""
        self.store(calendar, calendar.events[event_id] | {"status": "cancelled"})

    def _stamp(self) -> str:
        return self.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def is_live(event: JsonObject) -> bool:
    """Whether an event is anything but a tombstone."""
    return bool(event["status"] != "cancelled")


def _printed(event: JsonObject, side: str, calendar_zone: str) -> JsonObject:
    if event[side].get("date") is not None:
        return {"date": event[side]["date"]}
    local = instant(event, side).astimezone(ZoneInfo(calendar_zone)).replace(microsecond=0)
    return {
        "dateTime": local.isoformat().replace("+00:00", "Z"),
        "timeZone": event[side].get("timeZone") or calendar_zone,
    }
