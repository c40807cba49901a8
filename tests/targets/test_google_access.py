"""Whom Google Calendar lets in, where tokens travel, and how many requests that takes."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from calferry.errors import NotAuthorised, Refused, Unavailable
from calferry.sandbox import GoogleServer, Response, faults
from calferry.sandbox.faults import Fault, matching
from calferry.sandbox.google import part_status
from calferry.targets.google import GoogleTarget, build
from tests.builders import event
from tests.contracts.target import create, failed, filed, intent, push
from tests.targets.google_world import ANA, KEY, StoppedClock, settings_for, target_for

# ── security ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("path", ["/batch", "/token", "/events"])
def test_a_redirect_takes_no_token_to_another_host(
    server: GoogleServer, target: GoogleTarget, status: int, path: str
) -> None:
    with GoogleServer() as elsewhere:
        moved = Response(status, headers={"Location": f"{elsewhere.url}{path}"})
        server.faults.add(Fault("moved", lambda _perform: moved), match=matching(path), times=None)
        if path == "/events":
            with pytest.raises(Unavailable):
                list(target.ours(KEY))
        else:
            assert isinstance(failed(push(target, create(target, KEY, event()))), Unavailable)
        assert elsewhere.requests == 0


def test_batches_go_where_the_root_url_says_and_a_replay_follows_it(server: GoogleServer, target: GoogleTarget) -> None:
    stored = intent(target, create(target, KEY, event()))
    filed(list(target.apply([stored])))
    assert server.kinds == {"token": 1, "batch": 1}
    with GoogleServer(server.world) as moved:
        key = moved.add_service_account()
        there = build("workspace", settings_for(moved, key), clock=StoppedClock())
        filed(list(there.apply([stored])))
        assert moved.kinds["batch"] == 3  # answered 409, looked at, put in place
    assert server.kinds == {"token": 1, "batch": 1}
    assert len(list(server.world.events(ANA))) == 1


def test_errors_and_log_lines_quote_nothing_of_an_event(
    server: GoogleServer, target: GoogleTarget, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    server.part_faults.add(part_status(400, "invalid", "Invalid value: Jo Roy"))
    error = failed(push(target, create(target, KEY, event(summary="Jo Roy"))))
    assert isinstance(error, Refused)
    assert "400 invalid" in str(error)
    assert "Jo Roy" not in f"{error} {caplog.text}"


def test_what_is_on_disk_for_a_calendar_outside_of_allow_does_not_leave(
    server: GoogleServer, target: GoogleTarget
) -> None:
    stored = [intent(target, create(target, key, event())) for key in (KEY, "google:bo@elsewhere.example")]
    fenced = target_for(server, allow=["*@elsewhere.example"])
    server.forget_requests()
    inside, outside = sorted(fenced.apply(stored), key=lambda outcome: outcome.calendar, reverse=True)
    error = failed([outside])
    assert isinstance(error, NotAuthorised)
    assert error.calendar == KEY
    assert inside.calendar == "google:bo@elsewhere.example"
    with pytest.raises(NotAuthorised):
        list(fenced.ours(KEY))
    assert list(server.world.events(ANA)) == []


# ── signing in ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_access_token_that_ended_early_is_renewed(server: GoogleServer, target: GoogleTarget) -> None:
    filed(push(target, create(target, KEY, event("u1"))))
    server.world.expire_access_tokens()
    filed(push(target, create(target, KEY, event("u2"))))
    assert server.kinds["token"] == 2


def test_an_owner_whom_we_cannot_act_as_closes_only_that_calendar(server: GoogleServer, delegate: GoogleTarget) -> None:
    server.world.add_user("bo@salon.example")
    server.world.revoke(ANA)
    error = failed(push(delegate, create(delegate, KEY, event())))
    assert isinstance(error, NotAuthorised)
    assert error.calendar == KEY
    with pytest.raises(NotAuthorised) as raised:
        list(delegate.ours(KEY))
    assert raised.value.calendar == KEY
    filed(push(delegate, create(delegate, "google:bo@salon.example", event())))


def test_a_service_account_that_cannot_sign_in_closes_the_connection(
    server: GoogleServer, target: GoogleTarget
) -> None:
    server.world.revoke("ferry@sandbox-project.example")
    error = failed(push(target, create(target, KEY, event())))
    assert isinstance(error, NotAuthorised)
    assert error.calendar is None


def test_a_batch_that_google_forbids_as_a_whole_closes_whom_we_act_as(
    server: GoogleServer, target: GoogleTarget, delegate: GoogleTarget
) -> None:
    for acting, closed in ((target, None), (delegate, KEY)):
        server.faults.add(part_status(403, "accessNotConfigured"), match=matching("/batch"))
        error = failed(push(acting, create(acting, KEY, event())))
        assert isinstance(error, NotAuthorised)
        assert error.calendar == closed


def test_a_key_that_is_none_closes_the_connection(server: GoogleServer) -> None:
    key = server.add_service_account() | {"private_key": "garbage"}
    target = build("workspace", settings_for(server, key), clock=StoppedClock())
    error = failed(push(target, create(target, KEY, event())))
    assert isinstance(error, NotAuthorised)
    assert error.calendar is None


@pytest.mark.parametrize("fault", [faults.status(502), faults.html(), faults.error_200(), faults.dropped()])
def test_a_token_endpoint_without_an_answer_closes_nothing(
    server: GoogleServer, target: GoogleTarget, fault: Fault
) -> None:
    server.faults.add(fault, match=matching("/token"), times=2)
    assert isinstance(failed(push(target, create(target, KEY, event()))), Unavailable)


def test_each_owner_is_written_as_that_owner_with_one_token(server: GoogleServer, delegate: GoogleTarget) -> None:
    assert delegate.lane(KEY) == ANA
    for number in range(3):
        filed(push(delegate, create(delegate, KEY, event(f"u{number}"))))
    assert server.kinds["token"] == 1
    creators = {one["creator"]["email"] for one in server.world.events(ANA)}
    assert creators == {ANA}


# ── budgets ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_changes_travel_in_as_few_batches_as_there_can_be(server: GoogleServer, target: GoogleTarget) -> None:
    push(target, *(create(target, KEY, event(f"u{n}")) for n in range(7)))
    assert server.kinds == {"token": 1, "batch": 3}


def test_a_proxy_that_the_environment_names_is_used_for_tokens_and_for_calendars(
    server: GoogleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = server.add_service_account() | {"token_uri": "http://127.0.0.1:1/token"}
    server.world.share(server.world.add_user(ANA), key["client_email"], "writer")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.setenv("http_proxy", server.url)
    far = build("workspace", settings_for(server, key, root_url="http://127.0.0.1:1/"), clock=StoppedClock())
    filed(push(far, create(far, KEY, event())))
    assert server.kinds == {"token": 1, "batch": 1}


def test_one_target_serves_many_threads(server: GoogleServer, target: GoogleTarget) -> None:
    with ThreadPoolExecutor(4) as pool:
        outcomes = pool.map(lambda n: filed(push(target, create(target, KEY, event(f"u{n}")))), range(12))
        assert len({outcome.href for outcome in outcomes}) == 12
    assert len(list(server.world.events(ANA))) == 12


def test_googles_libraries_are_not_imported_before_they_are_used() -> None:
    heavy = {"googleapiclient", "google.auth", "httplib2", "httpx"}
    code = f"import calferry.targets.google, sys; print(sorted({heavy!r} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"[]\n"  # noqa: S603
