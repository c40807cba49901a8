"""The example and the reference of the configuration file say all there is, and it is true."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from calferry.config import Kinds, Settings, load
from calferry.config.tables import (
    AlertsTable,
    EmailTable,
    InstallationTable,
    PingTable,
    ReconcileTable,
    RouteTable,
    SourceTable,
    StatusTable,
    TargetTable,
    WebhookTable,
    WebTable,
    WhereTable,
    WindowTable,
)
from calferry.sources.agendize import Settings as AgendizeSettings
from calferry.sources.clicrdv import Settings as ClicrdvSettings
from calferry.sources.valomnia import Settings as ValomniaSettings
from calferry.targets.google import Settings as GoogleSettings
from calferry.targets.ical import Settings as IcalSettings
from calferry.targets.office365 import Settings as Office365Settings
from calferry.template import FIELDS

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / "config.example.toml").read_text(encoding="utf-8")
REFERENCE = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")

KINDS = Kinds(
    sources={"agendize": AgendizeSettings, "clicrdv": ClicrdvSettings, "valomnia": ValomniaSettings},
    targets={"google": GoogleSettings, "ical": IcalSettings, "office365": Office365Settings},
)
TABLES: list[type[BaseModel]] = [
    *(InstallationTable, SourceTable, ReconcileTable, WindowTable, TargetTable, RouteTable, WhereTable, StatusTable),
    *(WebTable, AlertsTable, EmailTable, WebhookTable, PingTable),
    *(AgendizeSettings, ClicrdvSettings, ValomniaSettings, GoogleSettings, IcalSettings, Office365Settings),
]
OPTIONS = sorted({field.alias or name for table in TABLES for name, field in table.model_fields.items()})
SECRETS = {
    "AGENDIZE_API_KEY": "k3y",
    "AGENDIZE_TOKEN": "t0ken",
    "CLICRDV_API_KEY": "k3y",
    "CLICRDV_PASSWORD": "w0rd",
    "M365_SECRET": "s3cret",
    "SMTP_PASSWORD": "w0rd",
    "VALOMNIA_PASSWORD": "w0rd",
}


def shown_below(heading: str) -> str:
    """The first TOML that the reference shows below a heading."""
    _, _, section = REFERENCE.partition(f"## {heading}\n")
    return section.partition("```toml\n")[2].partition("```")[0]


@pytest.fixture
def salon(tmp_path: Path) -> Path:
    """A place for the configuration, with the files that the example names."""
    key = {"client_email": "calferry@project.example", "private_key": "-"}
    (tmp_path / "service-account.json").write_text(json.dumps(key))
    (tmp_path / "feed-secret").write_text("5" * 64)
    (tmp_path / "clicrdv-ca.pem").touch()
    (tmp_path / "m365-ca.pem").touch()
    return tmp_path / "config.toml"


def read(file: Path, text: str) -> Settings:
    file.write_text(text, encoding="utf-8")
    return load(file, kinds=KINDS, environment=SECRETS)


def defaults_shown() -> Iterator[tuple[str, str]]:
    """The sections of the example with the defaults that it shows as comments."""
    section = ""
    for line in EXAMPLE.splitlines():
        if heading := re.fullmatch(r"\[(.+)\]", line):
            section = heading[1]
        elif (shown := re.fullmatch(r"# ((\w+) = .*)", line)) and shown[2] not in {"where", "ca_file"}:
            yield section, shown[1]
        elif line.startswith("# Another way"):
            return


def test_the_example_works(salon: Path) -> None:
    said = read(salon, EXAMPLE)
    assert (said.name, [route.name for route in said.routes]) == ("salon-montreal", ["staff", "feeds"])


def test_the_status_policy_that_the_reference_shows_works(salon: Path) -> None:
    (shown,) = re.findall(r"```toml\n(\[routes\.staff\.status\].*?)```", REFERENCE, re.DOTALL)
    before, rest = EXAMPLE.split("[routes.staff.status]")
    after = rest[rest.index("# Another way") :]
    assert read(salon, before + shown + after).routes[0].status.keys() == {"cancelled", "noshow", "pending", "arrivée"}


@pytest.mark.parametrize("heading", ["Templates", "Categories and colours"])
def test_a_route_that_the_reference_shows_works(salon: Path, heading: str) -> None:
    shown = shown_below(heading)
    assert "[routes.staff]" in shown
    assert read(salon, EXAMPLE[: EXAMPLE.index("[routes.staff]")] + shown).routes[0].name == "staff"


@pytest.mark.parametrize("line", [*shown_below("Links").splitlines(), *shown_below("Filters").splitlines()])
def test_an_option_of_a_route_that_the_reference_shows_works(salon: Path, line: str) -> None:
    head, tail = EXAMPLE.split('where = { service = "*" }')
    assert read(salon, f"{head}{line}{tail}").routes[0].name == "staff"


def test_the_example_works_with_its_other_route(salon: Path) -> None:
    head, other = EXAMPLE.split("# Another way")
    uncommented = "\n".join(line.removeprefix("# ").removeprefix("#") for line in other.splitlines()[2:])
    assert [route.name for route in read(salon, head + uncommented).routes] == ["staff", "feeds", "rooms"]


def test_the_other_sources_of_the_example_work(salon: Path) -> None:
    """They are indented within their comments: no line of theirs is a default of the source above them."""
    shown = re.findall(r"^#   \[sources\.\w+\]\n(?:#   .*\n)+", EXAMPLE, re.MULTILINE)
    text = EXAMPLE + re.sub(r"^#   ", "", "\n".join(shown), flags=re.MULTILINE)
    assert {one.kind for one in read(salon, text).sources.values()} == KINDS.sources.keys()


def test_the_other_target_of_the_example_works(salon: Path) -> None:
    (shown,) = re.findall(r"^#   \[targets\.\w+\]\n(?:#   .*\n)+", EXAMPLE, re.MULTILINE)
    text = EXAMPLE + re.sub(r"^#   ", "", shown, flags=re.MULTILINE)
    assert {one.kind for one in read(salon, text).targets.values()} == KINDS.targets.keys()


def test_the_other_ways_of_alerts_in_the_example_work(salon: Path) -> None:
    for name in ("webhook-address", "webhook-secret", "ping-address"):
        (salon.parent / name).write_text("https://alerts.example/T0K3N")
    shown = re.findall(r"^#   \[alerts\.\w+\]\n(?:#   .*\n)+", EXAMPLE, re.MULTILINE)
    text = EXAMPLE + re.sub(r"^#   ", "", "\n".join(shown), flags=re.MULTILINE)
    alerts = read(salon, text).alerts
    assert None not in (alerts.email, alerts.webhook, alerts.ping)


def test_the_defaults_that_the_example_shows_are_the_defaults(salon: Path) -> None:
    bare = """
        [calferry]
        name = "x"
        [sources.salon]
        kind = "agendize"
        company = "1"
        api_key = { env = "AGENDIZE_API_KEY" }
        token = { env = "AGENDIZE_TOKEN" }
        [targets.workspace]
        kind = "google"
        credentials = { file = "service-account.json" }
        [routes.staff]
        source = "salon"
        target = "workspace"
        calendar = "x"
        [alerts]
        """
    expected = read(salon, bare)
    shown = list(defaults_shown())
    assert len(shown) >= 12
    for section, line in shown:
        assert read(salon, bare.replace(f"[{section}]", f"[{section}]\n{line}")) == expected


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_is_in_the_example_and_in_the_reference(option: str) -> None:
    assert re.search(rf"\b{option}\b", EXAMPLE)
    assert f"`{option}`" in REFERENCE


@pytest.mark.parametrize("word", sorted(FIELDS))
def test_every_template_field_is_in_the_reference(word: str) -> None:
    assert f"`{word}`" in REFERENCE
