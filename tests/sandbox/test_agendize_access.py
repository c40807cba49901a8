"""The booking system's stand-in lets an application in, as RFC 6749 has it."""

from __future__ import annotations

import httpx
import pytest

from calferry.sandbox import AgendizeServer


def refresh(agendize: AgendizeServer, **members: str) -> httpx.Response:
    access = agendize.access
    form = {
        "grant_type": "refresh_token",
        "client_id": access.client_id,
        "client_secret": access.client_secret,
        "refresh_token": access.refresh_token,
    }
    return httpx.post(f"{agendize.url}/o/oauth2/token", data=form | members)


def bearing(agendize: AgendizeServer, token: str) -> httpx.Response:
    url = f"{agendize.url}/api/2.1/scheduling/companies/100"
    return httpx.get(url, headers={"Authorization": f"Bearer {token}"})


def test_a_refresh_token_buys_access_tokens_until_they_run_out(
    agendize: AgendizeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    bought = refresh(agendize).json()

    assert (bought["token_type"], bought["expires_in"]) == ("Bearer", 3600)
    assert bearing(agendize, bought["access_token"]).status_code == 200
    assert bearing(agendize, "another").status_code == 401
    now = agendize.world.now()
    monkeypatch.setattr(agendize.world, "now", lambda: now + agendize.access.life)
    assert bearing(agendize, bought["access_token"]).status_code == 401
    again = refresh(agendize).json()["access_token"]
    agendize.access.withdraw()
    assert bearing(agendize, again).status_code == 401


@pytest.mark.parametrize(
    ("members", "status", "error"),
    [
        ({"refresh_token": "another"}, 400, "invalid_grant"),
        ({"client_secret": "another"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_what_is_no_good_buys_nothing(
    agendize: AgendizeServer, members: dict[str, str], status: int, error: str
) -> None:
    answer = refresh(agendize, **members)

    assert (answer.status_code, answer.json()) == (status, {"error": error})
    assert httpx.get(f"{agendize.url}/o/oauth2/token").status_code == 400


def test_an_exchange_may_say_no_life_and_bring_the_next_refresh_token(agendize: AgendizeServer) -> None:
    agendize.switches.omit_expiry = agendize.switches.rotate_refresh_tokens = True
    first = agendize.access.refresh_token

    bought = refresh(agendize).json()

    assert "expires_in" not in bought
    assert refresh(agendize, refresh_token=first).status_code == 400
    assert refresh(agendize, refresh_token=bought["refresh_token"]).status_code == 200
