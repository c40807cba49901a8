"""Ids in ClicRDV's JSON, where 0 refers to nothing."""

from __future__ import annotations

from typing import Any

from calferry.sources.fields import Row, part_of, text_of


def id_of(row: Row) -> str:
    """The id of a row as text, whether it came as text or as a number; empty when there is none."""
    return id_in(row.get("id"))


def id_at(row: Row, name: str) -> str:
    """The id a row refers to, be it as `name_id` or as an object `name`."""
    return id_in(row.get(f"{name}_id")) or id_of(part_of(row, name))


def id_in(value: Any) -> str:
    """A value as an id."""
    text = text_of(value)
    return "" if text == "0" else text
