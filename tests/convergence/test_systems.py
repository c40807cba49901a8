"""Whichever reading of the vendors' documents is the true one: in the end the calendars hold what is booked.

`pytest tests/convergence/test_systems.py --rows=10000` (`make scale`) does so with that many appointments and a
thousand changes, with every switch turned, one after another, and prints what was wrong in the end and what each pass
cost; `-k default` does it with none turned.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.convergence.ferry import LATER, MANY, NEXT_DAY, SOON, Ferry, ferry
from tests.convergence.systems import standing
from tests.readings import AFFLICTIONS, TURNED, Reading, readings

BEFALLS: Mapping[str, Callable[[Ferry], object]] = {
    "broken_starts": lambda ferry: set(ferry.system.live()[::9]),
    "mute": lambda ferry: set(ferry.system.live()[::9]),
    "open_ends": lambda ferry: set(ferry.system.live()[::9]),
    "unlisted_users": lambda ferry: {next(iter(ferry.sandbox.valomnia.world.users))},
    "nobody": lambda ferry: set(ferry.system.live()[::9]),
    "sees": lambda ferry: next(iter(ferry.sandbox.valomnia.world.users)),
}
"""What is no reading of a document but an affliction: it comes after the first sync, and passes."""

OAUTH = """\
client_id = "app-1"
client_secret = { file = "client-secret" }
refresh_token = { file = "refresh-token" }
"""
OPTIONS: Mapping[tuple[str, str], str] = {
    ("agendize", "resource_lists"): 'owners = "resources"',
    ("agendize", "stable_links"): "reschedule_link = true",
    ("agendize", "link_objects"): "reschedule_link = true",
    ("agendize", "omit_expiry"): OAUTH,
    ("agendize", "rotate_refresh_tokens"): OAUTH,
    ("clicrdv", "strangers"): 'login = "session"',
    ("clicrdv", "conditions"): 'feed = "appointments"',
    ("clicrdv", "past"): 'feed = "appointments"',
    ("clicrdv", "appointment_members"): 'feed = "appointments"',
    ("clicrdv", "single_appointments"): 'feed = "appointments"',
}
"""How the source is configured for a switch to matter at all."""

UNTOLD: Mapping[str, frozenset[str]] = {
    # Nobody can tell a page from a proxy's: what leaves without a trace stays.
    "clicrdv, error_shape='html'": frozenset({"vanish"}),
    # Nothing that leaves that feed can be asked for, so nothing is ever taken for gone.
    "clicrdv, single_appointments=False": frozenset({"vanish", "delete", "restore"}),
}
"""What calferry cannot be told of under a reading, as the page of the adapter says: it does not happen here."""

UNBELIEVED: Mapping[str, Mapping[str, object]] = {
    # Pages overlap by a row, and such pages do not join.
    "clicrdv, start_index='page'": {"page_cap": 10},
    # Rows that name neither calendar nor service are set aside, each of them.
    "clicrdv, appointment_members='bare'": {},
}
"""Readings with which nothing can be carried, and what else makes them matter. All stays as it was."""


USUAL = 60
"""So many appointments cross unless `--rows` says otherwise; with more, it is told what that took."""

READINGS = tuple(readings())
BELIEVED = [one for one in READINGS if str(one) not in UNBELIEVED]
OTHERS = [one for one in READINGS if str(one) in UNBELIEVED]


@pytest.fixture
def reading(request: pytest.FixtureRequest) -> Reading:
    given: Reading = request.param
    return given


@pytest.fixture
def crossing(reading: Reading, tmp_path: Path, pytestconfig: pytest.Config) -> Iterator[Ferry]:
    """The booking system of a reading, not turned yet, with as many appointments as `--rows` says."""
    rows: int = pytestconfig.getoption("rows")
    with ferry(reading.kind, tmp_path, rows, alone=rows >= MANY) as opened:
        access = opened.sandbox.agendize.access
        (tmp_path / "client-secret").write_text(access.client_secret, encoding="utf-8")
        (tmp_path / "refresh-token").write_text(access.refresh_token, encoding="utf-8")
        opened.configure(OPTIONS.get(reading[:2], ""))
        opened.untold = UNTOLD.get(str(reading), frozenset())
        yield opened


def turn(crossing: Ferry, switches: Mapping[str, object]) -> Mapping[str, object]:
    """Turn switches; returns how they were."""
    held = crossing.system.server.switches
    before = {name: getattr(held, name) for name in switches}
    for name, value in switches.items():
        setattr(held, name, value)
    return before


def live_through(crossing: Ferry, befalls: Callable[[Ferry], Mapping[str, object]]) -> None:
    """A first sync and three times of change, each found out in another way; then days in which nothing happens.

    `befalls` is the affliction that comes with the second change and goes with the third.
    """
    changes = max(crossing.rows // 30, 1)
    crossing.cross("first", SOON)
    crossing.cross("unchanged", SOON)
    crossing.happen(changes)
    crossing.cross("changed", SOON)
    crossing.cross("unchanged, soon after", SOON)
    before = turn(crossing, befalls(crossing))
    crossing.happen(changes)
    crossing.cross("near, changed", LATER)
    crossing.cross("near", LATER)
    turn(crossing, before)
    crossing.happen(changes)
    crossing.cross("whole, changed", NEXT_DAY)
    crossing.cross("whole", NEXT_DAY)
    crossing.cross("whole", NEXT_DAY)
    crossing.book()
    crossing.cross("one booked", SOON)
    crossing.cross("unchanged", SOON)


@pytest.mark.parametrize("reading", BELIEVED, ids=str, indirect=True)
def test_in_the_end_the_calendars_hold_what_is_booked(
    reading: Reading, crossing: Ferry, capfd: pytest.CaptureFixture[str]
) -> None:
    passing = BEFALLS.get(reading.switch)
    if reading.switch and not passing:
        turn(crossing, {reading.switch: reading.value})
    crossing.stock()
    live_through(crossing, lambda ferry: {reading.switch: passing(ferry)} if passing else {})
    if crossing.rows > USUAL:
        with capfd.disabled():
            sys.stdout.write(f"\n{reading}, {crossing.rows:,} appointments: {_summary(crossing)}\n{crossing.told()}\n")
    assert crossing.differences() == ([], [])
    assert crossing.undone() == ()
    assert crossing.costs[-1].errors == ()
    assert crossing.costs[-1].requests == crossing.system.budget()
    assert [one.calendar_requests for one in crossing.costs if one.name == "unchanged"] == [0, 0]
    known = {"book", *crossing.system.deeds, *crossing.system.decrees}
    assert known - crossing.untold <= crossing.happened.keys()


def _summary(crossing: Ferry) -> str:
    """What is wrong in the end, and what it took."""
    wrong, requests = crossing.mistakes(), sum(one.requests for one in crossing.costs)
    return (
        f"{wrong.missing} missing, {wrong.extra} extra, {wrong.instants} at wrong instants, "
        f"{wrong.owner} with the wrong owner; {requests:,} requests in {len(crossing.costs)} passes"
    )


@pytest.mark.parametrize("reading", OTHERS, ids=str, indirect=True)
def test_what_cannot_be_believed_harms_nothing(reading: Reading, crossing: Ferry) -> None:
    crossing.stock()
    crossing.cross("first", SOON)
    before = standing(crossing.sandbox)
    assert before.total() == len(crossing.system.live())
    turn(crossing, {reading.switch: reading.value, **UNBELIEVED[str(reading)]})
    for after in (SOON, LATER, NEXT_DAY, NEXT_DAY):
        crossing.cross("in vain", after)
    assert standing(crossing.sandbox) == before
    assert crossing.costs[-1].calendar_requests == 0
    assert crossing.costs[-1].errors or crossing.undone()


def test_all_that_is_said_here_of_a_reading_is_said_of_one_that_there_is() -> None:
    assert {*UNTOLD, *UNBELIEVED} <= {str(one) for one in READINGS}
    assert OPTIONS.keys() <= {one[:2] for one in READINGS}
    assert {*TURNED, *AFFLICTIONS} <= {one.switch for one in READINGS}
    assert BEFALLS.keys() == AFFLICTIONS
