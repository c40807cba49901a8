"""Runs `calferry` in processes of their own that die by SIGKILL at a chosen instant. For tests only.

One process imports everything once and forks a child for each line of JSON on its standard input:
`{"arguments": ["sync", …], "die_at": n}`. It answers with a line: `{"exit": code, "instants": n, "last": "…"}`, the
code negative for a signal as in `subprocess`. Without `die_at` the child lives, and its instants are counted.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

from calferry.cli import main
from tests.crash.instants import told

USED = (
    "alembic.command",
    "calferry.store.migrations",
    "calferry.sync.crossing",
    "calferry.wiring",
    "google.oauth2.service_account",
    "googleapiclient.http",
    "httpx",
    "msal.application",
    "msal.token_cache",
    "stamina",
)


def serve() -> None:
    _import_what_a_pass_uses()
    for line in sys.stdin:
        print(json.dumps(_run(**json.loads(line))), flush=True)  # noqa: T201 (a protocol, not a print left behind)


def _run(arguments: Sequence[str], die_at: int = 0) -> dict[str, Any]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _live(arguments, die_at, writing)
    os.close(writing)
    with os.fdopen(reading, encoding="ascii") as pipe:
        instants = pipe.read().split("\n")[:-1]
    _, status = os.waitpid(child, 0)
    return {"exit": os.waitstatus_to_exitcode(status), "instants": len(instants), "last": (instants or [""])[-1]}


def _live(arguments: Sequence[str], die_at: int, pipe: int) -> NoReturn:
    """The child: calferry as from the command line, until it ends or its instant comes."""
    seen = 0

    def tell(instant: str) -> None:
        nonlocal seen
        seen += 1
        os.write(pipe, f"{instant}\n".encode("ascii"))
        if seen == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.argv = ["calferry", *arguments]
    code = 70
    try:
        with told(tell):
            main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        os._exit(code)


def _import_what_a_pass_uses() -> None:
    """So that a child starts in no time."""
    for module in USED:
        import_module(module)


if __name__ == "__main__":
    serve()
