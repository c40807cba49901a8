"""Faults in the shape of ClicRDV's listings; those of the network are in `calferry.sandbox.faults`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from calferry.sandbox.faults import Fault, Perform
from calferry.sandbox.messages import JSON_TYPE, JsonObject, Response


def empty() -> Fault:
    """A listing that has lost its rows, and says that there are none."""
    return _rewritten("empty", lambda listing: listing | {"records": [], "totalRecords": 0, "recordsReturned": 0})


def partial() -> Fault:
    """Half of the rows, while the total still tells of all."""
    return _rewritten("partial", lambda listing: listing | _first(listing, len(listing["records"]) // 2))


def no_records() -> Fault:
    """A 200 in JSON that has everything but its `records` member."""
    return _rewritten("no_records", lambda listing: {name: part for name, part in listing.items() if name != "records"})


def wrong_total(by: int) -> Fault:
    """A listing that says it has more rows, or fewer, than it has."""
    return _rewritten("wrong_total", lambda listing: listing | {"totalRecords": listing["totalRecords"] + by})


def _first(listing: JsonObject, number: int) -> JsonObject:
    return {"records": listing["records"][:number], "recordsReturned": number}


def _rewritten(kind: str, rewrite: Callable[[JsonObject], JsonObject]) -> Fault:
    def effect(perform: Perform) -> Response:
        response = perform()
        content = json.loads(response.body) if (response.content_type or "").startswith("application/json") else None
        if not isinstance(content, dict) or "records" not in content:
            return response  # a refusal, or no listing at all
        return replace(response, body=json.dumps(rewrite(content)).encode(), content_type=JSON_TYPE)

    return Fault(kind, effect)
