"""Whatever people and the network do, calendars of Microsoft 365 end up holding the truth, and nobody is mailed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from calferry.model import uid_of
from calferry.sandbox import Sandbox, faults
from calferry.sandbox.faults import Fault, matching
from calferry.sandbox.graph import part_missing, part_status
from calferry.sync.crossing import run
from calferry.sync.installation import Watch
from tests import office
from tests.crash.instants import told
from tests.crossing import CALENDARS, COMPANY, STAFF_ROUTE, HandClock
from tests.office import Place

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)

WHOLE = [faults.lost_reply(), faults.dropped(), faults.html(), faults.status(503), faults.status(500, performed=True)]
PARTS = [
    *(part_missing(), part_missing(performed=False), part_status(503, "ErrorServerBusy", performed=True)),
    *(part_status(429, "ApplicationThrottled", retry_after=30), part_status(412, "ErrorIrresolvableConflict")),
    *(part_status(400, "ErrorInvalidRequest"), part_status(409, "ErrorIrresolvableConflict")),
]

EXAMPLES = 6
"""Of the default profile."""


@dataclass
class Office(office.Office):
    """People act in their calendars, and the network breaks."""

    torn: set[str] = field(default_factory=set)
    guested: set[str] = field(default_factory=set)
    copies: set[Place] = field(default_factory=set)
    copied: set[Place] = field(default_factory=set)

    def configure(self, routes: str = STAFF_ROUTE, *, ledger: str = "calferry.db") -> None:
        super().configure(routes, ledger=ledger)
        for address in CALENDARS:
            start = self.clock.time + DAY
            self.add_foreign_event(address, "Dentist", start, start + 15 * MINUTE)

    def attend_to(self, deed: str, number: int) -> None:
        """What happens in the books."""
        world = self.sandbox.agendize.world
        booked = sorted(world.appointments)
        one = booked[number % len(booked)] if booked else self.book()
        match deed:
            case "book":
                self.book(5 + number % 40, 8 + number % 9, staff=number % 3)
            case "move":
                start = world.appointments[one].start
                world.move(one, start.replace(hour=7 + number % 11))
            case "cancel":
                world.cancel(one)
            case "restore":
                world.restore(one)
            case "notes":
                world.edit_notes(one, f"note {number}")
            case "reassign":
                world.reassign(one, self.staff[number % 3])
            case _:
                raise AssertionError(deed)

    def handle(self, deed: str, number: int) -> None:
        """What users do to an event of ours in their calendars."""
        ours = [one for one in self.marked() if one[0] not in self.copies]
        if not ours:
            return
        place, uid, _ = ours[number % len(ours)]
        world = self.graph.world
        match deed:
            case "invite":
                world.user_invites(*place, "jo@customer.example", "li@customer.example")
                self.guested.add(uid)
            case "retitle":
                world.user_edits(*place, subject=f"Mine {number}", isReminderOn=False)
            case "put elsewhere":
                world.user_moves(*place, world.add_calendar(place[0], f"Other {number}"))
            case "copy":
                self.copies.add((place[0], world.user_copies(*place)))
                self.copied.add(place)
            case "delete" if place not in self.copied:
                world.user_deletes(*place)
                self.torn.add(uid)
            case _:
                pass  # of an event and its copy the copy would become ours

    def break_something(self, deed: str, number: int) -> None:
        """What the network and Graph do."""
        switches = self.graph.switches
        match deed:
            case "whole":
                self._arm(WHOLE[number % len(WHOLE)], number)
            case "part":
                fault = PARTS[number % len(PARTS)]
                writes = matching(method=("POST", "PATCH", "DELETE")[number % 3])
                self.graph.part_faults.add(fault, match=writes, times=1 + number % 2, after=number % 4)
            case "token":
                self.graph.world.expire_access_tokens()
            case "settle":
                switches.etags_settle = not switches.etags_settle
            case "name":
                switches.names_existing = not switches.names_existing
            case "return":
                switches.replay_after_change = "returned" if number % 2 else "refused"
            case _:
                raise AssertionError(deed)

    def _arm(self, fault: Fault, number: int) -> None:
        self.graph.faults.add(fault, match=matching("/v1.0/"), times=1 + number % 2, after=number % 3)

    def die(self, number: int) -> None:
        """A pass whose process dies at some instant, and leaves nothing but the ledger's file."""
        left = 1 + number % 120

        def count(moment: str) -> None:
            nonlocal left
            left -= moment not in UNCERTAIN
            if left == 0:
                raise Crash

        with suppress(Crash), self.installation() as installation, told(count):
            run(installation, Watch())

    def check_always(self) -> None:
        world = self.graph.world
        assert (world.mails, world.reminders, world.schema_violations, world.changing_ids) == ([], [], [], 0)
        assert not world.foreign_touched()
        standing = Counter((place[0], uid) for place, uid, _ in self.marked() if place not in self.copies)
        assert not [one for one, number in standing.items() if number > 1]

    def check_in_the_end(self) -> None:
        """But for what guests were invited to, the calendars hold each live appointment once, where and when it is."""
        live = {uid_of("salon", f"agendize:{COMPANY}", one.id): one for one in self.sandbox.agendize.world.live()}
        truth = {
            (one.staff_email, uid, f"{one.start:%Y-%m-%dT%H:%M:%S}")
            for uid, one in live.items()
            if uid not in self.guested
        }
        found = Counter(
            (place[0], uid, kept.item["start"]["dateTime"])
            for place, uid, kept in self.marked()
            if place not in self.copies and uid not in self.guested
        )
        assert found == Counter(truth)


@contextmanager
def opened() -> Iterator[Office]:
    clock = HandClock()
    with TemporaryDirectory(prefix="calferry-office-") as home, Sandbox(clock.now) as sandbox:
        yield Office(sandbox, Path(home), clock)
        assert [*sandbox.agendize.crashes, *sandbox.graph.crashes] == []


class Crash(BaseException):
    """The process dies here."""


UNCERTAIN = frozenset({"after send", "before receive"})
"""Instants at which this process would go on while the sandbox still performs the request."""

BOOKS = ("book", "book", "move", "cancel", "restore", "notes", "reassign")
HANDS = ("invite", "retitle", "put elsewhere", "copy", "delete")
BREAKS = ("whole", "part", "part", "token", "settle", "name", "return")

deeds = st.tuples(
    st.sampled_from([*BOOKS, *HANDS, *BREAKS, "cross", "cross", "cross", "die", "die"]), st.integers(0, 999)
)


def test_a_pass_costs_what_changed_and_nothing_else() -> None:
    with opened() as shop:
        for number in range(5):
            shop.book(5 + number)
        shop.cross()
        # Discovery and token of the process, a survey, and two batches of three at most.
        assert shop.graph.kinds == {"discovery": 1, "token": 1, "single": 1, "batch": 2}
        shop.graph.forget_requests()
        shop.cross()
        assert shop.graph.kinds == {}
        shop.check_in_the_end()


def test_an_event_whose_answer_was_lost_and_which_its_user_changed_since_is_there_once() -> None:
    with opened() as shop:
        shop.book()
        shop.graph.faults.add(faults.lost_reply(), match=matching("$batch"))
        assert shop.cross().errors
        shop.handle("retitle", 0)
        assert not shop.cross(5 * MINUTE).errors
        shop.check_always()
        shop.check_in_the_end()
        assert [kept.item["subject"] for _, _, kept in shop.marked()] != ["Mine 0"]


@given(st.lists(deeds, min_size=10, max_size=40))
def test_whatever_happens_the_calendars_hold_the_truth_and_nobody_is_mailed(story: list[tuple[str, int]]) -> None:
    with opened() as shop:
        for number in range(4):
            shop.book(6 + number, staff=number % 3)
        for deed, number in story:
            if deed == "cross":
                shop.cross(MINUTE * (1 + number % 90))
            elif deed == "die":
                shop.clock.pass_by(MINUTE * (1 + number % 9))
                shop.die(number)
            else:
                act = shop.attend_to if deed in BOOKS else shop.handle if deed in HANDS else shop.break_something
                act(deed, number)
            shop.check_always()
        settle(shop)


def settle(shop: Office) -> None:
    """All is mended, what was deleted by hand changes once more, and days go by."""
    shop.graph.faults.clear()
    shop.graph.part_faults.clear()
    world = shop.sandbox.agendize.world
    for one in list(world.appointments):
        if uid_of("salon", f"agendize:{COMPANY}", one) in shop.torn:
            world.edit_notes(one, "again")
    for _ in range(4):
        shop.cross(25 * 60 * MINUTE)
        shop.check_always()
    shop.graph.forget_requests()
    shop.cross()
    assert shop.graph.requests == 0
    shop.check_in_the_end()


if settings.default is not None and settings.default.max_examples <= 100:
    # `soak` brings its own number of examples. To shrink a failing one takes minutes, and is left to it too.
    few = settings(max_examples=EXAMPLES, phases=[Phase.explicit, Phase.generate])
    few(test_whatever_happens_the_calendars_hold_the_truth_and_nobody_is_mailed)
