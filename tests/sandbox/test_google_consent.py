"""Where users let installed apps in: what the page and the token endpoint refuse."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from calferry.sandbox import GoogleServer, GoogleWorld

ANA = "ana@salon.example"
REDIRECT = "http://127.0.0.1:5000"
SCOPE = "https://www.googleapis.com/auth/calendar.events"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(b"verifier").digest()).decode().rstrip("=")


def page(google: GoogleServer, **changed: str) -> httpx.Response:
    client = google.add_installed_client()["installed"]
    google.world.add_user(ANA)
    usual = {
        "client_id": client["client_id"],
        "redirect_uri": REDIRECT,
        "response_type": "code",
        "scope": f"openid email {SCOPE}",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "state": "s",
        "login_hint": ANA,
    }
    return httpx.get(client["auth_uri"], params=usual | changed)


def code(google: GoogleServer) -> str:
    return parse_qs(urlsplit(page(google).headers["Location"]).query)["code"][0]


def trade(google: GoogleServer, **changed: str) -> httpx.Response:
    client = google.add_installed_client()["installed"]
    usual = {name: client[name] for name in ("client_id", "client_secret")}
    usual |= {"grant_type": "authorization_code", "code_verifier": "verifier", "redirect_uri": REDIRECT}
    return httpx.post(client["token_uri"], data=usual | changed)


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "another"},
        {"redirect_uri": "https://elsewhere.example"},
        {"response_type": "token"},
        {"scope": "https://www.googleapis.com/auth/weather"},
        {"scope": ""},
        {"code_challenge_method": "plain"},
        {"code_challenge": ""},
    ],
    ids=str,
)
def test_a_page_without_what_it_takes_leads_nowhere(google: GoogleServer, changed: dict[str, str]) -> None:
    assert page(google, **changed).status_code == 400


@pytest.mark.parametrize("changed", [{"code_verifier": "guessed"}, {"redirect_uri": f"{REDIRECT}1"}, {"code": "4/x"}])
def test_a_code_is_worth_nothing_without_its_proof(google: GoogleServer, changed: dict[str, str]) -> None:
    answer = trade(google, **{"code": code(google)} | changed)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_a_code_is_worth_tokens_once(google: GoogleServer) -> None:
    one = code(google)
    told = trade(google, code=one).json()
    assert told["scope"].split() == ["email", SCOPE, "openid"]
    assert "refresh_token_expires_in" not in told
    assert trade(google, code=one).json()["error"] == "invalid_grant"


def test_a_client_needs_its_secret(google: GoogleServer) -> None:
    assert trade(google, code=code(google), client_secret="guessed").json()["error"] == "invalid_client"
    token = trade(google, code=code(google)).json()["refresh_token"]
    again = {"grant_type": "refresh_token", "refresh_token": token}
    assert trade(google, **again).status_code == 200
    assert trade(google, **again, client_secret="guessed").json()["error"] == "invalid_client"


def test_a_sign_in_to_an_app_in_testing_ends_after_seven_days() -> None:
    now = datetime(2026, 11, 25, 9, tzinfo=UTC)
    with GoogleServer(GoogleWorld(lambda: now)) as google:
        google.switches.app_in_testing = True
        told = trade(google, code=code(google)).json()
        assert told["refresh_token_expires_in"] == 7 * 86_400
        again = {"grant_type": "refresh_token", "refresh_token": told["refresh_token"]}
        assert trade(google, **again).status_code == 200
        now += timedelta(days=7)
        assert trade(google, **again).json()["error"] == "invalid_grant"
