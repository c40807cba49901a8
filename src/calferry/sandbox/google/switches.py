"""Where Google's documents leave a question open: one switch each, set to the harshest honest reading."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal


@dataclass(slots=True)
class GoogleSwitches:
    """May be changed while the server runs; every request reads them anew."""

    batch_limit: int = 50
    """Calls a batch may hold: 50 by the older copies of the batch guide, 1000 by the current one."""

    batch_order: Literal["reversed", "given"] = "reversed"
    """The guide promises no order of execution; reversed, two calls for one event surely swap."""

    tombstones: Literal["restorable", "forbidden"] = "restorable"
    """Whether PUT or PATCH with `status: confirmed` restores a deleted event, or is answered 403."""

    rate_limit_status: Literal[403, 429] = 403
    """Status of `rateLimitExceeded`: the errors guide says to treat both alike."""

    calendar_burst: int | None = None
    """Writes to one calendar that one batch performs before the rest is answered `rateLimitExceeded`; None: all."""

    silent_is_silent: bool = False
    """Whether `sendUpdates=none` keeps all mail back; the reference says that some might still be sent."""

    app_in_testing: bool = False
    """Whether installed apps are in "Testing": their refresh tokens die after 7 days, and say so at the exchange."""

    listings_lag: timedelta = timedelta(0)
    """How long listings of calendars do not show what `calendars.insert` made; the guides promise nothing."""
