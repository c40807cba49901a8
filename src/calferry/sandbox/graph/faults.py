"""Faults in Graph's own words, for whole requests (`faults.add`) and for calls within a batch (`part_faults.add`)."""

from __future__ import annotations

from calferry.sandbox.faults import Fault, Perform
from calferry.sandbox.messages import Response

from .errors import GraphError


def part_status(code: int, word: str, *, retry_after: int | None = None, performed: bool = False) -> Fault:
    """Answer with a Graph error; with `performed`, only after the call has done its work."""

    def effect(perform: Perform) -> Response:
        if performed:
            perform()
        return GraphError(code, word).response(retry_after=retry_after)

    return Fault("part_status", effect)


def part_missing(*, performed: bool = True) -> Fault:
    """Leave the call's answer out of the batch's answer, performed or not."""

    def effect(perform: Perform) -> Response:
        if performed:
            perform()
        return Response(0, closed=True)

    return Fault("part_missing", effect)
