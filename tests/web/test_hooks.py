"""What a booking system that calls is answered, and whoever only claims to be one."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from calferry.hooks import Register, Registration
from calferry.sync.installation import Installation
from calferry.tokens import TokenFile
from calferry.web import hooks
from calferry.web.hooks import CALLS, FORGED, LONGEST, Door, route
from calferry.web.peers import Proxies, Quota
from calferry.web.server import bind, root_of, serving
from tests.crossing import Salon, salon

KNOWN = Registration(seed="5e" * 32)
PROXY = Proxies(["127.0.0.1"])


def basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


HEADER = {"X-Calferry-Secret": KNOWN.proof.header}
PASSWORD = {"Authorization": basic(KNOWN.proof.user, KNOWN.proof.password)}
WRONG = {"X-Calferry-Secret": "wrong"}


@dataclass(frozen=True)
class Listening:
    installation: Installation
    client: httpx.Client
    key: str

    def call(
        self, content: Any = b'{"id": "7"}', token: str = KNOWN.token, method: str = "POST", **headers: Any
    ) -> int:
        return self.answer(content, token, method, **headers).status_code

    def answer(
        self, content: Any = b'{"id": "7"}', token: str = KNOWN.token, method: str = "POST", **headers: Any
    ) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.request(method, f"/hooks/{token}", content=content, headers=named or HEADER)

    @property
    def hints(self) -> Sequence[str]:
        now = self.installation.clock.now()
        return [one.source_id for one in self.installation.ledger.nudges.due(self.key, now, 10_000)]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Salon]:
    with salon(tmp_path) as opened:
        yield opened


@pytest.fixture
def door(shop: Salon, tmp_path: Path) -> Iterator[Listening]:
    kept = Register(TokenFile(tmp_path / "tokens" / "hooks.salon"))
    kept.write(KNOWN)
    with shop.installation() as opened, bind("127.0.0.1", 0) as listening:
        (account,) = opened.accounts
        one = Door(account.source.key, account.source, kept)  # type: ignore[arg-type]
        app = Starlette(routes=[route(opened, [one], PROXY)])
        with serving(app, listening), httpx.Client(base_url=root_of(listening), timeout=60, trust_env=False) as client:
            yield Listening(opened, client, account.source.key)


@pytest.mark.parametrize("headers", [HEADER, PASSWORD, HEADER | PASSWORD])
def test_a_call_with_what_has_to_come_with_it_is_a_hint_and_is_answered_with_nothing(
    door: Listening, headers: dict[str, str]
) -> None:
    answer = door.answer(json.dumps({"id": 7, "event": "created", "client": {"lastName": "Sample"}}), **headers)
    assert (answer.status_code, answer.content, door.hints) == (204, b"", ["7"])


def test_a_form_or_another_charset_is_read_too(door: Listening) -> None:
    assert door.call(b"id=8", **HEADER, Content_Type="application/x-www-form-urlencoded") == 204
    assert door.call('{"id": "9", "notes": "é"}'.encode("latin-1"), **HEADER, Content_Type="application/json") == 204
    assert door.hints == ["8", "9"]


FORGERIES: dict[str, dict[str, Any]] = {
    "another address": {"token": "A" * 43},
    "no secret": {"X_Other": "1"},
    "a wrong secret": WRONG,
    "a wrong secret beside a right password": WRONG | PASSWORD,
    "a wrong password": {"Authorization": basic("calferry", "wrong")},
    "an empty secret": {"X-Calferry-Secret": ""},
    "letters that are no secret": {"X-Calferry-Secret": b"\xe9\xff"},
    "another method": {"method": "GET", "content": None},
    "a method that changes": {"method": "PUT"},
    "no content": {"content": b""},
    "no JSON": {"content": b"{"},
    "a list": {"content": b'["7"]'},
    "no id": {"content": b'{"event": "created"}'},
    "an id that is none": {"content": b'{"id": {"$ne": 1}}'},
    "an id that breaks lines": {"content": b'{"id": "7\\n8"}'},
    "an endless id": {"content": json.dumps({"id": "7" * 201}).encode()},
    "too deep": {"content": b'{"id":' + b"[" * 20_000},
    "too long": {"content": b'{"id": "7", "notes": "' + b"x" * LONGEST + b'"}'},
    "another type": {**HEADER, "Content_Type": "text/html"},
}


@pytest.mark.parametrize("name", FORGERIES)
def test_whatever_is_no_call_is_told_nothing_and_changes_nothing(door: Listening, name: str) -> None:
    answer = door.answer(**FORGERIES[name])
    assert (answer.status_code, answer.text, door.hints) == (404, "Not Found", [])
    nowhere = door.client.get("/nowhere")
    assert answer.headers["Content-Type"] == nowhere.headers["Content-Type"]


def test_a_call_that_is_repeated_is_the_same_hint(door: Listening) -> None:
    assert {door.call() for _ in range(5)} == {204}
    assert door.hints == ["7"]


def test_whoever_forges_is_told_to_come_later_and_keeps_no_call_out(door: Listening) -> None:
    forged = [door.call(**WRONG) for _ in range(FORGED + 5)]
    assert (forged[0], forged[-1]) == (404, 429)
    assert door.call() == 204
    assert door.call(**WRONG, X_Forwarded_For="203.0.113.9") == 404  # another peer, as the proxy says


def test_no_account_calls_without_end(door: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Quota, "is_spent", lambda quota, _peer: quota._most == CALLS)
    assert (door.call(), door.hints) == (429, [])


def test_before_a_hook_is_registered_and_after_it_was_removed_there_is_no_door(door: Listening, tmp_path: Path) -> None:
    Register(TokenFile(tmp_path / "tokens" / "hooks.salon")).remove()
    assert door.call() == 404
    assert door.hints == []


def test_nothing_secret_and_nobody_is_logged(door: Listening, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for said in (HEADER, PASSWORD, WRONG):
        door.call(b'{"id": "7", "client": {"lastName": "Sample"}}', **said)
    told = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("http"))
    secret = (KNOWN.token, KNOWN.proof.header, KNOWN.proof.password, KNOWN.seed, "Sample")
    assert not [word for word in secret if word in told]


def test_a_call_that_cannot_be_kept_is_not_answered_as_though_it_were(
    door: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    from calferry.errors import LedgerBusy

    def busy(*_: object) -> None:
        raise LedgerBusy

    monkeypatch.setattr(door.installation.ledger.nudges, "nudge", busy)
    assert door.call() == 503


@pytest.mark.parametrize(
    ("host", "forwarded", "peer"),
    [
        ("203.0.113.9", "198.51.100.7", "203.0.113.9"),
        ("127.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "192.0.2.1, 198.51.100.7, 10.1.2.3", "198.51.100.7"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("2001:db8::1", "", "2001:db8::/64"),
        ("2001:db8::2", "", "2001:db8::/64"),
        ("::ffff:203.0.113.9", "", "203.0.113.9"),
    ],
)
def test_only_a_trusted_proxy_says_who_asks(host: str, forwarded: str, peer: str) -> None:
    assert Proxies(["127.0.0.1", "10.0.0.0/8"]).peer(host, forwarded) == peer


def test_many_peers_take_no_more_room_than_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("calferry.web.peers.KNOWN", 3)
    quota = Quota(2)
    for number in range(10):
        quota.count(f"198.51.100.{number}")
    assert quota.is_spent("192.0.2.1")
    assert not quota.is_spent("198.51.100.0")


def test_the_header_is_the_one_that_the_booking_system_is_told() -> None:
    from calferry.sources.agendize.watching import SECRET_HEADER

    assert SECRET_HEADER.lower() == hooks.SECRET_HEADER
