"""What a source of this kind is told."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FilePath, SecretStr, model_validator

from calferry import http

ONE_WAY_IN = (
    "give it either api_key and token, or client_id, client_secret and refresh_token; the first is the simpler one"
)


def _header_value(secret: SecretStr) -> SecretStr:
    http.header_value(secret.get_secret_value())
    return secret


Secret = Annotated[SecretStr, Field(min_length=1), AfterValidator(_header_value)]
Address = Annotated[str, AfterValidator(http.service_root)]


class Settings(BaseModel):
    """`base_url` is the root: `/api/2.1/…` is added, and `/o/oauth2/token` unless `token_uri` says otherwise."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    decisive: ClassVar[tuple[str, ...]] = ("owners",)
    """The options that decide whose an appointment is: where one of them changes, the configuration moves it."""

    company: str = Field(min_length=1, description="the id of the company, in quotes")
    api_key: Secret | None = None
    token: Secret | None = None
    client_id: str = ""
    client_secret: Secret | None = None
    refresh_token: Secret | None = None
    owners: Literal["staff", "resources"] = "staff"
    reschedule_link: bool = Field(default=False, strict=True)
    stand_aside: bool = Field(default=False, strict=True)
    base_url: Address = "https://api.agendize.com"
    token_uri: Address | None = None
    ca_file: FilePath | None = None

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        by_key = [bool(self.api_key), bool(self.token)]
        by_application = [bool(self.client_id), bool(self.client_secret), bool(self.refresh_token)]
        if not (all(by_key) and not any(by_application)) and not (all(by_application) and not any(by_key)):
            raise ValueError(ONE_WAY_IN)
        return self
