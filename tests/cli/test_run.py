"""`calferry run`: the service as a process, with the real clock, over loopback."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

import httpx
import pytest
from icalendar import Calendar

from calferry.sandbox import Request
from calferry.web.pages.passwords import digest
from tests.cli.salon import ANA, PERSONAL, Ran, Salon
from tests.cli.service import Service

SECRET = "5ec7e7" * 8
PASSWORD = "open sesame, please"
URL = "https://calendars.salon.example"
WEB = f"""
[targets.web]
kind = "ical"
secret = {{{{ env = "FEED_SECRET" }}}}

[routes.feeds]
source = "salon"
target = "web"
calendar = "ana"
reveal = "contact"

[web]
listen = "127.0.0.1:{{port}}"
url = "{URL}"
"""

TEXT = {"CALFERRY_LOG": "text"}

SOON = 15.0
"""Seconds: much less than a request may take, and what whoever asks for the end puts up with."""


@pytest.fixture
def salon(salon: Salon) -> Salon:
    salon.configure(more=WEB.format(port=0))
    return salon


def at_salon(salon: Salon, *arguments: str) -> Ran:
    return salon.run(*arguments, FEED_SECRET=SECRET)


@contextmanager
def running(salon: Salon) -> Iterator[Service]:
    """The service. Whatever it says: no token, no secret, nobody's name."""
    with Service(salon.home, "run", SALON_KEY=salon.sandbox.agendize.api_key, FEED_SECRET=SECRET, **TEXT) as service:
        yield service
    url = at_salon(salon, "feeds", "list", "ana", "--json").document["feeds"][0]["url"]
    token = url.removeprefix(f"{URL}/feeds/").removesuffix(".ics")
    assert not [word for word in (*salon.secrets, *PERSONAL, SECRET, token, "Traceback") if word in service.all]


def address(salon: Salon, service: Service) -> str:
    """Where the feed is served on this machine."""
    here = service.until("feeds are served at ").rpartition(" ")[2]
    (feed,) = at_salon(salon, "feeds", "list", "ana", "--json").document["feeds"]
    assert feed["url"].startswith(f"{URL}/feeds/")
    return here + str(feed["url"]).removeprefix(URL)


def events(content: bytes) -> int:
    return len(Calendar.from_ical(content).walk("VEVENT"))


def fetch(url: str) -> httpx.Response:
    return httpx.get(url, trust_env=False)


# ── what it does ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_crosses_and_serves_and_ends_when_it_is_told_to(salon: Salon, number: signal.Signals) -> None:
    salon.book(3)
    with running(salon) as service:
        url = address(salon, service)
        service.until("calferry runs: 1 sources, 2 targets")
        for line in ("salon: 3 new", "workspace: 3 created", "web: 3 created"):
            assert service.until(line)
        answer = fetch(url)
        code = service.ask_to_end(number)
    assert (answer.status_code, events(answer.content), salon.shown()) == (200, 3, 3)
    assert (code, service.told) == (0, [])
    assert service.said[-1].endswith("calferry stops")


def test_after_a_restart_the_feed_is_the_same_bytes(salon: Salon) -> None:
    salon.book(2)
    answers: list[httpx.Response] = []
    for _ in range(2):
        with running(salon) as service:
            url = address(salon, service)
            if not answers:
                service.until("web: 2 created")
            answers.append(fetch(url))
            assert service.ask_to_end() == 0
    first, second = answers
    assert (first.status_code, first.content) == (200, second.content)
    assert first.headers["ETag"] == second.headers["ETag"]


def test_without_feeds_nothing_is_served(salon: Salon) -> None:
    salon.configure(more="")
    salon.book(1)
    with Service(salon.home, "run", SALON_KEY=salon.sandbox.agendize.api_key, **TEXT) as service:
        service.until("workspace: 1 created")
        assert service.ask_to_end() == 0
    assert "feeds are served" not in service.all
    assert salon.shown() == 1


# ── what goes wrong ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_port_that_is_taken_is_said_in_a_sentence(salon: Salon) -> None:
    taken = salon.sandbox.agendize.url.rpartition(":")[2]
    salon.configure(more=WEB.format(port=taken))
    ran = at_salon(salon, "run")
    assert (ran.code, ran.out) == (2, "")
    assert f"web.listen: 127.0.0.1:{taken} cannot be listened on (Address already in use); set it to" in ran.err


def test_a_configuration_without_a_secret_is_said_in_a_sentence(salon: Salon) -> None:
    ran = salon.run("run")
    assert (ran.code, ran.out) == (2, "")
    assert "targets.web.secret" in ran.err
    assert "FEED_SECRET" in ran.err


def test_while_the_booking_system_is_down_the_feeds_go_on_being_served(salon: Salon) -> None:
    salon.book(2)
    at_salon(salon, "sync")
    salon.break_bookings()
    with running(salon) as service:
        url = address(salon, service)
        service.until("salon: GET 127.0.0.1/")
        answer = fetch(url)
        assert service.ask_to_end() == 0
    assert (answer.status_code, events(answer.content)) == (200, 2)


def test_when_the_booking_system_was_never_reached_the_feed_is_put_off(salon: Salon) -> None:
    salon.break_bookings()
    with running(salon) as service:
        url = address(salon, service)
        service.until("salon: GET 127.0.0.1/")
        answer = fetch(url)
        assert service.ask_to_end() == 0
    assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (503, True)


# ── stopping while a remote service hangs ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def hanging() -> Iterator[Event]:
    """Set at the end: until then, what waits for it hangs."""
    ended = Event()
    yield ended
    ended.set()


def test_it_ends_within_seconds_though_the_booking_system_hangs(salon: Salon, hanging: Event) -> None:
    salon.book(2)
    asked = Event()

    def hang(moment: str, request: Request) -> None:
        if moment == "before":
            asked.set()
            hanging.wait()

    salon.sandbox.agendize.on_request = hang
    with running(salon) as service:
        url = address(salon, service)
        assert asked.wait(60)
        began = time.monotonic()
        assert service.ask_to_end() == 0
        assert time.monotonic() - began < SOON
        with pytest.raises(httpx.ConnectError):
            fetch(url)
    assert "a remote service still owes an answer" in service.all


def test_it_ends_within_seconds_though_the_calendars_hang_and_what_was_answered_is_filed(
    salon: Salon, hanging: Event
) -> None:
    """The event that was created and never acknowledged is not created again by the next run."""
    salon.book(60)
    batches: list[Request] = []
    second = Event()

    def hang(moment: str, request: Request) -> None:
        if request.path.startswith("/batch"):
            batches.extend([request] if moment == "before" else [])
            if moment == "after" and len(batches) == 2:
                second.set()
                hanging.wait()

    salon.sandbox.google.on_request = hang
    with running(salon) as service:
        assert second.wait(60)
        assert service.ask_to_end() == 0
    salon.sandbox.google.on_request = None
    hanging.set()
    again = at_salon(salon, "sync", "--json")
    created = again.document["pushed"]["counts"]["created"]
    assert (again.code, salon.shown(ANA)) == (0, 60)
    assert 0 < created < 60  # the first batch was filed
    assert salon.sandbox.google.world.performed["insert"] == 60


# ── how it fares ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_says_when_it_is_ready_and_how_it_fares(salon: Salon) -> None:
    salon.configure(more='[web]\nhealth = "127.0.0.1:0"\n')
    salon.book(2)
    with Service(salon.home, "run", SALON_KEY=salon.sandbox.agendize.api_key, **TEXT) as service:
        here = service.until("health is told at ").rpartition(" ")[2]
        service.until("workspace: 2 created")
        deadline = time.monotonic() + SOON
        while (ready := fetch(f"{here}/readyz")).status_code != 200 and time.monotonic() < deadline:
            time.sleep(0.05)  # nothing tells when the last of the first rounds is over
        metrics = fetch(f"{here}/metrics").text
        assert service.ask_to_end() == 0
    (ana,) = [one for one in salon.run("status", "--json").document["calendars"] if one["calendar"].endswith(ANA)]
    assert (ready.status_code, ready.text) == (200, "ready\n")
    assert 'calferry_changes_total{change="created",why=""} 2' in metrics
    assert f'calferry_in_step_age_seconds{{calendar="{ana["label"]}",target="workspace"}}' in metrics
    assert "@" not in metrics


def test_where_nobody_looks_on_it_logs_one_object_a_step(salon: Salon) -> None:
    salon.configure(more="")
    salon.book(2)
    with Service(salon.home, "run", SALON_KEY=salon.sandbox.agendize.api_key) as service:
        service.until("workspace: 2 created")
        assert service.ask_to_end() == 0
    lines = [json.loads(line) for line in service.said]
    assert {"at", "level", "logger", "message"} <= set.intersection(*(set(line) for line in lines))
    steps = [line for line in lines if "step" in line]
    done = [(line["step"], line["name"], line["counts"]) for line in steps]
    assert [name for step, name, counts in done if step == "pull" and counts.get("new") == 2] == ["salon"]
    assert [name for step, name, counts in done if step == "push" and counts.get("created") == 2] == ["workspace"]
    assert all(line["seconds"] >= 0 and line["errors"] == [] for line in steps)
    assert not [word for word in (*salon.secrets, *PERSONAL) if word in service.all]


# ── the pages ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_sync_now_on_the_pages_brings_what_is_new_at_once(salon: Salon) -> None:
    salon.book(1)
    salon.configure(more=f'[web]\nlisten = "127.0.0.1:0"\npassword = "{digest(PASSWORD)}"\n')
    with Service(salon.home, "run", SALON_KEY=salon.sandbox.agendize.api_key, **TEXT) as service:
        root = service.until("pages are served at ").rpartition(" ")[2]
        service.until("workspace: ")
        before = salon.shown()
        salon.book(1)
        with httpx.Client(base_url=root, trust_env=False, follow_redirects=True) as client:
            overview = client.post("/sign-in", data={"password": PASSWORD, "then": "/"})
            token = re.findall(r'name="token" value="(\w+)"', overview.text)[0]
            done = client.post("/do/sync", data={"token": token, "back": "/"})
        deadline = time.monotonic() + SOON
        while salon.shown() == before and time.monotonic() < deadline:  # the next pull by itself is two minutes away
            time.sleep(0.05)
        assert (salon.shown(), service.ask_to_end()) == (before + 1, 0)
    assert "A pass was started." in done.text
    assert PASSWORD not in service.all
