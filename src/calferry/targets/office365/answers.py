"""What Graph's answers mean. Pure.

Sources: "Microsoft Graph error responses and resource types", "Microsoft Graph throttling guidance", "Combine multiple
HTTP requests using JSON batching".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from calferry.errors import CalferryError, NotAuthorised, Refused, Unavailable
from calferry.http import retry_after

_NO_MAILBOX = "there is no mailbox of that address in the tenant"
_NO_LICENCE = "the mailbox has no licence for Exchange Online, was deleted, or is not in the cloud"
_NO_CALENDAR = "the mailbox has no such calendar (any more)"
_NO_RIGHT = (
    "the right is missing. An application needs Calendars.ReadWrite for this mailbox: by RBAC in Exchange, whose scope "
    "has to include it, or by consent for the whole tenant. A person needs the calendar shared with them, for editing"
)
_UNCLEAR = "check that the mailbox and the calendar exist, and that calferry's access covers them"

CLOSED = MappingProxyType(
    {
        "ErrorInvalidIdMalformed": _NO_CALENDAR,
        "ErrorInvalidMailbox": _NO_MAILBOX,
        "ErrorInvalidUser": _NO_MAILBOX,
        "ErrorNonExistentMailbox": _NO_MAILBOX,
        "MailboxNotEnabledForRESTAPI": _NO_LICENCE,
        "MailboxNotSupportedForRESTAPI": _NO_LICENCE,
    }
)
"""Codes about a calendar or its mailbox, whatever the status below 500, and what they mean."""

MEANINGS = CLOSED | {
    "ErrorAccessDenied": _NO_RIGHT,
    "ErrorItemNotFound": _NO_CALENDAR,
    "Request_ResourceNotFound": _NO_MAILBOX,
    "ResourceNotFound": _NO_MAILBOX,
}

DUPLICATE = "ErrorDuplicateTransactionId"
"""Another event was created with this `transactionId`. Seen with 400 and with 409."""


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
        """Whether it is a page of a listing."""
        return self.ok and isinstance(self.body.get("value"), list)

    @property
    def code(self) -> str:
        """Graph's one word for an error; never its sentence, which may quote what was sent."""
        return re.sub(r"\W", "", str(self._error.get("code") or ""))[:64]

    @property
    def existing(self) -> str:
        """The id of the event that a `transactionId` was used for, where Graph names it."""
        named = self._error.get("@event.existingEventId")
        return named if isinstance(named, str) else ""

    @property
    def _error(self) -> Mapping[str, Any]:
        error = self.body.get("error")
        return error if isinstance(error, Mapping) else {}


Reply = Answer | CalferryError
"""What came of one request: an answer to it, or why there is none."""


def answer_of(status: int, headers: Mapping[str, Any], content: object, now: datetime) -> Answer:
    """Read one answer: that of a part of a batch, or an HTTP answer with its body as bytes."""
    if isinstance(content, bytes):
        try:
            content = json.loads(content)
        except (ValueError, RecursionError):
            content = None
    waits = [str(value) for name, value in headers.items() if name.lower() == "retry-after"]
    return Answer(
        status=status,
        body=content if isinstance(content, dict) else {},
        retry_after=retry_after(waits[0], now) if waits else None,
    )


def trouble(answer: Answer, calendar: str, uid: str = "") -> CalferryError:
    """The error that an answer which is not a success amounts to, by its status and Graph's code.

    Never Conflict: no single answer proves that nothing stands under an identity (see `verdicts`).
    """
    said = f"{answer.status} {answer.code}".strip()
    about = f"{uid} in {calendar}" if uid else calendar
    if answer.code in CLOSED and answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return _closed(answer, calendar)
    match answer.status:
        case 401:
            return NotAuthorised(f"Microsoft 365 does not accept calferry's token for {calendar} ({said}).")
        case 403 | 404:
            return _closed(answer, calendar)
        case 400 | 413 | 422:
            return Refused(f"Microsoft 365 refused {about} ({said}).")
        case 429:
            wait = answer.retry_after
            return Unavailable(f"Microsoft 365 asks for a slower pace for {calendar} ({said}).", retry_after=wait)
        case _:
            wait = answer.retry_after
            return Unavailable(f"Microsoft 365 gave no usable answer for {about} ({said}).", retry_after=wait)


def no_verdict(answer: Answer, calendar: str) -> NotAuthorised | Unavailable:
    """What it means that a question was not answered: nothing is settled, and no appointment is to blame."""
    error = trouble(answer, calendar)
    return error if isinstance(error, NotAuthorised | Unavailable) else Unavailable(str(error))


def unanswered(answer: Answer, lane: str) -> CalferryError:
    """What it means for every part of a batch that the batch itself was not a success.

    Only Graph's own 401, 403 and 429 say for certain that nothing was done; whatever else stands between us and Graph
    leaves it open. What is closed is the connection, and no calendar in particular.
    """
    if answer.status in (401, 403, 429) and answer.code:
        error = trouble(answer, lane)
        return NotAuthorised(str(error)) if isinstance(error, NotAuthorised) else error
    return Unavailable(f"Microsoft 365 gave no usable answer ({answer.status}).", retry_after=answer.retry_after)


def _closed(answer: Answer, calendar: str) -> NotAuthorised:
    said = f"{answer.status} {answer.code}".strip()
    meaning = MEANINGS.get(answer.code, _UNCLEAR)
    msg = f"Microsoft 365 does not let calferry write to {calendar} ({said}): {meaning}; then run `calferry check`."
    return NotAuthorised(msg, calendar=calendar)
