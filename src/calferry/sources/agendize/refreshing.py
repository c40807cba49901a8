"""The refresh token that holds: the configured one, or the last of those that came in its place.

Whether Agendize replaces refresh tokens is not documented; RFC 6749, section 6, lets a server do so with every access
token. The one before is then good no more, so two processes must never use the same one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pydantic import SecretStr

from calferry.errors import ConfigError, Unavailable

if TYPE_CHECKING:
    from calferry.tokens import TokenFile


class RefreshToken:
    """In the token file stands the last one that came, beside a digest of the configured one that it descends from:
    where another is configured, that one holds."""

    def __init__(self, configured: SecretStr, tokens: TokenFile | None) -> None:
        self._configured = configured
        self._digest = hashlib.sha256(configured.get_secret_value().encode()).hexdigest()
        self._tokens = tokens
        self._unwritten: SecretStr | None = None

    @contextmanager
    def alone(self) -> Iterator[SecretStr]:
        """The one that holds, for nobody else to use until this is left. Raises Unavailable."""
        if self._tokens is None:
            yield self._unwritten or self._configured
            return
        try:
            with self._tokens.alone():
                yield self._unwritten or self._kept(self._tokens) or self._configured
        except ConfigError as problem:
            raise Unavailable(str(problem)) from problem

    def replace(self, another: SecretStr) -> None:
        """Another one came, and holds from now on. To be called alone. What cannot be written holds until it can be, or
        the process ends. Raises ConfigError."""
        self._unwritten = another
        if self._tokens is not None:
            kept = {"configured": self._digest, "refresh_token": another.get_secret_value()}
            self._tokens.write(json.dumps(kept))
            self._unwritten = None

    def _kept(self, tokens: TokenFile) -> SecretStr | None:
        try:
            kept = json.loads(tokens.read() or "{}")
        except ValueError:
            return None
        ours = isinstance(kept, dict) and kept.get("configured") == self._digest
        token = kept.get("refresh_token") if ours else None
        return SecretStr(token) if isinstance(token, str) and token else None
