"""What every ledger must keep: the side that `route` sees."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from calferry.errors import Refused
from calferry.model import (
    Failure,
    Placement,
)
from calferry.ports import Ledger, Routed
from tests.builders import ACCOUNT, NOW, appointment, batch, event, receipt
from tests.contracts.ledger_steps import (
    CALENDAR,
    GONE,
    HOUR,
    LATER,
    MOVED,
    OTHER,
    OTHER_PLACE,
    PLACE,
    WEAK,
    due,
    erase,
    intent,
    pending,
    settle,
    uid,
    want,
    write,
)


class RoutingContract:
    def test_pending_follows_the_revisions_up_to_the_limit(self, ledger: Ledger) -> None:
        ledger.routing.begin(ACCOUNT, "rules", "1")
        ledger.intake.record(ACCOUNT, batch(*(appointment(str(number)) for number in range(5))))
        ledger.intake.record(ACCOUNT, batch(appointment("0", summary="changed"), asked_at=LATER))
        assert [one.appointment.source_id for one in pending(ledger, limit=3)] == ["1", "2", "3"]
        settle(ledger, {}, "3")
        assert [one.appointment.source_id for one in pending(ledger)] == ["4", "0"]
        assert not any(one.reconfigured for one in pending(ledger))

    def test_another_basis_looks_at_every_row_and_tells_which_were_routed_by_a_former_one(self, ledger: Ledger) -> None:
        ledger.routing.begin(ACCOUNT, "rules", "1")
        ledger.intake.record(ACCOUNT, batch(appointment("1"), appointment("2")))
        settle(ledger, {}, "1")
        settle(ledger, {}, "2")
        ledger.routing.begin(ACCOUNT, "rules", "1")
        assert pending(ledger) == []
        ledger.intake.record(ACCOUNT, batch(appointment("3")))
        ledger.routing.begin(ACCOUNT, "other rules", "1")
        told = [("1", True), ("2", True), ("3", False)]
        assert [(one.appointment.source_id, one.reconfigured) for one in pending(ledger)] == told
        settle(ledger, {}, "1")
        ledger.routing.begin(ACCOUNT, "yet other rules", "1")
        assert [(one.appointment.source_id, one.reconfigured) for one in pending(ledger)] == told

    def test_another_edition_looks_at_every_row_and_calls_none_reconfigured(self, ledger: Ledger) -> None:
        ledger.routing.begin(ACCOUNT, "rules", "1")
        ledger.intake.record(ACCOUNT, batch(appointment("1")))
        settle(ledger, {}, "1")
        ledger.routing.begin(ACCOUNT, "rules", "2")
        assert [(one.appointment.source_id, one.reconfigured) for one in pending(ledger)] == [("1", False)]
        ledger.routing.begin(ACCOUNT, "other rules", "3")
        assert [one.reconfigured for one in pending(ledger)] == [True]

    def test_a_row_that_changed_meanwhile_was_still_routed_by_a_former_basis(self, ledger: Ledger) -> None:
        ledger.routing.begin(ACCOUNT, "rules", "1")
        ledger.intake.record(ACCOUNT, batch(appointment("1")))
        settle(ledger, {}, "1")
        ledger.intake.record(ACCOUNT, batch(appointment("1", summary="other"), asked_at=LATER))
        assert [one.reconfigured for one in pending(ledger)] == [False]
        ledger.routing.begin(ACCOUNT, "other rules", "1")
        assert [one.reconfigured for one in pending(ledger)] == [True]
        ledger.intake.record(ACCOUNT, batch(appointment("1", summary="third"), asked_at=LATER + HOUR))
        assert [one.reconfigured for one in pending(ledger)] == [True]
        settle(ledger, {}, "1")
        ledger.intake.record(ACCOUNT, batch(appointment("1"), asked_at=LATER + 2 * HOUR))
        assert [one.reconfigured for one in pending(ledger)] == [False]

    def test_a_placement_says_why_another_event_than_before_is_wanted(self, ledger: Ledger) -> None:
        def cause(summary: str) -> str:
            want(ledger, summary=summary)
            (place,) = due(ledger)
            return place.cause

        def begin(basis: str, edition: str) -> None:
            ledger.routing.begin(ACCOUNT, basis, edition)

        begin("rules", '["3", "1", "2026.3", "google 2"]')
        ledger.intake.record(ACCOUNT, batch(appointment("1"), appointment("2")))
        assert cause("first") == ""
        settle(ledger, {}, "2")
        begin("other rules", '["3", "1", "2026.3", "google 2"]')
        assert cause("second") == "the configuration changed"
        begin("other rules", '["3", "1", "2027.1", "google 3"]')
        zones = "tzdata went from version 2026.3 to 2027.1"
        fit = "what google can hold went from version 2 to 3"
        assert cause("third") == f"the configuration changed, and {zones}, and {fit}"
        assert cause("third") == f"the configuration changed, and {zones}, and {fit}"
        settle(ledger, {}, "2")
        ledger.intake.record(ACCOUNT, batch(appointment("1", summary="other"), asked_at=LATER))
        assert cause("fourth") == ""

    def test_what_another_reading_changes_is_the_configurations_doing_until_it_is_routed(self, ledger: Ledger) -> None:
        def read(reading: str, summary: str, hours: int) -> list[bool]:
            told = batch(appointment("1", summary=summary), asked_at=LATER + hours * HOUR)
            ledger.intake.record(ACCOUNT, told, reading)
            return [one.reconfigured for one in pending(ledger)]

        ledger.routing.begin(ACCOUNT, "rules", "1")
        assert read("by staff", "first", 1) == [False]
        settle(ledger, {}, "1")
        assert read("by staff", "second", 2) == [False]
        settle(ledger, {}, "1")
        ledger.routing.begin(ACCOUNT, "other rules", "1")
        settle(ledger, {}, "1")
        assert read("by room", "third", 3) == [True]
        assert read("by room", "fourth", 4) == [True]
        settle(ledger, {}, "1", unrouted="no owner")
        assert read("by room", "fifth", 5) == [True]
        settle(ledger, {}, "1")
        assert read("by room", "sixth", 6) == [False]

    def test_what_another_reading_leaves_as_it_was_is_by_that_reading_from_then_on(self, ledger: Ledger) -> None:
        ledger.routing.begin(ACCOUNT, "rules", "1")
        ledger.intake.record(ACCOUNT, batch(appointment("1")), "by staff")
        settle(ledger, {}, "1")
        ledger.intake.record(ACCOUNT, batch(appointment("1"), asked_at=LATER), "by room")
        assert pending(ledger) == []
        ledger.intake.record(ACCOUNT, batch(appointment("1", summary="other"), asked_at=LATER + HOUR), "by room")
        assert [one.reconfigured for one in pending(ledger)] == [False]

    def test_a_row_of_which_nobody_knows_how_it_was_read_is_changed_by_its_booking_system(self, ledger: Ledger) -> None:
        ledger.routing.begin(ACCOUNT, "rules", "1")
        ledger.intake.record(ACCOUNT, batch(appointment("1")))
        settle(ledger, {}, "1")
        ledger.intake.record(ACCOUNT, batch(appointment("1", summary="other"), asked_at=LATER), "by room")
        assert [one.reconfigured for one in pending(ledger)] == [False]

    def test_a_row_that_has_no_place_under_a_new_basis_still_counts_as_routed_by_the_former_one(
        self, ledger: Ledger
    ) -> None:
        ledger.routing.begin(ACCOUNT, "rules", "1")
        ledger.intake.record(ACCOUNT, batch(appointment("1")))
        settle(ledger, {}, "1")
        ledger.routing.begin(ACCOUNT, "other rules", "1")
        settle(ledger, {}, "1", unrouted="no owner")
        ledger.intake.record(ACCOUNT, batch(appointment("1", summary="freed"), asked_at=LATER))
        assert [one.reconfigured for one in pending(ledger)] == [True]

    def test_looking_again_comes_last_and_leaves_the_mark_where_it_is(self, ledger: Ledger) -> None:
        ledger.routing.begin(ACCOUNT, "rules", "1")
        ledger.intake.record(ACCOUNT, batch(appointment("1"), appointment("2"), appointment("3")))
        settle(ledger, {}, "1", look_again_at=LATER)
        assert [one.appointment.source_id for one in pending(ledger, LATER)] == ["2", "3"]
        settle(ledger, {}, "3")
        assert pending(ledger) == []
        (again,) = pending(ledger, LATER)
        assert (again.appointment.source_id, again.reconfigured) == ("1", False)
        ledger.routing.settle(ACCOUNT, [Routed(uid=again.uid, revision=again.revision, wanted={})])
        assert pending(ledger, LATER) == []

    def test_pending_brings_the_placements_with_what_they_want_and_hold(self, ledger: Ledger) -> None:
        ledger.intake.record(ACCOUNT, batch(appointment()))
        wanted = event(
            uid(), categories=("a", "b"), start=datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Paris"))
        )
        settle(ledger, {PLACE: wanted})
        write(ledger, wanted)
        settle(ledger, {PLACE: MOVED, OTHER_PLACE: wanted})
        ledger.routing.begin(ACCOUNT, "rules", "1")
        ledger.routing.begin(ACCOUNT, "other rules", "1")
        assert pending(ledger)[0].placements == (
            Placement(
                calendar=CALENDAR,
                uid=uid(),
                target="workspace",
                route="staff",
                wanted=MOVED,
                written=receipt(wanted, CALENDAR),
                before=wanted,
            ),
            Placement(calendar=OTHER, uid=uid(), target="workspace", route="staff", wanted=wanted),
        )

    def test_a_removal_of_what_was_never_placed_stores_nothing(self, ledger: Ledger) -> None:
        ledger.intake.record(ACCOUNT, batch(appointment()))
        settle(ledger, {PLACE: GONE})
        ledger.routing.begin(ACCOUNT, "other rules", "1")
        assert pending(ledger)[0].placements == ()
        assert ledger.outbox.due_calendars(NOW) == []

    def test_where_two_routes_want_one_calendar_an_event_goes_before_a_removal(self, ledger: Ledger) -> None:
        wanted = want(ledger)
        write(ledger, wanted)
        settle(ledger, {PLACE: GONE, (CALENDAR, "workspace", "feeds"): wanted})
        assert due(ledger) == []
        assert ledger.outbox.holds(CALENDAR, uid())

    def test_a_wanted_that_is_another_frees_what_was_parked_or_set_aside(self, ledger: Ledger) -> None:
        first = want(ledger)
        ledger.outbox.park(CALENDAR, [uid()], "20 % of all events", NOW)
        settle(ledger, {PLACE: first})
        assert due(ledger) == []
        second = want(ledger, summary="other")
        assert [one.wanted for one in due(ledger)] == [second]
        ledger.outbox.fail(Failure(calendar=CALENDAR, uid=uid(), error=Refused("too long")), NOW)
        settle(ledger, {PLACE: second})
        assert due(ledger) == []
        third = want(ledger, summary="third")
        assert [one.wanted for one in due(ledger)] == [third]

    def test_a_parked_removal_is_freed_by_stronger_evidence_but_not_by_other_words(self, ledger: Ledger) -> None:
        write(ledger, want(ledger))
        settle(ledger, {PLACE: WEAK})
        ledger.outbox.park(CALENDAR, [uid()], "weak evidence", NOW)
        settle(ledger, {PLACE: replace(WEAK, evidence="404 at ten")})
        assert due(ledger) == []
        settle(ledger, {PLACE: GONE})
        assert [one.wanted for one in due(ledger)] == [GONE]

    def test_a_renamed_target_reaches_all_that_is_due_when_an_older_one_is_cancelled_afterwards(
        self, ledger: Ledger
    ) -> None:
        renamed = (CALENDAR, "renamed", "staff")
        write(ledger, want(ledger, "old"))
        write(ledger, want(ledger, "1"))
        settle(ledger, {renamed: event(uid("1"), summary="other")}, "1")
        settle(ledger, {renamed: GONE}, "old")
        assert ledger.outbox.due_calendars(NOW) == [(CALENDAR, "renamed")]
        assert {one.uid: one.target for one in due(ledger)} == dict.fromkeys((uid("1"), uid("old")), "renamed")

    def test_a_renamed_target_reaches_a_calendar_in_which_only_a_removal_names_it(self, ledger: Ledger) -> None:
        write(ledger, want(ledger, "kept"))
        write(ledger, want(ledger, "1"))
        settle(ledger, {(CALENDAR, "renamed", "staff"): GONE}, "1")
        assert ledger.outbox.due_calendars(NOW) == [(CALENDAR, "renamed")]
        assert list(ledger.outbox.standing("renamed", NOW)) == [CALENDAR]

    def test_a_renamed_target_reaches_a_change_whose_outcome_is_not_known(self, ledger: Ledger) -> None:
        ledger.outbox.intend([intent(want(ledger))], NOW)
        settle(ledger, {(CALENDAR, "renamed", "staff"): GONE})
        assert ledger.outbox.due_calendars(NOW) == [(CALENDAR, "renamed")]

    def test_a_removal_that_is_done_does_not_point_its_calendar_back_to_a_former_target(self, ledger: Ledger) -> None:
        write(ledger, want(ledger, "old"))
        settle(ledger, {PLACE: GONE}, "old")
        erase(ledger, uid("old"))
        settle(ledger, {(CALENDAR, "renamed", "staff"): event(uid("1"))}, "1")
        settle(ledger, {PLACE: WEAK}, "old")
        assert ledger.outbox.due_calendars(NOW) == [(CALENDAR, "renamed")]

    def test_a_target_that_is_named_again_for_what_did_not_change_is_the_one_to_use(self, ledger: Ledger) -> None:
        renamed = (CALENDAR, "renamed", "staff")
        wanted = event(uid("1"))
        settle(ledger, {renamed: wanted}, "1")
        write(ledger, want(ledger, "2"))
        assert ledger.outbox.due_calendars(NOW) == [(CALENDAR, "workspace")]
        settle(ledger, {renamed: wanted}, "1")
        assert ledger.outbox.due_calendars(NOW) == [(CALENDAR, "renamed")]

    def test_in_one_calendar_the_target_of_an_event_goes_before_that_of_a_removal(self, ledger: Ledger) -> None:
        write(ledger, want(ledger, "1"))
        routed = [
            Routed(uid=uid("2"), revision=0, wanted={(CALENDAR, "renamed", "staff"): event(uid("2"))}),
            Routed(uid=uid("1"), revision=0, wanted={PLACE: GONE}),
        ]
        ledger.routing.settle(ACCOUNT, routed)
        assert ledger.outbox.due_calendars(NOW) == [(CALENDAR, "renamed")]
