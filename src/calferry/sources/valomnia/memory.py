"""Whose appointments were, kept from one process to the next: what a cursor of the stream of owners holds."""

from __future__ import annotations

import json
from collections.abc import Mapping

from calferry.errors import CursorExpired
from calferry.model import Cursor

Owners = Mapping[str, tuple[str, str]]
"""By appointment: the digest of the list row that was told, and the id of its user."""

MOST = 20_000
"""So many are kept; what is beyond is asked for anew by each process."""


def written(owners: Owners) -> Cursor:
    """By user, which is shorter."""
    by_user: dict[str, dict[str, str]] = {}
    for source_id, (digest, user) in list(owners.items())[-MOST:]:
        by_user.setdefault(user, {})[source_id] = digest
    return Cursor(json.dumps(by_user, separators=(",", ":")))


def read(cursor: Cursor) -> Owners:
    """Raises CursorExpired for one that was not written here."""
    try:
        by_user = json.loads(cursor.token)
        return {str(one): (str(told), user) for user, rows in by_user.items() for one, told in rows.items()}
    except (ValueError, AttributeError):
        msg = "what was known of owners cannot be read"
        raise CursorExpired(msg) from None
