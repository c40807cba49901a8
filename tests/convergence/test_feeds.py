"""Whatever happens in the booking system, to the clock or to us, the feeds hold the truth, and change no byte without
a reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from icalendar import Calendar

from calferry.errors import PARKED, NotAuthorised, Unavailable
from calferry.feeds import TAIL, Publisher
from calferry.model import Event, Receipt, Status, uid_of
from calferry.sandbox import Request, faults
from calferry.store.outbox import SqlOutbox
from calferry.store.shelf import SqlShelf
from tests.convergence.breakage import NETWORK
from tests.crash.instants import told
from tests.crossing import CALENDARS, COMPANY, STAFF_ROUTE, Salon
from tests.targets.ical_world import read

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ACCOUNT = f"agendize:{COMPANY}"

FEEDS = """
[targets.web]
kind = "ical"
secret = { file = "feed-secret" }
past = "5d"
tombstones = "2d"

[routes.feeds]
source = "salon"
target = "web"
calendar = "{owner.key}"
reveal = "full"
"""

DEEDS: dict[str, Callable[[Salon, str], object]] = {
    "book": lambda shop, _: shop.book(5, 14, staff=0),
    "move": lambda shop, booked: shop.sandbox.agendize.world.move(booked, shop.wall(6, 15), 60),
    "cancel": lambda shop, booked: shop.sandbox.agendize.world.cancel(booked),
    "delete": lambda shop, booked: shop.sandbox.agendize.world.delete(booked),
    "reassign": lambda shop, booked: shop.sandbox.agendize.world.reassign(booked, shop.staff[1]),
    "decline": lambda shop, booked: shop.sandbox.agendize.world.set_status(booked, "declined"),
    "rename the service": lambda shop, _: shop.sandbox.agendize.world.rename_service(shop.services[0], "Coupe, courte"),
}


class Crash(BaseException):
    """The process dies here."""


@pytest.fixture
def feeds(shop: Salon) -> Salon:
    """A salon whose staff have feeds."""
    (shop.home / "feed-secret").write_text("5" * 64, encoding="utf-8")
    shop.configure(FEEDS)
    return shop


def stocked(shop: Salon) -> list[str]:
    """Two appointments for each of the staff, by day."""
    return [shop.book(2 + day, 9 + who, staff=who) for day in range(2) for who in range(3)]


def served(shop: Salon, now: datetime | None = None) -> dict[str, bytes]:
    """The feeds by key, and all of them as one under "", as they would be served."""
    keys = [f"ical:{one}" for one in shop.staff]
    with shop.installation() as installation:
        web = installation.targets["web"]
        assert isinstance(web, Publisher)

        def feed(members: Sequence[str]) -> bytes:
            bodies = installation.shelf.excerpt(members, web.shown, now or shop.clock.time).bodies
            return b"".join((web.head(web.title("Ana"), "https://calendars.salon.example"), *bodies, TAIL))

        return {key: feed([key]) for key in keys} | {"": feed(keys)}


def standing(served: dict[str, bytes]) -> dict[str, list[Event]]:
    """What stands in each feed, tombstones apart."""
    return {key: [one for one in read(feed) if one.status is not Status.CANCELLED] for key, feed in served.items()}


def tombstones(feed: bytes) -> list[Event]:
    return [one for one in read(feed) if one.status is Status.CANCELLED]


def numbers(feed: bytes) -> dict[str, int]:
    """Sequence numbers by uid."""
    components = Calendar.from_ical(feed).walk("VEVENT")
    uids = [str(one["UID"]) for one in components]
    assert len(set(uids)) == len(uids), "no uid is shown twice"
    return {uid: int(str(one["SEQUENCE"])) for uid, one in zip(uids, components, strict=True)}


def uid(booked: str) -> str:
    return uid_of("salon", ACCOUNT, booked)


def assert_true(shop: Salon) -> dict[str, bytes]:
    """The feeds hold what takes place, and nothing else. Returns them."""
    shown = served(shop)
    feeds = dict(zip(CALENDARS, (f"ical:{one}" for one in shop.staff), strict=False))
    live = [
        (feeds[one.staff_email], uid(one.id), one.start, one.end, f"{one.service} – {one.client}")
        for one in shop.sandbox.agendize.world.live()
    ]
    seen = {
        key: sorted((one.uid, one.start, one.end, one.summary) for one in events)
        for key, events in standing(shown).items()
    }
    assert seen == {key: sorted(one[1:] for one in live if key in {one[0], ""}) for key in seen}
    assert seen[""] == sorted(one for key, events in seen.items() if key for one in events)
    assert all(numbers(feed) for feed in shown.values() if b"BEGIN:VEVENT" in feed)
    return shown


def assert_changed_once(halfway: dict[str, bytes], final: dict[str, bytes]) -> None:
    """What was right in a feed when the process died has not changed since. In a combined feed, an event may have
    changed places meanwhile."""
    now = standing(final)
    for key, events in standing(halfway).items():
        right = {one.uid for one in events if key and one in now[key]}
        assert {name: numbers(halfway[key])[name] for name in right} == {
            name: numbers(final[key])[name] for name in right
        }


@pytest.mark.parametrize("deed", DEEDS)
def test_whatever_is_done_the_feeds_hold_the_truth_after_the_next_pass(feeds: Salon, deed: str) -> None:
    booked = stocked(feeds)
    assert feeds.cross().exit_code == 0
    assert_true(feeds)
    before = served(feeds)
    DEEDS[deed](feeds, booked[0])
    assert feeds.cross(DAY).exit_code == 0
    assert_true(feeds)
    after = served(feeds)
    assert after != before
    assert feeds.cross(HOUR).exit_code == 0
    assert served(feeds) == after


def test_what_comes_back_takes_the_place_of_its_tombstone(feeds: Salon) -> None:
    booked, *_ = stocked(feeds)
    feeds.cross()
    ana = f"ical:{feeds.staff[0]}"
    seen = [numbers(served(feeds)[ana])[uid(booked)]]
    for deed in ("cancel", "restore", "delete", "restore"):
        getattr(feeds.sandbox.agendize.world, deed)(booked)
        assert feeds.cross().exit_code == 0
        assert len(tombstones(served(feeds)[ana])) == (deed != "restore")
        seen.append(numbers(served(feeds)[ana])[uid(booked)])
    assert seen == sorted(set(seen))
    assert_true(feeds)


def test_an_appointment_given_to_another_is_a_tombstone_here_and_stands_there(feeds: Salon) -> None:
    booked, *_ = stocked(feeds)
    feeds.cross()
    feeds.sandbox.agendize.world.reassign(booked, feeds.staff[1])
    feeds.cross()
    ana, ben, _, everyone = served(feeds).values()
    assert [one.uid for one in tombstones(ana)] == [uid(booked)]
    assert uid(booked) in numbers(ben)
    assert tombstones(ben) == tombstones(everyone) == []
    assert len(numbers(everyone)) == 6


def test_tombstones_and_past_events_go_with_the_clock_alone(feeds: Salon) -> None:
    booked = stocked(feeds)
    feeds.cross()
    feeds.sandbox.agendize.world.cancel(booked[0])
    feeds.cross()
    ana = f"ical:{feeds.staff[0]}"
    midnight = feeds.clock.time.replace(hour=0, minute=0, second=0, microsecond=0)
    shown = [
        (len(tombstones(feed)), len(standing({"": feed})[""]))
        for feed in (served(feeds, midnight + day * DAY)[ana] for day in range(11))
    ]
    # Cancelled on day 0, for two days and to the end of a third; the other one is on day 3, and stays for five more.
    assert shown == [(1, 1)] * 3 + [(0, 1)] * 6 + [(0, 0)] * 2
    evening, morning = served(feeds, midnight + 3 * DAY - MINUTE), served(feeds, midnight + 3 * DAY)
    assert len(tombstones(evening[ana])) > len(tombstones(morning[ana]))


def test_parked_deletions_stay_in_sight(feeds: Salon) -> None:
    booked = [feeds.book(day, hour) for day in range(1, 4) for hour in range(8, 18)]
    feeds.cross()
    before = served(feeds)
    for one in booked[:25]:
        feeds.sandbox.agendize.world.cancel(one)
    assert feeds.cross().exit_code == PARKED
    assert served(feeds) == before
    assert feeds.cross().exit_code == 0
    assert served(feeds) == before


@pytest.mark.parametrize("kind", NETWORK)
def test_an_outage_of_the_booking_system_changes_no_byte(feeds: Salon, kind: str) -> None:
    stocked(feeds)
    feeds.cross()
    before = served(feeds)

    def listing(request: Request) -> bool:
        return request.path.endswith("/appointments")

    feeds.sandbox.agendize.faults.add(NETWORK[kind](), times=None, match=listing)
    for span in (MINUTE, 16 * MINUTE, DAY):
        feeds.cross(span)
        assert served(feeds) == before
    feeds.sandbox.agendize.faults.clear()
    feeds.cross(DAY)
    assert served(feeds) == before
    assert_true(feeds)


def test_a_feed_is_not_whole_before_the_first_pull_came_to_its_end(feeds: Salon) -> None:
    stocked(feeds)
    keys = [f"ical:{one}" for one in feeds.staff]

    def whole() -> bool:
        with feeds.installation() as installation:
            return installation.shelf.is_whole(keys, [ACCOUNT])

    assert not whole()
    feeds.sandbox.agendize.faults.add(faults.status(500), match=faults.matching("/appointments"), times=None, after=1)
    assert feeds.cross().exit_code == Unavailable.exit_code
    assert not whole()
    feeds.sandbox.agendize.faults.clear()
    assert feeds.cross().exit_code == 0
    assert whole()


def test_calendars_elsewhere_that_are_down_stop_no_feed(feeds: Salon) -> None:
    feeds.configure(STAFF_ROUTE + FEEDS)
    stocked(feeds)
    for calendar in CALENDARS:
        feeds.sandbox.google.world.withdraw(calendar)
    assert feeds.cross().exit_code == NotAuthorised.exit_code
    assert_true(feeds)
    for calendar in CALENDARS:
        feeds.sandbox.google.world.withdraw(calendar, withdrawn=False)
    assert feeds.cross(DAY).exit_code == 0
    assert feeds.verdict().clean
    assert_true(feeds)


# ── dying ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("deed", ["book", "move", "cancel", "reassign"])
@pytest.mark.parametrize("instant", ["before put", "after put", "before filing"])
def test_dying_between_the_shelf_and_the_engine_changes_nothing_twice(
    feeds: Salon, monkeypatch: pytest.MonkeyPatch, deed: str, instant: str
) -> None:
    booked = stocked(feeds)
    feeds.cross()
    DEEDS[deed](feeds, booked[0])
    whole, before = SqlShelf.put, served(feeds)
    with monkeypatch.context() as patched:
        if instant == "before filing":

            def file(_outbox: SqlOutbox, receipts: Sequence[Receipt], at: datetime) -> None:
                raise Crash

            patched.setattr(SqlOutbox, "file", file)
        else:

            def put(*arguments: object) -> None:
                if instant == "after put":
                    whole(*arguments)  # type: ignore[arg-type]  # handed on as they are
                raise Crash

            patched.setattr(SqlShelf, "put", put)
        with pytest.raises(Crash):
            feeds.cross()
    halfway = served(feeds)
    assert (halfway == before) == (instant == "before put")
    assert feeds.cross(HOUR).exit_code == 0
    assert_true(feeds)
    if deed != "reassign":  # in two steps: it died in the first
        assert (served(feeds) == halfway) == (instant != "before put")
    assert_changed_once(halfway, served(feeds))


def test_dying_at_any_commit_leaves_nothing_missing_doubled_or_changed_twice(feeds: Salon) -> None:
    booked = stocked(feeds)
    feeds.cross()
    died = 0
    for instant in range(0, 45, 3):  # now before a commit, now after one
        feeds.sandbox.agendize.world.move(booked[instant % 6], feeds.wall(3 + instant % 9, 8 + instant % 10))
        feeds.sandbox.agendize.world.reassign(booked[(instant + 1) % 6], feeds.staff[instant % 3])
        commits = count()

        def die(moment: str, instant: int = instant, commits: count[int] = commits) -> None:
            if moment.endswith("commit") and next(commits) == instant:
                raise Crash

        try:
            with told(die):
                feeds.cross()
        except Crash:
            died += 1
        halfway = served(feeds)
        feeds.cross(HOUR)
        assert_changed_once(halfway, assert_true(feeds))
    assert died > 10


def test_a_lost_ledger_gives_the_same_feeds_with_higher_numbers(feeds: Salon) -> None:
    stocked(feeds)
    feeds.cross()
    before = served(feeds)
    feeds.configure(FEEDS, ledger="fresh.db")
    assert not any(standing(served(feeds)).values())
    assert feeds.cross(2 * MINUTE).exit_code == 0
    after = served(feeds)
    assert standing(after) == standing(before)
    for key, feed in before.items():
        assert all(numbers(after[key])[name] > number for name, number in numbers(feed).items())


def test_the_same_addresses_come_from_the_same_secret(feeds: Salon, tmp_path: Path) -> None:
    def token() -> str:
        with feeds.installation() as installation:
            web = installation.targets["web"]
            assert isinstance(web, Publisher)
            return web.token("ical:77", 1)

    first = token()
    feeds.configure(FEEDS.replace('"5d"', '"9d"'), ledger="fresh.db")
    assert token() == first
    (feeds.home / "feed-secret").write_text("6" * 64, encoding="utf-8")
    assert token() != first
