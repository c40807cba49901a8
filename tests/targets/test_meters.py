"""Every transport counts what its requests were answered, or that they were not."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from calferry import http, meters
from calferry.errors import CalferryError, Unavailable
from calferry.sandbox import GoogleServer, GraphServer, faults
from calferry.targets.google import GoogleTarget
from calferry.targets.office365 import Office365Target


def counted(status: str, ask: Callable[[], object]) -> float:
    """How many more requests to this machine were answered so."""
    key = ("127.0.0.1", status)
    before = meters.REQUESTS.read().get(key, 0)
    try:
        ask()
    except CalferryError:
        return meters.REQUESTS.read().get(key, 0) - before
    return meters.REQUESTS.read().get(key, 0) - before


@pytest.fixture
def closed() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def test_each_try_that_is_not_answered_is_counted(closed: str) -> None:
    with http.client(closed, {}) as client:
        assert counted(meters.NO_ANSWER, lambda: http.get_json(client, "/")) == 3  # conftest.py allows as many tries
        with pytest.raises(Unavailable):
            http.get_json(client, "/")


def test_google_counts_answers_and_silence(server: GoogleServer, delegate: GoogleTarget) -> None:
    calendar = delegate.canonical("ana@salon.example")
    assert counted("200", lambda: list(delegate.ours(calendar))) >= 1
    server.faults.add(faults.dropped(), times=None)
    assert counted(meters.NO_ANSWER, lambda: list(delegate.ours(calendar))) >= 1


def test_graph_counts_answers_and_silence(graph: GraphServer, office365: Office365Target) -> None:
    calendar = office365.canonical("ana@salon.example")
    assert counted("200", lambda: list(office365.ours(calendar))) >= 1
    graph.faults.add(faults.dropped(), times=None)
    assert counted(meters.NO_ANSWER, lambda: list(office365.ours(calendar))) == 1
