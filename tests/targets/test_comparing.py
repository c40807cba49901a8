"""Reading what an event of ours shows: nothing differs of what was just written, whatever it was."""

from __future__ import annotations

import pytest

from calferry.errors import CalferryError
from calferry.keeping import Comparing
from calferry.model import Event, Marked
from calferry.ports import Target
from calferry.sandbox import GoogleServer, GraphServer
from calferry.targets.google import GoogleTarget
from calferry.targets.ical import IcalTarget
from calferry.targets.office365 import Office365Target
from tests.builders import event
from tests.contracts.target import AWKWARD, create, filed, push
from tests.targets import google_world, office365_world


def differing(target: Target, calendar: str, wanted: Event) -> frozenset[str]:
    assert isinstance(target, Comparing)
    (found,) = [one for one in target.ours(calendar) if one.mark.uid == wanted.uid]
    return target.differences(calendar, found, target.fit(wanted))


def written(target: Target, calendar: str, wanted: Event) -> str:
    """Its href."""
    return filed(push(target, create(target, calendar, wanted))).href


@pytest.mark.parametrize("kind", AWKWARD)
def test_google_shows_what_was_written(target: GoogleTarget, kind: str) -> None:
    written(target, google_world.KEY, AWKWARD[kind])
    assert differing(target, google_world.KEY, AWKWARD[kind]) == frozenset()


@pytest.mark.parametrize("kind", AWKWARD)
def test_microsoft_365_shows_what_was_written(office365: Office365Target, kind: str) -> None:
    written(office365, office365_world.KEY, AWKWARD[kind])
    assert differing(office365, office365_world.KEY, AWKWARD[kind]) == frozenset()


@pytest.mark.parametrize(
    "change",
    [
        {"summary": "Mine"},
        {"description": "Mine"},
        {"location": "Elsewhere"},
        {"visibility": "private"},
        {"transparency": "transparent"},
        {"source": {"title": "mine", "url": "https://mine.example/"}},
        {"end": {"dateTime": "2026-12-03T12:00:00+01:00", "timeZone": "Europe/Paris"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_a_user_changed_at_google_is_named(
    server: GoogleServer, target: GoogleTarget, change: dict[str, object]
) -> None:
    wanted = event(url="https://book.example/1", description="Notes")
    server.world.user_edits(google_world.ANA, written(target, google_world.KEY, wanted), **change)
    assert differing(target, google_world.KEY, wanted) == frozenset(change)


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "Mine"},
        {"body": {"contentType": "text", "content": "Mine"}},
        {"location": {"displayName": "Elsewhere"}},
        {"showAs": "free"},
        {"sensitivity": "private"},
        {"categories": ["Mine"]},
        {"end": {"dateTime": "2026-12-03T11:00:00.0000000", "timeZone": "UTC"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_a_user_changed_at_microsoft_365_is_named(
    graph: GraphServer, office365: Office365Target, change: dict[str, object]
) -> None:
    wanted = event(description="Notes")
    href = written(office365, office365_world.KEY, wanted)
    graph.world.user_edits(office365_world.ANA, href, **change)
    assert differing(office365, office365_world.KEY, wanted) == frozenset(change)


@pytest.mark.parametrize("kind", ["google", "office365"])
def test_an_event_that_is_not_there_differs_in_nothing_that_could_be_told(
    target: GoogleTarget, office365: Office365Target, kind: str
) -> None:
    asked: GoogleTarget | Office365Target = target if kind == "google" else office365
    calendar = google_world.KEY if kind == "google" else office365_world.KEY
    change = create(asked, calendar, event())
    with pytest.raises(CalferryError):
        asked.differences(calendar, Marked(change.mark, "nothing", '"1"'), change.event)


def test_nobody_edits_a_feed() -> None:
    assert not issubclass(IcalTarget, Comparing)
