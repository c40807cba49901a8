"""A command with a terminal of its own, as a person has it."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.cli.salon import COMMAND, environment

PATIENCE = 30.0
"""Seconds to wait for what a command is to say."""


def _hear_ctrl_c() -> None:
    """A shell starts what it runs in the background deaf to Ctrl-C, and its children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """The installed command on a pseudo-terminal; `seen` is all that it has shown so far."""

    def __init__(self, home: Path, *arguments: str, **variables: str) -> None:
        self._master, line = pty.openpty()
        self.seen = ""
        self._process = subprocess.Popen(  # noqa: S603 (the command under test)
            [COMMAND, *arguments],
            cwd=home,
            env=environment(home, TERM="xterm", **variables),
            stdin=line,
            stdout=line,
            stderr=line,
            preexec_fn=_hear_ctrl_c,  # noqa: PLW1509 - nothing else runs between fork and exec
        )
        os.close(line)

    def until(self, text: str) -> str:
        """Read on until the command has shown `text`."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.seen:
            assert time.monotonic() < deadline, self.seen
            assert self._read(), self.seen
        return self.seen

    def answer(self, text: str) -> None:
        os.write(self._master, text.encode())

    def interrupt(self) -> None:
        """What Ctrl-C sends; and sends again, as people do, while nothing happens: a signal that comes in the instant
        between a prompt and its reading wakes nobody."""
        before = len(self.seen)
        self._process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + PATIENCE
        while "\n" not in self.seen[before:] and self._process.poll() is None and time.monotonic() < deadline:
            if select.select([self._master], [], [], 1.0)[0]:
                if not self._read():
                    return
            else:
                self._process.send_signal(signal.SIGINT)

    def end(self) -> int:
        """Read to the end; returns the exit code."""
        while self._read():
            pass
        return self._process.wait(PATIENCE)

    def _read(self) -> bool:
        """Read what there is; False at the end. Linux answers EIO once the other side is closed."""
        ready, _, _ = select.select([self._master], [], [], PATIENCE)
        assert ready, self.seen
        told = b""
        with suppress(OSError):
            told = os.read(self._master, 65536)
        self.seen += told.decode(errors="replace")
        return bool(told)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._master)
