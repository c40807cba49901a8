"""What a configuration says about a connection to Microsoft 365."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Self

from pydantic import BaseModel, Field, FilePath, SecretStr, field_validator, model_validator

from calferry.http import service_root


class Settings(BaseModel, extra="forbid", frozen=True, hide_input_in_errors=True):
    """One connection: an application registered in `tenant`, and the mailboxes it may write to.

    It signs in with `client_secret`, or with `certificate`: PEM text of an unencrypted private key and its certificate;
    or as `user`, the sign-in name of a person, whom `calferry connect` lets in. `allow` holds patterns
    (`*@salon.example`) of the only mailboxes whose calendars may be written. `batch` is the number of changes in one
    request. `root_url` and `authority` are other hosts in a national cloud.
    """

    tenant: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$")
    client_id: str = Field(min_length=1)
    client_secret: SecretStr | None = None
    certificate: SecretStr | None = None
    user: str = ""
    allow: tuple[str, ...] = Field(min_length=1)
    batch: int = Field(default=20, ge=1, le=20)
    root_url: str = "https://graph.microsoft.com"
    authority: str = "https://login.microsoftonline.com"
    ca_file: FilePath | None = None

    @field_validator("certificate")
    @classmethod
    def _has_both_parts(cls, certificate: SecretStr | None) -> SecretStr | None:
        text = certificate.get_secret_value() if certificate else "PRIVATE KEY-- BEGIN CERTIFICATE--"
        if "PRIVATE KEY--" not in text or "BEGIN CERTIFICATE--" not in text or "ENCRYPTED" in text:
            msg = "must be the PEM text of a private key without a passphrase and of its certificate"
            raise ValueError(msg)
        return certificate

    @field_validator("user")
    @classmethod
    def _is_an_address(cls, user: str) -> str:
        if not re.fullmatch(r"[^@\s/]+@[^@\s/]+", user.strip()):
            msg = "must be the name that this person signs in with, such as desk@salon.example"
            raise ValueError(msg)
        return user.strip().lower()

    @field_validator("allow")
    @classmethod
    def _in_lower_case(cls, allow: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(pattern.strip().lower() for pattern in allow)

    @field_validator("root_url", "authority")
    @classmethod
    def _is_a_root(cls, url: str) -> str:
        return service_root(url)

    @model_validator(mode="after")
    def _signs_in_one_way(self) -> Self:
        if sum(map(bool, (self.client_secret, self.certificate, self.user))) != 1:
            msg = "needs one of client_secret, certificate and user, and no more"
            raise ValueError(msg)
        return self

    def permits(self, mailbox: str) -> bool:
        """Whether `allow` lets us write to the calendars of that mailbox (an address in lower case)."""
        return any(fnmatchcase(mailbox, pattern) for pattern in self.allow)
