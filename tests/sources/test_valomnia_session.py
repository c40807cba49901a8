"""One login for everything, renewed once when it is over, and never told to anybody."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from pydantic import ValidationError

from calferry.errors import CalferryError, NotAuthorised, Unavailable
from calferry.model import Found, NotFound
from calferry.sandbox import faults
from calferry.sandbox.faults import Fault, Perform
from calferry.sandbox.messages import Response
from calferry.sources.valomnia import Settings, ValomniaSource
from tests.contracts.source import AT_NINE, CLIENT, WINDOW, appointments, first_pass, rows
from tests.sources.valomnia import PASSWORD, STREAM, USER, ValomniaStage, open_stage

Shape = Literal["200", "401", "403", "302", "page"]
SHAPES: list[Shape] = ["200", "401", "403", "302", "page"]


@pytest.fixture
def stage() -> Iterator[ValomniaStage]:
    with open_stage() as stage:
        yield stage


@pytest.fixture
def source(stage: ValomniaStage) -> ValomniaSource:
    return stage.connect()


def answering(response: Response) -> Fault:
    return Fault("answering", lambda _perform: response)


def to_login(stage: ValomniaStage, fault: Fault, times: int | None = 1) -> None:
    stage.server.faults.add(fault, match=faults.matching("/j_spring_security_check"), times=times)


def elsewhere(location: str) -> Fault:
    return answering(Response(302, b"", None, {"Location": location}))


class TestSigningIn:
    @pytest.mark.parametrize(("status", "error"), [(404, "not_found"), (400, "invalid_datetime_format")])
    def test_a_login_that_goes_wrong_says_nothing_of_what_was_asked_for(
        self, stage: ValomniaStage, source: ValomniaSource, status: int, error: str
    ) -> None:
        source_id = stage.book(AT_NINE)
        cursor = first_pass(source)
        to_login(stage, answering(Response.of_json({"error": error}, status)), times=None)
        fresh = stage.connect()
        for ask in (lambda: fresh.look_up(source_id), lambda: list(fresh.changes(STREAM, cursor, WINDOW))):
            with pytest.raises(Unavailable) as raised:
                ask()
            assert type(raised.value) is Unavailable

    def test_one_login_serves_all_that_is_asked(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        stage.book(AT_NINE)
        first_pass(source)
        list(source.within(WINDOW))
        source.resources()
        assert stage.server.logins == 1

    @pytest.mark.parametrize("shape", ["redirect", "401", "success: false"])
    def test_a_wrong_password_is_tried_once_and_never_again(
        self, stage: ValomniaStage, shape: Literal["redirect", "401", "success: false"]
    ) -> None:
        stage.server.switches.login_failure = shape
        with pytest.raises(NotAuthorised):
            stage.connect(password="wrong").resources()
        assert stage.server.logins == 1

    def test_success_is_believed_in_either_spelling(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        stage.server.switches.success_as_text = True
        assert source.resources().resources

    def test_success_without_a_session_is_none(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        to_login(stage, answering(Response.of_json({"success": True})))
        with pytest.raises(Unavailable, match="without a session"):
            source.resources()

    def test_success_told_at_once_needs_no_second_request(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        def effect(perform: Perform) -> Response:
            return Response.of_json({"success": True}, Set_Cookie=perform().headers["Set-Cookie"])

        to_login(stage, Fault("at once", effect))
        assert source.resources().resources
        assert stage.asked("/login/ajaxSuccess") == []

    @pytest.mark.parametrize(
        "location", ["https://elsewhere.example/login/ajaxSuccess", "/maintenance", "", "http://[login"]
    )
    def test_a_login_is_followed_to_its_own_page_only(
        self, stage: ValomniaStage, source: ValomniaSource, location: str
    ) -> None:
        to_login(stage, elsewhere(location))
        with pytest.raises(Unavailable, match="elsewhere"):
            source.resources()
        assert stage.server.requests == 1

    @pytest.mark.parametrize("fault", [faults.html, faults.truncated, faults.dropped, lambda: faults.status(503)])
    def test_a_login_that_is_not_answered_is_an_outage_and_no_closed_door(
        self, stage: ValomniaStage, source: ValomniaSource, fault: Callable[[], Fault]
    ) -> None:
        stage.server.faults.add(fault(), times=None)
        with pytest.raises(Unavailable):
            source.resources()

    def test_two_threads_share_one_session(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        source_id = stage.book(AT_NINE)
        answers: list[object] = []
        threads = [threading.Thread(target=lambda: answers.append(source.look_up(source_id))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [isinstance(answer, Found) for answer in answers] == [True] * 8
        assert stage.server.logins == 1


class TestExpiry:
    @pytest.mark.parametrize("shape", SHAPES)
    def test_an_expired_session_is_renewed_in_the_middle_of_a_pass(
        self, stage: ValomniaStage, source: ValomniaSource, shape: Shape
    ) -> None:
        """`no_credentials` with 200 has no rows: read as "no changes", it would lose all of them."""
        booked = {stage.book(AT_NINE) for _ in range(9)}
        stage.server.switches.expired, stage.server.switches.session_uses = shape, 4
        assert appointments(source.changes(STREAM, None, WINDOW)).keys() == booked
        assert appointments(source.within(WINDOW)).keys() == booked
        assert stage.server.logins > 2

    @pytest.mark.parametrize("shape", SHAPES)
    def test_a_session_that_is_refused_right_after_its_login_ends_the_step(
        self, stage: ValomniaStage, source: ValomniaSource, shape: Shape
    ) -> None:
        stage.server.switches.expired, stage.server.switches.session_uses = shape, 0
        closed = NotAuthorised if shape in {"200", "401", "403"} else Unavailable
        with pytest.raises(closed):
            list(source.changes(STREAM, None, WINDOW))
        assert stage.server.logins == 1

    def test_a_session_that_somebody_else_ended_is_renewed_once(
        self, stage: ValomniaStage, source: ValomniaSource
    ) -> None:
        source_id = stage.book(AT_NINE)
        first_pass(source)
        other = stage.connect()
        assert isinstance(other.look_up(source_id), Found)
        before = stage.server.logins
        assert isinstance(source.look_up(source_id), Found)
        assert stage.server.logins == before + 1

    def test_expiry_is_never_a_not_found(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        source.resources()
        stage.server.faults.add(answering(Response.of_json({"error": "no_credentials"}, 404)), times=None)
        with pytest.raises(CalferryError):
            source.look_up("1")


class TestAnswers:
    @pytest.mark.parametrize(
        "response",
        [
            Response.of_json({"error": "server_error"}),
            Response.of_json({"error": {"nested": True}}),
            Response.of_json({"error": "server_error", "paging": {"total": 0, "max": 100, "offset": 0}, "data": []}),
            Response.of_json({}),
            Response.of_json({"paging": {"total": 0, "max": 100, "offset": 0}}),
            Response.of_json({"data": []}),
            Response.of_json({"paging": {"total": 0, "offset": 100}, "data": []}),
            Response.of_json({"paging": {"offset": 0}, "data": []}),
            Response(200, b"[]"),
            Response(200, b'{"data": ['),
            Response(200, b"ok", "text/plain"),
            Response(204, b""),
            Response.of_json({"error": "not_unique"}, 409),
            Response(404, b"<html>", "text/html"),
            Response.of_json({"error": "invalid_param"}, 400),
            Response.of_json({"error": "server_error"}, 500),
        ],
        ids=lambda response: f"{response.status} {response.body.decode()}",
    )
    def test_whatever_is_no_listing_is_no_empty_listing(
        self, stage: ValomniaStage, source: ValomniaSource, response: Response
    ) -> None:
        stage.book(AT_NINE)
        cursor = first_pass(source)
        stage.server.faults.add(answering(response), match=faults.matching("/api/"), times=None)
        for ask in (
            lambda: list(source.changes(STREAM, None, WINDOW)),
            lambda: list(source.within(WINDOW)),
            source.resources,
        ):
            with pytest.raises(Unavailable):
                ask()
        with pytest.raises(CalferryError):
            list(source.changes(STREAM, cursor, WINDOW))

    def test_only_not_found_in_valomnias_own_words_is_one(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        assert isinstance(source.look_up("999"), NotFound)
        for body, kind in ((b"", None), (b"<html>", "text/html"), (b'{"error": "no_route"}', "application/json")):
            stage.server.faults.add(answering(Response(404, body, kind)), match=faults.matching("/appointments/"))
            with pytest.raises(Unavailable):
                source.look_up("999")

    def test_not_found_with_a_status_of_success_is_none(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        stage.server.faults.add(
            answering(Response.of_json({"error": "not_found"})), match=faults.matching("/appointments/")
        )
        with pytest.raises(Unavailable):
            source.look_up("999")

    def test_the_answer_about_another_appointment_is_none(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        source_id = stage.book(AT_NINE)
        stage.rewrite_rows(lambda row: row | {"id": 777})
        with pytest.raises(Unavailable, match="another"):
            source.look_up(source_id)

    def test_an_appointment_is_found_by_its_reference_as_well(
        self, stage: ValomniaStage, source: ValomniaSource
    ) -> None:
        source_id = stage.book(AT_NINE)
        answer = source.look_up(f"Ref-{source_id}")
        assert isinstance(answer, Found)
        assert answer.batch.appointments[0].source_id == source_id
        assert isinstance(source.look_up("A/B ?*"), NotFound)

    def test_a_busy_service_is_asked_again(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        source_id = stage.book(AT_NINE)
        stage.server.faults.add(faults.status(429, retry_after=0), match=faults.matching("/appointments/"), times=2)
        assert isinstance(source.look_up(source_id), Found)

    def test_a_long_pause_is_left_to_the_schedule(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        stage.server.faults.add(faults.status(503, retry_after=3600), match=faults.matching("/appointments/"))
        with pytest.raises(Unavailable) as outage:
            source.look_up("1")
        assert outage.value.retry_after == 3600


class TestSecrets:
    def test_password_and_session_are_in_no_log_no_error_and_no_address(
        self, stage: ValomniaStage, source: ValomniaSource, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The redirect after a login carries the session in its path."""
        caplog.set_level(logging.DEBUG)
        stage.book(AT_NINE)
        first_pass(source)
        sessions = list(stage.server._sessions)
        said = [*map(str, caplog.records), caplog.text, str(stage.server.log), repr(source._settings)]
        for fault in (faults.status(500), faults.html(), answering(Response.of_json({"error": PASSWORD}, 400))):
            stage.server.faults.add(fault, match=faults.matching("/api/"), times=2)
            with pytest.raises(CalferryError) as problem:
                source.look_up("1")
            said += [str(problem.value), str(problem.value.__cause__), str(problem.value.__context__)]
        assert "HTTP Request" in caplog.text
        assert sessions
        assert not any(secret in text for secret in (PASSWORD, *sessions, "jsessionid") for text in said)

    def test_no_reason_holds_personal_data(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        ids = [stage.book(AT_NINE, title="Frau Muster") for _ in range(4)]
        switches = stage.server.switches
        switches.broken_starts, switches.mute, switches.nobody = {ids[0]}, {ids[1]}, {ids[2]}
        told = rows(list(source.changes(STREAM, None, WINDOW)))
        reasons = [getattr(row, "reason", "") for row in told]
        assert sum(map(bool, reasons)) == 3
        assert not any(word in reason for reason in reasons for word in (*CLIENT.split(), "Muster", "Ana", USER))


class TestSettings:
    def test_the_organisation_is_the_account_and_its_address(self) -> None:
        settings = Settings.model_validate({"organisation": "acme", "user": USER, "password": PASSWORD})
        assert settings.root == "https://acme.valomnia.com"
        assert (settings.time_zone, settings.version, settings.references) == ("UTC", "v2.1", False)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"organisation": "acme.valomnia.com"},
            {"organisation": ""},
            {"user": ""},
            {"password": ""},
            {"time_zone": "Paris"},
            {"time_zone": "../etc"},
            {"version": "2.1"},
            {"base_url": "http://acme.example"},
            {"references": "perhaps"},
            {"colour": "blue"},
        ],
        ids=str,
    )
    def test_nonsense_is_refused_without_being_quoted(self, wrong: dict[str, Any]) -> None:
        told = {"organisation": "acme", "user": USER, "password": PASSWORD} | wrong
        with pytest.raises(ValueError, match="validation error") as problem:
            Settings.model_validate(told)
        assert PASSWORD not in str(problem.value)

    @pytest.mark.parametrize(
        ("wrong", "told"),
        [
            ({"organisation": "acme.valomnia.com"}, 'write "acme"'),
            ({"organisation": "https://acme.valomnia.com/login"}, 'write "acme"'),
            ({"organisation": "Acme"}, 'write "acme"'),
            ({"organisation": ""}, 'for instance, "acme"'),
            ({"organisation": "acme.example"}, 'for instance, "acme"'),
            ({"version": "2.1"}, 'write "v2.1"'),
            ({"version": "V1.0"}, 'write "v1.0"'),
            ({"version": "latest"}, 'write "v2.1"'),
            ({"user": " "}, "write the e-mail address"),
            ({"password": ""}, "holds the password"),
        ],
        ids=str,
    )
    def test_nonsense_is_answered_with_what_to_write(self, wrong: dict[str, Any], told: str) -> None:
        settings = {"organisation": "acme", "user": USER, "password": PASSWORD} | wrong
        with pytest.raises(ValidationError) as problem:
            Settings.model_validate(settings)
        (error,) = problem.value.errors(include_input=False)
        assert (error["type"], error["loc"]) == ("value_error", tuple(wrong))
        assert told in error["msg"]

    def test_the_version_is_part_of_every_address(self, stage: ValomniaStage) -> None:
        stage.connect(version="v1.0").resources()
        assert {one.path.split("/")[2] for one in stage.server.log if one.path.startswith("/api/")} == {"v1.0"}
