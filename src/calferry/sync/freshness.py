"""How fresh what calendars hold is, and which credentials run out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from calferry.ports import Expiring, Vitals
from calferry.sync.crossing import told_at
from calferry.sync.installation import Installation


def told_by_all(installation: Installation) -> datetime | None:
    """Since when (UTC) all that every booking system tells is held; None before each of them was pulled. Any calendar
    may have something new for it, so the stalest of them is the age of all."""
    moments = [told_at(account, installation) for account in installation.accounts]
    return min((moment for moment in moments if moment), default=None) if all(moments) else None


def reached(installation: Installation) -> Iterator[Vitals]:
    """The calendars that a configured target reaches."""
    for one in installation.ledger.vitals(installation.clock.now()):
        if one.target in installation.targets:
            yield one


def expiries(installation: Installation) -> Mapping[str, datetime]:
    """When credentials run out (UTC), by connection as the file calls it, for those that say so."""
    sources = {f"sources.{account.source.name}": account.source for account in installation.accounts}
    targets = {f"targets.{name}": target for name, target in installation.targets.items()}
    connections = {name: one for name, one in {**sources, **targets}.items() if isinstance(one, Expiring)}
    found = {name: one.expiry() for name, one in connections.items()}
    return {name: expiry.at for name, expiry in found.items() if expiry}
