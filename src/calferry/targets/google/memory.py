"""What a connection has to know at its next start, beside its configuration: one JSON object where its tokens lie."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from calferry.errors import ConfigError, NotAuthorised

if TYPE_CHECKING:
    from calferry.tokens import TokenFile

JsonObject = dict[str, Any]

SIGN_IN = "sign_in"
"""The member that a sign-in leaves behind: `client_id`, `subject`, `scopes`, `refresh_token`, and `ends` where told."""


class Memory:
    """Of one connection, for all threads and processes. Without a file it lasts as long as the process."""

    def __init__(self, tokens: TokenFile | None) -> None:
        self._tokens = tokens
        self._text = ""
        self._changing = threading.RLock()

    @property
    def place(self) -> str:
        """Where it is kept, for a person."""
        return str(self._tokens.path) if self._tokens else "memory"

    def part(self, name: str) -> JsonObject:
        """One member of what is known; empty where it is none. Raises ConfigError."""
        return _member(self._read(), name)

    def change(self, name: str, edit: Callable[[JsonObject], object]) -> None:
        """Let `edit` change one member, and keep it. Raises ConfigError, LedgerBusy."""
        with self._changing:
            if self._tokens is None:
                self._text = self._edited(name, edit)
                return
            with self._tokens.alone():
                self._tokens.write(self._edited(name, edit))

    def _read(self) -> JsonObject:
        text = self._tokens.read() if self._tokens else self._text
        try:
            known = json.loads(text or "{}")
        except (ValueError, RecursionError):
            known = None
        if not isinstance(known, dict):
            msg = f"{self.place}: is not what calferry wrote there; move it away and sign in again"
            raise ConfigError([msg])
        return known

    def _edited(self, name: str, edit: Callable[[JsonObject], object]) -> str:
        known = self._read()
        member = _member(known, name)
        edit(member)
        return json.dumps(known | {name: member}, indent=1, sort_keys=True)


def _member(known: JsonObject, name: str) -> JsonObject:
    member = known.get(name)
    return member if isinstance(member, dict) else {}


@contextmanager
def kept() -> Iterator[None]:
    """What cannot be kept closes the connection: whoever forgets does things twice."""
    try:
        yield
    except ConfigError as problem:
        raise NotAuthorised(str(problem)) from None
