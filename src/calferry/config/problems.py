"""What is wrong with a configuration, in plain sentences that never quote a secret."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

Place = tuple[int | str, ...]

_EXPECTED = {
    "string_type": "expected a text in quotes",
    "int_type": "expected a whole number, such as 50",
    "int_parsing": "expected a whole number, such as 50",
    "int_from_float": "expected a whole number, such as 50",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
    "list_type": 'expected a list, such as ["…", "…"]',
    "tuple_type": 'expected a list, such as ["…", "…"]',
    "dict_type": 'expected a table, such as { name = "…" }',
    "mapping_type": 'expected a table, such as { name = "…" }',
    "model_type": 'expected a table, such as { name = "…" }',
    "too_short": "has too few entries; name more, or leave it out",
    "path_type": "expected the path of a file, in quotes",
    "path_not_file": "there is no such file; a relative path starts at the configuration file",
}
"""pydantic's types of error, in the words of this file."""

_NOT_AN_OPTION: dict[Place, str] = {
    ("where", "status"): (
        "the status is never a filter; what becomes of an appointment by its status is a table of its own, such as "
        "[routes.staff.status]"
    ),
}
"""Options that people look for, and why there are none."""


def sentence(model: type[BaseModel], error: ErrorDetails, beside: Collection[str]) -> str:
    """What is wrong, in one sentence, without the value."""
    place, context = error["loc"], error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            within = _table_at(model, place[:-1])
            known = [*(_options(within) if within else ()), *(beside if len(place) == 1 else ())]
            return _NOT_AN_OPTION.get(place) or f"is not an option; {nearest(str(place[-1]), known)}"
        case "missing":
            within = _table_at(model, place[:-1])
            what = _options(within)[str(place[-1])].description if within else None
            return f"is missing: {what}" if what else "is missing, and required"
        case "enum" | "literal_error":
            return f"expected {context['expected']}".replace("'", '"')
        case "value_error" | "assertion_error":
            return str(context["error"])
        case kind:
            return _EXPECTED.get(kind) or re.sub(r"^\w+ should ", "should ", error["msg"])


def _table_at(model: type[BaseModel], place: Place) -> type[BaseModel] | None:
    """The model of a table within a table; in a table of names that are free, all are of one model."""
    here: Any = model
    for step in place:
        if get_origin(here) is Mapping:
            here = get_args(here)[1]
        elif (table := _as_table(here)) and (field := _options(table).get(str(step))):
            here = field.annotation
        else:
            return None
    return _as_table(here)


def _as_table(annotation: Any) -> type[BaseModel] | None:
    """The model of a table, which may be one that can be left out."""
    choices = [annotation, *get_args(annotation)]
    return next((one for one in choices if isinstance(one, type) and issubclass(one, BaseModel)), None)


def _options(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The options of a table as the file spells them."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def nearest(name: str, names: Collection[str]) -> str:
    near = get_close_matches(name, names, n=1)
    if near:
        return f'did you mean "{near[0]}"?'
    return f"known: {', '.join(sorted(names))}" if names else "there is none at all"


def masked(sentence: str, values: Iterable[object]) -> str:
    """The sentence without any of the secrets among `values` that an adapter's own words may have quoted."""
    for value in values:
        if isinstance(value, SecretStr):
            text = value.get_secret_value()
            sentence = sentence.replace(text, "…").replace(repr(text)[1:-1], "…")
    return sentence


def dotted(place: Place) -> str:
    """A place as TOML writes it: sources.salon.every."""
    return ".".join(part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else quoted(part) for part in map(str, place))


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
