"""What goes wrong at remote services, by name: the failures that users of such programs complain of."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

from calferry.errors import NotAuthorised, Unavailable
from calferry.sandbox import Response, clicrdv, faults, valomnia
from calferry.sandbox import google as at_google
from calferry.sandbox import graph as at_microsoft
from calferry.sandbox.faults import Fault
from calferry.sync.crossing import Report


def half_of_it_as_206() -> Fault:
    """The first half of the rows, and a status that says so."""
    return Fault("206", lambda perform: _halved(perform(), 206))


def _halved(response: Response, status: int) -> Response:
    """Half of the rows of a listing, whatever system's it is, and nothing else changed."""
    content = json.loads(response.body)
    rows = next((name for name in ("items", "records", "data") if isinstance(content.get(name), list)), None)
    if rows is None:
        return response
    half = content | {rows: content[rows][: len(content[rows]) // 2]}
    return replace(response, status=status, body=json.dumps(half).encode())


# At booking systems

NO_ANSWER: Mapping[str, Callable[[], Fault]] = {
    "500": lambda: faults.status(500),
    "503 with a pause": lambda: faults.status(503, retry_after=600),
    "429": lambda: faults.status(429, retry_after=1),
    "401": lambda: faults.status(401),
    "403": lambda: faults.status(403),
    "404 to everything": lambda: faults.status(404),
    "410 in the middle": lambda: faults.status(410),
    "hung up": faults.dropped,
    "lost on the way": faults.lost_reply,
    "truncated": faults.truncated,
    "a page with 200": faults.html,
    "an error with 200": faults.error_200,
    "no rows at all": faults.no_items,
}
"""No usable answer, whatever it looks like: it is said, and tried again."""

LIES: Mapping[str, Mapping[str, Callable[[], Fault]]] = {
    "empty": {"agendize": faults.empty, "clicrdv": clicrdv.empty, "valomnia": valomnia.emptied},
    "half": {"agendize": faults.partial, "clicrdv": clicrdv.partial, "valomnia": valomnia.halved},
    "half, as 206": dict.fromkeys(("agendize", "clicrdv", "valomnia"), half_of_it_as_206),
}
"""Answers that look well. Nobody can tell at once; nothing may be concluded."""

SHAPES: Mapping[tuple[str, str], Callable[[], Fault]] = {
    ("clicrdv", "no rows at all"): clicrdv.no_records,
    ("valomnia", "no rows at all"): valomnia.no_data,
}
"""What has another shape there."""


def fault_of(kind: str, failure: str) -> Fault:
    lies = LIES.get(failure)
    return lies[kind]() if lies else SHAPES.get((kind, failure), NO_ANSWER.get(failure, faults.dropped))()


# In calendars

REQUESTS: Mapping[str, Callable[[], Fault]] = {
    name: NO_ANSWER[name]
    for name in (
        *("500", "503 with a pause", "429", "401", "403", "hung up", "lost on the way", "truncated"),
        *("a page with 200", "an error with 200"),
    )
} | {
    "404": lambda: faults.status(404),
    "500 though done": lambda: faults.status(500, performed=True),
    "503 until tomorrow": lambda: faults.status(503, retry_after=86_400),
}
"""What befalls a batch as a whole."""

CALLS: Mapping[str, Mapping[str, Callable[[], Fault]]] = {
    "google": {
        "quota": lambda: at_google.part_status(403, "quotaExceeded"),
        "rate": at_google.rate_limited,
        "no answer though done": at_google.part_missing,
        "500 though done": lambda: at_google.part_status(500, "backendError", performed=True),
        "403": lambda: at_google.part_status(403, "forbidden"),
    },
    "office365": {
        "quota": lambda: at_microsoft.part_status(429, "ApplicationThrottled", retry_after=86_400),
        "rate": lambda: at_microsoft.part_status(429, "ApplicationThrottled", retry_after=30),
        "no answer though done": at_microsoft.part_missing,
        "500 though done": lambda: at_microsoft.part_status(500, "ErrorInternalServerError", performed=True),
        "403": lambda: at_microsoft.part_status(403, "ErrorAccessDenied"),
    },
}
"""What befalls every call in a batch."""


def assert_said(report: Report) -> None:
    """In sentences that name nobody's customers."""
    assert report.errors
    for error in report.errors:
        assert isinstance(error, Unavailable | NotAuthorised)
        assert str(error).endswith((".", "…")) or len(str(error)) > 20
        assert "Sample" not in str(error)


LOOKS_LIKE: Mapping[str, tuple[str, ...]] = {
    "agendize": (
        *("items", "nextPageToken", "nextSyncToken", "id", "start", "end", "dateTime", "timeZone", "status"),
        *("staff", "service", "client", "deleted", "created", "updated", "error", "message"),
    ),
    "clicrdv": (
        *("records", "totalRecords", "recordsReturned", "startIndex", "pageSize", "id", "start", "end", "deleted"),
        *("calendar_id", "fiche_id", "intervention_id", "updated_at", "vevent", "error", "state"),
    ),
    "valomnia": (
        *("data", "paging", "total", "next", "max", "offset", "success", "id", "startDate", "endDate", "user"),
        *("customer", "appointmentCategory", "lastUpdated", "error", "isDone"),
    ),
}
"""Members that each system's answers have; the first one holds the rows of a listing."""
