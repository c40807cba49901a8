"""What stands around the events of a feed. Pure.

Sources: RFC 7986, sections 5.1 (NAME), 5.7 (REFRESH-INTERVAL), 5.8 (SOURCE), 5.9 (COLOR); the X- properties are what
Apple and Outlook read instead.
"""

from __future__ import annotations

from datetime import timedelta

from calferry.feeds import TAIL
from calferry.targets.ical.events import write
from calferry.targets.texts import one_line

PRODID = "-//calferry//feeds//EN"
LONGEST_TITLE = 200
"""Characters of a feed's name."""


def head(title: str, address: str, *, color: str, refresh: timedelta) -> bytes:
    """A VCALENDAR up to its first event. There is no METHOD: with one it would be an invitation (RFC 5546)."""
    from icalendar import Calendar, vDuration, vUri

    name = one_line(title, LONGEST_TITLE)
    calendar = Calendar()
    calendar.add("prodid", PRODID)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    write(calendar, "name", name)
    write(calendar, "x-wr-calname", name)
    calendar.add("source", vUri(address), parameters={"VALUE": "URI"})
    calendar.add("refresh-interval", refresh, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(refresh))
    if color:
        calendar.add("color", color)
    content: bytes = calendar.to_ical()
    return content.removesuffix(TAIL)
