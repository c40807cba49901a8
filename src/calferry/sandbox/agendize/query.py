"""What a client asks for: the query parameters of the appointment listing, read strictly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from calferry.sandbox.messages import JsonObject, Response

Window = tuple[datetime, datetime]

# The vendor's page says "RFC 3339 … in GMT": an offset other than zero is none.
_GMT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]00:00)")
_LEVELS = {"light": False, "full": True}
_FLAGS = {"true": True, "false": False}
_MONTH = timedelta(days=31)
_EVER: Window = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))

FILTER_STATUSES = frozenset({"noShow", "accepted", "completed", "cancelled", "pending"})
_ID_FILTERS = ("clientId", "serviceId", "staffId", "resourceId", "externalClientId")
FILTERS = frozenset({"startDate", "endDate", "createdStartDate", "createdEndDate", "status", "q", *_ID_FILTERS})
LISTING = FILTERS | {"syncToken", "pageToken", "fields", "personalAppointments", "showDeleted", "levelDetail"}
SINGLE = frozenset({"lang", "fields", "levelDetail"})
CREDENTIALS = frozenset({"apiKey", "token"})


class RefusalError(Exception):
    """An answer other than 200, in the vendor's error form: fields, message, statusCode."""

    def __init__(self, status: int, message: str, *fields: str) -> None:
        super().__init__(message)
        self.status = status
        self.content: JsonObject = {"error": {"statusCode": status, "message": message, "fields": list(fields)}}

    def response(self) -> Response:
        """The refusal as it is sent."""
        return Response.of_json(self.content, self.status)


@dataclass(frozen=True, slots=True)
class Asked:
    """A listing as it was asked for. Windows are pairs of aware instants, both exclusive; `ids` maps filter → id."""

    sync_token: str | None
    window: Window
    created: Window
    status: str | None
    text: str | None
    ids: Mapping[str, str]
    show_deleted: bool
    personal: bool
    full: bool
    fields: tuple[str, ...]


def read_listing(query: Mapping[str, tuple[str, ...]], now: datetime) -> Asked:
    """Read the parameters of "Appointments: list"; RefusalError(400) for what it does not name."""
    given = _single(query, LISTING)
    status = given.get("status")
    if status is not None and status not in FILTER_STATUSES:
        raise RefusalError(400, f"Invalid value for status: {status}", "status")
    return Asked(
        sync_token=given.get("syncToken"),
        window=_window(given, ("startDate", "endDate"), (now - _MONTH, now + _MONTH)),
        created=_window(
            given,
            ("createdStartDate", "createdEndDate"),
            (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)),
        ),
        status=status,
        text=given.get("q"),
        ids={name: given[name] for name in _ID_FILTERS if name in given},
        show_deleted=_choice(given, "showDeleted", _FLAGS, default=False),
        personal=_choice(given, "personalAppointments", _FLAGS, default=False),
        full=_choice(given, "levelDetail", _LEVELS, default=False),
        fields=_fields(given),
    )


def read_single(query: Mapping[str, tuple[str, ...]]) -> tuple[bool, tuple[str, ...]]:
    """Read the parameters of "Appointments: get": whether the level is full, and the fields asked for (none: all)."""
    given = _single(query, SINGLE)
    return _choice(given, "levelDetail", _LEVELS, default=True), _fields(given)


def read_nothing(query: Mapping[str, tuple[str, ...]]) -> None:
    """Refuse any parameter."""
    _single(query, frozenset())


def _single(query: Mapping[str, tuple[str, ...]], known: frozenset[str]) -> dict[str, str]:
    unknown = sorted(query.keys() - known - CREDENTIALS)
    if unknown:
        raise RefusalError(400, f"Unknown parameter: {unknown[0]}", *unknown)
    return {name: values[-1] for name, values in query.items()}


def _fields(given: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for name in given.get("fields", "").split(",") if name)


def _choice(given: Mapping[str, str], name: str, choices: Mapping[str, bool], *, default: bool) -> bool:
    if name not in given:
        return default
    if given[name] not in choices:
        raise RefusalError(400, f"Invalid value for {name}: {given[name]}", name)
    return choices[given[name]]


def _window(given: Mapping[str, str], names: tuple[str, str], default: Window) -> Window:
    start, end = (_instant(given, name, fallback) for name, fallback in zip(names, default, strict=True))
    return start, end


def _instant(given: Mapping[str, str], name: str, fallback: datetime) -> datetime:
    if name not in given:
        return fallback
    try:
        if _GMT.fullmatch(given[name]):
            return datetime.fromisoformat(given[name])
    except ValueError:
        pass  # the shape of a date, but no such day: refused below like any other
    raise RefusalError(400, f"Invalid value for {name}: {given[name]}", name)
