"""ClicRDV's XML form of a row, of which only the offsets of its times are wanted."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calferry.sources.clicrdv.times import Offsets


def offsets_in(document: bytes) -> Offsets:
    """The `start` and `end` of a row in XML, where they are times with an offset. Empty for anything else.

    Vendor's page: "API Response formats": Rails' way, with `type="datetime"` and `nil="true"`.
    """
    from xml.etree import ElementTree as ET

    if b"<!" in document:  # declarations: entities could grow without end
        return {}
    try:
        root = ET.fromstring(document)  # noqa: S314 (nothing declares an entity, see above)
    except (ET.ParseError, ValueError, LookupError):
        return {}
    times = {which: _aware(root.findtext(which) or "") for which in ("start", "end")}
    return {which: time for which, time in times.items() if time is not None}


def _aware(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return time if time.tzinfo is not None else None
