"""Who asks, and how much of it is put up with."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from ipaddress import IPv6Address, IPv6Network, ip_address, ip_network
from threading import Lock

KNOWN = 10_000
"""Peers counted in one minute; those beyond are counted as one."""

PREFIX = 64
"""Bits of an IPv6 address that stand for one peer: the others are its own to choose."""


class Proxies:
    """Those whose word is taken for who asked them."""

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks = [ip_network(one) for one in networks]

    def peer(self, host: str, forwarded: str) -> str:
        """Who asks: `host` itself, or, where that is a trusted proxy, the last one of X-Forwarded-For that is none."""
        for named in [host, *reversed(forwarded.split(","))]:
            try:
                address = ip_address(named.strip())
            except ValueError:
                break
            host = _one(address)
            if not any(address in network for network in self._networks):
                break
        return host


def _one(address: object) -> str:
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Network((address, PREFIX), strict=False))
    return str(address)


class Quota:
    """So much of something a minute, for each peer."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._minute = 0
        self._counts: Counter[str] = Counter()
        self._lock = Lock()

    def is_spent(self, peer: str) -> bool:
        with self._lock:
            return self._this_minute()[self._name(peer)] >= self._most

    def count(self, peer: str) -> None:
        with self._lock:
            self._this_minute()[self._name(peer)] += 1

    def _this_minute(self) -> Counter[str]:
        minute = int(time.monotonic() // 60)
        if minute != self._minute:
            self._minute = minute
            self._counts.clear()
        return self._counts

    def _name(self, peer: str) -> str:
        return peer if peer in self._counts or len(self._counts) < KNOWN else ""
