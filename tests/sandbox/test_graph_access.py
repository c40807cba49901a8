"""The stand-in of Microsoft's sign-in and of who may do what in Graph, asked as the documents say."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from calferry.sandbox import GraphServer, GraphWorld

ANA, BO = "ana@salon.example", "bo@salon.example"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
EVENT = {"subject": "Soin", "isReminderOn": False} | {
    side: {"dateTime": f"2026-12-03T{hour}:00:00", "timeZone": "UTC"} for side, hour in (("start", 14), ("end", 15))
}


@pytest.fixture
def graph() -> Iterator[GraphServer]:
    world = GraphWorld()
    world.add_mailbox(ANA)
    world.add_mailbox(BO)
    world.add_application("public", public=True)
    world.add_application("app", "secret")
    with GraphServer(world) as server:
        yield server
        assert not server.crashes


@pytest.fixture
def client(graph: GraphServer) -> Iterator[httpx.Client]:
    context = ssl.create_default_context(cafile=graph.ca_file)
    with httpx.Client(base_url=graph.url, verify=context) as client:
        client.headers["Prefer"] = 'IdType="ImmutableId"'
        yield client


def begin(client: httpx.Client, *rights: str, client_id: str = "public") -> httpx.Response:
    scope = " ".join(["offline_access", *(f"{client.base_url}".rstrip("/") + f"/{right}" for right in rights)])
    return client.post("/salon.example/oauth2/v2.0/devicecode", data={"client_id": client_id, "scope": scope})


def poll(client: httpx.Client, device: dict[str, Any], client_id: str = "public") -> httpx.Response:
    form = {"grant_type": DEVICE, "client_id": client_id, "device_code": device["device_code"]}
    return client.post("/salon.example/oauth2/v2.0/token", data=form)


def refresh(client: httpx.Client, token: str, right: str = "Calendars.ReadWrite") -> httpx.Response:
    scope = f"{client.base_url}".rstrip("/") + f"/{right}"
    form = {"grant_type": "refresh_token", "client_id": "public", "refresh_token": token, "scope": scope}
    return client.post("/salon.example/oauth2/v2.0/token", data=form)


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


def signed_in(graph: GraphServer, client: httpx.Client, *rights: str) -> dict[str, Any]:
    device = begin(client, *(rights or ("Calendars.ReadWrite",))).json()
    graph.user_enters(device["user_code"], ANA)
    told: dict[str, Any] = poll(client, device).json()
    client.headers["Authorization"] = f"Bearer {told['access_token']}"
    return told


def test_a_device_waits_for_its_person(graph: GraphServer, client: httpx.Client) -> None:
    device = begin(client, "Calendars.ReadWrite").json()
    assert device.keys() == {"device_code", "user_code", "verification_uri", "expires_in", "interval", "message"}
    assert [refused(poll(client, device)) for _ in range(2)] == [(400, "authorization_pending")] * 2
    graph.switches.slow_downs = 1
    assert refused(poll(client, device)) == (400, "slow_down")
    graph.user_enters(device["user_code"], ANA)
    told = poll(client, device).json()
    assert {"access_token", "refresh_token", "id_token", "client_info", "scope"} < told.keys()
    assert refused(poll(client, device)) == (400, "bad_verification_code")


def test_a_code_is_declined_runs_out_or_is_none(graph: GraphServer, client: httpx.Client) -> None:
    device, other = (begin(client, "Calendars.ReadWrite").json() for _ in range(2))
    graph.user_declines(device["user_code"])
    assert refused(poll(client, device)) == (400, "authorization_declined")
    graph.expire_codes()
    assert refused(poll(client, other)) == (400, "expired_token")
    assert refused(poll(client, {"device_code": "none"})) == (400, "bad_verification_code")


def test_only_what_is_public_and_known_may_let_a_person_sign_in(client: httpx.Client) -> None:
    assert refused(begin(client, "Calendars.ReadWrite", client_id="nobody")) == (400, "unauthorized_client")
    device = begin(client, "Calendars.ReadWrite", client_id="app").json()
    assert refused(poll(client, device, "app")) == (401, "invalid_client")
    assert refused(begin(client)) == (400, "invalid_scope")


def test_a_refresh_token_buys_access_tokens_until_its_person_is_signed_out(
    graph: GraphServer, client: httpx.Client
) -> None:
    first = signed_in(graph, client)["refresh_token"]
    second = refresh(client, first).json()["refresh_token"]
    assert refresh(client, first).status_code == 200
    graph.switches.spent_refresh_tokens = "refused"
    refresh(client, second)
    assert refused(refresh(client, second)) == (400, "invalid_grant")
    graph.switches.refresh_tokens = "kept"
    third = signed_in(graph, client)["refresh_token"]
    assert "refresh_token" not in refresh(client, third).json()
    graph.world.consented.clear()
    assert refused(refresh(client, third)) == (400, "invalid_grant")
    graph.world.sign_everybody_out()
    assert refused(refresh(client, third)) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("right", "shared_for", "answers"),
    [
        ("Calendars.ReadWrite", "editing", (403, 403)),
        ("Calendars.ReadWrite.Shared", "nothing", (403, 403)),
        ("Calendars.ReadWrite.Shared", "reading", (200, 403)),
        ("Calendars.ReadWrite.Shared", "editing", (200, 201)),
    ],
)
def test_a_person_may_do_in_calendars_of_others_what_is_shared_and_asked_for(
    graph: GraphServer, client: httpx.Client, right: str, shared_for: str, answers: tuple[int, int]
) -> None:
    if shared_for != "nothing":
        graph.world.share(BO, ANA, edit=shared_for == "editing")
    signed_in(graph, client, right)
    read = client.get(f"/v1.0/users/{BO}/events")
    written = client.post(f"/v1.0/users/{BO}/calendar/events", json=EVENT)
    assert (read.status_code, written.status_code) == answers
    assert client.post(f"/v1.0/users/{ANA}/calendar/events", json=EVENT).status_code == 201


def test_a_calendar_says_who_may_edit_it_and_whether_it_is_the_default_one(
    graph: GraphServer, client: httpx.Client
) -> None:
    holidays = graph.world.add_calendar(ANA, "Holidays")
    graph.world.mailboxes[ANA].read_only.add(holidays)
    signed_in(graph, client)
    default = client.get(f"/v1.0/users/{ANA}/calendar").json()
    listed = client.get(f"/v1.0/users/{ANA}/calendars").json()["value"]
    assert default == listed[0]
    assert [(one["name"], one["canEdit"], one["isDefaultCalendar"]) for one in listed] == [
        ("Calendar", True, True),
        ("Holidays", False, False),
    ]


def test_an_event_in_a_calendar_that_may_only_be_read_stays_as_it_is(graph: GraphServer, client: httpx.Client) -> None:
    signed_in(graph, client)
    made = client.post(f"/v1.0/users/{ANA}/calendar/events", json=EVENT).json()["id"]
    holidays = graph.world.add_calendar(ANA, "Holidays")
    graph.world.user_moves(ANA, made, holidays)
    graph.world.mailboxes[ANA].read_only.add(holidays)
    path = httpx.URL(f"{graph.url}/v1.0/users/{ANA}/events/").join(made.replace("/", "%2F"))
    assert client.patch(path, json={"subject": "x"}).status_code == 403
    assert client.delete(path).status_code == 403


@pytest.mark.parametrize(
    ("roles", "exchange", "reads", "writes"),
    [(set(), False, 403, 403), ({"Calendars.Read"}, False, 200, 403), (set(), True, 200, 201)],
)
def test_an_application_may_do_what_its_roles_or_exchange_say(
    graph: GraphServer, client: httpx.Client, roles: set[str], exchange: bool, reads: int, writes: int
) -> None:
    graph.world.roles, graph.world.exchange_grants = roles, exchange
    form = {"grant_type": "client_credentials", "client_id": "app", "client_secret": "secret"}
    form |= {"scope": f"{graph.url}/.default"}
    token = client.post("/salon.example/oauth2/v2.0/token", data=form).json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"
    assert client.get(f"/v1.0/users/{ANA}/events").status_code == reads
    assert client.post(f"/v1.0/users/{ANA}/calendar/events", json=EVENT).status_code == writes


def test_a_mailbox_without_a_licence_answers_nobody(graph: GraphServer, client: httpx.Client) -> None:
    graph.world.mailboxes[ANA].licensed = False
    signed_in(graph, client)
    answer = client.get(f"/v1.0/users/{ANA}/calendar")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "MailboxNotEnabledForRESTAPI")
