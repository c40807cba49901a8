"""A plan in a file: what a person saw, change by change, with all that has to hold before one of them is made.

The file is JSON. It names the installation and the ledger that it was made for, and ends with a digest of itself: it is
a record of what was seen, and not to be edited.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, ClassVar

from calferry.errors import CalferryError
from calferry.model import Change, Create, Delete
from calferry.plan import verb

VERSION = 1
"""Of the file's format."""

MEMBERS = {"version": int, "installation": str, "ledger": str, "made_at": str, "items": list, "digest": str}

INSTEAD = "nothing is changed. Make a new one with `calferry plan --out FILE`"


class UnusablePlan(CalferryError):
    """The file is no plan of this installation. Nothing is changed."""

    exit_code: ClassVar[int] = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One change of one event, as it was seen.

    `calendar` is its key. `wanted` is the fingerprint that the calendar shall hold, '' after a deletion; `written` the
    one that it holds, '' before a create. `why` and `evidence` are a deletion's; `summary`, `start` and `end` (ISO
    8601) those of the event that is written.
    """

    calendar: str
    uid: str
    action: str
    generation: int
    wanted: str
    written: str
    why: str = ""
    evidence: str = ""
    summary: str = ""
    start: str = ""
    end: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return self.calendar, self.uid


TYPES = {field.name: int if field.name == "generation" else str for field in fields(Item)}


def item_of(change: Change) -> Item:
    """All of a change that can be seen. Two that are equal ask for the same, where the same is written."""
    seen = {
        "calendar": change.calendar,
        "uid": change.uid,
        "action": verb(change),
        "wanted": change.mark.fingerprint,
        "written": "" if isinstance(change, Create) else change.receipt.fingerprint,
    }
    if isinstance(change, Delete):
        its = {"why": change.removal.why.value, "evidence": change.removal.evidence}
    else:
        event = change.event
        its = {"summary": event.summary, "start": event.start.isoformat(), "end": event.end.isoformat()}
    return Item(generation=change.mark.generation, **seen, **its)


def text(items: Iterable[Item], *, installation: str, ledger: str, made_at: datetime) -> str:
    """The file."""
    document = {
        "version": VERSION,
        "installation": installation,
        "ledger": ledger,
        "made_at": made_at.isoformat(),
        "items": [asdict(item) for item in items],
    }
    return json.dumps(document | {"digest": digest(document)}, indent=2, ensure_ascii=False) + "\n"


def digest(document: Mapping[str, Any]) -> str:
    """SHA-256 over all of the file but the digest itself."""
    rest = {name: value for name, value in document.items() if name != "digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def read(content: bytes, *, installation: str, ledger: str) -> Sequence[Item]:
    """The items of a plan that was made for this installation and its ledger. Raises UnusablePlan."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    if problem := next(_problems(document, installation, ledger), ""):
        message = f"{problem}; {INSTEAD}"
        raise UnusablePlan(message)
    return [Item(**row) for row in document["items"]]


def _problems(document: Any, installation: str, ledger: str) -> Iterator[str]:
    """What is wrong with a file. Each of these is asked only where there is none before it."""
    if not isinstance(document, dict) or type(document.get("version")) is not int:
        yield "it is no plan"
    if document["version"] > VERSION:
        yield "it was written by a newer calferry, in a version of the format that this one cannot read"
    if document["version"] != VERSION:
        yield "it is of a version of the format that there never was"
    yield from _ill_formed(document)
    if document["digest"] != digest(document):
        yield "it is not as it was written: its digest is another"
    if document["installation"] != installation:
        yield f"it was made for the installation {document['installation']!a}, not for {installation!r}"
    if document["ledger"] != ledger:
        yield "it was made with another ledger than this one"


def _ill_formed(document: dict[str, Any]) -> Iterator[str]:
    yield from _misshapen("it", document, MEMBERS)
    for number, row in enumerate(document["items"], 1):
        yield from _misshapen(f"item {number}", row, TYPES)
    keys = {(row["calendar"], row["uid"]) for row in document["items"]}
    if len(keys) < len(document["items"]):
        yield "it names an event of a calendar twice"


def _misshapen(what: str, row: Any, types: Mapping[str, type]) -> Iterator[str]:
    """Whether a part of the file has members of other names or types than these."""
    if not isinstance(row, dict):
        yield f"{what} is no object"
    if unknown := sorted(set(row) - set(types)):
        yield f"{what} has a member {unknown[0]!a}, which no plan has"
    for name, kind in types.items():
        if type(row.get(name)) is not kind:  # a boolean is no number here
            yield f"{what} has no proper {name!r}"
