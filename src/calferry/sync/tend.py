"""Verify the calendars of a target in the service's rhythm, and do about it what the routes say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from calferry.errors import CalferryError
from calferry.keeping import Drift, DriftKind
from calferry.rules import Reaction
from calferry.sync.installation import Installation, Stopped, Tally, Watch
from calferry.sync.reached import calendars
from calferry.sync.verify import Verified, is_over, still, verify

MOST = 3
"""Restores of a calendar within 24 hours: more than that is no slip of the finger, and a person should look."""


def tend(installation: Installation, target: str, watch: Watch) -> Tally:
    """Verify every calendar of a target, but for those that a person lets rest. A calendar that cannot be read stops no
    other. Raises Stopped."""
    tally = Tally()
    resting = {(one.what, one.name) for one in installation.ledger.pauses.rests(installation.clock.now())}
    for calendar, name in calendars(installation).items():
        if name != target or not resting.isdisjoint({("target", name), ("calendar", calendar)}):
            continue
        if watch.stopping():
            raise Stopped
        try:
            tally.add(react(installation, verify(installation, calendar, target)))
        except CalferryError as error:
            tally.errors.append(error)
    return tally


def react(installation: Installation, verified: Verified) -> Tally:
    """Restore or respect what the routes say so of; whatever else differs is told of."""
    asked = {
        reaction: [one for one in verified.drifts if _reaction(installation, one) is reaction] for reaction in Reaction
    }
    keeper, now = installation.keeper, installation.clock.now()
    coming = sum(place.written is not None and not is_over(place, now) for place in verified.places.values())
    if 2 * len(asked[Reaction.RESPECT]) > coming:
        asked[Reaction.RESPECT] = []  # nobody deletes that much by hand: it was cleared, and a person should look
    with installation.ledger.lock(verified.calendar):
        respected = [one.id for one in still(installation, verified, asked[Reaction.RESPECT])]
        keeper.respect(verified.calendar, respected, now)
        wanted = {one.id: one.found for one in still(installation, verified, asked[Reaction.RESTORE])}
        restored = keeper.restore(verified.calendar, wanted, now, MOST)
        if stopped := [one for one in asked[Reaction.RESTORE] if one.id in wanted.keys() - set(restored)]:
            keeper.verified(verified.calendar, _told(verified.drifts, stopped, respected), now)
    return Tally(counts={"restored": len(restored), "respected": len(respected), "found to differ": len(verified.new)})


def _reaction(installation: Installation, drift: Drift) -> Reaction:
    routes = {route.name: route for account in installation.accounts for route in account.routes}
    route = routes.get(drift.route)
    if route is None:
        return Reaction.REPORT
    if drift.kind is DriftKind.MISSING:
        return route.on_user_delete
    return route.on_user_edit if drift.kind is DriftKind.CHANGED else Reaction.REPORT


def _told(drifts: Sequence[Drift], stopped: Sequence[Drift], respected: Sequence[str]) -> list[Drift]:
    """What is still to be told of, with the reason why it is not restored again."""
    why = f"it is not restored: it was already, or {MOST} events of this calendar were within a day"
    return [
        replace(one, reason=f"{one.reason}; {why}") if one in stopped else one
        for one in drifts
        if not (one.kind is DriftKind.MISSING and one.id in respected)
    ]
