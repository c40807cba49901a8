"""What Google can hold, and the exact requests that make it hold it. Pure.

Sources: "Events", "Events: insert/update/patch/delete" and "Extended properties" in Google's Calendar API reference.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from zoneinfo import ZoneInfo

from calferry.colors import NAMES, OWN, nearest_color
from calferry.model import (
    Change,
    Classification,
    Create,
    Delete,
    Event,
    Mark,
    Marked,
    Status,
    Transparency,
    Update,
    at_least,
)
from calferry.moments import utc, zone_name
from calferry.targets.texts import CONTROL, LINK, clean
from calferry.targets.zones import canonical_zone

KIND = "google"
FIT_VERSION = "1"
"""Raise it when the same event would be fitted differently."""

SUMMARY, LOCATION, DESCRIPTION = 1024, 1024, 8192
"""Characters. Google publishes no limits; these are the ones that hold in practice."""

COLORS: Mapping[str, int] = MappingProxyType(
    {
        "lavender": 0x7986CB,
        "mediumseagreen": 0x33B679,
        "darkorchid": 0x8E24AA,
        "lightcoral": 0xE67C73,
        "orange": 0xF6BF26,
        "orangered": 0xF4511E,
        "deepskyblue": 0x039BE5,
        "dimgray": 0x616161,
        "royalblue": 0x3F51B5,
        "green": 0x0B8043,
        "tomato": 0xD50000,
    }
)
"""The colours of events as Google Calendar shows them, in the order of their ids from 1 on, each under the name that
stands for it here. Google calls two of them lavender and tomato itself."""

_SEEN = "id,etag,status,attendees(email,self),attendeesOmitted"
_ESCAPED = {"&": len("&amp;"), "<": len("&lt;"), ">": len("&gt;")}


# ── fit ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def fit(event: Event) -> Event:
    """The event as Google can hold it. Idempotent.

    Texts stay plain texts here; the description is made HTML only on its way out (`body`), so its limit counts it
    escaped. Google shows no categories and eleven colours, deletes what is CANCELLED, and knows no class between public
    and private.
    """
    fitted = replace(
        event,
        start=_moment(event.start),
        end=_moment(event.end),
        summary=clean(event.summary, SUMMARY),
        description=clean(event.description, DESCRIPTION, _ESCAPED),
        location=clean(event.location, LOCATION),
        url=event.url if LINK.fullmatch(event.url) else "",
        categories=(),
        color=nearest_color(event.color, COLORS) if event.color in NAMES else event.color and OWN,
    )
    if event.classification is Classification.CONFIDENTIAL:
        fitted = replace(fitted, classification=Classification.PRIVATE)
    if event.status is Status.CANCELLED:
        fitted = replace(fitted, status=Status.CONFIRMED, transparency=Transparency.TRANSPARENT)
    return at_least(fitted, minutes=1)


def _moment(moment: datetime) -> datetime:
    return utc(moment).replace(microsecond=0).astimezone(ZoneInfo(canonical_zone(zone_name(moment))))


# ── identity and mark ─────────────────────────────────────────────────────────────────────────────────────────────────


def event_id(calendar: str, uid: str, generation: int) -> str:
    """Google's id of our event: base32hex in lower case, 52 characters. The same appointment is never there twice."""
    digest = hashlib.sha256(f"{calendar}|{uid}|{generation}".encode()).digest()
    return base64.b32hexencode(digest).decode().rstrip("=").lower()


def properties(mark: Mark) -> dict[str, str]:
    """The mark as private extended properties; `calferry=1` is what a survey asks for."""
    return {
        "calferry": "1",
        "calferryInstallation": mark.installation,
        "calferryLedger": mark.ledger,
        "calferryUid": mark.uid,
        "calferryGeneration": str(mark.generation),
        "calferryFingerprint": mark.fingerprint,
    }


def mark_of(private: object) -> Mark | None:
    """The mark that private extended properties carry, or None where it is not whole: anybody may write such ones."""
    if not isinstance(private, Mapping):
        return None
    names = ("Installation", "Ledger", "Uid", "Generation", "Fingerprint")
    texts = [text for name in names if isinstance(text := private.get(f"calferry{name}"), str)]
    if len(texts) != len(names) or CONTROL.search("".join(texts)):
        return None
    installation, ledger, uid, generation, fingerprint = texts
    if not uid or not re.fullmatch(r"[0-9]{1,9}", generation):
        return None
    return Mark(installation=installation, ledger=ledger, uid=uid, generation=int(generation), fingerprint=fingerprint)


def marked(item: object, calendar: str) -> Marked | None:
    """One of our events as a listing of `calendar` (a key) shows it; None for whatever else an item may be.

    A copy that a user made carries our mark under another id: it is the user's.
    """
    shared = item.get("extendedProperties") if isinstance(item, Mapping) else None
    mark = mark_of(shared.get("private")) if isinstance(shared, Mapping) else None
    if not isinstance(item, Mapping) or mark is None:
        return None
    one = seen(item, calendar)
    href = event_id(calendar, mark.uid, mark.generation)
    return Marked(mark=mark, href=href, etag=one.safe_etag if one else "") if item.get("id") == href else None


@dataclass(frozen=True, slots=True)
class Seen:
    """An event as Google shows it. `guests` counts whom its user invited; `dead` says that it was deleted."""

    etag: str
    guests: int
    dead: bool

    @property
    def safe_etag(self) -> str:
        """The etag under which it may be written to unseen: empty once guests would be touched."""
        return "" if self.guests else self.etag


def seen(item: object, calendar: str) -> Seen | None:
    """What an answer shows of an event in a calendar (a key); None where it is no event."""
    if not isinstance(item, Mapping):
        return None
    identity, etag, attendees = item.get("id"), item.get("etag"), item.get("attendees", [])
    if not (isinstance(identity, str) and isinstance(etag, str) and etag and isinstance(attendees, list)):
        return None
    guests = sum(not _is_owner(one, calendar) for one in attendees)
    omitted = item.get("attendeesOmitted") is True
    return Seen(etag=etag, guests=max(guests, int(omitted)), dead=item.get("status") == "cancelled")


def _is_owner(attendee: object, calendar: str) -> bool:
    """Whether an attendee is the calendar itself: whoever invites guests becomes one too."""
    if not isinstance(attendee, Mapping):
        return False
    owner = calendar.removeprefix(f"{KIND}:").partition("/")[0]
    return attendee.get("self") is True or str(attendee.get("email")).lower() == owner


# ── requests ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Request:
    """One call below `…/calendar/v3/`. It names no host, so that a replay follows a changed `root_url`.

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
        typed = {"accept": "application/json", "content-type": "application/json"}
        return typed | ({"if-match": self.if_match} if self.if_match else {})


def encode(change: Change, *, dedicated: bool) -> bytes:
    """The request for a change, as the intent stores it: deterministic JSON in ASCII."""
    stored: dict[str, Any] = {"query": {"sendUpdates": "none"}}
    match change:
        case Create():
            identity = {"id": event_id(change.calendar, change.uid, change.mark.generation)}
            stored |= {"method": "POST", "path": _events(change.calendar)}
            own = _source(change.event) | _color(change.event)
            stored |= {"body": identity | own | body(change.event, change.mark)}
        case Update():
            stored |= {"method": "PUT" if dedicated else "PATCH"}
            stored |= _held(change)
            own = ({} if dedicated else _absent(change.event)) | _source(change.event) | _color(change.event)
            stored |= {"body": own | body(change.event, change.mark)}
        case Delete():
            stored |= {"method": "DELETE"} | _held(change)
    if "body" in stored:
        stored["query"]["fields"] = "id,etag,status"
    return _json(stored).encode("ascii")


def decode(stored: bytes) -> Request:
    """The request an intent stored."""
    parts = json.loads(stored)
    body = _json(parts["body"]) if "body" in parts else None
    return Request(parts["method"], parts["path"], urlencode(parts["query"]), body, parts.get("if_match", ""))


def _held(change: Update | Delete) -> dict[str, Any]:
    """Where the event stands, and the state in which it is known to have no guests."""
    path = f"{_events(change.calendar)}/{quote(change.receipt.href, safe='')}"
    return {"path": path} | ({"if_match": change.receipt.etag} if change.receipt.etag else {})


def body(event: Event, mark: Mark) -> dict[str, Any]:
    """All that we say about an event, every time: an update restores what was changed or deleted by hand.

    No attendees, ever; reminders are switched off in so many words, since a calendar's defaults may send mail.
    """
    return {
        "summary": event.summary,
        "description": html.escape(event.description, quote=False),
        "location": event.location,
        "start": _when(event.start),
        "end": _when(event.end),
        "status": event.status.lower(),
        "transparency": event.transparency.lower(),
        "visibility": "default" if event.classification is Classification.PUBLIC else "private",
        "reminders": {"useDefault": False, "overrides": []},
        "extendedProperties": {"private": properties(mark)},
    }


def in_place(create: Request) -> Request:
    """The PUT that makes an event of ours, which exists or was deleted, what an insert wanted it to be."""
    identity = json.loads(create.body or "{}")["id"]
    return replace(create, method="PUT", path=f"{create.path}/{identity}")


def look(path: str) -> Request:
    """Ask for an event as it stands."""
    return Request("GET", path, urlencode({"fields": _SEEN}))


def named(calendar: str, href: str) -> Request:
    """Ask for the state of any event, whoever wrote it."""
    return Request("GET", f"{_events(calendar)}/{quote(href, safe='')}", urlencode({"fields": "id,status"}))


def probe(calendar: str) -> Request:
    """Ask a calendar for as little as there is: whether it answers at all.

    A list and not `calendars.get`, which the scope `calendar.events` does not cover.
    """
    return Request("GET", _events(calendar), urlencode({"maxResults": 1, "fields": "kind"}))


def rights(calendar: str) -> Request:
    """Ask what we may do in a calendar: a listing says so in `accessRole`."""
    return Request("GET", _events(calendar), urlencode({"maxResults": 1, "fields": "kind,accessRole"}))


def survey(calendar: str, page: str = "") -> Request:
    """Ask for a page of the events that carry our mark."""
    query = {
        "privateExtendedProperty": "calferry=1",
        "maxResults": 2500,
        "showDeleted": "false",
        "fields": f"kind,items({_SEEN},extendedProperties/private),nextPageToken",
    }
    return Request("GET", _events(calendar), urlencode(query | ({"pageToken": page} if page else {})))


def _events(calendar: str) -> str:
    return f"calendars/{quote(calendar.removeprefix(f'{KIND}:'), safe='')}/events"


def _when(moment: datetime) -> dict[str, str]:
    return {"dateTime": utc(moment).strftime("%Y-%m-%dT%H:%M:%SZ"), "timeZone": zone_name(moment)}


def _absent(event: Event) -> dict[str, Any]:
    """Null takes a link or a colour away under PATCH, where a member left out stays as it is: a colour that a user
    chose stays, unless a route says whose colour it shall be."""
    return {"source": None} | ({"colorId": None} if event.color == OWN else {})


def _source(event: Event) -> dict[str, Any]:
    return {"source": {"title": urlsplit(event.url).hostname or event.url, "url": event.url}} if event.url else {}


def _color(event: Event) -> dict[str, Any]:
    return {"colorId": str([*COLORS].index(event.color) + 1)} if event.color in COLORS else {}


def _json(content: object) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"))
