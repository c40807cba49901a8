"""Passwords, as the configuration has them: a digest by scrypt (RFC 7914) and its salt, never the password."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

SCHEME = "scrypt"
COST, BLOCK, MEMORY = 2**15, 8, 64 * 1024 * 1024
"""What a try costs: a tenth of a second, and 32 MiB."""


def digest(password: str) -> str:
    """The line for the configuration, another one each time."""
    salt = secrets.token_bytes(16)
    return ":".join((SCHEME, _text(salt), _text(_scrypt(password, salt))))


def matches(password: str, line: str) -> bool:
    """Whether that password made that line."""
    _, salt, made = line.split(":")
    return hmac.compare_digest(_scrypt(password, base64.b64decode(salt)), base64.b64decode(made))


def _scrypt(password: str, salt: bytes) -> bytes:
    secret = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(secret, salt=salt, n=COST, r=BLOCK, p=1, maxmem=MEMORY, dklen=32)


def _text(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
