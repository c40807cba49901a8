"""Whatever the configuration file holds: an answer or ConfigError, and nothing in it is ever evaluated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calferry.config import Kinds, Settings, load
from calferry.config.tables import InstallationTable, ReconcileTable, RouteTable, SourceTable, WhereTable, WindowTable
from calferry.errors import ConfigError
from calferry.sources.agendize import Settings as AgendizeSettings
from calferry.targets.google import Settings as GoogleSettings
from calferry.template import FIELDS

KINDS = Kinds(sources={"agendize": AgendizeSettings}, targets={"google": GoogleSettings})

OPTIONS = sorted(
    {
        name
        for table in (InstallationTable, SourceTable, ReconcileTable, WindowTable, RouteTable, WhereTable)
        for name in table.model_fields
    }
    | set(AgendizeSettings.model_fields)
    | set(GoogleSettings.model_fields)
)
WORDS = st.sampled_from(
    [
        *("salon", "agendize", "google", "7d", "2m", "full", "", "{", "é.\x7f", "\x00", "a b", "../x", "https://["),
        *("{owner.email}", "{__class__}", "sqlite:///x", "HOME", "*", "env", "file", "credential"),
    ]
)
KEYS = st.sampled_from(OPTIONS) | WORDS
SCALARS = WORDS | st.text(st.characters(codec="utf-8"), max_size=5) | st.integers() | st.booleans() | st.floats()
SECRETS = st.dictionaries(st.sampled_from(["env", "file", "credential"]), WORDS, min_size=1, max_size=1)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS | SECRETS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)
TABLES = st.fixed_dictionaries(
    {"kind": st.sampled_from(["agendize", "google", "agendise"]) | VALUES},
    optional={name: VALUES for name in OPTIONS if name != "kind"},
)
NAMED = st.dictionaries(WORDS, TABLES | VALUES, max_size=3)
DOCUMENTS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("calferry", "sources", "targets", "routes", "extra"), NAMED | TABLES | VALUES)
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("configuration") / "config.toml"


def answer(file: Path, content: bytes) -> Settings | ConfigError:
    """What reading a file with this content comes to. Whatever else it raises, it raises here too."""
    file.write_bytes(content)
    try:
        return load(file, kinds=KINDS, environment={"HOME": "x", "CREDENTIALS_DIRECTORY": str(file.parent)})
    except ConfigError as error:
        return error


def as_toml(value: Any) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{as_toml(key)} = {as_toml(inner)}" for key, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(as_toml, value)) + "]"
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case float():
            return repr(value)
        case _:
            return json.dumps(value)


@given(document=DOCUMENTS)
def test_whatever_the_tables_hold_every_problem_has_a_place_and_a_sentence(
    file: Path, document: dict[str, Any]
) -> None:
    text = "\n".join(f"{key} = {as_toml(value)}" for key, value in document.items())
    said = answer(file, text.encode())
    assert isinstance(said, Settings) or all(": " in problem for problem in said.problems)
    assert "is not TOML" not in str(said)


@given(content=st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_whatever_the_bytes_are_they_are_no_configuration_by_chance(file: Path, content: bytes) -> None:
    assert isinstance(answer(file, content), ConfigError)


ROUTE = """
calferry.name = "x"
sources.salon = { kind = "agendize", company = "1", api_key = { env = "HOME" }, token = { env = "HOME" } }
targets.wall = { kind = "google", credentials = { file = "key.json" } }
routes.staff = { source = "salon", target = "wall", calendar = "x", reveal = "full", summary = "SUMMARY" }
"""


@pytest.mark.parametrize("text", ["{owner.__class__}", "{0}", "{}", "{service.upper()}", "{service[0]} {x}"])
def test_a_template_that_reaches_for_more_than_a_field_is_a_problem(file: Path, text: str) -> None:
    said = answer(file, ROUTE.replace("SUMMARY", text).encode())
    assert isinstance(said, ConfigError)
    assert "routes.staff.summary: {" in str(said)


@pytest.mark.parametrize("text", ["{service!r}", "{service:>9}", "{service + 1}", "{__import__ service}"])
def test_what_looks_like_code_in_a_template_is_text(file: Path, text: str) -> None:
    key = {"client_email": "calferry@project.example", "private_key": "-"}
    (file.parent / "key.json").write_text(json.dumps(key))
    said = answer(file, ROUTE.replace("SUMMARY", text).encode())
    assert isinstance(said, Settings)
    shown = said.routes[0].shows.summary.render(dict.fromkeys(FIELDS, "Cut"))
    assert shown == text.strip("{}").replace("service", "Cut")
