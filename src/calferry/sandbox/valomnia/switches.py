"""Where the vendor's documents leave a question open: one switch each, set to the harshest honest reading."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(slots=True)
class ValomniaSwitches:
    """May be changed while the server runs; every request reads them anew."""

    expired: Literal["200", "401", "403", "302", "page"] = "200"
    """What a request without a live session is answered: `no_credentials` with that status, a redirect to the sign-in
    page, or the page itself with 200."""

    session_uses: int | None = 40
    """How many requests a session serves before it expires (None: it lasts)."""

    one_session: bool = True
    """A second login of the same user ends the session of the first."""

    login_failure: Literal["redirect", "401", "success: false"] = "redirect"
    """How a wrong password is told: a redirect to a page with an `error`, a status, or a `success` that is none."""

    success_as_text: bool = False
    """`"success": "true"`, as the vendor's own sample of a deletion has it."""

    max_ceiling: int = 100
    """The largest page; `paging.max` says how large it was."""

    next_keeps_filters: bool = False
    """Whether `paging.next` repeats the filters, or only `max`, `offset`, `sort` and `order`, as in the samples."""

    duplicate_keys: bool = True
    """Appointment rows name `appointmentCategoryId` twice, the second time wrongly, as one of the samples does."""

    stray_bytes: bool = False
    """A `²` between two members, as one of the samples has it: invalid JSON."""

    charset: Literal["utf-8", "utf-8 as latin-1", "latin-1"] = "utf-8"
    """Encoding of the body and what Content-Type says of it; the second one lies."""

    list_names_user: bool = False
    """Whether list rows have the members that only show rows have in the samples: `user` and `reference`."""

    list_contacts: Literal["named", "empty"] = "empty"
    """Whether the `contacts` of a list row name the contacts, or are always empty."""

    employee_filter: Literal["exact", "prefix"] = "prefix"
    """Whether `employeeReference` without a `*` finds that reference only, or all that begin so."""

    unlisted_users: set[str] = field(default_factory=set)
    """Ids of users whom no listing names any more, though appointments are theirs."""

    sees: str | None = None
    """The id of the one user whose appointments the login can see (None: everybody's)."""

    broken_starts: set[str] = field(default_factory=set)
    """Ids of appointments whose `startDate` cannot be parsed."""

    mute: set[str] = field(default_factory=set)
    """Ids of appointments whose show is answered with an error."""

    mute_answer: Literal["server_error", "500", "503", "403", "404"] = "500"
    """Which one: 500 in the vendor's words, or a status with a page."""

    nobody: set[str] = field(default_factory=set)
    """Ids of appointments whose show has `user: null`."""
