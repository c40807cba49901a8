"""What a source of this kind is told."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FilePath, SecretStr

from calferry import http
from calferry.moments import zone_of


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

    organisation: str = Field(pattern="^[a-z0-9][a-z0-9-]*$", description="what stands before .valomnia.com")
    user: str = Field(min_length=1, description="the e-mail address that calferry signs in with")
    password: SecretStr = Field(min_length=1, description="the password of that user")
    time_zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    references: bool = False
    version: str = Field(default="v2.1", pattern=r"^v[0-9]+(\.[0-9]+)*$")
    base_url: Annotated[str, AfterValidator(_address)] = ""
    ca_file: FilePath | None = None

    @property
    def root(self) -> str:
        """The address of the organisation's own Valomnia."""
        return self.base_url or f"https://{self.organisation}.valomnia.com"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)
