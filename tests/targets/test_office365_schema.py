"""An outside judge of what is sent to Graph and what its stand-in answers: the models of Microsoft's own client.

That client is far too large to be installed for a test; the names and types of the members are in
`tests/data/office365/models.json`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from calferry.model import Receipt
from calferry.sandbox import GraphServer
from calferry.sandbox.graph import rules
from calferry.targets.office365 import Office365Target, requests
from tests.builders import event
from tests.contracts.target import AWKWARD, create, filed, push, update
from tests.targets.office365_world import ANA, KEY, target_for

MODELS: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data/office365/models.json").read_text(encoding="utf-8")
)["models"]
TYPES = {"string": str, "boolean": bool, "integer": int}


def problems(content: object, kind: Any, place: str = "") -> Iterator[str]:
    """What the models do not know, or know otherwise."""
    match kind:
        case [one] if isinstance(content, list):
            for number, item in enumerate(content):
                yield from problems(item, one, f"{place}[{number}]")
        case {"enum": choices} if content in choices:
            return
        case str() if kind in TYPES and type(content) is TYPES[kind]:
            return
        case str() if kind in MODELS and isinstance(content, dict):
            for name, value in content.items():
                if name not in MODELS[kind]:
                    yield f"{place}.{name}: unknown"
                else:
                    yield from problems(value, MODELS[kind][name], f"{place}.{name}")
        case _:
            yield f"{place}: {content!r} is no {kind}"


@pytest.mark.parametrize("name", AWKWARD)
def test_microsofts_client_knows_all_that_is_written(name: str) -> None:
    with GraphServer() as server:
        target = target_for(server)
    for change in (
        create(target, KEY, AWKWARD[name]),
        update(target, Receipt(calendar=KEY, uid="u1", fingerprint="", href="h", etag="e"), AWKWARD[name]),
    ):
        body = json.loads(target.encode(change))["body"]
        assert list(problems(body, "Event")) == []


def test_the_judge_sees_what_is_wrong() -> None:
    wrong = {"subjekt": "x", "isAllDay": "no", "showAs": "away", "body": {"contentType": "rtf"}, "categories": [7]}
    assert [problem.split(":")[0] for problem in problems(wrong, "Event")] == [
        *(".subjekt", ".isAllDay", ".showAs", ".body.contentType", ".categories[0]")
    ]


def selected(request: requests.Request) -> list[str]:
    """The members that a question names."""
    found = re.search(r"\$select=([^&]*)", unquote(request.query))
    assert found
    return found[1].split(",")


def test_microsofts_client_knows_all_that_is_asked_for() -> None:
    of_events = [requests.look("users/x/events/h"), requests.survey(KEY), requests.probe(KEY)]
    of_calendars = [requests.describe(KEY), requests.calendars(ANA)]
    assert {name for one in of_events for name in selected(one)} <= MODELS["Event"].keys()
    assert {name for one in of_calendars for name in selected(one)} <= MODELS["Calendar"].keys()


def test_the_stand_in_takes_and_shows_nothing_that_microsofts_client_does_not_know(
    graph: GraphServer, office365: Office365Target
) -> None:
    held = filed(push(office365, create(office365, KEY, event())))
    shown = [kept.item | {"id": held.href} for kept in graph.world.events(ANA)]
    assert [problem for item in shown for problem in problems(item, "Event")] == []
    assert set(rules.WRITABLE) <= MODELS["Event"].keys()
