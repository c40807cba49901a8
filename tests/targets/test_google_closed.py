"""A calendar that is closed to us: it pauses alone, and says who must act and which command shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from calferry.errors import NotAuthorised, Refused, Unavailable
from calferry.model import Failure
from calferry.ports import Proving
from calferry.sandbox import GoogleServer, faults
from calferry.sandbox.faults import matching
from calferry.targets.google import GoogleTarget
from calferry.tokens import TokenFile
from tests.builders import event
from tests.contracts.target import create, push
from tests.targets.google_world import ANA, DELEGATION, KEY, Person, installed_target, target_for

BO = "bo@salon.example"
FERRY = "ferry@sandbox-project.example"

Close = Callable[[GoogleServer], None]

SHARED: dict[str, tuple[Close, str]] = {
    "deleted": (lambda server: server.world.delete_calendar(ANA), "deleted"),
    "withdrawn": (lambda server: server.world.unshare(ANA, FERRY), "its owner restores it or shares it"),
    "read only": (
        lambda server: server.world.share(ANA, FERRY, "reader"),
        "its owner shares it, to make changes to events",
    ),
    "free or busy": (lambda server: server.world.share(ANA, FERRY, "freeBusyReader"), "make changes to events"),
}
"""What can befall one calendar that is shared with a service account, and what is said of it."""

ALL: dict[str, tuple[Close, str]] = {
    "disabled": (lambda server: server.world.disable(FERRY), "was deleted or the account disabled"),
    "no API": (lambda server: setattr(server.world, "api_enabled", False), "Google Calendar API is not enabled"),
}
"""What closes the whole connection."""


@pytest.fixture
def shared(server: GoogleServer) -> GoogleTarget:
    """A service account with which Ana and Bo share their calendars."""
    target = target_for(server)
    server.world.share(server.world.add_user(BO), FERRY, "writer")
    return target


def outcomes(target: GoogleTarget) -> dict[str, NotAuthorised | None]:
    """What becomes of an event for Ana and one for Bo, pushed as one lane or as two."""
    changes = [create(target, f"google:{whose}", event()) for whose in (ANA, BO)]
    lots = [changes] if target.lane(KEY) == target.lane(f"google:{BO}") else [[one] for one in changes]
    told: dict[str, NotAuthorised | None] = {}
    for outcome in (one for lot in lots for one in push(target, *lot)):
        error = outcome.error if isinstance(outcome, Failure) else None
        assert error is None or isinstance(error, NotAuthorised)
        told[outcome.calendar] = error
    return told


@pytest.mark.parametrize("case", SHARED)
def test_a_calendar_that_is_closed_pauses_alone_and_names_who_must_act_and_the_command(
    server: GoogleServer, shared: GoogleTarget, case: str
) -> None:
    close, remedy = SHARED[case]
    close(server)
    told = outcomes(shared)
    assert told[f"google:{BO}"] is None
    error = told[KEY]
    assert error is not None
    assert error.calendar == KEY
    for words in (remedy, f"calferry acts as {FERRY}", "`calferry connect workspace`"):
        assert words in str(error)


@pytest.mark.parametrize("case", ALL)
def test_what_closes_the_connection_says_so_once_for_all(server: GoogleServer, shared: GoogleTarget, case: str) -> None:
    close, remedy = ALL[case]
    close(server)
    for error in outcomes(shared).values():
        assert error is not None
        assert error.calendar is None
        assert remedy in str(error)
        assert "`calferry connect workspace`" in str(error)


def test_a_user_whom_the_domain_does_not_know_closes_that_users_calendar(server: GoogleServer) -> None:
    target = target_for(server, **DELEGATION)
    server.world.add_user(BO)
    server.world.users.remove(ANA)
    told = outcomes(target)
    assert told[f"google:{BO}"] is None
    error = told[KEY]
    assert error is not None
    assert error.calendar == KEY
    assert "there is no such user" in str(error)


def test_a_delegation_that_is_missing_names_its_scope_and_where_it_is_given(server: GoogleServer) -> None:
    target = target_for(server, **DELEGATION)
    server.add_service_account(delegated=False)
    server.world.add_user(BO)
    for error in outcomes(target).values():
        assert error is not None
        for words in ("unauthorized_client", "auth/calendar.events", "Domain-wide delegation", "calferry connect"):
            assert words in str(error)


# ── proving, without writing ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(autouse=True)
def _what_proves_writes_nothing(server: GoogleServer, request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "prove" in request.node.name:
        assert server.world.writes == 0
        assert not any(one.app for one in server.world.calendars.values())


def test_a_calendar_is_proven_writable_in_one_request(server: GoogleServer, shared: GoogleTarget) -> None:
    assert isinstance(shared, Proving)
    shared.prove(KEY)
    assert server.kinds == {"token": 1, "single": 1}


@pytest.mark.parametrize("case", [*SHARED, *ALL])
def test_a_calendar_that_is_closed_is_not_proven(server: GoogleServer, shared: GoogleTarget, case: str) -> None:
    close, remedy = (SHARED | ALL)[case]
    close(server)
    with pytest.raises(NotAuthorised) as raised:
        shared.prove(KEY)
    assert remedy in str(raised.value)
    assert "`calferry connect workspace`" in str(raised.value)


def test_a_calendar_outside_of_allow_is_not_proven(server: GoogleServer, shared: GoogleTarget) -> None:
    fenced = target_for(server, allow=["*@elsewhere.example"])
    server.forget_requests()
    with pytest.raises(NotAuthorised, match="allow"):
        fenced.prove(KEY)
    with pytest.raises(Refused):
        fenced.canonical(ANA)
    assert server.requests == 0


@pytest.mark.parametrize("fault", [faults.status(502), faults.html(), faults.error_200(), faults.no_items()])
def test_without_an_answer_nothing_is_proven(server: GoogleServer, shared: GoogleTarget, fault: faults.Fault) -> None:
    server.faults.add(fault, match=matching("/events"))
    if fault.kind == "no_items":
        shared.prove(KEY)
        return
    with pytest.raises(Unavailable):
        shared.prove(KEY)


def test_a_calendar_of_our_own_is_proven_before_it_is_made(server: GoogleServer, tokens: TokenFile) -> None:
    target = installed_target(server, tokens, own_calendars=True)
    list(target.connect(Person()))
    target.prove(target.canonical("Appointments"))
