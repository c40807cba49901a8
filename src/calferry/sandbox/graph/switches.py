"""Where Microsoft's documents leave a question open: one switch each, set to the harshest honest reading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(slots=True)
class GraphSwitches:
    """May be changed while the server runs; every request reads them anew."""

    batch_order: Literal["reversed", "given"] = "reversed"
    """Calls of a batch may run, and be answered, in any order."""

    duplicate_status: Literal[400, 409] = 400
    """Status of `ErrorDuplicateTransactionId`: 400 and 409 were both seen."""

    names_existing: bool = False
    """Whether that error names the event in `@event.existingEventId`, as it was once seen to."""

    replay_after_change: Literal["refused", "returned"] = "refused"
    """What a create sent again is answered once the event was changed: a duplicate, or the event as it stands."""

    deleted_transactions: Literal["refused", "forgotten"] = "refused"
    """Whether a `transactionId` is remembered after its event was deleted."""

    etags_settle: bool = False
    """Whether Exchange writes to a new event once more by itself, so that the etag of its creation has passed.

    Off, since it shows by chance only; tests turn it on.
    """

    conflicts_by_itself: int = 0
    """How many writes with a good `If-Match` are answered 412 all the same, as Exchange was seen to."""

    poll_interval: int = 0
    """Seconds a device shall let pass between two questions; Microsoft says 5."""

    slow_downs: int = 0
    """How many of its questions are answered that they come too fast."""

    refresh_tokens: Literal["replaced", "kept"] = "replaced"
    """Whether a new refresh token comes with each access token that one was used for."""

    spent_refresh_tokens: Literal["taken", "refused"] = "taken"
    """Whether one that was replaced still counts: it does ("Refresh tokens in the Microsoft identity platform"); where
    replacing means what RFC 9700 makes of it, it would not."""

    access_tokens: Literal["jwt", "opaque"] = "jwt"
    """The form of an access token, which is nobody's affair but Graph's."""

    scopes_told: Literal["full", "short"] = "full"
    """How the answer names what was granted: with the resource before it, or without."""

    filter_spans: Literal["mailbox", "calendar"] = "mailbox"
    """What a filter by an extended property looks through when one calendar is asked."""

    mailbox_burst: int | None = None
    """Calls of one batch that are performed before the rest is answered 429; None: all."""
