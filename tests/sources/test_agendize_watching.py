"""Agendize's watchers, as calferry asks for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from calferry.errors import NotAuthorised, Refused, Unavailable
from calferry.ports import Hook, Hooked, Proof
from calferry.sandbox import faults
from calferry.sandbox.agendize import AgendizeServer, AgendizeWorld
from calferry.sources.agendize import AgendizeSource
from tests.sources.agendize import KEY, TOKEN, AgendizeStage

ADDRESS = "https://calendars.salon.example/hooks/abc"
PROOF = Proof(header="secret", user="calferry", password="password")
NOON = datetime(2026, 12, 3, 12)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def stage() -> Iterator[AgendizeStage]:
    with AgendizeServer(AgendizeWorld(), api_key=KEY, token=TOKEN) as server:
        yield AgendizeStage(server)
        assert not server.crashes


@pytest.fixture
def source(stage: AgendizeStage) -> AgendizeSource:
    return stage.connect()


def test_a_hook_is_made_listed_and_taken_away_and_once_more_is_no_error(source: AgendizeSource) -> None:
    assert isinstance(source, Hooked)
    assert list(source.hooks()) == []
    made = source.hook(ADDRESS, PROOF)
    assert list(source.hooks()) == [made]
    source.unhook(made)
    source.unhook(made)
    assert list(source.hooks()) == []


def test_what_has_to_come_with_a_call_is_told_in_both_ways(stage: AgendizeStage, source: AgendizeSource) -> None:
    source.hook(ADDRESS, PROOF)
    (watcher,) = stage.server.watchers.all.values()
    assert watcher.asked["httpRequestHeader"] == {"X-Calferry-Secret": "secret"}
    assert watcher.asked["basicAuth"] == {"username": "calferry", "password": "password"}


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.status(401), NotAuthorised),
        (faults.status(403), NotAuthorised),
        (faults.status(400), Refused),
        (faults.status(503), Unavailable),
        (faults.lost_reply(), Unavailable),
        (faults.truncated(), Unavailable),
        (faults.html(), Unavailable),
        (faults.status(302), Unavailable),
        (faults.status(200), Unavailable),
    ],
    ids=lambda one: getattr(one, "kind", getattr(one, "__name__", "")),
)
def test_a_hook_is_asked_for_once_however_it_is_answered(
    stage: AgendizeStage, source: AgendizeSource, fault: faults.Fault, error: type[Exception]
) -> None:
    stage.server.faults.add(fault, match=faults.matching("/watch", "POST"), times=None)
    with pytest.raises(error) as raised:
        source.hook(ADDRESS, PROOF)
    assert stage.server.requests == 1
    assert not [word for word in ("secret", "password", "abc") if word in str(raised.value)]


def test_a_listing_of_hooks_without_its_items_is_no_empty_one(stage: AgendizeStage, source: AgendizeSource) -> None:
    stage.server.faults.add(faults.no_items())
    with pytest.raises(Unavailable):
        source.hooks()


def test_missed_calls_are_those_of_our_hook_that_were_not_answered_well(
    stage: AgendizeStage, source: AgendizeSource
) -> None:
    ours, other = source.hook(ADDRESS, PROOF), source.hook(f"{ADDRESS}d", PROOF)
    stage.server.watchers.switches.delivery = "lost"
    name = stage.book(NOON)
    stage.server.watchers.deliver()
    assert list(source.missed(ours.id, LONG_AGO)) == list(source.missed(other.id, LONG_AGO)) == [name]
    assert list(source.missed("another", LONG_AGO)) == []
    assert list(source.missed(ours.id, datetime.now(UTC) + timedelta(minutes=1))) == []
    for row in stage.server.watchers.book:
        row["response"] = {"statusCode": 204}
    assert list(source.missed(ours.id, LONG_AGO)) == []


@pytest.mark.parametrize("body", ["", "{", "[]", "{}", '{"id": []}'])
def test_a_missed_call_that_cannot_be_read_names_nothing(
    stage: AgendizeStage, source: AgendizeSource, body: str
) -> None:
    hook = source.hook(ADDRESS, PROOF)
    row = {"id": "1", "watcher": {"id": hook.id}, "request": {"body": body}, "created": {"dateTime": "?"}}
    stage.server.watchers.book.append(row)
    assert list(source.missed(hook.id, LONG_AGO)) == []


def test_of_a_call_nothing_but_the_id_is_read(source: AgendizeSource) -> None:
    assert source.told_of({"id": 7, "event": "deleted"}) == source.told_of({"appointment": {"id": "7"}}) == "7"
    assert source.told_of(json.loads('{"id": {"a": 1}}')) == source.told_of({}) == ""


def test_a_hook_that_is_gone_is_no_longer_there(source: AgendizeSource) -> None:
    source.unhook(Hook(id="1", address=ADDRESS))
    assert list(source.hooks()) == []
