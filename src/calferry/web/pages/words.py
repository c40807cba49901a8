"""What the pages say, in English and French. The English sentence is the key of the French one (`french`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from calferry.language import Language, date_text
from calferry.web.pages.french import FRENCH

STATES: Mapping[str, str] = {
    "in step": "in step",
    "behind": "not in step",
    "paused": "paused",
    "resting": "paused by hand",
    "untold": "not known",
}
"""How a calendar fares, by `overview.State`."""

SIGNS: Mapping[str, str] = {
    "new": "not there yet",
    "changes": "to be changed",
    "leaves": "to leave",
    "parked": "waits for you",
    "rejected": "stays, by your word",
    "approved": "to leave, by your word",
    "refused": "refused by the calendar",
    "respected": "left as its user wants",
    "aside": "written by the booking system itself",
}
"""How an event differs, by `agenda.Sign`, and what holds it, by `store.story.Place.held`."""

WHYS: Mapping[str, str] = {
    "gone": "gone",
    "cancelled": "cancelled",
    "moved": "moved",
    "filtered": "filtered out",
    "reconfigured": "reconfigured",
}

TROUBLES: Mapping[str, str] = {
    "refused": "Refused by the calendar",
    "unrouted": "No calendar for it",
    "quarantined": "Could not be read",
    "paused": "Paused",
    "unreachable": "Out of reach",
    "unproven": "No listing proves itself complete",
    "unread": "Not read for a day or longer",
    "expiring": "A credential runs out",
    "drift": "Changed in the calendar by hand",
}
"""What waits for a person, by `ports.Attention.what`."""

HAPPENED: Mapping[str, str] = {
    "booked": "told of for the first time",
    "changed": "told of anew",
    "touched": "something it refers to changed",
    "deleted": "said to be gone",
    "restored": "told of again",
    "quarantined": "could not be read",
    "routed": "routed",
    "unrouted": "no calendar for it",
    "created": "written into the calendar",
    "updated": "updated in the calendar",
    "removed": "taken out of the calendar",
    "parked": "held back for a person",
    "approved": "approved",
    "rejected": "rejected",
    "refused": "refused by the calendar",
    "unlisted": "missing from a listing",
    "relisted": "listed again",
    "asked for": "asked for by its id",
    "found": "found by its id",
    "asked": "a person asked",
    "drift": "differs in the calendar",
    "conflict": "to be created anew",
    "recovered": "recognised in the calendar",
    "adopted": "adopted",
    "erased": "erased",
    "gathered": "gathered from its bookings",
    "respected": "left as its user wants",
    "aside": "left to the booking system",
}
"""What the journal tells; what is not here is shown as it is written there."""

DONE: Mapping[str, str] = {
    "approve": "Approved; the next pass carries it out.",
    "reject": "Rejected; what was chosen stays in the calendar.",
    "pause": "Paused.",
    "resume": "Resumed; the next pass goes on with it.",
    "sync": "A pass was started.",
    "rotate": "There is a new address.",
    "revoke": "Revoked.",
}

ASKS: Mapping[str, str] = {
    "approve": "Approve these deletions?",
    "reject": "Reject these deletions?",
    "pause": "Pause this?",
    "resume": "Resume this?",
    "sync": "Start a pass?",
    "rotate": "Make a new address?",
    "revoke": "Revoke all addresses?",
}

UNITS = ((timedelta(days=1), "day"), (timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute"))
FRENCH_UNITS: Mapping[str, str] = {"day": "jour", "hour": "heure", "minute": "minute"}


@dataclass(frozen=True, slots=True)
class Speech:
    """Says things in one language."""

    language: Language

    def __call__(self, text: str, **values: object) -> str:
        said = FRENCH.get(text, text) if self.language is Language.FRENCH else text
        return said.format(**values) if values else said

    def count(self, number: int, one: str, several: str, **values: object) -> str:
        """French counts nothing as one."""
        is_one = number == 1 or (number == 0 and self.language is Language.FRENCH)
        return self(one if is_one else several, n=number, **values)

    def state(self, state: str) -> str:
        return self(STATES[state])

    def sign(self, sign: str) -> str:
        return self(SIGNS.get(sign, sign))

    def why(self, why: str) -> str:
        return self(WHYS.get(why, why))

    def trouble(self, what: str) -> str:
        return self(TROUBLES.get(what, what))

    def happened(self, what: str) -> str:
        return self(HAPPENED.get(what, what))

    def done(self, action: str) -> str:
        return self(DONE[action])

    def asks(self, action: str) -> str:
        return self(ASKS[action])

    def day(self, day: date) -> str:
        return date_text(datetime.combine(day, time()), self.language)

    def moment(self, moment: datetime) -> str:
        return f"{moment:%Y-%m-%d %H:%M}"

    def ago(self, moment: datetime | None, now: datetime) -> str:
        """How long ago, in the largest unit that fits."""
        if moment is None:
            return self("never")
        span = self._span(now - moment)
        return self("{span} ago", span=span) if span else self("just now")

    def until(self, moment: datetime, now: datetime) -> str:
        span = self._span(moment - now)
        return self("in {span}", span=span) if span else self("any moment")

    def _span(self, span: timedelta) -> str:
        for unit, name in UNITS:
            if span >= unit:
                number = span // unit
                word = FRENCH_UNITS[name] if self.language is Language.FRENCH else name
                return f"{number} {word}{'s' if number > 1 else ''}"
        return ""


def speech_for(wanted: str, accepted: str) -> Speech:
    """The language that was chosen; else the one a browser prefers (RFC 9110, section 12.5.4)."""
    preferred = [part.partition(";")[0].strip()[:2].lower() for part in accepted[:200].split(",")]
    known = {language.value: language for language in Language}
    found = next((known[code] for code in (wanted, *preferred) if code in known), Language.ENGLISH)
    return Speech(found)
