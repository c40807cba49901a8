"""What is true in one Microsoft 365 tenant: mailboxes, calendars, who may do what, and every event as it stands."""

from __future__ import annotations

import copy
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from calferry.sandbox.messages import JsonObject


class Mail(NamedTuple):
    """One write that made Exchange write to guests. `verb` is create, update or delete."""

    mailbox: str
    event_id: str
    verb: str


class Used(NamedTuple):
    """What a `transactionId` was used for: the event, and the request's body."""

    event_id: str
    body: JsonObject


@dataclass(slots=True)
class Kept:
    """An event as Exchange keeps it. `id` is its immutable id; `place` changes when it is moved."""

    id: str
    calendar: str
    item: JsonObject
    properties: dict[str, str] = field(default_factory=dict)
    place: int = 0
    untouched: bool = True

    @property
    def default_id(self) -> str:
        """The id without `IdType="ImmutableId"`: another one in each folder."""
        return f"AAMk{self.id[4:]}{self.place:04d}AAA="

    @property
    def etag(self) -> str:
        return f'W/"{self.item["changeKey"]}"'


@dataclass(slots=True)
class Mailbox:
    """One mailbox. `calendars` maps the ids of its calendars to their names; `transactions` outlive their events."""

    address: str
    calendars: dict[str, str]
    default: str
    events: dict[str, Kept] = field(default_factory=dict)
    transactions: dict[str, Used] = field(default_factory=dict)
    accessible: bool = True
    withdrawn: bool = False
    licensed: bool = True
    read_only: set[str] = field(default_factory=set)


class GraphWorld:
    """The mailboxes of one tenant, the mails that went out, and what was done over the API.

    `roles` are an application's permissions in Entra, for every mailbox; `exchange_grants` says that RBAC in Exchange
    gives it calendars besides. `consented` is what people let applications do for them; `readers` and `editors` hold
    (mailbox, person) for calendars that are shared.
    """

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.now = now
        self.lock = threading.RLock()
        self.tenant = "salon.example"
        self.mailboxes: dict[str, Mailbox] = {}
        self.secrets: dict[str, str] = {}
        self.certificates: dict[str, bytes] = {}
        self.public: set[str] = set()
        self.roles: set[str] = {"Calendars.ReadWrite"}
        self.exchange_grants = False
        self.consented: set[str] = {"Calendars.ReadWrite", "Calendars.ReadWrite.Shared"}
        self.readers: set[tuple[str, str]] = set()
        self.editors: set[tuple[str, str]] = set()
        self.foreign: dict[tuple[str, str], Kept] = {}
        self.mails: list[Mail] = []
        self.reminders: list[str] = []
        self.schema_violations: list[str] = []
        self.performed: Counter[str] = Counter()
        self.changing_ids = 0
        self.revision = 0
        self.token_era = 0
        self.sign_in_era = 0

    # Who may do what

    def add_mailbox(self, address: str) -> str:
        """Add a mailbox with a default calendar; returns the id of that."""
        with self.lock:
            default = self._id("AQMk")
            self.mailboxes[address] = Mailbox(address, {default: "Calendar"}, default)
            return default

    def add_calendar(self, address: str, name: str) -> str:
        """Add a calendar to a mailbox; returns its id."""
        with self.lock:
            calendar = self._id("AQMk")
            self.mailboxes[address].calendars[calendar] = name
            return calendar

    def remove_calendar(self, address: str, calendar: str) -> None:
        """The user deletes a calendar with all that is in it."""
        with self.lock:
            mailbox = self.mailboxes[address]
            del mailbox.calendars[calendar]
            mailbox.events = {one.id: one for one in mailbox.events.values() if one.calendar != calendar}

    def add_application(
        self, client_id: str, secret: str = "", certificate: bytes = b"", *, public: bool = False
    ) -> None:
        """Register an application with a secret, or a certificate in PEM; `public` allows public client flows."""
        with self.lock:
            self.public |= {client_id} if public else set()
            self.secrets |= {client_id: secret} if secret else {}
            self.certificates |= {client_id: certificate} if certificate else {}

    def withdraw(self, address: str, *, withdrawn: bool = True) -> None:
        """Make a mailbox answer 404 to everybody; its events stay as they are."""
        with self.lock:
            self.mailboxes[address].withdrawn = withdrawn

    def restrict(self, address: str, *, accessible: bool = False) -> None:
        """Take a mailbox out of what the application may reach (RBAC for Applications), or put it back."""
        with self.lock:
            self.mailboxes[address].accessible = accessible

    def share(self, address: str, user: str, *, edit: bool = True) -> None:
        """Somebody shares the calendars of their mailbox with another person, for reading or for editing."""
        with self.lock:
            self.readers.add((address, user))
            self.editors |= {(address, user)} if edit else set()

    def sign_everybody_out(self) -> None:
        """End every sign-in, as an administrator or a changed password does; access tokens still last a while."""
        with self.lock:
            self.sign_in_era += 1

    def expire_access_tokens(self) -> None:
        """End every access token issued so far: the next request with one is answered 401."""
        with self.lock:
            self.token_era += 1

    # What users do in their own calendars

    def add_foreign_event(self, address: str, subject: str, start: datetime, end: datetime) -> str:
        """An event of the user's own, at aware instants; remembered for the judge. Returns its id."""
        with self.lock:
            mailbox = self.mailboxes[address]
            times = {"start": _when(start), "end": _when(end)}
            kept = self.keep(mailbox, self.newborn(mailbox.default, {"subject": subject} | times))
            self.foreign[address, kept.id] = copy.deepcopy(kept)
            return kept.id

    def user_edits(self, address: str, event_id: str, **members: Any) -> None:
        """The user edits an event by hand: guests, categories, whatever."""
        with self.lock:
            kept = self.mailboxes[address].events[event_id]
            kept.item |= members
            self.touch(kept)

    def user_invites(self, address: str, event_id: str, *guests: str) -> None:
        """The user invites guests to an event by hand."""
        attendees = [{"type": "required", "emailAddress": {"address": guest, "name": guest}} for guest in guests]
        self.user_edits(address, event_id, attendees=attendees)

    def user_moves(self, address: str, event_id: str, calendar: str, *, reimported: bool = False) -> str:
        """The user moves an event to another calendar; returns its id, a new one where it was exported and imported."""
        with self.lock:
            mailbox = self.mailboxes[address]
            kept = mailbox.events.pop(event_id)
            kept.calendar, kept.place = calendar, kept.place + 1
            kept.id = self._id("AAkA") if reimported else kept.id
            mailbox.events[kept.id] = kept
            self.touch(kept)
            return kept.id

    def user_copies(self, address: str, event_id: str) -> str:
        """The user copies an event: properties and `transactionId` are copied with it. Returns the copy's id."""
        with self.lock:
            mailbox = self.mailboxes[address]
            original = mailbox.events[event_id]
            copied = copy.deepcopy(original)
            copied.id = self._id("AAkA")
            copied.item |= {"createdDateTime": self.stamp(), "iCalUId": copied.id}
            mailbox.events[copied.id] = copied
            self.touch(copied)
            return copied.id

    def user_deletes(self, address: str, event_id: str) -> None:
        """The user deletes an event by hand: to Deleted Items, which is no calendar."""
        with self.lock:
            self.foreign.pop((address, event_id), None)
            del self.mailboxes[address].events[event_id]

    def events(self, address: str, calendar: str = "") -> Iterator[Kept]:
        """Copies of the events of a mailbox, or of one of its calendars, the user's own ones included."""
        with self.lock:
            mailbox = self.mailboxes[address]
            found = [copy.deepcopy(one) for one in mailbox.events.values() if calendar in ("", one.calendar)]
        yield from found

    def foreign_touched(self) -> bool:
        """Whether an event of a user's own is not as its user left it."""
        with self.lock:
            return any(self.mailboxes[home].events.get(one) != kept for (home, one), kept in self.foreign.items())

    # How events are kept

    def newborn(self, calendar: str, members: JsonObject) -> Kept:
        """A new event with the defaults of "Create event": a reminder 15 minutes before, responses requested."""
        event_id = self._id("AAkA")
        item: JsonObject = {
            "createdDateTime": self.stamp(),
            "subject": "",
            "body": {"contentType": "html", "content": ""},
            "location": {"displayName": ""},
            "importance": "normal",
            "sensitivity": "normal",
            "showAs": "busy",
            "isAllDay": False,
            "isReminderOn": True,
            "reminderMinutesBeforeStart": 15,
            "responseRequested": True,
            "isOnlineMeeting": False,
            "isOrganizer": True,
            "isCancelled": False,
            "type": "singleInstance",
            "categories": [],
            "attendees": [],
            "iCalUId": event_id,
        }
        return Kept(event_id, calendar, item | members)

    def keep(self, mailbox: Mailbox, kept: Kept) -> Kept:
        """Put a new event into its mailbox."""
        mailbox.events[kept.id] = kept
        self.touch(kept)
        kept.untouched = True
        return kept

    def touch(self, kept: Kept) -> None:
        """A write: another `changeKey`, and with it another etag."""
        self.revision += 1
        kept.item |= {"changeKey": f"ck{self.revision:06d}", "lastModifiedDateTime": self.stamp()}
        kept.untouched = False

    def stamp(self) -> str:
        """The time, in UTC. The clock may stand still; what is created later is still seen to be."""
        now = self.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{now}.{self.revision:07d}Z"

    def _id(self, prefix: str) -> str:
        # With the letters and signs of real ids: case counts, and a slash or a plus must survive the way.
        return f"{prefix}{uuid.uuid4().hex[:20]}_-Zz/+="


def _when(moment: datetime) -> JsonObject:
    return {"dateTime": moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.0000000"), "timeZone": "UTC"}
