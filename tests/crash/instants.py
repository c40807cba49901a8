"""The instants at which a process may die: just before and just after each send, receive and commit."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

SOCKET_CALLS = {"send": "send", "sendall": "send", "recv": "receive", "recv_into": "receive"}
"""What httpcore (`send`, `recv`) and http.client (`sendall`, `recv_into`) call on a socket, by what it is to us."""

TLS_CALLS = {"send": "send", "recv": "receive"}
"""What httpcore calls on an encrypted socket, which has methods of its own."""


@contextmanager
def told(tell: Callable[[str], None]) -> Iterator[None]:
    """Within, `tell` hears of each instant of this thread, such as "before send" or "after commit"."""
    thread = threading.get_ident()

    def wrapped(call: Callable[..., Any], name: str) -> Callable[..., Any]:
        def around(*args: Any, **options: Any) -> Any:
            if threading.get_ident() != thread:
                return call(*args, **options)
            tell(f"before {name}")
            result = call(*args, **options)
            tell(f"after {name}")
            return result

        return around

    commit = DefaultDialect.do_commit
    calls: list[tuple[type, str, str]] = [
        *((socket.socket, call, name) for call, name in SOCKET_CALLS.items()),
        *((ssl.SSLSocket, call, name) for call, name in TLS_CALLS.items()),
    ]
    held = [getattr(kind, call) for kind, call, _ in calls]
    for original, (kind, call, name) in zip(held, calls, strict=True):
        setattr(kind, call, wrapped(original, name))
    setattr(DefaultDialect, "do_commit", wrapped(commit, "commit"))  # noqa: B010 (mypy: methods are not assigned to)
    try:
        yield
    finally:
        setattr(DefaultDialect, "do_commit", commit)  # noqa: B010 (likewise)
        for original, (kind, call, _) in zip(held, calls, strict=True):
            setattr(kind, call, original)
