"""One name a time zone: booking systems still say `US/Eastern`, calendars want `America/New_York`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


def canonical_zone(name: str) -> str:
    """The name the time zone database prefers for `name`; a name it does not know stays as it is.

    A zone that a country calls its own (`zone.tab`) keeps its name, though the database links it to a neighbour's
    (Europe/Amsterdam to Europe/Brussels); `Etc/UTC` and its aliases are "UTC".
    """
    return _links().get(name, name)


@cache
def _links() -> dict[str, str]:
    """Alias → zone: the link lines (`L TARGET ALIAS`) of tzdata.zi, described in zic(8)."""
    folder = files("tzdata") / "zoneinfo"
    own = {row.split("\t")[2] for row in _rows((folder / "zone.tab").read_text(encoding="utf-8"))}
    lines = _rows((folder / "tzdata.zi").read_text(encoding="utf-8"))
    links = {alias: target for _, target, alias in (line.split() for line in lines if line.startswith("L "))}
    return {alias: _end(alias, links, own) for alias in links} | {"Etc/UTC": "UTC"}


def _rows(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _end(name: str, links: dict[str, str], own: set[str]) -> str:
    while name in links and name not in own:
        name = links[name]
    return "UTC" if name == "Etc/UTC" else name
