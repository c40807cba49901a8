"""A command that stays: started, listened to, asked to end."""

from __future__ import annotations

import signal
import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from tests.cli.salon import COMMAND, environment

PATIENCE = 30.0
"""Seconds to wait for what a command is to say, or for its end."""


def _hear_ctrl_c() -> None:
    """A shell starts what it runs in the background deaf to Ctrl-C, and its children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Service:
    """The installed command in the folder `home`. `said` is what it has said on standard error so far, `told` on
    standard output, line by line."""

    def __init__(self, home: Path, *arguments: str, **variables: str) -> None:
        self.process = subprocess.Popen(  # noqa: S603 (the command under test)
            [COMMAND, *arguments],
            cwd=home,
            env=environment(home, PYTHONUNBUFFERED="1", **variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            preexec_fn=_hear_ctrl_c,  # noqa: PLW1509 - nothing else runs between fork and exec
        )
        self.said: list[str] = []
        self.told: list[str] = []
        self._more = threading.Condition()
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._readers = [
            threading.Thread(target=self._read, args=pair, daemon=True)
            for pair in ((self.process.stdout, self.told), (self.process.stderr, self.said))
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: IO[str], lines: list[str]) -> None:
        with stream:
            for line in stream:
                with self._more:
                    lines.append(line.rstrip("\n"))
                    self._more.notify_all()

    def until(self, text: str) -> str:
        """The line that says so, as soon as there is one."""
        with self._more:
            assert self._more.wait_for(lambda: self._line(text), PATIENCE), self.all
        return self._line(text)

    def _line(self, text: str) -> str:
        return next((line for line in (*self.told, *self.said) if text in line), "")

    def ask_to_end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """The exit code, once it has ended."""
        self.process.send_signal(number)
        return self.end()

    def end(self) -> int:
        code = self.process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        return code

    @property
    def all(self) -> str:
        return "\n".join([*self.told, *self.said])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.end()
