"""What every ledger must keep. Subclass `LedgerContract` and give it `ledger`, its `shelf`, its `keeper` and `url`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from calferry.errors import LedgerBusy
from calferry.ports import Ledger
from tests.builders import NOW
from tests.contracts.keeper import KeeperContract
from tests.contracts.ledger_alerts import AlertsContract, RetentionContract, VitalsContract
from tests.contracts.ledger_intake import IntakeContract
from tests.contracts.ledger_look_ups import LookUpsContract
from tests.contracts.ledger_nudges import NudgesContract
from tests.contracts.ledger_outbox import OutboxContract
from tests.contracts.ledger_pauses import PausesContract
from tests.contracts.ledger_routing import RoutingContract
from tests.contracts.ledger_sessions import SessionsContract
from tests.contracts.ledger_steps import CALENDAR, HOUR, INSTALLATION, BrokenRow
from tests.contracts.shelf import ShelfContract


class LockContract:
    @pytest.fixture
    def holder(self, url: str) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
        """Starts another process that holds a lock until it is killed."""
        code = (
            "import sys; from calferry.store import open_ledger\n"
            "with open_ledger(sys.argv[1], sys.argv[2]) as ledger, ledger.lock(sys.argv[3]):\n"
            "    print('held', flush=True); sys.stdin.read()"
        )
        started: list[subprocess.Popen[str]] = []

        def start(name: str) -> subprocess.Popen[str]:
            command = [sys.executable, "-c", code, url, INSTALLATION, name]
            pipe = subprocess.PIPE
            process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)  # noqa: S603 - our own code
            started.append(process)
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            return process

        yield start
        for process in started:
            process.kill()
            process.communicate()

    def test_a_lock_keeps_another_process_out_until_that_process_dies(
        self, ledger: Ledger, holder: Callable[[str], subprocess.Popen[str]]
    ) -> None:
        process = holder("calendar google:ana")
        with pytest.raises(LedgerBusy, match="calendar google:ana"), ledger.lock("calendar google:ana"):
            pass
        with ledger.lock("calendar google:ben"):
            process.kill()
            process.wait()
        with ledger.lock("calendar google:ana"), ledger.lock("calendar google:ben"):
            assert ledger.id

    def test_a_lock_is_free_again_after_an_exception(self, ledger: Ledger) -> None:
        with pytest.raises(BrokenRow), ledger.lock("source"):
            raise BrokenRow
        with ledger.lock("source"):
            assert ledger.id


class AlarmContract:
    def test_a_mass_update_is_told_of_for_a_day_whenever_it_is_raised_for_another_reason(self, ledger: Ledger) -> None:
        def told(now: datetime) -> list[tuple[str, str, str]]:
            return [(one.what, one.where, one.reason) for one in ledger.attention(now)]

        ledger.outbox.alarm(CALENDAR, "24 of 24 events", NOW)
        ledger.outbox.alarm(CALENDAR, "24 of 24 events", NOW + HOUR)
        assert told(NOW + 2 * HOUR) == [("mass update", CALENDAR, "24 of 24 events")]
        assert told(NOW + 24 * HOUR) == []
        ledger.outbox.alarm(CALENDAR, "30 of 30 events", NOW + 3 * HOUR)
        assert told(NOW + 26 * HOUR) == [("mass update", CALENDAR, "30 of 30 events")]


class RowsContract(
    IntakeContract,
    LookUpsContract,
    RoutingContract,
    SessionsContract,
    OutboxContract,
    AlarmContract,
    PausesContract,
    NudgesContract,
    KeeperContract,
    AlertsContract,
    VitalsContract,
    RetentionContract,
):
    """What is in the ledger's tables. Give it `ledger` and `keeper` as fixtures."""


class LedgerContract(RowsContract, ShelfContract, LockContract):
    """All of it. Give it `ledger` (of the installation "test", losing patience soon), `shelf`, `keeper` and `url`."""
