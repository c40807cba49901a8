"""What is missing is asked for by its id, whatever else goes wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from calferry.errors import PARKED
from calferry.model import uid_of
from calferry.sandbox import Request, Response, faults
from calferry.sandbox.faults import Fault, Perform
from calferry.store import SqlLedger
from calferry.store.story import stories
from calferry.sync.crossing import run
from calferry.sync.installation import Stopped, Watch
from calferry.sync.pull import STILL_OPEN
from tests.crossing import COMPANY, Salon, salon

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Salon]:
    with salon(tmp_path) as opened:
        yield opened


def booked(shop: Salon) -> list[str]:
    """Ten of Ana's, all in her calendar."""
    ids = [shop.book(3 + day) for day in range(10)]
    shop.cross()
    return ids


def with_stub(appointment: str) -> Fault:
    """A listing in which nothing but the id is left of it."""

    def effect(perform: Perform) -> Response:
        answer = perform()
        listing = json.loads(answer.body)
        listing["items"].append({"id": appointment})
        return replace(answer, body=json.dumps(listing).encode())

    return Fault("a stub", effect)


@pytest.mark.parametrize("status", [401, 403, 405, 409, 500])
def test_one_that_nobody_may_see_keeps_no_other_from_being_asked_for(shop: Salon, status: int) -> None:
    closed, gone, *_ = booked(shop)
    for one in (closed, gone):
        shop.vanish(one)
    path = f"/appointments/{closed}"
    shop.sandbox.agendize.faults.add(faults.status(status), match=lambda asked: asked.path.endswith(path), times=None)
    for _ in range(3):
        shop.cross(DAY)
    assert shop.standing().total() == 9


def test_a_row_of_which_only_its_id_is_left_is_gone_once_it_is_not_found(shop: Salon) -> None:
    """Such a row is listed, so no listing makes it unlisted; and it cannot be read."""
    stub, *_ = booked(shop)
    shop.vanish(stub)
    shop.sandbox.agendize.faults.add(
        with_stub(stub), match=lambda asked: asked.path.endswith("/appointments"), times=None
    )
    for _ in range(3):
        shop.cross(DAY)
    assert shop.standing().total() == 9


def test_a_month_that_cannot_be_listed_keeps_nothing_from_being_asked_for(shop: Salon) -> None:
    gone, *_ = booked(shop)
    shop.vanish(gone)

    def of_december(asked: Request) -> bool:
        return asked.query.get("startDate", ("",))[0].startswith("2026-11-30")

    shop.sandbox.agendize.faults.add(faults.status(500), match=of_december, times=None)
    for _ in range(3):
        shop.cross(DAY)
    assert shop.standing().total() == 9


FEEDS = """
[targets.web]
kind = "ical"
secret = { file = "secret" }

[routes.feeds]
source = "salon"
target = "web"
calendar = "{owner.key}"
"""


def stocked(shop: Salon, number: int) -> list[str]:
    """So many appointments within the next two weeks, a third of them for each of the staff, in their feeds: those are
    the quickest to fill."""
    (shop.home / "secret").write_text("5" * 64, encoding="utf-8")
    shop.configure(FEEDS)
    ids = [shop.book(1 + one % 12, 8 + one % 10, staff=one % 3) for one in range(number)]
    shop.cross()
    assert len(shown(shop)) == number
    return ids


def shown(shop: Salon) -> set[str]:
    """The ids of all appointments that stand in a feed."""
    uids = {uid_of("salon", f"agendize:{COMPANY}", one): one for one in shop.sandbox.agendize.world.appointments}
    with shop.installation() as installation:
        standing = [mark.uid for one in shop.staff for mark, _ in installation.shelf.standing(f"ical:{one}")]
    return {uids[uid] for uid in standing}


def looked_up(shop: Salon) -> list[str]:
    """The ids that were asked for one by one since this was last asked, controls among them."""
    asked = [one.path.rsplit("/", 1)[-1] for one in shop.sandbox.agendize.log if "/appointments/" in one.path]
    shop.sandbox.agendize.forget_requests()
    return asked


def test_thirteen_hundred_that_vanish_at_once_are_asked_for_pass_by_pass_and_then_parked_together(shop: Salon) -> None:
    vanished = set(stocked(shop, 3_000)[:1_300])
    for one in vanished:
        shop.vanish(one)
    shop.sandbox.agendize.forget_requests()
    reports, asked = [], []
    for span in (DAY, *[timedelta(minutes=5)] * 4):
        reports.append(shop.cross(span))
        asked.append(looked_up(shop))
    assert [report.pulled["salon"][STILL_OPEN] for report in reports] == [800, 300, 0, 0, 0]
    assert [report.pulled["salon"]["deleted"] for report in reports] == [0, 0, 1_300, 0, 0]
    assert [report.exit_code for report in reports] == [0, 0, PARKED, 0, 0]
    assert [len(one) for one in asked] == [1_000, 1_000, 600, 0, 0]
    parked = {one.id for one in reports[-1].attention}
    assert parked == {uid_of("salon", f"agendize:{COMPANY}", one) for one in vanished}
    assert len(shown(shop)) == 3_000


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten look-ups a pass."""
    monkeypatch.setattr("calferry.sync.pull.LOOK_UPS", 10)


def test_as_many_as_the_brakes_let_pass_are_deleted_once_all_of_them_were_asked_for(shop: Salon, slow: None) -> None:
    vanished = stocked(shop, 150)[:24]
    for one in vanished:
        shop.vanish(one)
    reports = [shop.cross(span) for span in (DAY, MINUTE, MINUTE)]
    assert [report.pushed["deleted"] for report in reports] == [0, 0, 24]
    assert [report.exit_code for report in reports] == [0, 0, 0]
    assert not shown(shop) & set(vanished)


def test_what_was_found_out_more_than_an_hour_ago_is_asked_anew_before_it_counts(shop: Salon, slow: None) -> None:
    vanished = stocked(shop, 150)[:14]
    for one in vanished:
        shop.vanish(one)
    shop.cross(DAY)
    first = set(looked_up(shop)) & set(vanished)
    assert len(first) == 10
    back = min(first)
    row = shop.sandbox.agendize.world.appointments[back]
    shop.sandbox.agendize.world.appointments[back] = replace(row, company=COMPANY, deleted=None)
    shop.clock.pass_by(2 * HOUR)
    reports = [shop.cross(MINUTE) for _ in range(2)]
    assert set(looked_up(shop)) >= set(vanished) - {back}
    assert [report.pushed["deleted"] for report in reports] == [0, 13]
    assert (len(shown(shop)), shown(shop) & set(vanished)) == (137, {back})


def test_however_seldom_it_is_asked_all_that_is_missing_is_asked_for_some_day(shop: Salon, slow: None) -> None:
    """Each pass comes when what the one before it found out is too old; what was proven twice is not."""
    vanished = stocked(shop, 200)[:35]
    for one in vanished:
        shop.vanish(one)
    reports = [shop.cross(3 * HOUR) for _ in range(10)]
    assert sum(report.pushed["deleted"] for report in reports) == 35
    assert not shown(shop) & set(vanished)


def test_a_listing_that_more_is_missing_from_than_a_pass_asks_for_is_disbelieved_too(shop: Salon, slow: None) -> None:
    stocked(shop, 60)
    shop.sandbox.agendize.faults.add(
        faults.empty(), times=None, match=lambda asked: asked.path.endswith("/appointments")
    )
    shop.sandbox.agendize.forget_requests()
    report = shop.cross(DAY)
    assert (report.pulled["salon"]["listings disbelieved"], report.exit_code) == (1, 0)
    assert len(looked_up(shop)) == 3
    assert shop.cross().pulled["salon"][STILL_OPEN] == 0


def test_a_pass_that_is_stopped_while_it_asks_keeps_what_it_found_out(shop: Salon) -> None:
    vanished = stocked(shop, 60)[:12]
    for one in vanished:
        shop.vanish(one)
    shop.clock.pass_by(DAY)
    shop.sandbox.agendize.forget_requests()
    last = f"/appointments/{vanished[0]}"
    enough = Watch(stopping=lambda: any(one.path.endswith(last) for one in shop.sandbox.agendize.log))
    with shop.installation() as installation, pytest.raises(Stopped):
        run(installation, enough)
    before = {one for one in looked_up(shop) if one in vanished}
    assert before
    assert shop.cross().pulled["salon"]["deleted"] == 12
    assert not before & set(looked_up(shop))


def test_explain_tells_what_was_asked_what_was_answered_and_with_which_control(shop: Salon) -> None:
    gone, *_ = booked(shop)
    shop.vanish(gone)
    shop.cross(DAY)
    with shop.installation() as installation:
        assert isinstance(installation.ledger, SqlLedger)
        (story,) = stories(installation.ledger, gone)
    (asked,) = [one.detail for one in story.journal if one.what == "asked for"]
    assert re.search(r"^not found: .*404.*; control \d+ was found$", asked)
    assert asked.removeprefix("not found: ") == story.deletion
