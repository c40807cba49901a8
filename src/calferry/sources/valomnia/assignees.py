"""Whose appointments are. Listings do not say: an appointment does when it is asked for by its id, and a listing
narrowed to one employee does for all that it holds.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote

from calferry.sources.fields import Row, id_of, part_of, text_of
from calferry.sources.valomnia.listing import Listings, changed_of
from calferry.sources.valomnia.rows import digest_of
from calferry.sources.valomnia.session import NotThere, Session, Unusable

log = logging.getLogger(__name__)

FEW = 4
"""Up to this many appointments for each user, asking for each one costs no more than a list for each user does."""


class Claims(NamedTuple):
    """User by appointment, as lists said it. What changed at or after `until` (UTC) may be another's since."""

    users: Mapping[str, str]
    until: datetime

    def of(self, row: Row) -> str:
        """The user of a list row; empty where the lists cannot know."""
        changed = changed_of([row])
        return self.users.get(id_of(row), "") if changed and changed[0] < self.until else ""


NO_CLAIMS = Claims({}, datetime.min.replace(tzinfo=UTC))


class Assignees:
    """Completes list rows with the user they belong to, and with their reference where that is wanted."""

    def __init__(self, session: Session, listings: Listings, *, references: bool) -> None:
        self._session = session
        self._listings = listings
        self._references = references
        self._shown: dict[str, tuple[str, Row]] = {}

    def forget(self) -> None:
        """Ask anew from now on: whether another assignee is a change to Valomnia is not documented."""
        self._shown.clear()

    def show(self, source_id: str) -> Row:
        """One appointment by its id, or by its reference where that is no number.

        Vendor's page: "Appointments: show". Raises NotThere.
        """
        by_id = source_id.isascii() and source_id.isdigit()
        row = self._session.get(f"/appointments/{'' if by_id else 'reference/'}{quote(source_id, safe='')}").content
        if (id_of(row) if by_id else text_of(row.get("reference"))) != source_id:
            msg = f"Valomnia was asked for appointment {source_id} and answered with another"
            raise Unusable(msg)
        return row

    def completed(self, row: Row, claims: Claims, *, anew: bool) -> Row:
        """A list row with its `user`: from `claims`, else by asking for it.

        A row that was asked for is asked for again when it tells something else, and always if `anew`. Raises NotThere,
        Unavailable.
        """
        if id_of(part_of(row, "user")) and (text_of(row.get("reference")) or not self._references):
            return row
        if (user := claims.of(row)) and not self._references:
            return {**row, "user": {"id": user}}
        source_id, digest = id_of(row), digest_of(row)
        if anew or self._shown.get(source_id, ("",))[0] != digest:
            self._shown[source_id] = (digest, self.show(source_id))
        shown = self._shown[source_id][1]
        return shown if self._references else {**row, "user": shown.get("user")}

    def claims(self, asked: Mapping[str, str], users: Mapping[str, str]) -> Mapping[str, str]:
        """The user of each appointment of a listing, by a list for each of `users` (by employee reference); empty where
        those lists cannot be trusted.

        The filter matches wildcards. So what two employees claim is nobody's here, and of each one's claims the first
        and the last are asked for.
        """
        claimed = defaultdict[str, set[str]](set)
        for reference, user in users.items():
            for row in self._listings.whole("appointments", {**asked, "employeeReference": reference}).rows:
                claimed[id_of(row) if isinstance(row, dict) else ""].add(user)
        alone = {source_id: next(iter(users)) for source_id, users in claimed.items() if source_id and len(users) == 1}
        return alone if self._is_true(alone) else {}

    def _is_true(self, claims: Mapping[str, str]) -> bool:
        by_user = defaultdict[str, list[str]](list)
        for source_id, user in claims.items():
            by_user[user].append(source_id)
        for user, owned in by_user.items():
            for source_id in {owned[0], owned[-1]}:
                try:
                    told = id_of(part_of(self.show(source_id), "user"))
                except (NotThere, Unusable):
                    continue  # deleted since it was listed, or in trouble of its own
                if told != user:
                    log.warning("appointment %s is listed for user %s, and is not theirs", source_id, user)
                    return False
        return True
