"""The instants at which a process may die: just before and just after each send, receive and commit."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

SOCKET_CALLS = {"send": "send", "sendall": "send", "recv": "receive", "recv_into": "receive"}
"""What httpcore (`send`, `recv`) and http.client (`sendall`, `recv_into`) call on a socket, by what it is to us."""


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
    held = {call: getattr(socket.socket, call) for call in SOCKET_CALLS}
    for call, name in SOCKET_CALLS.items():
        setattr(socket.socket, call, wrapped(held[call], name))
    setattr(DefaultDialect, "do_commit", wrapped(commit, "commit"))  # noqa: B010 (mypy: methods are not assigned to)
    try:
        yield
    finally:
        setattr(DefaultDialect, "do_commit", commit)  # noqa: B010 (likewise)
        for call, original in held.items():
            if call in SOCKET_CALLS:
                setattr(socket.socket, call, original)
