"""Bring what a booking system says into the ledger."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from calferry.errors import CalferryError, Conflict, CursorExpired, NotAuthorised, Refused, Unavailable
from calferry.model import Appointment, Batch, Deletion, Found, Gone, LookUp, NotFound, Window
from calferry.ports import Clock, Ledger
from calferry.sync.installation import Account, Stopped, Tally, Watch

log = logging.getLogger(__name__)

LOOK_UPS = 500
"""The most appointments asked for by id in one pull. When more than that are missing at once, none is taken as gone."""

LIES = 3
"""A listing contradicted by this many look-ups in a row, and confirmed by none, is not believed at all."""

CONTROLS = 3
"""How many other appointments are asked for before a not-found counts as unproven."""

VOUCHED = timedelta(days=3)
"""How long an appointment that a listing left out, and that was found by its id, is not asked for again. Longer than
the time between listings: the same few must not be asked for first every time."""

MUTE = 3
"""Look-ups without an answer, one after another, that end a pull."""

RESOURCES_EVERY = timedelta(hours=24)

READ_EVERY = timedelta(hours=1)
"""How often it is filed that a stream was read to its end: more often would be a write a pass for nothing."""

NEAR = timedelta(days=14)
"""How far ahead the frequent reconciliation looks."""


@dataclass(frozen=True, slots=True)
class _Absence:
    """The booking system does not show an appointment; without `evidence` that proves nothing."""

    evidence: str
    weak: bool = False


def reading(stream: str) -> str:
    """The task of reading a stream to its end."""
    return f"read {stream}"


def pull(account: Account, ledger: Ledger, clock: Clock, watch: Watch) -> Tally:
    """Bring what the booking system says into the ledger. Raises LedgerBusy, Stopped.

    An error of the booking system is in the tally. It ends the pull, unless only a stream beside the first one failed.
    Whatever was recorded before it stays recorded, with the cursor that covers it and no other.
    """
    with ledger.lock(account.source.key):
        step = _Pull(account, ledger, clock, watch)
        try:
            step.run()
        except CalferryError as error:
            step.tally.errors.append(error)
        return step.tally


class _Pull:
    """One pull of one source: the steps share its source, ledger and tally."""

    def __init__(self, account: Account, ledger: Ledger, clock: Clock, watch: Watch) -> None:
        self.source, self.rhythm = account.source, account.rhythm
        self.key, self.intake = account.source.key, ledger.intake
        self.clock, self.watch = clock, watch
        self.tally = Tally()
        self.mute = 0
        self.gone: dict[bool, list[Deletion]] = {False: [], True: []}  # by whether the evidence is weak
        # A clock that was set back must not make today's answers look older than yesterday's: they would be ignored.
        newest = self.intake.newest(self.key)
        self.floor = newest + timedelta(microseconds=1) if newest else clock.now()

    def run(self) -> None:
        if self._due("resources", RESOURCES_EVERY):
            self._refresh_resources_or_go_on()
        first, *others = self.source.streams
        self._follow(first)
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
        last = self.intake.last(self.key, task)
        now = self.clock.now()
        return last is None or now - last >= every or last > now  # the clock was ahead when it said so

    def _record(self, batch: Batch) -> None:
        recorded = self.intake.record(self.key, replace(batch, asked_at=max(batch.asked_at, self.floor)))
        for what in ("new", "changed", "deleted", "quarantined"):
            self.tally.count(what, getattr(recorded, what))
        self.watch.tell("pull", len(batch.appointments))
        if self.watch.stopping():
            raise Stopped

    def _refresh_resources(self) -> None:
        self._record(self.source.resources())
        self.intake.complete(self.key, "resources", self.clock.now())

    def _refresh_resources_or_go_on(self) -> None:
        """Yesterday's staff and services do for today: their failing stops no appointment, once there are any."""
        try:
            self._refresh_resources()
        except (Unavailable, NotAuthorised) as error:
            if self.intake.last(self.key, "resources") is None:
                raise
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
            self.tally.errors.append(error)
            return False
        self.intake.complete(self.key, "near", now)
        return True

    def _list_whole(self, window: Window) -> bool:
        """Whether the listing proved that it left nothing out of the window."""
        asked_at = max(self.clock.now(), self.floor)
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
        """Ask for every unlisted appointment by its id: only a definite answer makes it gone."""
        unlisted = self.intake.unlisted(self.key, max(self.clock.now(), self.floor), LOOK_UPS + 1)
        too_many = len(unlisted) > LOOK_UPS
        found = 0
        gone: dict[bool, list[Deletion]] = {False: [], True: []}
        for appointment in unlisted[:LIES] if too_many else unlisted:
            absence = self._looked_up(appointment)
            if absence is None:
                found += 1
            elif absence.evidence:
                gone[absence.weak].append(Deletion(appointment.source_id, absence.evidence))
            if found >= LIES and not any(gone.values()):
                self._disbelieve()
                return
        if too_many:
            msg = f"more than {LOOK_UPS} appointments left {self.source.name}'s listings; none is taken as gone"
            self.tally.errors.append(Unavailable(msg))
            return
        for weak, deletions in gone.items():
            self.gone[weak].extend(deletions)

    def _bury(self) -> None:
        """File all that is gone at once: in portions, a glitch would slip its first portion past the brakes."""
        for weak, deletions in self.gone.items():
            self.intake.bury(self.key, deletions, weak=weak, asked_at=max(self.clock.now(), self.floor))
            self.tally.count("deleted", len(deletions))

    def _looked_up(self, appointment: Appointment) -> _Absence | None:
        """None when the booking system still has it (and the answer is filed); else what proves that it has not."""
        match self._look_up(appointment.source_id):
            case Found(batch):
                self._record(batch)
                self.intake.vouch(self.key, appointment.source_id, self.clock.now() + VOUCHED)
                return None
            case Gone(evidence):
                return _Absence(evidence)
            case NotFound(evidence) if proof := self._controlled(appointment, evidence):
                return proof
            case _:
                self.tally.count("unproven")
                self.intake.defer(self.key, appointment.source_id, self.clock.now() + timedelta(hours=1))
                return _Absence("")

    def _look_up(self, source_id: str) -> LookUp | None:
        """Ask for one by its id. None when that is not answered: this one waits, and MUTE in a row end the pull."""
        try:
            answer = self.source.look_up(source_id)
        except (Unavailable, NotAuthorised, Refused, Conflict) as error:
            self.mute += 1
            if self.mute >= MUTE:
                raise
            self.tally.errors.append(error)
            return None
        self.mute = 0
        return answer

    def _controlled(self, appointment: Appointment, evidence: str) -> _Absence | None:
        """A not-found counts only if, right after it, another appointment of the same owner is found: else the
        account may be hidden from us."""
        for control in self.intake.controls(appointment, CONTROLS):
            if isinstance(self._look_up(control), Found):
                return _Absence(f"{evidence}; control {control} was found", weak=True)
        return None

    def _disbelieve(self) -> None:
        log.warning("%s: a complete listing left out appointments that exist; it is not believed", self.source.name)
        self.tally.count("listings disbelieved")
        self.intake.relist(self.key)

    def _ask_again_for_quarantined(self) -> None:
        """A row that could not be read is asked for again by its id, with growing pauses."""
        for source_id, attempts in self.intake.quarantined(self.key, max(self.clock.now(), self.floor), LOOK_UPS):
            pause = min(timedelta(hours=1) * 2 ** min(attempts, 5), timedelta(hours=24))
            self.intake.defer(self.key, source_id, self.clock.now() + pause)
            match self._look_up(source_id):
                case Found(batch):
                    self._record(batch)
                case Gone(evidence):
                    self.gone[False].append(Deletion(source_id, evidence))
                case NotFound(evidence):
                    self._conclude(source_id, evidence)
                case None:
                    pass  # it was put off already

    def _conclude(self, source_id: str, evidence: str) -> None:
        """A row in quarantine is not found by its id. What was never read is forgotten; what is held may be gone."""
        held = self.intake.live(self.key, source_id)
        if held is None:
            self.intake.forget(self.key, source_id)
        elif proof := self._controlled(held, evidence):
            self.gone[proof.weak].append(Deletion(source_id, proof.evidence))


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
