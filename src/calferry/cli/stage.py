"""The stage of the demo: a configuration like any other, that happens to point at the sandbox."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calferry.sandbox import Sandbox

APPLICATION = "11111111-2222-3333-4444-555555555555"
"""Who calferry is to the stand-in of Microsoft."""


def set_up(home: Path, sandbox: Sandbox, password: str = "") -> Path:
    """Write the configuration and its secrets into the folder `home`; with pages, where there is a digest of a password
    for them. Returns its path."""
    client_secret = secrets.token_hex(20)
    sandbox.graph.world.add_application(APPLICATION, client_secret)
    files = {
        "client-secret": client_secret,
        "service-account.json": json.dumps(sandbox.google.add_service_account(delegated=True)),
        "agendize-key": sandbox.agendize.api_key,
        "agendize-token": sandbox.agendize.token,
        "clicrdv-key": sandbox.clicrdv.api_key,
        "clicrdv-password": sandbox.clicrdv.password,
        "valomnia-password": sandbox.valomnia.password,
        "feed-secret": secrets.token_hex(32),
    }
    for name, text in files.items():
        (home / name).write_text(text, encoding="utf-8")
    config = home / "calferry.toml"
    config.write_text(_sources(sandbox) + _targets(sandbox) + _web(password) + ROUTES, encoding="utf-8")
    return config


def _sources(sandbox: Sandbox) -> str:
    from calferry.sandbox.scenery import COMPANY, GROUP

    return f"""\
[calferry]
name = "demo"

[sources.clinic]
kind = "agendize"
company = "{COMPANY}"
base_url = "{sandbox.agendize.url}"
api_key = {{ file = "agendize-key" }}
token = {{ file = "agendize-token" }}

[sources.practice]
kind = "clicrdv"
group = "{GROUP}"
base_url = "{sandbox.clicrdv.url}"
api_key = {{ file = "clicrdv-key" }}
email = "{sandbox.clicrdv.email}"
password = {{ file = "clicrdv-password" }}

[sources.field]
kind = "valomnia"
organisation = "example"
base_url = "{sandbox.valomnia.url}"
user = "{sandbox.valomnia.user}"
password = {{ file = "valomnia-password" }}

"""


def _targets(sandbox: Sandbox) -> str:
    return f"""\
[targets.workspace]
kind = "google"
root_url = "{sandbox.google.url}/"
credentials = {{ file = "service-account.json" }}
subject = "{{owner.email}}"
allow = ["*@clinic.example"]

[targets.office]
kind = "office365"
tenant = "{sandbox.graph.world.tenant}"
client_id = "{APPLICATION}"
client_secret = {{ file = "client-secret" }}
root_url = "{sandbox.graph.url}"
authority = "{sandbox.graph.url}"
ca_file = "{sandbox.graph.ca_file}"
allow = ["*@clinic.example"]

[targets.web]
kind = "ical"
secret = {{ file = "feed-secret" }}
title = "Everyone"

"""


def _web(password: str) -> str:
    return f"""\
[web]
listen = "127.0.0.1:0"
{f'password = "{password}"' if password else ""}

"""


ROUTES = """\
# Two have their calendars at Google, two at Microsoft.
[routes.clinic]
source = "clinic"
target = "workspace"
where = { owner = ["bjorn@*", "chloe@*"] }
calendar = "{owner.email}"
reveal = "contact"
summary = "{service}{ – contact.first_name}{ – booked}"

[routes.clinic-office]
source = "clinic"
target = "office"
where = { owner = "ana@*" }
calendar = "{owner.email}"
reveal = "contact"
summary = "{service}{ – contact.first_name}{ – booked}"

# ClicRDV tells no e-mail addresses: its calendars are known by their names.
[routes.practice]
source = "practice"
target = "office"
reveal = "contact"
summary = "{service}{ – contact.first_name} (practice)"

[routes.practice.calendars]
"Ana Pérez-Sample" = "ana@clinic.example"
"Dário Amostra" = "dario@clinic.example"

[routes.field]
source = "field"
target = "workspace"
where = { owner = "chloe@*" }
calendar = "{owner.email}"
reveal = "contact"
summary = "{service}{ – contact.name} (field)"

[routes.field-office]
source = "field"
target = "office"
where = { owner = "dario@*" }
calendar = "{owner.email}"
reveal = "contact"
summary = "{service}{ – contact.name} (field)"

[routes.clinic-feed]
source = "clinic"
target = "web"
calendar = "everyone"

[routes.practice-feed]
source = "practice"
target = "web"
calendar = "everyone"

[routes.field-feed]
source = "field"
target = "web"
calendar = "everyone"
"""
