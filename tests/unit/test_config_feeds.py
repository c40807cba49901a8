"""What the configuration of feeds comes to, and what it says about itself when it is wrong."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from calferry.config import Kinds, Settings, WebSettings, load
from calferry.errors import ConfigError
from calferry.targets.ical import Settings as IcalSettings

SECRET = "0123456789abcdef" * 2
FEEDS = """
[calferry]
name = "salon"

[web]
{web}

[targets.web]
kind = "ical"
{lines}
"""
KEPT = 'secret = { env = "FEED_SECRET" }'


def read(folder: Path, lines: str = KEPT, web: str = "", secret: str = SECRET) -> Settings:
    file = folder / "calferry.toml"
    file.write_text(FEEDS.format(lines=lines, web=web), encoding="utf-8")
    return load(file, kinds=Kinds(sources={}, targets={"ical": IcalSettings}), environment={"FEED_SECRET": secret})


def feeds(said: Settings) -> IcalSettings:
    options = said.targets["web"].options
    assert isinstance(options, IcalSettings)
    return options


def problem(folder: Path, lines: str = KEPT, web: str = "", secret: str = SECRET) -> str:
    """The one problem of a file."""
    with pytest.raises(ConfigError) as raised:
        read(folder, lines, web, secret)
    (only,) = raised.value.problems
    return only


def test_a_secret_is_enough(tmp_path: Path) -> None:
    said = read(tmp_path)
    options = feeds(said)
    assert options.secret.get_secret_value() == SECRET
    assert (options.title, options.color, options.most, options.combined) == ("{owner.name}", "", 10_000, {})
    spans = (options.past, options.tombstones, options.refresh)
    assert spans == (timedelta(days=30), timedelta(days=7), timedelta(hours=1))
    assert said.web == WebSettings(host="127.0.0.1", port=8365, url="")


def test_one_pattern_of_a_combined_feed_need_not_be_a_list(tmp_path: Path) -> None:
    options = feeds(read(tmp_path, f'{KEPT}\ncombined = {{ all = "*", two = ["1*", "2*"] }}'))
    assert options.combined == {"all": ("*",), "two": ("1*", "2*")}


def test_nothing_need_be_kept_of_what_ended_or_was_cancelled(tmp_path: Path) -> None:
    options = feeds(read(tmp_path, f'{KEPT}\npast = "0d"\ntombstones = "0d"'))
    assert (options.past, options.tombstones) == (timedelta(0), timedelta(0))


MISTAKES = {
    'title = "Calendar of {service}"': "title: knows the field owner.name alone, not service",
    'title = "{owner.email}"': "title: knows the field owner.name alone, not owner.email",
    'title = "{owner}"': "title: {owner} names no field; did you mean 'owner.key'?",
    'title = "{"': "title: a single '{'; write '{{' for the character itself",
    'color = "#008080"': 'color: expected the name of a colour in CSS, in lower case, such as "teal"',
    'color = "Teal"': 'color: expected the name of a colour in CSS, in lower case, such as "teal"',
    'color = "teal\\n"': 'color: expected the name of a colour in CSS, in lower case, such as "teal"',
    'past = "a while"': 'past: expected a duration such as "90s", "2m", "24h", "30d" or "2w"',
    'past = "999999w"': "past: should be less than or equal to 1826 days",
    'tombstones = "999999w"': "tombstones: should be less than or equal to 1826 days",
    'refresh = "0s"': "refresh: should be greater than or equal to 1 minute",
    "most = 0": "most: should be greater than or equal to 1",
    "most = 1000000": "most: should be less than or equal to 100000",
    'most = "many"': "most: expected a whole number, such as 50",
    'combined = ["*"]': 'combined: expected a table, such as { name = "…" }',
    "combined = { all = [] }": "combined.all: has too few entries; name more, or leave it out",
    "combined = { all = 3 }": 'combined.all: expected a list, such as ["…", "…"]',
    "combined = { all = { a = 1 } }": 'combined.all: expected a list, such as ["…", "…"]',
    'combined = { "Every one" = "*" }': (
        'combined."Every one"."[key]": the name of a feed has lower-case letters, digits, hyphens and underscores only'
    ),
    'colour = "teal"': 'colour: is not an option; did you mean "color"?',
}


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_is_the_only_problem_and_says_where_and_what_instead(tmp_path: Path, line: str) -> None:
    assert problem(tmp_path, f"{KEPT}\n{line}") == f"targets.web.{MISTAKES[line]}"


def test_without_a_secret_it_says_how_to_make_one(tmp_path: Path) -> None:
    said = problem(tmp_path, "")
    assert said.startswith("targets.web.secret: is missing: the secret that all addresses of feeds are made from")
    assert "openssl rand -hex 32" in said


def test_a_secret_in_the_file_itself_is_not_taken(tmp_path: Path) -> None:
    said = problem(tmp_path, f'secret = "{SECRET}"')
    assert said.startswith("targets.web.secret: write {")
    assert SECRET not in said


def test_a_secret_that_is_too_short_is_not_repeated(tmp_path: Path) -> None:
    said = problem(tmp_path, secret=SECRET[:31])
    assert said == "targets.web.secret: has fewer than 32 characters; make one with `openssl rand -hex 32`"


ANSWERS = {
    'url = "ftp://calendars.salon.example"': "url: expected an address that subscribers reach",
    'url = "https://ana:pw@calendars.salon.example"': "url: expected an address that subscribers reach",
    'url = "https://calendars.salon.example:99999"': "url: expected an address that subscribers reach",
    'url = "https://calendars.salon.example/?a=b"': "url: expected no query",
    f'url = "https://calendars.salon.example/{"x" * 200}"': "url: expected no query, no fragment and at most 200",
    'listen = "8365"': "listen: expected a host and a port",
    'listen = ":8365"': "listen: expected a host and a port",
    'password = "open sesame"': "password: expected the line that `calferry password` prints",
    'password = "scrypt:eA=:eA=="': "password: expected the line that `calferry password` prints",
    'trusted_proxies = ["proxy.salon.example"]': "trusted_proxies.0: expected addresses or networks",
    'user_header = "Remote User"': "user_header: expected the name of a header",
    "port = 8365": "port: is not an option; known: health, listen, password, trusted_proxies, url, user_header",
}


@pytest.mark.parametrize("line", ANSWERS)
def test_an_address_that_cannot_be_served_says_what_was_expected(tmp_path: Path, line: str) -> None:
    assert problem(tmp_path, web=line).startswith(f"web.{ANSWERS[line]}")


def test_the_address_of_the_server_is_taken_without_its_last_slash(tmp_path: Path) -> None:
    said = read(tmp_path, web='listen = "[::1]:80"\nurl = "https://calendars.salon.example/cal/"')
    assert said.web == WebSettings(host="::1", port=80, url="https://calendars.salon.example/cal")


def test_trusted_proxies_are_addresses_or_networks(tmp_path: Path) -> None:
    said = read(tmp_path, web='trusted_proxies = ["127.0.0.1", "10.0.0.0/8", "::1"]')
    assert said.web.trusted_proxies == ("127.0.0.1/32", "10.0.0.0/8", "::1/128")
    assert read(tmp_path, web='trusted_proxies = "127.0.0.1"').web.trusted_proxies == ("127.0.0.1/32",)
    assert "expected addresses or networks" in problem(tmp_path, web='trusted_proxies = ["proxy.example"]')
