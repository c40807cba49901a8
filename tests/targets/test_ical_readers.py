"""What other makers' parsers make of a feed is what was meant, event by event.

The parsers of npm take part where the variable CALFERRY_NODE_MODULES names a folder that has them
(`npm install ical.js node-ical`).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import ics  # type: ignore[import-untyped]  # ships no types
import pytest
import vobject  # type: ignore[import-untyped]  # ships no types
from ical.calendar_stream import IcsCalendarStream
from icalendar import Calendar

from calferry.model import Classification, Event, Status, Transparency
from calferry.targets.ical.events import fit, render, tombstone
from tests.builders import NOW, event
from tests.contracts.target import AWKWARD
from tests.targets.ical_world import UTC, feed, read_back

NODE_MODULES = os.environ.get("CALFERRY_NODE_MODULES", "")  # before the tests' environment is cleaned
READERS = Path(__file__).parent / "readers"

SEQUENCE = 2**31 - 1
"""The greatest INTEGER there is (RFC 5545, section 3.3.8)."""
MEANT = AWKWARD | {
    "what is escaped": event(
        summary='a, b; c: "d" \\ e\\', location="\\\\;,", description='x;y,\\; "z"\n\nBEGIN:VEVENT\n'
    ),
    "a backslash before an n": event(summary="C:\\new", description="C:\\new\nC:\\New"),
    "spaces where lines are folded": event(description=" x" * 300 + " ", summary="é " * 200),
    "emoji where lines are folded": event(description="👩‍⚕️" * 100),
    "categories with commas": event(categories=("a, b", "c; d", "e\\f")),
    "a link with commas": event(url="https://book.example/a,b;c?d=e%20f&g=h#i"),
    "private": event(classification=Classification.PRIVATE),
    "a year far ahead": event(start=datetime(2099, 7, 1, 12, tzinfo=UTC)),
    "a year far back": event(start=datetime(1971, 7, 1, 12, tzinfo=UTC)),
}
GALLERY = {name: fit(replace(one, uid=f"uid-{number}")) for number, (name, one) in enumerate(MEANT.items())}
GONE = fit(event("uid-gone", summary="Gone, and free"))
GALLERY["a tombstone"] = replace(GONE, status=Status.CANCELLED, transparency=Transparency.TRANSPARENT)

Seen = Mapping[str, tuple[Event, int]]
"""What a parser sees, by uid: the event in our words, and its sequence number."""


@cache
def served() -> bytes:
    """The gallery as a feed."""
    bodies = [render(one, NOW, SEQUENCE) for name, one in GALLERY.items() if name != "a tombstone"]
    return feed([*bodies, tombstone(render(GONE, NOW, SEQUENCE - 1), NOW, SEQUENCE)])


def told(sequence: Any, **words: Any) -> tuple[Event, int]:
    """What a parser tells of one event; None or nothing where it tells nothing."""
    kept = {name: value for name, value in words.items() if value}
    kept["start"], kept["end"] = kept["start"].astimezone(UTC), kept["end"].astimezone(UTC)
    kept["status"], kept["transparency"] = Status(kept["status"]), Transparency(kept["transparency"])
    kept["classification"] = Classification(kept.get("classification", "PUBLIC"))
    kept["categories"] = tuple(kept.get("categories", ()))
    return Event(**{"summary": ""} | kept), int(sequence)


# ── the parsers ───────────────────────────────────────────────────────────────────────────────────────────────────────


def with_icalendar(text: bytes) -> Seen:
    components: list[Any] = Calendar.from_ical(text).walk("VEVENT")
    return {str(one["UID"]): (read_back(one), int(one["SEQUENCE"])) for one in components}


def with_ical(text: bytes) -> Seen:
    calendar = IcsCalendarStream.calendar_from_ics(text.decode())
    return {
        str(one.uid): told(
            one.sequence,
            uid=one.uid,
            start=one.dtstart,
            end=one.dtend,
            summary=one.summary,
            description=one.description,
            location=one.location,
            url=one.url,
            status=one.status,
            transparency=one.transparency,
            classification=one.classification,
            categories=one.categories,
            color=one.color,
        )
        for one in calendar.events
    }


def with_ics(text: bytes) -> Seen:
    return {
        one.uid: told(
            next(line.value for line in one.extra if line.name == "SEQUENCE"),
            uid=one.uid,
            start=one.begin.datetime,
            end=one.end.datetime,
            summary=one.name,
            description=one.description,
            location=one.location,
            url=one.url,
            status=one.status,
            transparency="TRANSPARENT" if one.transparent else "OPAQUE",
            classification=one.classification,
            categories=one.categories,
            color=next((line.value for line in one.extra if line.name == "COLOR"), ""),
        )
        for one in ics.Calendar(text.decode()).events
    }


def with_vobject(text: bytes) -> Seen:
    def one_of(component: Any) -> tuple[Event, int]:
        def value(name: str) -> Any:
            return component.contents[name][0].value if name in component.contents else None

        return told(
            value("sequence"),
            uid=value("uid"),
            start=value("dtstart"),
            end=value("dtend"),
            summary=value("summary"),
            description=value("description"),
            location=value("location"),
            url=value("url"),
            status=value("status"),
            transparency=value("transp"),
            classification=value("class"),
            categories=value("categories"),
            color=value("color"),
        )

    contents = vobject.readOne(text.decode()).contents
    return {one.contents["uid"][0].value: one_of(one) for one in contents.get("vevent", [])}


def with_node(script: str, text: bytes) -> Seen:
    command = [shutil.which("node") or "node", str(READERS / script), NODE_MODULES]
    answered = subprocess.run(command, input=text, capture_output=True, check=True, timeout=60)  # noqa: S603 - our own
    seen = {}
    for one in json.loads(answered.stdout):
        span = {name: datetime.fromisoformat(one.pop(name)) for name in ("start", "end")}
        seen[one["uid"]] = told(**one, **span)
    return seen


PARSERS: Mapping[str, Callable[[bytes], Seen]] = {
    "icalendar": with_icalendar,
    "ical": with_ical,
    "ics": with_ics,
    "vobject": with_vobject,
    "ical.js": lambda text: with_node("ical_js.mjs", text),
    "node-ical": lambda text: with_node("node_ical.mjs", text),
}


def absent(name: str) -> bool:
    """Whether a parser of npm is not on this machine."""
    return PARSERS[name] not in (with_icalendar, with_ical, with_ics, with_vobject) and not (
        NODE_MODULES and (Path(NODE_MODULES) / name).is_dir()
    )


parsers = pytest.mark.parametrize(
    "parser",
    [pytest.param(name, marks=pytest.mark.skipif(absent(name), reason=f"there is no {name}")) for name in PARSERS],
)

NEWLINE = "undoes escapes one kind after another: the n after an escaped backslash becomes a line end"
COMMA = "takes an escaped comma for the end of a category"
NOT_KEPT: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("ics", "a backslash before an n"): {"summary": NEWLINE, "description": NEWLINE},
    ("node-ical", "a backslash before an n"): {"summary": NEWLINE, "description": NEWLINE},
    ("node-ical", "categories with commas"): {"categories": COMMA},
    ("ical", "categories with commas"): {"categories": COMMA},
}
"""Where a parser is wrong by the RFC (section 3.3.11): what is not compared, by parser and event, and why."""


def plain(shown: Event) -> dict[str, object]:
    """An event by its properties. In which order categories come means nothing."""
    return {one.name: getattr(shown, one.name) for one in fields(Event)} | {"categories": set(shown.categories)}


@cache
def seen_by(parser: str) -> Seen:
    return PARSERS[parser](served())


@parsers
def test_a_parser_sees_every_event_and_no_other(parser: str) -> None:
    assert set(seen_by(parser)) == {one.uid for one in GALLERY.values()}


@parsers
@pytest.mark.parametrize("name", GALLERY)
def test_a_parser_sees_an_event_as_it_was_meant(parser: str, name: str) -> None:
    meant = GALLERY[name]
    seen, sequence = seen_by(parser)[meant.uid]
    assert sequence == SEQUENCE
    wrong = NOT_KEPT.get((parser, name), {})
    assert {key: value for key, value in plain(seen).items() if key not in wrong} == {
        key: value for key, value in plain(meant).items() if key not in wrong
    }


@parsers
def test_what_is_not_compared_is_still_read_otherwise(parser: str) -> None:
    """Once a parser is mended, its exception goes."""
    for name, properties in ((name, wrong) for (one, name), wrong in NOT_KEPT.items() if one == parser):
        meant = GALLERY[name]
        seen, _ = seen_by(parser)[meant.uid]
        assert all(plain(seen)[key] != plain(meant)[key] for key in properties)


@parsers
def test_a_feed_without_events_is_read_as_an_empty_calendar(parser: str) -> None:
    assert PARSERS[parser](feed()) == {}


def test_the_name_of_a_feed_is_read_as_it_was_meant() -> None:
    name = r"Pérez, Ana; \\NAS\new"
    served = feed(title=name).decode()
    assert IcsCalendarStream.calendar_from_ics(served).name == [name]
    assert vobject.readOne(served).contents["x-wr-calname"][0].value == name
