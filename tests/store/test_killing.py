"""A process that is killed while it writes leaves whole batches and nothing else."""

from __future__ import annotations

import subprocess
import sys

import pytest

from calferry.model import Cursor
from calferry.store import SqlLedger
from tests.builders import ACCOUNT, NOW
from tests.contracts.ledger_steps import INSTALLATION

ROWS = 700

WRITER = f"""
import sys
from datetime import timedelta
from calferry.model import Cursor
from calferry.store import open_ledger
from tests.builders import ACCOUNT, NOW, appointment, batch
with open_ledger(sys.argv[1], "{INSTALLATION}") as ledger:
    for number in range(1000):
        rows = [appointment(f"{{number}}-{{row}}") for row in range({ROWS})]
        print(number, flush=True)
        ledger.intake.record(ACCOUNT, batch(*rows, cursor=Cursor(str(number)), asked_at=NOW))
"""


@pytest.mark.parametrize("batches", [1, 2, 3])
def test_a_killed_writer_leaves_whole_batches_with_their_cursor(
    ledger: SqlLedger, url: str, pytestconfig: pytest.Config, batches: int
) -> None:
    command, root = [sys.executable, "-c", WRITER, url], pytestconfig.rootpath
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as writer:  # noqa: S603 - our own code
        assert writer.stdout is not None
        while writer.stdout.readline() != f"{batches}\n":
            pass
        writer.kill()
    found = ledger.routing.pending(ACCOUNT, NOW, 10_000)
    whole, rest = divmod(len(found), ROWS)
    assert (whole >= batches, rest) == (True, 0)
    assert ledger.intake.cursor(ACCOUNT, "appointments") == Cursor(str(whole - 1))
    assert [one.revision for one in found] == list(range(1, len(found) + 1))
