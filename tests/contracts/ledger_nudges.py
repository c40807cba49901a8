"""What every ledger must keep: nudges."""

from __future__ import annotations

from calferry.ports import Ledger
from tests.builders import ACCOUNT, NOW, appointment, batch
from tests.contracts.ledger_steps import EVERYTHING, HOUR, LATER, SECOND

OTHER_ACCOUNT = "agendize:another"


def named(ledger: Ledger) -> list[str]:
    return [one.source_id for one in ledger.nudges.due(ACCOUNT, NOW, 10)]


class NudgesContract:
    def test_a_nudge_is_seen_by_whoever_looks_and_names_what_is_new(self, ledger: Ledger) -> None:
        assert ledger.nudges.nudged(NOW) == []
        ledger.nudges.nudge(ACCOUNT, ["7", "8"], NOW)
        ledger.nudges.nudge(OTHER_ACCOUNT, [""], NOW)
        assert sorted(ledger.nudges.nudged(NOW)) == [(ACCOUNT, False), (OTHER_ACCOUNT, True)]
        assert (named(ledger), ledger.nudges.wishes(ACCOUNT)) == (["7", "8"], [])
        assert [one.source_id for one in ledger.nudges.wishes(OTHER_ACCOUNT)] == [""]

    def test_many_nudges_about_one_appointment_are_one(self, ledger: Ledger) -> None:
        for _ in range(5):
            ledger.nudges.nudge(ACCOUNT, ["7", "7"], NOW)
        assert named(ledger) == ["7"]

    def test_what_is_settled_is_gone_unless_it_was_said_again_meanwhile(self, ledger: Ledger) -> None:
        ledger.nudges.nudge(ACCOUNT, ["7", "8"], NOW)
        taken = ledger.nudges.due(ACCOUNT, NOW, 10)
        ledger.nudges.nudge(ACCOUNT, ["8"], NOW)
        ledger.nudges.settle(ACCOUNT, taken)
        assert named(ledger) == ["8"]

    def test_one_that_is_put_off_counts_its_attempts_until_it_is_said_again(self, ledger: Ledger) -> None:
        ledger.nudges.nudge(ACCOUNT, ["7"], NOW)
        (nudge,) = ledger.nudges.due(ACCOUNT, NOW, 1)
        ledger.nudges.postpone(ACCOUNT, nudge, LATER)
        assert (named(ledger), ledger.nudges.nudged(LATER - SECOND)) == ([], [])
        assert [one.attempts for one in ledger.nudges.due(ACCOUNT, LATER, 1)] == [1]
        ledger.nudges.nudge(ACCOUNT, ["7"], NOW)
        assert [one.attempts for one in ledger.nudges.due(ACCOUNT, NOW, 1)] == [0]

    def test_one_in_doubt_is_unlisted_whoever_vouched_for_it_and_nothing_else_is(self, ledger: Ledger) -> None:
        ledger.intake.record(ACCOUNT, batch(appointment("1"), appointment("2")))
        ledger.intake.vouch(ACCOUNT, "1", LATER + HOUR)
        for name in ("1", "1", "3"):
            ledger.intake.doubt(ACCOUNT, name, LATER)
        assert [one.source_id for one in ledger.intake.unlisted(ACCOUNT, LATER, 10)] == ["1"]
        assert ledger.intake.open(ACCOUNT, LATER) == 1
        assert ledger.intake.unlist(ACCOUNT, EVERYTHING, {"1"}, LATER) == 1
