"""What the rules make of a status policy."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from calferry.model import (
    Event,
    Owner,
    Removal,
    Status,
    Transparency,
    Why,
)
from calferry.plan import Strength, strength
from calferry.policy import Fate, Provision
from calferry.store.codec import event_of as stored_event_of
from calferry.store.codec import event_text
from tests.builders import MORNING, appointment
from tests.unit.routing import ANA, BOB, TO_OWNER, event_of, pending, placed, removal_of, routed

CANCELLED = appointment(status=Status.CANCELLED, said="cancelled")
COMPLETED = appointment(said="completed")
AFTERWARDS = MORNING + timedelta(hours=1)


def everywhere(fate: Fate) -> Provision:
    return Provision(past=fate, running=fate, future=fate)


MARKING = replace(TO_OWNER, status={"cancelled": everywhere(Fate.MARK)})
CLEARING = replace(TO_OWNER, status={"completed": Provision(past=Fate.DELETE)})


class TestStatusPolicy:
    @pytest.mark.parametrize("said", ["cancelled", "declined"])
    def test_a_route_may_mark_what_is_called_off_instead(self, said: str) -> None:
        off = replace(CANCELLED, said=said)
        marked = event_of(routed(pending(off, placed()), MARKING))
        assert marked.summary.startswith("✗ ")
        assert marked.transparency is Transparency.TRANSPARENT

    def test_what_is_called_off_is_marked_where_it_stands_and_created_nowhere(self) -> None:
        left = Removal(why=Why.CANCELLED, evidence="status cancelled")
        assert not routed(pending(CANCELLED), MARKING).wanted
        former = replace(placed(), wanted=left, written=None)
        assert removal_of(routed(pending(CANCELLED, former), MARKING)).why is Why.CANCELLED
        assert isinstance(event_of(routed(pending(CANCELLED, replace(placed(), wanted=left)), MARKING)), Event)

    def test_what_is_called_off_and_changes_its_owner_leaves_the_former_calendar_as_cancelled(self) -> None:
        moved = replace(CANCELLED, owners=(Owner(key="78"),))
        assert removal_of(routed(pending(moved, placed(ANA)), MARKING)).why is Why.CANCELLED

    def test_gone_is_gone_whatever_the_policy_keeps(self) -> None:
        route = replace(TO_OWNER, status={"accepted": everywhere(Fate.KEEP)})
        assert removal_of(routed(pending(appointment(), placed(), deletion="said so"), route)).why is Why.GONE

    def test_what_a_policy_deletes_names_its_status_and_is_braked_as_explicit(self) -> None:
        removal = removal_of(routed(pending(COMPLETED, placed()), CLEARING, now=AFTERWARDS))
        assert (removal.why, strength(removal)) == (Why.FILTERED, Strength.EXPLICIT)
        assert "status completed" in removal.evidence

    def test_time_turns_a_status_and_the_ledger_is_told_when_to_look_again(self) -> None:
        before = routed(pending(COMPLETED, placed()), CLEARING)
        assert isinstance(event_of(before), Event)
        assert before.look_again_at == MORNING + timedelta(minutes=30)
        assert routed(pending(COMPLETED, placed()), CLEARING, now=AFTERWARDS).look_again_at is None

    def test_an_ordinary_appointment_is_not_looked_at_again(self) -> None:
        assert routed(pending(appointment(), placed()), CLEARING).look_again_at is None
        assert routed(pending(COMPLETED, placed(), deletion="said so"), CLEARING).look_again_at is None

    def test_of_several_routes_the_earliest_turn_counts(self) -> None:
        at_the_start = replace(TO_OWNER, name="other", status={"completed": Provision(running=Fate.MARK)})
        assert routed(pending(COMPLETED, placed()), CLEARING, at_the_start).look_again_at == MORNING

    def test_what_only_another_policy_takes_away_is_reconfigured(self) -> None:
        changed = pending(COMPLETED, placed(), reconfigured=True)
        assert removal_of(routed(changed, CLEARING, now=AFTERWARDS)).why is Why.RECONFIGURED

    def test_a_marked_event_that_the_policy_marks_no_longer_is_reconfigured_and_stays_so(self) -> None:
        crossed_out = event_of(routed(pending(CANCELLED, placed()), MARKING))
        marked = replace(placed(), wanted=crossed_out)
        first = removal_of(routed(pending(CANCELLED, marked, reconfigured=True)))
        assert first.why is Why.RECONFIGURED
        touched = pending(replace(CANCELLED, description="edited"), replace(marked, wanted=first))
        assert removal_of(routed(touched)) == first

    @pytest.mark.parametrize(
        "shown",
        [
            everywhere(Fate.KEEP),
            replace(everywhere(Fate.MARK), busy=True),
            replace(everywhere(Fate.MARK), busy=True, shown_as=Status.CONFIRMED),
            replace(everywhere(Fate.MARK), busy=True, shown_as=Status.TENTATIVE, prefix=""),
        ],
    )
    def test_what_is_called_off_and_shown_all_the_same_is_reconfigured_however_it_looks(self, shown: Provision) -> None:
        event = event_of(routed(pending(CANCELLED, placed()), replace(TO_OWNER, status={"cancelled": shown})))
        remembered = stored_event_of(event_text(event))
        showing = pending(CANCELLED, replace(placed(), wanted=remembered), reconfigured=True)
        assert removal_of(routed(showing)).why is Why.RECONFIGURED

    def test_the_ledger_notices_that_what_it_holds_was_called_off_though_it_looks_the_same(self) -> None:
        keeping = replace(TO_OWNER, status={"cancelled": everywhere(Fate.KEEP)})
        before, after = (event_of(routed(pending(one, placed()), keeping)) for one in (appointment(), CANCELLED))
        assert replace(after, called_off=False) == before
        assert after.fingerprint != before.fingerprint

    def test_what_is_called_off_while_the_configuration_changes_leaves_as_cancelled(self) -> None:
        assert removal_of(routed(pending(CANCELLED, placed(), reconfigured=True))).why is Why.CANCELLED
        filtered = Removal(why=Why.RECONFIGURED, evidence="the configuration changed")
        waiting = replace(placed(), wanted=filtered)
        assert removal_of(routed(pending(CANCELLED, waiting))).why is Why.CANCELLED

    def test_what_the_configuration_took_away_is_not_freed_by_a_status_that_the_policy_deletes(self) -> None:
        waiting = replace(placed(), wanted=Removal(why=Why.RECONFIGURED, evidence="the configuration changed"))
        removal = removal_of(routed(pending(COMPLETED, waiting), CLEARING, now=AFTERWARDS))
        assert removal.why is Why.RECONFIGURED

    def test_a_status_changes_nothing_in_calendars_of_a_route_that_left_the_file(self) -> None:
        former = placed(BOB, route="former")
        result = routed(pending(COMPLETED, former), CLEARING, now=AFTERWARDS)
        assert not result.wanted

    def test_what_one_route_deletes_another_may_show_in_the_same_calendar(self) -> None:
        second = replace(TO_OWNER, name="second")
        assert isinstance(event_of(routed(pending(COMPLETED, placed()), CLEARING, second, now=AFTERWARDS)), Event)
