"""What a survey finds in a Google calendar, and what it does not believe."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from calferry.errors import Unavailable
from calferry.moments import utc
from calferry.sandbox import GoogleServer, Response, faults
from calferry.sandbox.faults import Fault, Perform, matching
from calferry.targets.google import GoogleTarget
from calferry.targets.google.events import event_id, properties
from tests.builders import MORNING, event, mark
from tests.contracts.target import create, filed, push
from tests.targets.google_world import ANA, KEY


def test_a_survey_reads_every_page(server: GoogleServer, target: GoogleTarget) -> None:
    home = server.world.calendars[ANA]
    times = {side: {"dateTime": utc(MORNING + delay).isoformat()} for side, delay in (("start", timedelta(0)),)}
    times["end"] = {"dateTime": utc(MORNING + timedelta(hours=1)).isoformat()}
    for number in range(2501):
        private = properties(mark(f"u{number}"))
        newborn = server.world.newborn(home, event_id(KEY, f"u{number}", 0), ANA)
        server.world.store(home, newborn | times | {"extendedProperties": {"private": private}})
    assert {one.mark.uid for one in target.ours(KEY)} == {f"u{number}" for number in range(2501)}
    assert server.kinds["single"] == 2


@pytest.mark.parametrize(
    "fault", [faults.html(), faults.error_200(), faults.status(302), faults.status(400), faults.status(503)]
)
def test_a_survey_believes_nothing_but_a_listing(server: GoogleServer, target: GoogleTarget, fault: Fault) -> None:
    server.faults.add(fault, match=matching("/events"), times=2)
    with pytest.raises(Unavailable):
        list(target.ours(KEY))


FOREIGN: list[Any] = [
    None,
    7,
    "text",
    [],
    {},
    {"id": None, "extendedProperties": None},
    {"id": 7, "extendedProperties": {"private": None}},
    {"id": [], "extendedProperties": {"private": ["calferryUid"]}},
    {"id": "x", "extendedProperties": {"private": {"calferryUid": "u1"}}},
    {"id": "x", "extendedProperties": {"private": properties(mark()) | {"calferryUid": "\ud800"}}},
    {"id": "x", "extendedProperties": {"private": properties(mark()) | {"calferryGeneration": 0}}},
]


def test_a_survey_passes_over_items_of_any_shape(server: GoogleServer, target: GoogleTarget) -> None:
    held = filed(push(target, create(target, KEY, event())))

    def effect(perform: Perform) -> Response:
        response = perform()
        listing = json.loads(response.body)
        return replace(response, body=json.dumps(listing | {"items": [*FOREIGN, *listing["items"]]}).encode())

    server.faults.add(Fault("foreign", effect), match=matching("/events", "GET"))
    assert [found.href for found in target.ours(KEY)] == [held.href]


@pytest.mark.parametrize("wrong", [{"items": None}, {"items": {}}, {"nextPageToken": 7}])
def test_a_survey_without_a_list_is_no_survey(
    server: GoogleServer, target: GoogleTarget, wrong: dict[str, Any]
) -> None:
    torn = Response.of_json({"kind": "calendar#events"} | wrong)
    server.faults.add(Fault("torn", lambda _perform: torn), match=matching("/events", "GET"))
    with pytest.raises(Unavailable):
        list(target.ours(KEY))
