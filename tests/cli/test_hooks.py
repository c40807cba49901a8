"""`calferry hooks` and `calferry sync --now`, and a service that is called: as processes, over loopback."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event
from time import monotonic, sleep
from typing import Any

import pytest

from calferry.sandbox import Response, faults
from calferry.sandbox.agendize.watchers import Watchers
from tests.cli.salon import PERSONAL, Salon
from tests.cli.service import Service

URL = "https://calendars.salon.example"
WEB = f'\n[web]\nlisten = "127.0.0.1:0"\nurl = "{URL}"\n'

SOON = 20.0
"""Seconds: much less than the hour after which the service asks by itself."""


@pytest.fixture
def salon(salon: Salon) -> Salon:
    salon.configure(more=WEB)
    text = salon.config.read_text(encoding="utf-8")
    salon.config.write_text(text.replace("token = {", 'every = "1h"\ntoken = {', 1), encoding="utf-8")
    return salon


def watchers(salon: Salon) -> Watchers:
    return salon.sandbox.agendize.watchers


def addresses(salon: Salon) -> list[str]:
    return [one.address for one in watchers(salon).all.values()]


@contextmanager
def running(salon: Salon) -> Iterator[Service]:
    """The service, where Agendize reaches it. Whatever it says: no secret, nobody's name."""
    with Service(salon.home, "run", SALON_KEY=salon.sandbox.agendize.api_key, CALFERRY_LOG="text") as service:
        here = service.until("calls are heard at ").rpartition(" ")[2]
        watchers(salon).reached_at = {URL: here}
        yield service
    asked = [one.asked for one in watchers(salon).all.values()]
    secrets = [part for one in asked for part in (one["address"].rpartition("/")[2], one["basicAuth"]["password"])]
    assert not [word for word in (*salon.secrets, *PERSONAL, *secrets, "Traceback") if word in service.all]


def until(true: Callable[[], bool]) -> bool:
    """Whether it becomes true soon. What is awaited is in another process, which tells of nothing."""
    ends = monotonic() + SOON
    while not true() and monotonic() < ends:
        sleep(0.05)
    return true()


def hints(salon: Salon) -> list[str]:
    import sqlite3

    with sqlite3.connect(salon.home / "calferry.db") as ledger:
        return [row[0] for row in ledger.execute("select source_id from nudges order by 1")]


# ── register, list, remove ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_hook_is_registered_once_and_what_comes_with_it_is_secret(salon: Salon) -> None:
    first = salon.run("hooks", "register", "salon")
    assert (first.code, first.out) == (0, "salon: calls from now on; `calferry run` listens\n")
    (watcher,) = watchers(salon).all.values()
    assert watcher.address.startswith(f"{URL}/hooks/")
    assert len(watcher.address.rpartition("/")[2]) == 43
    assert watcher.asked["httpRequestHeader"].keys() == {"X-Calferry-Secret"}
    again = salon.run("hooks", "register", "salon", "--json")
    assert again.document == {"source": "salon", "made": False, "hook": watcher.id}
    assert len(addresses(salon)) == 1
    kept = salon.home / "tokens" / "hooks.salon"
    assert kept.stat().st_mode & 0o777 == 0o600
    told = first.all + again.all + salon.run("hooks", "list").all
    assert watcher.address.rpartition("/")[2] not in told


def test_an_answer_that_gets_lost_makes_no_second_hook(salon: Salon) -> None:
    salon.sandbox.agendize.faults.add(faults.lost_reply(), match=faults.matching("/watch", "POST"))
    assert salon.run("hooks", "register", "salon").code == 75
    made = addresses(salon)
    assert len(made) == 1
    assert salon.run("hooks", "register", "salon").out.startswith("salon: calls already")
    assert addresses(salon) == made


def test_only_our_hook_is_removed_and_the_address_dies_with_it(salon: Salon) -> None:
    salon.run("hooks", "register", "salon")
    ours = addresses(salon)
    watchers(salon).watch(_asking("https://elsewhere.example/hooks/abc"), "13772899")
    ran = salon.run("hooks", "remove", "salon")
    assert (ran.code, ran.out) == (0, "salon: calls no more\n")
    assert addresses(salon) == ["https://elsewhere.example/hooks/abc"]
    assert salon.run("hooks", "remove", "salon").out == "salon: there was no hook of ours\n"
    salon.run("hooks", "register", "salon")
    assert addresses(salon)[1:] != ours


def _asking(address: str) -> Any:
    from calferry.sandbox import Request

    return Request("POST", "/", body=json.dumps({"address": address}).encode())


def test_check_and_list_tell_whether_the_hook_stands(salon: Salon) -> None:
    assert "hook" not in salon.run("check").out
    assert salon.run("hooks", "list").out == "salon: no hook is registered\n"
    salon.run("hooks", "register", "salon")
    assert "ok    sources.salon: its hook stands" in salon.run("check").out
    assert salon.run("hooks", "list", "--json").document == {
        "hooks": [{"source": "salon", "stands": True, "left_behind": 0, "says": "calls"}],
        "exit": 0,
    }
    (watcher,) = watchers(salon).all.values()
    watcher.asked["status"] = "disabled"
    assert "switched it off; `calferry hooks register salon`" in salon.run("check").out
    watchers(salon).all.clear()
    lost = salon.run("hooks", "list")
    assert (lost.code, "does not know of it any more" in lost.out) == (1, True)
    salon.run("hooks", "register", "salon")
    assert "its hook stands" in salon.run("check", "salon").out


@pytest.mark.parametrize("trouble", ["disabled", "moved", "doubled"])
def test_a_hook_that_does_not_stand_as_it_should_is_replaced(salon: Salon, trouble: str) -> None:
    salon.run("hooks", "register", "salon")
    (watcher,) = watchers(salon).all.values()
    if trouble == "disabled":
        watcher.asked["status"] = "disabled"
    elif trouble == "moved":
        watcher.asked["address"] = watcher.address.replace(URL, "https://before.example")
    else:
        watchers(salon).watch(_asking(watcher.address), "13772899")
    salon.run("hooks", "register", "salon")
    (after,) = watchers(salon).all.values()
    assert (after.enabled, after.address.startswith(URL)) == (True, True)


def test_without_an_encrypted_address_nobody_is_asked_to_call(salon: Salon) -> None:
    salon.configure()
    ran = salon.run("hooks", "register", "salon")
    assert (ran.code, watchers(salon).all) == (2, {})
    assert "web.url" in ran.err
    assert salon.run("hooks", "register", "saloon").code == 2


def test_nothing_but_this_command_changes_anything_at_the_booking_system(salon: Salon) -> None:
    salon.book()
    salon.run("hooks", "register", "salon")
    salon.sandbox.agendize.forget_requests()
    for arguments in (["check"], ["sync"], ["hooks", "list"], ["status"]):
        salon.run(*arguments)
    assert {one.method for one in salon.sandbox.agendize.log} == {"GET"}


# ── a service that is called ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("switches", [{}, {"header": False}, {"basic": False}, {"delivery": "twice"}], ids=str)
def test_a_call_brings_what_is_booked_into_the_calendar_within_seconds(salon: Salon, switches: dict[str, Any]) -> None:
    salon.run("hooks", "register", "salon")
    for name, value in switches.items():
        setattr(watchers(salon).switches, name, value)
    with running(salon) as service:
        service.until("calferry runs")
        assert until(lambda: bool(salon.sandbox.agendize.requests) and not hints(salon))
        salon.run("sync")  # which waits for the first pull
        (name,) = salon.book()
        assert set(watchers(salon).deliver()) == {204}
        assert until(lambda: salon.shown() == 1)
        bookings = salon.sandbox.agendize.world
        bookings.move(name, bookings.appointments[name].start + timedelta(hours=1))
        bookings.edit_notes(name, "")
        watchers(salon).switches.delivery = "reversed"
        assert set(watchers(salon).deliver()) == {204}
        assert until(lambda: not hints(salon))
        assert service.ask_to_end() == 0


def test_a_call_that_gets_lost_is_found_by_the_next_pull_which_can_be_had_now(salon: Salon) -> None:
    salon.run("hooks", "register", "salon")
    with running(salon) as service:
        service.until("calferry runs")
        salon.run("sync")
        salon.book()
        watchers(salon).switches.delivery = "lost"
        assert watchers(salon).deliver() == [0]
        ran = salon.run("sync", "--now", "--json")
        assert (ran.code, ran.document) == (0, {"nudged": ["salon"], "running": True})
        assert until(lambda: salon.shown() == 1)
        assert until(lambda: not hints(salon))


def test_forged_calls_change_nothing_and_are_limited(salon: Salon) -> None:
    salon.run("hooks", "register", "salon")
    (watcher,) = watchers(salon).all.values()
    with running(salon) as service:
        service.until("calferry runs")
        salon.run("sync")
        (name,) = salon.book()
        watchers(salon).waiting.clear()
        salon.sandbox.agendize.forget_requests()
        body = json.dumps({"id": name}).encode()
        answers = [watchers(salon).send(watcher, body, {"X-Calferry-Secret": "forged"}) for _ in range(40)]
        assert (answers[0], answers[-1]) == (404, 429)
        assert (hints(salon), salon.shown(), salon.sandbox.agendize.requests) == ([], 0, 0)
        assert watchers(salon).send(watcher, body) == 204
        assert until(lambda: salon.shown() == 1)


def test_killed_between_the_answer_and_the_look_up_it_looks_up_when_it_starts_again(salon: Salon) -> None:
    salon.run("hooks", "register", "salon")
    salon.run("sync")
    with running(salon) as service:
        service.until("calferry runs")
        salon.run("sync")
        (name,) = salon.book()
        killed = Event()
        salon.sandbox.agendize.faults.add(_held(killed), match=faults.matching(f"/{name}"))
        assert watchers(salon).deliver() == [204]
        service.process.send_signal(signal.SIGKILL)
        service.process.wait()
        killed.set()
    assert (hints(salon), salon.shown()) == ([name], 0)
    with running(salon):
        assert until(lambda: salon.shown() == 1)
        assert until(lambda: not hints(salon))


def _held(until: Event) -> faults.Fault:
    def effect(perform: faults.Perform) -> Response:
        assert until.wait(SOON)
        return perform()

    return faults.Fault("held", effect)


# ── sync --now ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_service_a_nudge_waits_for_the_next_pass(salon: Salon) -> None:
    salon.book()
    ran = salon.run("sync", "--now", "salon")
    assert (ran.code, salon.shown(), hints(salon)) == (0, 0, [""])
    assert ran.out.startswith("salon: No service is running")
    salon.run("sync")
    assert (salon.shown(), hints(salon)) == (1, [])


def test_a_source_that_is_not_there_is_not_nudged(salon: Salon) -> None:
    ran = salon.run("sync", "--now", "saloon")
    assert (ran.code, 'did you mean "salon"?' in ran.err) == (2, True)
    assert salon.run("sync", "salon").code == 2
