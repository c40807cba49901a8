"""Calendars that calferry makes itself: once each, whatever happens on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from calferry.errors import NotAuthorised, Refused, Unavailable
from calferry.model import Receipt
from calferry.sandbox import GoogleServer, faults
from calferry.sandbox.faults import matching
from calferry.sandbox.google import part_status
from calferry.sandbox.google.world import Calendar
from calferry.targets.google import GoogleTarget, build
from calferry.targets.google.own import tag
from calferry.tokens import TokenFile
from tests.builders import NOW, event
from tests.contracts.target import TargetContract, create, delete, failed, filed, intent, push, update
from tests.targets.google_world import (
    ANA,
    GoogleRemote,
    Person,
    StoppedClock,
    installed_target,
    settings_for,
    target_for,
)

BO = "bo@salon.example"
OWN = f"google:{ANA}/Appointments"


def made(server: GoogleServer) -> list[Calendar]:
    """The calendars that were made over the API."""
    return [one for one in server.world.calendars.values() if one.app]


def own_target(server: GoogleServer, tokens: TokenFile, minutes: float = 0, **options: Any) -> GoogleTarget:
    clock = StoppedClock(NOW + timedelta(minutes=minutes))
    return installed_target(server, tokens, clock, own_calendars=True, **options)


@pytest.fixture
def target(server: GoogleServer, tokens: TokenFile) -> GoogleTarget:
    target = own_target(server, tokens)
    list(target.connect(Person()))
    return target


class OwnRemote(GoogleRemote):
    """The far side, where a key names no calendar's id."""

    def shown(self, calendar: str) -> Any:
        return super().shown(made(self.server)[0].id) if made(self.server) else []


class TestACalendarOfOurOwn(TargetContract):
    @pytest.fixture
    def target(self, server: GoogleServer, tokens: TokenFile) -> GoogleTarget:
        target = own_target(server, tokens)
        list(target.connect(Person()))
        return target

    @pytest.fixture
    def calendar(self) -> str:
        return OWN

    @pytest.fixture
    def remote(self, server: GoogleServer) -> OwnRemote:
        return OwnRemote(server)


@pytest.fixture(autouse=True)
def _one_calendar_at_most(server: GoogleServer) -> Iterator[None]:
    """Whatever a test does, no title was given to two calendars."""
    yield
    titles = [(one.owner, one.summary) for one in made(server)]
    assert len(titles) == len(set(titles))


# ── making one ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_write_makes_the_calendar_and_the_next_process_knows_it(
    server: GoogleServer, target: GoogleTarget, tokens: TokenFile
) -> None:
    held = filed(push(target, create(target, OWN, event())))
    (calendar,) = made(server)
    assert (calendar.summary, calendar.owner) == ("Appointments", ANA)
    assert tag(OWN) in calendar.description
    later = own_target(server, tokens)
    server.forget_requests()
    filed(push(later, update(later, held, event(summary="Later"))))
    assert server.kinds == {"token": 1, "batch": 1}


def test_nothing_is_made_by_looking(server: GoogleServer, target: GoogleTarget) -> None:
    assert list(target.ours(OWN)) == []
    assert made(server) == []


def test_the_least_rights_do_and_no_other_calendar_opens_to_them(server: GoogleServer, tokens: TokenFile) -> None:
    target = own_target(server, tokens)
    person = Person()
    list(target.connect(person))
    assert "calendar.app.created" in person.page
    assert "calendar.events" not in person.page
    filed(push(target, create(target, OWN, event())))
    others = installed_target(server, TokenFile(tokens.path))
    kept = json.loads(tokens.read())
    kept["sign_in"]["scopes"] = ["https://www.googleapis.com/auth/calendar.events"]
    tokens.write(json.dumps(kept))
    assert isinstance(failed(push(others, create(others, f"google:{ANA}", event()))), NotAuthorised)


def test_a_renamed_calendar_is_known_by_its_id(server: GoogleServer, target: GoogleTarget) -> None:
    filed(push(target, create(target, OWN, event("u1"))))
    made(server)[0].summary = made(server)[0].description = "Mine"
    filed(push(target, create(target, OWN, event("u2"))))
    assert len(made(server)) == 1


def test_each_owner_gets_a_calendar_of_their_own_by_delegation(server: GoogleServer, tokens: TokenFile) -> None:
    key = server.add_service_account(delegated=True)
    for user in (ANA, BO):
        server.world.add_user(user)
    options = {"subject": "{owner.email}", "allow": ["*@salon.example"], "own_calendars": True}
    target = build("workspace", settings_for(server, key, **options), clock=StoppedClock(), tokens=tokens)
    for user in (ANA, BO):
        calendar = target.canonical(f"{user.upper()}/Appointments")
        assert calendar == f"google:{user}/Appointments"
        filed(push(target, create(target, calendar, event())))
    assert [(one.owner, one.summary) for one in made(server)] == [(ANA, "Appointments"), (BO, "Appointments")]
    with pytest.raises(Refused, match="not in allow"):
        target.canonical("cy@elsewhere.example/Appointments")


def test_two_calendars_are_written_in_one_batch(server: GoogleServer, target: GoogleTarget) -> None:
    other = target.canonical("Rooms")
    push(target, create(target, OWN, event()), create(target, other, event()))
    server.forget_requests()
    outcomes = push(target, create(target, OWN, event("u2")), create(target, other, event("u2")))
    assert all(isinstance(one, Receipt) for one in outcomes)
    assert server.kinds == {"batch": 1}
    assert [len(one.events) for one in made(server)] == [2, 2]


# ── dying on the way ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("lag", [timedelta(0), timedelta(hours=1)])
@pytest.mark.parametrize("fault", [faults.lost_reply(), faults.truncated(), faults.status(502, performed=True)])
def test_a_calendar_whose_making_was_not_answered_is_found_and_not_made_twice(
    server: GoogleServer, target: GoogleTarget, tokens: TokenFile, fault: faults.Fault, lag: timedelta
) -> None:
    server.switches.listings_lag = lag
    server.faults.add(fault, match=matching("/calendars", "POST"))
    stored = intent(target, create(target, OWN, event()))
    assert isinstance(failed(list(target.apply([stored]))), Unavailable)
    assert len(made(server)) == 1
    if lag:  # the list does not show it yet: another one would be one too many
        error = failed(list(own_target(server, tokens, 1).apply([stored])))
        assert isinstance(error, Unavailable)
        assert error.retry_after == 240
        server.switches.listings_lag = timedelta(0)
    filed(list(own_target(server, tokens, 5).apply([stored])))
    assert len(made(server)) == 1


def test_a_process_killed_before_it_could_file_the_calendar_leaves_it_to_be_found(
    server: GoogleServer, target: GoogleTarget, tokens: TokenFile
) -> None:
    before: list[str] = []
    server.on_request = lambda moment, request: before.append(tokens.read()) if not made(server) else None
    filed(push(target, create(target, OWN, event("u1"))))
    assert '"making"' in before[-1]  # it was on disk when the request arrived
    server.on_request = None
    kept = json.loads(before[-1])
    tokens.write(json.dumps(kept))  # all that a process that died right after the request leaves behind
    later = own_target(server, tokens, 1)
    filed(push(later, create(later, OWN, event("u2"))))
    assert len(made(server)) == 1
    assert len(made(server)[0].events) == 2
    assert OWN in json.loads(tokens.read())["calendars"]


def test_a_process_killed_before_the_request_left_makes_it_a_while_later(
    server: GoogleServer, target: GoogleTarget, tokens: TokenFile
) -> None:
    server.faults.add(faults.dropped(), match=matching("/calendars", "POST"))
    stored = intent(target, create(target, OWN, event()))
    assert isinstance(failed(list(target.apply([stored]))), Unavailable)
    assert isinstance(failed(list(own_target(server, tokens, 4).apply([stored]))), Unavailable)
    assert made(server) == []
    filed(list(own_target(server, tokens, 5).apply([stored])))


def test_a_lost_token_file_costs_a_look_and_no_second_calendar(
    server: GoogleServer, target: GoogleTarget, tokens: TokenFile
) -> None:
    filed(push(target, create(target, OWN, event("u1"))))
    tokens.remove()
    later = own_target(server, tokens)
    list(later.connect(Person()))
    filed(push(later, create(later, OWN, event("u2"))))
    assert len(made(server)) == 1


def test_a_listing_without_an_answer_makes_nothing(server: GoogleServer, target: GoogleTarget) -> None:
    for fault in (faults.status(502), faults.html(), faults.error_200()):
        server.faults.add(fault, match=matching("/calendarList"))
        assert isinstance(failed(push(target, create(target, OWN, event()))), Unavailable)
    server.faults.add(part_status(403, "insufficientPermissions"), match=matching("/calendarList"))
    assert isinstance(failed(push(target, create(target, OWN, event()))), NotAuthorised)
    assert made(server) == []


def test_a_refusal_makes_nothing_and_is_tried_again_at_once(server: GoogleServer, target: GoogleTarget) -> None:
    server.faults.add(part_status(403, "forbidden"), match=matching("/calendars", "POST"))
    assert isinstance(failed(push(target, create(target, OWN, event()))), NotAuthorised)
    filed(push(target, create(target, OWN, event())))


# ── the user's part ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_calendar_that_its_user_deleted_pauses_and_is_made_again_only_by_a_person(
    server: GoogleServer, target: GoogleTarget
) -> None:
    other = target.canonical("Rooms")
    held = filed(push(target, create(target, OWN, event())))
    filed(push(target, create(target, other, event())))
    server.world.delete_calendar(made(server)[0].id)
    for change in (create(target, OWN, event("u2")), update(target, held, event(summary="x")), delete(held)):
        error = failed(push(target, change))
        assert isinstance(error, NotAuthorised)
        assert error.calendar == OWN
        assert "calferry connect workspace" in str(error)
    filed(push(target, create(target, other, event("u2"))))
    assert f"{OWN} was deleted in Google Calendar" in " ".join(target.connect(Person()))
    filed(push(target, create(target, OWN, event("u2"))))
    assert [one.summary for one in made(server)] == ["Rooms", "Appointments"]


# ── what a configuration may say ──────────────────────────────────────────────────────────────────────────────────────


def test_a_title_is_a_title_however_it_is_written(target: GoogleTarget) -> None:
    for name in ("Appointments", f"  {ANA.upper()}/Appointments ", "\tAppointments\n"):
        assert target.canonical(name) == OWN
    assert target.canonical("Appointments / Rooms") == f"google:{ANA}/Appointments / Rooms"
    for name in ("", " ", f"{ANA}/"):
        with pytest.raises(Refused, match="title"):
            target.canonical(name)


def test_a_service_account_makes_no_calendar_that_nobody_sees(server: GoogleServer) -> None:
    with pytest.raises(ValidationError, match="nobody would see"):
        target_for(server, own_calendars=True)


def test_whether_calendars_are_our_own_decides_what_a_name_means(server: GoogleServer, tokens: TokenFile) -> None:
    assert own_target(server, tokens).basis != installed_target(server, tokens).basis
