"""`calferry alerts`, and that a one-shot `sync` tells of trouble too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.alerts.post import MailServer, WebServer, open_for_post
from tests.cli.salon import ANA, Salon

ALERTS = """
[alerts.email]
to = ["desk@salon.example"]
from = "calferry@salon.example"
host = "127.0.0.1"
port = {port}
security = "none"

[alerts.webhook]
url = {{ env = "HOOK" }}

[alerts.ping]
url = {{ env = "PING" }}
"""


@pytest.fixture
def post() -> Iterator[MailServer]:
    with open_for_post(MailServer()) as server:
        yield server


@pytest.fixture
def web() -> Iterator[WebServer]:
    with open_for_post(WebServer()) as server:
        yield server


@pytest.fixture
def ways(salon: Salon, post: MailServer, web: WebServer) -> dict[str, str]:
    """The configuration names them all; these variables go with it."""
    salon.configure(more=ALERTS.format(port=post.port))
    return {"HOOK": f"{web.url}/hooks/T0K3N", "PING": f"{web.url}/beat/T0K3N"}


def test_a_test_goes_every_way(salon: Salon, ways: dict[str, str], post: MailServer, web: WebServer) -> None:
    ran = salon.run("alerts", "test", **ways)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "alerts.email: sent\nalerts.webhook: sent\nalerts.ping: sent\n"
    assert "nothing is wrong, and you would hear of it" in post.messages[0]["Subject"]
    assert [asked for asked, _, _ in web.asked] == ["POST /hooks/T0K3N", "GET /beat/T0K3N"]


def test_a_way_that_is_closed_is_said_and_the_others_are_tried(
    salon: Salon, ways: dict[str, str], post: MailServer, web: WebServer
) -> None:
    web.status = 403
    ran = salon.run("alerts", "test", "--json", **ways)
    assert ran.code == 75
    assert ran.document["sent"] == {"email": True, "webhook": False, "ping": False}
    assert "T0K3N" not in ran.all
    assert len(post.messages) == 1


def test_without_a_way_there_is_nothing_to_test(salon: Salon) -> None:
    ran = salon.run("alerts", "test")
    assert ran.code == 2
    assert "alerts: names no way" in ran.err


def test_what_is_wrong_is_listed_with_the_calendar_it_is_about(salon: Salon) -> None:
    assert salon.run("alerts", "list").out.startswith("sources.salon could not be read to its end, since ")
    salon.book(1)
    salon.run("sync")
    assert salon.run("alerts", "list").out == "Nothing is wrong.\n"
    salon.unshare(ANA)
    salon.book(2)
    salon.run("sync")
    (told,) = salon.run("alerts", "list", "--json").document["alerts"]
    assert (told["kind"], told["key"]) == ("behind", f"google:{ANA}")
    assert "@" not in told["what"] + told["where"]


def test_a_pass_of_its_own_sends_a_sign_of_life_while_all_is_in_step(
    salon: Salon, ways: dict[str, str], post: MailServer, web: WebServer
) -> None:
    salon.book(1)
    assert salon.run("sync", **ways).code == 0
    assert [asked for asked, _, _ in web.asked] == ["GET /beat/T0K3N"]
    assert post.messages == []


def test_a_pass_tells_of_what_cannot_be_placed_once(
    salon: Salon, ways: dict[str, str], post: MailServer, web: WebServer
) -> None:
    nobody = salon.sandbox.agendize.world.add_staff("13772899", "Nobody", "Sample", "")
    salon.book(1, staff=nobody)
    for _ in range(2):
        salon.run("sync", **ways)
    assert [str(message["Subject"]).strip() for message in post.messages] == [
        "calferry salon: sources.salon: appointments without a calendar to be in: 1"
    ]
    assert [asked for asked, _, _ in web.asked].count("POST /hooks/T0K3N") == 1


def test_a_way_that_fails_stops_no_pass(salon: Salon, ways: dict[str, str], post: MailServer, web: WebServer) -> None:
    nobody = salon.sandbox.agendize.world.add_staff("13772899", "Nobody", "Sample", "")
    salon.book(1, staff=nobody)
    salon.book(2)
    post.closed, web.status = True, 500
    ran = salon.run("sync", **ways)
    assert salon.shown() == 2
    assert "alerts.email: 127.0.0.1" in ran.err
    assert "alerts.webhook was answered 500; it is tried again" in ran.err
    post.closed, web.status = False, 200
    salon.run("sync", **ways)
    assert len(post.messages) == 1
