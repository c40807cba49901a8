"""Agendize's second way in: access tokens that are bought for a refresh token."""

from __future__ import annotations

import logging
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from calferry.errors import ConfigError, NotAuthorised, Unavailable
from calferry.model import Found
from calferry.sandbox import faults
from calferry.sandbox.agendize import AgendizeServer, AgendizeWorld
from calferry.sandbox.messages import Response
from calferry.sources.agendize import AgendizeSource, Settings, build
from calferry.tokens import TokenFile
from tests.contracts.source import AT_NINE, SourceContract
from tests.sources.agendize import COMPANY, AgendizeStage

TOKEN_PATH = "/o/oauth2/token"


@dataclass
class Clock:
    time: datetime

    def now(self) -> datetime:
        return self.time


class OAuthStage(AgendizeStage):
    """The same company, entered as an application."""

    def connect(self, *, clock: Clock | None = None, tokens: TokenFile | None = None, **options: Any) -> AgendizeSource:
        access = self.server.access
        told = {
            "company": COMPANY,
            "client_id": access.client_id,
            "client_secret": access.client_secret,
            "refresh_token": access.refresh_token,
            "base_url": self.server.url,
        }
        settings = Settings.model_validate(told | options)
        return build("salon", settings, clock=clock or Clock(datetime.now(UTC)), tokens=tokens)

    def exchanges(self) -> int:
        return sum(exchange.path == TOKEN_PATH for exchange in self.server.log)


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 11, 25, 9, 0, tzinfo=UTC))


@pytest.fixture
def stage(clock: Clock) -> Iterator[OAuthStage]:
    with AgendizeServer(AgendizeWorld(clock.now)) as server:
        yield OAuthStage(server)
        assert server.crashes == []


@pytest.fixture
def source(stage: OAuthStage, clock: Clock) -> AgendizeSource:
    return stage.connect(clock=clock)


class TestContract(SourceContract):
    """What holds by key and token holds by access tokens."""

    @pytest.fixture
    def stage(self) -> Iterator[OAuthStage]:
        with AgendizeServer() as server:
            yield OAuthStage(server)
            assert server.crashes == []

    @pytest.fixture
    def source(self, stage: OAuthStage) -> AgendizeSource:
        return build("salon", stage.connect()._settings, clock=_WallClock())


class _WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def test_one_access_token_serves_until_it_runs_out(stage: OAuthStage, source: AgendizeSource, clock: Clock) -> None:
    for _ in range(3):
        source.resources()
    assert stage.exchanges() == 1
    clock.time += timedelta(minutes=58)
    source.resources()
    assert stage.exchanges() == 1
    clock.time += timedelta(minutes=1, seconds=30)
    source.resources()
    assert stage.exchanges() == 2


def test_an_access_token_that_lives_a_minute_serves_for_half_of_it(
    stage: OAuthStage, source: AgendizeSource, clock: Clock
) -> None:
    stage.server.access.life = timedelta(seconds=60)
    for _ in range(3):
        source.resources()
    assert stage.exchanges() == 1
    clock.time += timedelta(seconds=31)
    source.resources()
    assert stage.exchanges() == 2


@pytest.mark.parametrize("untold", [False, True])
def test_a_token_that_is_refused_before_its_time_is_renewed_once(
    stage: OAuthStage, source: AgendizeSource, untold: bool
) -> None:
    stage.server.switches.omit_expiry = untold
    source_id = stage.book(AT_NINE)
    source.look_up(source_id)
    stage.server.access.withdraw()
    assert isinstance(source.look_up(source_id), Found)
    assert stage.exchanges() == 2


def test_a_closed_door_is_not_knocked_at_for_ever(stage: OAuthStage, source: AgendizeSource) -> None:
    source.resources()
    stage.server.faults.add(faults.status(403), match=faults.matching("/companies"), times=None)
    with pytest.raises(NotAuthorised):
        source.resources()
    assert stage.exchanges() == 2


@pytest.mark.parametrize("lost", ["client_secret", "refresh_token"])
def test_a_refresh_token_or_an_application_that_is_no_good_needs_a_person(
    stage: OAuthStage, clock: Clock, lost: str
) -> None:
    options: dict[str, Any] = {lost: "outdated"}
    source = stage.connect(clock=clock, **options)
    with pytest.raises(NotAuthorised, match="does not take the refresh_token and its application of source 'salon'"):
        source.resources()


def test_a_refresh_token_that_is_good_once_is_followed_by_the_next(
    stage: OAuthStage, source: AgendizeSource, clock: Clock
) -> None:
    stage.server.switches.rotate_refresh_tokens = True
    for _ in range(3):
        source.resources()
        clock.time += timedelta(hours=2)
    assert stage.exchanges() == 3


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "tokens" / "sources.salon")


def test_a_refresh_token_that_came_is_known_after_a_restart(
    stage: OAuthStage, clock: Clock, tokens: TokenFile, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    stage.server.switches.rotate_refresh_tokens = True
    configured = stage.server.access.refresh_token
    for _ in range(3):
        stage.connect(clock=clock, tokens=tokens, refresh_token=configured).resources()
    assert stage.server.access.refresh_token in tokens.read()
    assert configured not in tokens.read()
    assert stat.S_IMODE(tokens.path.stat().st_mode) == 0o600
    assert stage.server.access.refresh_token not in caplog.text


def test_another_refresh_token_in_the_configuration_wins_over_the_one_that_was_kept(
    stage: OAuthStage, clock: Clock, tokens: TokenFile
) -> None:
    stage.server.switches.rotate_refresh_tokens = True
    stage.connect(clock=clock, tokens=tokens).resources()
    stage.server.access.refresh_token = "let in anew"
    stage.connect(clock=clock, tokens=tokens).resources()
    stage.connect(clock=clock, tokens=tokens, refresh_token="let in anew").resources()
    assert stage.exchanges() == 3


def test_no_process_uses_up_the_refresh_token_of_another(stage: OAuthStage, clock: Clock, tokens: TokenFile) -> None:
    stage.server.switches.rotate_refresh_tokens = True
    processes = [stage.connect(clock=clock, tokens=tokens) for _ in range(8)]
    for _ in range(3):
        with ThreadPoolExecutor(len(processes)) as pool:
            assert all(batch.resources for batch in pool.map(AgendizeSource.resources, processes))
        clock.time += timedelta(hours=2)
    assert stage.exchanges() == 24


def test_a_refresh_token_that_never_changes_is_kept_nowhere(stage: OAuthStage, clock: Clock, tokens: TokenFile) -> None:
    stage.connect(clock=clock, tokens=tokens).resources()
    assert not tokens.path.exists()


class FullDisk(TokenFile):
    """Takes nothing for the first time."""

    full = True

    def write(self, text: str) -> None:
        if self.full:
            self.full = False
            raise ConfigError(["no space left"])
        super().write(text)


def test_a_refresh_token_that_could_not_be_written_holds_all_the_same(
    stage: OAuthStage, clock: Clock, tokens: TokenFile
) -> None:
    stage.server.switches.rotate_refresh_tokens = True
    source = stage.connect(clock=clock, tokens=FullDisk(tokens.path))
    with pytest.raises(Unavailable, match="no space left"):
        source.resources()
    assert source.resources().resources
    assert stage.server.access.refresh_token in tokens.read()


def test_a_refresh_token_that_cannot_be_read_is_not_used_up_in_vain(
    stage: OAuthStage, clock: Clock, tokens: TokenFile
) -> None:
    stage.server.switches.rotate_refresh_tokens = True
    tokens.path.mkdir(parents=True)  # where a file should be
    source = stage.connect(clock=clock, tokens=tokens)
    with pytest.raises(Unavailable, match="cannot be read"):
        source.resources()
    assert stage.exchanges() == 0


@pytest.mark.parametrize(
    "answer",
    [
        faults.html(),
        faults.status(404),
        faults.status(500),
        faults.status(429),
        faults.status(302),
        faults.dropped(),
        faults.truncated(),
        faults.Fault("no token", lambda _perform: Response.of_json({"token_type": "Bearer"})),
        faults.Fault("no header", lambda _perform: Response.of_json({"access_token": "two\nlines"})),
        faults.Fault("no object", lambda _perform: Response(200, b"[]")),
    ],
    ids=lambda fault: fault.kind,
)
def test_an_unusable_exchange_is_an_outage_and_no_closed_door(
    stage: OAuthStage, source: AgendizeSource, answer: faults.Fault
) -> None:
    stage.server.faults.add(answer, match=faults.matching(TOKEN_PATH))
    with pytest.raises(Unavailable):
        source.resources()
    assert source.resources().resources


def test_tokens_may_be_issued_elsewhere(stage: OAuthStage, clock: Clock) -> None:
    with AgendizeServer() as elsewhere:
        source = stage.connect(clock=clock, token_uri=f"{elsewhere.url}{TOKEN_PATH}")
        with pytest.raises(NotAuthorised):  # its tokens are good there alone
            source.resources()
        assert [exchange.path for exchange in elsewhere.log] == [TOKEN_PATH]
    assert stage.exchanges() == 0


def test_secrets_and_tokens_are_never_shown(
    stage: OAuthStage, source: AgendizeSource, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    source.resources()
    stage.server.faults.add(faults.status(401), match=faults.matching("/companies"), times=None)
    with pytest.raises(NotAuthorised) as refusal:
        source.resources()
    said = "\n".join([*map(str, caplog.records), caplog.text, str(refusal.value), str(stage.server.log)])
    access = stage.server.access
    secrets = (access.client_secret, access.refresh_token, *access._issued)
    assert "HTTP Request" in said
    assert not [secret for secret in secrets if secret in said]
