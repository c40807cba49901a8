"""What every ledger must keep: sessions, made of their bookings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from calferry.model import Appointment, Contact, Deletion, Status
from calferry.ports import Ledger, Pending, Routed
from tests.builders import ACCOUNT, NOW, appointment, batch, event, staff
from tests.contracts.ledger_steps import EVERYTHING, GONE, HOUR, LATER, PLACE, pending, uid, write

EVENING, MORNING = "5/77/evening", "5/77/morning"


def booking(source_id: str, session: str = EVENING, **changes: Any) -> Appointment:
    return appointment(source_id, session=session, contact=Contact(first_name=f"Jo {source_id}"), **changes)


def record(ledger: Ledger, *told: Appointment, at: datetime = NOW) -> None:
    ledger.intake.record(ACCOUNT, batch(*told, asked_at=at))


def sessions(ledger: Ledger) -> list[Pending]:
    """Gathered, and what of it is to be routed."""
    ledger.routing.gather(ACCOUNT)
    return [one for one in pending(ledger) if one.appointment.gathered]


def settle_all(ledger: Ledger) -> None:
    routed = [Routed(uid=one.uid, revision=one.revision, wanted={}) for one in pending(ledger)]
    ledger.routing.settle(ACCOUNT, routed)


class SessionsContract:
    def test_bookings_that_share_a_session_make_one_appointment(self, ledger: Ledger) -> None:
        record(ledger, booking("1"), booking("2"), booking("3", MORNING), appointment("4"))
        told = sessions(ledger)
        assert [one.appointment.source_id for one in told] == [f"session/{EVENING}", f"session/{MORNING}"]
        assert [len(one.appointment.customers) for one in told] == [2, 1]
        assert {one.appointment.source_id for one in pending(ledger)} >= {"1", "2", "3", "4"}

    def test_a_session_keeps_its_uid_while_its_bookings_come_go_and_move(self, ledger: Ledger) -> None:
        record(ledger, booking("1"), booking("2"))
        (first,) = sessions(ledger)
        settle_all(ledger)
        record(ledger, booking("1", status=Status.CANCELLED), booking("3"), at=LATER)
        (second,) = sessions(ledger)
        settle_all(ledger)
        record(ledger, booking("2", MORNING), booking("3", MORNING), at=LATER + HOUR)
        (third,) = sessions(ledger)
        assert first.uid == second.uid == third.uid
        assert (third.appointment.session, len(third.appointment.customers)) == (MORNING, 2)

    def test_gathering_again_changes_nothing(self, ledger: Ledger) -> None:
        record(ledger, booking("1"))
        before = [(one.uid, one.appointment) for one in sessions(ledger)]
        assert [(one.uid, one.appointment) for one in sessions(ledger)] == before
        settle_all(ledger)
        assert sessions(ledger) == []
        assert pending(ledger) == []

    def test_another_basis_looks_at_sessions_too(self, ledger: Ledger) -> None:
        ledger.routing.begin(ACCOUNT, "rules", "1")
        record(ledger, booking("1"))
        sessions(ledger)
        settle_all(ledger)
        ledger.routing.begin(ACCOUNT, "other rules", "1")
        assert [one.reconfigured for one in sessions(ledger)] == [True]

    def test_a_resource_that_changed_is_a_change_of_the_session(self, ledger: Ledger) -> None:
        record(ledger, booking("1"))
        sessions(ledger)
        settle_all(ledger)
        ledger.intake.record(ACCOUNT, batch(resources=(staff(),), asked_at=LATER))
        (again,) = sessions(ledger)
        assert again.appointment.uses == ("staff/77", "service/5")

    def test_a_session_is_gone_when_the_last_booking_is(self, ledger: Ledger) -> None:
        record(ledger, booking("1"), booking("2"))
        sessions(ledger)
        settle_all(ledger)
        ledger.intake.bury(ACCOUNT, [Deletion("1", "404; control found")], weak=True, asked_at=LATER)
        (left,) = sessions(ledger)
        assert (left.deletion, len(left.appointment.customers)) == ("", 1)
        settle_all(ledger)
        ledger.intake.bury(ACCOUNT, [Deletion("2", "404; control found")], weak=True, asked_at=LATER)
        (gone,) = sessions(ledger)
        assert (gone.deletion, gone.deletion_weak) == ("its last booking, 2: 404; control found", True)

    def test_a_session_is_neither_unlisted_nor_a_control_nor_missing_resources(self, ledger: Ledger) -> None:
        record(ledger, booking("1"), booking("2"))
        sessions(ledger)
        assert ledger.intake.unlist(ACCOUNT, EVERYTHING, {"1", "2"}, LATER) == 0
        assert ledger.intake.controls(booking("1"), 3) == ["2"]

    def test_a_new_session_where_one_was_founded_that_moved_on_has_another_uid(self, ledger: Ledger) -> None:
        record(ledger, booking("1"))
        (first,) = sessions(ledger)
        settle_all(ledger)
        record(ledger, booking("1", MORNING), booking("2"), at=LATER)
        told = {one.appointment.session: one.uid for one in sessions(ledger)}
        assert told[MORNING] == first.uid
        assert told[EVENING] == uid(f"session/{EVENING}/1")

    def test_a_deletion_of_a_session_that_is_held_back_asks_for_its_bookings(self, ledger: Ledger) -> None:
        record(ledger, booking("1"), booking("2"))
        (session,) = sessions(ledger)
        shown = Routed(uid=session.uid, revision=session.revision, wanted={PLACE: event(session.uid)})
        ledger.routing.settle(ACCOUNT, [shown])
        write(ledger, event(session.uid))
        ledger.routing.settle(ACCOUNT, [Routed(uid=session.uid, revision=session.revision, wanted={PLACE: GONE})])
        ledger.outbox.park(PLACE[0], [session.uid], "20 %", NOW)
        (one,) = ledger.outbox.held_back()
        assert (one.source_id, one.asked_for) == (f"session/{EVENING}", ("1", "2"))
