"""What a person does on the pages. Each action is in the journal, with who asked for it, before it is carried out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from calferry.moments import duration
from calferry.ports import Rest
from calferry.store import SqlLedger, journal
from calferry.store.journal import Entry
from calferry.sync import deciding
from calferry.sync.installation import Installation, Watch
from calferry.web import addresses
from calferry.web.catalogue import Feed
from calferry.web.pages.subscriptions import feeds

OVERLAP = "14d"
"""How long the address of before goes on working."""

SPANS = ("1h", "4h", "1d", "3d", "7d")
"""How long something can be paused for, by the forms; or until it is resumed."""

LONGEST_REASON = 200

Form = Mapping[str, Sequence[str]]
"""The fields of a form, each with all its values."""


class Undone(Exception):
    """It was not done: the text, which `words` knows, says why; `details` are lines besides, as they came."""

    def __init__(self, text: str, details: Sequence[str] = ()) -> None:
        self.details = tuple(details)
        super().__init__(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """All that actions need. `hurry` has everything looked after now; None where nobody does."""

    installation: Installation
    ledger: SqlLedger
    root: str
    hurry: Callable[[], None] | None


def carry_out(desk: Desk, action: str, form: Form, who: str) -> int:
    """Do it, for that person. Returns how many it was done to. Raises Undone, CalferryError, Stopped; KeyError where
    there is no such action."""
    return ACTIONS[action](desk, form, who)


def approve(desk: Desk, form: Form, who: str) -> int:
    decision = deciding.approve(desk.installation, _parked(desk, "approve", form, who), Watch())
    if desk.hurry and decision.decided:
        desk.hurry()
    if decision.unasked:
        lines = [f"{uid}: {why}" for uid, why in decision.unasked.items()]
        message = "The booking system could not be asked again, so these deletions were not approved:"
        raise Undone(message, lines)
    return len(decision.decided)


def reject(desk: Desk, form: Form, who: str) -> int:
    return len(deciding.reject(desk.installation, _parked(desk, "reject", form, who)).decided)


def _parked(desk: Desk, action: str, form: Form, who: str) -> frozenset[str]:
    """The uids chosen, of those whose deletion is held back."""
    chosen = set(form.get("uid", ()))
    held = [one for one in desk.installation.ledger.outbox.held_back() if one.uid in chosen]
    if not held:
        message = "None of the chosen deletions waits any more."
        raise Undone(message)
    _note(desk, who, action, [(one.calendar, one.uid) for one in held])
    return frozenset(one.uid for one in held)


def pause(desk: Desk, form: Form, who: str) -> int:
    what, name = _named(desk, form)
    now, span = desk.installation.clock.now(), _first(form, "for")
    if span and span not in SPANS:
        message = "That is not a length of time that the form offers."
        raise Undone(message)
    reason = re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", _first(form, "reason")).strip()[:LONGEST_REASON]
    _note(desk, who, "pause", [(name, "")])
    until = now + duration(span) if span else None
    desk.ledger.pauses.rest(Rest(what=what, name=name, reason=reason, until=until), now)
    return 1


def resume(desk: Desk, form: Form, who: str) -> int:
    what, name = _named(desk, form)
    _note(desk, who, "resume", [(name, "")])
    done = desk.ledger.pauses.resume(what, name, desk.installation.clock.now())
    if desk.hurry:
        desk.hurry()
    return int(done)


def _named(desk: Desk, form: Form) -> tuple[str, str]:
    """What a form names: source, target or calendar, and the key or name of one there is."""
    what, name = _first(form, "what"), _first(form, "name")
    known = {
        "source": {account.source.key for account in desk.installation.accounts},
        "target": set(desk.installation.targets),
        "calendar": set(desk.ledger.pauses.calendars()),
    }
    resting = {(rest.what, rest.name) for rest in desk.ledger.pauses.rests(desk.installation.clock.now())}
    if name not in known.get(what, ()) and (what, name) not in resting:
        message = "There is no such source, target or calendar."
        raise Undone(message)
    return what, name


def sync(desk: Desk, _form: Form, who: str) -> int:
    if desk.hurry is None:
        message = "Nothing here can start a pass; type calferry sync."
        raise Undone(message)
    _note(desk, who, "sync", [("", "")])
    desk.hurry()
    return 1


def rotate(desk: Desk, form: Form, who: str) -> int:
    feed, now = _feed(desk, form), desk.installation.clock.now()
    _note(desk, who, "rotate", [(feed.key, "")])
    addresses.rotate(desk.installation.shelf, feed, duration(OVERLAP), now)
    return 1


def revoke(desk: Desk, form: Form, who: str) -> int:
    feed = _feed(desk, form)
    _note(desk, who, "revoke", [(feed.key, "")])
    return addresses.revoke(desk.installation.shelf, feed, desk.installation.clock.now())


def _feed(desk: Desk, form: Form) -> Feed:
    known = feeds(desk.installation, desk.root)
    if (key := _first(form, "feed")) not in known:
        message = "There is no such feed."
        raise Undone(message)
    return known[key][0]


def _first(form: Form, name: str) -> str:
    return next(iter(form.get(name, ())), "")


def _note(desk: Desk, who: str, action: str, about: Sequence[tuple[str, str]]) -> None:
    """`about` are the places (keys) and uids."""
    at = desk.installation.clock.now()
    entries = [Entry(at, place, uid, "asked", f"{action}, by {who}") for place, uid in about]
    journal.note(desk.ledger.database, entries)


ACTIONS: Mapping[str, Callable[[Desk, Form, str], int]] = {
    "approve": approve,
    "reject": reject,
    "pause": pause,
    "resume": resume,
    "sync": sync,
    "rotate": rotate,
    "revoke": revoke,
}
