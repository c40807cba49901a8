"""How vevents, appointments and what they refer to look on the wire.

Vendor's pages: "Vevent API", "Appointments API", "Calendar API", "Intervention API", "Client File API", "Group API",
and for the two formats "API Response formats".
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from .query import Row
from .switches import ClicrdvSwitches
from .world import ClicrdvWorld, Entry, Fiche, Group, Vevent

_YES_NO: dict[str, tuple[Any, Any]] = {"bool": (False, True), "number": (0, 1), "text": ("0", "1")}


class Rows:
    """Renders the truth as the switches have it."""

    def __init__(self, world: ClicrdvWorld, switches: ClicrdvSwitches) -> None:
        self._world = world
        self._switches = switches

    def group(self, group: Group) -> Row:
        label = self._switches.zone_labels.get(group.time_zone, group.time_zone)
        return {"id": int(group.id), "name": group.name, "address": group.address, "timezone": label}

    def entry(self, entry: Entry) -> Row:
        """A calendar, an intervention, or a set of either."""
        row = {"id": int(entry.id), "group_id": int(entry.group), "name": entry.name, "deleted": entry.deleted}
        return row | entry.members

    def fiche(self, fiche: Fiche) -> Row:
        """A customer. The name of one that was deleted starts with a dollar sign."""
        return {
            "id": int(fiche.id),
            "group_id": int(fiche.group),
            "firstname": fiche.first,
            "lastname": f"${fiche.last}" if fiche.deleted else fiche.last,
            "email": fiche.email,
            "firstphone": fiche.phone,
            "deleted": fiche.deleted,
            "updated_at": self._stamp(fiche.updated, fiche.group),
        }

    def vevent(self, row: Vevent) -> Row:
        start, end = self._walls(row)
        content: Row = {
            "id": int(row.id),
            "group_id": int(row.group),
            "calendar_id": int(row.calendar),
            "fiche_id": int(row.fiche or 0),
            "intervention_id": int(row.intervention or 0),
            "type": row.type,
            "note": int(row.note),
            "start": f"{start}",
            "end": None if row.id in self._switches.open_ends else f"{end}",
            "text": row.text,
            "comments": row.comments,
            "from_web": True,
            "deleted": row.deleted,
            "created_at": self._stamp(row.created, row.group),
            "updated_at": self._stamp(row.updated, row.group),
        }
        if self._switches.embed_fiche and row.fiche:
            content["fiche"] = self.fiche(self._world.fiches[row.fiche])
        return content

    def appointment(self, row: Vevent) -> Row:
        """The same thing as bookers see it. What rows hold besides `start`, `end` and `fiche` is not documented."""
        whole = self.vevent(row)
        content = {name: whole[name] for name in ("id", "start", "end", "comments")}
        content |= {"state": row.state, "fiche": self.fiche(self._world.fiches[row.fiche])}
        if self._switches.appointment_members == "whole":
            content |= {name: whole[name] for name in ("calendar_id", "created_at", "updated_at")}
            content["intervention_ids"] = [whole["intervention_id"]]
        return content

    def dressed(self, row: Row) -> Row:
        """A row as it is sent: how values are spelt is a switch's to say."""
        broken = str(row["id"]) in self._switches.broken_starts and "start" in row
        return {name: self._spelt(name, value) for name, value in (row | {"start": "soon"} if broken else row).items()}

    def xml(self, row: Row, vevent: Vevent | None) -> bytes:
        """A row as Rails writes it in XML: dashed names, and times with their offset."""
        aware = self._aware(vevent) if vevent and self._switches.xml == "offset" else {}
        told = row | {name: time for name, time in aware.items() if row[name] is not None}
        parts = [_element(name, value) for name, value in told.items() if not isinstance(value, dict)]
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<hash>\n{"".join(parts)}</hash>\n'.encode()

    def _walls(self, row: Vevent) -> tuple[datetime, datetime]:
        """Start and end as the clocks of the group show them; `as booked`, neither knows of a gap at the start."""
        start, end = (moment.astimezone(self._zone(row.group)).replace(tzinfo=None) for moment in self._world.span(row))
        if self._switches.gap == "as booked":
            end -= start.replace(fold=0) - row.start.replace(fold=0)
            start = row.start
        return start, end

    def _aware(self, row: Vevent) -> dict[str, str]:
        start, end = (moment.astimezone(self._zone(row.group)).isoformat() for moment in self._world.span(row))
        return {"start": start, "end": end}

    def _zone(self, group: str) -> ZoneInfo:
        return self._world.zone(group)

    def _stamp(self, moment: datetime, group: str) -> str:
        """Wall time of the group, to the second."""
        return f"{moment.astimezone(UTC).astimezone(self._zone(group)).replace(tzinfo=None, microsecond=0)}"

    def _spelt(self, name: str, value: Any) -> Any:
        match value:
            case bool():
                return _YES_NO[self._switches.booleans][value]
            case dict():
                return {inner: self._spelt(inner, part) for inner, part in value.items()}
            case int() if self._switches.text_ids and (name == "id" or name.endswith("_id")):
                return str(value)
            case _:
                return value


def _element(name: str, value: Any) -> str:
    kind = ""
    if value is None:
        kind, value = ' nil="true"', ""
    elif isinstance(value, bool):
        kind, value = ' type="boolean"', str(value).lower()
    elif isinstance(value, int):
        kind = ' type="integer"'
    elif name in {"start", "end"} or name.endswith("_at"):
        kind = ' type="datetime"'
    tag = name.replace("_", "-")
    return f"  <{tag}{kind}>{escape(str(value))}</{tag}>\n"
