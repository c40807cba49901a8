"""What the configuration file comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel

from calferry.config.tables import AlertsTable
from calferry.rules import Route


@dataclass(frozen=True, kw_only=True)
class Kinds:
    """What there is to choose from: for each kind of source and of target, the model of its adapter's options."""

    sources: Mapping[str, type[BaseModel]]
    targets: Mapping[str, type[BaseModel]]


@dataclass(frozen=True, kw_only=True)
class SourceSettings:
    """A booking account: `every` incremental, `near` and `all` for complete listings of the window now − past … now
    + future."""

    name: str
    kind: str
    options: BaseModel
    every: timedelta
    near: timedelta
    all: timedelta
    past: timedelta
    future: timedelta


@dataclass(frozen=True, kw_only=True)
class TargetSettings:
    """A connection to calendars, verified every so often (0: never). `aliases` are other names of some of them, with
    the names they are known by."""

    name: str
    kind: str
    verify: timedelta
    options: BaseModel
    aliases: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class WebSettings:
    """Where calferry serves: `host` and `port` here (0: any free one), `url` as subscribers reach it ("": as it is).

    `health` is the host and port where it tells how it fares; None where it does not. `password` is the digest of the
    one that opens the pages ("": none does). `trusted_proxies` are the networks whose word is taken for who asks, and
    in `user_header`, where there is one, for who has signed in with them.
    """

    host: str
    port: int
    url: str
    health: tuple[str, int] | None = None
    password: str = ""
    trusted_proxies: tuple[str, ...] = ()
    user_header: str = ""

    @property
    def shows_pages(self) -> bool:
        """Whether there are pages: not before it is said who may see them."""
        return bool(self.password or (self.trusted_proxies and self.user_header))

    @property
    def root(self) -> str:
        """The address of what is served, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.url or f"http://{host}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The whole file. `database` is an address for SQLAlchemy, its path absolute; `tokens` is the folder for what
    sign-ins leave behind; `keep` is for how long the journal tells what happened; `routes` are in the file's order."""

    name: str
    database: str
    tokens: Path
    keep: timedelta
    web: WebSettings
    alerts: AlertsTable
    sources: Mapping[str, SourceSettings]
    targets: Mapping[str, TargetSettings]
    routes: tuple[Route, ...]
