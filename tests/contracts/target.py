"""What every target must keep. Subclass `TargetContract` and give it `target`, `remote` and `calendar`.

What only a target across a network must keep is in `target_network`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

import pytest

from calferry.errors import CalferryError, Unavailable
from calferry.model import (
    Action,
    Change,
    Classification,
    Create,
    Delete,
    Event,
    Failure,
    Intent,
    Outcome,
    Receipt,
    Removal,
    Status,
    Transparency,
    Update,
    Why,
)
from calferry.ports import Target
from tests.builders import event, mark

MONTREAL = ZoneInfo("America/Toronto")
SPRING, AUTUMN = datetime(2027, 3, 14, tzinfo=MONTREAL), datetime(2026, 11, 1, tzinfo=MONTREAL)

AWKWARD = {
    "accents": event(summary="Épilation à l'œil — Zoë", location="Café, 3 rue de l'Été"),
    "decomposed accents": event(summary="e\u0301pilation"),
    "emoji": event(summary="👩‍⚕️ Massage 💆🏽‍♀️"),
    "right to left": event(summary="שלום רופא", description="موعد"),
    "newlines": event(description="first\r\nsecond\rthird\n\tfourth"),
    "control characters": event(summary="a\x00b\x07c", description="\x1b[31mred\x9f"),
    "markup": event(summary="<b>bold</b> & co", description='<b>x</b> &amp; <script>alert("1")</script>'),
    "long": event(summary="s" * 5000, description="<é>" * 5000, location="l" * 5000),
    "empty": event(summary=""),
    "the hour that does not exist": event(start=SPRING.replace(hour=2, minute=30), end=SPRING.replace(hour=4)),
    "the hour that comes twice": event(
        start=AUTUMN.replace(hour=1, minute=30), end=AUTUMN.replace(hour=1, minute=30, fold=1)
    ),
    "zero length": event(end=event().start),
    "seconds and less": event(
        start=datetime(2026, 12, 3, 9, 0, 1, 999, UTC), end=datetime(2026, 12, 3, 10, 0, 2, 5, UTC)
    ),
    "an alias of a zone": event(start=datetime(2026, 12, 3, 9, tzinfo=ZoneInfo("US/Eastern"))),
    "a link": event(url="https://book.example/a?b=c&d=é"),
    "a link that is none": event(url="javascript:alert(1)"),
    "tentative, free, confidential": event(
        status=Status.TENTATIVE, transparency=Transparency.TRANSPARENT, classification=Classification.CONFIDENTIAL
    ),
    "cancelled": event(status=Status.CANCELLED),
    "categories": event(categories=("red", "blue")),
    "a colour": event(color="teal"),
}


class Remote(Protocol):
    """The far side, as far as a suite must reach into it. Calendars are keys."""

    def shown(self, calendar: str) -> list[Event]:
        """The live events with our mark, in our words."""
        ...

    def lose_replies(self) -> None:
        """Carry everything out, and hang up before answering, until `recover`."""
        ...

    def recover(self) -> None: ...


def create(target: Target, calendar: str, wanted: Event, generation: int = 0) -> Create:
    fitted = target.fit(wanted)
    return Create(calendar=calendar, event=fitted, mark=mark(fitted.uid, fitted.fingerprint, generation))


def update(target: Target, held: Receipt, wanted: Event) -> Update:
    fitted = target.fit(wanted)
    return Update(calendar=held.calendar, event=fitted, mark=mark(fitted.uid, fitted.fingerprint), receipt=held)


def delete(held: Receipt) -> Delete:
    removal = Removal(why=Why.CANCELLED, evidence="status: cancelled")
    return Delete(calendar=held.calendar, receipt=held, mark=mark(held.uid, held.fingerprint), removal=removal)


def intent(target: Target, change: Change) -> Intent:
    actions = {Create: Action.CREATE, Update: Action.UPDATE, Delete: Action.DELETE}
    return Intent(
        calendar=change.calendar,
        uid=change.uid,
        target=target.name,
        generation=change.mark.generation,
        action=actions[type(change)],
        fingerprint="" if isinstance(change, Delete) else change.event.fingerprint,
        request=target.encode(change),
    )


def push(target: Target, *changes: Change) -> list[Outcome]:
    return list(target.apply([intent(target, change) for change in changes]))


def filed(outcomes: list[Outcome]) -> Receipt:
    """The one receipt, of a change that must have gone well."""
    (outcome,) = outcomes
    assert isinstance(outcome, Receipt), outcome
    return outcome


def failed(outcomes: list[Outcome]) -> CalferryError:
    """The one error, of a change that must have gone wrong."""
    (outcome,) = outcomes
    assert isinstance(outcome, Failure), outcome
    return outcome.error


class TargetContract:
    @pytest.fixture
    def target(self) -> Target:
        raise NotImplementedError

    @pytest.fixture
    def remote(self) -> Remote:
        raise NotImplementedError

    @pytest.fixture
    def calendar(self) -> str:
        """The key of a calendar that may be written."""
        raise NotImplementedError

    def test_a_receipt_carries_the_fingerprint_of_what_was_fitted(
        self, target: Target, remote: Remote, calendar: str
    ) -> None:
        held = filed(push(target, create(target, calendar, event(summary="a\x00b"))))
        assert held.calendar == calendar
        assert held.fingerprint == target.fit(event(summary="ab")).fingerprint
        assert held.href
        assert held.etag

    def test_an_event_created_twice_is_there_once(self, target: Target, remote: Remote, calendar: str) -> None:
        change = create(target, calendar, event())
        first, second = filed(push(target, change)), filed(push(target, change))
        assert first.href == second.href
        assert remote.shown(calendar) == [change.event]

    def test_an_update_done_twice_is_done_once(self, target: Target, remote: Remote, calendar: str) -> None:
        change = update(target, filed(push(target, create(target, calendar, event()))), event(summary="Later"))
        assert filed(push(target, change)).fingerprint == filed(push(target, change)).fingerprint
        assert remote.shown(calendar) == [change.event]

    def test_deleting_what_was_deleted_is_quiet(self, target: Target, remote: Remote, calendar: str) -> None:
        change = delete(filed(push(target, create(target, calendar, event()))))
        assert filed(push(target, change)).fingerprint == ""
        assert filed(push(target, change)).fingerprint == ""
        assert remote.shown(calendar) == []

    @pytest.mark.parametrize("name", AWKWARD)
    def test_fitting_twice_is_fitting_once(self, target: Target, name: str) -> None:
        fitted = target.fit(AWKWARD[name])
        assert target.fit(fitted) == fitted
        assert target.fit(fitted).fingerprint == fitted.fingerprint

    @pytest.mark.parametrize("name", AWKWARD)
    def test_what_the_calendar_shows_is_what_was_fitted(
        self, target: Target, remote: Remote, calendar: str, name: str
    ) -> None:
        change = create(target, calendar, AWKWARD[name])
        filed(push(target, change))
        (shown,) = remote.shown(calendar)
        assert shown == change.event
        assert shown.fingerprint == change.event.fingerprint

    def test_what_was_taken_away_is_cleared(self, target: Target, remote: Remote, calendar: str) -> None:
        full = event(description="d", location="l", url="https://book.example/1", status=Status.TENTATIVE)
        held = filed(push(target, create(target, calendar, full)))
        filed(push(target, update(target, held, event())))
        assert remote.shown(calendar) == [target.fit(event())]

    def test_a_lost_reply_then_a_replay_make_one_event(self, target: Target, remote: Remote, calendar: str) -> None:
        change = create(target, calendar, event())
        remote.lose_replies()
        assert isinstance(failed(push(target, change)), Unavailable)
        remote.recover()
        filed(push(target, change))
        assert remote.shown(calendar) == [change.event]

    def test_lost_replies_to_an_update_and_a_deletion_are_made_up_for(
        self, target: Target, remote: Remote, calendar: str
    ) -> None:
        held = filed(push(target, create(target, calendar, event())))
        for change in (update(target, held, event(summary="Later")), delete(held)):
            remote.lose_replies()
            assert isinstance(failed(push(target, change)), Unavailable)
            remote.recover()
            filed(push(target, change))
        assert remote.shown(calendar) == []

    def test_a_survey_finds_each_event_that_stands_once(self, target: Target, remote: Remote, calendar: str) -> None:
        changes = [create(target, calendar, event(f"u{n}"), generation=n) for n in range(3)]
        receipts = [filed(push(target, change)) for change in changes]
        filed(push(target, delete(receipts[2])))
        found = sorted(target.ours(calendar), key=lambda marked: marked.mark.uid)
        assert [(one.mark, one.href, one.etag) for one in found] == [
            (change.mark, held.href, held.etag) for change, held in zip(changes[:2], receipts[:2], strict=True)
        ]

    def test_a_survey_without_an_answer_is_not_an_empty_survey(
        self, target: Target, remote: Remote, calendar: str
    ) -> None:
        filed(push(target, create(target, calendar, event())))
        remote.lose_replies()
        with pytest.raises(Unavailable):
            list(target.ours(calendar))

    def test_encoding_is_deterministic(self, target: Target, calendar: str) -> None:
        for wanted in AWKWARD.values():
            assert target.encode(create(target, calendar, wanted)) == target.encode(create(target, calendar, wanted))

    def test_more_changes_than_a_batch_holds_are_all_carried_out(
        self, target: Target, remote: Remote, calendar: str
    ) -> None:
        changes = [create(target, calendar, event(f"u{n}")) for n in range(2 * target.batch + 1)]
        outcomes = push(target, *changes)
        assert [outcome.uid for outcome in outcomes if isinstance(outcome, Receipt)] == [one.uid for one in changes]
        assert len(remote.shown(calendar)) == len(changes)

    def test_the_name_of_a_calendar_does_not_depend_on_how_it_is_written(self, target: Target, calendar: str) -> None:
        identity = calendar.removeprefix(f"{target.kind}:")
        assert target.canonical(identity) == calendar
        assert target.canonical(f" {identity} ") == calendar

    def test_the_basis_is_the_same_text_every_time_and_tells_no_secret(self, target: Target) -> None:
        assert target.basis == target.basis
        assert len(target.basis) < 1000
        assert "PRIVATE KEY" not in target.basis
