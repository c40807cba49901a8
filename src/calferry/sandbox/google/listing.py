"""Listings of events, page by page, and what changed since a sync token. Vendor page: "Events: list"."""

from __future__ import annotations

import copy
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from calferry.sandbox.messages import JsonObject, Request

from .errors import CalendarError
from .rules import instant
from .world import Calendar, GoogleWorld, is_live

_PAGE, _LONGEST_PAGE = 250, 2500
_NOT_WITH_A_TOKEN = frozenset(
    {"iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "timeMin", "timeMax", "updatedMin"}
)


_PAGING = frozenset({"pageToken", "syncToken", "maxResults", "fields", "alt", "prettyPrint", "quotaUser", "key"})


@dataclass(frozen=True, slots=True)
class _Mark:
    calendar: str
    query: Mapping[str, tuple[str, ...]]
    revision: int
    era: int
    since: int = 0
    after: str = ""


class Listings:
    """Answers `events.list` and remembers what its tokens stand for."""

    def __init__(self, world: GoogleWorld) -> None:
        self._world = world
        self._pages: dict[str, _Mark] = {}
        self._syncs: dict[str, _Mark] = {}

    def page(self, calendar: Calendar, request: Request, role: str) -> JsonObject:
        """One page: `items` and either `nextPageToken` or, on the last page of a plain listing, `nextSyncToken`."""
        mark = self._mark(calendar, request)
        _check(request)
        chosen = sorted(
            (event["id"], event)
            for event in calendar.events.values()
            if event["id"] > mark.after
            and calendar.revisions[event["id"]] > mark.since
            and _matches(event, request, mark)
        )
        size = min(int(request.one("maxResults") or _PAGE), _LONGEST_PAGE)
        return {
            "kind": "calendar#events",
            "etag": f'"p{self._world.revision}"',
            "summary": calendar.id,
            "timeZone": calendar.time_zone,
            "accessRole": role,
            "defaultReminders": copy.deepcopy(calendar.default_reminders),
            "items": [copy.deepcopy(event) for _, event in chosen[:size]],
        } | self._continuation(mark, [event_id for event_id, _ in chosen], size, request)

    def _continuation(self, mark: _Mark, ids: list[str], size: int, request: Request) -> JsonObject:
        token = secrets.token_urlsafe(18)
        if len(ids) > size:
            self._pages[token] = _Mark(mark.calendar, mark.query, mark.revision, mark.era, mark.since, ids[size - 1])
            return {"nextPageToken": token}
        if request.query.keys() & _NOT_WITH_A_TOKEN:
            return {}
        self._syncs[token] = _Mark(mark.calendar, mark.query, mark.revision, mark.era)
        return {"nextSyncToken": token}

    def _mark(self, calendar: Calendar, request: Request) -> _Mark:
        query = {name: values for name, values in request.query.items() if name not in _PAGING}
        token, sync_token = request.one("pageToken"), request.one("syncToken")
        if token is not None:
            page = self._pages.get(token)
            if page is None or (page.calendar, page.query) != (calendar.id, query):
                raise CalendarError(400, "invalid", "Invalid page token value.")
            return page
        since = self._since(calendar, request, query) if sync_token is not None else 0
        return _Mark(calendar.id, query, self._world.revision, self._world.sync_era, since)

    def _since(self, calendar: Calendar, request: Request, query: Mapping[str, tuple[str, ...]]) -> int:
        if request.query.keys() & _NOT_WITH_A_TOKEN:
            raise CalendarError(400, "invalid", "Sync token cannot be combined with these parameters.")
        mark = self._syncs.get(request.one("syncToken") or "")
        if mark is None or mark.era != self._world.sync_era or mark.calendar != calendar.id:
            raise CalendarError(410, "fullSyncRequired", "Sync token is no longer valid, a full sync is required.")
        if {**mark.query, "showDeleted": ()} != {**query, "showDeleted": ()}:
            raise CalendarError(400, "invalid", "The parameters differ from those of the first listing.")
        return mark.revision


def _check(request: Request) -> None:
    bounds = {name: _bound(request, name) for name in ("timeMin", "timeMax", "updatedMin")}
    if bounds["timeMin"] and bounds["timeMax"] and bounds["timeMin"] >= bounds["timeMax"]:
        raise CalendarError(400, "timeRangeEmpty", "The specified time range is empty.")
    if request.one("orderBy") == "startTime" and request.one("singleEvents") != "true":
        raise CalendarError(400, "invalid", "The requested ordering is not available for the particular query.")


def _matches(event: JsonObject, request: Request, mark: _Mark) -> bool:
    return (
        (is_live(event) or _shows_deleted(request, mark))
        and _in_time(event, request)
        and all(_has_property(event, "private", pair) for pair in request.query.get("privateExtendedProperty", ()))
        and all(_has_property(event, "shared", pair) for pair in request.query.get("sharedExtendedProperty", ()))
        and request.one("iCalUID") in (None, event["iCalUID"])
        and _mentions(event, request.one("q"))
    )


def _shows_deleted(request: Request, mark: _Mark) -> bool:
    return bool(mark.since) or "updatedMin" in request.query or request.one("showDeleted") == "true"


def _in_time(event: JsonObject, request: Request) -> bool:
    bounds = {name: _bound(request, name) for name in ("timeMin", "timeMax", "updatedMin")}
    updated = datetime.fromisoformat(event["updated"])
    return (
        (bounds["timeMin"] is None or instant(event, "end") > bounds["timeMin"])
        and (bounds["timeMax"] is None or instant(event, "start") < bounds["timeMax"])
        and (bounds["updatedMin"] is None or updated >= bounds["updatedMin"])
    )


def _bound(request: Request, name: str) -> datetime | None:
    text = request.one(name)
    if text is None:
        return None
    bound = datetime.fromisoformat(text)
    if bound.tzinfo is None:
        raise CalendarError(400, "invalid", f"Invalid value for {name}: the time zone offset is mandatory")
    return bound.astimezone(UTC)


def _has_property(event: JsonObject, group: str, pair: str) -> bool:
    name, separator, value = pair.partition("=")
    if not separator:
        raise CalendarError(400, "invalid", f"Invalid extended property constraint: {pair}")
    return bool(event.get("extendedProperties", {}).get(group, {}).get(name) == value)


def _mentions(event: JsonObject, text: str | None) -> bool:
    words = " ".join(str(event.get(name, "")) for name in ("summary", "description", "location"))
    return text is None or text.casefold() in words.casefold()
