"""How calferry comes in at ClicRDV, what it says when it is not let in, and that it never gives a secret away."""

from __future__ import annotations

import base64
import hashlib
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

import pytest
from pydantic import ValidationError

from calferry.errors import NotAuthorised, Unavailable
from calferry.model import Batch, Cursor, Found, NotFound
from calferry.sandbox import faults
from calferry.sandbox.clicrdv import ClicrdvServer
from calferry.sandbox.messages import Request, Response
from calferry.sources.clicrdv import ClicrdvSource, Settings
from tests.contracts.source import AT_NINE, WINDOW, appointments
from tests.sources.clicrdv import EMAIL, GROUP, KEY, PASSWORD, ClicrdvStage, changes, cursor_of


@pytest.fixture
def stage() -> Iterator[ClicrdvStage]:
    with ClicrdvServer(api_key=KEY, email=EMAIL, password=PASSWORD) as server:
        yield ClicrdvStage(server)
        assert server.crashes == []


@pytest.fixture
def seen(stage: ClicrdvStage) -> list[Request]:
    """Every request, as it arrives."""
    requests: list[Request] = []

    def hook(moment: Literal["before", "after"], request: Request) -> None:
        if moment == "before":
            requests.append(request)

    stage.server.on_request = hook
    return requests


def book_every_month(stage: ClicrdvStage) -> str:
    """No month of WINDOW is empty then; the id of the last."""
    *_, last = (stage.book(datetime(2026, 10, 20, 9) + timedelta(days=30 * number)) for number in range(7))
    return last


def told(answer: object) -> object:
    """An answer without the times when it was asked for."""
    if isinstance(answer, list):
        return [told(one) for one in answer]
    if isinstance(answer, Found):
        return told(answer.batch)
    if not isinstance(answer, Batch):
        return answer
    cursor = answer.cursor and Cursor(re.sub(r'"came":"[^"]*"', '"came":""', answer.cursor.token))
    return replace(answer, asked_at=AT_NINE, cursor=cursor)


def everything(source: ClicrdvSource, source_id: str) -> list[Callable[[], object]]:
    return [
        lambda: list(source.changes("vevents", None, WINDOW)),
        lambda: list(source.changes("fiches", None, WINDOW)),
        lambda: list(source.within(WINDOW)),
        lambda: source.look_up(source_id),
        source.resources,
    ]


class TestSigningIn:
    def test_basic_goes_with_every_request_without_being_asked_for(
        self, stage: ClicrdvStage, seen: list[Request]
    ) -> None:
        """ClicRDV never asks: it shows strangers an empty practice instead, with status 200."""
        source_id = stage.book(AT_NINE)
        for ask in everything(stage.connect(), source_id):
            ask()
        signed = base64.b64encode(f"{EMAIL}:{PASSWORD}".encode()).decode()
        assert {request.headers["authorization"] for request in seen} == {f"Basic {signed}"}
        assert {request.one("apikey") for request in seen} == {KEY}

    def test_a_stranger_to_the_practice_is_told_apart_from_an_empty_one(self, stage: ClicrdvStage) -> None:
        stage.book(AT_NINE)
        source = stage.connect(login="session")
        stage.server.faults.add(
            faults.Fault("strangers", lambda _perform: Response.of_json({"records": [], "totalRecords": 0})),
            match=lambda request: not request.path.endswith(("/login.json", "/groups/4.json")),
            times=None,
        )
        assert [batch.covers for batch in source.within(WINDOW)] == [None] * 7
        with pytest.raises(Unavailable, match="no calendars"):
            source.resources()

    def test_a_session_is_opened_once_with_the_digest_of_the_password(
        self, stage: ClicrdvStage, seen: list[Request]
    ) -> None:
        source_id = book_every_month(stage)
        for ask in everything(stage.connect(login="session"), source_id):
            ask()
        logins = [request for request in seen if request.method == "POST"]
        assert [request.path for request in logins] == ["/api/v1/sessions/login.json"]
        assert hashlib.sha1(PASSWORD.encode(), usedforsecurity=False).hexdigest().encode() in logins[0].body
        assert not any("authorization" in request.headers for request in seen)
        assert all("_session_id=" in request.headers["cookie"] for request in seen[1:])

    @pytest.mark.parametrize("number", range(5), ids=["changes", "customers", "within", "look_up", "resources"])
    @pytest.mark.parametrize("strangers", ["see less", "401 when a session is over", "401"])
    def test_a_session_that_is_over_is_opened_again_once(
        self, stage: ClicrdvStage, seen: list[Request], strangers: Any, number: int
    ) -> None:
        """However ClicRDV lets us know, and whatever is asked for."""
        stage.server.switches.strangers = strangers
        source_id = book_every_month(stage)
        source = stage.connect(login="session")
        before = [told(ask()) for ask in everything(source, source_id)]
        stage.server.sessions.clear()
        assert told(everything(source, source_id)[number]()) == before[number]
        assert len([request for request in seen if request.method == "POST"]) == 2

    @pytest.mark.parametrize("no_result", [0, 200, 404])
    def test_what_changed_once_a_session_was_over_is_told(self, stage: ClicrdvStage, no_result: Any) -> None:
        stage.server.switches.no_result = no_result
        stage.book(AT_NINE)
        source = stage.connect(login="session")
        cursor = cursor_of(changes(source))
        stage.server.sessions.clear()
        later = stage.book(AT_NINE)
        assert appointments(changes(source, cursor)).keys() == {later}

    def test_a_session_that_ends_between_two_pages_hides_no_customer(self, stage: ClicrdvStage) -> None:
        """They have no second listing: what their mark passes over is never told."""
        stage.page_by(2)
        fiches = {stage.fiche, *(stage.server.world.add_fiche(GROUP, f"{number}", "Roy") for number in range(5))}

        left = [stage.server.sessions.clear]

        def hook(moment: Literal["before", "after"], request: Request) -> None:
            if moment == "before" and request.one("startIndex") == "1" and left:
                left.pop()()

        stage.server.on_request = hook
        batches = stage.connect(login="session").changes("fiches", None, WINDOW)
        assert {one.id for batch in batches for one in batch.resources} == fiches

    def test_nothing_is_believed_of_a_session_opened_for_it(self, stage: ClicrdvStage, seen: list[Request]) -> None:
        source = stage.connect(login="session")
        source.resources()
        assert changes(source)[-1].cursor
        assert isinstance(source.look_up("1"), NotFound)
        assert [batch.covers for batch in source.within(WINDOW)] == [None] * 7
        paths = [request.path.rsplit("/", 1)[-1] for request in seen]
        nothing = [number for number, path in enumerate(paths) if path in ("vevents.json", "1.json")]
        assert {paths[number - 1] for number in nothing[1::2]} == {"login.json"}

    def test_a_session_that_does_not_last_is_not_opened_for_ever(
        self, stage: ClicrdvStage, seen: list[Request]
    ) -> None:
        source = stage.connect(login="session")
        stage.server.faults.add(faults.status(401), times=None, match=faults.matching(method="GET"))
        for number in (1, 2):
            with pytest.raises(NotAuthorised):
                source.resources()
            assert len([request for request in seen if request.method == "POST"]) == number

    @pytest.mark.parametrize(
        "reply",
        [{"pro": None, "error": {"code": 5}}, {"pro": {"email": EMAIL}, "error": None}],
        ids=["an error", "no cookie"],
    )
    def test_a_sign_in_without_a_session_is_none(self, stage: ClicrdvStage, reply: dict[str, Any]) -> None:
        answer = Response.of_json(reply)
        stage.server.faults.add(faults.Fault("login", lambda _perform: answer), match=faults.matching(method="POST"))
        with pytest.raises(NotAuthorised):
            stage.connect(login="session").resources()

    def test_a_login_that_is_not_found_says_nothing_of_an_appointment(self, stage: ClicrdvStage) -> None:
        stage.server.faults.add(faults.status(404), match=faults.matching(method="POST"), times=None)
        with pytest.raises(Unavailable):
            stage.connect(login="session").look_up("1")

    @pytest.mark.parametrize("login", ["basic", "session"])
    @pytest.mark.parametrize("shape", ["object", "text", "list", "bare", "html"])
    def test_a_wrong_password_is_a_closed_door_whatever_the_refusal_looks_like(
        self, stage: ClicrdvStage, login: str, shape: Any
    ) -> None:
        stage.server.switches.error_shape = shape
        for ask in everything(stage.connect(login=login, password="guess"), "1"):
            with pytest.raises(NotAuthorised, match="practice"):
                ask()

    @pytest.mark.parametrize("status", [401, 402, 403])
    def test_every_closed_door_pauses_the_source_and_names_it(self, stage: ClicrdvStage, status: int) -> None:
        source_id = stage.book(AT_NINE)
        stage.server.faults.add(faults.status(status), times=None)
        for ask in everything(stage.connect(), source_id):
            with pytest.raises(NotAuthorised, match="'practice'"):
                ask()


class TestTheGroup:
    def test_a_group_that_is_not_shown_is_named_with_those_that_are(self, stage: ClicrdvStage) -> None:
        stage.server.world.add_group("9", "Another", "Europe/Paris")
        stage.server.world.add_group("12", "A third", "Europe/Paris")
        with pytest.raises(NotAuthorised, match=r"group 5 .*: 12, 4, 9"):
            stage.connect(group="5").resources()
        for group in ("4", "9", "12"):
            stage.server.world.withdraw_group(group)
        with pytest.raises(NotAuthorised, match="none"):
            stage.connect().resources()

    def test_the_tenant_is_the_group(self, stage: ClicrdvStage) -> None:
        assert stage.connect().key == f"clicrdv:{GROUP}"

    def test_another_group_than_the_one_asked_for_is_no_answer(self, stage: ClicrdvStage) -> None:
        reply = Response.of_json({"id": 44, "timezone": "Europe/Paris"})
        match = faults.matching(f"/groups/{GROUP}.json")
        stage.server.faults.add(faults.Fault("another", lambda _perform: reply), times=None, match=match)
        with pytest.raises(Unavailable, match="another"):
            list(stage.connect().within(WINDOW))

    def test_the_group_is_seen_before_anything_else_is_believed(self, stage: ClicrdvStage, seen: list[Request]) -> None:
        source = stage.connect()
        list(source.changes("vevents", None, WINDOW))
        list(source.within(WINDOW))
        groups = [number for number, one in enumerate(seen) if one.path.endswith(f"/groups/{GROUP}.json")]
        listed = [number for number, one in enumerate(seen) if one.path.endswith("/vevents.json")]
        assert len(groups) == 2
        assert groups[0] < listed[0]

    @pytest.mark.parametrize(
        ("label", "wall"),
        [("Paris", "+01:00"), ("Eastern Time (US & Canada)", "-05:00"), ("Indian/Reunion", "+04:00")],
        ids=str,
    )
    def test_times_are_those_of_the_groups_zone_however_it_is_called(
        self, stage: ClicrdvStage, label: str, wall: str
    ) -> None:
        stage.server.switches.zone_labels = {"Europe/Paris": label}
        source_id = stage.book(AT_NINE)
        row = appointments(stage.connect().within(WINDOW))[source_id]
        assert row.start.isoformat() == f"2026-12-03T09:00:00{wall}"

    def test_an_unknown_zone_needs_a_configured_one_and_says_so(
        self, stage: ClicrdvStage, caplog: pytest.LogCaptureFixture
    ) -> None:
        stage.server.switches.zone_labels = {"Europe/Paris": "Olympus Mons"}
        source_id = stage.book(AT_NINE)
        for ask in everything(stage.connect(), source_id):
            with pytest.raises(Unavailable, match=r"Olympus Mons.*time_zone"):
                ask()
        row = appointments(stage.connect(time_zone="Indian/Reunion").within(WINDOW))[source_id]
        assert row.start.isoformat() == "2026-12-03T09:00:00+04:00"
        assert "Olympus Mons" in caplog.text

    def test_a_zone_that_is_not_known_is_warned_of_once_in_a_process_and_by_check(
        self, stage: ClicrdvStage, caplog: pytest.LogCaptureFixture
    ) -> None:
        source = stage.connect(time_zone="Indian/Reunion")
        assert list(source.cautions()) == []
        stage.server.switches.zone_labels = {"Europe/Paris": "Olympus Mons"}
        for _ in range(3):
            list(source.within(WINDOW))
        (caution,) = source.cautions()
        assert "('Olympus Mons') is not known here; Indian/Reunion is used" in caution
        assert [record.getMessage() for record in caplog.records] == [f"practice: {caution}"]

    def test_a_configured_zone_does_not_overrule_the_groups(self, stage: ClicrdvStage) -> None:
        source_id = stage.book(AT_NINE)
        row = appointments(stage.connect(time_zone="Indian/Reunion").within(WINDOW))[source_id]
        assert row.start.isoformat() == "2026-12-03T09:00:00+01:00"


class TestSecrets:
    @pytest.mark.parametrize("login", ["basic", "session"])
    def test_no_secret_and_no_customer_is_ever_told(
        self, stage: ClicrdvStage, caplog: pytest.LogCaptureFixture, login: str
    ) -> None:
        caplog.set_level(logging.DEBUG)
        source = stage.connect(login=login)
        source_id = stage.book(AT_NINE, text="Zoé Sample", comments="sore throat")
        for ask in everything(source, source_id):
            ask()
        errors = []
        for status in (400, 401, 404, 500, 503):
            stage.server.faults.clear()
            stage.server.faults.add(faults.status(status, body=b"Zo\xc3\xa9 Sample"), times=None)
            for ask in everything(source, source_id):
                try:
                    ask()
                except (NotAuthorised, Unavailable) as error:
                    errors += [str(error), repr(error.__cause__), repr(error.__context__)]
        said = "\n".join([*map(str, caplog.records), caplog.text, *errors, repr(source._settings)])
        assert "HTTP Request" in said
        digest = hashlib.sha1(PASSWORD.encode(), usedforsecurity=False).hexdigest()
        basic = base64.b64encode(f"{EMAIL}:{PASSWORD}".encode()).decode()
        session = next(iter(stage.server.sessions), "_session_id")
        hidden = [KEY, "key%26for", PASSWORD, digest, basic, session, "Sample", "sore throat", "zoe@"]
        assert [secret for secret in hidden if secret in said] == []

    @pytest.mark.parametrize(
        ("wrong", "why"),
        [
            ({"group": "four"}, "number"),
            ({"group": ""}, "number"),
            ({"email": "desk:1@practice.example"}, "colon"),
            ({"email": "desk"}, "address"),
            ({"time_zone": "Olympus Mons"}, "IANA"),
            ({"feed": "both"}, "appointments"),
            ({"base_url": "http://www.clicrdv.com"}, "https"),
            ({"api_key": ""}, "at least 1"),
            ({"colour": "red"}, "not permitted"),
        ],
        ids=str,
    )
    def test_a_mistake_in_the_settings_is_told_without_the_secrets(self, wrong: dict[str, str], why: str) -> None:
        said = {"group": GROUP, "api_key": KEY, "email": EMAIL, "password": PASSWORD}
        with pytest.raises(ValidationError, match=why) as mistake:
            Settings.model_validate(said | wrong)
        assert KEY not in str(mistake.value)
        assert PASSWORD not in str(mistake.value)
