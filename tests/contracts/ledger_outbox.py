"""What every ledger must keep: the side that `push` sees."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest

from calferry.errors import CalferryError, Conflict, NotAuthorised, Refused, Unavailable
from calferry.model import (
    Action,
    Marked,
    Quarantined,
    Receipt,
)
from calferry.ports import Attention, HeldBack, Ledger
from tests.builders import ACCOUNT, NOW, appointment, batch, event, mark, receipt
from tests.contracts.ledger_steps import (
    CALENDAR,
    GONE,
    HOUR,
    LATER,
    MOVED,
    OTHER,
    OTHER_PLACE,
    PLACE,
    SECOND,
    WEAK,
    due,
    erase,
    fail,
    held,
    intent,
    removed,
    settle,
    uid,
    want,
    write,
)

MINUTE = timedelta(minutes=1)


class OutboxContract:
    def test_what_stands_aside_is_not_due_until_its_appointment_is_looked_at_again(self, ledger: Ledger) -> None:
        wanted = want(ledger)
        ledger.outbox.stand_aside(CALENDAR, [uid()], "another hand", NOW)
        assert due(ledger) == []
        assert ledger.outbox.due_calendars(NOW) == []
        assert not ledger.attention(NOW)
        settle(ledger, {PLACE: wanted})
        assert [one.wanted for one in due(ledger)] == [wanted]

    def test_what_stands_aside_is_due_a_day_later_while_it_has_not_ended(self, ledger: Ledger) -> None:
        want(ledger)
        want(ledger, "2", start=NOW - 2 * HOUR)
        ledger.outbox.stand_aside(CALENDAR, [uid(), uid("2")], "another hand", NOW)
        assert due(ledger, NOW + 23 * HOUR) == []
        assert [one.uid for one in due(ledger, NOW + 24 * HOUR)] == [uid()]

    def test_what_a_calendar_holds_or_may_hold_or_gets_from_another_is_not_unwritten_there(
        self, ledger: Ledger
    ) -> None:
        write(ledger, want(ledger, "1"))
        ledger.outbox.intend([intent(want(ledger, "2"))], NOW)
        want(ledger, "3")
        every = [uid(name) for name in ("1", "2", "3", "4")]
        assert set(ledger.outbox.unwritten(CALENDAR, every)) == {uid("3"), uid("4")}
        assert set(ledger.outbox.unwritten(OTHER, every)) == set(every)
        settle(ledger, {PLACE: MOVED, OTHER_PLACE: event(uid("1"))})
        assert set(ledger.outbox.unwritten(OTHER, every)) == {uid("2"), uid("3"), uid("4")}

    def test_where_another_hand_wrote_what_is_not_written_yet_is_remembered_though_nothing_shows_it(
        self, ledger: Ledger
    ) -> None:
        want(ledger)
        want(ledger, elsewhere="theirs")
        (place,) = due(ledger)
        assert getattr(place.wanted, "elsewhere", "") == "theirs"

    def test_what_is_written_as_wanted_is_not_due(self, ledger: Ledger) -> None:
        wanted = want(ledger)
        assert [one.wanted for one in due(ledger)] == [wanted]
        assert ledger.outbox.due_calendars(NOW) == [(CALENDAR, "workspace")]
        assert not ledger.outbox.holds(CALENDAR, uid())
        write(ledger, wanted)
        assert due(ledger) == []
        assert ledger.outbox.due_calendars(NOW) == []
        assert ledger.outbox.holds(CALENDAR, uid())
        assert held(ledger, NOW) == 1
        assert held(ledger, wanted.end.astimezone(UTC)) == 0
        want(ledger, summary="other")
        assert not ledger.outbox.holds(CALENDAR, uid())

    def test_a_change_under_way_is_not_due_and_keeps_its_exact_request(self, ledger: Ledger) -> None:
        first, second = want(ledger, "1"), want(ledger, "2")
        ledger.outbox.intend([intent(second), intent(first)], NOW)
        assert ledger.outbox.unsettled(CALENDAR, NOW) == [intent(second), intent(first)]
        assert due(ledger) == []
        assert ledger.outbox.due_calendars(NOW) == [(CALENDAR, "workspace")]
        with pytest.raises(ValueError, match="not known yet"):
            ledger.outbox.intend([intent(first)], NOW)
        ledger.outbox.file([receipt(second, CALENDAR)], NOW)
        assert ledger.outbox.unsettled(CALENDAR, NOW) == [intent(first)]

    def test_filing_a_receipt_twice_is_filing_it_once(self, ledger: Ledger) -> None:
        wanted = want(ledger)
        write(ledger, wanted)
        ledger.outbox.file([receipt(wanted, CALENDAR)], NOW)
        assert due(ledger) == []
        settle(ledger, {PLACE: GONE})
        erase(ledger, uid())
        ledger.outbox.file([Receipt(calendar=CALENDAR, uid=uid(), fingerprint="", etag="gone")], LATER)
        assert removed(ledger, NOW) == (0, 1)
        want(ledger, summary="again")
        assert [one.generation for one in due(ledger)] == [1]

    def test_a_filed_deletion_raises_the_generation_and_the_placement_keeps_it(self, ledger: Ledger) -> None:
        write(ledger, want(ledger))
        settle(ledger, {PLACE: GONE})
        assert [one.wanted for one in due(ledger)] == [GONE]
        erase(ledger, uid())
        assert due(ledger) == []
        assert held(ledger, NOW) == 0
        wanted = want(ledger)
        (again,) = due(ledger)
        assert (again.wanted, again.generation, again.written) == (wanted, 1, None)

    def test_a_receipt_is_filed_even_where_the_placement_is_lost(self, ledger: Ledger) -> None:
        want(ledger, "2")
        lost = event(uid())
        ledger.outbox.intend([intent(lost)], NOW)
        ledger.outbox.file([receipt(lost, CALENDAR)], NOW)
        assert ledger.outbox.unsettled(CALENDAR, NOW) == []
        assert [one.uid for one in due(ledger)] == [uid("2")]
        assert held(ledger, NOW - SECOND) == 1
        assert [(one.id, one.what) for one in ledger.attention(NOW)] == [(uid(), "parked")]

    def test_the_deletions_of_a_day_are_counted_by_the_evidence_they_were_made_on(self, ledger: Ledger) -> None:
        for name, removal in (("1", GONE), ("2", WEAK), ("3", MOVED), ("4", WEAK)):
            write(ledger, want(ledger, name))
            settle(ledger, {PLACE: removal}, name)
            erase(ledger, uid(name), LATER if name == "4" else NOW)
        assert removed(ledger, LATER) == (2, 1)
        assert removed(ledger, NOW + 24 * HOUR) == (1, 0)
        assert removed(ledger, LATER + 24 * HOUR) == (0, 0)
        assert removed(ledger, LATER, OTHER) == (0, 0)
        assert ledger.outbox.standing("another target", LATER) == {}

    def test_a_deletion_counts_as_what_it_was_when_it_was_planned(self, ledger: Ledger) -> None:
        write(ledger, want(ledger))
        settle(ledger, {PLACE: WEAK})
        ledger.outbox.intend([intent(uid(), Action.DELETE)], NOW)
        wanted = want(ledger, summary="back again")
        ledger.outbox.file([Receipt(calendar=CALENDAR, uid=uid(), fingerprint="")], NOW)
        assert removed(ledger, NOW) == (1, 0)
        assert [(one.wanted, one.generation) for one in due(ledger)] == [(wanted, 1)]

    def test_a_refused_change_is_set_aside_for_longer_each_time_up_to_a_day(self, ledger: Ledger) -> None:
        wanted, at, pauses = want(ledger), NOW, []
        for _ in range(7):
            ledger.outbox.intend([intent(wanted)], at)
            fail(ledger, Refused("too long"), at)
            assert ledger.outbox.unsettled(CALENDAR, NOW) == []
            hours = next(hours for hours in range(1, 48) if due(ledger, at + hours * HOUR))
            assert due(ledger, at + hours * HOUR - SECOND) == []
            pauses.append(hours)
            at += hours * HOUR
        assert pauses == [1, 2, 4, 8, 16, 24, 24]

    def test_a_refusal_of_what_is_not_wanted_any_more_sets_nothing_aside(self, ledger: Ledger) -> None:
        ledger.outbox.intend([intent(want(ledger))], NOW)
        newer = want(ledger, summary="newer")
        fail(ledger, Refused("too long"))
        assert [one.wanted for one in due(ledger)] == [newer]

    def test_what_is_written_is_known_for_as_long_as_something_else_is_wanted(self, ledger: Ledger) -> None:
        first = want(ledger)
        assert [one.before for one in due(ledger)] == [None]
        write(ledger, first)
        for summary in ("Second", "Third"):
            want(ledger, summary=summary)
            assert [one.before for one in due(ledger)] == [first]
        settle(ledger, {PLACE: GONE})
        assert [one.before for one in due(ledger)] == [first]
        last = want(ledger, summary="Last")
        write(ledger, last)
        want(ledger, summary="Another")
        assert [one.before for one in due(ledger)] == [last]

    def test_what_was_written_while_something_else_was_wanted_already_is_not_known(self, ledger: Ledger) -> None:
        write(ledger, want(ledger))
        sent = want(ledger, summary="Sent")
        ledger.outbox.intend([intent(sent, Action.UPDATE)], NOW)
        want(ledger, summary="Wanted meanwhile")
        ledger.outbox.file([receipt(sent, CALENDAR)], NOW)
        assert [one.before for one in due(ledger)] == [None]

    def test_nothing_is_known_to_stand_where_the_identity_is_used_up_or_the_event_is_gone(self, ledger: Ledger) -> None:
        write(ledger, want(ledger))
        ledger.outbox.intend([intent(want(ledger, summary="Second"), Action.UPDATE)], NOW)
        fail(ledger, Conflict())
        assert [one.before for one in due(ledger)] == [None]
        want(ledger, "2")
        write(ledger, event(uid("2")))
        settle(ledger, {PLACE: GONE}, "2")
        erase(ledger, uid("2"))
        want(ledger, "2")
        assert [one.before for one in due(ledger)] == [None, None]

    def test_an_event_that_is_wanted_again_as_it_is_written_leaves_nothing_to_do_or_to_know(
        self, ledger: Ledger
    ) -> None:
        write(ledger, want(ledger))
        want(ledger, summary="Second")
        want(ledger)
        assert due(ledger) == []
        want(ledger, summary="Third")
        assert [one.before for one in due(ledger)] == [event(uid())]

    def test_a_conflict_uses_the_identity_up(self, ledger: Ledger) -> None:
        ledger.outbox.intend([intent(want(ledger))], NOW)
        fail(ledger, Conflict())
        assert ledger.outbox.unsettled(CALENDAR, NOW) == []
        assert [one.generation for one in due(ledger)] == [1]

    def test_an_event_that_is_not_there_any_more_is_created_anew_not_updated(self, ledger: Ledger) -> None:
        write(ledger, want(ledger))
        ledger.outbox.intend([intent(want(ledger, summary="newer"))], NOW)
        fail(ledger, Conflict())
        assert [(one.written, one.generation) for one in due(ledger)] == [(None, 1)]

    @pytest.mark.parametrize("error", [Unavailable(), NotAuthorised()])
    def test_a_change_without_an_answer_is_sent_again_unchanged_at_once_then_ever_later(
        self, ledger: Ledger, error: CalferryError
    ) -> None:
        sent, at, pauses = intent(want(ledger)), NOW, []
        ledger.outbox.intend([sent], at)
        for _ in range(7):
            fail(ledger, error, at)
            assert due(ledger, LATER + 24 * HOUR) == []
            minutes = next(count for count in range(60) if ledger.outbox.unsettled(CALENDAR, at + count * MINUTE))
            pauses.append(minutes)
            at += minutes * MINUTE
            assert ledger.outbox.unsettled(CALENDAR, at) == [sent]
        assert pauses == [0, 2, 4, 8, 15, 15, 15]

    def test_a_calendar_is_due_for_an_unsettled_change_only_when_that_is_to_be_sent_again(self, ledger: Ledger) -> None:
        ledger.outbox.intend([intent(want(ledger))], NOW)
        for _ in range(2):
            assert ledger.outbox.due_calendars(NOW) == [(CALENDAR, "workspace")]
            fail(ledger, Unavailable())
        assert ledger.outbox.due_calendars(NOW) == []
        want(ledger, "2")
        assert ledger.outbox.due_calendars(NOW) == [(CALENDAR, "workspace")]
        assert ledger.outbox.unsettled(CALENDAR, NOW) == []
        assert ledger.outbox.due_calendars(NOW + 2 * MINUTE) == [(CALENDAR, "workspace")]

    def test_an_answer_to_a_change_that_was_sent_again_settles_it(self, ledger: Ledger) -> None:
        wanted = want(ledger)
        ledger.outbox.intend([intent(wanted)], NOW)
        fail(ledger, Unavailable())
        ledger.outbox.file([receipt(wanted, CALENDAR)], NOW)
        assert ledger.outbox.unsettled(CALENDAR, LATER) == []
        newer = want(ledger, summary="newer")
        ledger.outbox.intend([intent(newer, Action.UPDATE)], NOW)
        assert ledger.outbox.unsettled(CALENDAR, NOW) == [intent(newer, Action.UPDATE)]

    def test_a_failure_of_what_was_never_sent_changes_nothing(self, ledger: Ledger) -> None:
        wanted = want(ledger)
        fail(ledger, Unavailable())
        assert [one.wanted for one in due(ledger)] == [wanted]

    def test_a_calendar_does_not_hold_an_event_that_a_change_is_under_way_for(self, ledger: Ledger) -> None:
        first = want(ledger)
        write(ledger, first)
        ledger.outbox.intend([intent(want(ledger, summary="newer"), Action.UPDATE)], NOW)
        settle(ledger, {PLACE: first})
        assert not ledger.outbox.holds(CALENDAR, uid())
        fail(ledger, Unavailable())
        assert not ledger.outbox.holds(CALENDAR, uid())
        ledger.outbox.file([receipt(first, CALENDAR)], NOW)
        assert ledger.outbox.holds(CALENDAR, uid())

    def test_a_change_that_is_not_wanted_any_more_is_left_out_and_the_others_go_on(self, ledger: Ledger) -> None:
        names = ("other", "removed", "used up", "parked", "wanted")
        planned = [intent(want(ledger, name)) for name in names]
        want(ledger, "other", summary="other")
        settle(ledger, {PLACE: GONE}, "removed")
        ledger.outbox.intend(planned[2:3], NOW)
        fail(ledger, Conflict(), source_id="used up")
        ledger.outbox.park(CALENDAR, [uid("parked")], "guests", NOW)
        assert ledger.outbox.intend(planned, NOW) == planned[4:]
        assert ledger.outbox.unsettled(CALENDAR, NOW) == planned[4:]

    def test_a_removal_is_left_out_where_the_event_is_wanted_again(self, ledger: Ledger) -> None:
        write(ledger, want(ledger))
        settle(ledger, {PLACE: GONE})
        want(ledger, summary="back again")
        assert ledger.outbox.intend([intent(uid(), Action.DELETE)], NOW) == []
        assert ledger.outbox.unsettled(CALENDAR, NOW) == []

    def test_a_success_ends_the_setting_aside_for_good(self, ledger: Ledger) -> None:
        wanted = want(ledger)
        for _ in range(3):
            ledger.outbox.intend([intent(wanted)], NOW)
            fail(ledger, Refused("too long"))
        write(ledger, wanted)
        ledger.outbox.intend([intent(wanted, Action.UPDATE)], NOW)
        fail(ledger, Conflict())
        assert [(one.wanted, one.generation) for one in due(ledger)] == [(wanted, 1)]
        ledger.outbox.intend([intent(wanted, generation=1)], NOW)
        fail(ledger, Refused("too long"))
        assert [one.wanted for one in due(ledger, LATER)] == [wanted]

    def test_what_was_parked_while_it_was_under_way_stays_parked(self, ledger: Ledger) -> None:
        wanted = want(ledger)
        ledger.outbox.intend([intent(wanted)], NOW)
        settle(ledger, {PLACE: GONE})
        ledger.outbox.park(CALENDAR, [uid()], "20 %", NOW)
        ledger.outbox.file([receipt(wanted, CALENDAR)], NOW)
        assert [(one.id, one.what, one.reason) for one in ledger.attention(NOW)] == [(uid(), "parked", "20 %")]
        assert due(ledger, LATER) == []

    def test_a_parked_change_waits_while_the_others_go_on(self, ledger: Ledger) -> None:
        want(ledger, "1")
        other = want(ledger, "2")
        ledger.outbox.park(CALENDAR, [uid("1")], "guests", NOW)
        assert [one.wanted for one in due(ledger, NOW + 365 * 24 * HOUR)] == [other]

    def test_deletions_held_back_are_told_with_their_appointment_and_its_evidence(self, ledger: Ledger) -> None:
        ledger.intake.record(ACCOUNT, batch(appointment()))
        write(ledger, want(ledger))
        settle(ledger, {PLACE: WEAK})
        assert ledger.outbox.held_back() == []
        ledger.outbox.park(CALENDAR, [uid()], "20 %", NOW)
        (one,) = ledger.outbox.held_back()
        assert one == HeldBack(
            calendar=CALENDAR,
            uid=uid(),
            target="workspace",
            removal=WEAK,
            reason="20 %",
            rejected=False,
            source=ACCOUNT,
            source_id="1",
            asked_for=("1",),
            starts_at=appointment().start.astimezone(UTC),
        )

    def test_an_approved_deletion_is_due_and_no_matter_of_the_brakes(self, ledger: Ledger) -> None:
        write(ledger, want(ledger))
        settle(ledger, {PLACE: WEAK})
        ledger.outbox.park(CALENDAR, [uid()], "20 %", NOW)
        assert ledger.outbox.decide(CALENDAR, [uid(), "nobody"], approved=True, at=NOW) == [uid()]
        assert [(one.wanted, one.approved) for one in due(ledger)] == [(WEAK, True)]
        assert (ledger.attention(NOW), ledger.outbox.held_back()) == (frozenset(), [])
        erase(ledger, uid())
        assert removed(ledger, NOW) == (0, 0)
        want(ledger)
        assert [one.approved for one in due(ledger)] == [False]

    def test_a_rejected_deletion_waits_for_nobody_until_something_else_is_wanted(self, ledger: Ledger) -> None:
        write(ledger, want(ledger))
        settle(ledger, {PLACE: WEAK})
        ledger.outbox.park(CALENDAR, [uid()], "20 %", NOW)
        assert ledger.outbox.decide(CALENDAR, [uid()], approved=False, at=NOW) == [uid()]
        assert (due(ledger), ledger.attention(NOW)) == ([], frozenset())
        assert [one.rejected for one in ledger.outbox.held_back()] == [True]
        assert ledger.outbox.intend([intent(uid(), Action.DELETE)], NOW) == []
        settle(ledger, {PLACE: WEAK})
        assert due(ledger) == []
        settle(ledger, {PLACE: GONE})
        assert [one.wanted for one in due(ledger)] == [GONE]

    def test_what_was_rejected_can_still_be_approved(self, ledger: Ledger) -> None:
        write(ledger, want(ledger))
        settle(ledger, {PLACE: GONE})
        ledger.outbox.park(CALENDAR, [uid()], "20 %", NOW)
        ledger.outbox.decide(CALENDAR, [uid()], approved=False, at=NOW)
        assert ledger.outbox.decide(CALENDAR, [uid()], approved=True, at=NOW) == [uid()]
        assert [one.approved for one in due(ledger)] == [True]

    def test_only_deletions_that_are_held_back_can_be_decided_on(self, ledger: Ledger) -> None:
        write(ledger, want(ledger, "1"))
        settle(ledger, {PLACE: GONE}, "1")
        want(ledger, "2")
        ledger.outbox.park(CALENDAR, [uid("2")], "guests", NOW)
        assert ledger.outbox.decide(CALENDAR, [uid("1"), uid("2")], approved=True, at=NOW) == []

    def test_a_paused_calendar_is_left_alone_until_then(self, ledger: Ledger) -> None:
        want(ledger)
        ledger.outbox.pause(CALENDAR, "closed", LATER)
        assert ledger.outbox.due_calendars(NOW) == []
        assert ledger.outbox.due_calendars(LATER) == [(CALENDAR, "workspace")]
        assert [(one.what, one.where) for one in ledger.attention(NOW)] == [("paused", CALENDAR)]
        assert ledger.attention(LATER) == frozenset()

    def test_pauses_are_counted_until_the_calendar_acknowledges_something(self, ledger: Ledger) -> None:
        wanted = want(ledger)
        assert ledger.outbox.pauses(CALENDAR) == 0
        ledger.outbox.pause(CALENDAR, "closed", LATER)
        ledger.outbox.pause(CALENDAR, "still closed", LATER)
        assert ledger.outbox.pauses(CALENDAR) == 2
        write(ledger, wanted)
        assert ledger.outbox.pauses(CALENDAR) == 0

    def test_all_that_waits_for_a_person_is_told_until_it_is_over(self, ledger: Ledger) -> None:
        unread = (Quarantined("9", "no end"), Quarantined("", "no id"))
        ledger.intake.record(ACCOUNT, batch(appointment("3"), quarantined=unread))
        settle(ledger, {}, "3", unrouted="no owner")
        want(ledger, "1")
        ledger.outbox.park(CALENDAR, [uid("1")], "guests", NOW)
        want(ledger, "2")
        fail(ledger, Refused("too long"), source_id="2")
        assert ledger.attention(NOW) == {
            Attention(where=ACCOUNT, what="quarantined", id="9", reason="no end"),
            Attention(where=ACCOUNT, what="quarantined", id="", reason="no id"),
            Attention(where=ACCOUNT, what="unrouted", id=uid("3"), reason="no owner"),
            Attention(where=CALENDAR, what="parked", id=uid("1"), reason="guests"),
            Attention(where=CALENDAR, what="refused", id=uid("2"), reason="too long"),
        }
        ledger.intake.record(ACCOUNT, batch(appointment("9")))
        for _ in range(2):
            ledger.intake.complete(ACCOUNT, "all", LATER)
        settle(ledger, {PLACE: event(uid("3"))}, "3")
        want(ledger, "1", summary="other")
        want(ledger, "2", summary="other")
        assert ledger.attention(NOW) == frozenset()

    def test_a_survey_gives_receipts_back_to_what_bears_our_mark(self, ledger: Ledger) -> None:
        assert ledger.outbox.surveyed(CALENDAR) is None
        wanted = {name: want(ledger, name) for name in ("1", "2", "3", "4")}
        write(ledger, wanted["4"])
        marks = [
            mark(uid("1"), wanted["1"].fingerprint, generation=1, ledger=ledger.id),
            mark(uid("1"), "older", generation=0, ledger=ledger.id),
            mark(uid("2"), wanted["2"].fingerprint, ledger="another ledger"),
            mark(uid("4"), "of a later ledger's", ledger=ledger.id),
            mark(uid("5"), "unknown", ledger=ledger.id),
        ]
        found = [Marked(one, f"h{number}", '"9"') for number, one in enumerate(marks)]
        ledger.outbox.survey(CALENDAR, found, LATER)
        assert ledger.outbox.surveyed(CALENDAR) == LATER
        assert {one.uid for one in due(ledger)} == {uid("2"), uid("3"), uid("4")}
        settle(ledger, {PLACE: GONE}, "1")
        removal = next(one for one in due(ledger) if one.uid == uid("1"))
        expected = Receipt(calendar=CALENDAR, uid=uid("1"), fingerprint=wanted["1"].fingerprint, href="h0", etag='"9"')
        assert (removal.written, removal.generation) == (expected, 1)
        assert not ledger.outbox.holds(CALENDAR, uid("4"))

    def test_a_survey_passes_over_identities_that_are_used_up(self, ledger: Ledger) -> None:
        write(ledger, want(ledger))
        settle(ledger, {PLACE: GONE})
        erase(ledger, uid())
        want(ledger)
        ledger.outbox.survey(CALENDAR, [Marked(mark(uid(), "f", ledger=ledger.id), "h", "e")], LATER)
        assert [one.written for one in due(ledger)] == [None]
