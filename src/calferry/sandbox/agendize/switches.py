"""Where the vendor's documents leave a question open: one switch each, set to the harshest honest reading."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(slots=True)
class AgendizeSwitches:
    """May be changed while the server runs; every request reads them anew."""

    query_credentials: bool = False
    """Accept `apiKey` and `token` in the query as well as in the headers."""

    page_size: int | None = None
    """Rows a page; None puts everything on one page."""

    page_name: Literal["nextPageToken", "pageToken", "next", "cursor"] = "nextPageToken"
    """What a page calls the token of the next one."""

    echo: Literal["", "pageToken", "cursor"] = ""
    """What a page calls the token that it was asked for by, where it repeats it."""

    dead_token: Literal[410, 400, 404, 412, 200] = 410
    """Answer to a sync token that is unknown or forgotten; 200 carries an `error` member."""

    token_uses: int | None = None
    """How many deltas a sync token serves before it is forgotten."""

    delta_window: Literal["none", "frozen"] = "none"
    """Whether a delta tells every change, or those within the window of the listing that issued the token."""

    delta_filters: Literal["refused", "ignored"] = "refused"
    """What happens to filters sent together with a sync token."""

    skip_sync_token: int = 0
    """Every n-th last page lacks `nextSyncToken` (0: none does)."""

    duplicate_rows: bool = False
    """A delta lists each row twice."""

    border: Literal["containment", "overlap"] = "containment"
    """Whether rows that straddle a border of the window are left out or listed."""

    deleted_marker: Literal["flag", "date", "status", "none"] = "flag"
    """`deleted: true`, `deleted: {dateTime, timeZone}`, `status: "deleted"` or nothing in the stub of a deleted row."""

    empty_deleted: bool = False
    """Rows that are not deleted have the member `deleted` too: `{dateTime: null, timeZone: null}`."""

    omit_time_zone: bool = False
    """Rows whose `start` and `end` have no `timeZone`."""

    zone_aliases: dict[str, str] = field(default_factory=dict)
    """IANA name → legacy name to print in its place, such as `America/New_York` → `US/Eastern`."""

    html_entities: bool = False
    """Names with numeric entities in place of what is not ASCII."""

    charset: Literal["utf-8", "latin-1", "latin-1 undeclared"] = "utf-8"
    """Encoding of the body, and whether Content-Type says so."""

    integer_ids: bool = False
    """Ids as JSON numbers."""

    google_synchronization: bool = False
    """Rows with `synchronization.googleCalendar.id`: the vendor's own synchronisation has written them already."""

    omit_service: bool = False
    """Rows without `service`, as companies in resource mode have them."""

    resource_lists: Literal["listed", "missing"] = "listed"
    """Whether a company answers for its resources and service resources, or does not know such lists (404)."""

    omit_status: bool = False
    """Rows with a custom status lack `status`: both "cannot be used in the same time"."""

    stable_links: bool = False
    """`rescheduleLink` is the same at every reading; else it is signed anew each time."""

    link_objects: bool = False
    """`rescheduleLink` is an object, as the table has it, and no text, as the representation has it."""

    omit_expiry: bool = False
    """Access tokens come without `expires_in`."""

    rotate_refresh_tokens: bool = False
    """Each refresh token is good once, and the answer brings the next (RFC 6749, section 6, leaves it open)."""

    broken_starts: set[str] = field(default_factory=set)
    """Ids of appointments whose `start.dateTime` cannot be parsed."""
