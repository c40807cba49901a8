"""Bring what a booking system says into the ledger."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from calferry.errors import CalferryError, Conflict, CursorExpired, NotAuthorised, Refused, Unavailable
from calferry.model import Answer, Appointment, Batch, Deletion, Found, Gone, LookUp, NotFound, Verdict, Window
from calferry.ports import Clock, Ledger
from calferry.sync.installation import Account, Stopped, Tally, Watch
from calferry.sync.pausing import longest_wish, pause

log = logging.getLogger(__name__)

LOOK_UPS = 500
"""The most appointments asked for by id in one pull. The others are asked for in the pulls after it, and none is taken
as gone before all were."""

LIES = 3
"""A listing contradicted by this many look-ups in a row, and confirmed by none, is not believed at all."""

CONTROLS = 3
"""How many other appointments are asked for before a not-found counts as unproven."""

VOUCHED = timedelta(days=3)
"""How long an appointment that a listing left out, and that was found by its id, is not asked for again. Longer than
the time between listings: the same few must not be asked for first every time."""

STILL_OPEN = "missing and still to be asked for"
"""What a pull counts that could not ask for all that listings left out."""

MUTE = 3
"""Look-ups without an answer, one after another, that end a pull."""

PAUSED = "paused"
"""What a pull counts that asked nothing, for its source is paused."""

WISH_AGAIN = timedelta(minutes=1)

RESOURCES_EVERY = timedelta(hours=24)

READ_EVERY = timedelta(hours=1)
"""How often it is filed that a stream was read to its end: more often would be a write a pass for nothing."""

NEAR = timedelta(days=14)
"""How far ahead the frequent reconciliation looks."""


def reading(stream: str) -> str:
    """The task of reading a stream to its end."""
    return f"read {stream}"


def pull(account: Account, ledger: Ledger, clock: Clock, watch: Watch) -> Tally:
    """Bring what the booking system says into the ledger. Raises LedgerBusy, Stopped.

    An error of the booking system is in the tally. It ends the pull, unless only a stream beside the first one failed.
    Whatever was recorded before it stays recorded, with the cursor that covers it and no other.

    A source that is paused is asked nothing. One whose first request is refused pauses, for the next would be refused
    as well; so does one that asks us to wait, wherever it does.

    Whoever wished for a pull has had it then. A pull that does not come to its end is wished for again in a minute.
    """
    key, nudges = account.source.key, ledger.nudges
    wishes = nudges.wishes(key)
    for wish in wishes:
        nudges.postpone(key, wish, clock.now() + WISH_AGAIN)
    tally = alone(Pull, account, ledger, clock, watch)
    nudges.settle(key, wishes)
    return tally


def is_due(last: datetime | None, every: timedelta, now: datetime) -> bool:
    """Whether a task is due that was last completed then."""
    return last is None or now - last >= every or last > now  # the clock was ahead when it said so


def alone(kind: type[Pull], account: Account, ledger: Ledger, clock: Clock, watch: Watch) -> Tally:
    """Run this kind of pull as the only one who asks the source. Raises LedgerBusy, Stopped."""
    key, intake = account.source.key, ledger.intake
    with ledger.lock(key):
        if intake.is_paused(key, clock.now()):
            return Tally(counts={PAUSED: 1})
        step = kind(account, ledger, clock, watch)
        refusal: NotAuthorised | None = None
        try:
            step.run()
        except CalferryError as error:
            step.tally.errors.append(error)
            refusal = error if isinstance(error, NotAuthorised) and not step.let_in else None
        if cause := refusal or longest_wish(step.tally.errors):
            pause(intake, key, cause, clock.now())
        return step.tally


class Pull:
    """One pull of one source: the steps share its source, ledger and tally."""

    def __init__(self, account: Account, ledger: Ledger, clock: Clock, watch: Watch) -> None:
        self.source, self.rhythm, self.reading = account.source, account.rhythm, account.reading
        self.key, self.intake = account.source.key, ledger.intake
        self.clock, self.watch = clock, watch
        self.tally = Tally()
        self.let_in = False
        self.mute = 0
        self.gone: dict[bool, list[Deletion]] = {False: [], True: []}  # by whether the evidence is weak
        # A clock that was set back must not make today's answers look older than yesterday's: they would be ignored.
        newest = self.intake.newest(self.key)
        self.floor = newest + timedelta(microseconds=1) if newest else clock.now()

    def run(self) -> None:
        first, *others = self.source.streams
        if self.intake.last(self.key, "resources") is None:
            self._refresh_resources()  # without any, nothing that follows has a place
        self._follow(first)
        if self._due("resources", RESOURCES_EVERY):
            self._refresh_resources_or_go_on()
        for stream in others:
            self._follow_or_go_on(stream)
        listed = self._reconcile()
        if self.intake.lacks_resources(self.key):
            self._refresh_resources_or_go_on()
        self._ask_for_unlisted()
        self._ask_again_for_quarantined()
        self._bury()
        if listed or self.intake.last(self.key, "all"):  # what was never listed whole was never pulled to its end
            self.intake.complete(self.key, "pull", self.clock.now())

    def _due(self, task: str, every: timedelta) -> bool:
        return is_due(self.intake.last(self.key, task), every, self.clock.now())

    def _record(self, batch: Batch) -> None:
        stamped = replace(batch, asked_at=max(batch.asked_at, self.floor))
        recorded = self.intake.record(self.key, stamped, self.reading)
        self._welcome()
        for what in ("new", "changed", "deleted", "quarantined"):
            self.tally.count(what, getattr(recorded, what))
        self.watch.tell("pull", len(batch.appointments))
        self._stop_if_asked()

    def _stop_if_asked(self) -> None:
        if self.watch.stopping():
            raise Stopped

    def _welcome(self) -> None:
        """It answers. What it refuses from now on is closed to us by itself: the way in is open."""
        if not self.let_in and self.intake.pauses(self.key):
            self.intake.welcome(self.key)
        self.let_in = True

    def _refresh_resources(self) -> None:
        self._record(self.source.resources())
        self.intake.complete(self.key, "resources", self.clock.now())

    def _refresh_resources_or_go_on(self) -> None:
        """Yesterday's staff and services do for today: their failing stops no appointment."""
        try:
            self._refresh_resources()
        except (Unavailable, NotAuthorised) as error:
            self.tally.errors.append(error)

    def _follow(self, stream: str) -> None:
        """Read on from the stored cursor; from the beginning when there is none or it is refused. Nothing is wiped:
        the ledger compares."""
        window = self.rhythm.window(self.clock.now())
        cursor = self.intake.cursor(self.key, stream)
        try:
            for batch in self.source.changes(stream, cursor, window):
                self._record(batch)
        except CursorExpired:
            self.tally.count("cursors expired")
            log.info("%s: the sync token is no longer known; listing everything and comparing", self.source.name)
            for batch in self.source.changes(stream, None, window):
                self._record(batch)

    def _follow_or_go_on(self, stream: str) -> None:
        """What appointments refer to may be closed to us, or in trouble: that must not keep deletions unseen. The error
        is told in every pass; the cursor stays, so that nothing is missed once the stream can be read again."""
        try:
            self._follow(stream)
        except CalferryError as error:
            self.tally.errors.append(error)
        else:
            if self._due(reading(stream), READ_EVERY):
                self.intake.complete(self.key, reading(stream), self.clock.now())

    def _reconcile(self) -> bool:
        """List a window whole, so that what is missing from it can be asked for. Only a proven slice makes anything
        unlisted. "All" is completed by proof alone; until then it is tried as often as the near days are.

        A listing that fails, one month of it even, must not keep those from being asked for that are missing already.
        Whether it was answered, or is not due.
        """
        now = self.clock.now()
        if not self._due("near", min(self.rhythm.near, self.rhythm.all)):
            return True
        if self.intake.last(self.key, "all"):  # before that, a listing that fails is tried again at once
            self.intake.complete(self.key, "near", now)
        try:
            if not self._due("all", self.rhythm.all):
                self._list_whole(Window(now, now + min(NEAR, self.rhythm.future)))
            elif self._list_whole(self.rhythm.window(now)):
                self.intake.complete(self.key, "all", now)
        except Unavailable as error:
            if error.retry_after:
                raise
            self.tally.errors.append(error)
            return False
        self.intake.complete(self.key, "near", now)
        return True

    def _list_whole(self, window: Window) -> bool:
        """Whether the listing proved that it left nothing out of the window."""
        asked_at = self._now()
        seen: set[str] = set()
        covered: list[Window] = []
        try:
            for batch in self.source.within(window):
                self._record(batch)
                seen.update(_ids(batch))
                if batch.covers:
                    covered.append(batch.covers)
        finally:
            proven = _joined(covered)
            for span in proven:
                self.tally.count("unlisted", self.intake.unlist(self.key, span, seen, asked_at))
        if proven != [window]:
            self.tally.count("unproven listings")
            log.warning("%s: a listing could not prove itself complete; nothing is concluded from it", self.source.name)
        return proven == [window]

    def _ask_for_unlisted(self) -> None:
        """Ask for unlisted appointments by their ids: only a definite answer makes one gone. What it was answered is
        filed, so that the next pull goes on where this one ends."""
        found, confirmed = 0, bool(self.intake.answers(self.key, self._now()))
        for appointment in self.intake.unlisted(self.key, self._now(), LOOK_UPS):
            self._stop_if_asked()
            answer = self._asked_for(appointment)
            if answer is None:
                found += 1
            else:
                confirmed = confirmed or answer.verdict.proves
                self.tally.count("unproven", not answer.verdict.proves)
                self.intake.answer(self.key, answer, self._now())
            if found >= LIES and not confirmed:
                self._disbelieve()
                return

    def _bury(self) -> None:
        """File all that is gone at once, when all that is missing was asked for: in portions, a glitch would slip its
        first portion past the brakes."""
        still_open = self.intake.open(self.key, self._now())
        self.tally.count(STILL_OPEN, still_open)
        for answer in () if still_open else self.intake.answers(self.key, self._now()):
            weak = answer.verdict is not Verdict.GONE
            self.gone[weak].append(Deletion(answer.source_id, answer.evidence))
        for weak, deletions in self.gone.items():
            self.intake.bury(self.key, deletions, weak=weak, asked_at=self._now())
            self.tally.count("deleted", len(deletions))

    def _now(self) -> datetime:
        return max(self.clock.now(), self.floor)

    def _asked_for(self, appointment: Appointment) -> Answer | None:
        """None when the booking system still has it (and that is filed); else what came of asking for it."""
        name = appointment.source_id
        match self._look_up(name):
            case Found(batch):
                self._record(batch)
                self.intake.vouch(self.key, name, self.clock.now() + VOUCHED)
                return None
            case Gone(evidence):
                return Answer(name, Verdict.GONE, evidence)
            case NotFound(evidence):
                return self._controlled(appointment, evidence)
            case error:
                return Answer(name, Verdict.UNANSWERED, str(error))

    def _look_up(self, source_id: str) -> LookUp | CalferryError:
        """Ask for one by its id. An error where that is not answered: this one waits. MUTE of them in a row, or one
        that asks us to wait, end the pull."""
        try:
            answer = self.source.look_up(source_id)
        except (Unavailable, NotAuthorised, Refused, Conflict) as error:
            self.mute += 1
            if self.mute >= MUTE or (isinstance(error, Unavailable) and error.retry_after):
                raise
            self.tally.errors.append(error)
            return error
        self.mute = 0
        return answer

    def _controlled(self, appointment: Appointment, evidence: str) -> Answer:
        """A not-found counts only if, right after it, another appointment of the same owner is found: else the
        account may be hidden from us."""
        for control in self.intake.controls(appointment, CONTROLS):
            if isinstance(self._look_up(control), Found):
                return Answer(appointment.source_id, Verdict.NOT_FOUND, f"{evidence}; control {control} was found")
        return Answer(appointment.source_id, Verdict.UNPROVEN, f"{evidence}; no control was found")

    def _disbelieve(self) -> None:
        log.warning("%s: a complete listing left out appointments that exist; it is not believed", self.source.name)
        self.tally.count("listings disbelieved")
        self.intake.relist(self.key)

    def _ask_again_for_quarantined(self) -> None:
        """A row that could not be read is asked for again by its id, with growing pauses."""
        for source_id, attempts in self.intake.quarantined(self.key, self._now(), LOOK_UPS):
            wait = min(timedelta(hours=1) * 2 ** min(attempts, 5), timedelta(hours=24))
            self.intake.defer(self.key, source_id, self.clock.now() + wait)
            match self._look_up(source_id):
                case Found(batch):
                    self._record(batch)
                case Gone(evidence):
                    self.gone[False].append(Deletion(source_id, evidence))
                case NotFound(evidence):
                    self._conclude(source_id, evidence)
                case _:
                    pass  # it was put off already

    def _conclude(self, source_id: str, evidence: str) -> None:
        """A row in quarantine is not found by its id. What was never read is forgotten; what is held may be gone."""
        held = self.intake.live(self.key, source_id)
        if held is None:
            self.intake.forget(self.key, source_id)
        elif (answer := self._controlled(held, evidence)).verdict.proves:
            self.gone[True].append(Deletion(source_id, answer.evidence))


def _joined(windows: Iterable[Window]) -> list[Window]:
    """The same time in as few windows as possible: what lies across two slices lies within them joined."""
    joined: list[Window] = []
    for window in sorted(windows, key=lambda one: one.start):
        if joined and window.start <= joined[-1].end:
            joined[-1] = Window(joined[-1].start, max(joined[-1].end, window.end))
        else:
            joined.append(window)
    return joined


def _ids(batch: Batch) -> Iterator[str]:
    yield from (appointment.source_id for appointment in batch.appointments)
    yield from (deletion.source_id for deletion in batch.deleted)
    yield from (row.source_id for row in batch.quarantined)
