"""The stand-in of Microsoft Graph, asked as its documents say, over TLS."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from calferry.sandbox import GraphServer, GraphWorld, faults
from calferry.sandbox.graph import part_missing, part_status

ANA = "ana@salon.example"
NAME = "String {0f9f4a3e-0000-4000-8000-000000000001} Name Colour"
OTHER = "String {0f9f4a3e-0000-4000-8000-000000000001} Name Shape"
EVENTS = f"/v1.0/users/{ANA}/events"
IMMUTABLE = {"Prefer": 'IdType="ImmutableId"'}

Body = Callable[..., dict[str, Any]]


@pytest.fixture
def graph() -> Iterator[GraphServer]:
    world = GraphWorld(lambda: datetime(2026, 11, 20, 15, tzinfo=UTC))
    world.add_mailbox(ANA)
    world.add_application("app", "secret")
    with GraphServer(world) as server:
        yield server
        assert not server.crashes


@pytest.fixture
def client(graph: GraphServer) -> Iterator[httpx.Client]:
    """Signed in, asking for immutable ids."""
    context = ssl.create_default_context(cafile=graph.ca_file)
    with httpx.Client(base_url=graph.url, verify=context) as client:
        form = {"grant_type": "client_credentials", "client_id": "app", "client_secret": "secret"}
        form |= {"scope": f"{graph.url}/.default"}
        token = client.post("/salon.example/oauth2/v2.0/token", data=form).json()["access_token"]
        client.headers.update(IMMUTABLE | {"Authorization": f"Bearer {token}"})
        yield client


@pytest.fixture
def body() -> Body:
    def made(**members: Any) -> dict[str, Any]:
        times = {side: {"dateTime": f"2026-12-03T{hour}:00:00", "timeZone": "UTC"} for side, hour in SIDES}
        return {"subject": "Soin", "isReminderOn": False} | times | members

    return made


SIDES = (("start", "14"), ("end", "15"))


def at(event_id: str) -> str:
    return f"{EVENTS}/{quote(event_id, safe='')}"


def tagged(name: str, value: str) -> dict[str, Any]:
    return {"singleValueExtendedProperties": [{"id": name, "value": value}]}


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def in_batch(client: httpx.Client, *parts: dict[str, Any]) -> httpx.Response:
    return client.post("/v1.0/$batch", json={"requests": list(parts)})


def part(number: str, body: dict[str, Any], **members: Any) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"} | IMMUTABLE
    return {"id": number, "method": "POST", "url": f"/users/{ANA}/events", "headers": headers, "body": body} | members


# ── signing in ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"client_secret": "x"}, "invalid_client"),
        ({"client_id": "x"}, "unauthorized_client"),
        ({"scope": "https://graph.microsoft.com/.default"}, "invalid_scope"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_a_wrong_sign_in_is_refused(
    graph: GraphServer, client: httpx.Client, wrong: dict[str, str], error: str
) -> None:
    form = {"grant_type": "client_credentials", "client_id": "app", "client_secret": "secret"}
    form |= {"scope": f"{graph.url}/.default"} | wrong
    answer = client.post("/salon.example/oauth2/v2.0/token", data=form)
    assert answer.is_client_error
    assert answer.json()["error"] == error


def test_a_token_ends(graph: GraphServer, client: httpx.Client) -> None:
    assert client.get(EVENTS).status_code == 200
    graph.world.expire_access_tokens()
    assert code(client.get(EVENTS)) == (401, "InvalidAuthenticationToken")


def test_a_mailbox_out_of_scope_unknown_or_withdrawn_is_closed(graph: GraphServer, client: httpx.Client) -> None:
    graph.world.restrict(ANA)
    assert code(client.get(EVENTS)) == (403, "ErrorAccessDenied")
    graph.world.withdraw(ANA)
    assert code(client.get(EVENTS)) == (404, "ErrorInvalidUser")
    assert code(client.get("/v1.0/users/x@salon.example/events")) == (404, "ErrorInvalidUser")


# ── writing ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_event_has_a_reminder_unless_told_otherwise(graph: GraphServer, client: httpx.Client, body: Body) -> None:
    bare = body()
    del bare["isReminderOn"]
    created = client.post(EVENTS, json=bare)
    assert (created.status_code, created.json()["isReminderOn"], created.json()["attendees"]) == (201, True, [])
    assert "singleValueExtendedProperties" not in created.json()
    client.post(EVENTS, json=body())
    assert graph.world.reminders == [created.json()["id"]]


def test_a_guest_is_mailed_at_every_turn(graph: GraphServer, client: httpx.Client, body: Body) -> None:
    guest = {"emailAddress": {"address": "jo@customer.example"}}
    made = client.post(EVENTS, json=body(attendees=[guest])).json()
    path = at(made["id"])
    client.patch(path, json={"subject": "x"})
    client.delete(path)
    assert [mail.verb for mail in graph.world.mails] == ["create", "update", "delete"]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"colour": "red"}, "RequestBodyRead"),
        ({"subject": 7}, "RequestBodyRead"),
        ({"showAs": "occupied"}, "ErrorPropertyValidationFailure"),
        ({"subject": "s" * 256}, "ErrorPropertyValidationFailure"),
        ({"categories": ["a,b"]}, "ErrorPropertyValidationFailure"),
        (
            {"start": {"dateTime": "2026-12-03T14:00:00", "timeZone": "America/Montreal"}},
            "TimeZoneNotSupportedException",
        ),
        ({"start": {"dateTime": "2026-12-03T14:00:00Z", "timeZone": "UTC"}}, "ErrorInvalidRequest"),
        (
            {"start": {"dateTime": "2026-12-03T15:00:00", "timeZone": "UTC"}},
            "ErrorCalendarEndDateIsEarlierThanStartDate",
        ),
        ({"isAllDay": True}, "ErrorInvalidRequest"),
        (tagged("Colour", "red"), "ErrorInvalidProperty"),
    ],
)
def test_what_makes_no_event_is_refused(
    client: httpx.Client, body: Body, members: dict[str, Any], expected: str
) -> None:
    assert code(client.post(EVENTS, json=body(**members))) == (400, expected)


def test_a_transaction_id_means_the_same_request_and_mailbox(
    graph: GraphServer, client: httpx.Client, body: Body
) -> None:
    calendar = quote(graph.world.add_calendar(ANA, "Other"), safe="")
    other = f"/v1.0/users/{ANA}/calendars/{calendar}/events"
    first = client.post(EVENTS, json=body(transactionId="t1"))
    assert client.post(EVENTS, json=body(transactionId="t1")).json()["id"] == first.json()["id"]
    for path, members in ((EVENTS, {"subject": "x"}), (other, {"subject": "x"})):
        again = client.post(path, json=body(transactionId="t1", **members))
        assert code(again) == (400, "ErrorDuplicateTransactionId")
    graph.switches.names_existing, graph.switches.duplicate_status = True, 409
    again = client.post(EVENTS, json=body(transactionId="t1", subject="x"))
    assert again.status_code == 409
    assert again.json()["error"]["@event.existingEventId"] == first.json()["id"]


def test_a_transaction_is_remembered_or_forgotten_after_its_event_was_deleted(
    graph: GraphServer, client: httpx.Client, body: Body
) -> None:
    first = client.post(EVENTS, json=body(transactionId="t1")).json()["id"]
    graph.world.user_deletes(ANA, first)
    assert code(client.post(EVENTS, json=body(transactionId="t1"))) == (400, "ErrorDuplicateTransactionId")
    graph.switches.deleted_transactions = "forgotten"
    assert client.post(EVENTS, json=body(transactionId="t1")).json()["id"] != first


def test_a_write_under_a_passed_etag_is_refused(graph: GraphServer, client: httpx.Client, body: Body) -> None:
    made = client.post(EVENTS, json=body()).json()
    path = at(made["id"])
    passed = {"If-Match": made["@odata.etag"]}
    fresh = client.patch(path, json={"subject": "x"}, headers=passed).json()["@odata.etag"]
    for verb in ("PATCH", "DELETE"):
        refused = client.request(verb, path, json={"subject": "y"}, headers=passed)
        assert code(refused) == (412, "ErrorIrresolvableConflict")
    assert code(client.patch(path, json={"transactionId": "t"})) == (400, "ErrorInvalidRequest")
    assert client.delete(path, headers={"If-Match": fresh}).status_code == 204
    assert code(client.delete(path)) == (404, "ErrorItemNotFound")


def test_only_an_immutable_id_survives_a_move(graph: GraphServer, client: httpx.Client, body: Body) -> None:
    stays = client.post(EVENTS, json=body()).json()["id"]
    (item,) = client.get(EVENTS, headers={"Prefer": ""}).json()["value"]
    changes = item["id"]
    assert changes != stays
    graph.world.user_moves(ANA, stays, graph.world.add_calendar(ANA, "Other"))
    paths = [at(one) for one in (stays, changes)]
    assert [client.get(path).status_code for path in paths] == [200, 404]
    assert graph.world.changing_ids == 1


# ── listing ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_filter_by_property_ignores_case_and_calendars(graph: GraphServer, client: httpx.Client, body: Body) -> None:
    made = client.post(EVENTS, json=body(**tagged(NAME, "Red"))).json()["id"]
    client.post(EVENTS, json=body(**tagged(NAME, "blue")))
    graph.world.user_moves(ANA, made, graph.world.add_calendar(ANA, "Other"))
    wanted = f"singleValueExtendedProperties/Any(ep: ep/id eq '{NAME}' and ep/value eq 'rED')"
    home = f"/v1.0/users/{ANA}/calendar/events"
    assert [one["id"] for one in client.get(home, params={"$filter": wanted}).json()["value"]] == [made]
    graph.switches.filter_spans = "calendar"
    assert client.get(home, params={"$filter": wanted}).json()["value"] == []
    other_case = wanted.replace("Name Colour", "Name colour")
    assert client.get(EVENTS, params={"$filter": other_case}).json()["value"] == []


def test_properties_are_shown_where_they_are_expanded_and_cut_off_in_listings(client: httpx.Client, body: Body) -> None:
    client.post(EVENTS, json=body(**tagged(NAME, "r" * 300)))
    expand = {"$expand": f"singleValueExtendedProperties($filter=id eq '{NAME}')"}
    (listed,) = client.get(EVENTS, params=expand).json()["value"]
    assert listed["singleValueExtendedProperties"] == [{"id": NAME, "value": "r" * 255}]
    path = at(listed["id"])
    assert len(client.get(path, params=expand).json()["singleValueExtendedProperties"][0]["value"]) == 300
    (listed,) = client.get(EVENTS, params={"$expand": expand["$expand"].replace(NAME, OTHER)}).json()["value"]
    assert "singleValueExtendedProperties" not in listed


def test_a_listing_has_ten_rows_and_goes_on(client: httpx.Client, body: Body) -> None:
    ids = {client.post(EVENTS, json=body()).json()["id"] for _ in range(12)}
    first = client.get(EVENTS, params={"$select": "id"}).json()
    rest = client.get(first["@odata.nextLink"]).json()
    assert [len(first["value"]), len(rest["value"])] == [10, 2]
    assert {one["id"] for one in first["value"] + rest["value"]} == ids
    assert "@odata.nextLink" not in rest
    assert first["value"][0].keys() == {"@odata.etag", "id"}


@pytest.mark.parametrize(
    "query", [{"$filter": "subject eq 'x'"}, {"$top": "1001"}, {"$select": "colour"}, {"$expand": "x"}, {"x": "y"}]
)
def test_a_query_that_it_cannot_read_is_refused(client: httpx.Client, body: Body, query: dict[str, str]) -> None:
    client.post(EVENTS, json=body())
    assert client.get(EVENTS, params=query).status_code == 400


# ── batches ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_part_of_a_batch_is_answered_by_itself_in_any_order(client: httpx.Client, body: Body) -> None:
    answer = in_batch(client, part("1", body()), part("2", body(showAs="occupied")))
    assert answer.status_code == 200
    assert [(one["id"], one["status"]) for one in answer.json()["responses"]] == [("2", 400), ("1", 201)]


@pytest.mark.parametrize("count", [0, 21])
def test_a_batch_has_between_1_and_20_parts(client: httpx.Client, body: Body, count: int) -> None:
    assert code(in_batch(client, *(part(str(n), body()) for n in range(count)))) == (400, "BadRequest")


@pytest.mark.parametrize(
    "wrong", [{"headers": {}}, {"method": "PUT"}, {"url": "https://graph.example/x"}, {"id": "A"}, {"colour": "red"}]
)
def test_a_batch_with_a_part_that_is_none_is_refused_whole(
    graph: GraphServer, client: httpx.Client, body: Body, wrong: dict[str, Any]
) -> None:
    assert code(in_batch(client, part("a", body()), part("b", body()) | wrong)) == (400, "BadRequest")
    assert list(graph.world.events(ANA)) == []


def test_the_headers_of_a_batch_do_not_reach_its_parts(graph: GraphServer, client: httpx.Client, body: Body) -> None:
    in_batch(client, part("1", body(), headers={"Content-Type": "application/json"}))
    assert graph.world.changing_ids == 1


def test_parts_meet_faults_of_their_own(graph: GraphServer, client: httpx.Client, body: Body) -> None:
    graph.switches.batch_order = "given"
    graph.switches.mailbox_burst = 1
    graph.part_faults.add(part_missing())
    graph.part_faults.add(part_status(503, "ErrorServerBusy", retry_after=3))
    answer = in_batch(client, *(part(str(n), body()) for n in range(4)))
    told = {one["id"]: (one["status"], one["headers"].get("Retry-After")) for one in answer.json()["responses"]}
    assert told == {"1": (503, "3"), "2": (201, None), "3": (429, "10")}
    assert len(list(graph.world.events(ANA))) == 2


# ── what users do, and the network ────────────────────────────────────────────────────────────────────────────────────


def test_what_a_user_added_is_watched_over(graph: GraphServer, client: httpx.Client) -> None:
    start = datetime(2026, 12, 3, 9, tzinfo=UTC)
    own = graph.world.add_foreign_event(ANA, "Dentist", start, start + timedelta(hours=1))
    assert not graph.world.foreign_touched()
    path = at(own)
    assert client.patch(path, json={"subject": "x"}).status_code == 200
    assert graph.world.foreign_touched()


def test_a_copy_carries_properties_and_is_later(graph: GraphServer, client: httpx.Client, body: Body) -> None:
    made = client.post(EVENTS, json=body(transactionId="t1", **tagged(NAME, "red"))).json()["id"]
    copy = graph.world.user_copies(ANA, made)
    first, second = sorted(graph.world.events(ANA), key=lambda kept: str(kept.item["createdDateTime"]))
    assert [first.id, second.id] == [made, copy]
    assert first.properties == second.properties


def test_a_lost_reply_is_lost_over_tls_too(graph: GraphServer, client: httpx.Client, body: Body) -> None:
    graph.faults.add(faults.lost_reply())
    with pytest.raises(httpx.RemoteProtocolError):
        client.post(EVENTS, json=body())
    assert len(list(graph.world.events(ANA))) == 1
