"""What a ledger remembers of troubles, and what it tells of calendars as a whole."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from calferry.errors import Refused, Unavailable
from calferry.ports import Ledger, Telling
from tests.builders import NOW
from tests.contracts.ledger_steps import CALENDAR, HOUR, LATER, due, erase, fail, intent, removed, uid, want, write

CLOSED = Telling(key="behind google:ana@salon.example", since=NOW, size=1)
MANY = Telling(key="unrouted agendize:13772899", since=NOW, size=40)


class AlertsContract:
    def test_a_trouble_keeps_the_time_it_was_first_observed_at(self, ledger: Ledger) -> None:
        ledger.alerts.observe({CLOSED.key: NOW})
        ledger.alerts.observe({CLOSED.key: LATER, MANY.key: LATER})
        assert ledger.alerts.since() == {CLOSED.key: NOW, MANY.key: LATER}

    def test_a_trouble_that_is_over_and_comes_again_is_a_new_one(self, ledger: Ledger) -> None:
        ledger.alerts.observe({CLOSED.key: NOW})
        ledger.alerts.observe({})
        assert ledger.alerts.since() == {}
        ledger.alerts.observe({CLOSED.key: LATER})
        assert ledger.alerts.since() == {CLOSED.key: LATER}

    def test_each_channel_is_told_for_itself(self, ledger: Ledger) -> None:
        ledger.alerts.file("email", [CLOSED, MANY], [], NOW)
        ledger.alerts.file("webhook", [MANY], [], NOW)
        assert ledger.alerts.told("email") == {CLOSED.key: CLOSED, MANY.key: MANY}
        assert ledger.alerts.told("webhook") == {MANY.key: MANY}
        assert ledger.alerts.told("log") == {}

    def test_what_was_told_anew_replaces_what_was_told_and_what_is_over_is_forgotten(self, ledger: Ledger) -> None:
        ledger.alerts.file("email", [CLOSED, MANY], [], NOW)
        grown = Telling(key=MANY.key, since=NOW, size=80)
        ledger.alerts.file("email", [grown], [CLOSED.key], LATER)
        assert ledger.alerts.told("email") == {MANY.key: grown}


class VitalsContract:
    def test_a_calendar_with_something_to_write_or_under_way_has_something_outstanding(self, ledger: Ledger) -> None:
        wanted = want(ledger)
        (before,) = ledger.vitals(NOW)
        ledger.outbox.intend([intent(wanted)], NOW)
        fail(ledger, Unavailable())
        (under_way,) = ledger.vitals(NOW)
        assert (before.calendar, before.target) == (CALENDAR, "workspace")
        assert (before.outstanding, under_way.outstanding) == (True, True)

    def test_what_is_written_parked_or_set_aside_is_not_outstanding(self, ledger: Ledger) -> None:
        write(ledger, want(ledger))
        want(ledger, "2")
        ledger.outbox.park(CALENDAR, [uid("2")], "20 %", NOW)
        want(ledger, "3")
        fail(ledger, Refused("too long"), source_id="3")
        assert [one.outstanding for one in ledger.vitals(NOW)] == [False]
        assert [one.outstanding for one in ledger.vitals(NOW + timedelta(days=2))] == [True]

    def test_a_pause_counts_until_it_is_over(self, ledger: Ledger) -> None:
        write(ledger, want(ledger))
        ledger.outbox.survey(CALENDAR, [], NOW)
        ledger.outbox.pause(CALENDAR, "closed", LATER)
        (during,), (after,) = ledger.vitals(NOW), ledger.vitals(LATER + HOUR)
        assert (during.paused, after.paused) == (True, False)
        assert during.surveyed_at == NOW


class RetentionContract:
    def test_what_is_old_is_forgotten_and_what_is_not_stays(self, ledger: Ledger) -> None:
        write(ledger, want(ledger))
        erase(ledger, uid(), NOW)
        write(ledger, want(ledger, "2"))
        erase(ledger, uid("2"), LATER)
        assert removed(ledger, LATER) == (0, 2)
        assert ledger.trim(LATER) > 0
        assert removed(ledger, LATER) == (0, 1)
        assert ledger.trim(LATER) == 0

    def test_forgetting_changes_nothing_in_any_calendar(self, ledger: Ledger) -> None:
        wanted = want(ledger)
        write(ledger, wanted)
        ledger.trim(NOW + 1000 * HOUR)
        assert due(ledger) == []
        assert ledger.outbox.holds(CALENDAR, wanted.uid)

    def test_a_great_many_are_forgotten_too(self, ledger: Ledger) -> None:
        for number in range(1200):
            ledger.outbox.pause(CALENDAR, f"closed {number}", LATER)
        assert ledger.trim(datetime.now(UTC) + HOUR) >= 1200
