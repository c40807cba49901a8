"""Asked to stop, calferry ends between two requests; two of it at once are no trouble to each other."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from calferry.errors import LedgerBusy
from calferry.sandbox.messages import Request
from tests.crash.commands import started
from tests.crossing import CALENDARS, Salon


def booked(shop: Salon, number: int) -> None:
    for one in range(number):
        shop.book(2 + one // 8, 8 + one % 8, staff=one % 3)


def unsettled(shop: Salon) -> int:
    with shop.installation() as installation:
        return sum(
            len(installation.ledger.outbox.unsettled(f"google:{calendar}", shop.clock.time)) for calendar in CALENDARS
        )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_asked_to_stop_in_the_middle_of_a_push_it_ends_between_two_requests(
    shop: Salon, number: signal.Signals, code: int
) -> None:
    booked(shop, 24)
    batches: list[Request] = []

    def stop_at_the_second_batch(moment: str, request: Request) -> None:
        if moment == "before" and request.path.startswith("/batch"):
            batches.append(request)
            if len(batches) == 2:
                os.kill(process.pid, number)

    shop.sandbox.google.on_request = stop_at_the_second_batch
    with started(shop) as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == code, said
    assert "Everything done so far is filed" in said
    assert len(batches) == 2
    assert (shop.standing().total(), unsettled(shop)) == (6, 0)
    shop.sandbox.google.on_request = None
    shop.cross()
    assert shop.verdict().clean
    assert shop.sandbox.google.world.performed == {"insert": 24}


def test_two_at_the_same_moment_on_one_ledger_double_nothing(shop: Salon) -> None:
    booked(shop, 12)
    meeting = threading.Barrier(2)

    def wait_for_each_other(moment: str, request: Request) -> None:
        """The first to be in the middle of its work waits until the other one has started too, if it comes at all."""
        if moment == "before" and request.path.endswith("/staff") and not meeting.broken:
            try:
                meeting.wait(timeout=0.5)
            except threading.BrokenBarrierError:
                return

    shop.sandbox.agendize.on_request = wait_for_each_other
    with started(shop) as one, started(shop) as other:
        said = [process.communicate(timeout=90)[0] for process in (one, other)]
    assert {one.returncode, other.returncode} <= {0, LedgerBusy.exit_code}, said
    assert 0 in {one.returncode, other.returncode}
    assert shop.verdict().clean
    assert shop.sandbox.google.world.performed == {"insert": 12}
    assert shop.quiet_requests() == (1, 0)


def test_two_ledgers_of_one_name_never_write_into_the_same_calendar(shop: Salon) -> None:
    booked(shop, 6)
    shop.cross()
    shop.configure(ledger="second.db")
    with started(shop) as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 77, said
    assert shop.sandbox.google.world.performed == {"insert": 6}
