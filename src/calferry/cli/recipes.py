"""What `calferry init` knows of each kind: what it has to ask, which secrets there are, and what the file says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

QUESTIONS: Mapping[str, tuple[str, str]] = {
    "account": ("The id of the account at the booking system", ""),
    "user": ("The e-mail address that calferry signs in with there", ""),
    "domain": ("The domain of the calendars' addresses", "salon.example"),
    "tenant": ("The directory (tenant): its id, or one of its domains", ""),
    "client_id": ("The application (client) id of the app registration", ""),
    "url": ("How subscribers reach the feeds", "https://calendars.salon.example"),
}
"""What may have to be asked, by the option that answers it: the question, and what an answer looks like."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A kind of source or target. `options` and `routes` hold answers in braces as `<name>`; `secrets` are options."""

    asks: tuple[str, ...]
    secrets: Mapping[str, str]
    options: str
    calendar: str = ""


SOURCES: Mapping[str, Recipe] = {
    "agendize": Recipe(
        asks=("account",),
        secrets={"api_key": "the API key of the Agendize account", "token": "the token that goes with the key"},
        options="# The id of the company, in quotes.\ncompany = <account>\n",
    ),
    "clicrdv": Recipe(
        asks=("account", "user"),
        secrets={"api_key": "the key that ClicRDV gave to your application", "password": "the password of that user"},
        options="# The id of the group, in quotes; and how a member of the practice signs in.\n"
        "group = <account>\nemail = <user>\n",
    ),
    "valomnia": Recipe(
        asks=("account", "user"),
        secrets={"password": "the password of that user"},
        options="# What stands before .valomnia.com; and a user who sees everybody's appointments.\n"
        "organisation = <account>\nuser = <user>\n",
    ),
}

TARGETS: Mapping[str, Recipe] = {
    "google": Recipe(
        asks=("domain",),
        secrets={"credentials": "the key of a service account, in JSON as the Google Cloud console hands it out"},
        options="# With domain-wide delegation: act as the owner of each calendar, in these calendars only.\n"
        'subject = "{owner.email}"\nallow = [<*@domain>]\n',
        calendar='"{owner.email}"',
    ),
    "office365": Recipe(
        asks=("tenant", "client_id", "domain"),
        secrets={"client_secret": "a client secret of the application"},
        options="tenant = <tenant>\nclient_id = <client_id>\n# The only mailboxes that may be written.\n"
        "allow = [<*@domain>]\n",
        calendar='"{owner.email}"',
    ),
    "ical": Recipe(
        asks=("url",),
        secrets={"secret": "what all addresses of feeds are made from: openssl rand -hex 32"},
        options='# The name subscribers see.\n# title = "{owner.name}"\n',
        calendar='"{owner.key}"',
    ),
}

WITHOUT_ADDRESSES = frozenset({"clicrdv"})
"""Booking systems that do not tell the e-mail addresses of the staff."""

HEAD = """\
# Written by `calferry init`. Lines with a # at the start show a default, or another choice.
# The reference is docs/configuration.md; config.example.toml shows every option. `calferry check` reads this file.
# Taking something out of this file deletes nothing in any calendar.

[calferry]
# The name of this installation. It is part of the uid of every event: never change it.
name = <name>

# Where calferry remembers what it wrote. A relative path starts at this file.
# database = "sqlite:///calferry.db"

[sources.<source>]
kind = <source_kind>
"""

SECRETS = "# Secrets stay out of this file: {where}.\n"

RHYTHM = """
# How often to ask what changed, and to list everything, which is how deletions are noticed.
# every = "2m"
# reconcile = { near = "15m", all = "24h" }
# window = { past = "30d", future = "400d" }

"""

TARGET = """\
[targets.<target>]
kind = <target_kind>
"""

WEB = """
[web]
# Where the service tells how it fares: /healthz, /readyz, /metrics.
health = "127.0.0.1:8366"
"""

FEEDS = """\
# Where feeds are served, without encryption: put a web server with TLS in front of it.
# listen = "127.0.0.1:8365"
url = <url>
"""

ALERTS = """
# Who hears that something is wrong. `calferry alerts test` tries it.
# [alerts.email]
# to = ["desk@salon.example"]
# from = "calferry@salon.example"
# host = "mail.salon.example"

"""

ROUTE = """\
[routes.staff]
source = <source_name>
target = <target_name>

# The calendar of each member of staff: {owner.email}, {owner.key} and {owner.name} stand for what the booking system
# says. A text without braces is one calendar for everybody.
"""

REVEAL = """
# How much the calendar may show: "busy", "service", "contact" or "full".
reveal = "service"
# summary = "{service}{ – contact.first_name}"
"""

BY_NAME = """\
# This booking system tells no addresses of its staff: name the calendar of each here.
[routes.staff.calendars]
<example_name> = <example_calendar>
"""
