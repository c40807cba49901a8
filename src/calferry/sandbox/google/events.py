"""What each write and reading of one event does. Vendor pages: "Events" (reference) and its methods."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple

from calferry.sandbox.discovery import body_problems
from calferry.sandbox.messages import JsonObject

from .errors import CalendarError, not_found
from .rules import check_event, check_id, instant
from .switches import GoogleSwitches
from .world import Calendar, GoogleWorld, Mail, is_live

# Members the service keeps by itself: what a body says of them is not taken over.
_OWN = ("kind", "etag", "id", "created", "updated", "htmlLink", "creator", "organizer")
# Members that are given at creation and stay.
_FIXED = ("iCalUID", "eventType")


class Actor(NamedTuple):
    """On whose behalf a request comes; `bare` for a service account that acts as nobody but itself."""

    subject: str
    bare: bool


class Write(NamedTuple):
    """What comes with a write beside its body."""

    actor: Actor
    verb: str
    if_match: str | None
    send_updates: str | None


class Events:
    """The events of the world as the API lets clients handle them. Refusals are raised as CalendarError."""

    def __init__(self, world: GoogleWorld, switches: GoogleSwitches) -> None:
        self._world = world
        self._switches = switches

    def get(self, calendar: Calendar, event_id: str) -> JsonObject:
        """Vendor page: "Events: get". Tombstones are still returned, with status `cancelled`."""
        if event_id not in calendar.events:
            raise not_found()
        return copy.deepcopy(calendar.events[event_id])

    def insert(self, calendar: Calendar, body: JsonObject, write: Write) -> JsonObject:
        """Vendor page: "Events: insert". An id that is or was in use is a 409, a deleted one included."""
        self._check_body(body, write)
        if body.get("id") is not None:
            check_id(body["id"])
            if body.get("iCalUID") is not None:
                raise CalendarError(400, "invalid", "Only one of id and iCalUID may be given")
        event_id = body.get("id") or uuid.uuid4().hex
        event = self._world.newborn(calendar, event_id, write.actor.subject) | _given(body, *_OWN)
        self._check(event, {}, write)
        if event_id in calendar.used_ids:
            raise CalendarError(409, "duplicate", "The requested identifier already exists.")
        return self._keep(calendar, event, None, write)

    def update(self, calendar: Calendar, event_id: str, body: JsonObject, write: Write) -> JsonObject:
        """Vendor page: "Events: update" (PUT). What the body leaves out is cleared; a tombstone needs a status."""
        self._check_body(body, write)
        old = self._reached(calendar, event_id, write)
        self._check_revival(old, body)
        own = {name: old[name] for name in (*_OWN, *_FIXED, "sequence") if name in old}
        event = {"status": "confirmed"} | own | _given(body, *_OWN, *_FIXED)
        return self._replace(calendar, event, old, write)

    def patch(self, calendar: Calendar, event_id: str, body: JsonObject, write: Write) -> JsonObject:
        """Vendor page: "Events: patch". Objects are merged, null clears, arrays are replaced whole."""
        self._check_body(body, write)
        old = self._reached(calendar, event_id, write)
        self._check_revival(old, body)
        changes = {name: value for name, value in body.items() if name not in (*_OWN, *_FIXED)}
        return self._replace(calendar, _merged(old, changes), old, write)

    def delete(self, calendar: Calendar, event_id: str, write: Write) -> None:
        """Vendor page: "Events: delete". Leaves a tombstone; deleting that again is a 410, a stale etag first a 412."""
        old = self._reached(calendar, event_id, write)
        if not is_live(old):
            raise CalendarError(410, "deleted", "Resource has been deleted")
        self._world.bury(calendar, event_id)
        self._account(calendar, event_id, (old,), write)

    def _replace(self, calendar: Calendar, event: JsonObject, old: JsonObject, write: Write) -> JsonObject:
        self._check(event, old, write)
        sequence = event.get("sequence") or 0
        if sequence < old["sequence"]:
            raise CalendarError(
                400,
                "invalid",
                "Invalid sequence value. The specified sequence number is below the current one of the resource.",
            )
        moved = any(instant(event, side) != instant(old, side) for side in ("start", "end"))
        event["sequence"] = max(sequence, old["sequence"] + moved)
        return self._keep(calendar, event, old, write)

    def _keep(self, calendar: Calendar, event: JsonObject, old: JsonObject | None, write: Write) -> JsonObject:
        event.setdefault("reminders", {"useDefault": True})
        kept = self._world.store(calendar, event)
        self._account(calendar, kept["id"], (kept, old or {}), write)
        return copy.deepcopy(kept)

    def _account(self, calendar: Calendar, event_id: str, versions: tuple[JsonObject, ...], write: Write) -> None:
        """Count what was performed, and whom it made Google write to."""
        world, newest = self._world, versions[0]
        world.performed[write.verb] += 1
        silent = write.send_updates == "none" and self._switches.silent_is_silent
        if any(_guests(version, calendar) for version in versions) and not silent:
            world.mails.append(Mail(calendar.id, event_id, write.verb, write.send_updates))
        reminders = newest.get("reminders", {})
        due = calendar.default_reminders if reminders.get("useDefault") else reminders.get("overrides", [])
        if write.verb != "delete" and any(one["method"] == "email" for one in due):
            world.reminder_mails.append((calendar.id, event_id))

    def _reached(self, calendar: Calendar, event_id: str, write: Write) -> JsonObject:
        if event_id not in calendar.events:
            raise not_found()
        old = calendar.events[event_id]
        if write.if_match not in (None, "*", old["etag"]):
            raise CalendarError(412, "conditionNotMet", "Precondition Failed")
        return old

    def _check_revival(self, old: JsonObject, body: JsonObject) -> None:
        revived = body.get("status") in ("confirmed", "tentative") and self._switches.tombstones == "restorable"
        if not is_live(old) and not revived:
            raise CalendarError(403, "forbidden", "Forbidden")

    def _check_body(self, body: JsonObject, write: Write) -> None:
        problems = body_problems("Event", body)
        if problems:
            self._world.schema_violations += [f"events.{write.verb}: {problem}" for problem in problems]
            raise CalendarError(400, "invalid", f"Invalid value: {'; '.join(problems)}")

    def _check(self, event: Mapping[str, Any], old: Mapping[str, Any], write: Write) -> None:
        check_event(event)
        invited = event.get("attendees") and event.get("attendees") != old.get("attendees")
        if invited and write.actor.bare:
            raise CalendarError(
                403,
                "forbiddenForServiceAccounts",
                "Service accounts cannot invite attendees without Domain-Wide Delegation of Authority.",
            )


def _given(body: JsonObject, *except_for: str) -> JsonObject:
    return {name: copy.deepcopy(value) for name, value in body.items() if value is not None and name not in except_for}


def _merged(old: Any, changes: Any) -> Any:
    if not isinstance(old, dict) or not isinstance(changes, dict):
        return copy.deepcopy(changes)
    names = [*old, *(name for name in changes if name not in old)]
    merged = {name: _merged(old.get(name, {}), changes[name]) if name in changes else old[name] for name in names}
    return {name: value for name, value in merged.items() if value is not None}


def _guests(event: JsonObject, calendar: Calendar) -> bool:
    return any(guest.get("email") not in (calendar.id, calendar.owner) for guest in event.get("attendees", ()))
