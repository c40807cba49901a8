"""Refusals as the Calendar API words them. Vendor page: "Handle API errors"."""

from __future__ import annotations

from calferry.sandbox.messages import JsonObject, Response

DOMAIN_OF = {
    "rateLimitExceeded": "usageLimits",
    "userRateLimitExceeded": "usageLimits",
    "quotaExceeded": "usageLimits",
    "dailyLimitExceeded": "usageLimits",
    "forbiddenForServiceAccounts": "calendar",
    "forbiddenForNonOrganizer": "calendar",
    "requiredAccessLevel": "calendar",
    "timeRangeEmpty": "calendar",
    "fullSyncRequired": "calendar",
    "updatedMinTooLongAgo": "calendar",
}


class CalendarError(Exception):
    """One refusal: HTTP status, `reason` and message."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status, self.reason, self.message = status, reason, message

    def response(self, *, retry_after: int | None = None) -> Response:
        """The refusal as it is sent; `retry_after` in seconds."""
        content = error_content(self.status, self.reason, self.message)
        if retry_after is None:
            return Response.of_json(content, self.status)
        return Response.of_json(content, self.status, Retry_After=str(retry_after))


class GrantError(Exception):
    """A refusal of the token endpoint (RFC 6749, section 5.2)."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.content: JsonObject = {"error": error, "error_description": description}


def error_content(status: int, reason: str, message: str) -> JsonObject:
    """The error body: a list of errors, the code, the message."""
    first = {"domain": DOMAIN_OF.get(reason, "global"), "reason": reason, "message": message}
    return {"error": {"errors": [first], "code": status, "message": message}}


def not_found() -> CalendarError:
    """404 `notFound`: no such calendar or event, or none that this subject may know of."""
    return CalendarError(404, "notFound", "Not Found")
