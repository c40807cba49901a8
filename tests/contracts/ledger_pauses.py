"""What every ledger must keep: pauses of sources and calendars, and what a person lets rest."""

from __future__ import annotations

from datetime import timedelta

from calferry.errors import Refused, Unavailable
from calferry.ports import Ledger, Rest
from tests.builders import ACCOUNT, NOW, event
from tests.contracts.ledger_steps import (
    CALENDAR,
    HOUR,
    LATER,
    OTHER,
    OTHER_PLACE,
    SECOND,
    due,
    fail,
    intent,
    settle,
    uid,
    want,
)

DAY = timedelta(days=1)
BOTH = [(CALENDAR, "workspace"), (OTHER, "workspace")]


def want_elsewhere(ledger: Ledger, source_id: str = "9") -> None:
    settle(ledger, {OTHER_PLACE: event(uid(source_id))}, source_id)


class PausesContract:
    def test_a_paused_source_is_asked_nothing_until_then_and_a_person_is_told(self, ledger: Ledger) -> None:
        assert not ledger.intake.is_paused(ACCOUNT, NOW)
        ledger.intake.pause(ACCOUNT, "wrong password", LATER)
        assert ledger.intake.is_paused(ACCOUNT, LATER - SECOND)
        assert not ledger.intake.is_paused(ACCOUNT, LATER)
        assert not ledger.intake.is_paused("agendize:another account", NOW)
        told = [(one.what, one.where, one.reason) for one in ledger.attention(NOW)]
        assert told == [("paused", ACCOUNT, "wrong password")]
        assert ledger.attention(LATER) == frozenset()

    def test_a_pause_that_a_clock_ahead_has_set_is_none(self, ledger: Ledger) -> None:
        ledger.intake.pause(ACCOUNT, "wrong password", NOW + DAY + SECOND)
        assert not ledger.intake.is_paused(ACCOUNT, NOW)
        assert ledger.attention(NOW) == frozenset()
        assert ledger.intake.is_paused(ACCOUNT, NOW + SECOND)

    def test_pauses_of_a_source_are_counted_until_it_answers(self, ledger: Ledger) -> None:
        assert ledger.intake.pauses(ACCOUNT) == 0
        for _ in range(2):
            ledger.intake.pause(ACCOUNT, "wrong password", LATER)
        assert ledger.intake.pauses(ACCOUNT) == 2
        ledger.intake.welcome(ACCOUNT)
        assert ledger.intake.pauses(ACCOUNT) == 0
        assert not ledger.intake.is_paused(ACCOUNT, NOW)

    def test_a_source_rests_until_it_is_resumed_and_nobody_is_alarmed(self, ledger: Ledger) -> None:
        rest = Rest(what="source", name=ACCOUNT, reason="they move house")
        ledger.pauses.rest(rest, NOW)
        assert ledger.intake.is_paused(ACCOUNT, NOW + 365 * DAY)
        assert (ledger.pauses.rests(NOW), ledger.attention(NOW)) == ([rest], frozenset())
        assert ledger.pauses.resume("source", ACCOUNT, NOW)
        assert not ledger.intake.is_paused(ACCOUNT, NOW)
        assert ledger.pauses.rests(NOW) == []
        assert not ledger.pauses.resume("source", ACCOUNT, NOW)

    def test_a_rest_with_an_end_is_over_then_and_another_one_takes_its_place(self, ledger: Ledger) -> None:
        ledger.pauses.rest(Rest(what="source", name=ACCOUNT), NOW)
        short = Rest(what="source", name=ACCOUNT, until=LATER)
        ledger.pauses.rest(short, NOW)
        assert ledger.pauses.rests(LATER - SECOND) == [short]
        assert ledger.pauses.rests(LATER) == []
        assert not ledger.intake.is_paused(ACCOUNT, LATER)

    def test_a_calendar_rests_alone_and_a_target_with_all_of_its_calendars(self, ledger: Ledger) -> None:
        want(ledger)
        want_elsewhere(ledger)
        ledger.pauses.rest(Rest(what="calendar", name=CALENDAR, until=LATER), NOW)
        assert ledger.outbox.due_calendars(NOW) == BOTH[1:]
        assert ledger.outbox.due_calendars(LATER) == BOTH
        ledger.pauses.rest(Rest(what="target", name="workspace"), NOW)
        assert ledger.outbox.due_calendars(LATER) == []
        assert ledger.pauses.resume("target", "workspace", NOW)
        assert ledger.outbox.due_calendars(NOW) == BOTH[1:]
        assert ledger.pauses.resume("calendar", CALENDAR, NOW)
        assert ledger.outbox.due_calendars(NOW) == BOTH

    def test_a_calendar_that_first_appears_while_its_target_rests_rests_too(self, ledger: Ledger) -> None:
        ledger.pauses.rest(Rest(what="target", name="workspace"), NOW)
        want(ledger)
        assert ledger.outbox.due_calendars(NOW + 30 * DAY) == []
        assert [one.uid for one in due(ledger)] == [uid()]
        settle(ledger, {(CALENDAR, "another", "staff"): event(uid())})
        assert ledger.outbox.due_calendars(NOW) == [(CALENDAR, "another")]

    def test_what_is_resumed_is_due_at_once_whatever_was_set_aside_there(self, ledger: Ledger) -> None:
        refused, unanswered = want(ledger, "1"), want(ledger, "2")
        ledger.outbox.intend([intent(refused), intent(unanswered)], NOW)
        for _ in range(3):
            fail(ledger, Unavailable(), source_id="2")
        fail(ledger, Refused("too long"))
        ledger.outbox.pause(CALENDAR, "closed", NOW + 6 * HOUR)
        assert (due(ledger), ledger.outbox.unsettled(CALENDAR, NOW)) == ([], [])
        assert ledger.pauses.resume("calendar", CALENDAR, NOW)
        assert ledger.outbox.due_calendars(NOW) == [(CALENDAR, "workspace")]
        assert [one.wanted for one in due(ledger)] == [refused]
        assert ledger.outbox.unsettled(CALENDAR, NOW) == [intent(unanswered)]
        assert ledger.outbox.pauses(CALENDAR) == 0

    def test_resuming_a_target_or_a_source_ends_the_pauses_that_calferry_made(self, ledger: Ledger) -> None:
        want(ledger)
        ledger.outbox.pause(CALENDAR, "closed", LATER)
        ledger.intake.pause(ACCOUNT, "wrong password", LATER)
        assert not ledger.pauses.resume("target", "another", NOW)
        assert ledger.pauses.resume("target", "workspace", NOW)
        assert ledger.pauses.resume("source", ACCOUNT, NOW)
        assert ledger.attention(NOW) == frozenset()
        assert ledger.outbox.due_calendars(NOW) == BOTH[:1]
        assert ledger.intake.pauses(ACCOUNT) == 0

    def test_the_calendars_are_known_with_their_targets(self, ledger: Ledger) -> None:
        want(ledger)
        want_elsewhere(ledger)
        assert ledger.pauses.calendars() == dict(BOTH)
