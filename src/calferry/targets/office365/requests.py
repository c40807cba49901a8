"""The exact requests, and the mark that each of our events carries. Pure.

Sources in the Microsoft Graph 1.0 reference: "Create event", "Update event", "Delete event", "List events", "Get
singleValueLegacyExtendedProperty", "Obtain immutable identifiers for Outlook resources".
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from calferry.model import Change, Create, Delete, Intent, Mark, Update
from calferry.targets.office365 import events
from calferry.targets.texts import CONTROL

KIND = "office365"

HEADERS = {"Prefer": 'IdType="ImmutableId"'}
"""On every request and every part: an id that changes when an event is moved would make it seem deleted."""

_SPACE = "String {5b4b1a52-6f0c-5ad9-9b3f-3a5c1c2d7e10} Name"
CALENDAR, IDENTITY, MARK = (f"{_SPACE} {name}" for name in ("calferryCalendar", "calferryIdentity", "calferryMark"))
"""Our extended properties. Graph compares their values in any case and over the whole mailbox, so the two that are
searched for are digests in lower case, made of the calendar's key."""

_MEMBERS = [str, str, str, str, int, str]
_CHECK, _NAME = 16, 60
"""Characters of the check, and of the installation's name, in a mark."""

_MOST = 1_000_000_000
"""Generations that a ledger can count: anybody may write such a property."""

_SEEN = "id,createdDateTime,attendees,isOnlineMeeting"


# ── identity and mark ─────────────────────────────────────────────────────────────────────────────────────────────────


def identity(calendar: str, uid: str, generation: int) -> str:
    """What an event of ours is known by, and its `transactionId`: 64 hexadecimal digits."""
    return hashlib.sha256(f"{calendar}|{uid}|{generation}".encode()).hexdigest()


def mark_text(mark: Mark, calendar: str) -> str:
    """The mark as the value of one property. It begins with a check that says for which calendar it was made.

    Exchange is known to cut long texts off in listings, after 255 characters (EWS, "FindItem operation").
    """
    check = identity(calendar, mark.uid, mark.generation)[:_CHECK]
    name = mark.installation[:_NAME]
    return _json([check, name, mark.ledger, mark.uid, mark.generation, mark.fingerprint])


def mark_of(text: object, calendar: str) -> Mark | None:
    """The mark that a property of an event in `calendar` (a key) carries; None where it is not whole, or another's."""
    try:
        content = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, list) or len(content) != len(_MEMBERS) or not _is_whole(content):
        return None
    check, installation, ledger, uid, generation, fingerprint = content
    if check != identity(calendar, uid, generation)[:_CHECK]:
        return None
    return Mark(installation=installation, ledger=ledger, uid=uid, generation=generation, fingerprint=fingerprint)


def _is_whole(content: Sequence[object]) -> bool:
    if [type(member) for member in content] != _MEMBERS:
        return False
    texts = [member for member in content if isinstance(member, str)]
    return bool(content[3]) and content[4] in range(_MOST) and not any(CONTROL.search(text) for text in texts)


@dataclass(frozen=True, slots=True)
class Seen:
    """An event as Graph shows it. `guests` counts whom its user invited; `mark` is ours, where it carries one."""

    href: str
    etag: str
    guests: int
    online: bool
    created: str = ""
    mark: Mark | None = None

    @property
    def safe_etag(self) -> str:
        """The etag under which it may be written to unseen: empty once guests would hear of it, or a meeting end."""
        return "" if self.guests or self.online else self.etag


def seen(item: object, calendar: str) -> Seen | None:
    """What an answer shows of an event in a calendar (a key); None where it is no event."""
    if not isinstance(item, Mapping):
        return None
    href, etag, attendees = item.get("id"), item.get("@odata.etag"), item.get("attendees")
    if not (isinstance(href, str) and isinstance(etag, str) and isinstance(attendees, list)):
        return None
    if not (href and etag):
        return None
    mailbox = mailbox_of(calendar)
    return Seen(
        href=href,
        etag=etag,
        guests=sum(_address(guest) != mailbox for guest in attendees),
        online=item.get("isOnlineMeeting") is True,
        created=str(item.get("createdDateTime") or ""),
        mark=mark_of(_property(item), calendar),
    )


def originals(items: Iterable[object], calendar: str) -> Iterator[Seen]:
    """Our events among those that a listing shows. A copy that a user made is later, and the user's."""
    found: dict[tuple[str, int, str], Seen] = {}
    for one in (seen(item, calendar) for item in items):
        if one is not None and one.mark is not None:
            key = (one.mark.uid, one.mark.generation, one.mark.ledger)
            first = found.setdefault(key, one)
            found[key] = min(first, one, key=lambda either: (either.created, either.href))
    yield from found.values()


def _property(item: Mapping[str, Any]) -> object:
    properties = item.get("singleValueExtendedProperties")
    ours = [one for one in properties if isinstance(one, Mapping)] if isinstance(properties, list) else []
    # Exchange gives names of properties back in the case of their first use in that mailbox.
    values = [one.get("value") for one in ours if str(one.get("id")).lower() == MARK.lower()]
    return values[0] if values else None


def _address(guest: object) -> str:
    address = guest.get("emailAddress") if isinstance(guest, Mapping) else None
    return str(address.get("address")).lower() if isinstance(address, Mapping) else ""


# ── requests ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Request:
    """One call below `/v1.0/`. It names no host, so that a replay follows a changed `root_url`.

    `if_match` is the etag under which alone an event may be changed.
    """

    method: str
    path: str
    query: str = ""
    body: str | None = None
    if_match: str = ""

    @property
    def address(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def headers(self) -> dict[str, str]:
        typed = {"Content-Type": "application/json"} if self.body is not None else {}
        return HEADERS | typed | ({"If-Match": self.if_match} if self.if_match else {})


def encode(change: Change) -> bytes:
    """The request for a change, as the intent stores it: deterministic JSON in ASCII."""
    stored: dict[str, Any] = {"ledger": change.mark.ledger}
    match change:
        case Create():
            once = {"transactionId": identity(change.calendar, change.uid, change.mark.generation)}
            stored |= {"method": "POST", "path": f"{_home(change.calendar)}/events"}
            stored |= {"body": once | events.body(change.event) | _properties(change.mark, change.calendar)}
        case Update():
            stored |= {"method": "PATCH", "path": event_path(change.calendar, change.receipt.href)}
            stored |= {"if_match": change.receipt.etag}
            stored |= {"body": events.body(change.event) | _properties(change.mark, change.calendar)}
        case Delete():
            stored |= {"method": "DELETE", "path": event_path(change.calendar, change.receipt.href)}
            stored |= {"if_match": change.receipt.etag}
    return _json(stored).encode("ascii")


def decode(stored: bytes) -> Request:
    """The request an intent stored."""
    parts = json.loads(stored)
    body = _json(parts["body"]) if "body" in parts else None
    return Request(parts["method"], parts["path"], body=body, if_match=parts.get("if_match", ""))


def is_about(one: Seen, intent: Intent) -> bool:
    """Whether an event carries the identity of an intent: uid, generation and (by its check) calendar agree."""
    return one.mark is not None and (one.mark.uid, one.mark.generation) == (intent.uid, intent.generation)


def is_ours(one: Seen, intent: Intent) -> bool:
    """Whether besides the ledger is the one that the intent is of."""
    ledger = json.loads(intent.request)["ledger"]
    return is_about(one, intent) and one.mark is not None and one.mark.ledger == ledger


def onto(write: Request, one: Seen, calendar: str) -> Request:
    """The same change to the event that was seen, as it was seen.

    A `transactionId` cannot be changed (400). The body of an online meeting holds the way in: it is left alone.
    """
    body = None
    if write.body is not None:
        left_out = {"transactionId"} | ({"body"} if one.online else set())
        body = _json({name: value for name, value in json.loads(write.body).items() if name not in left_out})
    method = "PATCH" if write.method == "POST" else write.method
    return replace(write, method=method, path=event_path(calendar, one.href), body=body, if_match=one.etag)


def event_path(calendar: str, href: str) -> str:
    """An event, in whichever calendar of its mailbox its user put it."""
    return f"{_mailbox(calendar)}/events/{quote(href, safe='')}"


def look(path: str) -> Request:
    """Ask for an event as it stands."""
    return Request("GET", path, _query({"$select": _SEEN, "$expand": _expanded(MARK)}))


def look_up(calendar: str, uid: str, generation: int) -> Request:
    """Ask a mailbox for the events that carry an identity, wherever in it they are."""
    wanted = _filtered(IDENTITY, identity(calendar, uid, generation))
    return Request("GET", f"{_mailbox(calendar)}/events", _query({"$filter": wanted} | _PAGE))


def survey(calendar: str) -> Request:
    """Ask for the first page of the events that carry a mark for this calendar."""
    wanted = _filtered(CALENDAR, _digest(calendar))
    return Request("GET", f"{_home(calendar)}/events", _query({"$filter": wanted} | _PAGE))


def probe(calendar: str) -> Request:
    """Ask a calendar for as little as there is: whether it answers at all."""
    return Request("GET", f"{_home(calendar)}/events", _query({"$select": "id", "$top": "1"}))


def describe(calendar: str) -> Request:
    """Ask what a calendar is, and whether it may be written ("calendar resource type")."""
    return Request("GET", _home(calendar), _query({"$select": "id,canEdit,isDefaultCalendar"}))


def calendars(mailbox: str) -> Request:
    """Ask for the calendars of a mailbox ("List calendars")."""
    shown = {"$select": "id,name,canEdit,isDefaultCalendar", "$top": "100"}
    return Request("GET", f"users/{quote(mailbox, safe='@')}/calendars", _query(shown))


def mailbox_of(calendar: str) -> str:
    """The address of the mailbox that a calendar (a key) is in."""
    return calendar.removeprefix(f"{KIND}:").partition("/")[0]


def _mailbox(calendar: str) -> str:
    return f"users/{quote(mailbox_of(calendar), safe='@')}"


def _home(calendar: str) -> str:
    """Where events of a calendar (a key) are created: `users/ADDRESS`, or `users/ADDRESS/calendars/ID`."""
    _, _, identity_ = calendar.partition("/calendars/")
    return _mailbox(calendar) + (f"/calendars/{quote(identity_, safe='')}" if identity_ else "/calendar")


def _properties(mark: Mark, calendar: str) -> dict[str, Any]:
    values = {
        CALENDAR: _digest(calendar),
        IDENTITY: identity(calendar, mark.uid, mark.generation),
        MARK: mark_text(mark, calendar),
    }
    return {"singleValueExtendedProperties": [{"id": name, "value": value} for name, value in values.items()]}


def _digest(calendar: str) -> str:
    return hashlib.sha256(calendar.encode()).hexdigest()


def _filtered(name: str, value: str) -> str:
    return f"singleValueExtendedProperties/Any(ep: ep/id eq '{name}' and ep/value eq '{value}')"


def _expanded(name: str) -> str:
    return f"singleValueExtendedProperties($filter=id eq '{name}')"


_PAGE = {"$select": _SEEN, "$expand": _expanded(MARK), "$top": "500"}


def _query(parts: Mapping[str, str]) -> str:
    return urlencode(parts, quote_via=quote, safe="$(),/")


def _json(content: object) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def next_page(link: str, root: str) -> Request | None:
    """The next page of a listing, as `@odata.nextLink` names it; None where that leads to another host."""
    inside = link.startswith(root) and not re.search(r"[\s#]|/\.\.?(?:/|$)", link)
    path, _, query = link.removeprefix(root).partition("?")
    return Request("GET", path, query) if inside else None
