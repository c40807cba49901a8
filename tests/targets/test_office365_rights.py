"""What calferry may do in Microsoft 365 is told before it writes, and what it may not by its name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from calferry.errors import NotAuthorised, Refused, Unavailable
from calferry.ports import Cautious, Connecting, Expiring, Proving
from calferry.sandbox import GraphServer, faults
from calferry.sandbox.graph import application_certificate
from calferry.targets.office365 import Office365Target
from tests.builders import event
from tests.contracts.target import create, failed, filed, push
from tests.targets.office365_world import ANA, CLIENT, KEY, Reader, built, person_for, settings_for, target_for

BO = "bo@salon.example"
BOS = f"office365:{BO}"


@pytest.fixture
def ana(graph: GraphServer, tmp_path: Path) -> Office365Target:
    """A target that Ana has signed in for; Bo has a mailbox too."""
    graph.world.add_mailbox(BO)
    target = person_for(graph, tmp_path)
    list(target.connect(Reader(graph)))
    return target


def closed(target: Office365Target, calendar: str) -> str:
    """Why that calendar alone is closed: proving says it, and so does writing."""
    with pytest.raises(NotAuthorised) as raised:
        target.prove(calendar)
    assert raised.value.calendar == calendar
    error = failed(push(target, create(target, calendar, event())))
    assert isinstance(error, NotAuthorised)
    assert error.calendar == calendar
    return str(raised.value)


def certified(graph: GraphServer) -> Office365Target:
    signed = application_certificate()
    graph.world.add_mailbox(ANA)
    graph.world.add_application(CLIENT, certificate=signed.certificate_pem)
    pem = (signed.key_pem + signed.certificate_pem).decode()
    return built(settings_for(graph, client_secret=None, certificate=pem))


# ── as an application ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_application_says_which_rights_its_token_carries(graph: GraphServer, office365: Office365Target) -> None:
    assert isinstance(office365, Connecting)
    signed_in, rights, ends = office365.connect(Reader(graph))
    assert signed_in == f"signed in as application {CLIENT} of salon.example"
    assert "says Calendars.ReadWrite (Application): it may write to every mailbox" in rights
    assert "client secret" in ends
    assert graph.kinds["token"] == 1


def test_a_token_without_rights_is_as_it_should_be_where_exchange_gives_them(
    graph: GraphServer, office365: Office365Target
) -> None:
    graph.world.roles, graph.world.exchange_grants = set(), True
    assert "RBAC for Applications" in list(office365.connect(Reader(graph)))[1]
    assert list(office365.cautions()) == []
    office365.prove(KEY)
    filed(push(office365, create(office365, KEY, event())))


def test_an_application_that_may_only_read_is_cautioned_against(graph: GraphServer, office365: Office365Target) -> None:
    graph.world.roles = {"Calendars.Read"}
    assert isinstance(office365, Cautious)
    assert "Calendars.Read, and not Calendars.ReadWrite" in list(office365.connect(Reader(graph)))[1]
    (caution,) = office365.cautions()
    assert "does not say Calendars.ReadWrite (Application)" in caution
    office365.prove(KEY)  # a calendar knows nothing of what the application may
    error = failed(push(office365, create(office365, KEY, event())))
    assert isinstance(error, NotAuthorised)
    assert error.calendar == KEY


def test_a_token_in_a_form_of_its_own_says_nothing_and_is_no_trouble(graph: GraphServer) -> None:
    graph.switches.access_tokens = "opaque"
    target = target_for(graph)
    assert "does not say which rights" in list(target.connect(Reader(graph)))[1]
    assert list(target.cautions()) == []


def test_consent_that_was_taken_back_closes_each_calendar_with_the_right_that_is_missing(
    graph: GraphServer, office365: Office365Target
) -> None:
    graph.world.roles = set()
    assert "needs Calendars.ReadWrite for this mailbox" in closed(office365, KEY)


def test_a_mailbox_outside_of_the_scope_is_told_by_the_right_that_is_missing(
    graph: GraphServer, office365: Office365Target
) -> None:
    graph.world.add_mailbox(BO)
    graph.world.restrict(BO)
    assert "RBAC in Exchange, whose scope has to include it" in closed(office365, BOS)
    filed(push(office365, create(office365, KEY, event())))


def test_when_a_secret_ends_is_not_known(office365: Office365Target) -> None:
    assert isinstance(office365, Expiring)
    assert office365.expiry() is None


def test_a_certificate_is_told_of_by_its_last_day(graph: GraphServer) -> None:
    target = certified(graph)
    expiry = target.expiry()
    assert expiry is not None
    assert timedelta(days=29) < expiry.at - datetime.now(UTC) < timedelta(days=31)
    assert expiry.what == "the certificate"
    assert f"{expiry.at:%Y-%m-%d}" in list(target.connect(Reader(graph)))[2]


def test_a_certificate_that_cannot_be_read_has_no_last_day(graph: GraphServer) -> None:
    pem = "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\nx\n"
    assert target_for(graph, client_secret=None, certificate=f"{pem}-----END CERTIFICATE-----\n").expiry() is None


# ── calendars ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_calendar_is_proved_writable_without_being_written(graph: GraphServer, office365: Office365Target) -> None:
    assert isinstance(office365, Proving)
    office365.prove(KEY)
    office365.prove(f"{KEY}/calendars/{graph.world.add_calendar(ANA, 'Salon')}")
    assert graph.world.performed == {}


def test_a_calendar_that_may_only_be_read_pauses_alone(graph: GraphServer, office365: Office365Target) -> None:
    salon = graph.world.add_calendar(ANA, "Holidays")
    graph.world.mailboxes[ANA].read_only.add(salon)
    assert "may be read and not written" in closed(office365, f"{KEY}/calendars/{salon}")
    filed(push(office365, create(office365, KEY, event())))


def test_a_mailbox_without_a_licence_pauses_alone(graph: GraphServer, office365: Office365Target) -> None:
    graph.world.add_mailbox(BO)
    graph.world.mailboxes[BO].licensed = False
    assert "no licence for Exchange Online" in (told := closed(office365, BOS))
    assert "calferry check" in told
    filed(push(office365, create(office365, KEY, event())))


def test_a_mailbox_that_does_not_exist_pauses_alone(graph: GraphServer, office365: Office365Target) -> None:
    assert "no mailbox of that address" in closed(office365, BOS)
    filed(push(office365, create(office365, KEY, event())))


def test_a_calendar_that_its_user_deleted_pauses_alone(graph: GraphServer, office365: Office365Target) -> None:
    salon = graph.world.add_calendar(ANA, "Salon")
    graph.world.remove_calendar(ANA, salon)
    assert "no such calendar" in closed(office365, f"{KEY}/calendars/{salon}")
    filed(push(office365, create(office365, KEY, event())))


def test_the_default_calendar_under_its_id_is_refused_before_it_holds_everything_twice(
    graph: GraphServer, office365: Office365Target
) -> None:
    with pytest.raises(Refused, match="name it by the address alone"):
        office365.prove(f"{KEY}/calendars/{graph.world.mailboxes[ANA].default}")


def test_a_mailbox_outside_of_allow_is_not_even_asked_about(graph: GraphServer, office365: Office365Target) -> None:
    with pytest.raises(NotAuthorised):
        office365.prove("office365:ana@elsewhere.example")
    assert graph.requests == 0


@pytest.mark.parametrize("fault", [faults.status(503), faults.html(), faults.error_200(), faults.dropped()])
def test_a_calendar_that_gives_no_answer_is_not_proved(
    graph: GraphServer, office365: Office365Target, fault: faults.Fault
) -> None:
    graph.faults.add(fault, match=faults.matching("/calendar"))
    with pytest.raises(Unavailable):
        office365.prove(KEY)


# ── as a person ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_calendars_beside_the_default_one_are_named_as_a_configuration_names_them(
    graph: GraphServer, tmp_path: Path
) -> None:
    target = person_for(graph, tmp_path)
    salon, holidays = graph.world.add_calendar(ANA, "Salon"), graph.world.add_calendar(ANA, "Holidays")
    graph.world.mailboxes[ANA].read_only.add(holidays)
    *_, last = target.connect(Reader(graph))
    assert last == f'calendar "Salon" is {ANA}/calendars/{salon}'
    target.prove(target.canonical(last.partition(" is ")[2]))


def test_a_calendar_that_is_shared_for_editing_is_written(graph: GraphServer, ana: Office365Target) -> None:
    graph.world.share(BO, ANA)
    ana.prove(BOS)
    filed(push(ana, create(ana, BOS, event())))
    assert len(list(graph.world.events(BO))) == 1
    assert graph.world.mails == []


@pytest.mark.parametrize("shared", [False, True])
def test_a_calendar_that_is_not_shared_for_editing_pauses_alone(
    graph: GraphServer, ana: Office365Target, *, shared: bool
) -> None:
    if shared:
        graph.world.share(BO, ANA, edit=False)
    told = closed(ana, BOS)
    assert ("may be read and not written" if shared else "needs the calendar shared with them, for editing") in told
    filed(push(ana, create(ana, KEY, event())))


def test_a_person_has_no_certificate_and_no_roles_to_tell_of(ana: Office365Target) -> None:
    assert ana.expiry() is None
    assert list(ana.cautions()) == []
