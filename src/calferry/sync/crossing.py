"""One pass over everything: `bring` (pull and route), then `deliver` (write and clear)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from calferry.errors import PARKED, CalferryError, gravest
from calferry.ports import Attention, Expiring, Expiry
from calferry.sync.heed import HEEDED, heed
from calferry.sync.installation import Account, Installation, Stopped, Tally, Watch
from calferry.sync.pull import pull, reading
from calferry.sync.push import EVERYTHING, Choice, clear, due_by_target, lanes, out_of_reach, park, write
from calferry.sync.route import route

log = logging.getLogger(__name__)

NEVER = datetime.min.replace(tzinfo=UTC)

UNREAD = timedelta(hours=24)
"""A stream beside the first that could not be read for that long is told of."""


SOON = timedelta(days=30)
"""How long before a credential ends it is told of."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What one pass did: what was pulled by source name, what was pushed over all, and what waits for a person.

    `new` is the part of `attention` that the pass before did not leave behind.
    """

    pulled: Mapping[str, Tally]
    pushed: Tally
    attention: frozenset[Attention]
    new: frozenset[Attention]

    @property
    def errors(self) -> tuple[CalferryError, ...]:
        pulled = (error for tally in self.pulled.values() for error in tally.errors)
        return (*pulled, *self.pushed.errors)

    @property
    def exit_code(self) -> int:
        """The gravest of what happened; what already waited for a person before does not count again."""
        codes = {error.exit_code for error in self.errors}
        return gravest(codes | {PARKED if one.parked else 1 for one in self.new})


def run(installation: Installation, watch: Watch) -> Report:
    """One pass over everything: pull and route every source, then write and clear every calendar.

    A booking system that is down stops no calendar; a calendar that is down stops no pull and no other calendar.
    Raises Stopped.
    """
    before = attention_of(installation) | _silent(installation, at_last_pull=True)
    pulled = bring(installation, watch)
    pushed = deliver(installation, watch)
    attention = waiting(installation)
    return Report(pulled=pulled, pushed=pushed, attention=attention, new=attention - before)


def waiting(installation: Installation) -> frozenset[Attention]:
    """All that waits for a person."""
    return attention_of(installation) | _silent(installation)


def _silent(installation: Installation, *, at_last_pull: bool = False) -> frozenset[Attention]:
    """What nobody tells until it is too late."""
    return (
        unproven(installation, at_last_pull=at_last_pull)
        | unread(installation, at_last_pull=at_last_pull)
        | expiring(installation, at_last_pull=at_last_pull)
    )


def attention_of(installation: Installation) -> frozenset[Attention]:
    return installation.ledger.attention(installation.clock.now()) | out_of_reach(installation)


def unproven(installation: Installation, *, at_last_pull: bool = False) -> frozenset[Attention]:
    """Accounts that are pulled, but none of whose listings has proven itself complete for two rounds: by now, or
    when they were last pulled."""
    reason = "no listing proves itself complete: a deletion that the booking system does not announce stays unseen"
    return frozenset(
        Attention(where=account.source.key, what="unproven", id="", reason=reason)
        for account in installation.accounts
        if _is_unproven(account, installation, at_last_pull=at_last_pull)
    )


def _is_unproven(account: Account, installation: Installation, *, at_last_pull: bool) -> bool:
    intake, key = installation.ledger.intake, account.source.key
    pulled, proven = intake.last(key, "pull"), intake.last(key, "all") or NEVER
    if pulled is None:
        return False
    return _by(pulled, account, installation, at_last_pull=at_last_pull) - proven > 2 * account.rhythm.all


def _by(pulled: datetime, account: Account, installation: Installation, *, at_last_pull: bool) -> datetime:
    """By when an account is judged that was last pulled then. One that is paused tells nothing, and that is known."""
    now = installation.clock.now()
    return pulled if at_last_pull or installation.ledger.intake.is_paused(account.source.key, now) else now


def unread(installation: Installation, *, at_last_pull: bool = False) -> frozenset[Attention]:
    """Streams, but for the first, of accounts that are pulled, which could not be read to their end for a day, or ever:
    by now, or when their account was last pulled."""
    reason = "it could not be read for a day or longer; what calendars show of it may be out of date or missing"
    return frozenset(
        Attention(where=account.source.key, what="unread", id=stream, reason=reason)
        for account in installation.accounts
        for stream in _unread_streams(account, installation, at_last_pull=at_last_pull)
    )


def expiring(installation: Installation, *, at_last_pull: bool = False) -> frozenset[Attention]:
    """Targets whose credential ends within 30 days, or has ended: by now, or when anything was last pulled."""
    last = installation.ledger.intake.last
    pulled = (last(account.source.key, "pull") for account in installation.accounts)
    by = max(filter(None, pulled), default=NEVER) if at_last_pull else installation.clock.now()
    return frozenset(
        Attention(where=f"targets.{name}", what="expiring", id="", reason=ending)
        for name, target in installation.targets.items()
        if isinstance(target, Expiring) and (ending := soon(target.expiry(), by))
    )


def soon(expiry: Expiry | None, now: datetime) -> str:
    """The same sentence from 30 days before a credential ends; empty before that, or where nothing is known."""
    if expiry is None or expiry.at - now > SOON:
        return ""
    return f"{expiry.what} ends on {expiry.at:%Y-%m-%d}; {expiry.remedy}"


def told_at(account: Account, installation: Installation) -> datetime | None:
    """Since when (UTC) all that an account tells is held: its last pull, or the last reading of a stream that is unread
    by now. A stream that was never read is missing, and makes nothing out of date. None before the first pull."""
    key, last = account.source.key, installation.ledger.intake.last
    read = (last(key, reading(stream)) for stream in _unread_streams(account, installation))
    return min((moment for moment in (last(key, "pull"), *read) if moment), default=None)


def _unread_streams(account: Account, installation: Installation, *, at_last_pull: bool = False) -> Iterator[str]:
    key, last = account.source.key, installation.ledger.intake.last
    pulled = last(key, "pull")
    if pulled is None:
        return
    by = _by(pulled, account, installation, at_last_pull=at_last_pull)
    for stream in account.source.streams[1:]:
        if by - (last(key, reading(stream)) or NEVER) > UNREAD:
            yield stream


def bring(installation: Installation, watch: Watch) -> dict[str, Tally]:
    """Pull and route every source, by name. Raises Stopped."""
    return {account.source.name: bring_from(account, installation, watch) for account in installation.accounts}


def bring_from(account: Account, installation: Installation, watch: Watch) -> Tally:
    """Pull and route one source. What it cannot tell stays as it was. Raises Stopped."""
    tally = _guarded(partial(pull, account, installation.ledger, installation.clock, watch))
    tally.add(_guarded(partial(route, account, installation, watch)))
    return tally


def bring_hinted(account: Account, installation: Installation, watch: Watch) -> Tally:
    """The same for what hints named alone. Raises Stopped."""
    tally = _guarded(partial(heed, account, installation.ledger, installation.clock, watch))
    if tally[HEEDED]:
        tally.add(_guarded(partial(route, account, installation, watch)))
    return tally


def deliver(installation: Installation, watch: Watch, targets: Collection[str] | None = None) -> Tally:
    """Write every calendar (of these targets), park what the brakes hold back, then clear every calendar: a move is in
    the new one before it leaves the old. Raises Stopped."""
    names = installation.targets if targets is None else targets
    pushed = fill(installation, watch, names)
    pushed.add(empty(installation, watch, names))
    return pushed


def fill(installation: Installation, watch: Watch, targets: Collection[str], choice: Choice = EVERYTHING) -> Tally:
    """Write what is chosen of what is due in the calendars of these targets. Raises Stopped."""
    pushed = Tally()
    for target, calendars in lanes(installation, choice):
        if target in targets:
            pushed.add(_guarded(partial(write, installation, target, calendars, watch, choice)))
    return pushed


def empty(installation: Installation, watch: Watch, targets: Collection[str], choice: Choice = EVERYTHING) -> Tally:
    """Park what the brakes hold back in all calendars of these targets, then delete what is chosen of the rest. Raises
    Stopped."""
    pushed = Tally()
    for target, calendars in due_by_target(installation).items():
        if target in targets:
            pushed.add(_guarded(partial(park, installation, target, calendars)))
    for target, calendars in lanes(installation, choice):
        if target in targets:
            pushed.add(_guarded(partial(clear, installation, target, calendars, watch, choice)))
    return pushed


def _guarded(step: Callable[[], Tally]) -> Tally:
    """A step whose failure ends that step only."""
    try:
        return step()
    except CalferryError as error:
        return Tally(errors=[error])
    except Stopped:
        raise
    except Exception as error:
        log.warning("a step of the pass failed: %s", type(error).__name__)
        log.debug("it failed here", exc_info=error)
        unforeseen = CalferryError(f"a step failed in a way calferry does not know ({type(error).__name__})")
        return Tally(errors=[unforeseen])
