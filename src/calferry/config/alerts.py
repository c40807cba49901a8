"""The section `[alerts]`: how a person hears that something is wrong."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, ConfigDict, Field, SecretStr, model_validator

from calferry.config.tables import Name, Patterns, Table, span

_LATE = "sooner, every slow minute is an alert; later, nobody hears of it in time"
_BEAT = "set the service that waits for it to somewhat more"


class Security(StrEnum):
    """How a mail server is spoken to."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


def _mail(address: str) -> str:
    _, at, host = address.rpartition("@")
    if not at or not host or any(character.isspace() for character in address):
        msg = 'expected an e-mail address, such as "desk@salon.example"'
        raise ValueError(msg)
    return address


def _all_mail(addresses: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(_mail, addresses))


def _address(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().startswith(("https://", "http://")):
        msg = "the secret is no address that begins with https://"
        raise ValueError(msg)
    return secret


Url = Annotated[SecretStr, AfterValidator(_address)]


class EmailTable(Table):
    model_config = ConfigDict(hide_input_in_errors=True)

    to: Annotated[Patterns, AfterValidator(_all_mail)]
    sender: Annotated[str, AfterValidator(_mail)] = Field(alias="from")
    host: Name
    port: int = Field(default=587, ge=1, le=65535)
    security: Security = Security.STARTTLS
    user: str = ""
    password: SecretStr | None = None

    @model_validator(mode="after")
    def _signs_in_whole(self) -> Self:
        if bool(self.user) != bool(self.password):
            msg = "needs user and password, or neither"
            raise ValueError(msg)
        return self


class WebhookTable(Table):
    url: Url
    secret: SecretStr | None = None


class PingTable(Table):
    url: Url
    every: Annotated[timedelta, span("1m", "1d", _BEAT)] = timedelta(minutes=5)


class AlertsTable(Table):
    in_step: Annotated[timedelta, span("5m", "7d", _LATE)] = timedelta(hours=1)
    email: EmailTable | None = None
    webhook: WebhookTable | None = None
    ping: PingTable | None = None
