"""Whoever does not let us in is asked seldom, whoever asks us to wait is not asked, and a person's word goes before
both."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from calferry.errors import NotAuthorised, Unavailable
from calferry.ports import Rest
from calferry.sandbox import faults
from calferry.sandbox.faults import matching
from calferry.sandbox.google import part_status
from calferry.sync.crossing import Report
from tests.convergence.ferry import Ferry, ferry
from tests.convergence.systems import KINDS
from tests.crossing import CALENDARS, COMPANY, Salon

ANA, BEN = CALENDARS[:2]
SOURCE = f"agendize:{COMPANY}"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


WAYS_IN = {kind: (kind, "") for kind in KINDS} | {"clicrdv with sessions": ("clicrdv", 'login = "session"')}


@pytest.fixture(params=sorted(WAYS_IN))
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ferry]:
    kind, options = WAYS_IN[request.param]
    with ferry(kind, tmp_path, rows=6) as opened:
        opened.configure(options)
        opened.stock()
        yield opened


def change_the_locks(desk: Ferry) -> None:
    """From now on our password, or our key, is another one than theirs; nor does an open session hold any longer."""
    secret = "api_key" if desk.kind == "agendize" else "password"
    setattr(desk.system.server, secret, "another one")
    desk.stop()


@pytest.mark.parametrize("known", [True, False])
def test_a_wrong_password_is_tried_once_a_pause_and_never_once_a_pass(desk: Ferry, *, known: bool) -> None:
    if known:
        desk.cross("first", MINUTE)
    change_the_locks(desk)
    tries = []
    for number in range(40):
        desk.stop()
        desk.cross(f"{number}", MINUTE)
        tries.append(len(desk.system.server.log))
    assert [number for number, asked in enumerate(tries) if asked] == [0, 5, 15, 35]
    assert max(tries) == 1


def passes(shop: Salon, spans: list[timedelta]) -> list[Report]:
    return [shop.cross(span) for span in spans]


def asked(shop: Salon) -> int:
    """How many requests the booking system got since this was last asked."""
    number = shop.sandbox.agendize.requests
    shop.sandbox.agendize.forget_requests()
    return number


def test_a_source_that_refuses_us_is_told_with_exit_77_once_a_pause_and_stays_in_what_waits(shop: Salon) -> None:
    shop.book()
    shop.cross()
    shop.sandbox.agendize.faults.add(faults.status(401), times=None)
    reports = passes(shop, [MINUTE] * 3 + [5 * MINUTE, MINUTE])
    assert [report.exit_code for report in reports] == [NotAuthorised.exit_code, 0, 0, NotAuthorised.exit_code, 0]
    assert [report.pulled["salon"]["paused"] for report in reports] == [0, 1, 1, 0, 1]
    assert [{(one.what, one.where) for one in report.attention} for report in reports] == [{("paused", SOURCE)}] * 5


def test_a_source_that_lets_us_in_again_is_well_and_its_next_pause_is_short(shop: Salon) -> None:
    shop.book()
    shop.cross()
    shop.sandbox.agendize.faults.add(faults.status(403), times=None)
    passes(shop, [MINUTE, 6 * MINUTE, 11 * MINUTE])
    shop.sandbox.agendize.faults.clear()
    shop.book(5)
    report = shop.cross(HOUR)
    assert (report.exit_code, report.attention, report.pushed["created"]) == (0, frozenset(), 1)
    shop.sandbox.agendize.faults.add(faults.status(403), times=None)
    codes = [report.exit_code for report in passes(shop, [MINUTE, 6 * MINUTE])]
    assert codes == [NotAuthorised.exit_code] * 2


def test_pauses_of_a_source_end_at_six_hours(shop: Salon) -> None:
    shop.book()
    shop.cross()
    shop.sandbox.agendize.faults.add(faults.status(401), times=None)
    passes(shop, [7 * HOUR] * 9)
    assert [report.exit_code for report in passes(shop, [5 * HOUR, HOUR + MINUTE])] == [0, NotAuthorised.exit_code]


@pytest.mark.parametrize("path", ["/appointments", "/staff"])
def test_a_source_is_asked_nothing_for_as_long_as_it_wished(shop: Salon, path: str) -> None:
    shop.book()
    shop.cross()
    shop.sandbox.agendize.faults.add(faults.status(503, retry_after=3600), times=1, match=matching(path))
    assert shop.cross(DAY).exit_code == Unavailable.exit_code
    shop.book(5)
    asked(shop)
    assert [report.exit_code for report in passes(shop, [10 * MINUTE] * 5)] == [0] * 5
    assert asked(shop) == 0
    assert shop.cross(11 * MINUTE).pushed["created"] == 1


def test_look_ups_end_where_the_booking_system_asks_us_to_wait(shop: Salon) -> None:
    gone, _control, other = shop.book(3), shop.book(4), shop.book(5)
    shop.cross()
    for one in (gone, other):
        shop.vanish(one)
    look_up = matching("/appointments/")
    shop.sandbox.agendize.faults.add(faults.status(429, retry_after=600), times=None, match=look_up)
    shop.cross(DAY)
    assert sum("/appointments/" in one.path for one in shop.sandbox.agendize.log) == 1
    shop.sandbox.agendize.faults.clear()
    assert shop.cross(MINUTE).pulled["salon"]["paused"] == 1
    assert shop.cross(10 * MINUTE).pushed["deleted"] == 2


def test_an_outage_that_wishes_nothing_is_tried_again_in_the_next_pass(shop: Salon) -> None:
    shop.book()
    shop.cross()
    shop.sandbox.agendize.faults.add(faults.status(500), times=None)
    assert [report.exit_code for report in passes(shop, [MINUTE] * 2)] == [Unavailable.exit_code] * 2
    shop.sandbox.agendize.faults.clear()
    assert shop.cross().exit_code == 0


def test_what_a_paused_source_told_before_is_still_routed(shop: Salon) -> None:
    shop.book()
    shop.cross()
    shop.sandbox.agendize.faults.add(faults.status(401), times=None)
    shop.cross()
    shop.configure(f'{shop.config.read_text(encoding="utf-8").partition("pace = 1000000")[2]}summary = "taken"\n')
    assert (shop.cross().pushed["updated"], shop.ours(ANA)[0]["summary"]) == (1, "taken")


def test_a_source_that_was_paused_for_days_raises_no_alarm_but_that(shop: Salon) -> None:
    shop.book()
    shop.cross()
    with shop.installation() as installation:
        installation.ledger.pauses.rest(Rest(what="source", name=SOURCE), shop.clock.time)
    asked(shop)
    reports = passes(shop, [DAY] * 5)
    assert [(report.exit_code, report.attention) for report in reports] == [(0, frozenset())] * 5
    assert asked(shop) == 0
    with shop.installation() as installation:
        installation.ledger.pauses.resume("source", SOURCE, shop.clock.time)
    assert shop.cross().exit_code == 0
    assert asked(shop) > 0


def test_while_a_target_rests_pulling_and_routing_go_on_and_nothing_is_lost(shop: Salon) -> None:
    first = shop.book()
    shop.cross()
    with shop.installation() as installation:
        installation.ledger.pauses.rest(Rest(what="target", name="workspace"), shop.clock.time)
    shop.book(5, staff=1)
    shop.sandbox.agendize.world.cancel(first)
    shop.sandbox.google.forget_requests()
    reports = passes(shop, [MINUTE, DAY])
    assert [report.exit_code for report in reports] == [0, 0]
    assert reports[0].pulled["salon"]["routed"] == 2
    assert shop.sandbox.google.requests == 0
    with shop.installation() as installation:
        installation.ledger.pauses.resume("target", "workspace", shop.clock.time)
    report = shop.cross()
    assert (report.pushed["created"], report.pushed["deleted"]) == (1, 1)
    assert shop.verdict().clean


def test_a_move_into_a_calendar_that_rests_leaves_the_old_one_when_that_is_resumed(shop: Salon) -> None:
    booked = shop.book()
    shop.cross()
    with shop.installation() as installation:
        installation.ledger.pauses.rest(Rest(what="calendar", name=f"google:{BEN}"), shop.clock.time)
    shop.sandbox.agendize.world.reassign(booked, shop.staff[1])
    shop.cross()
    assert (len(shop.ours(ANA)), len(shop.ours(BEN))) == (1, 0)
    with shop.installation() as installation:
        installation.ledger.pauses.resume("calendar", f"google:{BEN}", shop.clock.time)
    shop.cross()
    assert (len(shop.ours(ANA)), len(shop.ours(BEN))) == (0, 1)


def test_a_calendar_that_is_resumed_is_written_at_once_though_its_pause_was_long(shop: Salon) -> None:
    shop.sandbox.google.world.withdraw(ANA)
    shop.book()
    passes(shop, [MINUTE, 6 * MINUTE, 11 * MINUTE])
    shop.sandbox.google.world.withdraw(ANA, withdrawn=False)
    assert shop.cross().pushed["created"] == 0
    with shop.installation() as installation:
        installation.ledger.pauses.resume("calendar", f"google:{ANA}", shop.clock.time)
    assert shop.cross().pushed["created"] == 1


def test_an_event_that_was_refused_is_tried_at_once_when_its_calendar_is_resumed(shop: Salon) -> None:
    shop.sandbox.google.part_faults.add(part_status(400, "invalid"))
    shop.book()
    assert [report.pushed["created"] for report in passes(shop, [MINUTE] * 2)] == [0, 0]
    with shop.installation() as installation:
        installation.ledger.pauses.resume("calendar", f"google:{ANA}", shop.clock.time)
    assert shop.cross().pushed["created"] == 1
