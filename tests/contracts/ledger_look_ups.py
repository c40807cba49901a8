"""What every ledger must keep: what came of asking for unlisted appointments by their ids."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from calferry.model import Answer, Quarantined, Verdict
from calferry.ports import Ledger
from tests.builders import ACCOUNT, appointment, batch
from tests.contracts.ledger_steps import EVERYTHING, HOUR, LATER, SECOND

DAY = timedelta(days=1)
NOT_FOUND = Answer("1", Verdict.NOT_FOUND, "404; control 7 was found")
GONE = Answer("1", Verdict.GONE, "deleted")
PROOFS = [NOT_FOUND, GONE]
NO_PROOFS = [Answer("1", Verdict.UNPROVEN, "404; no control was found"), Answer("1", Verdict.UNANSWERED, "500")]


def unlist(ledger: Ledger, *names: str) -> None:
    ledger.intake.record(ACCOUNT, batch(*(appointment(name) for name in names)))
    assert ledger.intake.unlist(ACCOUNT, EVERYTHING, set(), LATER) == len(names)


def due(ledger: Ledger, now: datetime, limit: int = 10) -> list[str]:
    return [one.source_id for one in ledger.intake.unlisted(ACCOUNT, now, limit)]


def proofs(ledger: Ledger, now: datetime) -> Sequence[Answer]:
    return ledger.intake.answers(ACCOUNT, now)


class LookUpsContract:
    @pytest.mark.parametrize("answer", PROOFS)
    def test_a_proof_counts_for_an_hour_and_is_then_asked_for_anew(self, ledger: Ledger, answer: Answer) -> None:
        unlist(ledger, "1", "2")
        assert ledger.intake.open(ACCOUNT, LATER) == 2
        ledger.intake.answer(ACCOUNT, answer, LATER)
        assert (proofs(ledger, LATER), due(ledger, LATER), ledger.intake.open(ACCOUNT, LATER)) == ([answer], ["2"], 1)
        stale = LATER + HOUR
        assert proofs(ledger, stale - SECOND) == [answer]
        assert (proofs(ledger, stale), due(ledger, stale), ledger.intake.open(ACCOUNT, stale)) == ([], ["2", "1"], 2)

    @pytest.mark.parametrize("answer", PROOFS)
    def test_a_proof_that_another_one_confirms_counts_for_three_days(self, ledger: Ledger, answer: Answer) -> None:
        unlist(ledger, "1")
        ledger.intake.answer(ACCOUNT, answer, LATER)
        again = LATER + 2 * HOUR
        ledger.intake.answer(ACCOUNT, NOT_FOUND, again)
        assert proofs(ledger, again + 3 * DAY - SECOND) == [NOT_FOUND]
        assert (proofs(ledger, again + 3 * DAY), due(ledger, again + 3 * DAY)) == ([], ["1"])

    @pytest.mark.parametrize("answer", NO_PROOFS)
    def test_what_proves_nothing_is_an_answer_and_is_asked_for_again_in_an_hour_when_nobody_waits(
        self, ledger: Ledger, answer: Answer
    ) -> None:
        unlist(ledger, "1", "2")
        ledger.intake.answer(ACCOUNT, answer, LATER)
        assert (proofs(ledger, LATER), due(ledger, LATER), ledger.intake.open(ACCOUNT, LATER)) == ([], ["2"], 1)
        again = LATER + HOUR
        assert (due(ledger, again), due(ledger, again, 1), ledger.intake.open(ACCOUNT, again)) == (["2", "1"], ["2"], 1)
        for _ in range(2):
            ledger.intake.answer(ACCOUNT, answer, again)
        assert due(ledger, again + HOUR) == ["2", "1"]

    def test_a_proof_that_the_next_answer_does_not_bear_out_counts_no_more(self, ledger: Ledger) -> None:
        unlist(ledger, "1")
        ledger.intake.answer(ACCOUNT, GONE, LATER)
        ledger.intake.answer(ACCOUNT, NO_PROOFS[0], LATER)
        assert proofs(ledger, LATER) == []
        ledger.intake.answer(ACCOUNT, GONE, LATER)
        assert proofs(ledger, LATER + HOUR) == []

    def test_what_is_listed_again_or_was_never_unlisted_has_no_answer(self, ledger: Ledger) -> None:
        unlist(ledger, "1", "2", "3")
        for name in ("1", "2", "3", "4"):
            ledger.intake.answer(ACCOUNT, Answer(name, Verdict.GONE, "deleted"), LATER)
        unread = Quarantined("2", "no end")
        ledger.intake.record(ACCOUNT, batch(appointment("1"), quarantined=(unread,), asked_at=LATER))
        assert [one.source_id for one in proofs(ledger, LATER)] == ["3"]
        ledger.intake.relist(ACCOUNT)
        assert proofs(ledger, LATER) == []
        ledger.intake.unlist(ACCOUNT, EVERYTHING, set(), LATER + HOUR)
        assert len(due(ledger, LATER + HOUR)) == ledger.intake.open(ACCOUNT, LATER + HOUR) == 3
        assert proofs(ledger, LATER) == []
