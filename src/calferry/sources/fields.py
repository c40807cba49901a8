"""Members of a booking system's JSON, whatever they turn out to be: texts, ids, numbers, yes and no, objects."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

Row = Mapping[str, Any]


def text_of(value: Any) -> str:
    """A member as text that every ledger and calendar can hold: NFC, no NUL, no lone surrogates; whole numbers as text.

    Empty for what is neither, such as the `false` that stands for nothing. Idempotent.
    """
    text = (value if isinstance(value, str) else _figure(value)).replace("\0", "")
    if not text.isascii():
        text = unicodedata.normalize("NFC", text.encode("utf-8", "ignore").decode("utf-8"))
    return text.strip()


def id_of(row: Row) -> str:
    """The id of a row as text, whether it came as text or as a number; empty when there is none."""
    return text_of(row.get("id"))


def part_of(row: Row, name: str) -> Row:
    """A member that is itself an object; an empty one when it is missing or something else."""
    part = row.get(name)
    return part if isinstance(part, dict) else {}


def number_of(value: Any, digits: int = 18) -> int | None:
    """A whole number of at most so many digits, whether it came as a number or as text; None for anything else."""
    text = text_of(value)
    return int(text) if re.fullmatch("[0-9]+", text) and len(text) <= digits else None


def word_of(value: Any) -> str:
    """A member as text, where `true` and `false` are words as well."""
    return str(value).lower() if isinstance(value, bool) else text_of(value)


def says_yes(value: Any) -> bool:
    """Whether a member says yes, in any spelling of true."""
    return word_of(value).casefold() in {"true", "1", "yes"}


def is_bare(row: Row) -> bool:
    """Whether a row holds nothing but its id: it says nothing of the appointment, least of all that it was deleted."""
    return row.keys() <= {"id"}


def _figure(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""
