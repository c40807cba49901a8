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
AUTH_URI = "https://accounts.google.com/o/oauth2/v2/auth"

EVENTS = "https://www.googleapis.com/auth/calendar.events"
"""The narrowest scope that inserts, updates, deletes and lists events in calendars of other people."""

OWN = (
    "https://www.googleapis.com/auth/calendar.app.created",
    "https://www.googleapis.com/auth/calendar.calendarlist.readonly",
)
"""The narrowest scopes that make calendars, write into those, and find them again: the first one covers no list."""

KEY = ("client_email", "private_key")
CLIENT = ("client_id", "client_secret")
"""What makes a service account's key, and an OAuth client of the type "Desktop app"."""


class Settings(BaseModel, extra="forbid", frozen=True, hide_input_in_errors=True):
    """One connection.

    `credentials` is the JSON text of a service account's key, or of an OAuth client ("Desktop app") with which somebody
    signs in. `subject` is whom to act as: who signs in, or (domain-wide delegation, which needs `allow`) whom the
    service account stands for. `allow` are patterns (`*@salon.example`) of the only calendar ids that may be written.
    `dedicated` says that nobody else writes into these events: updates then replace them (PUT) instead of leaving what
    users added (PATCH). `batch` is the number of changes in one request; Google's guide has said 50 and 1000. `pace` is
    the most requests a minute for one user. With `own_calendars` a calendar's name is a title: calferry makes one for
    it, and opens no other.
    """

    credentials: SecretStr
    subject: str = ""
    allow: tuple[str, ...] = ()
    batch: int = Field(default=50, ge=1, le=1000)
    pace: int = Field(default=600, ge=1)
    own_calendars: bool = False
    dedicated: bool = False
    root_url: str = "https://www.googleapis.com/"
    token_uri: str = ""
    ca_file: Path | None = None

    @field_validator("credentials")
    @classmethod
    def _is_a_key_or_a_client(cls, credentials: SecretStr) -> SecretStr:
        told = _read(credentials)
        if "web" in told:
            msg = (
                "is an OAuth client of the type Web application; make one of the type Desktop app and download its JSON"
            )
            raise ValueError(msg)
        needed = CLIENT if "installed" in told else KEY
        if not all(isinstance(_inside(told).get(name), str) for name in needed):
            msg = (
                "is neither the JSON key of a service account nor the JSON of an OAuth client of the type Desktop app; "
                "download one in the Google Cloud console"
            )
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
    def _subject_is_fenced(self) -> Self:
        if self.installed and self.subject in ("", OWNER):
            msg = "an OAuth client needs `subject`, the address of the account that signs in with `calferry connect`"
            raise ValueError(msg)
        if self.own_calendars and not self.subject:
            msg = "own_calendars needs a `subject`: nobody would see a calendar that a service account makes for itself"
            raise ValueError(msg)
        if self.subject and not self.installed and not self.allow:
            msg = 'a subject (domain-wide delegation) needs `allow`, e.g. allow = ["*@salon.example"]'
            raise ValueError(msg)
        return self

    def permits(self, calendar_id: str) -> bool:
        """Whether `allow`, where given, lets us write to the calendar of that id (in lower case)."""
        return not self.allow or any(fnmatchcase(calendar_id, pattern) for pattern in self.allow)

    @property
    def installed(self) -> bool:
        """Whether somebody signs in, with an OAuth client, instead of a service account."""
        return "installed" in _read(self.credentials)

    @property
    def key(self) -> dict[str, Any]:
        """The service account's key, or the OAuth client, with the addresses in force."""
        key = _inside(_read(self.credentials))
        token_uri = self.token_uri or key.get("token_uri") or TOKEN_URI
        return key | {"token_uri": token_uri, "auth_uri": key.get("auth_uri") or AUTH_URI}

    @property
    def project(self) -> str:
        """The project whose quota counts."""
        return str(self.key.get("project_id") or self.key.get("client_id") or self.key.get("client_email"))

    @property
    def account(self) -> str:
        """Whom we act as where that is one address: who signs in, the fixed subject, or the service account."""
        fixed = self.subject if self.subject != OWNER else ""
        return fixed or str(self.key["client_email"])

    @property
    def scopes(self) -> tuple[str, ...]:
        """The least rights that do."""
        return OWN if self.own_calendars else (EVENTS,)


def _read(credentials: SecretStr) -> dict[str, Any]:
    try:
        told = json.loads(credentials.get_secret_value())
    except ValueError:
        told = None
    return told if isinstance(told, dict) else {}


def _inside(told: dict[str, Any]) -> dict[str, Any]:
    """An OAuth client comes wrapped in its type."""
    client = told.get("installed", told)
    return client if isinstance(client, dict) else {}
