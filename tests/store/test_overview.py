"""What `calferry status` and `calferry explain` read."""

from __future__ import annotations

from datetime import UTC

from calferry.errors import Refused
from calferry.model import Answer, Deletion, Failure, Quarantined, Verdict
from calferry.store import SqlLedger, journal, overview
from tests.builders import ACCOUNT, NOW, appointment, batch
from tests.contracts.ledger_steps import (
    CALENDAR,
    EVERYTHING,
    GONE,
    HOUR,
    LATER,
    OTHER_PLACE,
    PLACE,
    erase,
    intent,
    settle,
    uid,
    want,
    write,
)


def test_a_source_is_shown_with_what_it_holds_and_what_is_wrong(ledger: SqlLedger) -> None:
    rows = [appointment(name) for name in ("1", "2", "3")]
    ledger.intake.record(ACCOUNT, batch(*rows, quarantined=(Quarantined("9", "no end"),)))
    ledger.intake.bury(ACCOUNT, [Deletion("3", "gone")], weak=False, asked_at=NOW)
    ledger.intake.unlist(ACCOUNT, EVERYTHING, {"1"}, LATER)
    ledger.intake.answer(ACCOUNT, Answer("2", Verdict.UNPROVEN, "404; no control was found"), LATER)
    ledger.intake.pause(ACCOUNT, "wrong password", LATER)
    ledger.intake.complete(ACCOUNT, "pull", LATER)
    ledger.intake.complete(ACCOUNT, "all", NOW)
    settle(ledger, {}, "1", unrouted="no owner")
    assert overview.source_views(ledger) == [
        overview.SourceView(
            source=ACCOUNT,
            pulled_at=LATER,
            proven_at=NOW,
            live=2,
            unlisted=1,
            answers={"unproven": 1},
            quarantined=(overview.Unreadable("9", "no end"),),
            unrouted=(overview.Unrouted(uid("1"), "1", "no owner"),),
            paused_until=LATER,
            pause_reason="wrong password",
        )
    ]


def test_a_calendar_is_shown_with_what_it_holds_and_what_waits(ledger: SqlLedger) -> None:
    for name in ("1", "2"):
        write(ledger, want(ledger, name))
    settle(ledger, {PLACE: GONE}, "2")
    ledger.outbox.park(CALENDAR, [uid("2")], "20 %", NOW)
    want(ledger, "3")
    ledger.outbox.fail(Failure(calendar=CALENDAR, uid=uid("3"), error=Refused("too long")), NOW)
    ledger.outbox.intend([intent(want(ledger, "4"))], NOW)
    want(ledger, "5")
    ledger.outbox.survey(CALENDAR, [], NOW)
    ledger.outbox.pause(CALENDAR, "closed", LATER)
    (view,) = overview.calendar_views(ledger, NOW)
    assert view == overview.CalendarView(
        calendar=CALENDAR,
        target="workspace",
        held=2,
        due=1,
        unsettled=1,
        aside=0,
        parked=(overview.Parked(uid("2"), "gone", "status=deleted", "20 %"),),
        refused=(overview.SetAside(uid("3"), "too long", LATER),),
        surveyed_at=NOW,
        written_at=NOW,
        paused_until=LATER,
        pause_reason="closed",
    )
    assert view.written_at is not None
    assert view.written_at.tzinfo is UTC


def test_events_of_routes_that_are_configured_no_more_are_shown(ledger: SqlLedger) -> None:
    write(ledger, want(ledger))
    settle(ledger, {OTHER_PLACE: GONE}, "2")
    assert overview.orphans(ledger, {"staff"}) == []
    assert overview.orphans(ledger, {"feeds"}) == [overview.Orphan(CALENDAR, uid(), "staff")]
    assert overview.orphans(ledger, set()) == [overview.Orphan(CALENDAR, uid(), "staff")]


def test_the_journal_tells_the_story_of_an_appointment(ledger: SqlLedger) -> None:
    ledger.intake.record(ACCOUNT, batch(appointment()))
    write(ledger, want(ledger))
    ledger.intake.record(ACCOUNT, batch(appointment(summary="other"), asked_at=LATER))
    ledger.intake.bury(ACCOUNT, [Deletion("1", "status=deleted")], weak=False, asked_at=LATER + HOUR)
    settle(ledger, {PLACE: GONE})
    ledger.outbox.park(CALENDAR, [uid()], "20 %", LATER)
    erase(ledger, uid(), LATER)
    with ledger.database.reading() as connection:
        story = journal.history(connection, uid())
    told_at = [entry.at for entry in story if entry.what != "routed"]
    assert told_at == [NOW, NOW, LATER, LATER + HOUR, LATER, LATER]
    assert [(entry.place, entry.what, entry.detail) for entry in story] == [
        (ACCOUNT, "booked", ""),
        (CALENDAR, "routed", "to be written"),
        (CALENDAR, "created", ""),
        (ACCOUNT, "changed", ""),
        (ACCOUNT, "deleted", "status=deleted"),
        (CALENDAR, "routed", "to be removed: gone"),
        (CALENDAR, "parked", "20 %"),
        (CALENDAR, "removed", ""),
    ]


def test_the_journal_tells_what_look_ups_were_answered_and_repeats_no_answer(ledger: SqlLedger) -> None:
    ledger.intake.record(ACCOUNT, batch(appointment()))
    ledger.intake.unlist(ACCOUNT, EVERYTHING, set(), LATER)
    for answer in (Verdict.UNPROVEN, Verdict.UNPROVEN, Verdict.NOT_FOUND):
        ledger.intake.answer(ACCOUNT, Answer("1", answer, "404"), LATER)
    ledger.intake.vouch(ACCOUNT, "1", LATER)
    with ledger.database.reading() as connection:
        told = [(entry.what, entry.detail) for entry in journal.history(connection, uid())]
    answers = [("asked for", "unproven: 404"), ("asked for", "not found: 404"), ("found", "by its id")]
    assert told[2:] == answers


def test_what_does_not_change_is_not_told_again(ledger: SqlLedger) -> None:
    told = batch(appointment(), quarantined=(Quarantined("9", "no end"),))
    for _ in range(2):
        ledger.intake.record(ACCOUNT, told)
        want(ledger)
    with ledger.database.reading() as connection:
        assert [entry.what for entry in journal.history(connection, uid())] == ["booked", "routed"]
        assert [entry.what for entry in journal.history(connection, uid("9"))] == ["quarantined"]
