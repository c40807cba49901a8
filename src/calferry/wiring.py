"""The composition root: the only place that knows which class goes where.

The folders `sources` and `targets` are the registry: a module there with `Settings` and `build` is a kind of that name.
"""

from __future__ import annotations

import hashlib
import json
import pkgutil
import zoneinfo
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from calferry import sources, targets
from calferry.config import Kinds, Settings, load
from calferry.errors import ConfigError
from calferry.feeds import Shelf
from calferry.hooks import Register
from calferry.model import FINGERPRINT_VERSION
from calferry.ports import Clock, Source, Target
from calferry.rules import RULES_VERSION, Route
from calferry.sync.installation import Account, Installation, Rhythm
from calferry.tokens import TokenFile

if TYPE_CHECKING:
    from pydantic import BaseModel

    from calferry.alerts.channels import Channel
    from calferry.alerts.lookout import Ping
    from calferry.store import SqlLedger


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def settings(path: Path) -> Settings:
    """What the configuration file says. Raises ConfigError with every problem in it."""
    return load(
        path,
        kinds=Kinds(
            sources={kind: module.Settings for kind, module in _adapters(sources).items()},
            targets={kind: module.Settings for kind, module in _adapters(targets).items()},
        ),
    )


@contextmanager
def installation(settings: Settings, clock: Clock | None = None) -> Iterator[Installation]:
    """All that the settings describe, with its ledger open. Raises ConfigError."""
    from calferry.store import open_ledger

    joined_sources = build_sources(settings, clock or SystemClock())
    with open_ledger(settings.database, settings.name) as ledger:
        yield join(settings, joined_sources, ledger, clock or SystemClock())


@contextmanager
def existing_ledger(settings: Settings) -> Iterator[SqlLedger | None]:
    """The ledger, to read, if there is one. Raises ConfigError."""
    from calferry.store import existing_ledger

    ledger = existing_ledger(settings.database, settings.name)
    try:
        yield ledger
    finally:
        if ledger is not None:
            ledger.close()


def channels(settings: Settings) -> list[Channel]:
    """The ways by which the settings want a person told."""
    from calferry.alerts.channels import Email, Webhook

    found: list[Channel] = []
    if email := settings.alerts.email:
        password = email.password.get_secret_value() if email.password else ""
        told = {"host": email.host, "security": email.security.value, "user": email.user, "password": password}
        found.append(Email(to=email.to, sender=email.sender, port=email.port, **told))
    if webhook := settings.alerts.webhook:
        secret = webhook.secret.get_secret_value() if webhook.secret else ""
        found.append(Webhook(url=webhook.url.get_secret_value(), secret=secret))
    return found


def ping(settings: Settings) -> Ping | None:
    """The sign of life that the settings want sent."""
    from calferry.alerts.lookout import Ping

    said = settings.alerts.ping
    return Ping(said.url.get_secret_value(), said.every) if said else None


def join(settings: Settings, joined: Mapping[str, Source], ledger: SqlLedger, clock: Clock) -> Installation:
    """Sources, targets, routes and ledger as one installation."""
    reached = build_targets(settings, clock, ledger.shelf)
    return Installation(
        name=settings.name,
        accounts=tuple(_account(settings, source, reached) for source in joined.values()),
        targets=reached,
        ledger=ledger,
        shelf=ledger.shelf,
        keeper=ledger.keeper,
        clock=clock,
        verify={one.name: one.verify for one in settings.targets.values() if one.verify},
    )


def build_sources(settings: Settings, clock: Clock) -> dict[str, Source]:
    """The sources by configured name. Raises ConfigError when two of them are one account."""
    _use_our_own_zones()
    adapters = _adapters(sources)
    built: dict[str, Source] = {
        one.name: adapters[one.kind].build(
            one.name, one.options, clock=clock, tokens=TokenFile(settings.tokens / f"sources.{one.name}")
        )
        for one in settings.sources.values()
    }
    owners: dict[str, str] = {}
    problems = [
        f"sources.{name} and sources.{owners[source.key]} are the same account ({source.key}); keep one"
        for name, source in built.items()
        if owners.setdefault(source.key, name) != name
    ]
    if problems:
        raise ConfigError(problems)
    return built


def register_of(settings: Settings, source: Source) -> Register:
    """Where the hook of a source is kept."""
    return Register(TokenFile(settings.tokens / f"hooks.{source.name}"))


def build_targets(settings: Settings, clock: Clock, shelf: Shelf | None = None) -> dict[str, Target]:
    """The targets by configured name. Those that are feeds keep their events on `shelf`."""
    adapters = _adapters(targets)
    return {
        one.name: adapters[one.kind].build(
            one.name,
            one.options,
            clock=clock,
            shelf=shelf,
            tokens=TokenFile(settings.tokens / f"targets.{one.name}"),
        )
        for one in settings.targets.values()
    }


def _adapters(package: ModuleType) -> dict[str, ModuleType]:
    """The adapter modules of a package, by kind."""
    modules = {
        one.name: import_module(f"{package.__name__}.{one.name}") for one in pkgutil.iter_modules(package.__path__)
    }
    return {kind: module for kind, module in modules.items() if hasattr(module, "build")}


def _account(settings: Settings, source: Source, reached: Mapping[str, Target]) -> Account:
    said = settings.sources[source.name]
    routes = tuple(route for route in settings.routes if route.source == source.name)
    rhythm = Rhythm(every=said.every, near=said.near, all=said.all, past=said.past, future=said.future)
    decisive = _decisive(said.options)
    return Account(
        source=source,
        rhythm=rhythm,
        routes=routes,
        basis=_basis(rhythm, routes, reached, decisive),
        edition=_edition(routes, reached),
        reading=_digest(decisive)[:16] if decisive else "",
        hook=register_of(settings, source).hook,
    )


def _decisive(options: BaseModel) -> list[str]:
    """The options of a source that decide whose an appointment is; a kind without such options declares none."""
    return [f"{name} = {getattr(options, name)}" for name in getattr(options, "decisive", ())]


def _basis(rhythm: Rhythm, routes: tuple[Route, ...], reached: Mapping[str, Target], decisive: Sequence[str]) -> str:
    """A digest of all of the configuration that decides what the routes make of a row."""
    decides = [
        *decisive,
        *(str(rhythm.past), str(rhythm.future)),
        *(route.basis + reached[route.target].kind + reached[route.target].basis for route in routes),
    ]
    return _digest(decides)


def _digest(decides: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(decides).encode()).hexdigest()


def _edition(routes: tuple[Route, ...], reached: Mapping[str, Target]) -> str:
    """The versions of all that decides what the routes make of a row: the rules, the zones, what targets can hold.

    What an upgrade changes is nobody's configuration: an appointment that moves meanwhile just moves.
    """
    fits = sorted({f"{reached[route.target].kind} {reached[route.target].edition}" for route in routes})
    return json.dumps([RULES_VERSION, FINGERPRINT_VERSION, version("tzdata"), *fits])


def _use_our_own_zones() -> None:
    """Time zones come from the `tzdata` package alone, so that their version is known and the old names are there:
    distributions ship theirs without the backward links."""
    zoneinfo.reset_tzpath(to=())
