"""What it costs to serve a feed, beside the barest application on the same server; and to render it."""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from statistics import median

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.figure import Figure
from calferry.model import Action, Create, Event, Intent, Mark
from calferry.store import open_ledger
from calferry.sync.installation import Installation
from calferry.targets import ical
from calferry.targets.ical import events
from calferry.web import addresses
from calferry.web.catalogue import catalogue
from calferry.web.feeds import Feeds, application
from calferry.web.server import bind, root_of, serving
from calferry.wiring import SystemClock

EVENTS = 10_000
REPEATS = 7
CALENDAR = "ical:everyone"
QUICK, WHOLE = 1_000, 40
"""Requests per repeat: for a 304, and for a whole feed."""


def served() -> Iterator[Figure]:
    """Requests per second over one connection, in turns with the bare application."""
    with _stage() as stage:
        ours, bare, note = stage.compared(f"If-None-Match: {stage.etag}\r\n", 304, QUICK)
        yield Figure(f"feed of {EVENTS:,}, unchanged: bare 304s a second / ours", bare / ours, 1 / 0.3, note)
        ours, bare, note = stage.compared("", 200, WHOLE)
        yield Figure(f"feed of {EVENTS:,}, whole: bare answers a second / ours", bare / ours, 1 / 0.3, note)
        yield Figure(f"feed of {EVENTS:,}: events rendered after one change", stage.rendered_after_a_change(), 1)


class _Line:
    """One connection that is kept open, and the simplest client that can be."""

    def __init__(self, port: int) -> None:
        self._connection = socket.create_connection(("127.0.0.1", port))
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers = self._connection.makefile("rb")

    def close(self) -> None:
        self._answers.close()
        self._connection.close()

    def ask(self, path: str, headers: str = "") -> tuple[int, dict[str, str], bytes]:
        self._connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode())
        status = int(self._answers.readline().split()[1])
        told = {}
        while (line := self._answers.readline()) != b"\r\n":
            name, _, value = line.decode("latin-1").partition(":")
            told[name.lower()] = value.strip()
        return status, told, self._answers.read(int(told.get("content-length", 0)))


def _per_second(port: int, path: str, headers: str, status: int, times: int) -> float:
    """How many such answers come in a second. Runs in a process of its own, not to take turns with the server."""
    line = _Line(port)
    began = time.perf_counter()
    if {line.ask(path, headers)[0] for _ in range(times)} != {status}:
        raise AssertionError(status)
    spent = time.perf_counter() - began
    line.close()
    return times / spent


@dataclass(frozen=True)
class _Stage:
    target: ical.IcalTarget
    ledger: str
    path: str
    etag: str
    ours: int
    bare: int
    client: Executor

    def compared(self, headers: str, status: int, times: int) -> tuple[float, float, str]:
        """Medians of what calferry and the bare application answer per second, and both in words."""
        asked = ((self.ours, self.path), (self.bare, f"/{status}"))
        pairs = [
            [self.client.submit(_per_second, *one, headers, status, times).result() for one in asked]
            for _ in range(REPEATS)
        ]
        ours, bare = (median(figures) for figures in zip(*pairs, strict=True))
        return ours, bare, f"{ours:,.0f} a second, bare {bare:,.0f}"

    def rendered_after_a_change(self) -> int:
        rendered: list[str] = []
        render = events.render

        def counted(event: Event, stamped_at: datetime, number: int) -> bytes:
            rendered.append(event.uid)
            return render(event, stamped_at, number)

        line = _Line(self.ours)
        before = line.ask(self.path)[2]
        events.render = counted
        try:
            list(self.target.apply([_intent(self.target, self.ledger, 0, "Another title")]))
            after = line.ask(self.path)[2]
        finally:
            events.render = render
            line.close()
        if before == after or after.count(b"BEGIN:VEVENT") != EVENTS:
            raise AssertionError(len(after))
        return len(rendered)


@contextmanager
def _stage() -> Iterator[_Stage]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ledger = stack.enter_context(open_ledger(f"sqlite:///{folder / 'l.db'}", "bench"))
        clock = SystemClock()
        target = ical.build("web", ical.Settings(secret="s" * 32), clock=clock, shelf=ledger.shelf)
        joined = Installation(
            name="bench",
            accounts=(),
            targets={"web": target},
            ledger=ledger,
            shelf=ledger.shelf,
            keeper=ledger.keeper,
            clock=clock,
        )
        list(target.apply([_intent(target, ledger.id, number, "Consultation") for number in range(EVENTS)]))
        here, there = (stack.enter_context(bind("127.0.0.1", 0)) for _ in range(2))
        stack.enter_context(serving(application(Feeds(joined, root_of(here))), here))
        stack.enter_context(serving(_bare(), there))
        ours, bare = (listening.getsockname()[1] for listening in (here, there))
        client = stack.enter_context(ProcessPoolExecutor(1, mp_context=get_context("spawn")))
        (feed,) = catalogue(joined, root_of(here)).values()
        path = feed.url(addresses.current(ledger.shelf, [feed])[feed.key]).removeprefix(feed.root)
        line = _Line(ours)
        _, headers, Bare.content = line.ask(path)
        line.close()
        yield _Stage(target, ledger.id, path, headers["etag"], ours, bare, client)


class Bare:
    """What the bare application answers with: as many bytes as the feed has."""

    content = b""


def _bare() -> Starlette:
    async def nothing_new(_: Request) -> Response:
        return Response(None, 304)

    async def whole(_: Request) -> Response:
        return Response(Bare.content, 200)

    return Starlette(routes=[Route("/304", nothing_new), Route("/200", whole)])


def _intent(target: ical.IcalTarget, ledger: str, number: int, summary: str) -> Intent:
    begins = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1 + number % 2000)
    event = target.fit(
        Event(uid=f"u{number}", start=begins, end=begins + timedelta(minutes=30), summary=summary, location="Room 2")
    )
    mark = Mark(installation="bench", ledger=ledger, uid=event.uid, generation=0, fingerprint=event.fingerprint)
    return Intent(
        calendar=CALENDAR,
        uid=event.uid,
        target=target.name,
        generation=0,
        action=Action.CREATE,
        fingerprint=event.fingerprint,
        request=target.encode(Create(calendar=CALENDAR, event=event, mark=mark)),
    )
