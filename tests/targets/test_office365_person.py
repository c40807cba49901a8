"""Somebody signs in to Microsoft once, with a code; calferry stays signed in, and says when that is over."""

from __future__ import annotations

import json
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from calferry import tokens
from calferry.errors import NotAuthorised, Unavailable
from calferry.ports import Connecting
from calferry.sandbox import GraphServer, Request, Response, faults
from calferry.sandbox.faults import Fault, matching
from calferry.sandbox.graph import part_status
from calferry.targets.office365 import Office365Target
from calferry.tokens import TokenFile
from tests.builders import event
from tests.contracts.target import create, failed, filed, push, update
from tests.targets.office365_world import ANA, CLIENT, KEY, Reader, person_for

BO = "bo@salon.example"


@pytest.fixture
def ana(graph: GraphServer, tmp_path: Path) -> Office365Target:
    """A target that Ana has signed in for."""
    target = person_for(graph, tmp_path)
    list(target.connect(Reader(graph)))
    return target


class Watch:
    """A clock on which waiting takes no time."""

    waited = 0.0

    def time(self) -> float:
        return time.time() + self.waited

    def sleep(self, seconds: float) -> None:
        self.waited += seconds


def refused(target: Office365Target, reader: Reader) -> NotAuthorised:
    with pytest.raises(NotAuthorised) as raised:
        list(target.connect(reader))
    return raised.value


def closed(target: Office365Target) -> NotAuthorised:
    """The whole connection is closed to us, and the error says what opens it."""
    error = failed(push(target, create(target, KEY, event())))
    assert isinstance(error, NotAuthorised)
    assert error.calendar is None
    assert "calferry connect m365" in str(error)
    return error


def kept(folder: Path) -> str:
    return TokenFile(folder / "targets.m365").read()


# ── signing in ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_person_enters_a_code_and_calferry_writes_to_their_calendar(graph: GraphServer, tmp_path: Path) -> None:
    target, reader = person_for(graph, tmp_path), Reader(graph)
    assert isinstance(target, Connecting)
    found = list(target.connect(reader))
    assert found[0] == f"signed in as {ANA}, with Calendars.ReadWrite, Calendars.ReadWrite.Shared"
    assert str(tmp_path / "targets.m365") in found[1]
    assert f"{graph.url}/device" in reader.told
    assert graph.world.performed == {}
    filed(push(target, create(target, KEY, event())))
    assert graph.world.performed == {"create": 1}


def test_the_next_process_needs_nobody(graph: GraphServer, tmp_path: Path, ana: Office365Target) -> None:
    before = graph.kinds["token"]
    again = person_for(graph, tmp_path)
    filed(push(again, create(again, KEY, event())))
    assert graph.kinds["token"] == before
    assert stat.S_IMODE((tmp_path / "targets.m365").stat().st_mode) == 0o600


def test_no_right_to_calendars_of_others_is_asked_for_where_none_is_written(graph: GraphServer, tmp_path: Path) -> None:
    forms: list[bytes] = []

    def look(request: Request) -> bool:
        forms.append(request.body)
        return False

    graph.faults.add(faults.html(), match=look, times=None)
    found = list(person_for(graph, tmp_path, allow=[ANA]).connect(Reader(graph)))
    assert found[0] == f"signed in as {ANA}, with Calendars.ReadWrite"
    assert [form for form in forms if b"Shared" in form] == []
    assert [b"offline_access" in form for form in forms if b"scope=" in form] == [True]


def test_a_pace_that_is_too_fast_is_slowed_down(
    graph: GraphServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Watch()
    monkeypatch.setattr("msal.oauth2cli.oauth2.time", watch)
    graph.switches.slow_downs = 1
    list(person_for(graph, tmp_path).connect(Reader(graph)))
    assert watch.waited == 5


def test_whoever_declines_or_lets_the_code_run_out_changes_nothing(
    graph: GraphServer, tmp_path: Path, ana: Office365Target
) -> None:
    before = kept(tmp_path)
    assert "it was declined" in str(refused(ana, Reader(graph, declines=True)))
    assert "nobody entered the code in time (" not in (late := str(refused(ana, Reader(graph, who=""))))
    assert "expired_token AADSTS70019" in late
    assert "nobody entered the code in time" in late
    assert kept(tmp_path) == before
    filed(push(ana, create(ana, KEY, event())))


def test_another_person_than_the_configuration_names_is_not_let_in(
    graph: GraphServer, tmp_path: Path, ana: Office365Target
) -> None:
    graph.world.add_mailbox(BO)
    before = kept(tmp_path)
    error = str(refused(ana, Reader(graph, who=BO)))
    assert BO in error
    assert ANA in error
    assert kept(tmp_path) == before


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"client_id": "another"}, "check tenant and client_id"),
        ({"client_id": "confidential"}, "Allow public client flows"),
    ],
)
def test_an_application_that_lets_nobody_sign_in_is_told_with_the_place_to_look(
    graph: GraphServer, tmp_path: Path, options: dict[str, str], says: str
) -> None:
    graph.world.add_application("confidential", "s3cret")
    assert says in str(refused(person_for(graph, tmp_path, **options), Reader(graph)))


def test_a_tenant_that_is_none_is_named_as_what_to_check(graph: GraphServer, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="tenant"):
        list(person_for(graph, tmp_path, tenant="nobody.example").connect(Reader(graph)))


@pytest.mark.parametrize("path", ["openid-configuration", "/devicecode", "/token"])
@pytest.mark.parametrize("fault", [faults.status(502), faults.html(), faults.error_200(), faults.dropped()])
def test_a_conversation_without_an_answer_ends_and_keeps_nothing(
    graph: GraphServer, tmp_path: Path, path: str, fault: Fault
) -> None:
    graph.faults.add(fault, match=matching(path), times=None)
    with pytest.raises(Unavailable):
        list(person_for(graph, tmp_path).connect(Reader(graph)))
    assert kept(tmp_path) == ""


@pytest.mark.parametrize("told", [{}, {"verification_uri": "https://a.example", "expires_in": "soon"}])
def test_a_code_without_a_page_to_enter_it_on_ends_the_conversation(
    graph: GraphServer, tmp_path: Path, told: dict[str, str]
) -> None:
    code = json.dumps({"user_code": "ABC", "device_code": "x", "interval": 1, "expires_in": 900} | told).encode()
    graph.faults.add(
        Fault("partial", lambda _: Response(200, code)),
        match=matching("/devicecode"),
    )
    with pytest.raises(Unavailable, match="sign-in"):
        list(person_for(graph, tmp_path).connect(Reader(graph)))
    assert kept(tmp_path) == ""


def test_a_user_that_is_no_name_to_sign_in_with_is_a_mistake(graph: GraphServer, tmp_path: Path) -> None:
    for user in ("ana", "ana@salon.example/x", "@", ""):
        with pytest.raises(ValueError, match=r"user|needs one of"):
            person_for(graph, tmp_path, user=user)


# ── staying signed in ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("told", ["full", "short"])
@pytest.mark.parametrize("refresh", ["replaced", "kept"])
def test_an_access_token_that_ended_is_renewed_and_kept(
    graph: GraphServer, tmp_path: Path, ana: Office365Target, told: str, refresh: str
) -> None:
    graph.switches.scopes_told = told  # type: ignore[assignment]  # of the two there are
    graph.switches.refresh_tokens = refresh  # type: ignore[assignment]
    held = filed(push(ana, create(ana, KEY, event())))
    for number in range(3):
        before, asked = kept(tmp_path), graph.kinds["token"]
        graph.world.expire_access_tokens()
        held = filed(push(ana, update(ana, held, event(summary=f"Later {number}"))))
        held = filed(push(ana, update(ana, held, event(summary=f"Later still {number}"))))
        assert kept(tmp_path) != before
        assert graph.kinds["token"] == asked + 1
    assert len(json.loads(kept(tmp_path))["RefreshToken"]) == 1


def test_tokens_that_another_process_renewed_are_read_again(
    graph: GraphServer, tmp_path: Path, ana: Office365Target
) -> None:
    graph.switches.spent_refresh_tokens = "refused"
    other = person_for(graph, tmp_path)
    filed(push(other, create(other, KEY, event("u1"))))
    for number in range(2, 6):
        graph.world.expire_access_tokens()
        asked = graph.kinds["token"]
        for target in (ana, other) if number % 2 else (other, ana):
            filed(push(target, create(target, KEY, event(f"u{number}-{target is ana}"))))
        assert graph.kinds["token"] == asked + 1


def test_threads_and_processes_renew_one_at_a_time(graph: GraphServer, tmp_path: Path, ana: Office365Target) -> None:
    graph.switches.spent_refresh_tokens = "refused"
    graph.world.expire_access_tokens()
    targets = [ana, *(person_for(graph, tmp_path) for _ in range(3))]
    start = threading.Barrier(len(targets))
    meeting = threading.Barrier(len(targets))

    def let_the_others_come(moment: str, request: Request) -> None:
        if moment == "before" and request.path.endswith("/token"):
            with suppress(threading.BrokenBarrierError):
                meeting.wait(timeout=0.3)

    graph.on_request = let_the_others_come

    def write(number: int) -> None:
        start.wait(timeout=10)
        filed(push(targets[number], create(targets[number], KEY, event(f"u{number}"))))

    asked = graph.kinds["token"]
    with ThreadPoolExecutor(len(targets)) as pool:
        list(pool.map(write, range(len(targets))))
    assert graph.kinds["token"] == asked + 1


def test_whoever_renews_for_long_is_waited_for_and_closes_nothing(
    graph: GraphServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(person_for(graph, tmp_path).connect(Reader(graph)))
    monkeypatch.setattr(tokens, "PATIENCE", 0.05)
    target = person_for(graph, tmp_path)
    with TokenFile(tmp_path / "targets.m365").alone():
        assert isinstance(failed(push(target, create(target, KEY, event()))), Unavailable)


def test_before_anybody_signed_in_nobody_is_asked_and_the_command_is_named(graph: GraphServer, tmp_path: Path) -> None:
    assert "Nobody has signed in" in str(closed(person_for(graph, tmp_path)))
    assert graph.kinds["token"] == 0


def test_a_sign_in_that_was_ended_is_told_and_signing_in_again_is_enough(
    graph: GraphServer, ana: Office365Target
) -> None:
    graph.world.sign_everybody_out()
    filed(push(ana, create(ana, KEY, event("u1"))))  # an access token lasts a while
    graph.world.expire_access_tokens()
    assert "invalid_grant AADSTS50173" in str(closed(ana))
    list(ana.connect(Reader(graph)))
    filed(push(ana, create(ana, KEY, event("u2"))))


def test_signing_in_again_from_another_process_is_enough(
    graph: GraphServer, tmp_path: Path, ana: Office365Target
) -> None:
    graph.world.sign_everybody_out()
    graph.world.expire_access_tokens()
    closed(ana)
    list(person_for(graph, tmp_path).connect(Reader(graph)))
    filed(push(ana, create(ana, KEY, event())))


def test_consent_that_was_taken_back_closes_the_connection(graph: GraphServer, ana: Office365Target) -> None:
    graph.world.consented.clear()
    graph.world.expire_access_tokens()
    assert "AADSTS65001" in str(closed(ana))


def test_tokens_of_somebody_else_or_of_another_application_are_not_used(
    graph: GraphServer, tmp_path: Path, ana: Office365Target
) -> None:
    graph.world.add_mailbox(BO)
    assert f"Nobody has signed in as {BO}" in str(closed(person_for(graph, tmp_path, user=BO)))
    graph.world.add_application("another", public=True)
    assert "Nobody has signed in" in str(closed(person_for(graph, tmp_path, client_id="another")))


@pytest.mark.parametrize("text", ["{", "[]", "7"])
def test_a_file_that_holds_no_tokens_closes_the_connection(graph: GraphServer, tmp_path: Path, text: str) -> None:
    TokenFile(tmp_path / "targets.m365").write(text)
    assert "holds no tokens" in str(closed(person_for(graph, tmp_path)))


def test_a_file_that_cannot_be_written_closes_the_connection(graph: GraphServer, tmp_path: Path) -> None:
    (tmp_path / "targets.m365").mkdir()
    error = failed(push(target := person_for(graph, tmp_path), create(target, KEY, event())))
    assert isinstance(error, NotAuthorised)
    assert "cannot be read" in str(error)


@pytest.mark.parametrize("fault", [faults.status(502), faults.html(), faults.error_200(), faults.dropped()])
def test_a_renewal_without_an_answer_closes_nothing(graph: GraphServer, ana: Office365Target, fault: Fault) -> None:
    graph.world.expire_access_tokens()
    graph.faults.add(fault, match=matching("/token"))
    assert isinstance(failed(push(ana, create(ana, KEY, event()))), Unavailable)
    filed(push(ana, create(ana, KEY, event())))


def test_a_token_that_is_never_accepted_is_renewed_once(graph: GraphServer, ana: Office365Target) -> None:
    graph.faults.add(part_status(401, "InvalidAuthenticationToken"), match=matching("$batch"), times=None)
    asked = graph.kinds["token"]
    error = failed(push(ana, create(ana, KEY, event())))
    assert isinstance(error, NotAuthorised)
    assert graph.kinds["token"] == asked + 1


def test_no_token_is_in_an_error_or_a_log_line(
    graph: GraphServer, tmp_path: Path, ana: Office365Target, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    secrets = [
        one["secret"] for kind in ("AccessToken", "RefreshToken") for one in json.loads(kept(tmp_path))[kind].values()
    ]
    graph.world.sign_everybody_out()
    graph.world.expire_access_tokens()
    error = closed(ana)
    assert secrets
    assert [secret for secret in secrets if secret in f"{error} {caplog.text}"] == []
    assert CLIENT not in str(error)
