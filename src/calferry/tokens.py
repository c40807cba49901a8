"""What a sign-in leaves behind for the next start: one file a connection, for the eyes of its owner alone.

Refresh tokens are replaced while they are used (RFC 6749, section 6), so they cannot stand in the configuration.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from calferry.errors import ConfigError, LedgerBusy

PATIENCE = 60.0
"""Seconds to wait for another process that is renewing the same tokens."""


class TokenFile:
    """The tokens of one connection: a text whose form is the adapter's own. Nothing is made before it is written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> str:
        """What was last written; empty where nothing was. Raises ConfigError."""
        try:
            return self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise self._unusable(error, "read") from error

    def write(self, text: str) -> None:
        """Replace it as a whole: neither a reader nor a power cut ever finds half of it. Raises ConfigError."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _replace(self.path, text)
        except OSError as error:
            raise self._unusable(error, "written") from error

    def remove(self) -> None:
        """Sign out. Raises ConfigError."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unusable(error, "removed") from error

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold it alone among all processes and threads, to renew what is in it. Raises LedgerBusy, ConfigError."""
        from filelock import FileLock, Timeout

        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = FileLock(f"{self.path}.lock", PATIENCE, mode=0o600, thread_local=False, fallback_to_soft=False)
            lock.acquire()
        except Timeout:
            msg = f"Another calferry process is renewing {self.path} (waited {PATIENCE:.0f} seconds)."
            raise LedgerBusy(msg) from None
        except OSError as error:
            raise self._unusable(error, "locked") from error
        try:
            yield
        finally:
            lock.release()

    def _unusable(self, error: Exception, verb: str) -> ConfigError:
        reason = (error.strerror if isinstance(error, OSError) else "") or "it is not UTF-8"
        return ConfigError([f"{self.path}: cannot be {verb} ({reason}); sign in again once that is put right"])


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")  # its mode is 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as part:
            part.write(text)
            part.flush()
            os.fsync(part.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
