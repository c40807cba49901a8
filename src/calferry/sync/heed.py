"""Ask at once for what somebody said is new: the hints that a booking system's calls leave in the ledger.

A hint is no evidence of anything: what is held changes by what the booking system answers, by the rules of a pull.
"""

from __future__ import annotations

from datetime import timedelta

from calferry.errors import Conflict, LedgerBusy, NotAuthorised, Refused, Unavailable
from calferry.model import Deletion, Found, Gone, NotFound
from calferry.ports import Clock, Hooked, Ledger, Nudge
from calferry.sync.installation import Account, Tally, Watch
from calferry.sync.pull import Pull, alone, is_due

AT_MOST = 60
"""Appointments asked for at a time."""

TRIES = 3
"""How often one is asked for; then the next pulls have to find what is new in it."""

PUT_OFF = timedelta(seconds=20)
"""How long after it was asked for in vain; twice as long after the second time."""

MISSED_EVERY = timedelta(minutes=10)
"""How often a booking system is asked which of its calls did not get through."""

MISSED = "missed"
"""The task of asking that."""

HEEDED = "hints"
"""What is counted: appointments asked for."""


def heed(account: Account, ledger: Ledger, clock: Clock, watch: Watch) -> Tally:
    """Ask for the appointments that hints named, and for those whose hints got lost. Raises Stopped.

    One that is not answered is put off; `TRIES` tries settle it, for the next pull finds what it was about. While a
    pull is at work, hints wait.
    """
    key, now = account.source.key, clock.now()
    asks = bool(account.hook()) and is_due(ledger.intake.last(key, MISSED), MISSED_EVERY, now)
    if not (asks or ledger.nudges.due(key, now, 1)):
        return Tally()
    try:
        return alone(_Heeding, account, ledger, clock, watch)
    except LedgerBusy:
        return Tally()


class _Heeding(Pull):
    """A pull of nothing but what hints named."""

    def __init__(self, account: Account, ledger: Ledger, clock: Clock, watch: Watch) -> None:
        super().__init__(account, ledger, clock, watch)
        self.nudges, self.hook = ledger.nudges, account.hook()
        self.let_in = True  # what is refused now may be the one appointment: whether we are let in, a pull finds out

    def run(self) -> None:
        self._ask_for_missed()
        nudges = self.nudges.due(self.key, self.clock.now(), AT_MOST)
        if nudges and self.intake.last(self.key, "resources") is None:
            self._refresh_resources()
        for nudge in nudges:
            self._stop_if_asked()
            self.tally.count(HEEDED)
            self._heed(nudge)
        if nudges and self.intake.lacks_resources(self.key):
            self._refresh_resources_or_go_on()
        self._bury()

    def _heed(self, nudge: Nudge) -> None:
        """Put off, or given up, before it is asked for: whatever that ends in, it is not asked for again at once."""
        if nudge.attempts + 1 < TRIES:
            self.nudges.postpone(self.key, nudge, self.clock.now() + PUT_OFF * 2**nudge.attempts)
        else:
            self.nudges.settle(self.key, [nudge])
        if self._is_answered(nudge.source_id):
            self.nudges.settle(self.key, [nudge])

    def _ask_for_missed(self) -> None:
        """Calls that did not get through are hints all the same."""
        if not (self.hook and isinstance(self.source, Hooked) and self._due(MISSED, MISSED_EVERY)):
            return
        now, last = self.clock.now(), self.intake.last(self.key, MISSED)
        self.intake.complete(self.key, MISSED, now)
        try:
            missed = self.source.missed(self.hook, (last or now) - MISSED_EVERY)
        except (Unavailable, NotAuthorised, Refused, Conflict) as error:
            self.tally.errors.append(error)
            return
        self.tally.count("missed calls", len(missed))
        self.nudges.nudge(self.key, missed, now)

    def _is_answered(self, source_id: str) -> bool:
        """Whether it was told what has become of an appointment. One that is held and not found is treated like one
        that a listing left out; one that is not held may be so new that it is not shown yet."""
        held = self.intake.live(self.key, source_id)
        match self._look_up(source_id):
            case Found(batch):
                self._record(batch)
            case Gone(evidence):
                self.gone[False].append(Deletion(source_id, evidence))
            case NotFound(evidence) if held:
                self.intake.doubt(self.key, source_id, self._now())
                self.intake.answer(self.key, self._controlled(held, evidence), self._now())
            case _:
                return False
        return True
