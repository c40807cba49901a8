"""Telling systemd how the service fares, over the socket that it names.

Sources: sd_notify(3), sd_watchdog_enabled(3).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress


class Supervisor:
    """Who started us and wants to hear of us; silent where nobody does.

    `patience` is after how many seconds without a sign of life we are killed and started again; 0: never.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._socket = environment.get("NOTIFY_SOCKET", "")
        ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        microseconds = environment.get("WATCHDOG_USEC", "")
        self.patience = int(microseconds) / 1e6 if ours and microseconds.isdigit() else 0.0

    def ready(self) -> None:
        self._tell("READY=1")

    def alive(self) -> None:
        self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        self._tell("STOPPING=1")

    def _tell(self, state: str) -> None:
        """One datagram. Where nobody listens, nobody is told."""
        if self._socket.startswith(("/", "@")):
            address = f"\0{self._socket[1:]}" if self._socket.startswith("@") else self._socket
            with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
                line.sendto(state.encode(), address)
