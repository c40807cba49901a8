"""What a configuration says about a connection to Google Calendar."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

from calferry.http import service_root

OWNER = "{owner.email}"
"""The one template a subject may be: act as the owner of the calendar, whose address is the calendar's id."""

TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 (an address, not a password)


class Settings(BaseModel, extra="forbid", frozen=True, hide_input_in_errors=True):
    """One connection.

    `credentials` is the JSON text of a service account's key. `subject` asks for domain-wide delegation and needs
    `allow`: patterns (`*@salon.example`) of the only calendar ids that may be written. `dedicated` says that nobody
    else writes into these events: updates then replace them (PUT) instead of leaving what users added (PATCH).
    `batch` is the number of changes in one request; Google's guide has said 50 and 1000.
    """

    credentials: SecretStr
    subject: str = ""
    allow: tuple[str, ...] = ()
    batch: int = Field(default=50, ge=1, le=1000)
    dedicated: bool = False
    root_url: str = "https://www.googleapis.com/"
    token_uri: str = ""
    ca_file: Path | None = None

    @field_validator("credentials")
    @classmethod
    def _is_a_key(cls, credentials: SecretStr) -> SecretStr:
        try:
            key = json.loads(credentials.get_secret_value())
        except ValueError:
            key = None
        if not isinstance(key, dict) or not all(isinstance(key.get(n), str) for n in ("client_email", "private_key")):
            msg = "is not the JSON key of a service account; download one in the Google Cloud console (key type JSON)"
            raise ValueError(msg)
        return credentials

    @field_validator("subject")
    @classmethod
    def _is_an_address(cls, subject: str) -> str:
        subject = subject.strip().lower()
        if subject not in ("", OWNER) and ("{" in subject or "@" not in subject):
            msg = f'must be an address, or "{OWNER}" to act as the owner of each calendar'
            raise ValueError(msg)
        return subject

    @field_validator("allow")
    @classmethod
    def _in_lower_case(cls, allow: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(pattern.strip().lower() for pattern in allow)

    @field_validator("root_url")
    @classmethod
    def _is_a_root(cls, root_url: str) -> str:
        return service_root(root_url) + "/"

    @field_validator("token_uri")
    @classmethod
    def _is_safe_for_an_assertion(cls, token_uri: str) -> str:
        return service_root(token_uri) if token_uri else ""

    @model_validator(mode="after")
    def _delegation_is_fenced(self) -> Self:
        if self.subject and not self.allow:
            msg = 'a subject (domain-wide delegation) needs `allow`, e.g. allow = ["*@salon.example"]'
            raise ValueError(msg)
        return self

    def permits(self, calendar_id: str) -> bool:
        """Whether `allow`, where given, lets us write to the calendar of that id (in lower case)."""
        return not self.allow or any(fnmatchcase(calendar_id, pattern) for pattern in self.allow)

    @property
    def key(self) -> dict[str, Any]:
        """The service account's key with the token address in force."""
        key: dict[str, Any] = json.loads(self.credentials.get_secret_value())
        return key | {"token_uri": self.token_uri or key.get("token_uri") or TOKEN_URI}
