"""What every shelf must keep: the ledger as feeds see it. Give `ShelfContract` the fixtures `ledger` and `shelf`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calferry.errors import Refused
from calferry.feeds import Link, Shelf, digest_of
from calferry.model import Action, Receipt
from calferry.ports import Ledger
from tests.builders import ACCOUNT, NOW, appointment, batch, event, receipt
from tests.contracts.ledger_steps import (
    CALENDAR,
    GONE,
    OTHER,
    OTHER_PLACE,
    PLACE,
    SECOND,
    BrokenRow,
    due,
    fail,
    intent,
    settle,
    uid,
    want,
    write,
)
from tests.contracts.shelf_excerpt import ExcerptContract, shown
from tests.contracts.shelf_steps import DAY, DESK, FEED, FRESH, HOUR, fragment, numbers, put

MANY = 600
"""More than goes into one statement."""


def torn(*whole: Any) -> Iterator[Any]:
    """Some items, and then one that breaks."""
    yield from whole
    raise BrokenRow


PLACES_OF_LINKS = [(DESK, 9), (FEED, 2), (DESK, 10), (FEED, 1)]


class PuttingContract:
    def test_what_was_put_stands_as_it_is(self, shelf: Shelf) -> None:
        standing = fragment(shelf, "u1", sequence=7, mark=replace(fragment(shelf).mark, generation=3))
        tombstone = fragment(shelf, "u2", cancelled_at=NOW - HOUR, body=b"\x00\xff")
        elsewhere = fragment(shelf, "u1", DESK)
        put(shelf, standing, tombstone, elsewhere)
        found = shelf.fragments({(FEED, "u1"), (FEED, "u2"), (DESK, "u1"), (DESK, "u2"), ("ical:none", "u1")})
        assert found == {(FEED, "u1"): standing, (FEED, "u2"): tombstone, (DESK, "u1"): elsewhere}
        assert shelf.fragments({(FEED, "u2")}) == {(FEED, "u2"): tombstone}
        assert shelf.fragments(set()) == {}

    def test_what_is_put_again_takes_the_place_of_what_stood_there(self, shelf: Shelf) -> None:
        put(shelf, fragment(shelf, cancelled_at=NOW))
        again = fragment(shelf, sequence=2)
        put(shelf, again)
        assert shelf.fragments({(FEED, "u1")}) == {(FEED, "u1"): again}
        assert shown(shelf) == [again.body]

    def test_more_than_one_statement_holds_is_put_and_found(self, shelf: Shelf) -> None:
        placed = [fragment(shelf, f"u{n:04}") for n in range(MANY)]
        put(shelf, *placed)
        assert shelf.fragments({(FEED, one.uid) for one in placed}) == {(FEED, one.uid): one for one in placed}

    def test_receipts_are_filed_together_with_their_fragments(self, ledger: Ledger, shelf: Shelf) -> None:
        wanted = want(ledger)
        ledger.outbox.intend([intent(wanted)], NOW)
        shelf.put([fragment(shelf, uid(), CALENDAR)], [receipt(wanted, CALENDAR)], NOW)
        assert ledger.outbox.unsettled(CALENDAR, NOW) == []
        assert ledger.outbox.holds(CALENDAR, uid())
        settle(ledger, {PLACE: GONE})
        ledger.outbox.intend([intent(uid(), Action.DELETE)], NOW)
        tombstone = fragment(shelf, uid(), CALENDAR, cancelled_at=NOW)
        shelf.put([tombstone], [Receipt(calendar=CALENDAR, uid=uid(), fingerprint="")], NOW)
        assert due(ledger) == []
        assert ledger.outbox.standing("workspace", NOW)[CALENDAR].explicit == 1

    def test_receipts_that_the_engine_files_once_more_say_nothing_new(self, ledger: Ledger, shelf: Shelf) -> None:
        wanted = want(ledger)
        ledger.outbox.intend([intent(wanted)], NOW)
        shelf.put([fragment(shelf, uid(), CALENDAR)], [receipt(wanted, CALENDAR)], NOW)
        ledger.outbox.file([receipt(wanted, CALENDAR)], NOW)
        settle(ledger, {PLACE: GONE})
        ledger.outbox.intend([intent(uid(), Action.DELETE)], NOW)
        gone = Receipt(calendar=CALENDAR, uid=uid(), fingerprint="")
        shelf.put([fragment(shelf, uid(), CALENDAR, cancelled_at=NOW)], [gone], NOW)
        ledger.outbox.file([gone], NOW)
        assert ledger.outbox.standing("workspace", NOW)[CALENDAR].explicit == 1
        want(ledger, summary="again")
        assert [one.generation for one in due(ledger)] == [1]

    def test_nothing_is_put_when_a_receipt_breaks(self, ledger: Ledger, shelf: Shelf) -> None:
        put(shelf, fragment(shelf, "old"))
        before = shelf.stamps([FEED, CALENDAR])
        wanted = want(ledger)
        ledger.outbox.intend([intent(wanted)], NOW)
        broken: Any = torn(*[receipt(wanted, CALENDAR)] * MANY)
        with pytest.raises(BrokenRow):
            shelf.put([fragment(shelf, uid(), CALENDAR), fragment(shelf)], broken, NOW)
        assert shelf.fragments({(CALENDAR, uid()), (FEED, "u1")}) == {}
        assert shelf.stamps([FEED, CALENDAR]) == before
        assert len(ledger.outbox.unsettled(CALENDAR, NOW)) == 1
        assert not ledger.outbox.holds(CALENDAR, uid())

    def test_nothing_is_put_when_a_fragment_breaks(self, ledger: Ledger, shelf: Shelf) -> None:
        wanted = want(ledger)
        ledger.outbox.intend([intent(wanted)], NOW)
        broken: Any = torn(*(fragment(shelf, f"u{n}") for n in range(MANY)))
        with pytest.raises(BrokenRow):
            shelf.put(broken, [receipt(wanted, CALENDAR)], NOW)
        assert shown(shelf) == []
        assert shelf.calendars() == {}
        assert len(ledger.outbox.unsettled(CALENDAR, NOW)) == 1

    def test_what_stands_is_told_without_tombstones(self, shelf: Shelf) -> None:
        second, first = fragment(shelf, "u2", sequence=5), fragment(shelf, "u1", sequence=9)
        put(shelf, second, first, fragment(shelf, "u3", cancelled_at=NOW), fragment(shelf, "u4", DESK))
        assert list(shelf.standing(FEED)) == [(first.mark, 9), (second.mark, 5)]
        assert list(shelf.standing("ical:none")) == []

    def test_a_calendar_is_known_as_long_as_a_tombstone_is(self, shelf: Shelf) -> None:
        put(shelf, fragment(shelf, "u1"), fragment(shelf, "u2"), fragment(shelf, "u1", DESK, cancelled_at=NOW))
        assert list(shelf.calendars()) == [FEED, DESK]


class StampContract:
    def test_only_calendars_with_a_new_fragment_are_stamped(self, ledger: Ledger, shelf: Shelf) -> None:
        put(shelf, fragment(shelf), fragment(shelf, calendar=DESK))
        before = shelf.stamps([FEED, DESK, "ical:none"])
        assert set(before) == {FEED, DESK}
        put(shelf, fragment(shelf, "u2"), at=NOW + HOUR)
        after = shelf.stamps([FEED, DESK])
        assert (after[FEED].changed_at, after[DESK]) == (NOW + HOUR + SECOND, before[DESK])
        wanted = want(ledger)
        ledger.outbox.intend([intent(wanted)], NOW)
        shelf.put([], [receipt(wanted, CALENDAR)], NOW + 2 * HOUR)
        assert shelf.stamps([FEED, DESK, CALENDAR]) == after

    @FRESH
    @given(st.lists(st.tuples(st.booleans(), st.integers(0, 2), st.floats(-2.0, 2.0) | st.floats(-1e6, 1e6))))
    def test_stamps_move_on_by_a_second_at_least_whatever_the_clock_does(
        self, shelf: Shelf, steps: list[tuple[bool, int, float]]
    ) -> None:
        """Over all feeds: a combined feed changes with each of its own, and has to move on as well."""
        feeds = [f"ical:{next(numbers)}" for _ in range(3)]
        put(shelf, fragment(shelf, calendar=feeds[0]))
        stamps = [shelf.stamps(feeds)[feeds[0]].changed_at]
        for publishes, which, seconds in steps:
            at = NOW + timedelta(seconds=seconds)
            if publishes:
                shelf.publish(feeds[which], "look", at)
            else:
                put(shelf, fragment(shelf, calendar=feeds[which]), at=at)
            stamps.append(shelf.stamps(feeds)[feeds[which]].changed_at)
            assert stamps[-1] >= at.replace(microsecond=0)
        assert all(later - earlier >= SECOND for earlier, later in pairwise(stamps))
        assert all(stamp.microsecond == 0 for stamp in stamps)

    def test_a_feed_has_no_look_until_it_is_published_and_keeps_it_when_it_changes(self, shelf: Shelf) -> None:
        put(shelf, fragment(shelf))
        assert shelf.stamps([FEED])[FEED].look == ""
        published = shelf.publish(FEED, "teal", NOW + HOUR)
        assert shelf.stamps([FEED])[FEED] == published
        assert (published.look, published.changed_at) == ("teal", NOW + HOUR + SECOND)
        put(shelf, fragment(shelf, "u2"), at=NOW + 2 * HOUR)
        assert shelf.stamps([FEED])[FEED] == replace(published, changed_at=NOW + 2 * HOUR + SECOND)
        assert shelf.publish(FEED, "pink", NOW + 3 * HOUR).look == "pink"

    def test_a_feed_that_holds_nothing_can_be_published(self, shelf: Shelf) -> None:
        published = shelf.publish("ical:combined/all", "look", NOW)
        assert shelf.stamps(["ical:combined/all"]) == {"ical:combined/all": published}
        assert list(shelf.calendars()) == []


class WholenessContract:
    def test_a_feed_is_whole_once_all_that_was_told_is_pulled_routed_and_filed(
        self, ledger: Ledger, shelf: Shelf
    ) -> None:
        assert not shelf.is_whole([CALENDAR], [ACCOUNT])
        ledger.intake.record(ACCOUNT, batch(appointment()))
        assert not shelf.is_whole([CALENDAR], [ACCOUNT])
        ledger.intake.complete(ACCOUNT, "pull", NOW)
        assert not shelf.is_whole([CALENDAR], [ACCOUNT]), "nothing is routed"
        wanted = want(ledger)
        assert not shelf.is_whole([CALENDAR], [ACCOUNT]), "nothing is filed"
        ledger.outbox.intend([intent(wanted)], NOW)
        assert not shelf.is_whole([CALENDAR], [ACCOUNT]), "its outcome is not known"
        ledger.outbox.file([receipt(wanted, CALENDAR)], NOW)
        assert shelf.is_whole([CALENDAR], [ACCOUNT])
        ledger.routing.begin(ACCOUNT, "other rules", "1")
        assert not shelf.is_whole([CALENDAR], [ACCOUNT]), "all has to be routed anew"

    def test_an_account_without_appointments_makes_a_whole_feed(self, ledger: Ledger, shelf: Shelf) -> None:
        ledger.intake.complete(ACCOUNT, "all", NOW)
        assert not shelf.is_whole([], [ACCOUNT])
        ledger.intake.complete(ACCOUNT, "pull", NOW)
        assert shelf.is_whole([], [ACCOUNT])
        assert not shelf.is_whole([], [ACCOUNT, "agendize:other"])
        assert shelf.is_whole([], [])

    def test_what_waits_for_a_person_does_not_keep_a_feed_from_being_whole(self, ledger: Ledger, shelf: Shelf) -> None:
        ledger.intake.complete(ACCOUNT, "pull", NOW)
        write(ledger, want(ledger, "1"))
        settle(ledger, {PLACE: GONE}, "1")
        assert not shelf.is_whole([CALENDAR], [ACCOUNT])
        ledger.outbox.park(CALENDAR, [uid("1")], "too many", NOW)
        assert shelf.is_whole([CALENDAR], [ACCOUNT])
        wanted = want(ledger, "2")
        ledger.outbox.intend([intent(wanted)], NOW)
        assert not shelf.is_whole([CALENDAR], [ACCOUNT])
        fail(ledger, Refused("no"), source_id="2")
        assert shelf.is_whole([CALENDAR], [ACCOUNT])

    def test_other_calendars_and_accounts_do_not_keep_a_feed_from_being_whole(
        self, ledger: Ledger, shelf: Shelf
    ) -> None:
        ledger.intake.complete(ACCOUNT, "pull", NOW)
        settle(ledger, {OTHER_PLACE: event(uid())})
        ledger.intake.record("agendize:other", batch(replace(appointment(), source="agendize:other")))
        assert shelf.is_whole([CALENDAR], [ACCOUNT])
        assert not shelf.is_whole([CALENDAR, OTHER], [ACCOUNT])


class LinkContract:
    def test_a_link_is_found_by_its_digest(self, shelf: Shelf) -> None:
        link = Link(feed=FEED, rotation=1, digest=digest_of("token"))
        shelf.add([link])
        assert shelf.link(digest_of("token")) == link
        assert shelf.link(digest_of("Token")) is None
        assert shelf.link("token") is None

    def test_links_are_told_by_feed_the_newest_last(self, shelf: Shelf) -> None:
        links = [Link(feed=feed, rotation=number, digest=f"{feed} {number}") for feed, number in PLACES_OF_LINKS]
        shelf.add(links[2:])
        shelf.add(links[:2])
        shelf.add([])
        assert [(one.feed, one.rotation) for one in shelf.links()] == sorted(PLACES_OF_LINKS)

    def test_a_link_that_is_there_stays_as_it_is(self, shelf: Shelf) -> None:
        """Whoever makes it again meanwhile must not bring an ended one back."""
        link = Link(feed=FEED, rotation=1, digest="d")
        shelf.add([link])
        assert shelf.end(FEED, NOW) == 1
        shelf.add([link])
        assert shelf.link("d") == replace(link, ends_at=NOW)

    def test_ending_shortens_and_never_prolongs(self, shelf: Shelf) -> None:
        ended, ending, lasting = (
            Link(feed=FEED, rotation=number, digest=f"{number}", ends_at=ends_at)
            for number, ends_at in enumerate((NOW, NOW + 2 * DAY, None))
        )
        other = Link(feed=DESK, rotation=0, digest="other")
        shelf.add([ended, ending, lasting, other])
        assert shelf.end(FEED, NOW + DAY) == 2
        assert [one.ends_at for one in shelf.links()] == [NOW, NOW + DAY, NOW + DAY, None]
        assert shelf.end(FEED, NOW + DAY) == 0

    def test_a_link_holds_until_it_ends(self) -> None:
        link = Link(feed=FEED, rotation=1, digest="")
        assert link.holds(NOW)
        assert replace(link, ends_at=NOW).holds(NOW - SECOND)
        assert not replace(link, ends_at=NOW).holds(NOW)


class ShelfContract(PuttingContract, StampContract, ExcerptContract, WholenessContract, LinkContract):
    """All of it. Give it the fixtures `ledger` (of the installation "test") and `shelf`, the same ledger's."""
