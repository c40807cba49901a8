"""Whatever happens to the bookings of group sessions, on the line and to the process: in the end every calendar shows
each session once, with the number of those who come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from calferry.sandbox.agendize.world import Appointment
from calferry.sync.crossing import run
from calferry.sync.deciding import approve
from calferry.sync.installation import Watch
from calferry.sync.push import plan
from tests.convergence.breakage import BREAKAGES, break_next, mend
from tests.crash.instants import told
from tests.crossing import COMPANY, Salon, salon

EXAMPLES = 12
"""Of the default profile; `soak` brings its own number of examples."""

SPANS = (timedelta(minutes=1), timedelta(minutes=16), timedelta(hours=25))
UNCERTAIN = frozenset({"after send", "before receive"})
"""Instants at which this process would go on while the sandbox still performs the request."""

Step = tuple[str, int, int]


class Crash(BaseException):
    """The process dies here."""


def book(shop: Salon, number: int) -> None:
    client = ("Zoé", f"Sample {number}", f"zoe{number}@customer.example", "")
    start = shop.wall(2 + number % 3, 18)
    shop.book(staff=number % 2, start=start, client=client, meta_event=number % 7 > 0)


def class_of(shop: Salon, row: Appointment) -> list[str]:
    """All bookings of the same class."""
    rows = shop.sandbox.agendize.world.appointments.values()
    return [one.id for one in rows if (one.start, one.staff, one.company) == (row.start, row.staff, row.company)]


def move_the_class(shop: Salon, row: Appointment, number: int) -> None:
    for one in class_of(shop, row):
        shop.sandbox.agendize.world.move(one, shop.wall(2 + number % 5, 18 + number % 2))


def half_move_the_class(shop: Salon, row: Appointment, number: int) -> None:
    for one in class_of(shop, row)[::2]:
        shop.sandbox.agendize.world.move(one, shop.wall(2 + number % 5, 18 + number % 2))


def give_the_class(shop: Salon, row: Appointment, number: int) -> None:
    for one in class_of(shop, row):
        shop.sandbox.agendize.world.reassign(one, shop.staff[number % 3])


def call_off_the_class(shop: Salon, row: Appointment, _: int) -> None:
    for one in class_of(shop, row):
        shop.sandbox.agendize.world.cancel(one)


DEEDS: Mapping[str, Callable[[Salon, Appointment, int], None]] = {
    "move": lambda shop, row, n: shop.sandbox.agendize.world.move(row.id, shop.wall(2 + n % 3, 18)),
    "reassign": lambda shop, row, n: shop.sandbox.agendize.world.reassign(row.id, shop.staff[n % 2]),
    "cancel": lambda shop, row, _: shop.sandbox.agendize.world.cancel(row.id),
    "delete": lambda shop, row, _: shop.sandbox.agendize.world.delete(row.id),
    "vanish": lambda shop, row, _: shop.vanish(row.id),
    "restore": lambda shop, row, _: shop.sandbox.agendize.world.restore(row.id),
    "edit": lambda shop, row, n: shop.sandbox.agendize.world.edit_notes(row.id, f"note {n}"),
    "wait": lambda shop, row, _: shop.sandbox.agendize.world.set_status(row.id, "pending"),
    "flag": lambda shop, row, n: shop.sandbox.agendize.world.flag(row.id, meta_event=n % 3 > 0),
    "move the class": move_the_class,
    "half move the class": half_move_the_class,
    "give the class": give_the_class,
    "call off the class": call_off_the_class,
}

numbers = st.integers(0, 999)
steps = st.one_of(
    st.tuples(st.just("book"), numbers, numbers),
    st.tuples(st.sampled_from(sorted(DEEDS)), numbers, numbers),
    st.tuples(st.sampled_from(sorted(DEEDS)), numbers, numbers),
    st.tuples(st.just("break"), numbers, numbers),
    st.tuples(st.just("cross"), numbers, numbers),
    st.tuples(st.just("cross"), numbers, numbers),
    st.tuples(st.just("crash"), numbers, numbers),
)


def live(shop: Salon, step: Step) -> None:
    what, which, number = step
    known = [row for row in shop.sandbox.agendize.world.appointments.values() if row.company == COMPANY]
    match what:
        case "book":
            book(shop, which)
        case "break":
            break_next(shop.sandbox, *BREAKAGES[which % len(BREAKAGES)], times=1 + number % 3, after=number % 2)
        case "cross":
            shop.cross(SPANS[number % len(SPANS)])
        case "crash":
            crash(shop, 1 + number % 120)
        case deed if known:
            DEEDS[deed](shop, known[which % len(known)], number)
        case _:
            pass  # there is nothing yet to do it to
    assert not [place for place, number in shop.standing().items() if number > 1]


def crash(shop: Salon, instant: int) -> None:
    """A pass that dies, and whose process leaves nothing but the ledger's file."""
    shop.clock.pass_by(SPANS[instant % len(SPANS)])
    left = instant

    def count(moment: str) -> None:
        nonlocal left
        left -= moment not in UNCERTAIN
        if left == 0:
            raise Crash

    try:
        with shop.installation() as installation, told(count):
            run(installation, Watch())
    except Crash:
        pass


def let_go(shop: Salon) -> None:
    """What the brakes held back is carried out."""
    with shop.installation() as installation:
        waiting = {one.uid for one in installation.ledger.outbox.held_back()}
        assert not approve(installation, waiting, Watch()).unasked
    shop.cross()


soaking = settings.default is not None and settings.default.max_examples > 100
# A failing example is shown as it was found: to shrink it takes minutes, and is left to `soak`.
PROFILE = settings() if soaking else settings(max_examples=EXAMPLES, phases=[Phase.explicit, Phase.generate])


@given(
    stock=st.lists(numbers, min_size=2, max_size=8),
    paged=st.booleans(),
    frozen=st.booleans(),
    history=st.lists(steps, min_size=6, max_size=24),
)
@PROFILE
def test_in_the_end_every_session_is_shown_once_with_its_number(
    stock: list[int], *, paged: bool, frozen: bool, history: list[Step]
) -> None:
    with TemporaryDirectory(prefix="calferry-sessions-") as home, salon(Path(home)) as shop:
        switches = shop.sandbox.agendize.switches
        switches.page_size, switches.delta_window = (2 if paged else None), ("frozen" if frozen else "none")
        for number in stock:
            book(shop, number)
        for step in history:
            live(shop, step)
        mend(shop.sandbox)
        for who in range(3):  # somebody for every owner, so that whoever vanished can be told from a hidden account
            shop.book(9, 12, staff=who)
        for _ in range(4):
            shop.cross(timedelta(hours=25))
        let_go(shop)
        assert shop.verdict().clean, shop.verdict().details
        assert shop.quiet_requests() == (1, 0)
        with shop.installation() as installation:
            assert plan(installation) == ()
