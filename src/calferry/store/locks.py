"""Who works on what: one lock file per name, held by the kernel and freed by it when its process dies.

There is no expiry and no clock: a lock is held exactly as long as its holder lives. The files stay behind, empty.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from calferry.errors import LedgerBusy

PATIENCE = 60.0
"""Seconds to wait for a lock."""


class Locks:
    def __init__(self, folder: Path, patience: float = PATIENCE) -> None:
        self._folder = folder
        self._patience = patience

    @contextmanager
    def hold(self, name: str, patience: float | None = None) -> Iterator[None]:
        """Hold `name` alone among all processes and threads, with another `patience` if given. Raises LedgerBusy."""
        seconds = self._patience if patience is None else patience
        lock = FileLock(self._path(name), seconds, mode=0o600, thread_local=False, fallback_to_soft=False)
        try:
            lock.acquire()
        except Timeout:
            message = f"Another calferry process is working on {name} (waited {seconds:.0f} seconds)."
            raise LedgerBusy(message) from None
        try:
            yield
        finally:
            lock.release()

    def is_held(self, name: str) -> bool:
        """Whether anybody holds it at this moment."""
        try:
            with self.hold(name, 0):
                return False
        except LedgerBusy:
            return True

    def _path(self, name: str) -> Path:
        return self._folder / f"{hashlib.sha256(name.encode()).hexdigest()[:32]}.lock"

    def try_all(self) -> None:
        """Raises LedgerBusy where any name that was ever held is held at this moment."""
        for path in sorted(self._folder.glob("*.lock")):
            lock = FileLock(path, 0, mode=0o600, thread_local=False, fallback_to_soft=False)
            try:
                with lock:
                    continue
            except Timeout:
                raise LedgerBusy from None
