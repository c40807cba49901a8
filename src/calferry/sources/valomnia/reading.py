"""JSON as Valomnia may send it: the vendor's own samples hold a key named twice and a stray letter between members."""

from __future__ import annotations

import json
import logging
from typing import Any

log = logging.getLogger(__name__)

STRAYS = 1_000
"""The most stray characters that are taken out of one body: a page of a hundred rows, with one in each object."""


def read_json(body: bytes) -> Any:
    """The value that a body holds. Raises ValueError for what is no whole JSON, RecursionError for what is too deep.

    UTF-8 first, whatever the headers say: a vendor's client found it declared as Latin-1. A character that cannot
    stand between members (nor be a cut-off end) is left out; what is inside of texts is never touched.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("latin-1")
    for _ in range(STRAYS):
        try:
            return json.loads(text, object_pairs_hook=_object, strict=False)
        except json.JSONDecodeError as problem:
            if problem.pos >= len(text) or _belongs(text[problem.pos]):
                raise
            text = text[: problem.pos] + text[problem.pos + 1 :]
    msg = "more stray characters than a slip explains"
    raise ValueError(msg)


def _belongs(character: str) -> bool:
    return character.isascii() and character.isprintable()


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """The last one of two members with one name counts, as in most readers; no id is taken from such a member."""
    read = dict(members)
    if len(read) < len(members):
        log.debug("an object names a member twice")
    return read
