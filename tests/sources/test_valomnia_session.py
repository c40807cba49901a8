"""One login for everything, renewed once when it is over, and never told to anybody."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Literal

import pytest

from calferry.errors import CalferryError, NotAuthorised, Unavailable
from calferry.model import Found, NotFound
from calferry.sandbox import faults
from calferry.sandbox.faults import Fault, Perform
from calferry.sandbox.messages import Response
from calferry.sources.valomnia import Settings, ValomniaSource
from tests.contracts.source import AT_NINE, CLIENT, WINDOW, appointments, first_pass, rows
from tests.sources.valomnia import PASSWORD, USER, ValomniaStage

STREAM = "appointments"

Shape = Literal["200", "401", "403", "302", "page"]
SHAPES: list[Shape] = ["200", "401", "403", "302", "page"]


def answering(response: Response) -> Fault:
    return Fault("answering", lambda _perform: response)


def to_login(office: ValomniaStage, fault: Fault, times: int | None = 1) -> None:
    office.server.faults.add(fault, match=faults.matching("/j_spring_security_check"), times=times)


def elsewhere(location: str) -> Fault:
    return answering(Response(302, b"", None, {"Location": location}))


class TestSigningIn:
    def test_one_login_serves_all_that_is_asked(self, office: ValomniaStage, valomnia: ValomniaSource) -> None:
        office.book(AT_NINE)
        first_pass(valomnia)
        list(valomnia.within(WINDOW))
        valomnia.resources()
        assert office.server.logins == 1

    @pytest.mark.parametrize("shape", ["redirect", "401", "success: false"])
    def test_a_wrong_password_is_tried_once_and_never_again(
        self, office: ValomniaStage, shape: Literal["redirect", "401", "success: false"]
    ) -> None:
        office.server.switches.login_failure = shape
        with pytest.raises(NotAuthorised):
            office.connect(password="wrong").resources()
        assert office.server.logins == 1

    def test_success_is_believed_in_either_spelling(self, office: ValomniaStage, valomnia: ValomniaSource) -> None:
        office.server.switches.success_as_text = True
        assert valomnia.resources().resources

    def test_success_without_a_session_is_none(self, office: ValomniaStage, valomnia: ValomniaSource) -> None:
        to_login(office, answering(Response.of_json({"success": True})))
        with pytest.raises(Unavailable, match="without a session"):
            valomnia.resources()

    def test_success_told_at_once_needs_no_second_request(
        self, office: ValomniaStage, valomnia: ValomniaSource
    ) -> None:
        def effect(perform: Perform) -> Response:
            return Response.of_json({"success": True}, Set_Cookie=perform().headers["Set-Cookie"])

        to_login(office, Fault("at once", effect))
        assert valomnia.resources().resources
        assert office.asked("/login/ajaxSuccess") == []

    @pytest.mark.parametrize("location", ["https://elsewhere.example/login/ajaxSuccess", "/maintenance", ""])
    def test_a_login_is_followed_to_its_own_page_only(
        self, office: ValomniaStage, valomnia: ValomniaSource, location: str
    ) -> None:
        to_login(office, elsewhere(location))
        with pytest.raises(Unavailable, match="elsewhere"):
            valomnia.resources()
        assert office.server.requests == 1

    @pytest.mark.parametrize("fault", [faults.html, faults.truncated, faults.dropped, lambda: faults.status(503)])
    def test_a_login_that_is_not_answered_is_an_outage_and_no_closed_door(
        self, office: ValomniaStage, valomnia: ValomniaSource, fault: Callable[[], Fault]
    ) -> None:
        office.server.faults.add(fault(), times=None)
        with pytest.raises(Unavailable):
            valomnia.resources()

    def test_two_threads_share_one_session(self, office: ValomniaStage, valomnia: ValomniaSource) -> None:
        source_id = office.book(AT_NINE)
        answers: list[object] = []
        threads = [threading.Thread(target=lambda: answers.append(valomnia.look_up(source_id))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [isinstance(answer, Found) for answer in answers] == [True] * 8
        assert office.server.logins == 1


class TestExpiry:
    @pytest.mark.parametrize("shape", SHAPES)
    def test_an_expired_session_is_renewed_in_the_middle_of_a_pass(
        self, office: ValomniaStage, valomnia: ValomniaSource, shape: Shape
    ) -> None:
        """`no_credentials` with 200 has no rows: read as "no changes", it would lose all of them."""
        booked = {office.book(AT_NINE) for _ in range(9)}
        office.server.switches.expired, office.server.switches.session_uses = shape, 4
        assert appointments(valomnia.changes(STREAM, None, WINDOW)).keys() == booked
        assert appointments(valomnia.within(WINDOW)).keys() == booked
        assert office.server.logins > 2

    @pytest.mark.parametrize("shape", SHAPES)
    def test_a_session_that_is_refused_right_after_its_login_ends_the_step(
        self, office: ValomniaStage, valomnia: ValomniaSource, shape: Shape
    ) -> None:
        office.server.switches.expired, office.server.switches.session_uses = shape, 0
        closed = NotAuthorised if shape in {"200", "401", "403"} else Unavailable
        with pytest.raises(closed):
            list(valomnia.changes(STREAM, None, WINDOW))
        assert office.server.logins == 1

    def test_a_session_that_somebody_else_ended_is_renewed_once(
        self, office: ValomniaStage, valomnia: ValomniaSource
    ) -> None:
        source_id = office.book(AT_NINE)
        first_pass(valomnia)
        other = office.connect()
        assert isinstance(other.look_up(source_id), Found)
        before = office.server.logins
        assert isinstance(valomnia.look_up(source_id), Found)
        assert office.server.logins == before + 1

    def test_expiry_is_never_a_not_found(self, office: ValomniaStage, valomnia: ValomniaSource) -> None:
        valomnia.resources()
        office.server.faults.add(answering(Response.of_json({"error": "no_credentials"}, 404)), times=None)
        with pytest.raises(CalferryError):
            valomnia.look_up("1")


class TestAnswers:
    @pytest.mark.parametrize(
        "response",
        [
            Response.of_json({"error": "server_error"}),
            Response.of_json({"error": {"nested": True}}),
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
        self, office: ValomniaStage, valomnia: ValomniaSource, response: Response
    ) -> None:
        office.book(AT_NINE)
        cursor = first_pass(valomnia)
        office.server.faults.add(answering(response), match=faults.matching("/api/"), times=None)
        for ask in (
            lambda: list(valomnia.changes(STREAM, None, WINDOW)),
            lambda: list(valomnia.within(WINDOW)),
            valomnia.resources,
        ):
            with pytest.raises(Unavailable):
                ask()
        with pytest.raises(CalferryError):
            list(valomnia.changes(STREAM, cursor, WINDOW))

    def test_only_not_found_in_valomnias_own_words_is_one(
        self, office: ValomniaStage, valomnia: ValomniaSource
    ) -> None:
        assert isinstance(valomnia.look_up("999"), NotFound)
        for body, kind in ((b"", None), (b"<html>", "text/html"), (b'{"error": "no_route"}', "application/json")):
            office.server.faults.add(answering(Response(404, body, kind)), match=faults.matching("/appointments/"))
            with pytest.raises(Unavailable):
                valomnia.look_up("999")

    def test_not_found_with_a_status_of_success_is_none(self, office: ValomniaStage, valomnia: ValomniaSource) -> None:
        office.server.faults.add(
            answering(Response.of_json({"error": "not_found"})), match=faults.matching("/appointments/")
        )
        with pytest.raises(Unavailable):
            valomnia.look_up("999")

    def test_the_answer_about_another_appointment_is_none(
        self, office: ValomniaStage, valomnia: ValomniaSource
    ) -> None:
        source_id = office.book(AT_NINE)
        office.rewrite_rows(lambda row: row | {"id": 777})
        with pytest.raises(Unavailable, match="another"):
            valomnia.look_up(source_id)

    def test_an_appointment_is_found_by_its_reference_as_well(
        self, office: ValomniaStage, valomnia: ValomniaSource
    ) -> None:
        source_id = office.book(AT_NINE)
        answer = valomnia.look_up(f"Ref-{source_id}")
        assert isinstance(answer, Found)
        assert answer.batch.appointments[0].source_id == source_id
        assert isinstance(valomnia.look_up("A/B ?*"), NotFound)

    def test_a_busy_service_is_asked_again(self, office: ValomniaStage, valomnia: ValomniaSource) -> None:
        source_id = office.book(AT_NINE)
        office.server.faults.add(faults.status(429, retry_after=0), match=faults.matching("/appointments/"), times=2)
        assert isinstance(valomnia.look_up(source_id), Found)

    def test_a_long_pause_is_left_to_the_schedule(self, office: ValomniaStage, valomnia: ValomniaSource) -> None:
        office.server.faults.add(faults.status(503, retry_after=3600), match=faults.matching("/appointments/"))
        with pytest.raises(Unavailable) as outage:
            valomnia.look_up("1")
        assert outage.value.retry_after == 3600


class TestSecrets:
    def test_password_and_session_are_in_no_log_no_error_and_no_address(
        self, office: ValomniaStage, valomnia: ValomniaSource, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The redirect after a login carries the session in its path."""
        caplog.set_level(logging.DEBUG)
        office.book(AT_NINE)
        first_pass(valomnia)
        sessions = list(office.server._sessions)
        said = [*map(str, caplog.records), caplog.text, str(office.server.log), repr(valomnia._settings)]
        for fault in (faults.status(500), faults.html(), answering(Response.of_json({"error": PASSWORD}, 400))):
            office.server.faults.add(fault, match=faults.matching("/api/"), times=2)
            with pytest.raises(CalferryError) as problem:
                valomnia.look_up("1")
            said += [str(problem.value), str(problem.value.__cause__), str(problem.value.__context__)]
        assert "HTTP Request" in caplog.text
        assert sessions
        assert not any(secret in text for secret in (PASSWORD, *sessions, "jsessionid") for text in said)

    def test_no_reason_holds_personal_data(self, office: ValomniaStage, valomnia: ValomniaSource) -> None:
        ids = [office.book(AT_NINE, title="Frau Muster") for _ in range(4)]
        switches = office.server.switches
        switches.broken_starts, switches.mute, switches.nobody = {ids[0]}, {ids[1]}, {ids[2]}
        told = rows(list(valomnia.changes(STREAM, None, WINDOW)))
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

    def test_the_version_is_part_of_every_address(self, office: ValomniaStage) -> None:
        office.connect(version="v1.0").resources()
        assert {one.path.split("/")[2] for one in office.server.log if one.path.startswith("/api/")} == {"v1.0"}
