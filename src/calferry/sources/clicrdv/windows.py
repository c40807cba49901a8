"""Windows of time as ClicRDV is asked for them: wall times of the group, in conditions.

Vendor's page: "API – Filtering and Pagination".
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from calferry.model import Window

PADDING = timedelta(days=1)
"""Asked for beyond either end of a window, whose borders ClicRDV compares as wall times."""


def conditions(*wanted: tuple[str, str, str]) -> dict[str, str]:
    """Conditions (field, operator, value), all of which a row has to meet, as parameters."""
    return {
        f"conditions[{number}][{name}]": text
        for number, condition in enumerate(wanted)
        for name, text in zip(("field", "op", "value"), condition, strict=True)
    }


def between(window: Window, zone: ZoneInfo) -> dict[str, str]:
    """The conditions for what starts in a window, or close to it: all that lies wholly inside is among that.

    By its start alone, which every row has: what has no end would meet no condition on it.
    """
    start, end = (wall_at(moment, zone) for moment in (window.start - PADDING, window.end + PADDING))
    return conditions(("start", "<=", f"{end}"), ("start", ">=", f"{start}"))


def wall_at(moment: datetime, zone: ZoneInfo) -> datetime:
    """What the clocks of a zone show, naive, to the second."""
    return moment.astimezone(zone).replace(tzinfo=None, microsecond=0)
