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

from calferry.model import Cursor
from calferry.sources.fields import Row, id_of, part_of, text_of
from calferry.sources.valomnia import memory
from calferry.sources.valomnia.listing import Listed, Listings, changed_of, ids_of
from calferry.sources.valomnia.rows import digest_of, version_of
from calferry.sources.valomnia.session import NotThere, Session, Unusable, Wordless

log = logging.getLogger(__name__)

FEW = 4
"""Up to this many appointments for each user, asking for each one costs no more than a list for each user does."""

MUTE = 3
"""Appointments that were asked for without an answer, one after another, that are no fault of theirs any more."""


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
        self._may_recall, self._learnt = not references, False
        self._distrusts = False
        self._mute: set[str] = set()

    def forget(self) -> None:
        """Ask anew from now on: whether another assignee is a change to Valomnia is not documented."""
        self._shown.clear()
        self._may_recall, self._learnt = False, True
        self._distrusts = False

    def recall(self, cursor: Cursor) -> None:
        """Take up what an earlier process knew, unless this one was to ask anew. Raises CursorExpired."""
        if self._may_recall:
            recalled = memory.read(cursor)
            self._shown = {one: (digest, _of(user)) for one, (digest, user) in recalled.items()} | self._shown
            self._may_recall = False

    def note(self) -> Cursor | None:
        """What the next process need not ask for; None where nothing was learnt since. References are not kept."""
        if not self._learnt or self._references:
            return None
        self._learnt = False
        users = {one: (digest, id_of(part_of(row, "user"))) for one, (digest, row) in self._shown.items()}
        return memory.written({one: told for one, told in users.items() if told[1]})

    @property
    def known(self) -> int:
        """How many appointments said whose they are."""
        return len(self._shown)

    def show(self, source_id: str) -> Row:
        """One appointment by its id, or by its reference where that is no number.

        Vendor's page: "Appointments: show". Raises NotThere, or Unusable where that may be the fault of this one alone;
        anything else is an outage, or a closed door.
        """
        by_id = source_id.isascii() and source_id.isdigit()
        try:
            row = self._session.record(f"/appointments/{'' if by_id else 'reference/'}{quote(source_id, safe='')}")
        except Wordless as silence:
            self._bear(source_id, silence)
            raise
        self._mute.clear()
        if (id_of(row) if by_id else text_of(row.get("reference"))) != source_id:
            msg = f"Valomnia was asked for appointment {source_id} and answered with another"
            raise Unusable(msg)
        return row

    def _bear(self, source_id: str, silence: Wordless) -> None:
        """Raises what it amounts to where the service asked for a pause, or MUTE different ones in a row are silent."""
        self._mute.add(source_id)
        if silence.retry_after is not None or len(self._mute) >= MUTE:
            self._mute.clear()
            raise silence.error

    def completed(self, row: Row, claims: Claims, *, anew: bool) -> Row:
        """A list row with its `user`: from `claims`, else by asking for it.

        A row that was asked for is asked for again when it tells something else, and always if `anew`, unless `claims`
        speak for it: they never overrule what is known. Raises NotThere, Unavailable.
        """
        if id_of(part_of(row, "user")) and (text_of(row.get("reference")) or not self._references):
            return row
        source_id, digest = id_of(row), digest_of(row) if self._references else version_of(row)
        claimed = "" if self._references else claims.of(row)
        known = self._shown.get(source_id, ("",))[0] == digest
        if claimed and not known:
            self._learn(source_id, digest, _of(claimed))
        elif not known or (anew and not claimed):
            self._learn(source_id, digest, self.show(source_id))
        shown = self._shown[source_id][1]
        return shown if self._references else {**row, "user": shown.get("user")}

    def _learn(self, source_id: str, digest: str, row: Row) -> None:
        self._shown[source_id] = (digest, row)
        self._learnt = True

    def claims(self, asked: Mapping[str, str], users: Mapping[str, str]) -> Mapping[str, str]:
        """The user of each appointment of a listing, by a list for each of `users` (by employee reference; "" where a
        reference is shared); empty where those lists cannot be trusted.

        What two lists hold is nobody's here, as is what the list of a shared reference holds; and of each one's claims
        the first and the last are asked for.
        """
        if self._distrusts:
            return {}
        lists = {reference: self._list(asked, reference) for reference in users}
        if not all(listed.proven for listed in lists.values()) or not self._is_exact(asked, lists):
            return {}
        claimed = defaultdict[str, set[str]](set)
        for reference, listed in lists.items():
            for source_id in ids_of(listed.rows):
                claimed[source_id].add(users[reference])
        alone = {source_id: next(iter(by)) for source_id, by in claimed.items() if len(by) == 1 and by != {""}}
        return alone if self._is_true(alone) else {}

    def _list(self, asked: Mapping[str, str], reference: str) -> Listed:
        return self._listings.whole("appointments", {**asked, "employeeReference": reference})

    def _is_exact(self, asked: Mapping[str, str], lists: Mapping[str, Listed]) -> bool:
        """Whether the filter finds nothing by a part of a reference.

        Where it does, "emp1" finds what is emp10's: someone for whom no list may speak, being no longer listed.
        """
        longest = max((reference for reference, listed in lists.items() if listed.rows), key=len, default="")
        if len(longest) < len("ab"):
            return False
        found = set(ids_of(lists[longest].rows))
        by_part = [lists.get(part) or self._list(asked, part) for part in (longest[:-1], longest[1:])]
        self._distrusts = any(found & set(ids_of(listed.rows)) for listed in by_part)
        if self._distrusts:
            log.info("Valomnia finds appointments by a part of an employee's reference; each is asked for by its id")
        return not self._distrusts and all(listed.proven for listed in by_part)

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


def _of(user: str) -> Row:
    """As much of an appointment as says whose it is."""
    return {"user": {"id": user}}
