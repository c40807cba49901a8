"""The stand-in calls as the vendor's pages have it, and as each reading of what they leave open."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from calferry.sandbox import AgendizeServer, Request, Response
from calferry.sandbox.agendize.watchers import Watchers
from calferry.sandbox.server import LoopbackServer

Book = Callable[..., str]
ROOT = "https://calendars.salon.example"
ASKED = {
    "address": f"{ROOT}/hooks/abc",
    "httpRequestHeader": {"X-Secret": "s"},
    "basicAuth": {"username": "u", "password": "p"},
}


class Ear(LoopbackServer):
    """Whoever is called: keeps what it hears, and answers with `status`."""

    def __init__(self) -> None:
        self.heard: list[Request] = []
        self.status = 204
        super().__init__()

    def answer(self, request: Request) -> Response:
        self.heard.append(request)
        return Response(self.status, content_type=None)

    @property
    def events(self) -> list[str]:
        return [json.loads(one.body)["event"] for one in self.heard]


@pytest.fixture
def ear(agendize: AgendizeServer) -> Iterator[Ear]:
    with Ear() as ear:
        agendize.watchers.reached_at = {ROOT: ear.url}
        yield ear


@pytest.fixture
def watchers(agendize: AgendizeServer, asked: httpx.Client) -> Watchers:
    assert asked.post("/100/appointments/watch", json=ASKED).status_code == 200
    return agendize.watchers


def test_a_watch_is_made_listed_shown_and_deleted(agendize: AgendizeServer, asked: httpx.Client) -> None:
    url = f"{agendize.url}/api/2.3/watchers"
    made: dict[str, Any] = asked.post("/100/appointments/watch", json=ASKED).json()
    assert made["objectOwner"] == {"type": "schedulingCompany", "id": "100"}
    assert asked.get(url, params={"objectType": "schedulingCompany"}).json() == {"items": [made]}
    assert asked.get(f"{url}/{made['id']}").json() == made
    assert asked.delete(f"{url}/{made['id']}").content == b""
    assert asked.delete(f"{url}/{made['id']}").status_code == 404
    assert httpx.get(url).status_code == 401


@pytest.mark.parametrize("wrong", [{"address": "http://plain.example"}, {}, ASKED | {"colour": "red"}])
def test_a_watch_that_is_none_is_refused(asked: httpx.Client, wrong: dict[str, Any]) -> None:
    assert asked.post("/100/appointments/watch", json=wrong).status_code == 400


def test_each_change_is_told_with_the_appointment_and_the_credentials(
    agendize: AgendizeServer, watchers: Watchers, ear: Ear, book: Book
) -> None:
    name = book()
    agendize.world.cancel(name)
    agendize.world.delete(name)
    assert watchers.deliver() == [204, 204, 204]
    assert ear.events == ["created", "updated", "deleted"]
    first = ear.heard[0]
    assert (first.method, first.path, json.loads(first.body)["id"]) == ("POST", "/hooks/abc", name)
    assert (first.headers["x-secret"], first.headers["authorization"]) == ("s", "Basic dTpw")
    assert watchers.deliver() == []


def test_calls_come_twice_reversed_or_not_at_all(
    agendize: AgendizeServer, watchers: Watchers, ear: Ear, book: Book
) -> None:
    heard: dict[str, list[str]] = {}
    for how in ("twice", "reversed", "lost"):
        watchers.switches.delivery = how
        agendize.world.cancel(book())
        watchers.deliver()
        heard[how] = ear.events
        ear.heard.clear()
    assert heard == {"twice": ["created"] * 2 + ["updated"] * 2, "reversed": ["updated", "created"], "lost": []}


def test_credentials_may_be_left_out_and_failed_calls_made_again(watchers: Watchers, ear: Ear, book: Book) -> None:
    watchers.switches.header = watchers.switches.basic = False
    watchers.switches.again = True
    ear.status = 500
    book()
    assert watchers.deliver() == [500, 500]
    assert not {"x-secret", "authorization"} & ear.heard[0].headers.keys()


def test_the_book_holds_every_call_and_what_it_was_answered(
    agendize: AgendizeServer, asked: httpx.Client, watchers: Watchers, ear: Ear, book: Book
) -> None:
    book()
    watchers.deliver()
    watchers.switches.delivery = "lost"
    book()
    watchers.deliver()
    url = f"{agendize.url}/api/2.3/watchers/requests"
    assert [row["response"].get("statusCode") for row in asked.get(url).json()["items"]] == [204, None]
    watchers.switches.requests = "missing"
    assert asked.get(url).status_code == 404


def test_a_watch_that_is_disabled_is_not_called(watchers: Watchers, ear: Ear, book: Book) -> None:
    for watcher in watchers.all.values():
        watcher.asked["status"] = "disabled"
    book()
    assert watchers.deliver() == []
