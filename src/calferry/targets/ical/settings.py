"""What a configuration says about feeds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, SecretStr

from calferry.moments import duration
from calferry.template import Template

SHORTEST_SECRET = 32
"""Characters: 128 bits, written in hexadecimal."""

LONGEST = timedelta(days=1826)
"""Five years, as the window of a source reaches back at most."""

OWNER = "owner.name"
"""The one field of a title: the name of the owner, or of the feed itself where it has none."""


def _secret(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < SHORTEST_SECRET:
        msg = f"has fewer than {SHORTEST_SECRET} characters; make one with `openssl rand -hex 32`"
        raise ValueError(msg)
    return secret


def _title(text: str) -> str:
    if foreign := [name for name in Template(text).names if name != OWNER]:
        msg = f"knows the field {OWNER} alone, not {foreign[0]}"
        raise ValueError(msg)
    return text


def _color(name: str) -> str:
    if not re.fullmatch("[a-z]*", name):
        msg = 'expected the name of a colour in CSS, in lower case, such as "teal"'
        raise ValueError(msg)
    return name


def _feed_name(name: str) -> str:
    if not re.fullmatch("[a-z0-9_-]+", name):
        msg = "the name of a feed has lower-case letters, digits, hyphens and underscores only"
        raise ValueError(msg)
    return name


def _lists(table: object) -> object:
    """One pattern need not be a list."""
    if not isinstance(table, dict):
        return table
    return {name: [one] if isinstance(one, str) else one for name, one in table.items()}


Span = Annotated[timedelta, BeforeValidator(duration)]
Patterns = Annotated[tuple[str, ...], Field(min_length=1)]
FeedName = Annotated[str, AfterValidator(_feed_name)]


class Settings(BaseModel, extra="forbid", frozen=True, hide_input_in_errors=True):
    """The feeds of one target.

    All addresses are derived from `secret`: another secret is another address for every feed. `title` is the name that
    subscribers see. `past` and `tombstones` say how long ended and cancelled events stay, `most` how many events a
    feed shows. `refresh` is how often subscribers are asked to look. `combined` are feeds of several calendars.
    """

    secret: Annotated[SecretStr, AfterValidator(_secret)] = Field(
        description="the secret that all addresses of feeds are made from; make one with `openssl rand -hex 32`"
    )
    title: Annotated[str, AfterValidator(_title)] = f"{{{OWNER}}}"
    color: Annotated[str, AfterValidator(_color)] = ""
    past: Span = Field(default=timedelta(days=30), le=LONGEST)
    tombstones: Span = Field(default=timedelta(days=7), le=LONGEST)
    most: int = Field(default=10_000, ge=1, le=100_000)
    refresh: Span = Field(default=timedelta(hours=1), ge=timedelta(minutes=1), le=LONGEST)
    combined: Annotated[Mapping[FeedName, Patterns], BeforeValidator(_lists)] = Field(default_factory=dict)
