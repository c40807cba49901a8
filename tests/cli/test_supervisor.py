"""What systemd hears of the service, on a socket in its place."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from calferry.cli.console import Stop
from calferry.cli.run import attend
from calferry.cli.supervisor import Supervisor
from calferry.pulse import Pulse
from tests.cli.salon import Salon
from tests.cli.service import Service

PATIENCE = 30.0


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.settimeout(PATIENCE)
        listening.bind(str(tmp_path / "notify"))
        yield listening


def hear(ear: socket.socket) -> str:
    return ear.recv(1000).decode()


def test_it_says_when_it_is_ready_that_it_lives_and_when_it_stops(salon: Salon, ear: socket.socket) -> None:
    variables = {"NOTIFY_SOCKET": ear.getsockname(), "WATCHDOG_USEC": "300000"}
    salon.book(1)
    with Service(salon.home, "run", SALON_KEY=salon.sandbox.agendize.api_key, **variables) as service:
        assert [hear(ear) for _ in range(4)] == ["READY=1", *["WATCHDOG=1"] * 3]
        service.process.send_signal(signal.SIGTERM)
        while (word := hear(ear)) == "WATCHDOG=1":
            pass
        assert word == "STOPPING=1"
        assert service.end() == 0


def test_what_cannot_start_is_never_ready(salon: Salon, ear: socket.socket) -> None:
    assert salon.run("run", NOTIFY_SOCKET=ear.getsockname(), SALON_KEY="").code == 2
    ear.setblocking(False)
    with pytest.raises(BlockingIOError):
        hear(ear)


class Planned:
    """A schedule as far as it is attended to."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pulse = Pulse(lambda: self.now)
        self.pulse.expect("pull salon", timedelta(minutes=2).total_seconds())

    def mind_the_clock(self) -> None:
        """It is right."""


def test_while_a_job_hangs_there_is_no_sign_of_life(ear: socket.socket, caplog: pytest.LogCaptureFixture) -> None:
    schedule, stop = Planned(), Stop()
    supervisor = Supervisor({"NOTIFY_SOCKET": ear.getsockname(), "WATCHDOG_USEC": "60000"})
    attending = threading.Thread(target=attend, args=(schedule, stop, supervisor))
    attending.start()
    assert hear(ear) == "WATCHDOG=1"
    schedule.now = 10_000.0
    ear.settimeout(0.5)
    late: list[str] = []  # what was on its way
    with suppress(TimeoutError):
        while len(late) < 5:
            late.append(hear(ear))
    assert len(late) < 5
    schedule.pulse.move("pull salon")
    ear.settimeout(PATIENCE)
    assert hear(ear) == "WATCHDOG=1"
    stop.set()
    attending.join()
    assert caplog.text.count("past their deadline: pull salon") == 1


def test_a_socket_in_the_abstract_namespace_is_found() -> None:
    name = f"calferry-{secrets.token_hex(8)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.settimeout(PATIENCE)
        listening.bind(f"\0{name}")
        Supervisor({"NOTIFY_SOCKET": f"@{name}"}).ready()
        assert hear(listening) == "READY=1"


@pytest.mark.parametrize("place", ["", "/nowhere/notify", "relative", "vsock:2:1234"])
def test_where_nobody_listens_nobody_is_told(place: str) -> None:
    supervisor = Supervisor({"NOTIFY_SOCKET": place})
    supervisor.ready()
    assert supervisor.patience == 0


def test_a_watchdog_of_another_process_is_not_ours() -> None:
    assert Supervisor({"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": str(os.getpid())}).patience == 2
    assert Supervisor({"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "1"}).patience == 0
