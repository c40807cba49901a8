"""Signing in to Google with a browser: the way there, what it leaves behind, and how it ends."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import ValidationError

from calferry.errors import ConfigError, NotAuthorised, Unavailable
from calferry.model import Receipt
from calferry.ports import Connecting, Expiring
from calferry.sandbox import GoogleServer, GoogleWorld, faults
from calferry.sandbox.faults import Fault, matching
from calferry.targets.google import GoogleTarget
from calferry.targets.google.settings import EVENTS
from calferry.tokens import TokenFile
from tests.builders import NOW, event
from tests.contracts.target import Remote, TargetContract, create, failed, filed, push
from tests.contracts.target_network import NetworkContract
from tests.targets.google_world import ANA, KEY, GoogleRemote, Person, installed_target, settings_for, target_for


@dataclass
class Hands:
    """A clock that is set by hand."""

    time: datetime = NOW

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def server(hands: Hands) -> Iterator[GoogleServer]:
    with GoogleServer(GoogleWorld(hands.now)) as server:
        yield server
        assert server.crashes == []


@pytest.fixture
def target(server: GoogleServer, tokens: TokenFile, hands: Hands) -> GoogleTarget:
    return installed_target(server, tokens, hands)


class TestSignedIn(TargetContract, NetworkContract):
    @pytest.fixture
    def target(self, server: GoogleServer, tokens: TokenFile) -> GoogleTarget:
        target = installed_target(server, tokens)
        list(target.connect(Person()))
        return target

    @pytest.fixture
    def calendar(self) -> str:
        return KEY

    @pytest.fixture
    def remote(self, server: GoogleServer) -> Remote:
        return GoogleRemote(server)


def asked_for(person: Person) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(urlsplit(person.page).query).items()}


# ── the way in ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("here", [True, False])
def test_who_signs_in_lets_calferry_write_until_further_notice(
    server: GoogleServer, target: GoogleTarget, tokens: TokenFile, hands: Hands, here: bool
) -> None:
    person = Person(here=here)
    sentences = list(target.connect(person))
    assert f"signed in as {ANA}, with no more than {EVENTS}" in sentences
    assert str(tokens.path) in sentences[-1]
    filed(push(target, create(target, KEY, event())))
    later = installed_target(server, tokens, hands)  # another process, with what lies on the disk
    filed(push(later, create(later, KEY, event("u2"))))
    assert {one["creator"]["email"] for one in server.world.events(ANA)} == {ANA}
    assert tokens.path.stat().st_mode & 0o777 == 0o600


def test_no_more_is_asked_for_than_it_takes_and_the_way_back_is_proven(target: GoogleTarget) -> None:
    person = Person()
    list(target.connect(person))
    asked = asked_for(person)
    assert asked["scope"] == f"openid email {EVENTS}"
    assert (asked["access_type"], asked["prompt"], asked["login_hint"]) == ("offline", "consent", ANA)
    assert (asked["code_challenge_method"], len(asked["code_challenge"])) == ("S256", 43)
    assert urlsplit(asked["redirect_uri"]).hostname == "127.0.0.1"


def test_nobody_listens_once_it_is_over(target: GoogleTarget) -> None:
    person = Person()
    list(target.connect(person))
    port = urlsplit(asked_for(person)["redirect_uri"]).port
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_page_that_was_led_here_by_somebody_else_is_not_taken_for_the_answer(target: GoogleTarget) -> None:
    class Disturbed(Person):
        def open(self, url: str) -> bool:
            self.page = url
            redirect = asked_for(self)["redirect_uri"]

            def knock() -> None:
                for query in ("code=stolen&state=guessed", "code=stolen", ""):
                    httpx.get(f"{redirect}/?{query}")
                httpx.get(url, follow_redirects=True)

            Thread(target=knock).start()
            return True

    assert list(target.connect(Disturbed()))


@pytest.mark.parametrize(
    "pasted",
    [
        "",
        "http://127.0.0.1:1/?code=4/stolen&state=guessed",
        "nonsense",
        "http://[::1/?code=4/half",
        "http://127.0.0.1:1/?state=\udcff",
    ],
)
def test_an_address_of_another_sign_in_is_refused(target: GoogleTarget, tokens: TokenFile, pasted: str) -> None:
    with pytest.raises(NotAuthorised, match="calferry connect workspace"):
        list(target.connect(Person(here=False, pasted=pasted or "http://127.0.0.1/?state=")))
    assert tokens.read() == ""


def test_who_declines_lets_nobody_in(server: GoogleServer, target: GoogleTarget, tokens: TokenFile) -> None:
    server.world.sit_down(declines=True)
    with pytest.raises(NotAuthorised, match="access_denied"):
        list(target.connect(Person()))
    assert tokens.read() == ""


def test_another_account_than_the_configured_one_is_not_kept(
    server: GoogleServer, target: GoogleTarget, tokens: TokenFile
) -> None:
    list(target.connect(Person()))
    before = tokens.read()
    server.world.add_user("bo@salon.example")
    server.world.sit_down("bo@salon.example")
    with pytest.raises(NotAuthorised, match=r"bo@salon\.example has signed in, but `subject` is ana@salon\.example"):
        list(target.connect(Person()))
    assert tokens.read() == before


def test_a_right_that_was_not_ticked_is_named(server: GoogleServer, target: GoogleTarget, tokens: TokenFile) -> None:
    server.world.sit_down(unticked=[EVENTS])
    with pytest.raises(NotAuthorised, match=r"calendar\.events was not granted"):
        list(target.connect(Person()))
    assert tokens.read() == ""


@pytest.mark.parametrize("fault", [faults.status(502), faults.html(), faults.error_200(), faults.dropped()])
def test_a_token_endpoint_without_an_answer_signs_nobody_in(
    server: GoogleServer, target: GoogleTarget, tokens: TokenFile, fault: Fault
) -> None:
    server.faults.add(fault, match=matching("/token"))
    with pytest.raises(Unavailable):
        list(target.connect(Person()))
    assert tokens.read() == ""


def test_a_service_account_needs_nobody(server: GoogleServer) -> None:
    person = Person()
    for target in (target_for(server), target_for(server, subject=ANA, allow=["*@salon.example"])):
        (sentence,) = target.connect(person)
        assert "signs in" in sentence
    assert (person.page, person.told) == ("", [])
    server.world.disable("ferry@sandbox-project.example")
    with pytest.raises(NotAuthorised, match="invalid_grant"):
        list(target_for(server).connect(person))


def test_a_target_of_google_can_be_connected_and_may_end(target: GoogleTarget) -> None:
    assert isinstance(target, Connecting)
    assert isinstance(target, Expiring)


# ── the end of it ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_before_anybody_signed_in_the_command_is_named(target: GoogleTarget) -> None:
    error = failed(push(target, create(target, KEY, event())))
    assert isinstance(error, NotAuthorised)
    assert error.calendar is None
    assert f"Nobody has signed in as {ANA} yet; run `calferry connect workspace`" in str(error)
    with pytest.raises(NotAuthorised):
        list(target.ours(KEY))


def test_a_sign_in_that_was_withdrawn_says_why_that_may_be_and_a_new_one_mends_it(
    server: GoogleServer, target: GoogleTarget
) -> None:
    list(target.connect(Person()))
    filed(push(target, create(target, KEY, event("u1"))))
    server.world.revoke(ANA)
    error = failed(push(target, create(target, KEY, event("u2"))))
    assert isinstance(error, NotAuthorised)
    for reason in ("withdrawn", "password", "six months", "7 days", "calferry connect workspace"):
        assert reason in str(error)
    server.world.revoke(ANA, revoked=False)
    list(target.connect(Person()))
    filed(push(target, create(target, KEY, event("u2"))))


def test_a_new_sign_in_of_another_process_is_taken_up_by_one_that_runs(
    server: GoogleServer, target: GoogleTarget, tokens: TokenFile, hands: Hands
) -> None:
    server.switches.app_in_testing = True
    list(target.connect(Person()))
    filed(push(target, create(target, KEY, event("u1"))))
    hands.time += timedelta(days=8)
    server.world.expire_access_tokens()
    assert isinstance(failed(push(target, create(target, KEY, event("u2")))), NotAuthorised)
    list(installed_target(server, tokens, hands).connect(Person()))
    filed(push(target, create(target, KEY, event("u2"))))


def test_an_app_in_testing_announces_its_end(server: GoogleServer, target: GoogleTarget) -> None:
    assert target.expiry() is None
    server.switches.app_in_testing = True
    sentences = list(target.connect(Person()))
    assert "ends on 2026-12-02 09:00 UTC" in " ".join(sentences)
    expiry = target.expiry()
    assert expiry is not None
    assert expiry.at == NOW + timedelta(days=7)
    assert "calferry connect workspace" in expiry.remedy
    server.switches.app_in_testing = False
    list(target.connect(Person()))
    assert target.expiry() is None


@pytest.mark.parametrize("member", ["client_id", "subject", "scopes"])
def test_a_sign_in_that_the_configuration_no_longer_speaks_of_is_not_used(
    server: GoogleServer, tokens: TokenFile, member: str
) -> None:
    list(installed_target(server, tokens).connect(Person()))
    kept = json.loads(tokens.read())
    kept["sign_in"][member] = "another"
    tokens.write(json.dumps(kept))
    target = installed_target(server, tokens)
    error = failed(push(target, create(target, KEY, event())))
    assert isinstance(error, NotAuthorised)
    assert f"another {member} than the configuration; run `calferry connect workspace`" in str(error)


@pytest.mark.parametrize("text", ["nonsense", "[]", '{"sign_in": 3}'])
def test_a_token_file_that_is_none_closes_the_connection(target: GoogleTarget, tokens: TokenFile, text: str) -> None:
    tokens.write(text)
    assert isinstance(failed(push(target, create(target, KEY, event()))), NotAuthorised)
    assert target.expiry() is None
    if text != '{"sign_in": 3}':
        with pytest.raises(ConfigError):
            list(target.connect(Person()))


# ── what a configuration may say ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("subject", ["", "{owner.email}"])
def test_an_oauth_client_stands_for_one_address(server: GoogleServer, subject: str) -> None:
    with pytest.raises(ValidationError, match="needs `subject`"):
        settings_for(server, server.add_installed_client(), subject=subject, allow=["*"])


def test_a_client_of_another_type_is_refused_by_its_name(server: GoogleServer) -> None:
    client = server.add_installed_client()["installed"]
    with pytest.raises(ValidationError, match="Web application"):
        settings_for(server, {"web": client}, subject=ANA)
    with pytest.raises(ValidationError, match="neither the JSON key"):
        settings_for(server, {"installed": {"client_id": "1"}}, subject=ANA)


def test_nothing_of_a_sign_in_is_told_or_logged_but_who_and_until_when(
    target: GoogleTarget, tokens: TokenFile, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG", logger="calferry")
    caplog.set_level("INFO")
    sentences = list(target.connect(Person()))
    push_one = push(target, create(target, KEY, event()))
    assert isinstance(push_one[0], Receipt)
    secret = json.loads(tokens.read())["sign_in"]["refresh_token"]
    out, err = capfd.readouterr()
    assert secret not in f"{sentences} {caplog.text} {out} {err}"
    assert "code=" not in f"{caplog.text} {out} {err}".replace("code_challenge", "")
