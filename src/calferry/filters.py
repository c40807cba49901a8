"""Pure: what a route's filter lets through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

UNASKED = frozenset({"block", "personal"})
"""Kinds that are nobody's booking, but time that a practice or its staff keep free. A route carries them only where its
filter names them; so it is the configuration, and never a booking system's word, that takes them out again."""


def stopped_by(where: Mapping[str, Iterable[str]], told: Mapping[str, Iterable[str]]) -> str:
    """The name of the first filter that nothing told by that name fits; empty when all let it through.

    `where` are patterns by name, shell-style and in any case. What is UNASKED has to be named: a pattern for everything
    does not stand for it.
    """
    if UNASKED & {kind.casefold() for kind in told["kind"]}:
        naming = [pattern for pattern in where.get("kind", ()) if pattern.strip("*")]
        if not _fits(told["kind"], naming):
            return "kind"
    return next((name for name, patterns in where.items() if not _fits(told[name], patterns)), "")


def _fits(values: Iterable[str], patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(value.casefold(), one.casefold()) for value in values for one in patterns)
