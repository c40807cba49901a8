"""Several of calferry on one ledger, and one that sleeps in the middle of its work, double nothing."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from threading import Event

import pytest

from calferry.errors import LedgerBusy
from calferry.sandbox import GoogleServer, GraphServer
from calferry.sandbox.messages import Request
from tests.crash.commands import IMPATIENT, ended, started
from tests.crash.conftest import today
from tests.crossing import Salon
from tests.office import Office

PATIENCE = 60.0


@contextmanager
def serving(shop: Salon, number: int) -> Iterator[list[Popen[str]]]:
    """So many services on one ledger, asked to end in the end."""
    services = [started(shop, "run") for _ in range(number)]
    try:
        yield services
    finally:
        for one in services:
            one.send_signal(signal.SIGTERM)
        for one in services:
            assert ended(one).code == 0


def test_two_services_on_one_ledger_double_nothing(shop: Salon) -> None:
    for number in range(12):
        shop.book(2 + number % 4, 9 + number % 5, staff=number % 3)
    asked: list[str] = []
    both = Event()

    def count(moment: str, request: Request) -> None:
        if moment == "after" and request.path.endswith("/appointments"):
            asked.append(request.path)
            if len(asked) > 2:
                both.set()

    shop.sandbox.agendize.on_request = count
    with serving(shop, 2):
        assert both.wait(PATIENCE)
    assert shop.sandbox.google.world.performed["insert"] <= 12
    assert ended(started(shop)).code == 0
    assert shop.verdict().clean
    assert shop.sandbox.google.world.performed == {"insert": 12}


def test_a_pass_beside_a_service_doubles_nothing(shop: Salon) -> None:
    for number in range(12):
        shop.book(2 + number % 4, 9 + number % 5, staff=number % 3)
    begun = Event()
    shop.sandbox.google.on_request = lambda _moment, _request: begun.set()
    with serving(shop, 1):
        assert begun.wait(PATIENCE)
        assert ended(started(shop)).code in {0, LedgerBusy.exit_code}
    assert ended(started(shop)).code == 0
    assert shop.verdict().clean
    assert shop.sandbox.google.world.performed == {"insert": 12}


def calendars(shop: Salon) -> GoogleServer | GraphServer:
    return shop.sandbox.graph if isinstance(shop, Office) else shop.sandbox.google


@contextmanager
def asleep(shop: Salon) -> Iterator[Popen[str]]:
    """A pass that was stopped while its first batch was under way."""
    stopped = Event()

    def stop(moment: str, request: Request) -> None:
        if moment == "before" and "batch" in request.path and not stopped.is_set():
            os.kill(process.pid, signal.SIGSTOP)
            stopped.set()

    calendars(shop).on_request = stop
    process = started(shop)
    try:
        assert stopped.wait(PATIENCE)
        yield process
    finally:
        process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("kind", [Salon, Office])
def test_whoever_comes_while_another_one_sleeps_gives_up_and_doubles_nothing(tmp_path: Path, kind: type[Salon]) -> None:
    with today(tmp_path, kind) as shop:
        for number in range(9):
            shop.book(2 + number % 3, 9 + number // 3, staff=number % 3)
        with asleep(shop) as first:
            late = ended(started(shop, code=IMPATIENT))
            assert late.code == LedgerBusy.exit_code, late
            assert "Another calferry process is working on" in late.text
        assert ended(first).code == 0
        assert ended(started(shop)).code == 0
        assert shop.verdict().clean, shop.verdict().details
        assert max(shop.standing().values()) == 1


@pytest.mark.parametrize("kind", [Salon, Office])
def test_even_where_the_lock_was_taken_from_a_sleeper_nothing_is_doubled(tmp_path: Path, kind: type[Salon]) -> None:
    """A person deletes the lock files, or a file system keeps none; then the sleeper wakes up."""
    with today(tmp_path, kind) as shop:
        for number in range(9):
            shop.book(2 + number % 3, 9 + number // 3, staff=number % 3)
        with asleep(shop) as first:
            for lock in (shop.home / "calferry.db.locks").glob("*.lock"):
                lock.unlink()
            assert ended(started(shop, code=IMPATIENT)).code == 0
        ended(first)
        for _ in range(2):
            last = ended(started(shop))
        assert last.code == 0, last
        assert max(shop.standing().values()) == 1
        assert shop.verdict().clean, shop.verdict().details
