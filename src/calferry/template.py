"""Templates of their own small kind: `{service}{ – contact.first_name}`.

Braces hold the name of a field; text beside the name inside the braces appears only when the field is not empty.
`{{` and `}}` are braces. Nothing is ever evaluated (`str.format` would reach into objects). Lines that end up empty
vanish.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

FIELDS = frozenset(
    {
        *("owner.key", "owner.reference", "owner.email", "owner.name"),
        *("start.date", "start.time", "end.time", "duration"),
        *(
            "service",
            "reference",
            "external_id",
            "status",
            "custom_status",
            "location",
            "url",
            "kind",
            "count",
            "booked",
        ),
        *("contact.first_name", "contact.last_name", "contact.name", "contact.names"),
        *("contact.email", "contact.phone", "summary"),
        *("notes", "reschedule_url", "price"),
    }
)
"""Every name a template can show."""

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+")
_WORD = re.compile(r"(?<![\w.])[a-z_]+(?:\.[a-z_]+)?(?![\w.])")


@dataclass(frozen=True)
class _Placeholder:
    before: str
    name: str
    after: str


@dataclass(frozen=True)
class Template:
    """A parsed template. Raises ValueError for one that cannot be read."""

    text: str

    def __post_init__(self) -> None:
        _ = self._parts

    @cached_property
    def _parts(self) -> tuple[str | _Placeholder, ...]:
        return tuple(_parse(match) for match in _TOKEN.finditer(self.text))

    @property
    def names(self) -> tuple[str, ...]:
        """The fields it shows, in order."""
        return tuple(part.name for part in self._parts if isinstance(part, _Placeholder))

    def render(self, values: Mapping[str, str]) -> str:
        """The text with each field's value in its place. Raises KeyError for a field without a value."""
        shown = (part if isinstance(part, str) else _fill(part, values[part.name].strip()) for part in self._parts)
        lines = (line.strip() for line in "".join(shown).splitlines())
        return "\n".join(line for line in lines if line)


def _parse(match: re.Match[str]) -> str | _Placeholder:
    token = match.group()
    if token in {"{{", "}}"}:
        return token[0]
    if token in {"{", "}"}:
        msg = f"a single {token!r}; write {token * 2!r} for the character itself"
        raise ValueError(msg)
    if match.group(1) is None:
        return token
    words = list(_WORD.finditer(match.group(1)))
    names = [word for word in words if word.group() in FIELDS]
    if len(names) != 1:
        raise ValueError(_unclear(token, [word.group() for word in words], len(names)))
    name = names[0]
    return _Placeholder(name.string[: name.start()], name.group(), name.string[name.end() :])


def _unclear(token: str, words: list[str], named: int) -> str:
    if named:
        return f"{token} names more than one field; give each its own braces"
    near = [close for word in words for close in get_close_matches(word, FIELDS, n=1)]
    return f"{token} names no field" + (
        f"; did you mean {near[0]!r}?" if near else f"; fields are {', '.join(sorted(FIELDS))}"
    )


def _fill(placeholder: _Placeholder, value: str) -> str:
    return f"{placeholder.before}{value}{placeholder.after}" if value else ""
