"""Pure: what a route's filter lets through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

FILTERS = frozenset({"service", "owner", "location", "kind", "text", "weekday", "time"})
"""Every name a filter can ask for."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

UNASKED = frozenset({"block", "personal"})
"""Kinds that are nobody's booking, but time that a practice or its staff keep free. A route carries them only where its
filter names them; so it is the configuration, and never a booking system's word, that takes them out again."""


def stopped_by(where: Mapping[str, Iterable[str]], told: Mapping[str, Iterable[str]]) -> str:
    """The name of the first filter that nothing told by that name fits; empty when all let it through.

    `where` are patterns by name, shell-style and in any case; those of `time` are spans of the day. What is UNASKED
    has to be named: a pattern for everything does not stand for it.
    """
    if UNASKED & {kind.casefold() for kind in told["kind"]}:
        naming = [pattern for pattern in where.get("kind", ()) if pattern.strip("*")]
        if not fits(told["kind"], naming):
            return "kind"
    return next((name for name, asked in where.items() if not _passes(name, told[name], asked)), "")


def fits(values: Iterable[str], patterns: Iterable[str]) -> bool:
    """Whether one of the values fits one of the patterns, in any case."""
    return any(fnmatchcase(value.casefold(), one.casefold()) for value in values for one in patterns)


def _passes(name: str, values: Iterable[str], asked: Iterable[str]) -> bool:
    return any(_within(value, span) for value in values for span in asked) if name == "time" else fits(values, asked)


def _within(time: str, span: str) -> bool:
    """Whether a time of day lies in a span, such as "09:30" in "08:00-12:00". The end of a span is outside; one that
    ends before it starts goes over midnight."""
    start, _, end = span.partition("-")
    return start <= time < end if start < end else time >= start or time < end
