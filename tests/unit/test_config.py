"""The configuration file: what it comes to, and what it says about itself when it is wrong."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Self

import pytest
from pydantic import BaseModel, ConfigDict, Field, FilePath, SecretStr, field_validator, model_validator

from calferry.config import Kinds, Settings, load
from calferry.config.tables import WhereTable
from calferry.errors import ConfigError
from calferry.filters import FILTERS
from calferry.language import Language
from calferry.model import Status
from calferry.policy import Fate, Provision
from calferry.presentation import Coloring, Presentation

SECRET = "hunter2-hunter2"


class Desk(BaseModel):
    """What a made-up booking system is told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    company: str = Field(description="the number of the company")
    api_key: SecretStr
    pin: SecretStr | None = None
    ca_file: FilePath | None = None
    rooms: tuple[str, ...] = ()
    most: int = Field(default=5, ge=1)
    loud: bool = False

    @field_validator("pin")
    @classmethod
    def _talks_too_much(cls, pin: SecretStr) -> SecretStr:
        int(pin.get_secret_value())  # quotes the value when it fails
        return pin


class Door(BaseModel):
    """What a made-up system is told that has two ways in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: SecretStr | None = None
    ticket: SecretStr | None = None

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if (self.key is None) == (self.ticket is None):
            msg = "give it either key or ticket"
            raise ValueError(msg)
        return self


class Wall(BaseModel):
    """What a made-up calendar system is told."""

    model_config = ConfigDict(extra="forbid", frozen=True)


KINDS = Kinds(sources={"desk": Desk, "booth": Wall, "door": Door}, targets={"wall": Wall})

SALON = """
[calferry]
name = "salon"

[sources.salon]
kind = "desk"
company = "1"
api_key = { env = "API_KEY" }

[targets.wall]
kind = "wall"

[routes.staff]
source = "salon"
target = "wall"
calendar = "{owner.email}"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def read(file: Path, text: str, environment: Mapping[str, str] | None = None) -> Settings:
    file.write_text(text, encoding="utf-8")
    return load(file, kinds=KINDS, environment={"API_KEY": SECRET} | dict(environment or {}))


def problems(file: Path, text: str, environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as raised:
        read(file, text, environment)
    return raised.value.problems


def with_line(section: str, line: str) -> str:
    """The salon's file with a line more in that section; a line for the same key gives way."""
    key = line.split("=", maxsplit=1)[0].strip()
    head, rest = SALON.split(f"[{section}]\n")
    mine, *others = rest.split("\n\n", 1)
    kept = [old for old in mine.splitlines() if old.split("=")[0].strip() != key]
    return "\n\n".join([f"{head}[{section}]\n" + "\n".join([*kept, line]), *others])


# ── what a good file comes to ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_short_file_comes_to_the_defaults(file: Path) -> None:
    said = read(file, SALON)
    salon, route = said.sources["salon"], said.routes[0]
    assert (said.name, said.database) == ("salon", f"sqlite:///{file.parent}/calferry.db")
    assert (salon.every, salon.near, salon.all) == (timedelta(minutes=2), timedelta(minutes=15), timedelta(days=1))
    assert (salon.past, salon.future) == (timedelta(days=30), timedelta(days=400))
    assert salon.options == Desk(company="1", api_key=SecretStr(SECRET))
    assert said.targets["wall"].options == Wall()
    assert (route.shows, route.otherwise) == (Presentation(), "")
    assert (route.where, route.calendars, route.status) == ({}, {}, {})


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90s", timedelta(seconds=90)),
        ("3m", timedelta(minutes=3)),
        ("24h", timedelta(days=1)),
        ("1d", timedelta(days=1)),
    ],
)
def test_a_duration_has_a_number_and_a_unit(file: Path, text: str, span: timedelta) -> None:
    assert read(file, with_line("sources.salon", f'every = "{text}"')).sources["salon"].every == span


def test_weeks_are_durations_too(file: Path) -> None:
    said = read(file, with_line("sources.salon", 'window = { past = "2w" }'))
    assert (said.sources["salon"].past, said.sources["salon"].future) == (timedelta(days=14), timedelta(days=400))


def test_routes_keep_the_order_of_the_file(file: Path) -> None:
    more = '\n[routes.a]\nsource = "salon"\ntarget = "wall"\ncalendar = "a"'
    assert [route.name for route in read(file, SALON + more).routes] == ["staff", "a"]


def test_a_source_or_a_target_without_a_route_is_fine(file: Path) -> None:
    assert read(file, SALON[: SALON.index("[routes.staff]")]).routes == ()


def test_a_pattern_and_a_list_of_patterns_are_the_same_kind_of_filter(file: Path) -> None:
    said = read(file, with_line("routes.staff", 'where = { service = "Hair*", owner = ["7", "8"] }'))
    assert said.routes[0].where == {"service": ("Hair*",), "owner": ("7", "8")}


def test_the_aliases_of_a_target_hold_for_every_route_to_it(file: Path) -> None:
    told = read(file, with_line("targets.wall", 'aliases = { "a@salon.example" = "b@salon.example" }'))
    assert told.routes[0].aliases == told.targets["wall"].aliases == {"a@salon.example": "b@salon.example"}


def test_an_owner_named_twice_in_a_table_of_calendars_is_a_mistake(file: Path) -> None:
    table = 'calendars = { "ana@salon.example" = "a", "ANA@salon.example" = "b" }'
    (problem,) = problems(file, SALON.replace('calendar = "{owner.email}"', table))
    assert problem == "routes.staff.calendars: names an owner twice; capitals make no difference"


def test_days_and_spans_of_the_day_may_be_written_as_people_do(file: Path) -> None:
    said = read(
        file, with_line("routes.staff", 'where = { weekday = "Monday", time = ["8:00 - 12:00", "22:00-24:00"] }')
    )
    assert said.routes[0].where == {"weekday": ("monday",), "time": ("08:00-12:00", "22:00-24:00")}


def test_colours_keep_the_order_of_the_file(file: Path) -> None:
    told = 'colors = { status = { noShow = "gray" }, service = { "M*" = "tomato", "*" = "default" } }'
    assert read(file, with_line("routes.staff", told)).routes[0].shows.colors == (
        Coloring("status", "noShow", "gray"),
        Coloring("service", "M*", "tomato"),
        Coloring("service", "*", "default"),
    )


def test_what_an_event_shows_can_be_said_for_each_route(file: Path) -> None:
    told = 'language = "fr"\nlocation = "{service}"\nlink = ""\ncategories = "{service}"'
    shows = read(file, with_line("routes.staff", told)).routes[0].shows
    assert (shows.language, shows.location.text, shows.link.text) == (Language.FRENCH, "{service}", "")
    assert [one.text for one in shows.categories] == ["{service}"]


def test_a_word_for_a_status_holds_at_all_times_and_a_table_at_those_it_names(file: Path) -> None:
    marks = '{ past = "mark", prefix = "? ", busy = true, shown_as = "tentative" }'
    said = read(file, with_line("routes.staff", f'status = {{ noShow = {marks}, "Arrivée" = "delete", 2 = "keep" }}'))
    assert said.routes[0].status == {
        "2": Provision(past=Fate.KEEP, running=Fate.KEEP, future=Fate.KEEP),
        "arrivée": Provision(past=Fate.DELETE, running=Fate.DELETE, future=Fate.DELETE),
        "noshow": Provision(past=Fate.MARK, prefix="? ", busy=True, shown_as=Status.TENTATIVE),
    }


def test_a_status_typed_with_accents_of_their_own_is_the_same_status(file: Path) -> None:
    typed = unicodedata.normalize("NFD", "Arrivée")
    route = read(file, with_line("routes.staff", f'status = {{ "{typed}" = "delete" }}')).routes[0]
    assert route.status.keys() == {"arrivée"}


def test_the_order_of_statuses_is_no_change_of_the_route(file: Path) -> None:
    """A changed route is routed anew, and what it then deletes waits for a person."""
    one, other = (
        repr(read(file, with_line("routes.staff", f"status = {{ {told} }}")).routes)
        for told in ('a = "mark", B = "keep"', 'b = "keep", A = "mark"')
    )
    assert one == other


def test_calendars_may_be_named_by_staff(file: Path) -> None:
    said = read(file, SALON.replace('calendar = "{owner.email}"', 'calendars = { 7 = "a", "ana@salon.example" = "b" }'))
    assert said.routes[0].calendar is None
    assert said.routes[0].calendars == {"7": "a", "ana@salon.example": "b"}


@pytest.mark.parametrize("path", ["data.db", "../data.db", "/var/lib/calferry/data.db"])
def test_the_path_of_the_database_is_relative_to_the_file(file: Path, path: str) -> None:
    said = read(file, with_line("calferry", f'database = "sqlite:///{path}"'))
    assert said.database == f"sqlite:///{file.parent / path}"


def test_a_path_among_an_adapters_options_is_relative_to_the_file(file: Path) -> None:
    ca_file = file.parent / "ca.pem"
    ca_file.write_text("-")
    assert read(file, with_line("sources.salon", 'ca_file = "ca.pem"')).sources["salon"].options == Desk(
        company="1", api_key=SecretStr(SECRET), ca_file=ca_file
    )


def test_a_byte_order_mark_does_no_harm(file: Path) -> None:
    assert read(file, "\ufeff" + SALON).name == "salon"


def test_settings_cannot_be_changed(file: Path) -> None:
    said = read(file, SALON)
    with pytest.raises(AttributeError):
        said.name = "other"  # type: ignore[misc]  # what is tested
    with pytest.raises(TypeError):
        said.sources["other"] = said.sources["salon"]  # type: ignore[index]  # what is tested


def test_every_filter_of_the_rules_can_be_configured() -> None:
    assert set(WhereTable.model_fields) == FILTERS


# ── secrets ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def api_key(said: Settings) -> str:
    options = said.sources["salon"].options
    assert isinstance(options, Desk)
    return options.api_key.get_secret_value()


@pytest.mark.parametrize(("written", "meant"), [("s3\n", "s3"), ("s3\r\n", "s3"), (" s3 \n\n", " s3 \n"), ("s3", "s3")])
def test_the_newline_at_the_end_of_a_secrets_file_is_no_part_of_it(file: Path, written: str, meant: str) -> None:
    (file.parent / "key").write_bytes(written.encode())
    assert api_key(read(file, with_line("sources.salon", 'api_key = { file = "key" }'))) == meant


def test_systemd_hands_secrets_over_as_credentials(file: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    handed = tmp_path_factory.mktemp("credentials")
    (handed / "desk-key").write_text("s3\n")
    text = with_line("sources.salon", 'api_key = { credential = "desk-key" }')
    assert api_key(read(file, text, {"CREDENTIALS_DIRECTORY": str(handed)})) == "s3"


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        (f'"{SECRET}"', "a secret does not belong in this file"),
        (f'["{SECRET}"]', "is a secret; write { env ="),
        ("{ }", "is a secret; write { env ="),
        ('{ env = "API_KEY", file = "key" }', "is a secret; write { env ="),
        ('{ environ = "API_KEY" }', "is a secret; write { env ="),
        ("{ env = 5 }", "is a secret; write { env ="),
        ('{ env = "NO_KEY" }', "the environment variable NO_KEY is not set"),
        ('{ env = "EMPTY" }', "the environment variable EMPTY is empty"),
        ('{ file = "no-key" }', "no-key cannot be read (No such file or directory); put the secret there"),
        ('{ file = "." }', "cannot be read (Is a directory)"),
        ('{ file = "empty" }', "empty is empty; put the secret there"),
        ('{ file = "binary" }', "is not a text file in UTF-8"),
        ('{ file = "a\\u0000b" }', "is not a text file in UTF-8"),
        ('{ credential = "desk-key" }', "$CREDENTIALS_DIRECTORY is not set"),
    ],
)
def test_a_secret_that_cannot_be_had_is_the_only_problem_and_says_what_to_do(
    file: Path, told: str, answer: str
) -> None:
    (file.parent / "empty").write_text("\n")
    (file.parent / "binary").write_bytes(b"\xff\xfe")
    (problem,) = problems(file, with_line("sources.salon", f"api_key = {told}"), {"EMPTY": ""})
    assert problem.startswith("sources.salon.api_key: ")
    assert answer in problem
    assert SECRET not in problem


def test_a_credential_that_the_service_was_not_given_says_how_to_give_it(file: Path) -> None:
    text = with_line("sources.salon", 'api_key = { credential = "desk-key" }')
    (problem,) = problems(file, text, {"CREDENTIALS_DIRECTORY": str(file.parent)})
    assert "give the service LoadCredential=desk-key:PATH" in problem


def test_an_adapter_that_quotes_a_secret_is_not_repeated(file: Path) -> None:
    (problem,) = problems(file, with_line("sources.salon", 'pin = { env = "API_KEY" }'))
    assert problem == "sources.salon.pin: invalid literal for int() with base 10: '…'"


DOOR = SALON[SALON.index("[targets.wall]") :] + '[calferry]\nname = "salon"\n[sources.salon]\nkind = "door"\n'


def test_what_is_wrong_with_a_table_as_a_whole_is_told_of_the_table(file: Path) -> None:
    assert problems(file, DOOR) == ("sources.salon: give it either key or ticket",)


def test_a_secret_that_cannot_be_had_is_not_told_twice(file: Path) -> None:
    (problem,) = problems(file, DOOR + 'key = { env = "NO_KEY" }')
    assert problem.startswith("sources.salon.key: the environment variable NO_KEY is not set")


# ── what a bad file says about itself ─────────────────────────────────────────────────────────────────────────────────

MISTAKES = [
    ("calferry", 'name = "Salon"', "calferry.name: expected lower-case letters, digits and hyphens only"),
    ("calferry", "name = 5", "calferry.name: expected a text in quotes"),
    ("calferry", 'nmae = "x"', 'calferry.nmae: is not an option; did you mean "name"?'),
    ("calferry", 'database = "calferry.db"', "calferry.database: expected the address of a SQLite file, such as"),
    ("calferry", 'database = "sqlite:///:memory:"', "calferry.database: expected the address of a SQLite file"),
    ("sources.salon", 'kind = "desc"', 'sources.salon.kind: there is no kind "desc"; did you mean "desk"?'),
    ("sources.salon", 'kind = "zoo"', 'sources.salon.kind: there is no kind "zoo"; known: booth, desk, door'),
    ("sources.salon", "company = 5", "sources.salon.company: expected a text in quotes"),
    ("sources.salon", 'evry = "2m"', 'sources.salon.evry: is not an option; did you mean "every"?'),
    ("sources.salon", 'compani = "1"', 'sources.salon.compani: is not an option; did you mean "company"?'),
    ("sources.salon", "zzz = 1", "sources.salon.zzz: is not an option; known: api_key, ca_file, company, every, kind"),
    ("sources.salon", 'every = "2 minutes"', 'sources.salon.every: expected a duration such as "90s", "2m"'),
    ("sources.salon", "every = 120", 'sources.salon.every: expected a duration such as "90s", "2m"'),
    ("sources.salon", 'every = "5s"', 'sources.salon.every: "5s" is not between "30s" and "1d": each time asks'),
    ("routes.staff", 'shortest = "0m"', 'routes.staff.shortest: "0m" is not between "1m" and "1d": calendars hide'),
    ("sources.salon", 'every = "999999w"', 'sources.salon.every: "999999w" is not between'),
    ("sources.salon", 'reconcile = "15m"', "sources.salon.reconcile: expected a table"),
    (
        "sources.salon",
        'reconcile = { nera = "1m" }',
        'sources.salon.reconcile.nera: is not an option; did you mean "near"?',
    ),
    ("sources.salon", 'reconcile = { all = "1m" }', 'sources.salon.reconcile.all: "1m" is not between "10m"'),
    ("sources.salon", 'window = { past = "0d" }', 'sources.salon.window.past: "0d" is not between "1d" and'),
    ("sources.salon", 'window = { future = "300w" }', "five years at most, since"),
    ("sources.salon", "most = 0", "sources.salon.most: should be greater than or equal to 1"),
    ("sources.salon", 'most = "x"', "sources.salon.most: expected a whole number"),
    ("sources.salon", 'loud = "x"', "sources.salon.loud: expected true or false"),
    ("sources.salon", 'rooms = "x"', 'sources.salon.rooms: expected a list, such as ["…", "…"]'),
    ("sources.salon", 'ca_file = "no.pem"', "sources.salon.ca_file: there is no such file; a relative path starts at"),
    ("targets.wall", "kind = []", "targets.wall.kind: expected a text in quotes"),
    ("targets.wall", '"a b" = 1', 'targets.wall."a b": is not an option; known: aliases, kind'),
    ("targets.wall", 'aliases = { "a" = "{owner.email}" }', "targets.wall.aliases.a: is taken as it stands"),
    ("routes.staff", 'source = "saloon"', 'this file has no source called "saloon"; did you mean "salon"?'),
    ("routes.staff", 'target = "x"', 'routes.staff.target: this file has no target called "x"; known: wall'),
    ("routes.staff", 'calendars = { a = "b" }', "routes.staff: give it exactly one of `calendar`"),
    ("routes.staff", 'calendar = ""', "routes.staff.calendar: should have at least 1 character"),
    (
        "routes.staff",
        'calendar = "{contact.email}"',
        "depends on the owner alone (owner.email, owner.key, owner.name, owner.reference)",
    ),
    ("routes.staff", 'otherwise = "{owner.email}"', "routes.staff.otherwise: is taken as it stands"),
    ("routes.staff", 'summary = "{servce}"', "routes.staff.summary: {servce} names no field; did you mean 'service'?"),
    ("routes.staff", 'description = "{"', "routes.staff.description: a single '{'; write '{{'"),
    ("routes.staff", 'reveal = "all"', 'routes.staff.reveal: expected "busy", "service", "contact" or "full"'),
    (
        "routes.staff",
        'location = "{servce}"',
        "routes.staff.location: {servce} names no field; did you mean 'service'?",
    ),
    ("routes.staff", 'link = "{service"', "routes.staff.link: a single '{'; write '{{'"),
    ("routes.staff", 'categories = ["{a {service}}"]', "routes.staff.categories.0: a single '{'; write '{{'"),
    ("routes.staff", 'language = "de"', 'routes.staff.language: expected "en" or "fr"'),
    (
        "routes.staff",
        'colors = { service = { "Massage*" = "tomatoe" } }',
        'expected the name of a colour in CSS, in lower case, such as "tomato"; did you mean "tomato"?',
    ),
    ("routes.staff", 'colors = { service = { "*" = "#ff0000" } }', 'colors.service."*": expected the name of a colour'),
    (
        "routes.staff",
        'colors = { staff = { "*" = "teal" } }',
        'routes.staff.colors: events have their colours by service, owner, status, not by "staff"',
    ),
    ("routes.staff", 'colors = { service = "teal" }', "routes.staff.colors.service: expected a table"),
    (
        "routes.staff",
        'where = { weekday = "mondy" }',
        'routes.staff.where.weekday.0: expected the name of a day in English, such as "monday"; did you mean "monday"?',
    ),
    (
        "routes.staff",
        'where = { time = "8-12" }',
        'routes.staff.where.time.0: expected a span of the day, such as "08:00',
    ),
    ("routes.staff", 'where = { time = "08:00-08:00" }', "routes.staff.where.time.0: expected a span of the day"),
    ("routes.staff", 'where = { time = "08:00-24:01" }', "routes.staff.where.time.0: expected a span of the day"),
    ("routes.staff", 'where = { time = "24:00-06:00" }', "routes.staff.where.time.0: expected a span of the day"),
    ("routes.staff", "status = 5", "routes.staff.status: expected a table"),
    (
        "routes.staff",
        'status = { noShow = "marc" }',
        'routes.staff.status.noShow: expected "keep", "mark" or "delete"; did you mean "mark"?',
    ),
    (
        "routes.staff",
        "status = { noShow = 5 }",
        'status.noShow: expected "keep", "mark" or "delete", or a table with past, running and future',
    ),
    (
        "routes.staff",
        'status = { noShow = { past = "remove" } }',
        'routes.staff.status.noShow.past: expected "keep", "mark" or "delete"',
    ),
    (
        "routes.staff",
        'status = { noShow = { pats = "mark" } }',
        'routes.staff.status.noShow.pats: is not an option; did you mean "past"?',
    ),
    (
        "routes.staff",
        'status = { noShow = { past = "mark", shown_as = "canceled" } }',
        'status.noShow.shown_as: expected "confirmed", "tentative" or "cancelled"; did you mean "cancelled"?',
    ),
    (
        "routes.staff",
        'status = { noShow = { past = "mark", busy = "x" } }',
        "routes.staff.status.noShow.busy: expected true or false",
    ),
    (
        "routes.staff",
        'status = { noShow = { prefix = "✗ " } }',
        "routes.staff.status.noShow: says how a mark looks (prefix), and marks at no time",
    ),
    (
        "routes.staff",
        'status = { noShow = "mark", noshow = "keep" }',
        "routes.staff.status: names a status twice; capitals make no difference",
    ),
    ("routes.staff", "status = { noShow = {} }", "routes.staff.status.noShow: says nothing; write what becomes of it"),
    (
        "routes.staff",
        'status = { noShow = { past = "mark", busy = "yes" } }',
        "routes.staff.status.noShow.busy: expected true or false",
    ),
    (
        "routes.staff",
        'status = { noShow = { past = "mark", prefix = "x\\u0000" } }',
        "routes.staff.status.noShow.prefix: stands before a title, which is one line",
    ),
    (
        "routes.staff",
        'status = { noShow = { past = "mark", prefix = "x\\n" } }',
        "routes.staff.status.noShow.prefix: stands before a title, which is one line",
    ),
    ("routes.staff", 'status = { "" = "delete" }', "routes.staff.status: names a status without a word"),
    ("routes.staff", 'status = { " " = "delete" }', "routes.staff.status: names a status without a word"),
    ("routes.staff", 'where = { status = "x" }', "routes.staff.where.status: the status is never a filter"),
    (
        "routes.staff",
        'where = { servic = "x" }',
        'routes.staff.where.servic: is not an option; did you mean "service"?',
    ),
    ("routes.staff", "where = { owner = [] }", "routes.staff.where.owner: has too few entries"),
    ("routes.staff", "where = { owner = [5] }", "routes.staff.where.owner.0: expected a text in quotes"),
]


@pytest.mark.parametrize(("section", "line", "answer"), MISTAKES, ids=[line for _, line, _ in MISTAKES])
def test_a_mistake_is_the_only_problem_and_says_where_and_what_instead(
    file: Path, section: str, line: str, answer: str
) -> None:
    (problem,) = problems(file, with_line(section, line))
    assert answer in problem


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("name", "calferry.name: is missing: the name of this installation"),
        ("kind", "sources.salon.kind: is missing; known: booth, desk, door"),
        ("company", "sources.salon.company: is missing: the number of the company"),
        ("api_key", "sources.salon.api_key: is missing, and required"),
        ("source", "routes.staff.source: is missing: the name of a source in this file"),
        ("calendar", "routes.staff: give it exactly one of `calendar` (a template) and `calendars`"),
    ],
)
def test_what_is_missing_is_asked_for(file: Path, key: str, answer: str) -> None:
    (problem,) = problems(file, re.sub(rf"(?m)^{key} = .*\n", "", SALON, count=1))
    assert answer in problem


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("[sauces.x]", 'sauces: is not a section; did you mean "sources"?'),
        ("[targets.'Éa b']\nkind = 'wall'", 'targets."Éa b": a name has lower-case letters, digits, hyphens'),
        ("[targets]\nx = 5", "targets.x: expected a table with a name, such as [targets.salon]"),
    ],
)
def test_a_section_that_cannot_be_is_named(file: Path, text: str, answer: str) -> None:
    (problem,) = problems(file, SALON.replace("[targets.wall]", f"{text}\n[targets.wall]"))
    assert answer in problem


def test_sections_that_are_no_tables_are_all_named(file: Path) -> None:
    said = problems(file, "calferry = 1\nsources = 2\ntargets = 3\nroutes = 4")
    assert [problem.split(":")[0] for problem in said] == ["calferry", "calferry.name", "sources", "targets", "routes"]


def test_all_five_mistakes_of_a_file_come_in_one_error(file: Path) -> None:
    text = SALON.replace('"salon"\n\n', '"Salon"\n\n').replace('company = "1"', 'evry = "2m"')
    text = text.replace("API_KEY", "NO_KEY").replace("{owner.email}", "{owner.mail}")
    assert [problem.split(": ")[0] for problem in problems(file, text)] == [
        "calferry.name",
        "sources.salon.api_key",
        "sources.salon.company",
        "sources.salon.evry",
        "routes.staff.calendar",
    ]


def test_an_error_reads_as_all_its_problems_and_ends_the_command_with_2(file: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        read(file, "[calferry]\nnme = 1")
    assert str(raised.value).splitlines() == list(raised.value.problems)
    assert len(raised.value.problems) == 2
    assert raised.value.exit_code == 2


def test_a_missing_file_says_where_it_was_looked_for_and_how_to_name_another(file: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no such file.*calferry COMMAND --config PATH") as raised:
        load(file, kinds=KINDS, environment={})
    assert str(file) in str(raised.value)


def test_a_folder_is_no_configuration(file: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read \(Is a directory\)"):
        load(file.parent, kinds=KINDS, environment={})


def test_a_file_in_another_encoding_is_told_so(file: Path) -> None:
    file.write_bytes(SALON.encode("utf-16"))
    with pytest.raises(ConfigError, match=r"config.toml: is not UTF-8 \(byte 1\)"):
        load(file, kinds=KINDS, environment={})


def test_what_is_not_toml_is_shown_with_its_line(file: Path) -> None:
    (problem,) = problems(file, "[calferry]\nname = salon")
    assert re.search(r"config.toml: is not TOML: .*line 2", problem)


@pytest.mark.parametrize("text", ["x = " + "[" * 5000, "x = " + "9" * 5000], ids=["nested", "long number"])
def test_what_is_too_much_for_the_parser_is_a_problem_like_any_other(file: Path, text: str) -> None:
    assert len(problems(file, text)) == 1
