"""Google's limits: how fast calferry writes, and how it leaves alone whom Google has had enough of."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from calferry.errors import NotAuthorised, Unavailable
from calferry.model import Failure
from calferry.sandbox import GoogleServer
from calferry.sandbox.faults import matching
from calferry.sandbox.google import part_status
from calferry.targets.google import GoogleTarget, build
from calferry.targets.google.pace import PROJECT, Pace, of_project
from calferry.tokens import TokenFile
from tests.builders import NOW, event
from tests.contracts.target import create, failed, filed, push
from tests.targets.google_world import ANA, DELEGATION, KEY, StoppedClock, settings_for

BO = "bo@salon.example"


@dataclass
class Stopwatch:
    """A clock that only sleeping moves on."""

    time: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


# ── pace ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_minute_holds_is_sent_at_once_and_the_rest_as_soon_as_it_may() -> None:
    watch = Stopwatch()
    pace = Pace(600, watch.now, watch.sleep)
    for _ in range(12):
        pace.take(50)
    assert watch.slept == []
    watch.time += 20
    pace.take(50)
    assert watch.slept == [40]


@pytest.mark.parametrize("lots", [[1] * 50, [7] * 9, [3, 10, 1, 1, 9, 10, 2, 8] * 3])
def test_no_minute_ever_sees_more_than_it_holds(lots: list[int]) -> None:
    watch = Stopwatch()
    pace = Pace(10, watch.now, watch.sleep)
    sent: list[tuple[float, int]] = []
    for lot in lots:
        pace.take(lot)
        sent.append((watch.time, lot))
        watch.time += 1
    for at, _ in sent:
        assert sum(number for then, number in sent if at <= then < at + 60) <= 10


def test_a_lot_that_no_minute_holds_is_sent_alone() -> None:
    watch = Stopwatch()
    pace = Pace(10, watch.now, watch.sleep)
    pace.take(1)
    pace.take(25)
    pace.take(1)
    assert watch.slept == [60, 60]


def test_the_connections_of_a_process_share_the_pace_of_their_project() -> None:
    assert of_project("salon") is of_project("salon")
    assert of_project("salon") is not of_project("clinic")
    assert PROJECT == 10_000


def test_every_part_of_a_batch_counts_and_every_user_has_a_pace_of_their_own(
    server: GoogleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Stopwatch()
    monkeypatch.setattr("calferry.targets.google.transport.Pace", lambda most: Pace(most, watch.now, watch.sleep))
    key = server.add_service_account(delegated=True)
    for user in (ANA, BO):
        server.world.add_user(user)
    target = build("workspace", settings_for(server, key, pace=4, **DELEGATION), clock=StoppedClock())
    push(target, *(create(target, KEY, event(f"u{n}")) for n in range(4)))  # batches of 3 and 1
    push(target, create(target, f"google:{BO}", event()))
    assert watch.slept == []
    filed(push(target, create(target, KEY, event("u4"))))
    assert watch.slept == [60]


# ── quota ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def staff(server: GoogleServer, tokens: TokenFile) -> GoogleTarget:
    """A target that acts as Ana and as Bo."""
    return built(server, tokens)


def built(server: GoogleServer, tokens: TokenFile, hours: float = 0, **options: Any) -> GoogleTarget:
    key = server.add_service_account(delegated=True)
    for user in {ANA, BO} - server.world.users:
        server.world.add_user(user)
    clock = StoppedClock(NOW + timedelta(hours=hours))
    return build("workspace", settings_for(server, key, **{**DELEGATION, **options}), clock=clock, tokens=tokens)


def use_up(server: GoogleServer, target: GoogleTarget, reason: str = "quotaExceeded", **told: Any) -> None:
    server.part_faults.add(part_status(403, reason, **told))
    failed(push(target, create(target, KEY, event("u0"))))
    server.forget_requests()


def test_a_user_whose_quota_is_used_up_is_left_alone_for_hours_and_by_the_next_process_too(
    server: GoogleServer, staff: GoogleTarget, tokens: TokenFile
) -> None:
    use_up(server, staff)
    for target, left in ((staff, 4), (built(server, tokens), 4), (built(server, tokens, 3), 1)):
        error = failed(push(target, create(target, KEY, event("u1"))))
        assert isinstance(error, Unavailable)
        assert error.retry_after == left * 3600
        assert f"quota for {ANA} is used up" in str(error)
        assert "until 2026-11-25 13:00 UTC" in str(error)
        with pytest.raises(Unavailable):
            list(target.ours(KEY))
    assert server.kinds == {}
    later = built(server, tokens, 4)
    filed(push(later, create(later, KEY, event("u1"))))


def test_the_others_go_on_while_one_users_quota_is_used_up(server: GoogleServer, staff: GoogleTarget) -> None:
    use_up(server, staff)
    filed(push(staff, create(staff, f"google:{BO}", event())))


@pytest.mark.parametrize("reason", ["dailyLimitExceeded", "RESOURCE_EXHAUSTED"])
def test_a_project_whose_day_is_used_up_is_left_alone_whole(
    server: GoogleServer, staff: GoogleTarget, reason: str
) -> None:
    use_up(server, staff, reason)
    error = failed(push(staff, create(staff, f"google:{BO}", event())))
    assert isinstance(error, Unavailable)
    assert "quota for the project is used up" in str(error)
    assert server.kinds == {}


def test_the_second_batch_of_a_push_is_not_sent_once_the_first_used_up_the_quota(
    server: GoogleServer, staff: GoogleTarget
) -> None:
    server.part_faults.add(part_status(403, "quotaExceeded"), times=None)
    outcomes = push(staff, *(create(staff, KEY, event(f"u{n}")) for n in range(7)))
    assert all(isinstance(one, Failure) and isinstance(one.error, Unavailable) for one in outcomes)
    assert server.kinds["batch"] == 1


def test_a_batch_or_a_listing_turned_away_whole_counts_too(server: GoogleServer, tokens: TokenFile) -> None:
    for refused in ("/batch", "/events"):
        target = built(server, tokens)
        server.faults.add(part_status(403, "quotaExceeded"), match=matching(refused))
        if refused == "/events":
            with pytest.raises(Unavailable):
                list(target.ours(KEY))
        else:
            failed(push(target, create(target, KEY, event())))
        server.forget_requests()
        assert isinstance(failed(push(target, create(target, KEY, event()))), Unavailable)
        assert server.kinds == {}
        tokens.remove()


def test_a_longer_wait_that_google_names_is_kept(server: GoogleServer, staff: GoogleTarget) -> None:
    use_up(server, staff, retry_after=6 * 3600)
    error = failed(push(staff, create(staff, KEY, event("u1"))))
    assert isinstance(error, Unavailable)
    assert error.retry_after == 6 * 3600


def test_a_pause_set_by_a_clock_that_was_ahead_holds_nobody_up(server: GoogleServer, tokens: TokenFile) -> None:
    use_up(server, built(server, tokens, hours=24 * 400))
    target = built(server, tokens)
    filed(push(target, create(target, KEY, event("u1"))))


@pytest.mark.parametrize("told", ["2099-01-01", "2026-10-20T12:00:00", "soon", 5, None])
def test_a_pause_that_nobody_can_read_holds_nobody_up(server: GoogleServer, tokens: TokenFile, told: object) -> None:
    tokens.write(json.dumps({"quiet": {"the project": told}}))
    target = built(server, tokens)
    filed(push(target, create(target, KEY, event("u1"))))


@pytest.mark.parametrize("torn", ["[]", "{", "[" * 100_000])
def test_a_memory_that_is_none_closes_the_connection(server: GoogleServer, tokens: TokenFile, torn: str) -> None:
    tokens.write(torn)
    target = built(server, tokens)
    assert isinstance(failed(push(target, create(target, KEY, event("u1")))), NotAuthorised)


def test_a_limit_for_a_moment_pauses_nobody_else(server: GoogleServer, staff: GoogleTarget) -> None:
    for reason in ("rateLimitExceeded", "userRateLimitExceeded"):
        use_up(server, staff, reason)
        filed(push(staff, create(staff, KEY, event(f"after {reason}"))))
