"""The tables of the file, as far as the core itself understands them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from difflib import get_close_matches
from enum import StrEnum
from ipaddress import ip_network
from typing import Annotated, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)

from calferry.colors import NAMES, OWN
from calferry.config.problems import nearest
from calferry.filters import WEEKDAYS
from calferry.language import Language
from calferry.model import Status
from calferry.moments import duration
from calferry.policy import Fate, Provision, sought
from calferry.presentation import COLORED_BY, DESCRIPTION, LINK, LOCATION, OWNER_FIELDS, SUMMARY, Reveal
from calferry.rules import Groups, Reaction
from calferry.template import Template

LONGEST_URL = 200
"""Characters of `url`: what is added to it for a feed stays below the 256 that Google takes."""

_PASSWORD = re.compile(r"scrypt:[A-Za-z0-9+/]{22}==:[A-Za-z0-9+/]{43}=", re.ASCII)

_DATABASE = re.compile(r"sqlite:///(?!:memory:).+")


def _span(least: str, most: str, why: str) -> BeforeValidator:
    """A duration between two others; `why` is for the person who wanted another."""

    def parse(value: object) -> timedelta:
        span = duration(value)
        if not duration(least) <= span <= duration(most):
            msg = f'"{value}" is not between "{least}" and "{most}": {why}'
            raise ValueError(msg)
        return span

    return BeforeValidator(parse)


def _now_and_then(value: object) -> timedelta:
    """How often to do what costs a listing a calendar; nothing at all is never."""
    span = duration(value)
    if span and not timedelta(hours=1) <= span <= timedelta(days=31):
        msg = f'"{value}" is neither "0d" (never) nor between "1h" and "31d": each time lists every calendar'
        raise ValueError(msg)
    return span


def _installation(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9-]+", name):
        msg = 'expected lower-case letters, digits and hyphens only, such as "salon-montreal"'
        raise ValueError(msg)
    return name


def _database(address: str) -> str:
    if not _DATABASE.fullmatch(address):
        msg = 'expected the address of a SQLite file, such as "sqlite:////var/lib/calferry/calferry.db"'
        raise ValueError(msg)
    return address


def _endpoint(text: str) -> str:
    parts = _parts(f"//{text}")
    if parts is None or not parts.hostname or parts.port is None or parts.netloc != text or "@" in text:
        msg = 'expected a host and a port, such as "127.0.0.1:8365"'
        raise ValueError(msg)
    return text


def _address(url: str) -> str:
    parts = _parts(url) if re.fullmatch(r"[!#-;=?-~]+", url) else None
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        msg = 'expected an address that subscribers reach, such as "https://calendars.salon.example"'
        raise ValueError(msg)
    if parts.query or parts.fragment or len(url) > LONGEST_URL:
        msg = f"expected no query, no fragment and at most {LONGEST_URL} characters: Google takes 256 in all"
        raise ValueError(msg)
    return url.rstrip("/")


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError:
        msg = 'expected addresses or networks, such as "127.0.0.1" or "10.0.0.0/8"'
        raise ValueError(msg) from None


def _hashed(password: str) -> str:
    if not _PASSWORD.fullmatch(password):
        msg = "expected the line that `calferry password` prints: the password itself does not belong in this file"
        raise ValueError(msg)
    return password


def _header(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", name):
        msg = 'expected the name of a header, such as "Remote-User"'
        raise ValueError(msg)
    return name


def _parts(url: str) -> SplitResult | None:
    """None where it is no address, for instance because its port is no number."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _template(text: str) -> str:
    Template(text)
    return text


def _calendar(text: str) -> str:
    if foreign := [name for name in Template(text).names if name not in OWNER_FIELDS]:
        msg = f"a calendar depends on the owner alone ({', '.join(sorted(OWNER_FIELDS))}), not on {foreign[0]}"
        raise ValueError(msg)
    return text


def _literal(text: str) -> str:
    if "{" in text:
        msg = "is taken as it stands, without fields in braces; name one calendar"
        raise ValueError(msg)
    return text


def _one_line(text: str) -> str:
    if re.search(r"[\0-\x1f\x7f-\x9f\u2028\u2029]", text):
        msg = "stands before a title, which is one line; leave out line breaks, tabs and other control characters"
        raise ValueError(msg)
    return text


def _weekday(name: str) -> str:
    day = name.strip().lower()
    if day not in WEEKDAYS:
        msg = f'expected the name of a day in English, such as "monday"; {nearest(day, WEEKDAYS)}'
        raise ValueError(msg)
    return day


def _daytime(text: str) -> str:
    """A span of the day with two digits to each figure, so that times compare as texts."""
    match = re.fullmatch(r"\s*(\d{1,2}):([0-5]\d)\s*-\s*(\d{1,2}):([0-5]\d)\s*", text, re.ASCII)
    start, end = (f"{match[1]:0>2}:{match[2]}", f"{match[3]:0>2}:{match[4]}") if match else ("", "")
    if start == end or start >= "24:00" or end > "24:00":
        msg = 'expected a span of the day, such as "08:00-12:00", or "22:00-06:00" for one over midnight'
        raise ValueError(msg)
    return f"{start}-{end}"


def _color(name: str) -> str:
    if name not in NAMES and name != OWN:
        msg = f'expected the name of a colour in CSS, in lower case, such as "tomato"; {_near(name, [*NAMES, OWN])}'
        raise ValueError(msg)
    return name


def _near(name: str, names: Collection[str]) -> str:
    """Without all of the names where none is near."""
    near = get_close_matches(name, names, n=1)
    return f'did you mean "{near[0]}"?' if near else "docs/configuration.md tells where they are listed"


def _mail(address: str) -> str:
    _, at, host = address.rpartition("@")
    if not at or not host or any(character.isspace() for character in address):
        msg = 'expected an e-mail address, such as "desk@salon.example"'
        raise ValueError(msg)
    return address


def _all_mail(addresses: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(_mail, addresses))


def _secret_address(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().startswith(("https://", "http://")):
        msg = "the secret is no address that begins with https://"
        raise ValueError(msg)
    return secret


def _chosen(value: object, words: type[StrEnum], otherwise: str = "") -> StrEnum:
    """One of the words of an enumeration, in lower case as in the file. Raises ValueError with the nearest one."""
    known = {word.casefold(): word for word in words}
    if isinstance(value, str) and value in known:
        return known[value]
    *others, last = (f'"{word}"' for word in known)
    near = get_close_matches(value, known, n=1) if isinstance(value, str) else []
    hint = f'; did you mean "{near[0]}"?' if near else f", {otherwise}" if otherwise else ""
    msg = f"expected {', '.join(others)} or {last}{hint}"
    raise ValueError(msg)


def _word(words: type[StrEnum]) -> BeforeValidator:
    return BeforeValidator(lambda value: _chosen(value, words))


def _no_respect(reaction: StrEnum) -> StrEnum:
    if reaction is Reaction.RESPECT:
        msg = 'expected "report" or "restore": the next change of the appointment writes the event in any case'
        raise ValueError(msg)
    return reaction


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
TemplateText = Annotated[str, AfterValidator(_template)]
Literally = AfterValidator(_literal)
Weekday = Annotated[str, AfterValidator(_weekday)]
Daytime = Annotated[str, AfterValidator(_daytime)]
ColorName = Annotated[str, AfterValidator(_color)]
Patterns = Annotated[tuple[str, ...], BeforeValidator(_as_list), Field(min_length=1)]
Url = Annotated[SecretStr, AfterValidator(_secret_address)]

_TO_ASK = "each time asks the booking system, which answers only so many requests; rarer than that, calendars go stale"
_TO_LIST = "a complete listing takes many requests; without one, deletions go unnoticed"
_AHEAD = "five years at most, since too many appointments are slow to list; later ones come in when they are closer"
_TO_TELL = "explaining what happened needs it for a while; ten years at most, since it grows with every change"
_TO_SEE = "calendars hide what ends when it starts; an event that is made longer than a day hides the others"
_BEHIND = "one day at least, so that late changes get through; five years at most, since the past changes little"
_LATE = "sooner, every slow minute is an alert; later, nobody hears of it in time"
_BEAT = "set the service that waits for it to somewhat more"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InstallationTable(_Table):
    name: Annotated[str, AfterValidator(_installation)] = Field(
        description='the name of this installation, such as "salon-montreal"; it is part of every uid and never changes'
    )
    database: Annotated[str, AfterValidator(_database)] = "sqlite:///calferry.db"
    tokens: str = ""
    keep: Annotated[timedelta, _span("30d", "3650d", _TO_TELL)] = timedelta(days=400)


class WebTable(_Table):
    listen: Annotated[str, AfterValidator(_endpoint)] = "127.0.0.1:8365"
    url: Annotated[str, AfterValidator(_address)] = ""
    password: Annotated[str, AfterValidator(_hashed)] = ""
    trusted_proxies: Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], BeforeValidator(_as_list)] = ()
    user_header: Annotated[str, AfterValidator(_header)] = ""
    health: Annotated[str, AfterValidator(_endpoint)] = ""


class Security(StrEnum):
    """How a mail server is spoken to."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class EmailTable(_Table):
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


class WebhookTable(_Table):
    url: Url
    secret: SecretStr | None = None


class PingTable(_Table):
    url: Url
    every: Annotated[timedelta, _span("1m", "1d", _BEAT)] = timedelta(minutes=5)


class AlertsTable(_Table):
    in_step: Annotated[timedelta, _span("5m", "7d", _LATE)] = timedelta(hours=1)
    email: EmailTable | None = None
    webhook: WebhookTable | None = None
    ping: PingTable | None = None


class ReconcileTable(_Table):
    near: Annotated[timedelta, _span("1m", "7d", _TO_LIST)] = timedelta(minutes=15)
    all: Annotated[timedelta, _span("10m", "31d", _TO_LIST)] = timedelta(hours=24)


class WindowTable(_Table):
    past: Annotated[timedelta, _span("1d", "1826d", _BEHIND)] = timedelta(days=30)
    future: Annotated[timedelta, _span("1d", "1826d", _AHEAD)] = timedelta(days=400)


class SourceTable(_Table):
    kind: str
    every: Annotated[timedelta, _span("30s", "1d", _TO_ASK)] = timedelta(minutes=2)
    reconcile: ReconcileTable = ReconcileTable()
    window: WindowTable = WindowTable()


class TargetTable(_Table):
    kind: str
    aliases: Annotated[Mapping[str, Annotated[Name, Literally]], Field(default_factory=dict)]
    verify: Annotated[timedelta, BeforeValidator(_now_and_then)] = timedelta(hours=24)


class WhereTable(_Table):
    service: Patterns = ()
    owner: Patterns = ()
    location: Patterns = ()
    kind: Patterns = ()
    text: Patterns = ()
    weekday: Annotated[tuple[Weekday, ...], BeforeValidator(_as_list), Field(min_length=1)] = ()
    time: Annotated[tuple[Daytime, ...], BeforeValidator(_as_list), Field(min_length=1)] = ()


class StatusTable(_Table):
    """What becomes of one status. One word stands for all times."""

    past: Annotated[Fate | None, _word(Fate)] = None
    running: Annotated[Fate | None, _word(Fate)] = None
    future: Annotated[Fate | None, _word(Fate)] = None
    prefix: Annotated[str, AfterValidator(_one_line)] = Provision().prefix
    busy: bool = Field(default=False, strict=True)
    shown_as: Annotated[Status | None, _word(Status)] = None

    @model_validator(mode="before")
    @classmethod
    def _at_all_times(cls, told: object) -> object:
        if isinstance(told, dict):
            return told
        fate = _chosen(told, Fate, "or a table with past, running and future")
        return dict.fromkeys(("past", "running", "future"), fate)

    @model_validator(mode="after")
    def _marks_what_it_dresses(self) -> Self:
        if not self.model_fields_set:
            msg = 'says nothing; write what becomes of it, such as "mark" or { past = "mark" }'
            raise ValueError(msg)
        look = self.model_fields_set & {"prefix", "busy", "shown_as"}
        if look and Fate.MARK not in {self.past, self.running, self.future}:
            msg = f'says how a mark looks ({", ".join(sorted(look))}), and marks at no time; add past = "mark", say'
            raise ValueError(msg)
        return self


class RouteTable(_Table):
    source: str = Field(description="the name of a source in this file")
    target: str = Field(description="the name of a target in this file")
    calendar: Annotated[Name, AfterValidator(_calendar)] = ""
    calendars: Annotated[Mapping[str, Annotated[Name, Literally]], Field(min_length=1, default_factory=dict)]
    otherwise: Annotated[str, Literally] = ""
    where: WhereTable = WhereTable()
    reveal: Reveal = Reveal.SERVICE
    summary: TemplateText = SUMMARY.text
    description: TemplateText = DESCRIPTION.text
    location: TemplateText = LOCATION.text
    link: TemplateText = LINK.text
    categories: Annotated[tuple[TemplateText, ...], BeforeValidator(_as_list)] = ()
    colors: Annotated[Mapping[str, Mapping[str, ColorName]], Field(default_factory=dict)]
    language: Language = Language.ENGLISH
    status: Annotated[Mapping[str, StatusTable], Field(default_factory=dict)]
    shortest: Annotated[timedelta, _span("1m", "1d", _TO_SEE)] = timedelta(minutes=1)
    groups: Annotated[Groups, _word(Groups)] = Groups.ONE
    on_user_edit: Annotated[Reaction, _word(Reaction), AfterValidator(_no_respect)] = Reaction.REPORT
    on_user_delete: Annotated[Reaction, _word(Reaction)] = Reaction.REPORT

    @field_validator("calendars")
    @classmethod
    def _of_each_once(cls, told: Mapping[str, str]) -> Mapping[str, str]:
        if len({sought(handle) for handle in told}) < len(told):
            msg = "names an owner twice; capitals make no difference"
            raise ValueError(msg)
        return told

    @field_validator("colors")
    @classmethod
    def _by_what_there_is(cls, told: Mapping[str, Mapping[str, str]]) -> Mapping[str, Mapping[str, str]]:
        if foreign := [by for by in told if by not in COLORED_BY]:
            msg = f'events have their colours by {", ".join(COLORED_BY)}, not by "{foreign[0]}"'
            raise ValueError(msg)
        return told

    @field_validator("status")
    @classmethod
    def _in_any_case(cls, told: Mapping[str, StatusTable]) -> Mapping[str, StatusTable]:
        """By status as it is looked for."""
        spelled = {sought(word): entry for word, entry in told.items()}
        if "" in spelled:
            msg = "names a status without a word; write the booking system's word before the equals sign"
            raise ValueError(msg)
        if len(spelled) < len(told):
            msg = "names a status twice; capitals make no difference"
            raise ValueError(msg)
        return spelled
