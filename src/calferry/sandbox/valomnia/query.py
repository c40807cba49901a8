"""What a client asks for: the parameters of a listing, read strictly."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from calferry.sandbox.messages import Response

_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_FILTER = re.compile(r"(\w+)_(gte|gt|lte|lt)")

PAGING = frozenset({"max", "offset", "order", "sort"})
STAMPS = frozenset({"dateCreated", "lastUpdated"})
DATES: Mapping[str, frozenset[str]] = {"appointments": STAMPS | {"startDate", "endDate"}}
TEXTS: Mapping[str, frozenset[str]] = {
    "appointments": frozenset({"title", "customerReference", "employeeReference"}),
    "users": frozenset({"reference"}),
    "customers": frozenset({"reference", "name", "categoryReference", "isActive"}),
    "contacts": frozenset({"customerReference"}),
}
COMPARE: Mapping[str, Callable[[datetime, datetime], bool]] = {
    "gt": lambda told, asked: told > asked,
    "gte": lambda told, asked: told >= asked,
    "lt": lambda told, asked: told < asked,
    "lte": lambda told, asked: told <= asked,
}


class RefusalError(Exception):
    """An answer other than 200, in the vendor's error form: error, error_description."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.content = {"error": error, "error_description": description}

    def response(self) -> Response:
        """The refusal as it is sent."""
        return Response.of_json(self.content, self.status)


@dataclass(frozen=True, slots=True)
class Asked:
    """A listing as it was asked for. `dates` are (field, operator, instant), `texts` are patterns by filter."""

    max: int
    offset: int
    sort: str
    descending: bool
    dates: tuple[tuple[str, str, datetime], ...]
    texts: Mapping[str, str]


def read(resource: str, query: Mapping[str, tuple[str, ...]], ceiling: int) -> Asked:
    """Read the parameters of a resource's list; RefusalError(400) for any that its page does not name.

    Vendor's pages: "Appointments: list", "Customers: list", "Users: list".
    """
    given = {name: values[-1] for name, values in query.items()}
    dated = {name: match for name in given if (match := _date_filter(resource, name))}
    unknown = sorted(given.keys() - PAGING - TEXTS.get(resource, frozenset()) - dated.keys())
    if unknown:
        named = f"The parameters [{', '.join(unknown)}] you provided are not valid for this request."
        raise RefusalError(400, "invalid_param", named)
    return Asked(
        max=min(_number(given, "max", 100) or 100, ceiling),
        offset=_number(given, "offset", 0),
        sort=given.get("sort", "dateCreated"),
        descending=_order(given) == "desc",
        dates=tuple((match[1], match[2], _instant(given[name])) for name, match in dated.items()),
        texts={name: given[name] for name in TEXTS.get(resource, ()) if name in given},
    )


def _date_filter(resource: str, name: str) -> re.Match[str] | None:
    match = _FILTER.fullmatch(name)
    return match if match and match[1] in DATES.get(resource, STAMPS) else None


def _number(given: Mapping[str, str], name: str, default: int) -> int:
    if not given.get(name, "0").isdigit():
        raise RefusalError(
            400, "invalid_param_type", f"The type of parameter {name} you provided is not valid for this request."
        )
    return int(given.get(name, default))


def _order(given: Mapping[str, str]) -> str:
    order = given.get("order", "asc")
    if order not in {"asc", "desc"}:
        raise RefusalError(400, "invalid_param", "The parameters [order] you provided are not valid for this request.")
    return order


def _instant(text: str) -> datetime:
    try:
        if _DATE.fullmatch(text):
            return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        pass  # the shape of a date, but no such day: refused below like any other
    raise RefusalError(
        400, "invalid_datetime_format", f"Invalid datetime filter (not ISO-8601 formatted): [{text[:11]}Z]"
    )
