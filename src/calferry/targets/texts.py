"""Texts as calendars can hold them: without control characters, in NFC, and cut where a reader would not mind."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate
from types import MappingProxyType

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff]")
"""What no calendar shows; NEL and the byte order mark among them. Tab and line feed are texts' own."""

LINK = re.compile(r"https?://[^\s/\x00-\x1f\ud800-\udfff][^\s\x00-\x1f\ud800-\udfff]*", re.IGNORECASE)
"""What calendars make a link of."""

_LINE_ENDS = re.compile("\r\n|[\r\u2028\u2029]")
_JOINER = "\N{ZERO WIDTH JOINER}"
_NO_WIDTHS: Mapping[str, int] = MappingProxyType({})


def clean(text: str, limit: int, widths: Mapping[str, int] = _NO_WIDTHS) -> str:
    """A text with line feeds only, in NFC, of at most `limit` characters. Idempotent.

    `widths` says what characters count that are longer than one on their way out.
    """
    lines = _LINE_ENDS.sub("\n", text)
    return _cut(unicodedata.normalize("NFC", CONTROL.sub("", lines)), limit, widths)


def one_line(text: str, limit: int) -> str:
    """A clean text without line ends, and a single space wherever there was any. Idempotent."""
    return " ".join(clean(text, limit).split())


def _cut(text: str, limit: int, widths: Mapping[str, int]) -> str:
    ends = list(accumulate(widths.get(character, 1) for character in text))
    if not ends or ends[-1] <= limit:
        return text
    return text[: _boundary(text, bisect_right(ends, limit - 1))] + "…"


def _boundary(text: str, at: int) -> int:
    """The last place at or before `at` that does not part an accent, a skin tone or a joined emoji from its base."""
    while at and (_continues(text[at]) or text[at - 1] == _JOINER):
        at -= 1
    return at


def _continues(character: str) -> bool:
    skin_tone = "\U0001f3fb" <= character <= "\U0001f3ff"
    return skin_tone or character == _JOINER or unicodedata.category(character).startswith("M")
