"""What a source of this kind is told."""

from __future__ import annotations

import re
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FilePath, SecretStr

from calferry import http
from calferry.moments import zone_of

NAME = "[a-z0-9][a-z0-9-]*"


def _organisation(text: str) -> str:
    if re.fullmatch(NAME, text):
        return text
    meant = re.fullmatch(rf"(?:https?://)?({NAME})(?:\.valomnia\.com(?:/.*)?)?", text.strip().lower())
    write = f'write "{meant[1]}"' if meant else 'write, for instance, "acme" for acme.valomnia.com'
    msg = f"is what stands before .valomnia.com in the address of your Valomnia; {write}"
    raise ValueError(msg)


def _version(text: str) -> str:
    if re.fullmatch(r"v[0-9]+(\.[0-9]+)*", text):
        return text
    meant = re.fullmatch(r"[vV]?([0-9]+(?:\.[0-9]+)*)", text.strip())
    msg = f'is the version as it stands in addresses; write "v{meant[1] if meant else "2.1"}"'
    raise ValueError(msg)


def _user(text: str) -> str:
    if not text.strip():
        msg = "is empty; write the e-mail address that calferry signs in with"
        raise ValueError(msg)
    return text


def _password(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value():
        msg = "is empty; name a variable or a file that holds the password of that user"
        raise ValueError(msg)
    return secret


def _address(url: str) -> str:
    return http.service_root(url) if url else url


def _zone(name: str) -> str:
    if zone_of(name) is None:
        msg = "must be the IANA name of a time zone, such as Europe/Paris"
        raise ValueError(msg)
    return name


class Settings(BaseModel):
    """What a source of this kind is told. `base_url` is the root: `/api/{version}/…` is added."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    organisation: Annotated[str, AfterValidator(_organisation)] = Field(description="what stands before .valomnia.com")
    user: Annotated[str, AfterValidator(_user)] = Field(description="the e-mail address that calferry signs in with")
    password: Annotated[SecretStr, AfterValidator(_password)] = Field(description="the password of that user")
    time_zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    references: bool = False
    version: Annotated[str, AfterValidator(_version)] = "v2.1"
    base_url: Annotated[str, AfterValidator(_address)] = ""
    ca_file: FilePath | None = None

    @property
    def root(self) -> str:
        """The address of the organisation's own Valomnia."""
        return self.base_url or f"https://{self.organisation}.valomnia.com"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)
