"""Who may come in: the token endpoint, the scopes and the calendars' access lists."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from google.auth import crypt, jwt
from google.auth.exceptions import RefreshError
from googleapiclient.errors import HttpError

from calferry.sandbox import GoogleServer

ANA, BEN = "ana@salon.example", "ben@salon.example"
SCOPE = "https://www.googleapis.com/auth/calendar"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"

Connect = Callable[..., Any]
Body = Callable[..., dict[str, Any]]


def refusal(call: Any) -> tuple[int, str]:
    with pytest.raises(HttpError) as caught:
        call.execute()
    return caught.value.resp.status, caught.value.error_details[0]["reason"]


def first_page(service: Any, calendar: str = "primary") -> Any:
    with service.events() as events:
        return events.list(calendarId=calendar)


def trade(google: GoogleServer, grant_type: str = GRANT, **claims: Any) -> httpx.Response:
    """Trade an assertion with these claims for a token."""
    info = google.add_service_account(delegated=True)
    now = int(time.time())
    usual = {"iss": info["client_email"], "aud": info["token_uri"], "iat": now, "exp": now + 600, "scope": SCOPE}
    signer = crypt.RSASigner.from_service_account_info(info)  # type: ignore[no-untyped-call]
    assertion = jwt.encode(signer, usual | claims).decode()  # type: ignore[no-untyped-call]
    return httpx.post(info["token_uri"], data={"grant_type": grant_type, "assertion": assertion})


def test_a_token_belongs_to_its_subject(google: GoogleServer, connect: Connect) -> None:
    assert first_page(connect(ANA)).execute()["summary"] == ANA
    assert first_page(connect(BEN)).execute()["summary"] == BEN
    assert google.kinds == {"token": 2, "single": 2}
    assert (google.calls, google.requests) == (2, 4)


@pytest.mark.parametrize(
    ("claims", "error", "status"),
    [
        ({"sub": "nobody@salon.example"}, "invalid_grant", 400),
        ({"iss": "stranger@sandbox-project.example"}, "invalid_grant", 400),
        ({"aud": "https://elsewhere.example/token"}, "invalid_grant", 400),
        ({"exp": 1_000_000_000, "iat": 1_000_000_000 - 600}, "invalid_grant", 400),
        ({"exp": 4_000_000_000}, "invalid_grant", 400),
        ({"iat": "soon"}, "invalid_grant", 400),
        ({"scope": ""}, "invalid_scope", 400),
        ({"scope": "https://www.googleapis.com/auth/weather"}, "invalid_scope", 400),
        ({"grant_type": "password"}, "unsupported_grant_type", 400),
    ],
    ids=str,
)
def test_an_assertion_that_does_not_hold_is_refused(
    google: GoogleServer, claims: dict[str, Any], error: str, status: int
) -> None:
    answer = trade(google, **claims)

    assert answer.status_code == status
    assert answer.json()["error"] == error


def test_an_assertion_signed_by_another_key_is_refused(google: GoogleServer) -> None:
    info = google.add_service_account(delegated=True)
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256"}, {"iss": info["client_email"]})]
    forged = b".".join(base64.urlsafe_b64encode(part) for part in (*parts, b"no signature")).decode()

    for assertion in (forged, "garbage", ""):
        answer = httpx.post(info["token_uri"], data={"grant_type": GRANT, "assertion": assertion})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_acting_as_somebody_needs_delegation(google: GoogleServer) -> None:
    info = google.add_service_account(delegated=False)
    signer = crypt.RSASigner.from_service_account_info(info)  # type: ignore[no-untyped-call]
    now = int(time.time())
    claims = {"iss": info["client_email"], "aud": info["token_uri"], "iat": now, "exp": now + 600, "scope": SCOPE}
    assertion = jwt.encode(signer, claims | {"sub": ANA}).decode()  # type: ignore[no-untyped-call]

    answer = httpx.post(info["token_uri"], data={"grant_type": GRANT, "assertion": assertion})

    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized_client")


def test_a_revoked_subject_gets_no_token_and_loses_the_one_it_has(google: GoogleServer, connect: Connect) -> None:
    call = first_page(connect(ANA))
    call.execute()
    google.world.revoke(ANA)

    with pytest.raises(RefreshError, match="invalid_grant"):
        call.execute()


def test_an_expired_token_is_a_401_and_the_client_fetches_another(google: GoogleServer, connect: Connect) -> None:
    call = first_page(connect(ANA))
    call.execute()
    google.world.expire_access_tokens()
    call.execute()

    assert [one.status for one in google.log] == [200, 200, 401, 200, 200]
    url = f"{google.url}/calendar/v3/calendars/primary/events"
    assert httpx.get(url).json()["error"]["errors"][0]["reason"] == "authError"


def test_a_scope_opens_what_the_discovery_document_says(connect: Connect, body: Body) -> None:
    service = connect(ANA, "https://www.googleapis.com/auth/calendar.events.readonly")

    first_page(service).execute()
    with service.events() as events:
        assert refusal(events.insert(calendarId=ANA, body=body())) == (403, "insufficientPermissions")


@pytest.mark.parametrize(
    ("role", "reading", "writing"),
    [
        (None, (404, "notFound"), (404, "notFound")),
        ("freeBusyReader", (403, "requiredAccessLevel"), (403, "requiredAccessLevel")),
        ("reader", None, (403, "requiredAccessLevel")),
        ("writer", None, None),
        ("owner", None, None),
    ],
)
def test_a_role_opens_a_calendar(
    google: GoogleServer, connect: Connect, body: Body, role: Any, reading: Any, writing: Any
) -> None:
    if role:
        google.world.share(ANA, BEN, role)
    with connect(BEN).events() as events:
        for call, expected in (
            (events.list(calendarId=ANA), reading),
            (events.insert(calendarId=ANA, body=body()), writing),
        ):
            if expected:
                assert refusal(call) == expected
            else:
                call.execute()
    assert google.world.writes == (writing is None)


def test_a_withdrawn_calendar_is_not_found_until_it_is_back(google: GoogleServer, connect: Connect) -> None:
    call = first_page(connect(ANA), ANA)
    google.world.withdraw(ANA)
    assert refusal(call) == (404, "notFound")

    google.world.withdraw(ANA, withdrawn=False)
    assert call.execute()["items"] == []


def test_a_bare_service_account_sees_what_is_shared_and_may_not_invite(
    google: GoogleServer, connect: Connect, body: Body
) -> None:
    service = connect(None)
    me = next(iter(google.world.accounts))
    google.world.share(ANA, me, "writer")
    with service.calendarList() as calendars:
        assert [one["id"] for one in calendars.list().execute()["items"]] == [me]
        google.world.share(ANA, me, "writer", listed=True)
        assert ANA in [one["id"] for one in calendars.list().execute()["items"]]
    with service.events() as events:
        events.insert(calendarId=ANA, body=body()).execute()
        google.world.user_edits(ANA, "abcdefgh", attendees=[{"email": "friend@mail.example"}])
        events.patch(calendarId=ANA, eventId="abcdefgh", body={"summary": "New"}).execute()
        guests = body(id="bbbbb", attendees=[{"email": "client@mail.example"}])
        assert refusal(events.insert(calendarId=ANA, body=guests)) == (403, "forbiddenForServiceAccounts")


def test_a_calendar_tells_its_zone_and_primary_is_an_alias(google: GoogleServer, connect: Connect) -> None:
    google.world.add_calendar("room@group.example", ANA, time_zone="Europe/Paris")
    with connect(ANA).calendars() as calendars:
        assert calendars.get(calendarId="primary").execute()["id"] == ANA
        assert calendars.get(calendarId="room@group.example").execute()["timeZone"] == "Europe/Paris"
        google.world.unshare("room@group.example", ANA)
        assert refusal(calendars.get(calendarId="room@group.example"))[0] == 404


@pytest.mark.parametrize("path", ["/", "/calendar/v3/calendars", "/calendar/v2/calendars/primary/events", "/nowhere"])
def test_other_paths_are_not_found(google: GoogleServer, path: str) -> None:
    token = trade(google, sub=ANA).json()["access_token"]

    answer = httpx.get(google.url + path, headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 404


def test_a_body_that_is_no_json_object_is_a_parse_error(google: GoogleServer) -> None:
    token = trade(google, sub=ANA).json()["access_token"]
    for content in (b"", b"{", b"[]"):
        answer = httpx.post(
            f"{google.url}/calendar/v3/calendars/primary/events",
            content=content,
            headers={"Authorization": f"Bearer {token}"},
        )
        assert answer.json()["error"]["errors"][0]["reason"] == "parseError"
