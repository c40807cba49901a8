"""When things happen: within a year around now, on the days on which clocks change, and when all that was booked."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from itertools import count, pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from calferry.sandbox import AgendizeWorld, ClicrdvWorld, ValomniaWorld

PAST, FUTURE = timedelta(days=30), timedelta(days=400)
_MARGIN = timedelta(days=2)

_LONG_BEFORE, _PAUSE = timedelta(days=60), timedelta(minutes=10)


class Switch(NamedTuple):
    """A change of the clocks: naive wall time just before it, and by how much the clocks move on."""

    wall: datetime
    shift: timedelta


def switches(zone: ZoneInfo, now: datetime) -> Iterator[Switch]:
    """The changes of the clocks within the window around an aware now."""
    midnight = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - PAST
    hours = (midnight + timedelta(hours=hour) for hour in range(int((PAST + FUTURE) / timedelta(hours=1))))
    for before, after in pairwise(instant.astimezone(zone) for instant in hours):
        shift = (after.utcoffset() or timedelta()) - (before.utcoffset() or timedelta())
        if shift:
            yield Switch(before.replace(tzinfo=None) + timedelta(hours=1), shift)


def around(switch: Switch) -> Iterator[tuple[datetime, int]]:
    """Wall times and minutes on such a day, the night's last hour included; every one can be told from its row."""
    day = datetime.combine(switch.wall.date(), time())
    yield day.replace(hour=9), 30
    yield day.replace(hour=16), 60
    yield switch.wall - timedelta(minutes=30), 30
    if switch.shift < timedelta():
        # Within the hour that comes twice, the first time round.
        yield switch.wall + switch.shift + timedelta(minutes=10), 20
        yield switch.wall + switch.shift - timedelta(minutes=30), 60
    else:
        yield switch.wall + switch.shift, 45


def second_time_round(switch: Switch) -> Iterator[tuple[datetime, int]]:
    """The same for the hour that comes twice, the second time; only another form of the row can tell them apart."""
    if switch.shift < timedelta():
        yield (switch.wall + switch.shift + timedelta(minutes=10)).replace(fold=1), 20


def today(now: datetime, zone: ZoneInfo) -> datetime:
    """Midnight where an aware now falls in a zone: naive wall time."""
    return datetime.combine(now.astimezone(zone).date(), time())


def any_day(dice: random.Random, today: datetime) -> datetime:
    """Some time during office hours, well within the window; most of it in the next months."""
    first, last = -(PAST - _MARGIN).days, (FUTURE - _MARGIN).days
    day = round(dice.triangular(first, last, 10))
    return today + timedelta(days=day, hours=dice.randrange(8, 18), minutes=dice.choice((0, 15, 30, 45)))


def this_week(dice: random.Random, today: datetime) -> datetime:
    """Some time within the next seven days."""
    return today + timedelta(days=dice.randrange(1, 8), hours=dice.randrange(9, 17))


def another_day(dice: random.Random, start: datetime) -> datetime:
    """Another hour of the day after."""
    return start.replace(hour=dice.randrange(9, 17)) + timedelta(days=1)


def is_coming(start: datetime, now: datetime) -> bool:
    """Whether an instant is neither too near nor too far to be changed at the desk; both are aware."""
    return timedelta(days=1) < start - now < timedelta(days=300)


@contextmanager
def long_before(world: AgendizeWorld | ClicrdvWorld | ValomniaWorld) -> Iterator[None]:
    """Whatever happens to a world within happened one after another, from two months ago on."""
    present, began, moments = world.now, world.now() - _LONG_BEFORE, count()
    world.now = lambda: began + next(moments) * _PAUSE
    try:
        yield
    finally:
        world.now = present
