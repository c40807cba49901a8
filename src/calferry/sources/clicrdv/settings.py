"""What a source of kind "clicrdv" is told."""

from __future__ import annotations

from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FilePath, SecretStr

from calferry import http

Feed = Literal["vevents", "appointments"]


def _group(text: str) -> str:
    if not (text.isascii() and text.isdigit()):
        msg = 'is a number in quotes, such as "4"'
        raise ValueError(msg)
    return text


def _email(text: str) -> str:
    if ":" in text or "@" not in text:
        msg = "is an e-mail address, and holds no colon"
        raise ValueError(msg)
    return text


def _time_zone(text: str) -> str:
    if text and text not in available_timezones():
        msg = 'is no time zone that is known here; write an IANA name such as "Europe/Paris"'
        raise ValueError(msg)
    return text


Secret = Annotated[SecretStr, Field(min_length=1)]


class Settings(BaseModel):
    """What a source of this kind is told. `base_url` is the root: `/api/v1/…` is added."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    group: Annotated[str, AfterValidator(_group)] = Field(description="the id of the group, in quotes")
    api_key: Secret = Field(description="the key ClicRDV gave to your application")
    email: Annotated[str, AfterValidator(_email)] = Field(
        description="the address a member of the practice signs in by"
    )
    password: Secret = Field(description="the password that goes with the address")
    login: Literal["basic", "session"] = "basic"
    feed: Feed = "vevents"
    time_zone: Annotated[str, AfterValidator(_time_zone)] = ""
    base_url: Annotated[str, AfterValidator(http.service_root)] = "https://www.clicrdv.com"
    ca_file: FilePath | None = None
