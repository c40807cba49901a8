"""The readings of the vendors' documents: each switch of each booking system at each of its values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import Field, fields
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from calferry.sandbox import AgendizeSwitches, ClicrdvSwitches, ValomniaSwitches

SWITCHES: Mapping[str, type] = {
    "agendize": AgendizeSwitches,
    "clicrdv": ClicrdvSwitches,
    "valomnia": ValomniaSwitches,
}

TURNED: Mapping[str, tuple[object, ...]] = {
    "page_size": (7,),
    "token_uses": (1,),
    "skip_sync_token": (3,),
    "zone_aliases": ({"Europe/Paris": "Europe/Monaco"},),
    "page_cap": (10,),
    "zone_labels": ({"Europe/Paris": "Paris"},),
    "session_uses": (None, 5),
    "max_ceiling": (5,),
}
"""What a switch is turned to whose type does not name its values."""

AFFLICTIONS = frozenset({"broken_starts", "mute", "open_ends", "unlisted_users", "nobody", "sees"})
"""What is no reading of a document but befalls what is there, so that it has to be seen on the spot."""


class Reading(NamedTuple):
    """A booking system with one switch turned; `switch` is empty where none is."""

    kind: str
    switch: str = ""
    value: object = None

    def __str__(self) -> str:
        return f"{self.kind}, {self.switch}={self.value!r}" if self.switch else f"{self.kind}, default"


def readings() -> Iterator[Reading]:
    """Each system as it is, and with each of its switches at each of its other values."""
    for kind, switches in SWITCHES.items():
        yield Reading(kind)
        hints = get_type_hints(switches)
        for switch in fields(switches):
            yield from (Reading(kind, switch.name, value) for value in other_values(switch, hints[switch.name]))


def other_values(switch: Field[Any], hint: object) -> Iterator[object]:
    """Every value of a switch but the usual one; None stands for what has to be seen on the spot."""
    if hint is bool:
        yield not switch.default
    elif get_origin(hint) is Literal:
        yield from (value for value in get_args(hint) if value != switch.default)
    elif switch.name in AFFLICTIONS:
        yield None
    else:
        yield from TURNED[switch.name]
