"""What the probes ask Agendize: some of these replies answer each question, and each is asked for once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from urllib.parse import quote

from calferry.errors import Refused
from calferry.model import Appointment, Window
from calferry.moments import instant, utc
from calferry.sources.agendize.access import Access, Bought
from calferry.sources.agendize.rows import deletion_in, is_personal, next_page, reschedule_link, to_appointment
from calferry.sources.fields import Row, id_of, is_bare, text_of
from calferry.sources.probing import OK, Ration, Reply, let_in, reply_of

AROUND = timedelta(days=45)
"""How far either side of now the probes list."""

PAGES = 4
"""How many pages of that listing are read at most."""

NOBODYS = "0"
"""The id of no appointment."""

NO_TOKEN = "calferry-probe"  # noqa: S105 (a sync token that Agendize never gave out)


class Replies:
    """Of one company. Nothing is asked before somebody wants to know."""

    def __init__(self, access: Access, root: str, now: datetime, whole: dict[str, str]) -> None:
        self._access = access
        self._root = root
        self._window = Window(now - AROUND, now + AROUND)
        self._whole = whole
        self._asked: list[Reply] = []
        self._sent = ""
        Ration().limit(access.client)

    @property
    def all(self) -> Sequence[Reply]:
        """Everything that was answered so far."""
        return self._asked

    @property
    def bought(self) -> Bought | None:
        return self._access.bought

    def enter(self) -> None:
        """Raises NotAuthorised or Unavailable where the company is not shown."""
        let_in(self._get(""), f"GET {self._root}")

    @cached_property
    def pages(self) -> list[Reply]:
        """The listing of the days around now, as calferry asks for it; not all of it where it has many pages."""
        asked = self._whole | _between(self._window)
        replies = [self._get("/appointments", **asked)]
        sent = ""
        while len(replies) < PAGES and (token := next_page(replies[-1].members, sent)):
            sent = token
            replies.append(self._get("/appointments", **asked, pageToken=token))
        self._sent = sent
        return replies

    @property
    def has_more_pages(self) -> bool:
        return bool(next_page(self.pages[-1].members, self._sent))

    @cached_property
    def rows(self) -> list[Row]:
        return [row for page in self.pages for row in page.rows("items")]

    @cached_property
    def standing(self) -> list[Row]:
        """The bookings among them that were not deleted."""
        return [row for row in self.rows if not (deletion_in(row) or is_bare(row) or is_personal(row))]

    @cached_property
    def sync_token(self) -> str:
        return text_of(self.pages[-1].members.get("nextSyncToken"))

    @cached_property
    def light(self) -> Reply:
        return self._get("/appointments", **_between(self._window), levelDetail="light")

    @cached_property
    def delta(self) -> Reply | None:
        return self._get("/appointments", **self._whole, syncToken=self.sync_token) if self.sync_token else None

    @cached_property
    def delta_again(self) -> Reply | None:
        """The same sync token a second time."""
        return self._get("/appointments", **self._whole, syncToken=self.sync_token) if self.delta else None

    @cached_property
    def filtered_delta(self) -> Reply | None:
        """With a token of the latest delta, if there is one: the first may be used up."""
        told = text_of(self.delta_again.members.get("nextSyncToken")) if self.delta_again else ""
        token = told or (text_of(self.delta.members.get("nextSyncToken")) if self.delta else "")
        return self._get("/appointments", **_between(self._window), syncToken=token) if token else None

    @cached_property
    def dead_delta(self) -> Reply:
        """A sync token that never was one."""
        return self._get("/appointments", **self._whole, syncToken=NO_TOKEN)

    @cached_property
    def missing(self) -> Reply:
        return self._get(f"/appointments/{NOBODYS}", levelDetail="full")

    @cached_property
    def linked(self) -> Row | None:
        """A row with a link for rescheduling."""
        return next((row for row in self.standing if reschedule_link(row)), None)

    @cached_property
    def linked_again(self) -> Row | None:
        """The same, read again."""
        if self.linked is None:
            return None
        return self._get(f"/appointments/{quote(id_of(self.linked), safe='')}", levelDetail="full").members

    @cached_property
    def straddling(self) -> Appointment | None:
        """An appointment that lasts for a while."""
        for row in self.standing:
            try:
                read = to_appointment(row, "")
            except Refused:
                continue
            if utc(read.end) - utc(read.start) >= timedelta(minutes=2):
                return read
        return None

    @cached_property
    def border(self) -> Reply | None:
        """What begins or lasts after the middle of that appointment."""
        if self.straddling is None:
            return None
        start, end = utc(self.straddling.start), utc(self.straddling.end)
        window = Window(start + (end - start) / 2, end + timedelta(hours=1))
        return self._get("/appointments", **self._whole, **_between(window))

    @cached_property
    def bookable(self) -> tuple[Reply, Reply]:
        """The resources that are booked alone, and those that are booked with a service."""
        return self._get("/resources"), self._get("/serviceResources")

    def _get(self, path: str, **asked: str) -> Reply:
        where = f"{self._root}{path}"
        reply = reply_of(self._access.answer(where, asked), f"GET {where}")
        self._asked.append(reply)
        return reply


def is_listing(reply: Reply) -> bool:
    return reply.status == OK and isinstance(reply.members.get("items"), list)


def _between(window: Window) -> dict[str, str]:
    return {"startDate": instant(window.start), "endDate": instant(window.end)}
