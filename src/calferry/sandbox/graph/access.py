"""Which mailbox and calendar a path is about, and whether whoever asks may do that there.

Vendor pages: "List events", "Create event", "Get event", "Get calendar" and "List calendars", each with its paths and
permissions; "Role Based Access Control for Applications in Exchange Online".
"""

from __future__ import annotations

from calferry.sandbox.messages import JsonObject, Request

from .errors import GraphError, not_found
from .events import Place
from .oauth import Grant
from .world import GraphWorld, Mailbox

WRITING = "Calendars.ReadWrite"
RESOURCE = ("id", "name", "canEdit", "isDefaultCalendar")


class Asked:
    """What a path is about: `place` and, for an event, its `event_id`; `what` is events, calendar or calendars."""

    def __init__(self, world: GraphWorld, request: Request, grant: Grant) -> None:
        self.what, address, calendar, rest = _read(request.segments)
        mailbox = world.mailboxes.get(address)
        if mailbox is None or mailbox.withdrawn:
            raise GraphError(404, "ErrorInvalidUser", "The requested user is invalid.")
        if not mailbox.licensed:
            raise GraphError(
                404, "MailboxNotEnabledForRESTAPI", "The mailbox is inactive, soft-deleted, or on-premise."
            )
        self._world, self._grant = world, grant
        self.place = Place(mailbox, mailbox.default if calendar == "default" else calendar)
        if self.place.calendar and self.place.calendar not in mailbox.calendars:
            raise not_found()
        if len(rest) > 1:
            raise GraphError(400, "BadRequest", "Resource not found for the segment.")
        self.event_id = "".join(rest)
        if not self._may(mailbox, writes=request.method != "GET"):
            raise GraphError(403, "ErrorAccessDenied", "Access to OData is disabled.")

    def described(self) -> JsonObject:
        """The calendar, or all calendars of the mailbox, as "calendar resource type" has them."""
        mailbox = self.place.mailbox
        if self.what == "calendars":
            return {"value": [self._calendar(one) for one in mailbox.calendars]}
        return self._calendar(self.place.calendar)

    def _calendar(self, calendar: str) -> JsonObject:
        mailbox = self.place.mailbox
        told = (calendar, mailbox.calendars[calendar], self._can_edit(calendar), calendar == mailbox.default)
        return dict(zip(RESOURCE, told, strict=True))

    def _can_edit(self, calendar: str) -> bool:
        """What `canEdit` says: whether the user, or the mailbox's own where an application asks, may write. It knows
        nothing of the application's permissions."""
        mailbox, user = self.place.mailbox, self._grant.user
        shared = user in ("", mailbox.address) or (mailbox.address, user) in self._world.editors
        return shared and calendar not in mailbox.read_only

    @property
    def _home(self) -> str:
        """The calendar that would be written to: the event's own, wherever in the mailbox that is."""
        mailbox = self.place.mailbox
        kept = mailbox.events.get(self.event_id)
        return self.place.calendar or (kept.calendar if kept else mailbox.default)

    def _may(self, mailbox: Mailbox, *, writes: bool) -> bool:
        user, rights = self._grant.user, self._grant.rights
        if not user:
            permitted = WRITING in rights or self._world.exchange_grants or (bool(rights) and not writes)
            return mailbox.accessible and permitted and not (writes and self._home in mailbox.read_only)
        if user != mailbox.address and (
            f"{WRITING}.Shared" not in rights or (mailbox.address, user) not in self._world.readers
        ):
            return False
        return not writes or self._can_edit(self._home)


def _read(segments: tuple[str, ...]) -> tuple[str, str, str, list[str]]:
    """`users/U/events`, `users/U/calendar/events` and `users/U/calendars/ID/events`, and an event's id behind them; the
    calendars themselves. A calendar is its id, "default", or "" for all."""
    match segments:
        case ("v1.0", "users", address, "events", *rest):
            return "events", address, "", rest
        case ("v1.0", "users", address, "calendar", "events", *rest):
            return "events", address, "default", rest
        case ("v1.0", "users", address, "calendars", calendar, "events", *rest):
            return "events", address, calendar, rest
        case ("v1.0", "users", address, "calendar"):
            return "calendar", address, "default", []
        case ("v1.0", "users", address, "calendars", calendar):
            return "calendar", address, calendar, []
        case ("v1.0", "users", address, "calendars"):
            return "calendars", address, "", []
        case _:
            raise GraphError(400, "BadRequest", "Resource not found for the segment.")
