"""Partial responses: the `fields` parameter. Vendor page: "Performance tips" (partial resources)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from calferry.sandbox.discovery import calendar_document
from calferry.sandbox.messages import JsonObject

from .errors import CalendarError

Selection = dict[str, "Selection"]


def read(selector: str | None, schema: Mapping[str, Any]) -> Selection:
    """Read `a,b,items(id,etag),items/id` (`*`: everything); 400 for a name the answer's schema lacks."""
    if selector is None:
        return {}
    selection, rest = _parse(selector)
    if rest:
        raise _bad(selector)
    _check(selection, schema, selector)
    return selection


def project(content: JsonObject, selection: Selection) -> JsonObject:
    """Keep what is selected; an empty selection keeps everything."""
    kept: JsonObject = _keep(content, selection)
    return kept


def _parse(text: str) -> tuple[Selection, str]:
    selection: Selection = {}
    while text:
        name, text = _word(text)
        inner: Selection = {}
        if text.startswith("("):
            inner, text = _parse(text[1:])
            if not text.startswith(")"):
                raise _bad(name)
            text = text[1:]
        node = selection
        for part in name.split("/"):
            node = node.setdefault(part.strip(), {})
        node |= inner
        if not text.startswith(","):
            break
        text = text[1:]
    return selection, text


def _word(text: str) -> tuple[str, str]:
    end = next((index for index, letter in enumerate(text) if letter in ",()"), len(text))
    if not text[:end].strip():
        raise _bad(text)
    return text[:end], text[end:]


def _check(selection: Selection, schema: Mapping[str, Any], selector: str) -> None:
    if "$ref" in schema:
        schema = calendar_document()["schemas"][schema["$ref"]]
    if schema.get("type") == "array":
        _check(selection, schema["items"], selector)
        return
    for name, inner in selection.items():
        member = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
        if name != "*" and member is None:
            raise _bad(name)
        if name != "*":
            _check(inner, member, selector)


def _keep(part: Any, selection: Selection) -> Any:
    if not selection or "*" in selection:
        return part
    if isinstance(part, list):
        return [_keep(item, selection) for item in part]
    if isinstance(part, dict):
        return {name: _keep(part[name], inner) for name, inner in selection.items() if name in part}
    return part


def _bad(selector: str) -> CalendarError:
    return CalendarError(400, "invalidParameter", f"Invalid field selection {selector}")
