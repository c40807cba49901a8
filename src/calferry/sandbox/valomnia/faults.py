"""Faults in Valomnia's own shapes, for `ValomniaServer.faults`: listings that are not what they seem."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from calferry.sandbox.faults import Fault, Perform
from calferry.sandbox.messages import JsonObject, Response


def no_data() -> Fault:
    """A 200 in JSON that has everything but its `data` member."""
    return _rewritten("no_data", lambda listing: {name: part for name, part in listing.items() if name != "data"})


def emptied() -> Fault:
    """A listing that has lost its rows, and says that there are none."""
    return _rewritten("emptied", lambda listing: _telling(listing, [], total=0))


def cut_short() -> Fault:
    """A listing that has lost its rows, and still says how many there are."""
    return _rewritten("cut_short", lambda listing: listing | {"data": []})


def halved() -> Fault:
    """Half of the rows, with the total of all of them."""
    return _rewritten("halved", lambda listing: listing | {"data": listing["data"][: len(listing["data"]) // 2]})


def unreliable_total() -> Fault:
    """All of the rows, with a total that is one too many."""
    return _rewritten(
        "unreliable_total", lambda listing: _telling(listing, listing["data"], total=listing["paging"]["total"] + 1)
    )


def rewritten(change: Callable[[JsonObject], JsonObject]) -> Fault:
    """Any JSON answer, put through `change`."""

    def effect(perform: Perform) -> Response:
        response = perform()
        if not (response.content_type or "").startswith("application/json"):
            return response
        return replace(response, body=json.dumps(change(_read(response.body))).encode())

    return Fault("rewritten", effect)


def _read(body: bytes) -> JsonObject:
    """What a body says, whatever its switches made of it."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = body.decode("latin-1")
    content: JsonObject = json.loads(text.replace('{²"', '{"'))
    return content


def _telling(listing: JsonObject, rows: list[JsonObject], *, total: int) -> JsonObject:
    return listing | {"data": rows, "paging": listing["paging"] | {"total": total}}


def _rewritten(kind: str, change: Callable[[JsonObject], JsonObject]) -> Fault:
    inner = rewritten(lambda content: change(content) if "data" in content else content)
    return Fault(kind, inner.effect)
