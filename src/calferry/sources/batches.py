"""What was read of a booking system's rows, as the batches and resources that the ledger takes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from calferry.model import Appointment, Batch, Deletion, Quarantined, Resource

Read = Appointment | Deletion | Quarantined | Resource
"""What a row turns out to be."""


def batch_of(stream: str, outcomes: Iterable[Read], asked_at: datetime) -> Batch:
    """What was read of a listing. One may name an appointment twice; the last word counts."""
    read: dict[str | int, Read] = {}
    for number, outcome in enumerate(outcomes):
        read[(outcome.id if isinstance(outcome, Resource) else outcome.source_id) or number] = outcome
    return Batch(
        asked_at=asked_at,
        stream=stream,
        appointments=tuple(one for one in read.values() if isinstance(one, Appointment)),
        resources=tuple(one for one in read.values() if isinstance(one, Resource)),
        deleted=tuple(one for one in read.values() if isinstance(one, Deletion)),
        quarantined=tuple(one for one in read.values() if isinstance(one, Quarantined)),
    )


def resource_of(account: str, kind: str, key: str, /, **told: str) -> Resource:
    """A resource with those of the fields that say something."""
    return Resource(source=account, kind=kind, id=key, fields={name: text for name, text in told.items() if text})
