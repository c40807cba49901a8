"""What Google's answers mean: pure, without a server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from calferry.errors import CalferryError, Conflict, NotAuthorised, Refused, Unavailable
from calferry.targets.google.answers import HOURS, answer_of, trouble, unanswered
from tests.builders import NOW
from tests.targets.google_world import KEY

KINDS = {NotAuthorised, Unavailable, Refused, Conflict}


def said(status: int, error: object, **headers: str) -> CalferryError:
    content = json.dumps({"error": error}).encode()
    return trouble(answer_of({"status": str(status)} | headers, content, NOW), KEY, "u1")


def test_no_status_escapes() -> None:
    for status in (*range(100, 200), *range(300, 600)):
        for body in (b"", b"[]", b"<html>", b'{"error": "text"}', b'{"error": {"errors": [], "status": null}}'):
            answer = answer_of({"status": str(status)}, body, NOW)
            assert type(trouble(answer, KEY, "u1")) in KINDS
            assert type(unanswered(answer, "ana@salon.example")) in KINDS


@pytest.mark.parametrize(
    ("status", "error", "wait"),
    [
        (403, {"status": "RESOURCE_EXHAUSTED"}, HOURS),
        (429, {"status": "RESOURCE_EXHAUSTED"}, None),
        (429, {"errors": [{"reason": "quotaExceeded"}]}, HOURS),
        (429, {}, None),
        (403, {"errors": [{"reason": "rateLimitExceeded"}], "status": "PERMISSION_DENIED"}, None),
    ],
)
def test_limits_are_told_apart_by_what_they_ask_of_us(status: int, error: dict[str, Any], wait: float | None) -> None:
    limit = said(status, error)
    assert isinstance(limit, Unavailable)
    assert limit.retry_after == wait


REASONS = {
    "badRequest": (400, Refused),
    "invalid": (400, Refused),
    "timeRangeEmpty": (400, Refused),
    "authError": (401, NotAuthorised),
    "accessNotConfigured": (403, NotAuthorised),
    "calendarNotFound": (403, NotAuthorised),
    "dailyLimitExceeded": (403, Unavailable),
    "domainPolicy": (403, NotAuthorised),
    "forbidden": (403, NotAuthorised),
    "forbiddenForNonOrganizer": (403, Refused),
    "forbiddenForServiceAccounts": (403, Refused),
    "insufficientPermissions": (403, NotAuthorised),
    "quotaExceeded": (403, Unavailable),
    "rateLimitExceeded": (403, Unavailable),
    "requiredAccessLevel": (403, NotAuthorised),
    "userRateLimitExceeded": (403, Unavailable),
    "notFound": (404, NotAuthorised),
    "duplicate": (409, Unavailable),
    "deleted": (410, Unavailable),
    "fullSyncRequired": (410, Unavailable),
    "conditionNotMet": (412, Unavailable),
    "tooManyRequests": (429, Unavailable),
    "backendError": (500, Unavailable),
}
"""Google's reasons ("Handle API errors" in its Calendar API guides), with the class each of them is by itself."""


@pytest.mark.parametrize("reason", REASONS)
def test_each_reason_of_googles_is_an_error_of_its_class(reason: str) -> None:
    status, expected = REASONS[reason]
    assert type(said(status, {"errors": [{"reason": reason}]})) is expected


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("Wed, 25 Nov 2026 09:00:30 GMT", 30),
        ("Wed, 25 Nov 2026 08:00:00 GMT", 0),
        ("99999999", 86_400),
        ("Wed, 25 Nov 2099 08:00:00 GMT", 86_400),
        ("-1", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_wait_is_read_as_seconds_or_a_date_and_believed_for_a_day(header: str, seconds: float | None) -> None:
    limit = said(503, {}, **{"retry-after": header})
    assert isinstance(limit, Unavailable)
    assert limit.retry_after == seconds


def test_a_reason_is_a_word_and_nothing_more() -> None:
    error = said(400, {"errors": [{"reason": "invalid: Jo Roy\n" + "x" * 500, "message": "Jo Roy"}]})
    assert "\n" not in str(error)
    assert "Jo Roy" not in str(error)
    assert len(str(error)) < 200
