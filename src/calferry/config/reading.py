"""Reads the file table by table, and notes each problem instead of stopping at it."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr, ValidationError

from calferry.config.problems import Place, dotted, masked, nearest, quoted, sentence
from calferry.config.secret import SecretError, Secrets
from calferry.config.settings import Kinds, Settings, SourceSettings, TargetSettings, WebSettings
from calferry.config.tables import (
    AlertsTable,
    EmailTable,
    InstallationTable,
    PingTable,
    RouteTable,
    SourceTable,
    TargetTable,
    WebhookTable,
    WebTable,
)
from calferry.errors import ConfigError
from calferry.policy import Provision
from calferry.presentation import Coloring, Presentation
from calferry.rules import Route
from calferry.template import Template

_AnyTable = TypeVar("_AnyTable", bound=BaseModel)


def load(path: Path, *, kinds: Kinds, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in the file at `path`, its secrets resolved. Raises ConfigError with all problems at once."""
    document = _parse(path)
    directory = path.absolute().parent
    reader = _Reader(directory, Secrets(directory, environment))
    reader.know(document, ("calferry", "web", "alerts", "sources", "targets", "routes"))
    installation = reader.read(InstallationTable, reader.section(document, "calferry"), ("calferry",))
    web = reader.read(WebTable, reader.section(document, "web"), ("web",))
    alerts = reader.alerts(reader.section(document, "alerts"))
    sources = {name: reader.source(name, table, kinds) for name, table in reader.tables(document, "sources")}
    targets = {name: reader.target(name, table, kinds) for name, table in reader.tables(document, "targets")}
    routes = [reader.route(name, table, sources, targets) for name, table in reader.tables(document, "routes")]
    if reader.problems or installation is None or web is None or alerts is None:
        raise ConfigError([f"{place}: {sentence}" for place, sentence in reader.problems.items()])
    database = _beside(directory, installation.database)
    return Settings(
        name=installation.name,
        database=database,
        tokens=directory / installation.tokens if installation.tokens else _folder(database) / "tokens",
        keep=installation.keep,
        web=_web(web),
        alerts=alerts,
        sources=MappingProxyType({name: source for name, source in sources.items() if source}),
        targets=MappingProxyType({name: target for name, target in targets.items() if target}),
        routes=tuple(route for route in routes if route),
    )


def _parse(path: Path) -> dict[str, Any]:
    """The TOML document in a file. Raises ConfigError."""
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        problem = f"{path.absolute()}: there is no such file; name yours with `calferry COMMAND --config PATH`"
    except OSError as error:
        problem = f"{path.absolute()}: cannot be read ({error.strerror}); `--config PATH` names another file"
    except UnicodeDecodeError as error:
        problem = f"{path}: is not UTF-8 (byte {error.start + 1}); save it as UTF-8"
    except RecursionError:
        problem = f"{path}: is nested too deeply to be a configuration"
    except ValueError as error:  # TOMLDecodeError, and numbers too long for int()
        problem = f"{path}: is not TOML: {error}"
    raise ConfigError([problem])


def _beside(directory: Path, address: str) -> str:
    """The address of a SQLite file whose path is relative to the configuration file."""
    return f"sqlite:///{directory / address.removeprefix('sqlite:///')}"


def _folder(database: str) -> Path:
    return Path(database.removeprefix("sqlite:///")).parent


def _web(table: WebTable) -> WebSettings:
    host, port = _host_and_port(table.listen)
    health = _host_and_port(table.health) if table.health else None
    return WebSettings(
        host=host,
        port=port,
        url=table.url,
        health=health,
        password=table.password,
        trusted_proxies=table.trusted_proxies,
        user_header=table.user_header,
    )


def _host_and_port(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    return parts.hostname or "", parts.port or 0


@dataclass(frozen=True)
class _Reader:
    """Reads tables. `problems` has, for each place in the file, the first thing that is wrong there."""

    directory: Path
    secrets: Secrets
    problems: dict[str, str] = field(default_factory=dict)

    def note(self, place: Place, problem: str) -> None:
        self.problems.setdefault(dotted(place), problem)

    def know(self, document: Mapping[str, object], names: Collection[str]) -> None:
        for name in document:
            if name not in names:
                self.note((name,), f"is not a section; {nearest(name, names)}")

    def section(self, document: Mapping[str, Any], name: str) -> dict[str, Any]:
        section = document.get(name, {})
        if isinstance(section, dict):
            return section
        self.note((name,), "expected a section, which starts with its name in brackets")
        return {}

    def tables(self, document: Mapping[str, Any], section: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The tables of a section, with their names."""
        for name, table in self.section(document, section).items():
            if not re.fullmatch(r"[a-z0-9_-]+", name):
                self.note((section, name), "a name has lower-case letters, digits, hyphens and underscores only")
            if isinstance(table, dict):
                yield name, table
            else:
                self.note((section, name), f"expected a table with a name, such as [{section}.salon]")

    def alerts(self, section: Mapping[str, Any]) -> AlertsTable | None:
        """The section `alerts`: its tables have secrets of their own."""
        parts: dict[str, type[BaseModel]] = {"email": EmailTable, "webhook": WebhookTable, "ping": PingTable}
        values = dict(section)
        for name, model in parts.items():
            if isinstance(table := section.get(name), dict):
                values[name] = dict(self.resolved(model, table, ("alerts", name)))
        whole = all(len(values[name]) == len(section[name]) for name in parts if isinstance(section.get(name), dict))
        return self.read(AlertsTable, values, ("alerts",), whole=whole)

    def source(self, name: str, table: dict[str, Any], kinds: Kinds) -> SourceSettings | None:
        place = ("sources", name)
        core, own = _split(table, SourceTable)
        options = self.options(place, core.get("kind"), own, kinds.sources, SourceTable)
        read = self.read(SourceTable, core, place)
        if read is None or options is None:
            return None
        return SourceSettings(
            name=name,
            kind=read.kind,
            options=options,
            every=read.every,
            near=read.reconcile.near,
            all=read.reconcile.all,
            past=read.window.past,
            future=read.window.future,
        )

    def target(self, name: str, table: dict[str, Any], kinds: Kinds) -> TargetSettings | None:
        place = ("targets", name)
        core, own = _split(table, TargetTable)
        options = self.options(place, core.get("kind"), own, kinds.targets, TargetTable)
        read = self.read(TargetTable, core, place)
        if read is None or options is None:
            return None
        return TargetSettings(
            name=name,
            kind=read.kind,
            verify=read.verify,
            options=options,
            aliases=MappingProxyType(dict(read.aliases)),
        )

    def route(
        self, name: str, table: dict[str, Any], sources: Collection[str], targets: Mapping[str, TargetSettings | None]
    ) -> Route | None:
        place = ("routes", name)
        self.refer((*place, "source"), table.get("source"), sources)
        self.refer((*place, "target"), table.get("target"), targets)
        if ("calendar" in table) == ("calendars" in table):
            self.note(place, "give it exactly one of `calendar` (a template) and `calendars` (a table by staff)")
        read = self.read(RouteTable, table, place)
        if read is None:
            return None
        target = targets.get(read.target)
        where = {name: getattr(read.where, name) for name in sorted(read.where.model_fields_set)}
        return Route(
            name=name,
            source=read.source,
            target=read.target,
            calendar=Template(read.calendar) if read.calendar else None,
            calendars=MappingProxyType(dict(read.calendars)),
            otherwise=read.otherwise,
            aliases=target.aliases if target else MappingProxyType({}),
            where=MappingProxyType(where),
            groups=read.groups,
            on_user_edit=read.on_user_edit,
            on_user_delete=read.on_user_delete,
            status=MappingProxyType({word: Provision(**dict(entry)) for word, entry in sorted(read.status.items())}),
            shows=_presentation(read),
        )

    def refer(self, place: Place, name: object, names: Collection[str]) -> None:
        """Note a name that nothing in the file bears."""
        if isinstance(name, str) and name not in names:
            self.note(place, f"this file has no {place[-1]} called {quoted(name)}; {nearest(name, names)}")

    def options(
        self,
        place: Place,
        kind: object,
        table: Mapping[str, Any],
        models: Mapping[str, type[BaseModel]],
        core: type[BaseModel],
    ) -> BaseModel | None:
        """The adapter's own options, as the model of its kind has them; None when there is a problem."""
        if kind is None:
            self.note((*place, "kind"), f"is missing; {nearest('', models)}")
        if not isinstance(kind, str):
            return None
        if kind not in models:
            self.note((*place, "kind"), f"there is no kind {quoted(kind)}; {nearest(kind, models)}")
            return None
        model = models[kind]
        values = dict(self.resolved(model, table, place))
        return self.read(model, values, place, beside=core.model_fields, whole=len(values) == len(table))

    def resolved(self, model: type[BaseModel], table: Mapping[str, Any], place: Place) -> Iterator[tuple[str, object]]:
        """The options with secrets and paths in their place; without the secrets that cannot be had."""
        for name, value in table.items():
            declared = model.model_fields.get(name)
            if declared and _holds(declared.annotation, SecretStr):
                try:
                    yield name, self.secrets.find(value)
                except SecretError as reason:
                    self.note((*place, name), str(reason))
            elif declared and isinstance(value, str) and _holds(declared.annotation, Path):
                yield name, self.directory / value
            else:
                yield name, value

    def read(
        self,
        model: type[_AnyTable],
        table: Mapping[str, object],
        place: Place,
        beside: Collection[str] = (),
        *,
        whole: bool = True,
    ) -> _AnyTable | None:
        """The table as the model has it; None, with its problems noted, when it cannot be.

        `beside` are the other options of the same table in the file, for who mistypes one of those. Without a secret
        that could not be had it is not `whole`, and what is wrong with it as a whole is not worth telling.
        """
        try:
            return model.model_validate(table)
        except ValidationError as invalid:
            for error in invalid.errors(include_url=False, include_input=False):
                if not whole and not error["loc"]:
                    continue
                self.note((*place, *error["loc"]), masked(sentence(model, error, beside), table.values()))
        return None


def _presentation(table: RouteTable) -> Presentation:
    return Presentation(
        reveal=table.reveal,
        language=table.language,
        summary=Template(table.summary),
        description=Template(table.description),
        location=Template(table.location),
        link=Template(table.link),
        categories=tuple(map(Template, table.categories)),
        colors=tuple(
            Coloring(by, pattern, color) for by, told in table.colors.items() for pattern, color in told.items()
        ),
        shortest=table.shortest,
    )


def _split(table: Mapping[str, Any], core: type[BaseModel]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The core's own options, and the others."""
    known = {name: value for name, value in table.items() if name in core.model_fields}
    return known, {name: value for name, value in table.items() if name not in known}


def _holds(annotation: object, wanted: type) -> bool:
    """Whether a field with that annotation can hold a `wanted`."""
    return annotation is wanted or any(_holds(part, wanted) for part in get_args(annotation))
