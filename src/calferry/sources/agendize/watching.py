"""What Agendize calls when an appointment changes: watchers, in its words.

Vendor's pages: "Appointments: watch" of the v2.1 scheduling reference; "Watchers" and "Watcher Requests" of the v2.3
watchers reference. Whether a call that fails is made again, and in which order calls come, is not documented.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from calferry import http
from calferry.errors import Unavailable
from calferry.moments import utc, wall_clock, zone_of
from calferry.ports import Hook, Proof
from calferry.sources.agendize.access import Access
from calferry.sources.agendize.rows import next_page
from calferry.sources.fields import Row, id_of, part_of, text_of

WATCHERS = "/api/2.3/watchers"

SECRET_HEADER = "X-Calferry-Secret"  # noqa: S105 (the name of a header)

NAME = "calferry"


class Watching:
    """The watchers of one company. `root` is its path in the scheduling API."""

    def __init__(self, access: Access, root: str) -> None:
        self._access = access
        self._root = root

    def hooks(self) -> Sequence[Hook]:
        """Those of other companies of the account are among them: the address tells whose they are."""
        rows = self._listed(WATCHERS, {"objectType": "schedulingCompany"})
        return [
            Hook(id=id_of(row), address=text_of(row.get("address")), enabled=text_of(row.get("status")) != "disabled")
            for row in rows
        ]

    def hook(self, address: str, proof: Proof) -> Hook:
        asked = {
            "address": address,
            "name": NAME,
            "method": "POST",
            "status": "enabled",
            "levelDetails": "full",
            "httpRequestHeader": {SECRET_HEADER: proof.header},
            "basicAuth": {"username": proof.user, "password": proof.password},
        }
        made = self._access.send("POST", f"{self._root}/appointments/watch", asked)
        if not id_of(made):
            msg = "Agendize answered a new watcher without its id"
            raise Unavailable(msg)
        return Hook(id=id_of(made), address=address)

    def unhook(self, hook: Hook) -> None:
        try:
            self._access.send("DELETE", f"{WATCHERS}/{hook.id}")
        except http.Missing:
            return  # somebody was quicker

    def missed(self, hook: str, since: datetime) -> Sequence[str]:
        try:
            rows = [*self._listed(f"{WATCHERS}/requests", {})]
        except http.Missing:
            return []
        ours = (row for row in rows if id_of(part_of(row, "watcher")) == hook and _failed(row) and _after(row, since))
        found = (told_of(_parsed(text_of(part_of(row, "request").get("body")))) for row in ours)
        return [*dict.fromkeys(name for name in found if name)]

    def _listed(self, path: str, asked: Mapping[str, str]) -> Iterator[Row]:
        """The rows of a listing. One that does not come whole is none."""
        sent, seen = "", set[str]()
        while True:
            page = dict(asked) | ({"pageToken": sent} if sent else {})
            reply = self._access.get_json(path, page, token_sent=False)
            items = reply.get("items")
            if reply.get("error") is not None or not isinstance(items, list):
                msg = f"{path} answered a listing without its items"
                raise Unavailable(msg)
            yield from (row for row in items if isinstance(row, dict) and id_of(row))
            sent = next_page(reply, sent)
            if not sent or sent in seen:
                return
            seen.add(sent)


def told_of(call: Mapping[str, object]) -> str:
    """The id in an "Appointments" resource as a watcher sends it: alone, or within a member of its own."""
    return id_of(dict(call)) or id_of(part_of(dict(call), "appointment"))


def _parsed(text: str) -> Row:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _failed(row: Row) -> bool:
    """Whether a request of a watcher was not answered with 2xx, or the row does not say how."""
    status = text_of(part_of(row, "response").get("statusCode"))
    return not (status.isdigit() and 200 <= int(status) < 300)  # noqa: PLR2004 (RFC 9110, section 15.3)


def _after(row: Row, since: datetime) -> bool:
    """Whether it was made since then. One whose time cannot be read was."""
    created = part_of(row, "created")
    try:
        zone, wall = zone_of(text_of(created.get("timeZone"))), datetime.fromisoformat(text_of(created.get("dateTime")))
        return zone is None or utc(wall if wall.tzinfo else wall_clock(wall, zone)) >= since
    except ValueError:
        return True
