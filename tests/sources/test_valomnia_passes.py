"""What is asked of Valomnia, and along the changes: nothing is lost, and little is asked twice."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from calferry.errors import CursorExpired, Unavailable
from calferry.model import Cursor
from calferry.sandbox import faults
from calferry.sandbox.valomnia import cut_short, emptied, halved, unreliable_total
from calferry.sandbox.valomnia.faults import rewritten
from calferry.sources.valomnia import ValomniaSource
from calferry.sources.valomnia.listing import Page
from calferry.sources.valomnia.place import Place, Trail
from calferry.sources.valomnia.rows import digest_of
from tests.contracts.source import AT_NINE, WINDOW, appointments, first_pass, rows
from tests.sources.valomnia import (
    STREAM,
    Interruption,
    ValomniaStage,
    delta,
    is_about_appointments,
    let_pass,
    open_stage,
    owners,
    stop_the_clock,
)

KNOWN = {"max", "offset", "sort", "order", "employeeReference"}
"""Every parameter that is ever sent, besides dates; all of them are documented."""


@pytest.fixture
def stage() -> Iterator[ValomniaStage]:
    with open_stage() as stage:
        yield stage


@pytest.fixture
def source(stage: ValomniaStage) -> ValomniaSource:
    return stage.connect()


class TestWhatIsAsked:
    def test_nothing_is_sent_that_is_not_documented(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        """Any parameter that Valomnia does not know, a cache-buster say, is answered 400, and so is any other date."""
        for _ in range(9):
            stage.book(AT_NINE)
        cursor = first_pass(source)
        delta(source, cursor)
        list(source.within(WINDOW))
        source.resources()
        for exchange in stage.server.log:
            for name, values in exchange.query.items():
                if name in KNOWN:
                    continue
                assert re.fullmatch("(startDate|lastUpdated)_(gte|lt)", name)
                assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", values[0])
        assert {exchange.status for exchange in stage.server.log} == {200, 302}

    @pytest.mark.parametrize("keeps", [False, True])
    def test_the_next_link_is_never_followed(self, stage: ValomniaStage, source: ValomniaSource, keeps: bool) -> None:
        """In the samples it has lost its filters, and names version 1.0: it would lead through the whole table."""
        stage.server.switches.next_keeps_filters = keeps
        far = stage.book(datetime(2030, 1, 1, 9, 0))
        booked = {stage.book(AT_NINE) for _ in range(7)}
        stage.page_by(3)
        assert appointments(source.changes(STREAM, None, WINDOW)).keys() == booked
        assert far not in appointments(source.within(WINDOW))
        assert not [one for one in stage.server.log if "/v1.0/" in one.path]

    def test_every_listing_names_its_order(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        """The default is the order of creation: the last row's stamp would not be the largest."""
        old = stage.book(AT_NINE)
        stage.book(AT_NINE)
        stage.server.world.edit(old, title="changed last")
        cursor = first_pass(source)
        list(source.within(WINDOW))
        source.resources()
        listed = [one for one in stage.asked("s") if one.get("max") == "100"]
        assert listed
        assert all(one["order"] == "asc" and one["sort"] in {"id", "lastUpdated"} for one in listed)
        assert rows(delta(source, cursor)) == []


class TestPasses:
    def test_a_quiet_pass_is_one_request_even_from_a_new_process(self, stage: ValomniaStage) -> None:
        for _ in range(30):
            stage.book(AT_NINE)
        first = stage.connect()
        cursors = {
            stream: [batch.cursor for batch in first.changes(stream, None, WINDOW)][-1] for stream in first.streams
        }
        later = stage.connect()
        stage.server.forget_requests()
        told = [row for stream in later.streams for row in rows(list(later.changes(stream, cursors[stream], WINDOW)))]
        assert told == []
        assert (stage.requests(), stage.shows()) == (1, [])

    @pytest.mark.parametrize("trouble", ["nobody", "mute", "broken_starts"])
    def test_a_row_that_was_set_aside_makes_no_later_pass_dearer(self, stage: ValomniaStage, trouble: str) -> None:
        """Whether it is the latest change or not: it is asked for again by its id, with growing pauses."""
        sound, troubled = stage.book(AT_NINE), stage.book(AT_NINE)
        setattr(stage.server.switches, trouble, {troubled})
        first = stage.connect()
        cursors = {
            stream: [batch.cursor for batch in first.changes(stream, None, WINDOW)][-1] for stream in first.streams
        }
        later = stage.connect()
        stage.server.forget_requests()
        told = [row for stream in later.streams for row in rows(list(later.changes(stream, cursors[stream], WINDOW)))]
        assert (told, stage.requests(), stage.shows()) == ([], 1, [])
        stage.server.world.edit(troubled, title="edited")
        assert [row.source_id for row in rows(delta(later, cursors[STREAM] or Cursor("")))] == [troubled]
        stage.server.world.edit(sound, title="edited")
        assert sound in appointments(delta(later, cursors[STREAM] or Cursor("")))

    def test_only_what_changed_is_asked_for_by_its_id(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        booked = [stage.book(AT_NINE) for _ in range(5)]
        cursor = first_pass(source)
        stage.server.world.edit(booked[2], note="bring the catalogue")
        stage.server.forget_requests()
        assert appointments(delta(source, cursor)).keys() == {booked[2]}
        assert stage.shows() == [booked[2]]

    def test_a_cursor_stays_small(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        """It knows what changed within some minutes, not what there is."""
        stage.clock.tick = timedelta(minutes=1)
        for _ in range(300):
            stage.book(AT_NINE)
        assert len(first_pass(source).token) < 1_000

    def test_a_second_with_more_rows_than_a_page_loses_none(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        """An import stamps many rows alike; among equals there is no order, so offsets alone would skip some."""
        stop_the_clock(stage)
        booked = {stage.book(AT_NINE + timedelta(minutes=number)) for number in range(40)}
        let_pass(stage, timedelta(minutes=5))
        stage.page_by(7)
        assert appointments(source.changes(STREAM, None, WINDOW)).keys() == booked
        cursor = first_pass(source)
        later = stage.book(AT_NINE)
        assert appointments(delta(source, cursor)).keys() == {later}

    def test_rows_that_change_while_they_are_listed_push_no_other_out(
        self, stage: ValomniaStage, source: ValomniaSource
    ) -> None:
        booked = [stage.book(AT_NINE + timedelta(hours=number)) for number in range(10)]
        stage.page_by(3)
        cursor = Cursor(json.dumps({"changed": None, "told": {}, "asked_at": "2026-11-20T09:00:00+00:00"}))
        for before in (2, 3, 4):
            stage.server.on_request = Interruption(
                before, lambda: stage.server.world.edit(booked[0], title=f"{stage.clock.time}")
            )
            assert appointments(delta(source, cursor)).keys() == set(booked)
        stage.server.on_request = Interruption(2, lambda: stage.delete(booked[1]))
        assert appointments(delta(source, cursor)).keys() >= {*booked[2:], booked[0]}

    def test_what_lies_beyond_the_window_is_not_asked_for_after_the_first_pass(
        self, stage: ValomniaStage, source: ValomniaSource
    ) -> None:
        """The cursor begins at the newest stamp of all, or years of history would be news to the second pass."""
        for year in range(2010, 2020):
            stage.book(datetime(year, 1, 1, 9, 0))
        let_pass(stage, timedelta(hours=1))
        stage.book(datetime(2030, 1, 1, 9, 0))
        let_pass(stage, timedelta(hours=1))
        cursor = first_pass(source)
        told = delta(source, cursor)
        assert [row.start.year for row in appointments(told).values()] == [2030]
        assert told[-1].cursor
        assert rows(delta(source, told[-1].cursor)) == []

    def test_a_change_during_the_first_pass_is_told_by_the_next(
        self, stage: ValomniaStage, source: ValomniaSource
    ) -> None:
        booked = [stage.book(AT_NINE + timedelta(hours=number)) for number in range(6)]
        stage.page_by(2)
        stage.server.on_request = Interruption(6, lambda: stage.server.world.edit(booked[0], title="moved up"))
        told = list(source.changes(STREAM, None, WINDOW))
        stage.server.on_request = None
        cursor = told[-1].cursor
        assert cursor
        titles = {row.summary for row in appointments([*told, *delta(source, cursor)]).values()}
        assert "moved up" in titles

    def test_a_row_that_becomes_visible_late_is_not_behind_the_cursor(
        self, stage: ValomniaStage, source: ValomniaSource
    ) -> None:
        """It is stamped before its transaction is committed; rows with later stamps were told meanwhile."""
        world = stage.server.world
        world.commit_after = timedelta(minutes=5)
        late = stage.book(AT_NINE)
        world.commit_after = timedelta(0)
        stage.book(AT_NINE)
        cursor = first_pass(source)
        stage.clock.time += timedelta(minutes=6)
        assert appointments(delta(source, cursor)).keys() == {late}

    @pytest.mark.parametrize("restarted", [False, True])
    def test_a_second_change_within_a_second_is_not_taken_for_the_first(
        self, stage: ValomniaStage, source: ValomniaSource, restarted: bool
    ) -> None:
        """Stamps have no fractions here: nothing in the list tells the two apart but time."""
        other = stage.server.world.add_employee("Ben", "Muster", "ben@acme.example", "emp2")
        stop_the_clock(stage)
        source_id = stage.book(AT_NINE)
        cursor = first_pass(source)
        stage.server.world.reassign(source_id, other)
        let_pass(stage, timedelta(minutes=1))
        told = delta(stage.connect() if restarted else source, cursor)
        assert owners(told) == {source_id: [other]}

    def test_a_row_that_changed_again_during_the_pass_is_known_as_it_settled_and_no_further(self) -> None:
        began = datetime(2026, 11, 20, 9, 2, tzinfo=UTC)
        trail = Trail(Place(None, {}, began), began)
        first, again = ({"id": 1, "lastUpdated": f"2026-11-20T09:0{minute}:00Z"} for minute in (0, 1))
        for row, listed in ((first, began), (again, datetime(2026, 11, 20, 9, 1, 1, tzinfo=UTC))):
            trail.pass_by(Page([row], 1, began, listed), {"1"})
        cursor = trail.cursor()
        assert cursor
        assert json.loads(cursor.token)["told"] == {"1": digest_of(first)}

    @pytest.mark.parametrize("skew", [timedelta(days=-1), timedelta(days=1)])
    def test_the_cursor_follows_the_servers_clock_and_not_ours(
        self, stage: ValomniaStage, source: ValomniaSource, skew: timedelta
    ) -> None:
        stage.clock.time = datetime.now(UTC) + skew
        stage.book(AT_NINE)
        cursor = first_pass(source)
        later = stage.book(AT_NINE)
        assert appointments(delta(source, cursor)).keys() == {later}

    def test_a_stamp_from_the_future_hides_nothing(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        odd = stage.book(AT_NINE)
        stage.server.world.touch(odd, datetime(2099, 1, 1, tzinfo=UTC))
        cursor = first_pass(source)
        let_pass(stage, timedelta(hours=1))
        later = stage.book(AT_NINE)
        told = delta(source, cursor)
        assert appointments(told).keys() == {later}
        assert told[-1].cursor
        let_pass(stage, timedelta(hours=1))
        latest = stage.book(AT_NINE)
        assert appointments(delta(source, told[-1].cursor)).keys() == {latest}

    def test_many_rows_stamped_with_the_end_of_time_are_told_and_hide_nothing(
        self, stage: ValomniaStage, source: ValomniaSource
    ) -> None:
        booked = {stage.book(AT_NINE) for _ in range(5)}
        for source_id in booked:
            stage.server.world.touch(source_id, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
        stage.page_by(2)
        told = list(source.changes(STREAM, None, WINDOW))
        assert appointments(told).keys() == booked
        later = stage.book(AT_NINE)
        assert told[-1].cursor
        assert later in appointments(delta(source, told[-1].cursor))

    def test_a_server_whose_clock_was_set_back_is_listed_whole(
        self, stage: ValomniaStage, source: ValomniaSource
    ) -> None:
        stage.book(AT_NINE)
        cursor = first_pass(source)
        stage.clock.time -= timedelta(days=1)
        with pytest.raises(CursorExpired):
            delta(source, cursor)

    @pytest.mark.parametrize("token", ["", "garbage", "[]", "{}", '{"changed": 5, "told": 3, "asked_at": "now"}'])
    def test_a_cursor_that_was_not_written_here_is_forgotten(
        self, stage: ValomniaStage, source: ValomniaSource, token: str
    ) -> None:
        with pytest.raises(CursorExpired):
            delta(source, Cursor(token))
        assert stage.server.requests == 0

    def test_an_empty_delta_where_rows_are_known_moves_no_cursor(
        self, stage: ValomniaStage, source: ValomniaSource
    ) -> None:
        stage.book(AT_NINE)
        cursor = first_pass(source)
        stage.server.faults.add(emptied(), match=is_about_appointments)
        assert [batch.cursor for batch in delta(source, cursor)] == [None]

    def test_half_of_a_page_is_followed_by_the_other_half(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        cursor = first_pass(source)
        booked = {stage.book(AT_NINE) for _ in range(8)}
        stage.server.faults.add(halved(), match=is_about_appointments)
        assert appointments(delta(source, cursor)).keys() == booked

    @pytest.mark.parametrize("fault", [cut_short, unreliable_total])
    def test_a_total_that_does_not_match_moves_no_cursor(
        self, stage: ValomniaStage, source: ValomniaSource, fault: Callable[[], faults.Fault]
    ) -> None:
        cursor = first_pass(source)
        stage.book(AT_NINE)
        stage.server.faults.add(fault(), match=is_about_appointments, times=None)
        with pytest.raises(Unavailable):
            delta(source, cursor)

    def test_a_listing_in_another_order_is_not_believed(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        cursor = first_pass(source)
        for _ in range(3):
            stage.book(AT_NINE)
        turned = rewritten(lambda reply: reply | {"data": reply["data"][::-1]})
        stage.server.faults.add(turned, match=is_about_appointments)
        with pytest.raises(Unavailable, match="order"):
            delta(source, cursor)

    def test_a_filter_that_is_not_heeded_is_not_believed(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        stage.book(AT_NINE)
        let_pass(stage, timedelta(hours=1))
        stage.book(AT_NINE)
        cursor = first_pass(source)
        old = rewritten(
            lambda reply: reply | {"data": [row | {"lastUpdated": "2020-01-01T00:00:00Z"} for row in reply["data"]]}
        )
        stage.server.faults.add(old, match=is_about_appointments)
        with pytest.raises(Unavailable, match="order"):
            delta(source, cursor)

    @pytest.mark.parametrize("stamp", [None, "", "0001-01-01T00:00:00Z"])
    def test_rows_without_a_believable_stamp_are_told_and_end_no_pass(
        self, stage: ValomniaStage, source: ValomniaSource, stamp: str | None
    ) -> None:
        booked = {stage.book(AT_NINE) for _ in range(3)}
        stage.rewrite_rows(lambda row: row | {"lastUpdated": stamp})
        told = list(source.changes(STREAM, None, WINDOW))
        assert appointments(told).keys() == booked
        assert told[-1].cursor
        assert appointments(delta(source, told[-1].cursor)).keys() == booked
        stage.page_by(2)
        with pytest.raises(Unavailable, match="when they changed"):
            list(source.changes(STREAM, None, WINDOW))
