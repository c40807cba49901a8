"""Batches, through Google's own `BatchHttpRequest`."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from googleapiclient.errors import BatchError, HttpError

from calferry.sandbox import GoogleServer, faults
from calferry.sandbox.faults import Fault
from calferry.sandbox.google import part_missing, part_status, rate_limited

ANA, BEN = "ana@salon.example", "ben@salon.example"

Body = Callable[..., dict[str, Any]]
Outcomes = dict[str, Any]


@pytest.fixture
def service(connect: Callable[..., Any]) -> Any:
    return connect()


@pytest.fixture
def insert(service: Any, body: Body) -> Iterator[Callable[..., Any]]:
    with service.events() as events:
        yield lambda event_id, **members: events.insert(calendarId=ANA, body=body(id=event_id, **members))


def run(service: Any, calls: dict[str, Any]) -> Outcomes:
    """Outcomes by request id: the answer, or status and reason of the refusal."""
    outcomes: Outcomes = {}

    def note(request_id: str, answer: Any, error: HttpError | None) -> None:
        details: Any = error and error.error_details
        outcomes[request_id] = (error.resp.status, details[0]["reason"]) if error else answer

    batch = service.new_batch_http_request(callback=note)
    for request_id, call in calls.items():
        batch.add(call, request_id=request_id)
    batch.execute()
    return outcomes


def _reraise(_request_id: str, _answer: Any, error: HttpError | None) -> None:
    if error:
        raise error


def test_every_call_is_answered_under_its_own_name(google: GoogleServer, service: Any, insert: Any) -> None:
    calls = {f"row {number} é": insert(f"event{number}", summary=f"Soin n° {number} 💆") for number in range(50)}

    outcomes = run(service, calls)

    assert {name: one["summary"] for name, one in outcomes.items()} == {
        f"row {number} é": f"Soin n° {number} 💆" for number in range(50)
    }
    assert google.kinds == {"token": 1, "batch": 1}
    assert google.world.performed == {"insert": 50}


def test_calls_are_judged_one_by_one(service: Any, insert: Any) -> None:
    with service.events() as events:
        outcomes = run(
            service,
            {
                "good": insert("eventa"),
                "bad": insert("NO"),
                "gone": events.delete(calendarId=ANA, eventId="unkno"),
                "foreign": events.list(calendarId=BEN),
            },
        )

    assert outcomes["good"]["id"] == "eventa"
    assert outcomes["bad"] == (400, "invalid")
    assert outcomes["gone"] == outcomes["foreign"] == (404, "notFound")


@pytest.mark.parametrize(("order", "kept"), [("reversed", "second"), ("given", "first")])
def test_two_calls_for_one_event_may_swap(
    google: GoogleServer, service: Any, insert: Any, order: Any, kept: str
) -> None:
    google.switches.batch_order = order

    outcomes = run(service, {"1": insert("eventa", summary="first"), "2": insert("eventa", summary="second")})

    assert next(google.world.events(ANA))["summary"] == kept
    assert (409, "duplicate") in outcomes.values()


@pytest.mark.parametrize(("limit", "accepted"), [(50, False), (1000, True)])
def test_a_batch_holds_so_many_calls(
    google: GoogleServer, service: Any, insert: Any, limit: int, accepted: bool
) -> None:
    google.switches.batch_limit = limit
    calls = {str(number): insert(f"event{number}") for number in range(51)}

    if accepted:
        assert len(run(service, calls)) == 51
    else:
        with pytest.raises(HttpError):
            run(service, calls)
    assert google.world.writes == (51 if accepted else 0)


def test_preconditions_travel_with_their_call(service: Any, insert: Any) -> None:
    etag = run(service, {"1": insert("eventa")})["1"]["etag"]
    with service.events() as events:
        stale = events.patch(calendarId=ANA, eventId="eventa", body={"summary": "x"})
        stale.headers["If-Match"] = '"other"'
        assert run(service, {"1": stale})["1"] == (412, "conditionNotMet")
        stale.headers["If-Match"] = etag
        assert run(service, {"1": stale})["1"]["summary"] == "x"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the library leaves a socket open
def test_an_expired_token_is_renewed_and_the_calls_repeated(google: GoogleServer, service: Any, insert: Any) -> None:
    run(service, {"1": insert("eventa")})
    google.world.expire_access_tokens()

    assert run(service, {"1": insert("eventb")})["1"]["id"] == "eventb"
    assert google.kinds["token"] == 2


@pytest.mark.parametrize("performed", [False, True])
def test_one_call_of_a_batch_may_fail_performed_or_not(
    google: GoogleServer, service: Any, insert: Any, performed: bool
) -> None:
    fault = part_status(503, "backendError", performed=performed)
    google.part_faults.add(fault, match=faults.matching("/events", "POST"), after=1)

    outcomes = run(service, {name: insert(f"event{name}") for name in "abc"})

    assert outcomes["b"] == (503, "backendError")
    assert google.world.writes == 2 + performed


def test_one_answer_of_a_batch_may_be_missing(google: GoogleServer, service: Any, insert: Any) -> None:
    google.part_faults.add(part_missing())

    with pytest.raises(KeyError):
        run(service, {name: insert(f"event{name}") for name in "abc"})
    assert google.world.writes == 3


@pytest.mark.parametrize("status", [403, 429])
def test_writes_to_one_calendar_in_quick_succession_are_limited(
    google: GoogleServer, service: Any, insert: Any, status: Any
) -> None:
    google.switches.calendar_burst, google.switches.rate_limit_status = 2, status

    outcomes = run(service, {name: insert(f"event{name}") for name in "abcd"})
    google.part_faults.add(part_status(status, "rateLimitExceeded", retry_after=30))
    batch = service.new_batch_http_request(callback=_reraise)
    batch.add(insert("evente"))
    with pytest.raises(HttpError) as caught:
        batch.execute()

    assert caught.value.resp["retry-after"] == "30"
    assert list(outcomes.values()).count((status, "rateLimitExceeded")) == 2
    assert google.world.writes == 2


@pytest.mark.parametrize(
    ("fault", "error", "written"),
    [
        (faults.lost_reply(), http.client.RemoteDisconnected, 1),
        (faults.truncated(), http.client.IncompleteRead, 1),
        (rate_limited(429), HttpError, 0),
        (faults.html(), BatchError, 0),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_a_whole_batch_may_fail_and_its_calls_be_performed_all_the_same(
    google: GoogleServer, service: Any, insert: Any, fault: Fault, error: type[Exception], written: int
) -> None:
    google.faults.add(fault, match=faults.matching("/batch"), times=None)

    with pytest.raises(error):
        run(service, {"1": insert("eventa")})

    assert google.world.writes == written


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"", "application/json"),
        (b"--b\r\n", "multipart/mixed"),
        (b"--b--", "multipart/mixed; boundary=b"),
        (b"--b\r\nContent-Type: application/http\r\n\r\nGET / HTTP/1.1\r\n", "multipart/mixed; boundary=b"),
        (b"--b\r\nContent-Type: text/plain\r\n\r\nGET / HTTP/1.1\r\n--b--", "multipart/mixed; boundary=b"),
        (
            b"--b\r\nContent-Type: application/http\r\n\r\nGET https://h.example/ HTTP/1.1\r\n\r\n--b--",
            "multipart/mixed; boundary=b",
        ),
    ],
)
def test_what_is_no_batch_is_refused(google: GoogleServer, content: bytes, content_type: str) -> None:
    answer = httpx.post(f"{google.url}/batch/calendar/v3", content=content, headers={"Content-Type": content_type})

    assert answer.status_code == 400


def test_a_call_may_bring_its_own_credentials_and_lack_a_name(google: GoogleServer) -> None:
    part = (
        b"Content-Type: application/http\r\n\r\nGET /calendar/v3/calendars/primary HTTP/1.1\r\nAuthorization: Bearer x"
    )
    answer = httpx.post(
        f"{google.url}/batch/calendar/v3",
        content=b"--b\r\n" + part + b"\r\n\r\n\r\n--b--",
        headers={"Content-Type": 'multipart/mixed; boundary="b"'},
    )

    assert answer.status_code == 200
    assert b"HTTP/1.1 401" in answer.content
    assert b"Content-ID" not in answer.content
