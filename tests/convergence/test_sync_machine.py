"""Any order of bookings, hands in calendars, breakages and crashes ends with the calendars holding the truth."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from calferry.model import uid_of
from calferry.sandbox import AgendizeSwitches, AgendizeWorld
from calferry.sync.crossing import Report, run
from calferry.sync.installation import Installation, Watch
from calferry.sync.push import plan
from tests.convergence.breakage import BREAKAGES, Where, break_next, broken, mend
from tests.crash.instants import told
from tests.crossing import CALENDARS, COMPANY, Salon, salon, uid_of_event

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SPANS = (timedelta(minutes=1), timedelta(minutes=16), 3 * HOUR, 25 * HOUR, 3 * DAY)

EXAMPLES, STEPS = 15, 30
"""Of the default profile; `soak` brings its own number of examples."""

UNCERTAIN = frozenset({"after send", "before receive"})
"""Instants at which this process would go on while the sandbox still performs the request."""

Deed = Callable[[AgendizeWorld, str, int], None]

DEEDS: dict[str, Deed] = {
    "cancel": lambda world, booked, _: world.cancel(booked),
    "decline": lambda world, booked, _: world.set_status(booked, "declined"),
    "delete": lambda world, booked, _: world.delete(booked),
    "restore": lambda world, booked, _: world.restore(booked),
    "complete": lambda world, booked, _: world.set_status(booked, "completed"),
    "edit notes": lambda world, booked, n: world.edit_notes(booked, f"note {n}"),
    "reassign": lambda world, booked, n: world.reassign(booked, list(world.staff)[n % 3]),
    "move": lambda world, booked, n: world.move(
        booked, world.appointments[booked].start.replace(hour=7 + n % 11) + timedelta(days=n % 2)
    ),
}
OFF = frozenset({"cancel", "decline", "delete"})


class Crash(BaseException):
    """The process dies here."""


walls = st.one_of(
    st.tuples(st.integers(-4, 75), st.integers(7, 18), st.just(0)),
    # Around the night in which the clocks go back, as long as the clock still shows the first day.
    st.tuples(st.just(5), st.sampled_from([1, 2, 3]), st.sampled_from([0, 10, 30])),
)
minutes = st.sampled_from([15, 20, 30])
numbers = st.integers(0, 999)


class SyncMachine(RuleBasedStateMachine):
    """A salon, its customers, its staff at their calendars, the network, and calferry."""

    booked = Bundle("booked")

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.running = ExitStack()
        home = Path(self.stack.enter_context(TemporaryDirectory(prefix="calferry-machine-")))
        self.shop: Salon = self.stack.enter_context(salon(home))
        self.doubtful: set[str] = set()
        """Appointments of which calferry may have been told that they are off, and not yet that they are on again."""
        self.torn: set[str] = set()
        """uids of events that somebody deleted by hand."""
        self.process: Installation | None = None

    @property
    def bookings(self) -> AgendizeWorld:
        return self.shop.sandbox.agendize.world

    @initialize(
        target=booked,
        stock=st.integers(0, 8),
        frozen=st.booleans(),
        paged=st.booleans(),
        forbidden=st.booleans(),
        dead_token=st.sampled_from([410, 400, 404, 412, 200]),
        overlap=st.booleans(),
        marker=st.sampled_from(["flag", "date", "status"]),
    )
    def read_the_documents(  # noqa: PLR0913 (one for each open question)
        self,
        *,
        stock: int,
        frozen: bool,
        paged: bool,
        forbidden: bool,
        dead_token: Literal[410, 400, 404, 412, 200],
        overlap: bool,
        marker: Literal["flag", "date", "status"],
    ) -> MultipleResults[str]:
        """Both readings of what the vendors' documents leave open, and the books as they are when calferry comes."""
        agendize, google = self.shop.sandbox.agendize.switches, self.shop.sandbox.google.switches
        agendize.delta_window = "frozen" if frozen else "none"
        agendize.page_size = 3 if paged else None
        agendize.border = "overlap" if overlap else "containment"
        agendize.dead_token, agendize.deleted_marker = dead_token, marker
        google.tombstones = "forbidden" if forbidden else "restorable"
        ids = [self.shop.book(number, 9, staff=number % 3) for number in range(stock)]
        if stock % 2:
            self._crossed(HOUR)
        return multiple(*ids)

    # At the front desk

    @rule(target=booked, wall=walls, length=minutes, who=st.integers(0, 2), what=st.integers(0, 1))
    def book(self, wall: tuple[int, int, int], length: int, who: int, what: int) -> str:
        start, service = self.shop.wall(*wall), self.shop.services[what]
        return self.shop.book(staff=who, start=start, minutes=length, service=service)

    @rule(appointment=booked, wall=walls, length=minutes)
    def move(self, appointment: str, wall: tuple[int, int, int], length: int) -> None:
        self.bookings.move(appointment, self.shop.wall(*wall), length)

    @rule(appointment=booked, deed=st.sampled_from(sorted(DEEDS)), number=numbers)
    def attend_to(self, appointment: str, deed: str, number: int) -> None:
        if deed == "complete" and appointment not in {one.id for one in self.bookings.live()}:
            return
        DEEDS[deed](self.bookings, appointment, number)
        if deed in OFF:
            self.doubtful.add(appointment)

    @rule(appointment=consumes(booked))
    def vanish_without_a_trace(self, appointment: str) -> None:
        self.shop.vanish(appointment)

    @rule(who=st.integers(0, 2), calendar=st.sampled_from(CALENDARS), what=st.integers(0, 1), number=numbers)
    def administer(self, who: int, calendar: str, what: int, number: int) -> None:
        """What no delta tells: a renamed service, another address."""
        if number % 2:
            self.bookings.rename_service(self.shop.services[what], f"Soin {number}")
        else:
            self.bookings.set_staff_email(self.shop.staff[who], calendar)

    # In the calendars

    @precondition(lambda self: self.shop.standing())
    @rule(number=numbers, purged=st.booleans())
    def delete_by_hand(self, number: int, purged: bool) -> None:
        ours = [(calendar, event) for calendar in CALENDARS for event in self.shop.ours(calendar)]
        calendar, event = ours[number % len(ours)]
        google = self.shop.sandbox.google.world
        google.user_deletes(calendar, event["id"])
        if purged:
            google.purge(calendar, event["id"])
        self.torn.add(uid_of_event(event))

    @rule(calendar=st.sampled_from(CALENDARS), wall=walls, number=numbers)
    def live_a_private_life(self, calendar: str, wall: tuple[int, int, int], number: int) -> None:
        google = self.shop.sandbox.google.world
        own = [event for home, event in google.foreign if home == calendar]
        if own and number % 2:
            google.user_edits(calendar, own[number % len(own)], summary=f"Dentist {number}")
        else:
            start = self.shop.clock.time + timedelta(days=wall[0], hours=wall[1])
            google.add_foreign_event(calendar, f"Dentist {number}", start, start + HOUR)

    # The world between

    @rule(breakage=st.sampled_from(BREAKAGES), times=st.integers(1, 4), after=st.integers(0, 3))
    def break_something(self, breakage: tuple[Where, str], times: int, after: int) -> None:
        break_next(self.shop.sandbox, *breakage, times=times, after=after)

    @rule(what=st.sampled_from(["cursors", "access", "withdraw", "revoke", "hide"]), who=st.sampled_from(CALENDARS))
    def lose_access(self, what: str, who: str) -> None:
        google = self.shop.sandbox.google.world
        match what:
            case "cursors":
                self.bookings.expire_tokens()
            case "access":
                google.expire_access_tokens()
            case "withdraw":
                google.withdraw(who)
            case "revoke":
                google.revoke(who)
            case "hide":
                self.bookings.withdraw_company(COMPANY)
            case _:
                raise AssertionError(what)

    @rule()
    def mend_everything(self) -> None:
        mend(self.shop.sandbox)
        google = self.shop.sandbox.google.world
        self.bookings.withdraw_company(COMPANY, withdrawn=False)
        for calendar in CALENDARS:
            google.withdraw(calendar, withdrawn=False)
            google.revoke(calendar, revoked=False)

    # calferry

    @rule(span=st.sampled_from(SPANS))
    def cross(self, span: timedelta) -> None:
        self._crossed(span)

    def _crossed(self, span: timedelta) -> Report:
        """A pass, some time later."""
        self.shop.clock.pass_by(span)
        before, whole = self._places(), self._whole()
        self.process = self.process or self.running.enter_context(self.shop.installation())
        report = run(self.process, Watch())
        self._nothing_live_left(before)
        heard = whole and not report.errors and not report.pulled["salon"]["paused"]
        if heard and not self._is_under_way(self.process):
            self.doubtful -= {one.id for one in self.bookings.live()}
        return report

    @rule(span=st.sampled_from(SPANS), instant=st.integers(1, 150))
    def crash(self, span: timedelta, instant: int) -> None:
        """A pass that dies, and whose process leaves nothing but the ledger's file."""
        self.shop.clock.pass_by(span)
        before = self._places()
        self.stop_the_process()
        left = instant

        def count(moment: str) -> None:
            nonlocal left
            left -= moment not in UNCERTAIN
            if left == 0:
                raise Crash

        try:
            with self.shop.installation() as installation, told(count):
                run(installation, Watch())
        except Crash:
            pass
        self._nothing_live_left(before)

    def stop_the_process(self) -> None:
        self.running.close()
        self.process = None

    @precondition(lambda self: self._known())
    @rule(
        deeds=st.lists(st.tuples(numbers, st.sampled_from(sorted(DEEDS)), numbers), min_size=1, max_size=4),
        breakage=st.none() | st.sampled_from(BREAKAGES),
        torn=st.booleans(),
        span=st.sampled_from(SPANS),
    )
    def have_a_busy_day(
        self, deeds: list[tuple[int, str, int]], breakage: tuple[Where, str] | None, *, torn: bool, span: timedelta
    ) -> None:
        """Much at once: a rule at a time seldom meets what only comes together."""
        if torn and self.shop.standing():
            self.delete_by_hand(deeds[0][0], purged=bool(deeds[0][2] % 2))
        for which, deed, number in deeds:
            known = self._known()
            self.attend_to(known[which % len(known)], deed, number)
        if breakage:
            self.break_something(breakage, times=1, after=deeds[0][2] % 3)
        self._crossed(span)

    def _known(self) -> list[str]:
        return [one for one, row in self.bookings.appointments.items() if row.company == COMPANY]

    # What holds, always

    @invariant()
    def nobody_else_is_touched_and_nobody_gets_mail(self) -> None:
        verdict = self.shop.verdict()
        assert (verdict.foreign_touched, verdict.mails, verdict.reminder_mails) == (0, 0, 0), verdict.details
        google = self.shop.sandbox.google
        assert (google.world.schema_violations, google.crashes, self.shop.sandbox.agendize.crashes) == ([], [], [])

    @invariant()
    def no_appointment_is_twice_in_one_calendar(self) -> None:
        assert not [place for place, number in self.shop.standing().items() if number > 1]

    def _places(self) -> dict[str, set[str]]:
        """The calendars in which an event of an appointment stands."""
        uids = {uid_of("salon", f"agendize:{COMPANY}", one): one for one in self.bookings.appointments}
        places: dict[str, set[str]] = {}
        for calendar, uid in self.shop.standing():
            places.setdefault(uids[uid], set()).add(calendar)
        return places

    def _nothing_live_left(self, before: dict[str, set[str]]) -> None:
        live = {one.id for one in self.bookings.live()} - self.doubtful
        assert not (live & before.keys()) - self._places().keys()

    def _is_under_way(self, installation: Installation) -> bool:
        """Whether a change has no answer yet: a deletion among them is repeated before its event may come back."""
        some_day = self.shop.clock.time + 3650 * DAY
        outbox = installation.ledger.outbox
        return any(outbox.unsettled(f"google:{calendar}", some_day) for calendar in CALENDARS)

    def _whole(self) -> bool:
        """Whether a pass now is told everything there is."""
        agendize: AgendizeSwitches = self.shop.sandbox.agendize.switches
        google = self.shop.sandbox.google.world
        closed = google.revoked or any(one.withdrawn for one in google.calendars.values())
        return not (broken(self.shop.sandbox) or closed or agendize.delta_window == "frozen")

    # At the end

    def teardown(self) -> None:
        with self.stack, self.running:
            self.mend_everything()
            self._touch_what_was_torn()
            for who in range(3):
                self.shop.book(9, 12, staff=who)
            for _ in range(4):
                self._crossed(25 * HOUR)
            assert not self._crossed(timedelta(minutes=1)).errors
            self.stop_the_process()
            with self.shop.installation() as installation:
                assert plan(installation) == ()
            assert self.shop.quiet_requests() == (1, 0)
            self._carry_out_what_is_parked()
            assert self.shop.verdict().clean, self.shop.verdict().details

    def _touch_what_was_torn(self) -> None:
        """An event that somebody deleted comes back with the next change of its appointment, and not before."""
        for appointment in list(self.bookings.appointments):
            row = self.bookings.appointments[appointment]
            if uid_of("salon", f"agendize:{COMPANY}", appointment) in self.torn and row.deleted is None:
                self.bookings.edit_notes(appointment, f"{row.notes} (again)")

    def _carry_out_what_is_parked(self) -> None:
        """What the brakes hold back is the one difference there may be; none of it takes place."""
        live = {(one.staff_email, uid_of("salon", f"agendize:{COMPANY}", one.id)) for one in self.bookings.live()}
        with self.shop.installation() as installation:
            attention = installation.ledger.attention(installation.clock.now())
        assert {one.what for one in attention} <= {"parked"}, attention
        parked = {(one.where.removeprefix("google:"), one.id) for one in attention}
        assert not parked & live
        for calendar, uid in parked:
            for event in self.shop.ours(calendar):
                if uid_of_event(event) == uid:
                    self.shop.sandbox.google.world.user_deletes(calendar, event["id"])


TestSyncMachine = SyncMachine.TestCase
if settings.default is not None and settings.default.max_examples <= 100:
    # A failing example is shown as it was found: to shrink it takes minutes, and is left to `soak`.
    phases = [Phase.explicit, Phase.generate]
    TestSyncMachine.settings = settings(max_examples=EXAMPLES, stateful_step_count=STEPS, phases=phases)
