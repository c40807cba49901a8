"""The server base and the faults, seen from a client."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from calferry.sandbox import AgendizeServer, faults
from calferry.sandbox.faults import Fault


def test_every_request_is_logged_with_its_answer(agendize: AgendizeServer, asked: httpx.Client) -> None:
    asked.get("/100/staff")
    asked.get("/999", params={"a": "é"})

    assert [(one.method, one.path.rsplit("/")[-1], one.status) for one in agendize.log] == [
        ("GET", "staff", 200),
        ("GET", "999", 404),
    ]
    assert agendize.log[1].query == {"a": ("é",)}
    assert agendize.requests == 2


def test_a_stopped_server_hangs_up_on_its_clients(agendize: AgendizeServer, asked: httpx.Client) -> None:
    asked.get("/100")
    agendize.stop()

    with pytest.raises(httpx.TransportError):
        asked.get("/100")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.lost_reply(), httpx.RemoteProtocolError),
        (faults.dropped(), httpx.RemoteProtocolError),
        (faults.truncated(), httpx.RemoteProtocolError),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_a_broken_connection_is_an_error_to_the_client_once(
    agendize: AgendizeServer, asked: httpx.Client, fault: Fault, error: type[Exception]
) -> None:
    agendize.faults.add(fault)

    with pytest.raises(error):
        asked.get("/100/staff")
    assert asked.get("/100/staff").status_code == 200


def test_a_status_may_come_with_a_pause_to_keep(agendize: AgendizeServer, asked: httpx.Client) -> None:
    agendize.faults.add(faults.status(503, retry_after=7, body=b"tired"))

    answer = asked.get("/100")

    assert (answer.status_code, answer.headers["Retry-After"], answer.content) == (503, "7", b"tired")


def test_faults_wait_for_their_request_and_their_turn(agendize: AgendizeServer, asked: httpx.Client) -> None:
    agendize.faults.add(faults.status(500), match=faults.matching("/staff"), times=2, after=1)

    answers = [asked.get(path).status_code for path in ("/100", *["/100/staff"] * 4)]

    assert answers == [200, 200, 500, 500, 200]
    assert len(agendize.faults) == 0


def test_faults_without_an_end_stay_until_they_are_cleared(agendize: AgendizeServer, asked: httpx.Client) -> None:
    agendize.faults.add(faults.status(500), times=None)
    assert [asked.get("/100").status_code for _ in range(3)] == [500] * 3

    agendize.faults.clear()
    assert asked.get("/100").status_code == 200


def test_a_sign_in_page_is_a_200_in_html(agendize: AgendizeServer, asked: httpx.Client) -> None:
    agendize.faults.add(faults.html())

    answer = asked.get("/100")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("fault", "rows", "token"),
    [
        (faults.empty(), 0, True),
        (faults.partial(), 2, True),
        (faults.partial(with_token=False), 2, False),
        (faults.no_items(), None, True),
        (faults.error_200(), None, False),
    ],
)
def test_a_listing_may_lose_its_rows_without_saying_so(
    agendize: AgendizeServer, asked: httpx.Client, book: Callable[..., str], fault: Fault, rows: int | None, token: bool
) -> None:
    for _ in range(4):
        book()
    agendize.faults.add(fault)

    answer = asked.get("/100/appointments")
    content = answer.json()

    assert answer.status_code == 200
    assert (len(content["items"]) if "items" in content else None) == rows
    assert ("nextSyncToken" in content) == token


def test_a_test_may_run_something_before_and_after_a_request(
    agendize: AgendizeServer, asked: httpx.Client, book: Callable[..., str]
) -> None:
    seen = []

    def hook(moment: str, request: Any) -> None:
        seen.append((moment, request.path.rsplit("/")[-1]))
        if moment == "before":
            book()

    agendize.on_request = hook

    assert len(asked.get("/100/appointments").json()["items"]) == 1
    assert seen == [("before", "appointments"), ("after", "appointments")]


def test_a_bug_of_the_sandbox_is_answered_and_kept_for_the_test() -> None:
    class Broken(AgendizeServer):
        def answer(self, request: Any) -> Any:
            raise ZeroDivisionError

    with Broken() as server:
        assert httpx.get(server.url).status_code == 500
        assert "ZeroDivisionError" in server.crashes[0]


def test_a_fault_for_listings_leaves_other_answers_alone(agendize: AgendizeServer, asked: httpx.Client) -> None:
    agendize.faults.add(faults.empty())

    assert asked.get("/100").json()["name"] == "Salon"


def test_many_clients_at_once_are_all_served(agendize: AgendizeServer, asked: httpx.Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: asked.get("/100").status_code, range(64)))

    assert answers == [200] * 64
    assert agendize.requests == 64
