"""Whatever a remote service answers: an error of ours or nothing wrong; no end without an end, and no event less."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from calferry.errors import CalferryError
from calferry.sandbox import Response
from calferry.sandbox.faults import Fault, matching
from calferry.sync.crossing import run
from calferry.sync.installation import Watch
from tests.convergence.failures import LOOKS_LIKE
from tests.convergence.ferry import LATER, NEXT_DAY, SOON, Ferry, ferry
from tests.convergence.systems import standing

EXAMPLES = 8
"""Of the default profile; `soak` brings its own number."""

MOST = 400
"""Requests of a pass, whatever it is answered: each look-up and each page is one, and each is tried thrice."""

WORDS = ("", "1", "13772899", "2026-12-24T09:00:00Z", "2026-12-24 09:00", "Europe/Paris", "accepted", "é\x00", "²")
SCALARS = st.none() | st.booleans() | st.integers(-5, 2**40) | st.floats(allow_nan=False) | st.sampled_from(WORDS)


def few(test: Callable[[], None]) -> Callable[[], None]:
    if settings.default is None or settings.default.max_examples > 100:
        return test
    return settings(max_examples=EXAMPLES, phases=[Phase.explicit, Phase.generate])(test)


def documents(kind: str) -> st.SearchStrategy[Any]:
    """JSON in which the names that a system uses stand for anything."""
    names = st.sampled_from(LOOKS_LIKE[kind])
    return st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=5),
        max_leaves=20,
    )


def answers(kind: str) -> st.SearchStrategy[Response]:
    listing = LOOKS_LIKE[kind][0]
    told = documents(kind) | st.lists(documents(kind), max_size=3).map(lambda rows: {listing: rows})
    bodies = told.map(lambda body: json.dumps(body).encode()) | st.binary(max_size=40)
    types = st.sampled_from(["application/json", "text/html", "application/json; charset=latin-1", ""])
    return st.builds(Response, st.sampled_from([200, 200, 200, 201, 204, 206]), bodies, types)


@pytest.fixture(scope="module", params=list(LOOKS_LIKE))
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ferry]:
    """A booking system whose appointments were all carried."""
    kind: str = request.param
    with ferry(kind, tmp_path_factory.mktemp(kind), 12) as opened:
        opened.configure()
        opened.stock()
        opened.cross("first", SOON)
        yield opened
        opened.system.server.faults.clear()
        for after in (3 * NEXT_DAY, NEXT_DAY, NEXT_DAY):
            opened.cross("over", after)
        assert opened.differences() == ([], [])


LISTED: Mapping[str, str] = {"agendize": "/appointments", "clicrdv": "/vevents", "valomnia": "/appointments"}


def test_no_answer_of_a_booking_system_breaks_a_pass_or_takes_anything_away(desk: Ferry) -> None:
    before = {slot[:3] for slot in standing(desk.sandbox)}
    server, number = desk.system.server, 0

    @few
    @given(answers(desk.kind), st.sampled_from([LATER, NEXT_DAY]), st.booleans())
    def answered(response: Response, after: Any, everywhere: bool) -> None:
        nonlocal number
        number += 1
        server.faults.clear()
        server.forget_requests()
        met = matching("" if everywhere else LISTED[desk.kind])
        server.faults.add(Fault("any", lambda _perform: response), times=None, match=met)
        desk.clock.pass_by(3 * after)
        assert desk.process is not None
        report = run(desk.process, Watch())
        assert all(isinstance(error, CalferryError) for error in report.errors)
        assert server.requests < MOST
        assert before <= {slot[:3] for slot in standing(desk.sandbox)}

    answered()
    assert number


@pytest.mark.parametrize("desk", ["agendize"], indirect=True)
def test_a_service_that_answers_pages_without_end_ends(desk: Ferry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page names another one that follows; the others tell how many rows there are in all."""
    monkeypatch.setattr("calferry.sources.agendize.source.MOST_PAGES", 20)
    server, pages = desk.system.server, count()

    def another(_perform: object) -> Response:
        number = next(pages)
        return Response.of_json({"items": [{"id": f"9{number}"}], "nextPageToken": f"t{number}"})

    server.faults.clear()
    server.faults.add(Fault("endless", another), times=None, match=matching(LISTED[desk.kind]))
    desk.clock.pass_by(NEXT_DAY)
    assert desk.process is not None
    server.forget_requests()
    (error, *_) = run(desk.process, Watch()).errors
    assert "without end" in str(error)
    assert server.requests < MOST
