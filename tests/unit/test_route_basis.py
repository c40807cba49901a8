"""What counts as another configuration of a route: what somebody set, and nothing that came with an upgrade."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import pytest

from calferry.policy import Fate, Provision
from calferry.presentation import Coloring, Presentation, Reveal
from calferry.rules import Groups, Reaction, Route
from calferry.template import Template
from tests.unit.routing import TO_OWNER

LATER = Template("{service} ({status})")


@dataclass(frozen=True, kw_only=True)
class LaterPresentation(Presentation):
    """One of an upgrade to come: with another default, and a member more."""

    summary: Template = LATER
    alarm: str = ""


@dataclass(frozen=True, kw_only=True)
class LaterRoute(Route):
    priority: int = 0
    shows: LaterPresentation = field(default_factory=LaterPresentation)


def test_what_an_upgrade_adds_is_no_other_configuration() -> None:
    names: dict[str, Any] = {"name": "staff", "source": "salon", "target": "workspace"}
    assert LaterRoute(**names).basis == Route(**names).basis
    later = LaterRoute(**names, shows=LaterPresentation(reveal=Reveal.FULL))
    assert later.basis == Route(**names, shows=Presentation(reveal=Reveal.FULL)).basis
    assert LaterRoute(**names, priority=1).basis != Route(**names).basis


@pytest.mark.parametrize(
    "said",
    [
        {"name": "other"},
        {"source": "other"},
        {"target": "other"},
        {"calendar": Template("{owner.key}")},
        {"calendars": MappingProxyType({"77": "room@salon.example"})},
        {"otherwise": "desk@salon.example"},
        {"aliases": MappingProxyType({"ana": "room@salon.example"})},
        {"where": MappingProxyType({"service": ("Coupe",)})},
        {"status": MappingProxyType({"confirmed": Provision(past=Fate.KEEP, running=Fate.KEEP, future=Fate.DELETE)})},
        {"groups": Groups.EACH},
        {"shows": Presentation(reveal=Reveal.BUSY)},
        {"shows": Presentation(colors=(Coloring(by="service", pattern="*", color="red"),))},
        {"shows": Presentation(link=Template(""))},
    ],
)
def test_whatever_decides_what_a_calendar_holds_counts(said: dict[str, Any]) -> None:
    assert replace(TO_OWNER, **said).basis != TO_OWNER.basis


def test_what_becomes_of_the_doings_of_users_does_not_count() -> None:
    assert replace(TO_OWNER, on_user_delete=Reaction.RESTORE).basis == TO_OWNER.basis
