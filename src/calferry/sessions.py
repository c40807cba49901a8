"""Pure: which bookings make a session, and what they amount to.

Booking systems give a session no id of its own: its bookings have only their service, their owners and their time in
common, and all of these change when it is moved. So the ledger founds a session with the first booking that is nowhere
counted, and keeps it: it goes where its bookings go.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from calferry.model import Appointment, Contact, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """A booking as it was last told. `part_of` is the uid of the session that it was last counted in, '' before.
    `reread` says that another reading of its row changed it since it was last routed."""

    uid: str
    revision: int
    appointment: Appointment
    part_of: str = ""
    deletion: str = ""
    deletion_weak: bool = False
    reread: bool = False

    @property
    def shared(self) -> str:
        return self.appointment.session

    @property
    def takes_place(self) -> bool:
        return not self.deletion and self.appointment.status is not Status.CANCELLED


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session. Its bookings share `shared`; '' once it became part of another. `founded` rises from one to the next.

    `appointment` is what its bookings amount to, `deletion` the evidence that it is gone, '' while it is not.
    """

    uid: str
    founded: int
    shared: str
    appointment: Appointment
    deletion: str = ""
    deletion_weak: bool = False


def arranged(
    sessions: Iterable[Session], bookings: Sequence[Booking], found: Callable[[str, Booking], Session]
) -> list[Session]:
    """Where sessions stand by now, with all that were ever counted in one of them, or that stand where they do.

    A session stays while one of its bookings does; when all have left, it goes where most of them are. Of two that come
    together the one that takes place stays, then the older; a session that is called off takes in who comes after.
    `found` founds one for bookings that have none.
    """
    own: defaultdict[str, list[str]] = defaultdict(list)
    for booking in bookings:
        if booking.takes_place and booking.shared:
            own[booking.part_of].append(booking.shared)
    gone = {session.uid: replace(session, shared=_followed(session, own[session.uid])) for session in sessions}
    standing: dict[str, Session] = {}
    for session in sorted(gone.values(), key=lambda one: (not own[one.uid], one.founded)):
        if session.shared and standing.setdefault(session.shared, session) is not session:
            gone[session.uid] = replace(session, shared="")
    for booking in sorted(bookings, key=lambda one: one.revision):
        if booking.takes_place and booking.shared and booking.shared not in standing:
            standing[booking.shared] = found(booking.shared, booking)
    return list((gone | {one.uid: one for one in standing.values()}).values())


def _followed(session: Session, own: Sequence[str]) -> str:
    """Where the session is, by what its bookings share that take place. One that became part of another stays so."""
    if not own or not session.shared or session.shared in own:
        return session.shared
    counted = Counter(own)
    return min(counted, key=lambda shared: (-counted[shared], shared))


def counted(sessions: Iterable[Session], bookings: Iterable[Booking]) -> dict[str, str]:
    """By uid of a booking the uid of its session, '' for none. What takes place no more stays where it was counted."""
    standing = {session.shared: session.uid for session in sessions if session.shared}
    return {
        booking.uid: standing.get(booking.shared, "") if booking.takes_place else booking.part_of
        for booking in bookings
    }


def gathered(session: Session, bookings: Iterable[Booking], parts: Mapping[str, str]) -> Session:
    """The session with what its bookings amount to: those of the given ones that `parts` says."""
    told = sorted(bookings, key=lambda one: one.revision)
    its = [one for one in told if parts[one.uid] == session.uid]
    if live := [one for one in its if one.takes_place]:
        return replace(session, appointment=_taking_place(session, live), deletion="", deletion_weak=False)
    left = [one for one in told if one.part_of == session.uid and one.takes_place]
    return _ended(session, its, left)


def _taking_place(session: Session, live: Sequence[Booking]) -> Appointment:
    """What all bookings say alike, or else the newest of them; nothing that is one customer's alone."""
    told = [one.appointment for one in live]
    confirmed = any(one.status is Status.CONFIRMED for one in told)
    customers = [customer for one in told for customer in _customers(one)]
    return replace(
        told[-1],
        source_id=session.appointment.source_id,
        status=Status.CONFIRMED if confirmed else Status.TENTATIVE,
        said=_alike(one.said for one in told),
        custom_status=_alike(one.custom_status for one in told),
        reference="",
        external_id="",
        description="",
        reschedule_url="",
        contact=Contact(),
        uses=tuple(dict.fromkeys(use for one in reversed(told) for use in one.uses)),
        session=session.shared,
        gathered=True,
        elsewhere=told[-1].elsewhere if len({one.elsewhere for one in told}) == 1 else (),
        customers=tuple(sorted(customers, key=lambda one: (one.last_name, one.first_name, one.email, one.phone))),
    )


def _customers(told: Appointment) -> Sequence[Contact]:
    """Who comes with a booking: its client, or somebody who is forgotten by now. One without a client is for nobody."""
    return (told.contact,) if told.contact != Contact() else told.customers


def _ended(session: Session, its: Sequence[Booking], left: Sequence[Booking]) -> Session:
    """A session without bookings, by the evidence of the last one that left it. Weak evidence for one is weak for it.

    One that had none to lose stays as it is.
    """
    empty = replace(session.appointment, customers=())
    if left:
        last = left[-1]
        where = "is part of another session" if last.shared else "is no longer told to be part of a session"
        deletion = f"its last booking, {last.appointment.source_id}, {where}"
        return replace(session, appointment=empty, deletion=deletion, deletion_weak=not last.shared)
    if not its:
        return replace(session, appointment=empty)
    last = next((one for one in reversed(its) if one.deletion_weak), its[-1])
    told = last.appointment
    if last.deletion:
        evidence = f"its last booking, {told.source_id}: {last.deletion}"
        return replace(session, appointment=empty, deletion=evidence, deletion_weak=last.deletion_weak)
    said = replace(empty, status=Status.CANCELLED, said=told.said, custom_status=told.custom_status)
    return replace(session, appointment=said, deletion="", deletion_weak=False)


def _alike(words: Iterable[str]) -> str:
    """The word that all say, '' where they differ."""
    told = set(words)
    return told.pop() if len(told) == 1 else ""
