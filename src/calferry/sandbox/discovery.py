"""The judge Google wrote itself: the discovery document bundled with google-api-python-client.

It knows the names, types, enumerations and formats of every parameter and body. What the service refuses beyond that
(a missing start, say) is checked elsewhere.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from importlib.resources import files
from typing import Any

from .messages import JsonObject

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")
_BITS = {"int32": 31, "int64": 63, "uint32": 32, "uint64": 64}
_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "object": dict,
    "array": list,
}


@functools.cache
def calendar_document() -> JsonObject:
    """The discovery document of the Calendar API, version 3."""
    document = files("googleapiclient") / "discovery_cache" / "documents" / "calendar.v3.json"
    content: JsonObject = json.loads(document.read_text(encoding="utf-8"))
    return content


def method(resource: str, name: str) -> JsonObject:
    """The description of one method, such as `events`, `insert`."""
    description: JsonObject = calendar_document()["resources"][resource]["methods"][name]
    return description


def body_problems(schema_name: str, body: object) -> list[str]:
    """What a body has that its schema does not allow: "path: problem", empty if it is fine.

    An explicit null is allowed wherever a member is (it clears that member in a PATCH).
    """
    return list(_problems({"$ref": schema_name}, body, ""))


def query_problems(description: Mapping[str, Any], query: Mapping[str, tuple[str, ...]]) -> list[str]:
    """What a query has that the method's parameters do not allow: unknown names, repetitions, types, bounds."""
    known = calendar_document()["parameters"] | description.get("parameters", {})
    return [problem for name, values in query.items() for problem in _parameter_problems(known.get(name), name, values)]


def _parameter_problems(schema: JsonObject | None, name: str, values: tuple[str, ...]) -> Iterator[str]:
    if schema is None or schema.get("location") == "path":
        yield f"{name}: unknown parameter"
        return
    if len(values) > 1 and not schema.get("repeated"):
        yield f"{name}: given more than once"
    for text in values:
        yield from _problems(schema, _parsed(schema["type"], text), name)


def _parsed(kind: str, text: str) -> object:
    if kind == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if kind == "integer" and re.fullmatch(r"-?\d+", text):
        return int(text)
    return text


def _problems(schema: Mapping[str, Any], value: object, path: str) -> Iterator[str]:
    if "$ref" in schema:
        schema = calendar_document()["schemas"][schema["$ref"]]
    kind = schema.get("type", "any")
    if kind == "any" or (value is None and path):
        return
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        yield f"{path}: {type(value).__name__} where {kind} is due"
    elif isinstance(value, dict):
        yield from _member_problems(schema, value, path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _problems(schema["items"], item, f"{path}[{index}]")
    else:
        yield from _scalar_problems(schema, value, path)


def _member_problems(schema: Mapping[str, Any], value: Mapping[str, object], path: str) -> Iterator[str]:
    properties, others = schema.get("properties", {}), schema.get("additionalProperties")
    for name, member in value.items():
        inner = properties.get(name, others)
        if inner is None:
            yield f"{path}.{name}: unknown member".lstrip(".")
        else:
            yield from _problems(inner, member, f"{path}.{name}".lstrip("."))


def _scalar_problems(schema: Mapping[str, Any], value: object, path: str) -> Iterator[str]:
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is none of {', '.join(schema['enum'])}"
    if "pattern" in schema and not re.search(schema["pattern"], str(value)):
        yield f"{path}: {value!r} does not match {schema['pattern']}"
    check = _FORMATS.get(schema.get("format", ""))
    if check and not check(str(value)):
        yield f"{path}: {value!r} is no {schema['format']}"
    elif isinstance(value, int) and not int(schema.get("minimum", value)) <= value <= int(schema.get("maximum", value)):
        yield f"{path}: {value} is out of bounds"


def _is_date(text: str) -> bool:
    return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", text)) and _readable(date.fromisoformat, text)


def _is_date_time(text: str) -> bool:
    return bool(_RFC_3339.fullmatch(text)) and _readable(datetime.fromisoformat, text)


def _readable(read: Callable[[str], object], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True


def _fits(bits: int, *, signed: bool) -> Callable[[str], bool]:
    low = -(2**bits) if signed else 0
    return lambda text: bool(re.fullmatch(r"-?\d+", text)) and low <= int(text) < 2**bits


_FORMATS: dict[str, Callable[[str], bool]] = {
    "date": _is_date,
    "date-time": _is_date_time,
    **{name: _fits(bits, signed=name.startswith("i")) for name, bits in _BITS.items()},
}
