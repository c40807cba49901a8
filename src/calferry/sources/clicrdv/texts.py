"""Members of ClicRDV's JSON as texts: ids come as numbers or texts, yes and no in any of several spellings."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

Row = Mapping[str, Any]


def id_of(row: Row) -> str:
    """The id of a row as text, whether it came as text or as a number; empty when there is none."""
    return id_in(row.get("id"))


def id_at(row: Row, name: str) -> str:
    """The id a row refers to, be it as `name_id` or as an object `name`. 0 refers to nothing."""
    return id_in(row.get(f"{name}_id")) or id_of(part_of(row, name))


def is_true(value: Any) -> bool:
    """Yes, in any of the ways ClicRDV's pages spell it: true, 1, "1", "true"."""
    return text_of(value).casefold() in {"true", "1", "yes"}


def part_of(row: Row, name: str) -> Row:
    """A member that is itself an object; an empty one when it is missing or something else."""
    part = row.get(name)
    return part if isinstance(part, dict) else {}


def text_of(value: Any) -> str:
    """A member as text that every ledger and calendar can hold: NFC, no NUL, no lone surrogates; numbers as text."""
    if isinstance(value, bool):
        return str(value).lower()
    text = value if isinstance(value, str) else _figure(value)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text.encode("utf-8", "ignore").decode("utf-8"))
    return text.replace("\0", "").strip()


def _figure(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int) else ""


def id_in(value: Any) -> str:
    """A value as an id; empty for 0, which stands for nothing."""
    text = "" if isinstance(value, bool) else text_of(value)
    return "" if text == "0" else text
