"""Local, stateful stand-ins of the remote services, over real HTTP on loopback.

They behave as the vendors' documents say and take the harshest honest reading where those are vague; where they are
silent there is a switch. Nothing here knows anything of the client.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from . import faults
from .agendize import AgendizeServer, AgendizeSwitches, AgendizeWorld, Booked
from .clicrdv import ClicrdvServer, ClicrdvSwitches, ClicrdvWorld
from .google import GoogleServer, GoogleSwitches, GoogleWorld
from .graph import GraphServer, GraphSwitches, GraphWorld
from .judge import Verdict, judge, judge_feed
from .messages import Exchange, Request, Response
from .valomnia import ValomniaServer, ValomniaSwitches, ValomniaWorld

__all__ = [
    "AgendizeServer",
    "AgendizeSwitches",
    "AgendizeWorld",
    "Booked",
    "ClicrdvServer",
    "ClicrdvSwitches",
    "ClicrdvWorld",
    "Exchange",
    "GoogleServer",
    "GoogleSwitches",
    "GoogleWorld",
    "GraphServer",
    "GraphSwitches",
    "GraphWorld",
    "Request",
    "Response",
    "Sandbox",
    "ValomniaServer",
    "ValomniaSwitches",
    "ValomniaWorld",
    "Verdict",
    "faults",
    "judge",
    "judge_feed",
]


class Sandbox:
    """All stand-ins, started and stopped together, on one clock (aware datetimes; the real one by default)."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.now = now
        self.agendize = AgendizeServer(AgendizeWorld(now))
        self.clicrdv = ClicrdvServer(ClicrdvWorld(now))
        self.google = GoogleServer(GoogleWorld(now))
        self.graph = GraphServer(GraphWorld(now))
        self.valomnia = ValomniaServer(ValomniaWorld(now))

    def __enter__(self) -> Self:
        self.agendize.start()
        self.clicrdv.start()
        self.google.start()
        self.graph.start()
        self.valomnia.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.valomnia.stop()
        self.graph.stop()
        self.google.stop()
        self.clicrdv.stop()
        self.agendize.stop()
