"""Hints: what is named is asked for by its id, and what is held changes by nothing else than the answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from calferry.hooks import Register, register
from calferry.ports import Hooked
from calferry.sandbox import faults
from calferry.sandbox.agendize.watchers import Watchers
from calferry.sync.crossing import bring_hinted, deliver, run
from calferry.sync.heed import AT_MOST, MISSED_EVERY, PUT_OFF, TRIES
from calferry.sync.installation import Installation, Tally, Watch
from calferry.sync.pull import WISH_AGAIN
from calferry.tokens import TokenFile
from tests.crossing import Salon, salon

URL = "https://calendars.salon.example"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Salon]:
    with salon(tmp_path) as opened:
        yield opened


def hint(installation: Installation, *names: str) -> None:
    installation.ledger.nudges.nudge(installation.accounts[0].source.key, names, installation.clock.now())


def heeded(installation: Installation) -> Tally:
    """What came of the hints that are due. The calendars follow."""
    tally = bring_hinted(installation.accounts[0], installation, Watch())
    deliver(installation, Watch())
    return tally


def waiting(installation: Installation, after: timedelta = timedelta(0)) -> list[str]:
    key, now = installation.accounts[0].source.key, installation.clock.now() + after
    return [one.source_id for one in installation.ledger.nudges.due(key, now, 1000)]


def asked(shop: Salon) -> list[str]:
    """The paths of what Agendize was asked, below the company."""
    told = [one.path.partition("/companies/13772899")[2] for one in shop.sandbox.agendize.log]
    shop.sandbox.agendize.forget_requests()
    return told


@contextmanager
def crossed(shop: Salon) -> Iterator[Installation]:
    """After a first pass, with nothing asked yet."""
    shop.cross()
    asked(shop)
    with shop.installation() as opened:
        yield opened


def test_what_a_hint_names_is_asked_for_alone_and_reaches_the_calendar(shop: Salon) -> None:
    old = shop.book()
    with crossed(shop) as installation:
        new = shop.book(5)
        shop.sandbox.agendize.world.edit_notes(old, "changed")
        hint(installation, new)
        assert heeded(installation)["new"] == 1
        assert asked(shop) == [f"/appointments/{new}"]
        assert (shop.standing().total(), waiting(installation)) == (2, [])
        hint(installation, old)
        assert heeded(installation)["changed"] == 1


def test_a_flood_of_hints_about_one_appointment_is_one_question(shop: Salon) -> None:
    name = shop.book()
    with crossed(shop) as installation:
        for _ in range(50):
            hint(installation, name)
        heeded(installation)
        assert asked(shop) == [f"/appointments/{name}"]


def test_without_a_hint_nothing_is_asked(shop: Salon) -> None:
    with crossed(shop) as installation:
        heeded(installation)
        assert asked(shop) == []


def test_a_hint_that_says_nothing_true_changes_nothing(shop: Salon) -> None:
    name = shop.book()
    with crossed(shop) as installation:
        writes = shop.sandbox.google.world.writes
        hint(installation, name, "1", "no such thing", "../staff")
        heeded(installation)
        assert shop.sandbox.google.world.writes == writes
        assert shop.standing().total() == 1


def test_what_is_deleted_goes_once_a_control_is_found(shop: Salon) -> None:
    gone, control, *_ = (shop.book(3 + day) for day in range(5))
    with crossed(shop) as installation:
        shop.sandbox.agendize.world.delete(gone)
        hint(installation, gone)
        assert heeded(installation)["deleted"] == 1
        assert asked(shop) == [f"/appointments/{gone}", f"/appointments/{control}"]
        assert shop.standing().total() == 4


def test_a_not_found_without_a_control_deletes_nothing(shop: Salon) -> None:
    names = [shop.book(3 + day) for day in range(4)]
    with crossed(shop) as installation:
        shop.sandbox.agendize.faults.add(faults.status(404), match=faults.matching("/appointments/"), times=None)
        hint(installation, *names)
        assert heeded(installation)["deleted"] == 0
        assert shop.standing().total() == 4
    shop.sandbox.agendize.faults.clear()
    shop.cross(timedelta(hours=2))
    assert shop.standing().total() == 4


def test_a_hint_that_is_not_answered_waits_and_is_left_to_the_pulls_in_the_end(shop: Salon) -> None:
    shop.book()
    with crossed(shop) as installation:
        new = shop.book(5)
        shop.sandbox.agendize.faults.add(faults.status(500), match=faults.matching(f"/{new}"), times=None)
        hint(installation, new)
        for tried in range(TRIES):
            assert waiting(installation) == [new], tried
            heeded(installation)
            assert waiting(installation) == []
            shop.clock.pass_by(PUT_OFF * 2**tried)
        assert waiting(installation, timedelta(days=1)) == []
        assert len(asked(shop)) == TRIES
    shop.cross()
    assert shop.standing().total() == 2


def test_one_that_is_not_shown_yet_is_asked_for_again(shop: Salon) -> None:
    with crossed(shop) as installation:
        new = shop.book(5)
        shop.sandbox.agendize.faults.add(faults.status(404), match=faults.matching(f"/{new}"))
        hint(installation, new)
        heeded(installation)
        assert shop.standing().total() == 0
        shop.clock.pass_by(PUT_OFF)
        heeded(installation)
        assert shop.standing().total() == 1


def test_a_refused_look_up_pauses_no_account(shop: Salon) -> None:
    names = [shop.book(3 + day) for day in range(4)]
    with crossed(shop) as installation:
        shop.sandbox.agendize.faults.add(faults.status(403), match=faults.matching("/appointments/"), times=None)
        hint(installation, *names)
        heeded(installation)
        key = installation.accounts[0].source.key
        assert not installation.ledger.intake.is_paused(key, installation.clock.now())


def test_a_paused_account_is_asked_nothing_and_its_hints_stay(shop: Salon) -> None:
    name = shop.book()
    with crossed(shop) as installation:
        until = installation.clock.now() + timedelta(hours=1)
        installation.ledger.intake.pause(installation.accounts[0].source.key, "closed", until)
        hint(installation, name)
        heeded(installation)
        assert (asked(shop), waiting(installation)) == ([], [name])


def test_no_more_is_asked_for_at_a_time_than_is_bearable(shop: Salon) -> None:
    with crossed(shop) as installation:
        hint(installation, *(str(number) for number in range(AT_MOST + 30)))
        heeded(installation)
        assert len(waiting(installation)) == 30


def test_a_pull_ends_the_wish_for_one_that_was_there_when_it_began(shop: Salon) -> None:
    with crossed(shop) as installation:
        hint(installation, "")
        key = installation.accounts[0].source.key
        assert installation.ledger.nudges.wishes(key)
        shop.cross()
        assert not installation.ledger.nudges.wishes(key)


def test_a_wish_for_a_pull_that_fails_in_an_unforeseen_way_is_no_storm(
    shop: Salon, monkeypatch: pytest.MonkeyPatch
) -> None:
    with crossed(shop) as installation:
        hint(installation, "")
        nudges, source = installation.ledger.nudges, installation.accounts[0].source
        monkeypatch.setattr(type(source), "changes", lambda *_: 1 / 0)
        run(installation, Watch())
        now = installation.clock.now()
        assert (nudges.nudged(now), nudges.nudged(now + WISH_AGAIN)) == ([], [(source.key, True)])


# ── calls that got lost ───────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def hooked(shop: Salon) -> Iterator[tuple[Installation, Watchers]]:
    kept = Register(TokenFile(shop.home / "hooks.salon"))
    with crossed(shop) as installation:
        (account,) = installation.accounts
        assert isinstance(account.source, Hooked)
        register(account.source, kept, URL)
        asked(shop)
        watchers = shop.sandbox.agendize.watchers
        yield replace(installation, accounts=(replace(account, hook=kept.hook),)), watchers


def test_calls_that_got_lost_are_found_in_the_book_of_them(shop: Salon) -> None:
    with hooked(shop) as (installation, watchers):
        new = shop.book(5)
        watchers.switches.delivery = "lost"
        watchers.deliver()
        heeded(installation)
        assert shop.standing().total() == 1
        assert asked(shop)[1:] == [f"/appointments/{new}"]
        shop.book(6)
        watchers.deliver()
        heeded(installation)
        assert asked(shop) == []  # the book is looked into from time to time alone
        shop.clock.pass_by(MISSED_EVERY)
        heeded(installation)
        assert shop.standing().total() == 2


@pytest.mark.parametrize("status", [404, 403, 500])
def test_where_there_is_no_book_everything_else_goes_on(shop: Salon, status: int) -> None:
    with hooked(shop) as (installation, watchers):
        if status == 404:
            watchers.switches.requests = "missing"
        else:
            shop.sandbox.agendize.faults.add(faults.status(status), match=faults.matching("/requests"), times=None)
        new = shop.book(5)
        hint(installation, new)
        assert len(heeded(installation).errors) == (status != 404)
        assert shop.standing().total() == 1
