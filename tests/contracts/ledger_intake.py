"""What every ledger must keep: the side that `pull` sees."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calferry.model import (
    Answer,
    Appointment,
    Contact,
    Cursor,
    Deletion,
    Owner,
    Quarantined,
    Status,
    Verdict,
    Window,
)
from calferry.ports import Ledger, Recorded
from tests.builders import ACCOUNT, MORNING, NOW, appointment, batch, staff
from tests.contracts.ledger_steps import (
    EVERYTHING,
    HOUR,
    LATER,
    SECOND,
    Broken,
    BrokenRow,
    pending,
    revisions,
    uid,
)

SOURCE_TEXTS = ("said", "reference", "external_id", "custom_status", "kind", "service", "price")
TEXTS = (*SOURCE_TEXTS, "summary", "description", "location", "url")

texts = st.text(st.characters(codec="utf-8"), max_size=12)
keys = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
zones = st.sampled_from(sorted(available_timezones() - {"localtime"})).map(ZoneInfo)
years = {"min_value": datetime(1901, 1, 1), "max_value": datetime(2199, 1, 1)}
walls = st.datetimes(**years, timezones=zones, allow_imaginary=True)
moments = st.builds(lambda moment, fold: moment.replace(fold=fold), walls, st.sampled_from((0, 1)))
appointments = st.builds(
    Appointment,
    source=st.just(ACCOUNT),
    source_id=keys,
    start=moments,
    end=moments,
    status=st.sampled_from(Status),
    owners=st.lists(st.builds(Owner, key=keys, name=texts, email=texts), max_size=3).map(tuple),
    contact=st.builds(Contact, first_name=texts, last_name=texts, email=texts, phone=texts),
    uses=st.lists(keys, max_size=3, unique=True).map(tuple),
    **dict.fromkeys(TEXTS, texts),
)

UNHARMED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.differing_executors]
"""Examples share a ledger, each with a source of its own; and every ledger runs the same contract."""


class IntakeContract:
    def test_rows_and_the_cursor_that_covers_them_are_stored_together(self, ledger: Ledger) -> None:
        recorded = ledger.intake.record(
            ACCOUNT, batch(appointment("1"), appointment("2"), resources=(staff(),), cursor=Cursor("c1"))
        )
        assert recorded == Recorded(new=2, resources=1)
        assert ledger.intake.cursor(ACCOUNT, "appointments") == Cursor("c1")
        assert ledger.intake.cursor(ACCOUNT, "elsewhere") is None
        assert [one.appointment for one in pending(ledger)] == [appointment("1"), appointment("2")]

    def test_a_batch_that_breaks_half_way_leaves_nothing_behind(self, ledger: Ledger) -> None:
        rows = [appointment(str(number)) for number in range(1500)]
        broken = batch(*rows, cast("Appointment", Broken()), resources=(staff(),), cursor=Cursor("c1"))
        with pytest.raises(BrokenRow):
            ledger.intake.record(ACCOUNT, broken)
        assert pending(ledger) == []
        assert ledger.intake.cursor(ACCOUNT, "appointments") is None
        assert ledger.routing.resources(ACCOUNT, ["staff/77"]) == {}

    def test_a_row_asked_for_earlier_than_what_is_held_is_ignored(self, ledger: Ledger) -> None:
        ledger.intake.record(ACCOUNT, batch(appointment(summary="newer")))
        late = batch(appointment(summary="older"), deleted=(Deletion("1", "gone"),), asked_at=NOW - SECOND)
        assert ledger.intake.record(ACCOUNT, late) == Recorded()
        ledger.intake.bury(ACCOUNT, [Deletion("1", "gone")], weak=False, asked_at=NOW - SECOND)
        assert [(one.appointment.summary, one.deletion) for one in pending(ledger)] == [("newer", "")]

    def test_an_unchanged_row_gets_no_new_revision_and_a_changed_one_does(self, ledger: Ledger) -> None:
        ledger.intake.record(ACCOUNT, batch(appointment("1"), appointment("2")))
        before = revisions(ledger)
        again = batch(appointment("1"), appointment("2", summary="moved"), asked_at=LATER)
        assert ledger.intake.record(ACCOUNT, again) == Recorded(changed=1, unchanged=1)
        after = revisions(ledger)
        assert after["1"] == before["1"]
        assert after["2"] > max(before.values())

    def test_a_changed_resource_gives_each_of_its_users_a_revision_of_its_own(self, ledger: Ledger) -> None:
        rows = (appointment("1"), appointment("2"), appointment("3", uses=("staff/78",)))
        ledger.intake.record(ACCOUNT, batch(*rows, resources=(staff(),)))
        before = revisions(ledger)
        assert ledger.intake.record(ACCOUNT, batch(resources=(staff(),), asked_at=LATER)).resources == 0
        assert revisions(ledger) == before
        changed = staff(email="ana.perez@salon.example")
        assert ledger.intake.record(ACCOUNT, batch(resources=(changed,), asked_at=LATER)).resources == 1
        after = revisions(ledger)
        assert after["3"] == before["3"]
        assert len({after["1"], after["2"]} - set(before.values())) == 2
        assert ledger.routing.resources(ACCOUNT, ["staff/77", "staff/1"]) == {"staff/77": changed}
        assert ledger.intake.record(ACCOUNT, batch(resources=(staff(),), asked_at=NOW)).resources == 0

    def test_an_appointment_that_stops_using_a_resource_is_not_touched_by_it_any_more(self, ledger: Ledger) -> None:
        ledger.intake.record(ACCOUNT, batch(appointment(), resources=(staff(),)))
        ledger.intake.record(ACCOUNT, batch(appointment(uses=("staff/78",)), asked_at=LATER))
        before = revisions(ledger)
        ledger.intake.record(ACCOUNT, batch(resources=(staff(name="Ana"),), asked_at=LATER))
        assert revisions(ledger) == before

    def test_a_deletion_is_evidence_about_a_known_appointment_only(self, ledger: Ledger) -> None:
        ledger.intake.record(ACCOUNT, batch(appointment("1")))
        told = batch(deleted=(Deletion("1", "status=deleted"), Deletion("99", "status=deleted")), asked_at=LATER)
        assert ledger.intake.record(ACCOUNT, told).deleted == 1
        assert ledger.intake.record(ACCOUNT, told).deleted == 0
        assert [(one.uid, one.deletion, one.deletion_weak) for one in pending(ledger)] == [
            (uid("1"), "status=deleted", False)
        ]

    def test_explicit_evidence_replaces_weak_evidence_and_never_the_other_way_round(self, ledger: Ledger) -> None:
        ledger.intake.record(ACCOUNT, batch(appointment()))
        for evidence, weak in (("404", True), ("deleted", False), ("404 again", True)):
            ledger.intake.bury(ACCOUNT, [Deletion("1", evidence)], weak=weak, asked_at=LATER)
            assert pending(ledger)[0].deletion == ("404" if evidence == "404" else "deleted")
        assert pending(ledger)[0].deletion_weak is False

    def test_an_appointment_that_was_deleted_lives_again_when_it_is_found(self, ledger: Ledger) -> None:
        ledger.intake.record(ACCOUNT, batch(appointment()))
        ledger.intake.bury(ACCOUNT, [Deletion("1", "404")], weak=True, asked_at=LATER)
        before = revisions(ledger)["1"]
        assert ledger.intake.record(ACCOUNT, batch(appointment(), asked_at=LATER)) == Recorded(changed=1)
        assert pending(ledger)[0].deletion == ""
        assert pending(ledger)[0].revision > before

    def test_only_what_lies_wholly_inside_and_was_learnt_before_is_unlisted(self, ledger: Ledger) -> None:
        covered = Window(MORNING.astimezone(UTC), MORNING.astimezone(UTC) + HOUR)
        inside, across = appointment("inside"), appointment("across", start=MORNING - timedelta(minutes=10))
        after, seen = appointment("after", start=MORNING + HOUR), appointment("seen")
        dead, late = appointment("dead"), appointment("late")
        at_its_end = appointment("at its end", start=MORNING + HOUR, end=MORNING + HOUR)
        ledger.intake.record(ACCOUNT, batch(inside, across, after, at_its_end, seen, dead))
        ledger.intake.bury(ACCOUNT, [Deletion("dead", "gone")], weak=False, asked_at=NOW)
        ledger.intake.record(ACCOUNT, batch(late, asked_at=LATER))
        assert ledger.intake.unlist(ACCOUNT, covered, {"seen"}, LATER) == 1
        assert ledger.intake.unlist(ACCOUNT, covered, {"seen"}, LATER) == 0
        assert ledger.intake.unlisted(ACCOUNT, LATER, 10) == [inside]
        assert [one.deletion for one in pending(ledger) if one.appointment == inside] == [""]

    def test_an_unlisted_appointment_is_asked_for_when_it_is_due_and_until_it_is_found(self, ledger: Ledger) -> None:
        ledger.intake.record(ACCOUNT, batch(appointment("1"), appointment("2"), appointment("3")))
        assert ledger.intake.unlist(ACCOUNT, EVERYTHING, set(), LATER) == 3
        ledger.intake.answer(ACCOUNT, Answer("1", Verdict.UNANSWERED, "500"), LATER)
        assert {one.source_id for one in ledger.intake.unlisted(ACCOUNT, LATER, 10)} == {"2", "3"}
        assert len(ledger.intake.unlisted(ACCOUNT, LATER + HOUR, 1)) == 1
        before = revisions(ledger)
        assert ledger.intake.record(ACCOUNT, batch(appointment("1"), asked_at=LATER)) == Recorded(unchanged=1)
        assert {one.source_id for one in ledger.intake.unlisted(ACCOUNT, LATER + HOUR, 10)} == {"2", "3"}
        changed = appointment("2", summary="other")
        assert ledger.intake.record(ACCOUNT, batch(changed, asked_at=LATER)) == Recorded(changed=1)
        assert [one.source_id for one in ledger.intake.unlisted(ACCOUNT, LATER + HOUR, 10)] == ["3"]
        before = revisions(ledger)
        ledger.intake.relist(ACCOUNT)
        assert ledger.intake.unlisted(ACCOUNT, LATER + HOUR, 10) == []
        assert revisions(ledger) == before

    def test_what_was_vouched_for_is_made_unlisted_by_no_listing_before_then(self, ledger: Ledger) -> None:
        ledger.intake.record(ACCOUNT, batch(appointment("1"), appointment("2")))
        ledger.intake.vouch(ACCOUNT, "1", LATER + HOUR)
        assert ledger.intake.unlist(ACCOUNT, EVERYTHING, set(), LATER) == 1
        assert [one.source_id for one in ledger.intake.unlisted(ACCOUNT, LATER, 10)] == ["2"]
        changed = appointment("1", summary="other")
        ledger.intake.record(ACCOUNT, batch(changed, asked_at=LATER))
        assert ledger.intake.unlist(ACCOUNT, EVERYTHING, {"2"}, LATER + HOUR - SECOND) == 0
        assert ledger.intake.unlist(ACCOUNT, EVERYTHING, {"2"}, LATER + HOUR) == 1

    def test_controls_are_the_other_live_listed_readable_appointments_of_the_same_owner(self, ledger: Ledger) -> None:
        owner = (Owner(key="78"),)
        rows = [appointment(name) for name in ("1", "2", "3", "4", "unread")]
        ledger.intake.record(ACCOUNT, batch(*rows, appointment("5", owners=owner), appointment("6", owners=())))
        ledger.intake.bury(ACCOUNT, [Deletion("3", "gone")], weak=False, asked_at=NOW)
        ledger.intake.unlist(ACCOUNT, EVERYTHING, {"1", "2", "5", "6", "unread"}, LATER)
        ledger.intake.record(ACCOUNT, batch(quarantined=(Quarantined("unread", "no end"),), asked_at=LATER))
        assert ledger.intake.controls(rows[0], 10) == ["2"]
        assert ledger.intake.controls(appointment("5", owners=owner), 10) == []
        assert set(ledger.intake.controls(appointment("7", owners=()), 10)) == {"1", "2", "5", "6"}

    def test_controls_come_nearest_in_time_first_on_either_side(self, ledger: Ledger) -> None:
        hours = (-30, -3, -1, 2, 4, 50)
        rows = [appointment(f"{hour}h", start=MORNING + hour * HOUR) for hour in hours]
        ledger.intake.record(ACCOUNT, batch(appointment(), *rows))
        nearest = ["-1h", "2h", "-3h", "4h", "-30h", "50h"]
        assert ledger.intake.controls(appointment(), 10) == nearest
        assert ledger.intake.controls(appointment(), 3) == nearest[:3]
        assert ledger.intake.controls(appointment(start=MORNING + 60 * HOUR), 2) == ["50h", "4h"]

    def test_a_quarantined_row_that_is_not_there_is_forgotten_unless_a_live_appointment_is_held(
        self, ledger: Ledger
    ) -> None:
        ledger.intake.record(ACCOUNT, batch(appointment("live"), appointment("dead")))
        ledger.intake.bury(ACCOUNT, [Deletion("dead", "gone")], weak=False, asked_at=NOW)
        names = ("live", "dead", "never read", "another")
        unread = tuple(Quarantined(name, "no end") for name in names)
        ledger.intake.record(ACCOUNT, batch(quarantined=unread, asked_at=LATER))
        for name in names[:3]:
            ledger.intake.forget(ACCOUNT, name)
        assert {name for name, _ in ledger.intake.quarantined(ACCOUNT, LATER, 10)} == {"live", "another"}
        ledger.intake.forget("agendize:another account", "another")
        assert {name for name, _ in ledger.intake.quarantined(ACCOUNT, LATER, 10)} == {"live", "another"}

    def test_the_newest_answer_is_the_one_asked_for_last(self, ledger: Ledger) -> None:
        assert ledger.intake.newest(ACCOUNT) is None
        ledger.intake.record(ACCOUNT, batch(appointment(), asked_at=LATER))
        ledger.intake.record(ACCOUNT, batch(asked_at=NOW))
        assert ledger.intake.newest(ACCOUNT) == LATER
        ledger.intake.record(ACCOUNT, batch(asked_at=LATER + SECOND))
        assert ledger.intake.newest(ACCOUNT) == LATER + SECOND
        ledger.intake.bury(ACCOUNT, [Deletion("1", "gone")], weak=False, asked_at=LATER + HOUR)
        assert ledger.intake.newest(ACCOUNT) == LATER + HOUR
        assert ledger.intake.newest("agendize:another account") is None

    def test_a_quarantined_row_keeps_the_last_good_state_and_is_asked_for_again(self, ledger: Ledger) -> None:
        ledger.intake.record(ACCOUNT, batch(appointment("1")))
        ledger.intake.unlist(ACCOUNT, EVERYTHING, set(), LATER)
        told = (Quarantined("1", "no end"), Quarantined("2", "no start"), Quarantined("", "no id"))
        assert ledger.intake.record(ACCOUNT, batch(quarantined=told, asked_at=LATER)).quarantined == 3
        assert ledger.intake.quarantined(ACCOUNT, LATER, 10) == [("1", 0), ("2", 0)]
        assert [one.appointment for one in pending(ledger)] == [appointment("1")]
        assert ledger.intake.unlisted(ACCOUNT, LATER, 10) == []
        ledger.intake.defer(ACCOUNT, "1", LATER + HOUR)
        ledger.intake.record(ACCOUNT, batch(quarantined=told, asked_at=LATER + SECOND))
        assert ledger.intake.quarantined(ACCOUNT, LATER, 10) == [("2", 0)]
        assert ledger.intake.quarantined(ACCOUNT, LATER + HOUR, 10) == [("2", 0), ("1", 1)]
        ledger.intake.record(ACCOUNT, batch(appointment("1"), appointment("2"), asked_at=LATER + HOUR))
        assert ledger.intake.quarantined(ACCOUNT, LATER + HOUR, 10) == []

    def test_a_row_without_an_id_is_forgotten_once_a_whole_listing_has_passed_without_it(self, ledger: Ledger) -> None:
        ledger.intake.complete(ACCOUNT, "all", NOW)
        ledger.intake.record(ACCOUNT, batch(quarantined=(Quarantined("", "no id"),), asked_at=LATER))
        ledger.intake.complete(ACCOUNT, "all", LATER)
        assert [one.reason for one in ledger.attention(NOW)] == ["no id"]
        ledger.intake.complete(ACCOUNT, "near", LATER + HOUR)
        assert [one.reason for one in ledger.attention(NOW)] == ["no id"]
        ledger.intake.complete(ACCOUNT, "all", LATER + HOUR)
        ledger.intake.complete(ACCOUNT, "all", LATER + 2 * HOUR)
        assert ledger.attention(NOW) == frozenset()

    def test_tasks_remember_when_they_were_completed(self, ledger: Ledger) -> None:
        assert ledger.intake.last(ACCOUNT, "all") is None
        ledger.intake.complete(ACCOUNT, "all", NOW)
        ledger.intake.complete(ACCOUNT, "all", LATER)
        assert ledger.intake.last(ACCOUNT, "all") == LATER
        assert ledger.intake.last(ACCOUNT, "near") is None

    def test_a_missing_resource_is_asked_for_once_and_not_again_until_somebody_new_uses_it(
        self, ledger: Ledger
    ) -> None:
        ledger.intake.record(ACCOUNT, batch(appointment("1", uses=("staff/77",)), resources=(staff(),)))
        assert not ledger.intake.lacks_resources(ACCOUNT)
        ledger.intake.record(ACCOUNT, batch(appointment("2", uses=("staff/78",))))
        assert ledger.intake.lacks_resources(ACCOUNT)
        assert ledger.intake.lacks_resources(ACCOUNT)
        ledger.intake.complete(ACCOUNT, "near", NOW)
        assert ledger.intake.lacks_resources(ACCOUNT)
        ledger.intake.complete(ACCOUNT, "resources", NOW)
        assert not ledger.intake.lacks_resources(ACCOUNT)
        ledger.intake.record(ACCOUNT, batch(appointment("3", uses=("staff/78",)), asked_at=NOW - HOUR))
        assert ledger.intake.lacks_resources(ACCOUNT)

    def test_an_appointment_is_held_by_its_id_while_it_lives(self, ledger: Ledger) -> None:
        ledger.intake.record(ACCOUNT, batch(appointment("1"), appointment("2")))
        assert ledger.intake.live(ACCOUNT, "1") == appointment("1")
        assert ledger.intake.live(ACCOUNT, "3") is None
        assert ledger.intake.live("agendize:other", "1") is None
        ledger.intake.bury(ACCOUNT, [Deletion("1", "deleted")], weak=False, asked_at=LATER)
        assert ledger.intake.live(ACCOUNT, "1") is None

    @settings(suppress_health_check=UNHARMED)
    @given(appointments)
    def test_any_appointment_comes_back_as_it_was(self, ledger: Ledger, told: Appointment) -> None:
        source = f"{ACCOUNT}/{hash(told)}"
        told = replace(told, source=source)
        ledger.intake.record(source, batch(told))
        (one,) = ledger.routing.pending(source, NOW, 10)
        assert one.appointment == told
        for kept, moment in ((one.appointment.start, told.start), (one.appointment.end, told.end)):
            assert (kept.tzinfo, kept.fold, kept.utcoffset()) == (moment.tzinfo, moment.fold, moment.utcoffset())
