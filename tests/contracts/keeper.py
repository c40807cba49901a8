"""What every ledger must keep for its operator. Give `KeeperContract` a `ledger` and its `keeper`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calferry.errors import Unavailable
from calferry.keeping import Drift, DriftKind, Keeper, Trace
from calferry.model import Action, Contact, Marked, Receipt, Resource
from calferry.ports import Ledger
from tests.builders import ACCOUNT, NOW, appointment, batch, event, mark, receipt
from tests.contracts.ledger_steps import (
    CALENDAR,
    GONE,
    HOUR,
    LATER,
    MOVED,
    OTHER,
    PLACE,
    due,
    intent,
    pending,
    removed,
    settle,
    uid,
    want,
    write,
)


class KeeperContract:
    def test_what_a_lost_ledger_wrote_is_answered_for_once_it_is_adopted(self, ledger: Ledger, keeper: Keeper) -> None:
        ledger.intake.record(ACCOUNT, batch(appointment("1"), appointment("2")))
        wanted = want(ledger, "1")
        ledger.outbox.pause(CALENDAR, "closed", LATER)
        names = ("1", "2", "3")
        marks = [mark(uid(name), wanted.fingerprint, generation=2, ledger="lost") for name in names]
        found = [Marked(one, f"h{name}", '"9"') for name, one in zip(names, marks, strict=True)]
        assert keeper.former == frozenset()
        keeper.adopt(CALENDAR, "workspace", found, {ACCOUNT: "staff"}, NOW)
        assert keeper.former == {"lost"}
        assert (ledger.outbox.surveyed(CALENDAR), ledger.outbox.pauses(CALENDAR)) == (NOW, 0)
        assert ledger.outbox.holds(CALENDAR, uid("1"))
        places = {one.uid: one for one in keeper.placements(CALENDAR)}
        assert {one.generation for one in places.values()} == {2}
        assert {one.written.href for one in places.values() if one.written} == {"h1", "h2", "h3"}
        assert (places[uid("2")].route, places[uid("3")].route) == ("staff", "")
        assert due(ledger) == []
        assert {one.uid: one.rejected for one in ledger.outbox.held_back()} == {uid("2"): False, uid("3"): True}

    def test_what_was_adopted_and_has_no_place_is_routed_again_and_goes_for_its_own_reason(
        self, ledger: Ledger, keeper: Keeper
    ) -> None:
        ledger.routing.begin(ACCOUNT, "rules", "1")
        ledger.intake.record(ACCOUNT, batch(appointment("1"), appointment("2")))
        for name in ("1", "2"):
            settle(ledger, {}, name)
        assert pending(ledger) == []
        found = [Marked(mark(uid("1"), "f", ledger="lost"), "h", "e")]
        keeper.adopt(CALENDAR, "workspace", found, {ACCOUNT: "staff"}, NOW)
        (again,) = pending(ledger)
        assert (again.uid, [one.route for one in again.placements]) == (uid("1"), ["staff"])
        settle(ledger, {PLACE: MOVED}, "1")
        assert [one.wanted for one in due(ledger)] == [MOVED]

    def test_marks_of_an_adopted_ledger_count_in_later_surveys(self, ledger: Ledger, keeper: Keeper) -> None:
        keeper.adopt(OTHER, "workspace", [Marked(mark(uid("9"), "f", ledger="lost"), "h", "e")], {}, NOW)
        wanted = want(ledger, "1")
        found = [Marked(mark(uid("1"), wanted.fingerprint, ledger="lost"), "h", "e")]
        ledger.outbox.survey(CALENDAR, found, NOW)
        assert ledger.outbox.holds(CALENDAR, uid("1"))

    def test_calendars_are_known_with_the_target_that_reaches_them(self, ledger: Ledger, keeper: Keeper) -> None:
        assert keeper.calendars() == {}
        want(ledger, "1")
        assert keeper.calendars() == {CALENDAR: "workspace"}

    def test_the_source_of_an_appointment_is_known_once_it_was_told_of(self, ledger: Ledger, keeper: Keeper) -> None:
        ledger.intake.record(ACCOUNT, batch(appointment("1")))
        assert keeper.sources_of([uid("1"), uid("2")]) == {uid("1"): ACCOUNT}

    def test_what_a_verification_found_is_known_until_the_next_one_or_until_it_is_written_anew(
        self, ledger: Ledger, keeper: Keeper
    ) -> None:
        wanted = want(ledger, "1")
        write(ledger, wanted)
        missing = Drift(calendar=CALENDAR, kind=DriftKind.MISSING, id=uid("1"), reason="it is not there")
        orphan = Drift(calendar=CALENDAR, kind=DriftKind.ORPHANED, id=uid("2"), reason="nobody knows it")
        keeper.verified(CALENDAR, [missing, orphan], NOW)
        assert keeper.drifts(CALENDAR) == {(DriftKind.MISSING, uid("1")), (DriftKind.ORPHANED, uid("2"))}
        told = [one for one in ledger.attention(NOW) if one.what == "drift"]
        assert {(one.where, one.id, one.reason) for one in told} == {
            (CALENDAR, uid("1"), "it is not there"),
            (CALENDAR, uid("2"), "nobody knows it"),
        }
        write(ledger, want(ledger, "1", summary="other"))
        assert keeper.drifts(CALENDAR) == {(DriftKind.ORPHANED, uid("2"))}
        keeper.verified(CALENDAR, [], LATER)
        assert keeper.drifts(CALENDAR) == frozenset()

    def test_what_is_disowned_is_due_again_under_the_same_generation(self, ledger: Ledger, keeper: Keeper) -> None:
        wanted = {name: want(ledger, name) for name in ("1", "2")}
        for one in wanted.values():
            write(ledger, one)
        there = Marked(mark(uid("2"), wanted["2"].fingerprint, ledger=ledger.id), "h2", '"7"')
        keeper.disown(CALENDAR, {uid("1"): None, uid("2"): there, uid("3"): None}, NOW)
        again = {one.uid: one for one in due(ledger)}
        assert {name: one.generation for name, one in again.items()} == {uid("1"): 0, uid("2"): 0}
        assert again[uid("1")].written is None
        held = again[uid("2")].written
        assert held is not None
        assert (held.href, held.etag) == ("h2", '"7"')

    def test_a_removal_that_finds_nothing_is_done_and_its_identity_is_used_up(
        self, ledger: Ledger, keeper: Keeper
    ) -> None:
        write(ledger, want(ledger, "1"))
        settle(ledger, {PLACE: GONE}, "1")
        keeper.disown(CALENDAR, {uid("1"): None}, NOW)
        assert due(ledger) == []
        want(ledger, "1", summary="again")
        assert [one.generation for one in due(ledger)] == [1]

    def test_what_is_under_way_is_not_disowned(self, ledger: Ledger, keeper: Keeper) -> None:
        write(ledger, want(ledger, "1"))
        changed = want(ledger, "1", summary="other")
        ledger.outbox.intend([intent(changed, Action.UPDATE)], NOW)
        keeper.disown(CALENDAR, {uid("1"): None}, NOW)
        ledger.outbox.file([receipt(changed, CALENDAR)], NOW)
        assert ledger.outbox.holds(CALENDAR, uid("1"))

    def test_a_second_event_is_deleted_beside_its_placement_and_counts_as_a_deletion(
        self, ledger: Ledger, keeper: Keeper
    ) -> None:
        write(ledger, want(ledger, "1"))
        withdrawn = intent(uid("1"), Action.DELETE, generation=3)
        assert keeper.withdraw([withdrawn], NOW) == [withdrawn]
        assert keeper.withdraw([withdrawn], NOW) == []
        assert ledger.outbox.unsettled(CALENDAR, NOW) == [withdrawn]
        ledger.outbox.file([Receipt(calendar=CALENDAR, uid=uid("1"), fingerprint="")], NOW)
        assert ledger.outbox.unsettled(CALENDAR, NOW) == []
        assert ledger.outbox.holds(CALENDAR, uid("1"))
        assert removed(ledger, NOW) == (0, 1)

    def test_a_calendar_that_is_left_wants_nothing_and_its_appointments_are_routed_again(
        self, ledger: Ledger, keeper: Keeper
    ) -> None:
        ledger.routing.begin(ACCOUNT, "rules", "1")
        ledger.intake.record(ACCOUNT, batch(appointment("1"), appointment("2")))
        write(ledger, want(ledger, "1"))
        want(ledger, "2")
        unknown = Marked(mark(uid("3"), "f", generation=2, ledger="lost"), "h3", "e3")
        known = Marked(mark(uid("1"), "f", ledger=ledger.id), "h1", "e1")
        assert pending(ledger) == []
        keeper.leave(CALENDAR, "workspace", [unknown, known], NOW)
        going = {one.uid: one for one in due(ledger)}
        assert {name: one.approved for name, one in going.items()} == {uid("1"): True, uid("3"): True}
        assert going[uid("3")].generation == 2
        assert ledger.outbox.surveyed(CALENDAR) == NOW
        assert sorted(one.uid for one in pending(ledger)) == sorted([uid("1"), uid("2")])

    def test_an_event_is_restored_once_for_each_change_and_a_calendar_so_often_a_day(
        self, ledger: Ledger, keeper: Keeper
    ) -> None:
        for name in ("1", "2", "3"):
            write(ledger, want(ledger, name))
        gone: dict[str, Marked | None] = {uid(name): None for name in ("1", "2", "3", "4")}
        first = keeper.restore(CALENDAR, gone, NOW, 2)
        assert len(first) == 2
        assert {one.uid for one in due(ledger)} == set(first)
        assert keeper.restore(CALENDAR, gone, LATER, 2) == []
        tomorrow = NOW + 25 * HOUR
        assert set(keeper.restore(CALENDAR, gone, tomorrow, 2)) == {uid("1"), uid("2"), uid("3")} - set(first)
        assert keeper.restore(CALENDAR, gone, tomorrow + 25 * HOUR, 2) == []
        write(ledger, want(ledger, "1", summary="other"))
        assert keeper.restore(CALENDAR, gone, tomorrow + 25 * HOUR, 2) == [uid("1")]

    def test_a_deletion_that_is_respected_stays_until_something_else_is_wanted(
        self, ledger: Ledger, keeper: Keeper
    ) -> None:
        write(ledger, want(ledger, "1"))
        missing = Drift(calendar=CALENDAR, kind=DriftKind.MISSING, id=uid("1"), reason="it is not there")
        keeper.verified(CALENDAR, [missing], NOW)
        keeper.respect(CALENDAR, [uid("1")], NOW)
        assert (due(ledger), keeper.drifts(CALENDAR)) == ([], frozenset())
        assert ledger.attention(NOW) == frozenset()
        want(ledger, "1")
        assert due(ledger) == []
        want(ledger, "1", summary="other")
        assert [one.written for one in due(ledger)] == [None]

    def test_a_client_is_found_by_address_number_and_reference_however_they_are_written(
        self, ledger: Ledger, keeper: Keeper
    ) -> None:
        fiche = Resource(source=ACCOUNT, kind="customer", id="8", fields={"email": "Kim@customer.example"})
        by_fiche = appointment("2", contact=Contact(), uses=("customer/8",))
        told = (appointment("1", reference="R1"), by_fiche, appointment("3", contact=Contact()))
        ledger.intake.record(ACCOUNT, batch(*told, resources=(fiche,)))
        write(ledger, want(ledger, "1"))

        def found(**trace: str) -> list[str]:
            return [one.uid for one in keeper.find(Trace(**trace))]

        assert found(email="JO@customer.example ") == found(phone="01 00 00 00 00") == found(ref="R1") == [uid("1")]
        assert found(email="kim@customer.example") == [uid("2")]
        assert found(email="li@customer.example") == found(phone="5") == []
        (kept,) = keeper.find(Trace(ref="1"))
        assert (kept.listed, kept.calendars, kept.source_id) == (True, (CALENDAR,), "1")

    def test_what_is_erased_tells_nothing_of_its_client_any_more(self, ledger: Ledger, keeper: Keeper) -> None:
        ledger.routing.begin(ACCOUNT, "rules", "1")
        fiche = Resource(source=ACCOUNT, kind="customer", id="8", fields={"email": "jo@customer.example"})
        at_home = {"location": "Hill 7", "reschedule_url": "https://move.example/jo"}
        uses = ("staff/77", "customer/8", "company/1")
        told = appointment("1", uses=uses, description="Allergic", summary="Jo", **at_home)
        ledger.intake.record(ACCOUNT, batch(told, resources=(fiche,)))
        write(ledger, want(ledger, "1", summary="Jo", description="Allergic", location="Hill 7"))
        want(ledger, "1", summary="Jo Roy", location="Hill 7")
        keeper.erase(Trace(ref="1"), [uid("1")], NOW, suppress=False)
        (again,) = pending(ledger)
        kept = again.appointment
        assert (kept.contact, kept.summary, kept.description) == (Contact(), "", "")
        assert (kept.location, kept.reschedule_url) == ("", "")
        assert kept.uses == ("staff/77",)
        assert ledger.routing.resources(ACCOUNT, ["customer/8"]) == {}
        (place,) = due(ledger)
        assert place.wanted == event(uid("1"), summary="Appointment", description="", location="")
        assert place.before is None

    def test_the_event_before_is_forgotten_with_its_client(self, ledger: Ledger, keeper: Keeper) -> None:
        for name in ("1", "2"):
            ledger.intake.record(ACCOUNT, batch(appointment(name)))
            write(ledger, want(ledger, name, summary="Jo"))
        want(ledger, "1", summary="Jo, later")
        settle(ledger, {PLACE: GONE}, "2")
        assert {one.before.summary for one in keeper.placements(CALENDAR) if one.before} == {"Jo"}
        keeper.erase(Trace(email="jo@customer.example"), [uid("1"), uid("2")], NOW, suppress=False)
        assert {one.before for one in keeper.placements(CALENDAR)} == {None}

    def test_what_is_not_suppressed_is_told_of_again(self, ledger: Ledger, keeper: Keeper) -> None:
        ledger.intake.record(ACCOUNT, batch(appointment("1")))
        keeper.erase(Trace(ref="1"), [uid("1")], NOW, suppress=False)
        ledger.intake.record(ACCOUNT, batch(appointment("1"), asked_at=LATER))
        assert keeper.find(Trace(email="jo@customer.example"))

    def test_of_a_suppressed_client_nothing_is_recorded_ever_again(self, ledger: Ledger, keeper: Keeper) -> None:
        jo = Trace(email="jo@customer.example")
        fiche = Resource(source=ACCOUNT, kind="customer", id="8", fields={"email": "jo@customer.example"})
        ledger.intake.record(ACCOUNT, batch(appointment("1", uses=("customer/8",)), resources=(fiche,)))
        keeper.erase(jo, [uid("1")], NOW, suppress=True)
        others = Contact(email="li@customer.example")
        told = (appointment("1"), appointment("2"), appointment("3", uses=("customer/8",), contact=others))
        ledger.intake.record(
            ACCOUNT, batch(*told, appointment("4", contact=others), resources=(fiche,), asked_at=LATER)
        )
        assert keeper.find(jo) == []
        assert [one.source_id for one in keeper.find(Trace(email="li@customer.example"))] == ["4"]
        assert ledger.routing.resources(ACCOUNT, ["customer/8"]) == {}
        assert ledger.intake.live(ACCOUNT, "2")

    def test_nothing_is_erased_while_a_change_is_under_way(self, ledger: Ledger, keeper: Keeper) -> None:
        ledger.intake.record(ACCOUNT, batch(appointment("1")))
        ledger.outbox.intend([intent(want(ledger, "1"))], NOW)
        with pytest.raises(Unavailable, match="under way"):
            keeper.erase(Trace(ref="1"), [uid("1")], NOW, suppress=True)
        ledger.intake.record(ACCOUNT, batch(appointment("5"), asked_at=LATER))
        assert len(keeper.find(Trace(email="jo@customer.example"))) == 2

    def test_a_session_that_shows_a_client_is_found_with_her_and_waits_for_its_changes_too(
        self, ledger: Ledger, keeper: Keeper
    ) -> None:
        others = Contact(email="li@customer.example")
        told = (appointment("1", session="yoga"), appointment("2", session="yoga", contact=others))
        ledger.intake.record(ACCOUNT, batch(*told))
        ledger.routing.gather(ACCOUNT)
        found = keeper.find(Trace(email="jo@customer.example"))
        assert {one.source_id: one.listed for one in found} == {"1": True, "session/yoga": False}
        assert {one.source_id for one in keeper.find(Trace(ref="session/yoga"))} == {"1", "2", "session/yoga"}
        ledger.outbox.intend([intent(want(ledger, "session/yoga"))], NOW)
        with pytest.raises(Unavailable, match="under way"):
            keeper.erase(Trace(ref="1"), [one.uid for one in found], NOW, suppress=False)

    def test_a_session_is_given_its_former_uid_back_where_nothing_was_placed_under_it(
        self, ledger: Ledger, keeper: Keeper
    ) -> None:
        ledger.intake.record(ACCOUNT, batch(appointment("1", session="yoga"), appointment("2", session="yoga")))
        ledger.routing.gather(ACCOUNT)
        today = want(ledger, "session/yoga")
        assert keeper.unwritten_sessions(ACCOUNT, CALENDAR) == [today]
        assert keeper.refound(ACCOUNT, {"former": today.uid}, NOW) == ["former"]
        (named,) = keeper.unwritten_sessions(ACCOUNT, CALENDAR)
        assert named == replace(today, uid="former")
        ledger.intake.record(ACCOUNT, batch(appointment("3", session="yoga"), asked_at=LATER))
        ledger.routing.gather(ACCOUNT)
        (session,) = [one for one in pending(ledger) if one.appointment.gathered]
        assert (session.uid, len(session.placements), len(session.appointment.customers)) == ("former", 1, 3)
        want(ledger, "9")
        assert keeper.refound(ACCOUNT, {uid("9"): "former"}, NOW) == []
        write(ledger, named)
        assert keeper.unwritten_sessions(ACCOUNT, CALENDAR) == []
