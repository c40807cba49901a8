"""`calferry` in processes of their own, under conditions that a test makes."""

from __future__ import annotations

import ctypes
import resource
import subprocess
import sys
from collections.abc import Callable
from typing import NamedTuple

from tests.crossing import Salon

COMMAND = "from calferry.cli import main; main()"
IMPATIENT = f"from calferry.store import open_ledger as o; o.__kwdefaults__['patience'] = 0.5; {COMMAND}"
"""Waits half a second for a lock, where calferry would wait a minute."""

BOUNDING_SET_DROP, MAY_WRITE_ANYWHERE = 24, 1
"""Of `prctl` (Linux, "capabilities"): what lets a superuser write where modes forbid it."""


class Said(NamedTuple):
    """Exit code, and all that was said."""

    code: int
    text: str


def started(
    shop: Salon, *arguments: str, code: str = COMMAND, within: Callable[[], None] | None = None
) -> subprocess.Popen[str]:
    """A command, `sync` by default; `within` is called in its process before it begins."""
    command = [sys.executable, "-c", code, *(arguments or ("sync",)), "-c", str(shop.config)]
    return subprocess.Popen(  # noqa: S603 (our own code)
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=within,  # noqa: PLW1509 - nothing else runs between fork and exec
    )


def ended(process: subprocess.Popen[str]) -> Said:
    text, _ = process.communicate(timeout=90)
    assert "Traceback" not in text, text
    assert "does not know" not in text, text
    return Said(process.returncode, text)


def with_files_of(size: int) -> Callable[[], None]:
    """No file may grow beyond that many bytes, as on a full disk."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def with_modes_that_count() -> None:
    """Where the tests run as root, modes forbid nothing; from here on they do. Nobody else needs it, or may."""
    ctypes.CDLL(None).prctl(BOUNDING_SET_DROP, MAY_WRITE_ANYWHERE, 0, 0, 0)
