"""What documents leave open is settled on a live account: by reading, within a bound, and with no word of anybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

import pytest

from calferry.errors import NotAuthorised, Unavailable
from calferry.ports import Finding
from calferry.sandbox import faults
from calferry.sources.agendize.probes import PROBES as AGENDIZE
from calferry.sources.clicrdv.probes import PROBES as CLICRDV
from calferry.sources.probing import LIMIT, Probe
from calferry.sources.valomnia.probes import PROBES as VALOMNIA
from tests.readings import AFFLICTIONS, SWITCHES, Reading, readings
from tests.sources.probing import OPENED, Account

PROBES: Mapping[str, tuple[Probe[Any], ...]] = {"agendize": AGENDIZE, "clicrdv": CLICRDV, "valomnia": VALOMNIA}

PAGES = Path(__file__).parents[2] / "docs/adapters"

OAUTH = {
    "api_key": None,
    "token": None,
    "client_id": "app-1",
    "client_secret": "sandbox-client",
    "refresh_token": "sandbox-refresh",
}
OPTIONS: Mapping[str, Mapping[str, Any]] = {"omit_expiry": OAUTH, "rotate_refresh_tokens": OAUTH}
"""How a source is configured for a switch to matter."""

BESIDE: Mapping[str, Mapping[str, object]] = {"page_name": {"page_size": 3}}
"""What else makes a switch matter."""

ABOUT: Mapping[str, Mapping[str, str]] = {
    "agendize": {
        "page_size": "Does a listing come in pages?",
        "page_name": "Does a listing come in pages?",
        "dead_token": "Is a sync token that is no good answered with 410?",
        "token_uses": "Does a sync token serve more than once?",
        "delta_filters": "Are filters beside a sync token refused?",
        "border": "Is a row on the border of a window listed?",
        "deleted_marker": "Is a deleted row marked as deleted?",
        "empty_deleted": "Do rows that stand have a member `deleted`, too?",
        "omit_time_zone": "Does every time name its zone?",
        "zone_aliases": "Does every time name its zone?",
        "html_entities": "Do texts hold numeric entities in place of letters?",
        "charset": "Are the bodies UTF-8?",
        "integer_ids": "Are ids texts?",
        "google_synchronization": "Has Agendize itself written appointments into a calendar?",
        "omit_service": "Does every booking name a service?",
        "resource_lists": "Are resources and service resources answered for with lists?",
        "omit_status": "Does `status` stand beside a custom status?",
        "stable_links": "Is a reschedule link the same at every reading?",
        "link_objects": "Is `rescheduleLink` a text?",
        "omit_expiry": "Does an access token tell its life?",
        "rotate_refresh_tokens": "Does another refresh token come with an access token?",
    },
    "clicrdv": {
        "strangers": "Is a session that is over refused?",
        "error_shape": "Does an error name its code?",
        "no_result": "Is an empty listing an empty list?",
        "deleted_rows": "Are deleted vevents listed?",
        "start_index": "Does `startIndex` count rows?",
        "page_cap": "Does a page hold a hundred rows?",
        "echo": "Does a listing repeat its `sort`, `dir` and `startIndex`?",
        "conditions": "Do `conditions` hold for `appointments`?",
        "past": "Is an appointment past as soon as it begins?",
        "appointment_members": "Do rows of `appointments` name calendar and service?",
        "single_appointments": "Can one of `appointments` be asked for by its id?",
        "embed_fiche": "Does a vevent bring its customer as an object?",
        "gap": "Is a time that spring leaves out told as it was booked?",
        "xml": "Does the XML form tell times with their offset?",
        "booleans": "Are yes and no JSON booleans?",
        "text_ids": "Are ids numbers?",
        "zone_labels": "Does the group name its time zone as IANA does?",
        "wrapped": "Does a single row come inside a member named for its kind?",
        "open_ends": "Has every vevent an end?",
    },
    "valomnia": {
        "expired": "Is a session that is over told by `no_credentials`?",
        "one_session": "Does a second login end the first session?",
        "max_ceiling": "May a page hold more than a hundred rows?",
        "next_keeps_filters": "Does `paging.next` keep the filters?",
        "duplicate_keys": "Does a row name a member twice?",
        "stray_bytes": "Are the bodies strict JSON?",
        "charset": "Are the bodies UTF-8?",
        "list_names_user": "Do lists name the user?",
        "list_contacts": "Do lists name the contacts?",
        "employee_filter": "Does `employeeReference` find whole references only?",
        "unlisted_users": "Is every user of an appointment among the users?",
        "sees": "Does the login see other people's appointments?",
    },
}
"""The question that is settled by each switch."""

NOT_PROBED: Mapping[str, Mapping[str, str]] = {
    "agendize": {
        "query_credentials": "no secret travels in an address to find out",
        "echo": "calferry tells the next page's token from the one it sent",
        "delta_window": "something would have to change",
        "duplicate_rows": "something would have to change",
        "skip_sync_token": "see the test of its own: one listing tells of one page",
        "broken_starts": "no reading, but a broken row",
    },
    "clicrdv": {"broken_starts": "no reading, but a broken row"},
    "valomnia": {
        "session_uses": "it takes as long as a session lasts",
        "login_failure": "a wrong password is never tried",
        "success_as_text": "calferry takes both, and signs in with either",
        "broken_starts": "no reading, but a broken row",
        "mute": "no reading, but a broken row",
        "mute_answer": "no reading, but a broken row",
        "nobody": "no reading, but a broken row",
    },
}
"""The switches that no probe is about, and why not."""

EVERY = tuple(readings())
TURNING = [one for one in EVERY if one.switch in ABOUT[one.kind]]

SAME_ANSWER = {
    "agendize, page_name='pageToken'",
    "agendize, page_name='next'",
    "agendize, page_name='cursor'",
    "agendize, deleted_marker='date'",
    "agendize, deleted_marker='status'",
    "agendize, zone_aliases={'Europe/Paris': 'Europe/Monaco'}",
    "clicrdv, error_shape='list'",
    "clicrdv, error_shape='bare'",
    "valomnia, expired='401'",
    "valomnia, expired='403'",
    "valomnia, max_ceiling=5",
    "valomnia, charset='utf-8 as latin-1'",
}
"""Readings that are another shade of the same answer: what is shown differs."""


def befalling(account: Account, switch: str) -> object:
    """What an affliction is turned to."""
    world: Any = account.server.world
    if switch in {"unlisted_users", "sees"}:
        first = next(iter(world.users))
        return {first} if switch == "unlisted_users" else first
    return set(list(getattr(world, "vevents", None) or world.appointments)[::2])


def turn(account: Account, reading: Reading) -> None:
    for name, value in BESIDE.get(reading.switch, {}).items():
        setattr(account.switches, name, value)
    if reading.switch:
        value = befalling(account, reading.switch) if reading.switch in AFFLICTIONS else reading.value
        setattr(account.switches, reading.switch, value)


@pytest.fixture(params=OPENED)
def account(request: pytest.FixtureRequest) -> Iterator[Account]:
    with OPENED[request.param]() as opened:
        yield opened


@pytest.mark.parametrize("reading", TURNING, ids=str)
def test_an_answer_turns_with_the_account(reading: Reading) -> None:
    question = ABOUT[reading.kind][reading.switch]
    with OPENED[reading.kind](**OPTIONS.get(reading.switch, {})) as account:
        for name, value in BESIDE.get(reading.switch, {}).items():
            setattr(account.switches, name, value)
        before = account.told()[question]
    with OPENED[reading.kind](**OPTIONS.get(reading.switch, {})) as account:
        turn(account, reading)
        after = account.told()[question]
    assert (after.answer == before.answer) == (str(reading) in SAME_ANSWER), (before, after)
    assert (after.answer, after.evidence) != (before.answer, before.evidence)


@pytest.mark.parametrize("reading", EVERY, ids=str)
def test_no_word_of_anybody_is_told_and_nothing_but_25_reading_requests_is_sent(reading: Reading) -> None:
    with OPENED[reading.kind](**OPTIONS.get(reading.switch, {})) as account:
        turn(account, reading)
        told = list(account.source.probe())
        assert [one.question for one in told] == [probe.asks for probe in PROBES[reading.kind]]
        shown = "\n".join(part for finding in told for part in astuple(finding))
        texts = account.texts()
        assert {"Zoé", "Allergique à tout 3"} <= texts | {text.split()[0] for text in texts}
        assert [text for text in texts if text in shown] == []
        assert read(account) <= LIMIT
        others = {(one.method, one.path) for one in account.server.log if one.method != "GET"}
        assert others <= {("POST", "/j_spring_security_check"), ("POST", "/o/oauth2/token")}


def read(account: Account) -> int:
    """How many GET requests there were."""
    return sum(exchange.method == "GET" for exchange in account.server.log)


def test_a_listing_without_a_sync_token_is_told() -> None:
    with OPENED["agendize"]() as account:
        account.switches.skip_sync_token = 1
        told = account.told()
    assert told["Does the last page bring a sync token?"].answer == "no"
    assert told["Does a sync token serve more than once?"].answer == "could not tell: there is no sync token"


def test_every_switch_is_settled_or_it_is_said_why_it_is_not() -> None:
    for kind, switches in SWITCHES.items():
        assert {one.name for one in fields(switches)} == {*ABOUT[kind], *NOT_PROBED[kind]}
        assert ABOUT[kind].keys().isdisjoint(NOT_PROBED[kind])
        assert {*ABOUT[kind].values()} <= {probe.asks for probe in PROBES[kind]}


def test_what_a_stranger_sees_is_told_apart_from_a_refusal() -> None:
    with OPENED["clicrdv"]() as account:
        question = "Is somebody who did not sign in refused?"
        assert account.told()[question].answer == "no"
        account.switches.strangers = "401"
        assert account.told()[question].answer == "yes"


def test_secrets_are_not_told(account: Account) -> None:
    shown = str(account.told())
    held = [getattr(account.server, name, "") for name in ("api_key", "token", "password", "email", "user")]
    assert [secret for secret in held if secret and secret in shown] == []


def test_a_refusal_at_the_door_ends_the_probes(account: Account) -> None:
    account.server.faults.add(faults.status(403), times=None)
    with pytest.raises(NotAuthorised):
        account.told()


@pytest.mark.parametrize("fault", [faults.dropped(), faults.status(503), faults.status(500), faults.html()])
def test_who_gives_no_answer_at_the_door_cannot_be_asked(account: Account, fault: faults.Fault) -> None:
    account.server.faults.add(fault, times=None)
    with pytest.raises(Unavailable):
        account.told()


def test_what_was_found_before_the_line_broke_is_told(account: Account) -> None:
    account.server.faults.add(faults.dropped(), times=None, after=8)
    told: list[Finding] = []
    with pytest.raises(Unavailable):
        told.extend(account.source.probe())
    assert told


@pytest.mark.parametrize("kind", PROBES)
def test_where_nothing_is_booked_little_can_be_told(kind: str) -> None:
    with OPENED[kind](booked=False) as account:
        answers = [finding.answer for finding in account.source.probe()]
    assert sum(answer.startswith("could not tell: ") for answer in answers) > len(answers) // 3


def test_no_more_requests_are_sent_than_the_bound_whatever_is_answered() -> None:
    with OPENED["valomnia"]() as account:
        account.switches.session_uses = 1
        with pytest.raises(Unavailable, match="no more are sent"):
            account.told()
        assert read(account) == LIMIT


@pytest.mark.parametrize("kind", PROBES)
def test_the_page_of_the_adapter_has_each_question_and_what_calferry_does_either_way(kind: str) -> None:
    page = (PAGES / f"{kind}.md").read_text(encoding="utf-8")
    listed = [line for line in page.splitlines() if line.startswith("|") and "?" in line.split("|")[1]]
    assert listed == [f"| {one.asks} | {one.yes} | {one.no} | {one.by} |" for one in PROBES[kind]]
