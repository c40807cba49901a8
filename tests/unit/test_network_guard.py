"""The guard that keeps every other test on this machine is itself tested."""

from __future__ import annotations

import socket

import pytest
from pytest_socket import SocketConnectBlockedError


def test_no_test_can_reach_beyond_loopback() -> None:
    elsewhere = ("192.0.2.1", 443)  # RFC 5737: an address that belongs to nobody
    with (
        socket.socket() as connection,
        pytest.warns(UserWarning, match="tried to use"),
        pytest.raises(SocketConnectBlockedError),
    ):
        connection.connect(elsewhere)
