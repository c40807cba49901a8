"""What a client asks for: paging, order, filters and conditions, read strictly.

Vendor's page: "API – Filtering and Pagination".
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from calferry.sandbox.messages import JsonObject, Response

Row = dict[str, Any]

DEFAULT_PAGE = 25

_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "=": lambda held, value: held == value,
    "!=": lambda held, value: held != value,
    ">": lambda held, value: _sortable(held) > _sortable(value),
    ">=": lambda held, value: _sortable(held) >= _sortable(value),
    "<": lambda held, value: _sortable(held) < _sortable(value),
    "<=": lambda held, value: _sortable(held) <= _sortable(value),
    "like": lambda held, value: value.replace("%", "").casefold() in held.casefold(),
    "not like": lambda held, value: value.replace("%", "").casefold() not in held.casefold(),
    "in": lambda held, value: held in value.split(","),
    "not in": lambda held, value: held not in value.split(","),
}
_CONDITION = re.compile(r"conditions\[(\d+)\]\[(field|op|value)\]")
_ALWAYS = frozenset({"apikey", "format", "results", "startIndex", "sort", "dir", "search"})


class RefusalError(Exception):
    """An answer other than 200, with one of the vendor's numeric codes."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def response(self, shape: str) -> Response:
        """The refusal as it is sent: the shape of errors is not documented."""
        told: JsonObject = {"code": self.code, "message": self.message}
        if shape == "html":
            return Response(self.status, f"<html><body>{self.message}</body></html>".encode(), "text/html")
        shapes: dict[str, JsonObject] = {
            "object": {"error": told},
            "text": {"error": self.message},
            "list": {"errors": [told]},
            "bare": told,
        }
        return Response.of_json(shapes[shape], self.status)


@dataclass(frozen=True, slots=True)
class Asked:
    """A listing as it was asked for. `size` None is `results=all`; conditions are (field, operator, value)."""

    start: int
    size: int | None
    sort: str
    descending: bool
    conditions: tuple[tuple[str, str, str], ...]
    equal: Mapping[str, tuple[str, ...]]
    include_past: bool


def read_listing(query: Mapping[str, tuple[str, ...]], filters: frozenset[str]) -> Asked:
    """Read the parameters of a listing; RefusalError(400) for what no page names. `filters` are its own."""
    single = {name: values[-1] for name, values in query.items()}
    for name in query.keys() - _ALWAYS - filters:
        if not _CONDITION.fullmatch(name):
            raise RefusalError(400, 2, "InvalidParameter")
    size = single.get("results", str(DEFAULT_PAGE))
    start = single.get("startIndex", "0")
    if (
        not (size == "all" or size.isdecimal())
        or not start.isdecimal()
        or single.get("dir", "asc") not in ("asc", "desc")
    ):
        raise RefusalError(400, 2, "InvalidParameter")
    return Asked(
        start=int(start),
        size=None if size == "all" else int(size),
        sort=single.get("sort", ""),
        descending=single.get("dir") == "desc",
        conditions=_conditions(single),
        equal={
            name.removesuffix("[]").removesuffix("s"): values
            for name, values in query.items()
            if name in filters - {"include_past"}
        },
        include_past=single.get("include_past") == "1",
    )


def meets(row: Row, asked: Asked) -> bool:
    """Whether a row meets all conditions, as SQL has it: what is null meets none."""
    for name, operator, value in asked.conditions:
        held = row.get(name)
        if held is None or not _OPERATORS[operator](str(held), value):
            return False
    return all(str(row.get(name)) in values for name, values in asked.equal.items())


def ordered(rows: Sequence[Row], asked: Asked) -> list[Row]:
    """Rows in the order asked for. Where none is, and among equals, the order is another each time."""
    shuffled = random.sample(rows, len(rows))
    if not asked.sort:
        return shuffled
    if rows and any(asked.sort not in row for row in rows):
        raise RefusalError(400, 2, "InvalidParameter")
    return sorted(shuffled, key=lambda row: _sortable(row[asked.sort] or ""), reverse=asked.descending)


def _sortable(value: object) -> str:
    """Numbers sort as numbers, and wall times as what they are: texts."""
    text = str(value)
    return f"{int(text):020}" if text.isdecimal() else text


def _conditions(single: Mapping[str, str]) -> tuple[tuple[str, str, str], ...]:
    parts: dict[str, dict[str, str]] = {}
    for name, text in single.items():
        if found := _CONDITION.fullmatch(name):
            parts.setdefault(found[1], {})[found[2]] = text
    if any(len(part) < 3 or part["op"] not in _OPERATORS for part in parts.values()):  # noqa: PLR2004 (its three members)
        raise RefusalError(400, 2, "InvalidParameter")
    return tuple((part["field"], part["op"], part["value"]) for part in parts.values())
