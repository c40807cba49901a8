"""Carry out what a person decides on deletions that are held back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from calferry.errors import CalferryError, NotAuthorised
from calferry.model import Batch, Found
from calferry.ports import HeldBack
from calferry.sync.installation import Account, Installation, Watch
from calferry.sync.route import route


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What became of it: deletions that were decided on, uids whose deletion nobody wants any more, and by uid why the
    booking system could not be asked again."""

    decided: Sequence[HeldBack] = ()
    over: Sequence[str] = ()
    unasked: dict[str, str] = field(default_factory=dict)


def approve(installation: Installation, uids: Collection[str], watch: Watch) -> Decision:
    """Let these deletions be carried out by the next pass. The booking system is asked for each of them again first:
    what it shows by now is taken in, and nothing is approved that it could not be asked for.

    Raises LedgerBusy, Stopped.
    """
    asked = _held_back(installation, uids)
    reached = {account.source.key for account in installation.accounts}
    unasked = {
        one.uid: f"{one.source} is not in the configuration" for one in asked if one.source not in {"", *reached}
    }
    for account in installation.accounts:
        its = [(source_id, one.uid) for one in asked if one.source == account.source.key for source_id in one.asked_for]
        if its:
            unasked |= _asked_again(account, installation, its)
            route(account, installation, watch)
    decided = _decide(installation, [one for one in asked if one.uid not in unasked], approved=True)
    return replace(decided, unasked=unasked)


def reject(installation: Installation, uids: Collection[str]) -> Decision:
    """Let the events of these deletions stay, until something else is wanted there."""
    return _decide(installation, _held_back(installation, uids), approved=False)


def _held_back(installation: Installation, uids: Collection[str]) -> list[HeldBack]:
    return [one for one in installation.ledger.outbox.held_back() if one.uid in uids]


def _decide(installation: Installation, asked: Iterable[HeldBack], *, approved: bool) -> Decision:
    outbox, at = installation.ledger.outbox, installation.clock.now()
    done = {one: bool(outbox.decide(one.calendar, [one.uid], approved=approved, at=at)) for one in asked}
    return Decision(
        decided=[one for one, decided in done.items() if decided],
        over=[one.uid for one, decided in done.items() if not decided],
    )


def _asked_again(account: Account, installation: Installation, its: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Take in what the booking system shows of these source ids. Returns by uid why it could not tell.

    It is asked nothing while it is paused, nor once it did not let us in at the first try.
    """
    intake, key = installation.ledger.intake, account.source.key
    unasked: dict[str, str] = {}
    with installation.ledger.lock(key):
        closed = f"{key} is paused; resume it first" if intake.is_paused(key, installation.clock.now()) else ""
        for number, (source_id, uid) in enumerate(its):
            if closed:
                unasked[uid] = closed
                continue
            try:
                answer = account.source.look_up(source_id)
            except CalferryError as error:
                unasked[uid] = str(error)
                closed = str(error) if isinstance(error, NotAuthorised) and number == 0 else ""
                continue
            if isinstance(answer, Found):
                _take_in(account, installation, answer.batch)
    return unasked


def _take_in(account: Account, installation: Installation, batch: Batch) -> None:
    intake, key = installation.ledger.intake, account.source.key
    newest = intake.newest(key)
    floor = newest + timedelta(microseconds=1) if newest else batch.asked_at
    intake.record(key, replace(batch, asked_at=max(batch.asked_at, floor)), account.reading)
