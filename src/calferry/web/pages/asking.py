"""What is asked, and what is shown for it: between HTTP (`site`) and the views."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from calferry.web.pages.access import Doorkeeper, Visitor
from calferry.web.pages.actions import Desk
from calferry.web.pages.words import Speech

SLOWLY = 1.0
"""Seconds that a wrong password takes to be answered."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """The pages of an installation. `is_safe` says that they are reached over TLS; `base` is what stands before their
    paths where they are reached, without a slash at its end."""

    desk: Desk
    door: Doorkeeper
    is_safe: bool = False
    base: str = ""
    slowly: float = SLOWLY


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request: who asks, and in which language. `here` is its path as an address has it, `path` what comes after
    the name of the page; `body` is the form as it was sent, "" where there is none."""

    site: Site
    here: str
    path: str
    query: Mapping[str, str]
    body: str
    speech: Speech
    peer: str
    visitor: Visitor | None = None
    language: str = ""
    is_live: bool = False

    @property
    def form(self) -> dict[str, list[str]]:
        return parse_qs(self.body, keep_blank_values=True)

    def field(self, name: str) -> str:
        return next(iter(self.form.get(name, ())), "")


@dataclass(frozen=True, kw_only=True)
class Page:
    """What to show: a template and what it needs; or where to go."""

    template: str = ""
    shows: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    location: str = ""
    visitor: Visitor | None = None
    signs_out: bool = False
    content: bytes = b""
    wait: int = 0


View = Callable[[Asked], Page]


def trouble(status: int, title: str, lines: Sequence[str]) -> Page:
    return Page(template="trouble.html", status=status, shows={"title": title, "lines": lines})


def nowhere(asked: Asked) -> Page:
    t = asked.speech
    return trouble(404, t("There is no such page."), [t("The overview leads to all there are.")])
