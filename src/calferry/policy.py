"""Pure: what becomes of an appointment in a calendar, by its status and by the time.

A route provides for single statuses; whatever it does not mention is treated as DEFAULTS has it. Those never depend on
the time, and delete nothing but what the booking system calls off.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from calferry.model import Appointment, Status, Transparency
from calferry.moments import utc


class Fate(StrEnum):
    """Left as it is; left and marked; taken out of the calendar."""

    KEEP = "keep"
    MARK = "mark"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provision:
    """What a route provides for one status: before the start, from the start to the end, and from the end on.

    Where it names no fate the default holds. `prefix`, `busy` and `shown_as` say what a mark looks like; `shown_as` is
    the status of the event, None for what the appointment's own amounts to.
    """

    past: Fate | None = None
    running: Fate | None = None
    future: Fate | None = None
    prefix: str = "✗ "
    busy: bool = False
    shown_as: Status | None = None

    def fate(self, appointment: Appointment, now: datetime) -> Fate | None:
        """The fate provided for an appointment at `now`."""
        if now < utc(appointment.start):
            return self.future
        return self.running if now < utc(appointment.end) else self.past


Policy = Mapping[str, Provision]
"""By status, as `sought` spells it: a word of the booking system, or what it amounts to ("confirmed", "tentative",
"cancelled")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """What becomes of one appointment at one moment, and how its event looks if it has one."""

    fate: Fate
    status: Status = Status.CONFIRMED
    transparency: Transparency = Transparency.OPAQUE
    prefix: str = ""


DEFAULTS: Mapping[Status, Provision] = MappingProxyType(
    {
        Status.CONFIRMED: Provision(past=Fate.KEEP, running=Fate.KEEP, future=Fate.KEEP),
        Status.TENTATIVE: Provision(past=Fate.KEEP, running=Fate.KEEP, future=Fate.KEEP),
        Status.CANCELLED: Provision(past=Fate.DELETE, running=Fate.DELETE, future=Fate.DELETE),
    }
)


def sought(word: str) -> str:
    """A word of the file as it is looked for: in lower case, with each accented letter as one, however it was typed."""
    return unicodedata.normalize("NFC", word.casefold()).strip()


def treat(policy: Policy, appointment: Appointment, now: datetime) -> Treatment:
    """What becomes of an appointment at `now`.

    A custom status goes before the booking system's own, and that before what it amounts to. What an appointment lacks
    is no status, whatever the policy holds.
    """
    default = DEFAULTS[appointment.status]
    words = map(sought, (appointment.custom_status, appointment.said, appointment.status))
    provision = next((policy[word] for word in words if word and word in policy), default)
    fate = provision.fate(appointment, now) or default.fate(appointment, now) or Fate.KEEP
    match fate:
        case Fate.DELETE:
            return Treatment(fate=fate)
        case Fate.KEEP:
            tentative = appointment.status is Status.TENTATIVE
            return Treatment(fate=fate, status=Status.TENTATIVE if tentative else Status.CONFIRMED)
        case Fate.MARK:
            return Treatment(
                fate=fate,
                status=provision.shown_as or appointment.status,
                transparency=Transparency.OPAQUE if provision.busy else Transparency.TRANSPARENT,
                prefix=provision.prefix,
            )


def turns_at(policy: Policy, appointment: Appointment, now: datetime) -> datetime | None:
    """The next moment (UTC) at which the appointment is treated otherwise than at `now`; None when there is none."""
    if not policy:  # the defaults never turn, and most routes have nothing else
        return None
    today = treat(policy, appointment, now)
    coming = (moment for moment in (utc(appointment.start), utc(appointment.end)) if moment > now)
    return next((moment for moment in coming if treat(policy, appointment, moment) != today), None)
