"""Work out what each calendar shall hold: local, by the pure rules."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from calferry.ports import Pending, Routed
from calferry.rules import belongs
from calferry.sync.installation import Account, Installation, Stopped, Tally, Watch

log = logging.getLogger(__name__)

CHUNK = 500
"""Appointments routed in one transaction."""


def route(account: Account, installation: Installation, watch: Watch) -> Tally:
    """Work out what each calendar shall hold, for every appointment that changed since last time. Local and pure."""
    ledger, key = installation.ledger, account.source.key
    tally = Tally()
    with ledger.lock(key):
        ledger.routing.begin(key, account.basis, account.edition)
        ledger.routing.gather(key)
        now = installation.clock.now()
        while pending := ledger.routing.pending(key, now, CHUNK):
            uses = {use for one in pending for use in one.appointment.uses}
            decide = partial(
                belongs,
                routes=account.routes,
                targets=installation.targets,
                resources=ledger.routing.resources(key, uses),
                window=account.rhythm.window(now),
                now=now,
            )
            ledger.routing.settle(key, [_or_set_aside(one, decide) for one in pending])
            tally.count("routed", len(pending))
            watch.tell("route", len(pending))
            if watch.stopping():
                raise Stopped
    return tally


def _or_set_aside(pending: Pending, decide: Callable[[Pending], Routed]) -> Routed:
    """One appointment that the rules choke on keeps its last placements and stops no other."""
    try:
        return decide(pending)
    except Exception as error:
        log.warning("%s could not be routed: %s", pending.uid, type(error).__name__)
        log.debug("it failed here", exc_info=error)
        reason = f"it could not be routed ({type(error).__name__}); please report this"
        return Routed(uid=pending.uid, revision=pending.revision, wanted={}, unrouted=reason)
