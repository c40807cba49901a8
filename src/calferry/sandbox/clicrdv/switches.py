"""Where the vendor's documents leave a question open: one switch each, set to the harshest honest reading."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(slots=True)
class ClicrdvSwitches:
    """May be changed while the server runs; every request reads them anew."""

    strangers: Literal["see less", "401 when a session is over", "401"] = "see less"
    """What somebody without a sign-in gets: the public view with status 200, without a word, or a refusal. Whoever
    comes with the cookie of a session that is over is one of them, or is told so."""

    error_shape: Literal["object", "text", "list", "bare", "html"] = "object"
    """Body of a refusal: `{"error": {…}}`, `{"error": "…"}`, `{"errors": […]}`, `{"code", "message"}`, or a page."""

    no_result: Literal[0, 200, 400, 404] = 0
    """Status of the error NoResult that answers a listing without rows; 0: an empty listing answers it."""

    deleted_rows: Literal["listed", "hidden"] = "listed"
    """Whether vevents that were deleted are still listed and found, marked `deleted`."""

    start_index: Literal["item", "page"] = "item"
    """Whether `startIndex` counts rows, as both pages say, or pages, as a client once took it."""

    page_cap: int = 0
    """The most rows a page may have, whatever `results` says (0: no limit)."""

    echo: bool = True
    """Whether a listing repeats `sort`, `dir`, `startIndex`, `recordsReturned` and `pageSize`, as documented."""

    conditions: Literal["honoured", "ignored"] = "honoured"
    """What `appointments` makes of `conditions`, which are documented for listings in general."""

    past: Literal["start", "end"] = "start"
    """By which of its ends an appointment becomes past, for the default that hides past ones."""

    appointment_members: Literal["whole", "bare"] = "whole"
    """Whether rows of `appointments` name calendar, services and stamps, or only when and for whom."""

    single_appointments: bool = True
    """Whether one appointment can be asked for by its id: the page has that path for cancelling only (else 405)."""

    embed_fiche: bool = False
    """Vevents with their `fiche` as an object, as appointments have it."""

    gap: Literal["as booked", "shifted"] = "as booked"
    """How a wall time that spring leaves out is told: as somebody wrote it, or moved to where it falls."""

    xml: Literal["offset", "naive", "none"] = "offset"
    """What the XML form says of times: with their offset, as documented, or without; "none": it is refused (406)."""

    booleans: Literal["bool", "number", "text"] = "bool"
    """How yes and no are spelt: the pages mix them."""

    text_ids: bool = False
    """Ids as JSON texts."""

    zone_labels: dict[str, str] = field(default_factory=dict)
    """IANA name → what `group.timezone` says in its place, such as `Europe/Paris` → `Paris`."""

    wrapped: bool = False
    """A single row inside a member named for its kind, as requests have it."""

    broken_starts: set[str] = field(default_factory=set)
    """Ids of vevents whose `start` cannot be parsed."""

    open_ends: set[str] = field(default_factory=set)
    """Ids of vevents whose `end` is null: no page says that they all have one."""
