"""Calendars that apps make: another one each time, on the list of whose they are, closed to other apps."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from google.auth import crypt, jwt

from calferry.sandbox import GoogleServer

ANA = "ana@salon.example"
AUTH = "https://www.googleapis.com/auth"
MAKING = f"{AUTH}/calendar.app.created {AUTH}/calendar.calendarlist.readonly"


def signed_in(google: GoogleServer) -> httpx.Response:
    """Trade an assertion for a token that acts as Ana, with no more than the rights to make calendars and list them."""
    info = google.add_service_account(delegated=True)
    now = int(time.time())
    claims = {"iss": info["client_email"], "aud": info["token_uri"], "iat": now, "exp": now + 600}
    signer = crypt.RSASigner.from_service_account_info(info)  # type: ignore[no-untyped-call]
    assertion = jwt.encode(signer, claims | {"scope": MAKING, "sub": ANA}).decode()  # type: ignore[no-untyped-call]
    grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    return httpx.post(info["token_uri"], data={"grant_type": grant, "assertion": assertion})


@pytest.fixture
def asked(google: GoogleServer) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {signed_in(google).json()['access_token']}"}
    with httpx.Client(base_url=f"{google.url}/calendar/v3", headers=headers) as client:
        yield client


def make(asked: httpx.Client, **body: Any) -> Any:
    return asked.post("/calendars", json={"summary": "Work", "description": "ours"} | body)


def listed(asked: httpx.Client) -> list[str]:
    return [one["id"] for one in asked.get("/users/me/calendarList").json()["items"]]


def test_each_request_makes_another_calendar(google: GoogleServer, asked: httpx.Client) -> None:
    first, second = (make(asked).json() for _ in range(2))
    assert first["id"] != second["id"]
    assert (first["summary"], first["description"]) == ("Work", "ours")
    assert {first["id"], second["id"], ANA} == set(listed(asked))
    assert asked.get(f"/calendars/{first['id']}").json()["summary"] == "Work"


@pytest.mark.parametrize("body", [{"summary": ""}, {"summary": None}, {"nonsense": 1}])
def test_a_calendar_without_a_title_or_with_more_than_there_is_is_refused(
    google: GoogleServer, asked: httpx.Client, body: dict[str, Any]
) -> None:
    assert make(asked, **body).status_code == 400
    assert listed(asked) == [ANA]


def test_no_other_calendar_opens_to_an_app_that_may_touch_its_own(google: GoogleServer, asked: httpx.Client) -> None:
    made = make(asked).json()["id"]
    assert asked.get(f"/calendars/{made}/events").status_code == 200
    assert asked.get(f"/calendars/{ANA}/events").status_code == 404
    google.world.calendars[made].app = "another"
    assert asked.get(f"/calendars/{made}/events").status_code == 404


def test_a_listing_may_lag(google: GoogleServer, asked: httpx.Client) -> None:
    google.switches.listings_lag = timedelta(hours=1)
    made = make(asked).json()["id"]
    assert listed(asked) == [ANA]
    google.switches.listings_lag = timedelta(0)
    assert made in listed(asked)


def test_a_project_without_the_api_is_told_so_in_batches_too(google: GoogleServer, asked: httpx.Client) -> None:
    google.world.api_enabled = False
    for answer in (asked.get(f"/calendars/{ANA}/events"), httpx.post(f"{google.url}/batch/calendar/v3")):
        assert answer.status_code == 403
        assert answer.json()["error"]["errors"][0]["reason"] == "accessNotConfigured"


def test_a_service_account_that_is_disabled_gets_no_token(google: GoogleServer) -> None:
    assert signed_in(google).status_code == 200
    google.world.disable("ferry@sandbox-project.example")
    assert signed_in(google).json()["error"] == "invalid_grant"
