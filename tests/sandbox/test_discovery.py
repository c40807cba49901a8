"""The validator agrees with jsonschema on the same schemas."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]

from calferry.sandbox import discovery

TIME = {"dateTime": "2026-12-03T14:00:00Z"}

GALLERY: list[Any] = [
    {},
    {"summary": "Soin", "start": TIME, "end": TIME},
    {"summary": None, "start": None},
    {"summary": 1},
    {"sumary": "x"},
    {"start": {"dateTime": "2026-12-03T14:00:00+01:00", "timeZone": "Europe/Paris"}},
    {"start": {"dateTime": "tomorrow"}},
    {"start": {"dateTime": "2026-13-03T14:00:00Z"}},
    {"start": {"date": "2026-12-03"}},
    {"start": {"date": "2026-12-3"}},
    {"start": {"date": "2026-02-30"}},
    {"start": {"day": 3}},
    {"start": "2026-12-03"},
    {"sequence": 3},
    {"sequence": "3"},
    {"sequence": True},
    {"sequence": 2**31},
    {"sequence": -(2**31)},
    {"guestsCanModify": False},
    {"guestsCanModify": "false"},
    {"guestsCanModify": 0},
    {"reminders": {"useDefault": False, "overrides": []}},
    {"reminders": {"overrides": [{"method": "popup", "minutes": 10}]}},
    {"reminders": {"overrides": [{"method": "popup", "minutes": 1.5}]}},
    {"reminders": {"overrides": {"method": "popup"}}},
    {"reminders": {"overrides": [{"how": "popup"}]}},
    {"extendedProperties": {"private": {"a": "1"}, "shared": {}}},
    {"extendedProperties": {"private": {"a": 1}}},
    {"extendedProperties": {"secret": {}}},
    {"attendees": [{"email": "a@mail.example", "optional": True}, {}]},
    {"attendees": ["a@mail.example"]},
    {"recurrence": ["RRULE:FREQ=DAILY"]},
    {"recurrence": "RRULE:FREQ=DAILY"},
    {"recurrence": [1]},
    {"source": {"title": "Salon", "url": "https://salon.example"}},
    {"gadget": {"preferences": {"a": "1"}}},
    {"gadget": {"preferences": {"a": []}}},
    [],
    "event",
    None,
]


def as_json_schema(node: Any) -> Any:
    """The discovery dialect in JSON Schema's: closed objects, nullable members, references and bounds respelled."""
    if isinstance(node, list):
        return [as_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return {"anyOf": [{"$ref": f"#/$defs/{node['$ref']}"}, {"type": "null"}]}
    schema: dict[str, Any] = {}
    if node["type"] != "any":
        schema["type"] = [node["type"], "null"]
    if node["type"] == "object":
        schema["properties"] = {name: as_json_schema(part) for name, part in node.get("properties", {}).items()}
        schema["additionalProperties"] = as_json_schema(node.get("additionalProperties", False))
    if "items" in node:
        schema["items"] = as_json_schema(node["items"])
    if node.get("format") == "int32":
        schema |= {"minimum": -(2**31), "maximum": 2**31 - 1}
    return schema | {name: node[name] for name in ("enum", "format") if name in node and node[name] != "int32"}


@pytest.fixture(scope="module")
def outside_judge() -> Draft202012Validator:
    definitions = {name: as_json_schema(node) for name, node in discovery.calendar_document()["schemas"].items()}
    checker = FormatChecker(())
    checker.checks("date")(lambda text: not isinstance(text, str) or _is_date(text))
    checker.checks("date-time")(lambda text: not isinstance(text, str) or _is_date_time(text))
    return Draft202012Validator({**definitions["Event"], "$defs": definitions}, format_checker=checker)


def _is_date(text: str) -> bool:
    whole = FormatChecker(("date",))
    return len(text) == 10 and whole.conforms(text, "date")


def _is_date_time(text: str) -> bool:
    day, _, clock = text.partition("T")
    return _is_date(day) and clock[:8].count(":") == 2


@pytest.mark.parametrize("body", GALLERY, ids=str)
def test_both_judges_agree(outside_judge: Draft202012Validator, body: Any) -> None:
    fine = outside_judge.is_valid(body) and body is not None

    assert (discovery.body_problems("Event", body) == []) == fine


def test_a_problem_names_its_place() -> None:
    body = {"reminders": {"overrides": [{"minutes": "soon"}]}, "colour": "red"}

    assert discovery.body_problems("Event", body) == [
        "reminders.overrides[0].minutes: str where integer is due",
        "colour: unknown member",
    ]


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"maxResults": ("10",), "fields": ("id",), "showDeleted": ("true",)}, None),
        ({"privateExtendedProperty": ("a=1", "b=2")}, None),
        ({"maxResults": ("many",)}, "maxResults: str where integer is due"),
        ({"maxResults": ("0",)}, "maxResults: 0 is out of bounds"),
        ({"maxResults": ("1", "2")}, "maxResults: given more than once"),
        ({"showDeleted": ("yes",)}, "showDeleted: str where boolean is due"),
        ({"orderBy": ("title",)}, "orderBy: 'title' is none of startTime, updated"),
        ({"timeMin": ("today",)}, "timeMin: 'today' is no date-time"),
        ({"sendUpdates": ("none",)}, "sendUpdates: unknown parameter"),
        ({"calendarId": ("primary",)}, "calendarId: unknown parameter"),
    ],
    ids=str,
)
def test_parameters_are_those_of_the_method(query: dict[str, tuple[str, ...]], problem: str | None) -> None:
    problems = discovery.query_problems(discovery.method("events", "list"), query)

    assert problems == ([problem] if problem else [])
