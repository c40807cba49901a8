"""Bring what a booking system says into the ledger."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from calferry.errors import CalferryError, CursorExpired, Unavailable
from calferry.model import Appointment, Batch, Found, Gone, NotFound, Window
from calferry.ports import Clock, Ledger
from calferry.sync.installation import Account, Stopped, Tally, Watch

log = logging.getLogger(__name__)

LOOK_UPS = 50
"""Unlisted appointments asked for by id in one pull; the rest waits for the next."""

LIES = 3
"""A listing contradicted by this many look-ups in a row, and confirmed by none, is not believed at all."""

RESOURCES_EVERY = timedelta(hours=24)

NEAR = timedelta(days=14)
"""How far ahead the frequent reconciliation looks."""


def pull(account: Account, ledger: Ledger, clock: Clock, watch: Watch) -> Tally:
    """Bring what the booking system says into the ledger. Raises LedgerBusy, Stopped.

    An error of the booking system ends the pull and is in the tally. Whatever was recorded before it stays recorded,
    with the cursor that covers it and no other.
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

    def run(self) -> None:
        if self._due("resources", RESOURCES_EVERY):
            self._refresh_resources_or_go_on()
        for stream in self.source.streams:
            self._follow(stream)
        self._reconcile()
        if self.intake.lacks_resources(self.key):
            self._refresh_resources()
        self._ask_again_for_quarantined()
        self._ask_for_unlisted()
        self.intake.complete(self.key, "pull", self.clock.now())

    def _due(self, task: str, every: timedelta) -> bool:
        last = self.intake.last(self.key, task)
        return last is None or self.clock.now() - last >= every

    def _record(self, batch: Batch) -> None:
        recorded = self.intake.record(self.key, batch)
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
        except Unavailable as error:
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

    def _reconcile(self) -> None:
        """List a window whole, so that what is missing from it can be asked for. Only a proven slice makes anything
        unlisted."""
        now = self.clock.now()
        if self._due("all", self.rhythm.all):
            self._list_whole(self.rhythm.window(now))
            self.intake.complete(self.key, "all", now)
        elif self._due("near", self.rhythm.near):
            self._list_whole(Window(now, now + min(NEAR, self.rhythm.future)))
        else:
            return
        self.intake.complete(self.key, "near", now)

    def _list_whole(self, window: Window) -> None:
        asked_at = self.clock.now()
        seen: set[str] = set()
        covered: list[Window] = []
        for batch in self.source.within(window):
            self._record(batch)
            seen.update(_ids(batch))
            if batch.covers:
                covered.append(batch.covers)
        for slice_ in covered:
            self.tally.count("unlisted", self.intake.unlist(self.key, slice_, seen, asked_at))

    def _ask_for_unlisted(self) -> None:
        """Ask for every unlisted appointment by its id: only a definite answer makes it gone."""
        found: list[str] = []
        confirmed = 0
        for appointment in self.intake.unlisted(self.key, self.clock.now(), LOOK_UPS):
            if self._is_there(appointment):
                found.append(appointment.source_id)
            else:
                confirmed += 1
            if len(found) >= LIES and not confirmed:
                self._disbelieve()
                return

    def _disbelieve(self) -> None:
        log.warning("%s: a complete listing left out appointments that exist; it is not believed", self.source.name)
        self.tally.count("listings disbelieved")
        self.intake.relist(self.key)

    def _is_there(self, appointment: Appointment) -> bool:
        """Look an unlisted appointment up, file the answer, and say whether the booking system still has it."""
        asked_at = self.clock.now()
        source_id = appointment.source_id
        match self.source.look_up(source_id):
            case Found(batch):
                self._record(batch)
                return True
            case Gone(evidence):
                self._bury(source_id, evidence, weak=False, asked_at=asked_at)
            case NotFound(evidence):
                self._bury_if_controlled(appointment, evidence, asked_at)
        return False

    def _bury_if_controlled(self, appointment: Appointment, evidence: str, asked_at: datetime) -> None:
        """A not-found counts only if, right after it, another appointment of the same owner is found: else the
        account may be hidden from us."""
        control = self.intake.control(appointment)
        if control is not None and isinstance(self.source.look_up(control), Found):
            text = f"{evidence}; control {control} was found"
            self._bury(appointment.source_id, text, weak=True, asked_at=asked_at)
        else:
            self.tally.count("unproven")
            self.intake.defer(self.key, appointment.source_id, self.clock.now() + timedelta(hours=1))

    def _bury(self, source_id: str, evidence: str, *, weak: bool, asked_at: datetime) -> None:
        self.intake.bury(self.key, source_id, evidence, weak=weak, asked_at=asked_at)
        self.tally.count("deleted")

    def _ask_again_for_quarantined(self) -> None:
        """A row that could not be read is asked for again by its id, with growing pauses."""
        for source_id, attempts in self.intake.quarantined(self.key, self.clock.now(), LOOK_UPS):
            answer = self.source.look_up(source_id)
            if isinstance(answer, Found):
                self._record(answer.batch)
            pause = min(timedelta(hours=1) * 2**attempts, timedelta(hours=24))
            self.intake.defer(self.key, source_id, self.clock.now() + pause)


def _ids(batch: Batch) -> Iterator[str]:
    yield from (appointment.source_id for appointment in batch.appointments)
    yield from (deletion.source_id for deletion in batch.deleted)
    yield from (row.source_id for row in batch.quarantined)
