"""What a target across a network must keep besides: others write to its calendars, and its service answers at will.

Subclass `NetworkContract` beside `TargetContract`; its `remote` is a `NetworkRemote`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest

from calferry.errors import CalferryError, Conflict, NotAuthorised, Refused, Unavailable
from calferry.model import Action, Change, Failure, Receipt, Status
from calferry.ports import Target
from tests.builders import event
from tests.contracts.target import Remote, create, delete, failed, filed, push, update


class NetworkRemote(Remote, Protocol):
    """The far side of a network. Calendars are keys, events hrefs."""

    def add_foreign(self, calendar: str) -> None: ...

    def foreign_touched(self) -> bool: ...

    def user_deletes(self, calendar: str, href: str) -> None: ...

    def user_copies(self, calendar: str, href: str) -> None:
        """The user duplicates one of our events by hand: the copy carries our mark too."""
        ...

    def close(self, calendar: str) -> None:
        """Nobody may see the calendar any more: 404 to everything."""
        ...

    def refuse(self, status: int, uid: str = "") -> None:
        """Answer changes (those about `uid`, where given) with this status, until `recover`."""
        ...

    def mails(self) -> int:
        """How many times somebody was, or may have been, written to."""
        ...


class NetworkContract:
    def test_events_of_others_are_left_alone(self, target: Target, remote: NetworkRemote, calendar: str) -> None:
        remote.add_foreign(calendar)
        held = filed(push(target, create(target, calendar, event())))
        held = filed(push(target, update(target, held, event(summary="Later"))))
        filed(push(target, delete(held)))
        assert list(target.ours(calendar)) == []
        assert not remote.foreign_touched()

    def test_an_identity_deleted_by_hand_comes_alive_again_or_is_used_up(
        self, target: Target, remote: NetworkRemote, calendar: str
    ) -> None:
        change = create(target, calendar, event())
        held = filed(push(target, change))
        remote.user_deletes(calendar, held.href)
        (outcome,) = push(target, change)
        if isinstance(outcome, Failure):
            assert isinstance(outcome.error, Conflict)
            filed(push(target, create(target, calendar, event(), generation=1)))
        assert remote.shown(calendar) == [change.event]

    def test_an_update_of_what_was_deleted_by_hand_restores_it_or_conflicts(
        self, target: Target, remote: NetworkRemote, calendar: str
    ) -> None:
        held = filed(push(target, create(target, calendar, event())))
        remote.user_deletes(calendar, held.href)
        (outcome,) = push(target, update(target, held, event(summary="Later")))
        if isinstance(outcome, Failure):
            assert isinstance(outcome.error, Conflict)
        else:
            assert remote.shown(calendar) == [target.fit(event(summary="Later"))]

    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            (400, Refused),
            (401, NotAuthorised),
            (403, NotAuthorised),
            (412, Unavailable),
            (413, Refused),
            (422, Refused),
            (429, Unavailable),
            (500, Unavailable),
            (502, Unavailable),
            (503, Unavailable),
            (504, Unavailable),
        ],
    )
    @pytest.mark.parametrize("action", Action)
    def test_a_status_is_an_error_of_its_class(
        self,
        target: Target,
        remote: NetworkRemote,
        calendar: str,
        action: Action,
        status: int,
        expected: type[CalferryError],
    ) -> None:
        """None of them is a Conflict: no status alone proves that nothing of ours stands there."""
        held = filed(push(target, create(target, calendar, event())))
        change: Change = create(target, calendar, event("u2"))
        if action is not Action.CREATE:
            change = delete(held) if action is Action.DELETE else update(target, held, event(summary="Later"))
        remote.refuse(status)
        assert type(failed(push(target, change))) is expected

    def test_a_calendar_that_is_closed_is_named_and_nothing_counts_as_done(
        self, target: Target, remote: NetworkRemote, calendar: str
    ) -> None:
        held = filed(push(target, create(target, calendar, event())))
        remote.close(calendar)
        for change in (create(target, calendar, event("u2")), update(target, held, event(summary="x")), delete(held)):
            error = failed(push(target, change))
            assert isinstance(error, NotAuthorised)
            assert error.calendar == calendar
        with pytest.raises(NotAuthorised):
            list(target.ours(calendar))

    def test_a_survey_finds_ours_and_only_ours(self, target: Target, remote: NetworkRemote, calendar: str) -> None:
        remote.add_foreign(calendar)
        changes = [create(target, calendar, event(f"u{n}"), generation=n) for n in range(3)]
        receipts = [filed(push(target, change)) for change in changes]
        remote.user_copies(calendar, receipts[0].href)
        remote.user_deletes(calendar, receipts[2].href)
        found = sorted(target.ours(calendar), key=lambda marked: marked.mark.uid)
        assert [(one.mark, one.href, one.etag) for one in found] == [
            (change.mark, held.href, held.etag) for change, held in zip(changes[:2], receipts[:2], strict=True)
        ]

    def test_one_refused_part_does_not_stop_the_others(
        self, target: Target, remote: NetworkRemote, calendar: str
    ) -> None:
        remote.refuse(400, uid="u1")
        outcomes = push(target, *(create(target, calendar, event(f"u{n}")) for n in range(3)))
        assert {outcome.uid: isinstance(outcome, Receipt) for outcome in outcomes} == {
            "u0": True,
            "u1": False,
            "u2": True,
        }

    def test_nobody_gets_mail(self, target: Target, remote: NetworkRemote, calendar: str) -> None:
        soon = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=20)
        held = filed(push(target, create(target, calendar, event(start=soon))))
        held = filed(push(target, update(target, held, event(start=soon, summary="Later"))))
        filed(push(target, update(target, held, replace(event(start=soon), status=Status.CANCELLED))))
        filed(push(target, delete(held)))
        assert remote.mails() == 0
