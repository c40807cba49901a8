"""Refusals as Graph words them. Vendor page: "Microsoft Graph error responses and resource types"."""

from __future__ import annotations

from calferry.sandbox.messages import JsonObject, Response


class GraphError(Exception):
    """One refusal: HTTP status, `code`, message, and members beside them."""

    def __init__(self, status: int, code: str, message: str = "", members: JsonObject | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.members = status, code, message or code, members or {}

    def response(self, *, retry_after: int | None = None) -> Response:
        """The refusal as it is sent; `retry_after` in seconds."""
        inner = {"request-id": "00000000-0000-0000-0000-000000000000"}
        content: JsonObject = {"code": self.code, "message": self.message, "innerError": inner}
        content |= self.members
        if retry_after is None:
            return Response.of_json({"error": content}, self.status)
        return Response.of_json({"error": content}, self.status, Retry_After=str(retry_after))


class GrantError(Exception):
    """A refusal of the token endpoint: HTTP status, OAuth's word, and Microsoft's number."""

    def __init__(self, status: int, error: str, description: str, code: int = 0) -> None:
        super().__init__(description)
        self.status = status
        codes = [code] if code else []
        self.content: JsonObject = {"error": error, "error_description": description, "error_codes": codes}


def not_found() -> GraphError:
    """404 `ErrorItemNotFound`: no such event, or none any more."""
    return GraphError(404, "ErrorItemNotFound", "The specified object was not found in the store.")


def throttled() -> GraphError:
    """429 `ApplicationThrottled`. Vendor page: "Microsoft Graph service-specific throttling limits"."""
    return GraphError(429, "ApplicationThrottled", "Application is over its MailboxConcurrency limit.")
