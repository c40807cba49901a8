"""What each write of one event does. Vendor pages: "Create event", "Update event", "Delete event"."""

from __future__ import annotations

import copy
from typing import NamedTuple

from calferry.sandbox.messages import JsonObject

from .errors import GraphError, not_found
from .rules import body_problems, check, properties_of
from .switches import GraphSwitches
from .world import GraphWorld, Kept, Mail, Mailbox, Used


class Place(NamedTuple):
    """A mailbox, and which of its calendars a call is about; empty for all of them."""

    mailbox: Mailbox
    calendar: str


class Events:
    """The events of the world as the API lets clients handle them. Refusals are raised as GraphError."""

    def __init__(self, world: GraphWorld, switches: GraphSwitches) -> None:
        self._world = world
        self._switches = switches

    def get(self, place: Place, event_id: str) -> Kept:
        """Vendor page: "Get event". Either kind of id finds it; a default id only until it is moved."""
        for kept in place.mailbox.events.values():
            if event_id in (kept.id, kept.default_id) and place.calendar in ("", kept.calendar):
                return kept
        raise not_found()

    def create(self, place: Place, body: JsonObject) -> Kept:
        """Vendor page: "Create event". The scope of a `transactionId` is the mailbox."""
        self._check_body(body, "create")
        transaction = body.get("transactionId")
        used = place.mailbox.transactions.get(transaction) if transaction else None
        if used is not None and (alive := self._already(place.mailbox, used, body)):
            return alive
        members = {name: value for name, value in body.items() if name != "singleValueExtendedProperties"}
        kept = self._world.newborn(place.calendar or place.mailbox.default, copy.deepcopy(members))
        kept.properties = properties_of(body)
        check(kept.item)
        self._world.keep(place.mailbox, kept)
        if transaction:
            place.mailbox.transactions[transaction] = Used(kept.id, copy.deepcopy(body))
        self._account(place.mailbox, kept, "create")
        answered = copy.deepcopy(kept)
        if self._switches.etags_settle:
            self._world.touch(kept)
        return answered

    def update(self, place: Place, event_id: str, body: JsonObject, if_match: str | None) -> Kept:
        """Vendor page: "Update event" (PATCH): members that are not named stay."""
        self._check_body(body, "update")
        if "transactionId" in body:
            raise GraphError(400, "ErrorInvalidRequest", "ClientId/TransactionId is immutable")
        kept = self._matched(place, event_id, if_match)
        members = {name: value for name, value in body.items() if name != "singleValueExtendedProperties"}
        changed = copy.deepcopy(kept.item) | copy.deepcopy(members)
        check(changed)
        if kept.item["isOnlineMeeting"] and "body" in body:
            changed["isOnlineMeeting"] = False  # the meeting's blob was in the body
        kept.item, kept.properties = changed, kept.properties | properties_of(body)
        self._world.touch(kept)
        self._account(place.mailbox, kept, "update")
        return kept

    def delete(self, place: Place, event_id: str, if_match: str | None) -> None:
        """Vendor page: "Delete event": to Deleted Items. With attendees, they are told that it is cancelled."""
        kept = self._matched(place, event_id, if_match)
        del place.mailbox.events[kept.id]
        self._account(place.mailbox, kept, "delete")

    def _already(self, mailbox: Mailbox, used: Used, body: JsonObject) -> Kept | None:
        """The event of a `transactionId` that comes again, if that is the same request; None where it is forgotten."""
        kept = mailbox.events.get(used.event_id)
        if kept is None and self._switches.deleted_transactions == "forgotten":
            return None
        same = used.body == body and (kept is not None and kept.untouched)
        if kept is not None and used.body == body and self._switches.replay_after_change == "returned":
            same = True
        if kept is not None and same:
            return kept
        raise GraphError(
            self._switches.duplicate_status,
            "ErrorDuplicateTransactionId",
            "The TransactionId specified in the request has already been used to create a different event.",
            {"@event.existingEventId": used.event_id} if self._switches.names_existing else {},
        )

    def _matched(self, place: Place, event_id: str, if_match: str | None) -> Kept:
        kept = self.get(place, event_id)
        if if_match in (None, "*", kept.etag) and self._switches.conflicts_by_itself == 0:
            return kept
        self._switches.conflicts_by_itself = max(self._switches.conflicts_by_itself - 1, 0)
        raise GraphError(412, "ErrorIrresolvableConflict", "The send or update operation could not be performed.")

    def _check_body(self, body: JsonObject, verb: str) -> None:
        problems = body_problems(body)
        if problems:
            self._world.schema_violations += [f"{verb}: {problem}" for problem in problems]
            raise GraphError(400, "RequestBodyRead", f"The property cannot be read: {'; '.join(problems)}")

    def _account(self, mailbox: Mailbox, kept: Kept, verb: str) -> None:
        """Count what was performed, whom it made Exchange write to, and whom it will remind."""
        self._world.performed[verb] += 1
        guests = [one for one in kept.item["attendees"] if one["emailAddress"]["address"] != mailbox.address]
        if guests:
            self._world.mails.append(Mail(mailbox.address, kept.id, verb))
        if verb != "delete" and kept.item["isReminderOn"]:
            self._world.reminders.append(kept.id)
