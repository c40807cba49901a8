"""Every failure that users of such programs complain of, at every booking system.

It is said, it is tried again, and nothing is written: never a deletion without evidence. `make soak` plays each failure
at every kind of listing and at a later page too, and the days with a pass every two minutes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from calferry.errors import NotAuthorised, Unavailable
from calferry.sandbox.faults import matching
from calferry.sync.crossing import Report, run, waiting
from calferry.sync.installation import Watch
from tests.convergence.failures import LIES, NO_ANSWER, assert_said, fault_of
from tests.convergence.ferry import LATER, NEXT_DAY, SOON, Ferry, ferry
from tests.convergence.systems import standing

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
ROWS = 12
"""Appointments of a booking system: several pages of each listing."""

LISTINGS: Mapping[str, str] = {"agendize": "/appointments", "clicrdv": "/vevents", "valomnia": "/appointments"}
WHENS: Mapping[str, timedelta] = {"delta": SOON, "near": LATER, "all": NEXT_DAY}
PAGES = {"first page": 0, "a later one": 1}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each failure meets each listing at each page in `make soak`, and the whole one at its first page else."""
    soak = metafunc.config.getoption("--hypothesis-profile") == "soak"
    if "when" in metafunc.fixturenames:
        metafunc.parametrize("when", list(WHENS) if soak else ["all"])
    if "page" in metafunc.fixturenames:
        metafunc.parametrize("page", list(PAGES) if soak else ["first page"])
    if "step" in metafunc.fixturenames:
        metafunc.parametrize("step", [2 * MINUTE if soak else 2 * HOUR], ids=str)


@contextmanager
def desk(kind: str, home: Path) -> Iterator[Ferry]:
    """A booking system whose appointments were all carried."""
    with ferry(kind, home, ROWS) as opened:
        opened.configure()
        opened.sandbox.agendize.switches.page_size = 5
        opened.sandbox.clicrdv.switches.page_cap = 5
        opened.sandbox.valomnia.switches.max_ceiling = 5
        opened.stock()
        opened.cross("first", SOON)
        assert opened.differences() == ([], [])
        yield opened


def passed(desk: Ferry, after: timedelta) -> Report:
    """One pass of the process that goes on."""
    desk.clock.pass_by(after)
    assert desk.process is not None
    return run(desk.process, Watch())


def assert_made_good(desk: Ferry) -> None:
    """Once the failure is over, the truth is carried by itself."""
    desk.system.server.faults.clear()
    desk.book()
    for after in (2 * NEXT_DAY, SOON):
        desk.cross("over", after)
    assert desk.differences() == ([], [])
    assert desk.undone() == ()
    assert desk.costs[-1].errors == ()


@pytest.mark.parametrize("kind", LISTINGS)
@pytest.mark.parametrize("failure", NO_ANSWER)
def test_no_answer_of_a_booking_system_is_said_and_changes_nothing(
    tmp_path: Path, kind: str, failure: str, when: str, page: str
) -> None:
    with desk(kind, tmp_path) as shop:
        before, writes = standing(shop.sandbox), shop.sandbox.google.world.writes
        listing = matching(LISTINGS[kind])
        shop.system.server.faults.add(fault_of(kind, failure), times=None, match=listing, after=PAGES[page])
        report = passed(shop, WHENS[when])
        if page == "first page":
            assert_said(report)
            assert report.exit_code in {Unavailable.exit_code, NotAuthorised.exit_code}
        assert report.pulled["desk"]["deleted"] == 0
        assert (standing(shop.sandbox), shop.sandbox.google.world.writes) == (before, writes)
        assert_made_good(shop)


@pytest.mark.parametrize("kind", LISTINGS)
@pytest.mark.parametrize("failure", LIES)
def test_a_lying_booking_system_changes_nothing(tmp_path: Path, kind: str, failure: str, when: str, page: str) -> None:
    with desk(kind, tmp_path) as shop:
        before, writes = standing(shop.sandbox), shop.sandbox.google.world.writes
        listing = matching(LISTINGS[kind])
        shop.system.server.faults.add(fault_of(kind, failure), times=None, match=listing, after=PAGES[page])
        assert passed(shop, WHENS[when]).pulled["desk"]["deleted"] == 0
        assert (standing(shop.sandbox), shop.sandbox.google.world.writes) == (before, writes)
        assert_made_good(shop)


@pytest.mark.parametrize("kind", LISTINGS)
@pytest.mark.parametrize("failure", ["empty", "half", "404 to everything"])
def test_a_day_of_nonsense_deletes_nothing_and_says_so(
    tmp_path: Path, kind: str, failure: str, step: timedelta
) -> None:
    with desk(kind, tmp_path) as shop:
        before, writes = standing(shop.sandbox), shop.sandbox.google.world.writes
        met = matching() if failure == "404 to everything" else matching(LISTINGS[kind])
        shop.system.server.faults.add(fault_of(kind, failure), times=None, match=met)
        reports = [passed(shop, step) for _ in range(int(26 * HOUR / step))]
        assert (standing(shop.sandbox), shop.sandbox.google.world.writes) == (before, writes)
        assert shop.process is not None
        told = [one for report in reports for one in (*report.errors, *report.attention)]
        told += [name for report in reports for name in report.pulled["desk"].counts if "listings" in name]
        assert told or waiting(shop.process)
        assert_made_good(shop)
