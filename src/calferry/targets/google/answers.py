"""What Google's answers mean. Pure.

Sources: "Handle API errors" and "Manage quotas" in Google's Calendar API guides.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any

from calferry.errors import CalferryError, NotAuthorised, Refused, Unavailable
from calferry.http import retry_after

HOURS = 4 * 3600.0
"""Seconds to leave a user alone whose quota is used up: every further call prolongs Google's ban."""

PACE = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "concurrentLimitExceeded", "servingLimitExceeded"})
GUESTS = frozenset({"forbiddenForNonOrganizer", "forbiddenForServiceAccounts"})
"""About one event, not its calendar: we invite nobody, so it was its user who did."""

QUOTA = frozenset({"quotaExceeded", "dailyLimitExceeded", "RESOURCE_EXHAUSTED"})
"""A day's worth is used up: `quotaExceeded` ("Calendar usage limits exceeded") for a user, the others for a project."""


_SHARES = "shares it, to make changes to events"
REMEDIES = {
    "notFound": f"it was deleted, or is not shared any more; its owner restores it or {_SHARES}",
    "requiredAccessLevel": f"it may be read only; its owner {_SHARES}",
    "forbidden": f"its owner, or an administrator, does not permit it; its owner {_SHARES}",
    "accessNotConfigured": "the Google Calendar API is not enabled in the project; the Google Cloud console enables it",
    "insufficientPermissions": "what was granted or delegated to calferry lacks a scope; its page in the docs names it",
}
"""Who must do what about a calendar that is closed to us, by Google's reason."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `body` is empty where it is no JSON object; `retry_after` is in seconds."""

    status: int
    body: Mapping[str, Any] = field(default_factory=dict)
    retry_after: float | None = None

    @property
    def ok(self) -> bool:
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def lists_events(self) -> bool:
        """Whether it is a page of a listing. Google leaves empty members out of partial answers: `kind` tells one."""
        items, page = self.body.get("items", []), self.body.get("nextPageToken", "")
        told = self.ok and self.body.get("kind") == "calendar#events"
        return told and isinstance(items, list) and isinstance(page, str)

    @property
    def reason(self) -> str:
        """Google's one word for an error; never its sentence, which may quote what was sent."""
        error = self.body.get("error")
        if not isinstance(error, Mapping):
            return ""
        details = error.get("errors")
        first = details[0] if isinstance(details, list) and details else {}
        word = first.get("reason") if isinstance(first, Mapping) else ""
        return re.sub(r"\W", "", str(word or error.get("status") or ""))[:64]

    @property
    def spent(self) -> bool:
        """Whether it says that a quota is used up for hours, and not for a moment."""
        refused = self.status in (HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)
        for_a_moment = self.status == HTTPStatus.TOO_MANY_REQUESTS and self.reason == "RESOURCE_EXHAUSTED"
        return refused and self.reason in QUOTA and not for_a_moment


Reply = Answer | CalferryError
"""What came of one request: an answer to it, or why there is none."""


def answer_of(headers: Mapping[str, str], content: bytes | str, now: datetime) -> Answer:
    """Read one answer. `headers` have names in lower case, the status among them."""
    try:
        body = json.loads(content)
    except ValueError:
        body = None
    return Answer(
        status=int(headers["status"]),
        body=body if isinstance(body, dict) else {},
        retry_after=retry_after(headers.get("retry-after", ""), now),
    )


def trouble(answer: Answer, calendar: str, uid: str = "") -> CalferryError:
    """The error that an answer which is not a success amounts to, by status and, for 403, by Google's reason.

    Never Conflict: no single answer proves that nothing stands under an identity (see `verdicts`).
    """
    said = f"{answer.status} {answer.reason}".strip()
    about = f"{uid} in {calendar}" if uid else calendar
    match answer.status:
        case 401:
            return NotAuthorised(f"Google does not accept calferry's token for {calendar} ({said}).")
        case 403 | 429:
            return _forbidden(answer, calendar, about)
        case 404:
            return _closed(said, calendar)
        case 400 | 413 | 422:
            return Refused(f"Google refused {about} ({said}).")
        case _:
            return Unavailable(f"Google gave no usable answer for {about} ({said}).", retry_after=answer.retry_after)


def no_verdict(answer: Answer, calendar: str) -> NotAuthorised | Unavailable:
    """What it means that a question was not answered: nothing is settled, and no appointment is to blame."""
    error = trouble(answer, calendar)
    return error if isinstance(error, NotAuthorised | Unavailable) else Unavailable(str(error))


def unanswered(answer: Answer, lane: str) -> CalferryError:
    """What it means for every part of a batch that the batch itself was not a success.

    Only Google's own 401, 403 and 429 say for certain that nothing was done; whatever else stands between us and
    Google leaves it open. What is closed is the lane, and no calendar in particular.
    """
    if answer.status in (401, 403, 429) and answer.reason:
        error = trouble(answer, lane)
        return NotAuthorised(str(error)) if isinstance(error, NotAuthorised) else error
    return Unavailable(f"Google gave no usable answer ({answer.status}).", retry_after=answer.retry_after)


def _forbidden(answer: Answer, calendar: str, about: str) -> CalferryError:
    reason = answer.reason
    said = f"{answer.status} {reason}".strip()
    if answer.spent:
        wait = max(HOURS, answer.retry_after or 0)
        return Unavailable(f"Google's quota for {calendar} is used up ({said}); it is left alone.", retry_after=wait)
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS or reason in PACE:
        return Unavailable(f"Google asks for a slower pace for {calendar} ({said}).", retry_after=answer.retry_after)
    if reason in GUESTS:
        return Refused(f"Google refused {about}: somebody invited guests to it, or made it another's ({said}).")
    return _closed(said, calendar)


def _closed(said: str, calendar: str) -> NotAuthorised:
    reason = said.partition(" ")[2]
    remedy = REMEDIES.get(reason, "its owner, or an administrator, can tell why")
    return NotAuthorised(f"Google does not let calferry write to {calendar} ({said}): {remedy}.", calendar=calendar)
