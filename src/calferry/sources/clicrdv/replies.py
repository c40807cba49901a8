"""What the probes ask ClicRDV: some of these replies answer each question, and each is asked for once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from calferry.errors import Unavailable
from calferry.model import Window
from calferry.moments import wall_clock
from calferry.sources.clicrdv.api import PAGE, Api, Asked, segment
from calferry.sources.clicrdv.ids import id_of
from calferry.sources.clicrdv.rows import deletion_in
from calferry.sources.clicrdv.windows import between, conditions, wall_at
from calferry.sources.clicrdv.zones import zone_of
from calferry.sources.fields import Row, part_of, text_of
from calferry.sources.probing import Answer, Ration, Reply, let_in, reply_of

if TYPE_CHECKING:
    from calferry.sources.clicrdv.settings import Settings

AROUND = timedelta(days=45)
"""How far either side of now the probes list."""

NOBODYS = "999999999"
"""The id of no vevent."""

NO_SESSION = "calferryprobe"

NEVER = conditions(("start", ">=", "2999-01-01 00:00:00"))
"""What no row meets."""

BY_ID = {"sort": "id", "dir": "asc"}

PAST = {"include_past": "1"}


class Replies:
    """Of one group. Nothing is asked before somebody wants to know."""

    def __init__(self, api: Api, settings: Settings, now: datetime) -> None:
        self._api = api
        self._settings = settings
        self._root = f"/groups/{settings.group}"
        self._now = now
        self._ration = Ration()
        self._ration.limit(api.client)
        self._asked: list[Reply] = []

    @property
    def all(self) -> Sequence[Reply]:
        """Everything that was answered so far."""
        return self._asked

    @property
    def now(self) -> datetime:
        """What the clocks of the group show, naive."""
        return wall_at(self._now, self.zone)

    def enter(self) -> None:
        """Raises NotAuthorised or Unavailable where the group is not shown."""
        request = f"GET /api/v1{self._root}.json"
        if id_of(self.group) != self._settings.group:
            let_in(self._group, request)
            msg = f"{request} answered with another group"
            raise Unavailable(msg)

    @cached_property
    def group(self) -> Row:
        return part_of(self._group.members, "group") or self._group.members

    @cached_property
    def _group(self) -> Reply:
        return self._get("")

    @cached_property
    def zone(self) -> ZoneInfo:
        named = (text_of(self.group.get("timezone")), self._settings.time_zone)
        return next((zone for name in named if name and (zone := zone_of(name))), ZoneInfo("UTC"))

    @cached_property
    def vevents(self) -> Reply:
        """The days around now, as calferry lists a month."""
        return self._get("/vevents", {**BY_ID, "results": str(PAGE), "startIndex": "0"} | self._around)

    @cached_property
    def two_from_the_second(self) -> Reply:
        return self._get("/vevents", {**BY_ID, "results": "2", "startIndex": "1"} | self._around)

    @cached_property
    def none(self) -> Reply:
        """A listing that holds nothing."""
        return self._get("/vevents", {**BY_ID, "results": "1", "startIndex": "0"} | NEVER)

    @cached_property
    def latest(self) -> Reply:
        """The vevents that were changed last."""
        return self._get("/vevents", {"sort": "updated_at", "dir": "desc", "results": str(PAGE), "startIndex": "0"})

    @cached_property
    def deleted(self) -> Row | None:
        return next((row for row in self.latest.rows("records") if deletion_in(row)), None)

    @cached_property
    def deleted_again(self) -> Reply | None:
        """The same by its id."""
        return self._get(f"/vevents/{segment(id_of(self.deleted))}") if self.deleted else None

    @cached_property
    def one(self) -> Row | None:
        """A vevent that was not deleted."""
        return next((row for row in self.vevents.rows("records") if id_of(row) and not deletion_in(row)), None)

    @cached_property
    def one_again(self) -> Reply | None:
        return self._get(f"/vevents/{segment(id_of(self.one))}") if self.one else None

    @cached_property
    def one_in_xml(self) -> Reply | None:
        return self._get(f"/vevents/{segment(id_of(self.one))}", form="xml") if self.one else None

    @cached_property
    def in_a_gap(self) -> Reply | None:
        """What starts in the latest hour that the clocks of the group left out."""
        gap = _latest_gap(self.now, self.zone)
        if gap is None:
            return None
        asked = conditions(("start", ">=", f"{gap[0]}"), ("start", "<", f"{gap[1]}"))
        return self._get("/vevents", {**BY_ID, "results": "1", "startIndex": "0"} | asked)

    @cached_property
    def missing(self) -> Reply:
        return self._get(f"/vevents/{NOBODYS}")

    @cached_property
    def appointments(self) -> Reply:
        return self._get("/appointments", {**BY_ID, "results": str(PAGE), "startIndex": "0"} | PAST | self._around)

    @cached_property
    def no_appointments(self) -> Reply:
        """The appointments that meet a condition which none meets."""
        return self._get("/appointments", {**BY_ID, "results": "1", "startIndex": "0"} | PAST | NEVER)

    @cached_property
    def appointment_again(self) -> Reply | None:
        one = next((row for row in self.appointments.rows("records") if id_of(row)), None)
        return self._get(f"/appointments/{segment(id_of(one))}") if one else None

    @cached_property
    def to_come(self) -> Reply:
        """The first of the appointments that are not past."""
        return self._get("/appointments", {"sort": "start", "dir": "asc", "results": "1", "startIndex": "0"})

    @cached_property
    def customers(self) -> Reply:
        changed = conditions(("updated_at", ">=", f"{self.now - AROUND}"))
        return self._get("/fiches", {**BY_ID, "results": "1", "startIndex": "0"} | changed)

    @cached_property
    def strangers(self) -> Reply:
        return self._as_stranger("")

    @cached_property
    def after_the_session(self) -> Reply:
        return self._as_stranger(NO_SESSION)

    @property
    def _around(self) -> dict[str, str]:
        return between(Window(self._now - AROUND, self._now + AROUND), self.zone)

    def _as_stranger(self, session: str) -> Reply:
        path = f"{self._root}/vevents"
        with self._ration.limit(self._api.stranger(session)) as client:
            return self._kept(self._api.answer(path, {"results": "1"}, client=client), path)

    def _get(self, path: str, asked: Asked | None = None, form: str = "json") -> Reply:
        where = f"{self._root}{path}"
        return self._kept(self._api.answer(where, asked or {}, form), where)

    def _kept(self, answer: Answer, path: str) -> Reply:
        reply = reply_of(answer, f"GET /api/v1{path}")
        self._asked.append(reply)
        return reply


def _latest_gap(now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """The wall times (naive) between which the clocks of a zone were last put forward, within a year or so."""
    midnight = now.replace(hour=0, minute=0, second=0)
    for day in (midnight - timedelta(days=number) for number in range(370)):
        quarters = [day + timedelta(minutes=15 * number) for number in range(96)]
        if _offset(day, zone) >= _offset(day + timedelta(days=1), zone):
            continue
        left_out = [wall for wall in quarters if wall_clock(wall, zone).replace(tzinfo=None) != wall]
        if left_out:
            return left_out[0], left_out[-1] + timedelta(minutes=15)
    return None


def _offset(wall: datetime, zone: ZoneInfo) -> timedelta:
    return wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).utcoffset() or timedelta(0)
