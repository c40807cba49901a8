"""ClicRDV's listings: how they are asked for, and where they leave off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from calferry.errors import CursorExpired, NotAuthorised
from calferry.model import Cursor, Window
from calferry.sandbox import faults
from calferry.sandbox.clicrdv import ClicrdvServer
from calferry.sandbox.messages import Response
from calferry.sources.clicrdv import ClicrdvSource, build
from tests.contracts.source import AT_NINE, WINDOW, ZONE, appointments, rows
from tests.sources.clicrdv import EMAIL, GROUP, KEY, PASSWORD, ClicrdvStage, changes, cursor_of, listings

DECEMBER = Window(datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def stage() -> Iterator[ClicrdvStage]:
    with ClicrdvServer(api_key=KEY, email=EMAIL, password=PASSWORD) as server:
        yield ClicrdvStage(server)
        assert server.crashes == []


@pytest.fixture
def source(stage: ClicrdvStage) -> ClicrdvSource:
    return stage.connect()


@pytest.fixture
def bookers() -> Iterator[ClicrdvStage]:
    """The other feed."""
    with ClicrdvServer(api_key=KEY, email=EMAIL, password=PASSWORD) as server:
        yield ClicrdvStage(server, "appointments")
        assert server.crashes == []


class TestWhatIsAsked:
    def test_everything_is_asked_for_in_an_order_and_a_size_of_ours(
        self, stage: ClicrdvStage, source: ClicrdvSource
    ) -> None:
        """Without them only 25 rows come, in another order each time."""
        changes(source, cursor_of(changes(source)))
        list(source.within(DECEMBER))
        list(source.changes("fiches", None, WINDOW))
        source.resources()
        listed = [one for kind in ("vevents", "fiches", "calendars") for one in stage.asked(f"/{kind}.json")]
        assert len(listed) > 10
        assert {(one["sort"], one["dir"], one["results"]) for one in listed} == {("id", "asc", "100")}

    def test_more_than_a_page_of_rows_comes_whole(self, stage: ClicrdvStage, source: ClicrdvSource) -> None:
        booked = {stage.book(AT_NINE + timedelta(minutes=number)) for number in range(230)}
        assert appointments(changes(source)).keys() == booked
        (batch,) = source.within(DECEMBER)
        assert (set(appointments([batch])), batch.covers) == (booked, DECEMBER)

    def test_a_month_is_asked_for_by_starts_with_a_day_to_spare(
        self, stage: ClicrdvStage, source: ClicrdvSource
    ) -> None:
        """An end in the filter would hide what has none."""
        list(source.within(DECEMBER))
        asked = stage.asked("/vevents.json")[0]
        assert {name: text for name, text in asked.items() if name.startswith("conditions")} == {
            "conditions[0][field]": "start",
            "conditions[0][op]": "<=",
            "conditions[0][value]": "2027-01-02 01:00:00",
            "conditions[1][field]": "start",
            "conditions[1][op]": ">=",
            "conditions[1][value]": "2026-11-30 01:00:00",
        }

    def test_changes_are_asked_for_by_their_stamp_alone_and_from_well_before_it(
        self, stage: ClicrdvStage, source: ClicrdvSource
    ) -> None:
        """A start in the filter would hide what was moved into the past, or cancelled after it began."""
        source_id = stage.book(AT_NINE)
        cursor = cursor_of(changes(source))
        stamp = stage.server.world.vevents[source_id].updated.astimezone(ZONE).replace(tzinfo=None, microsecond=0)
        stage.server.forget_requests()
        changes(source, cursor)
        (asked,) = stage.asked("/vevents.json")
        told = {name: text for name, text in asked.items() if name.startswith("conditions")}
        assert told == {
            "conditions[0][field]": "updated_at",
            "conditions[0][op]": ">=",
            "conditions[0][value]": f"{stamp - timedelta(hours=3)}",
        }

    def test_the_past_is_asked_for_where_it_is_hidden(self, bookers: ClicrdvStage) -> None:
        past = bookers.book(datetime.now(UTC).replace(tzinfo=None, microsecond=0) - 3 * DAY)
        window = Window(datetime.now(UTC) - 30 * DAY, datetime.now(UTC) + 30 * DAY)
        source = bookers.connect()
        batches = list(source.changes("appointments", None, window))
        assert past in appointments(batches)
        assert past in appointments(source.within(window))
        bookers.server.world.change(past, comments="late")
        assert past in appointments(source.changes("appointments", cursor_of(batches), window))
        assert {one["include_past"] for one in bookers.asked("/appointments.json")} == {"1"}

    def test_the_feed_is_never_exchanged_for_the_other(self, stage: ClicrdvStage, bookers: ClicrdvStage) -> None:
        """Their ids need not be those of the same things: to calferry they are two accounts."""
        source = stage.connect()
        stage.server.faults.add(faults.status(403), times=None, match=listings)
        with pytest.raises(NotAuthorised):
            changes(source)
        with pytest.raises(NotAuthorised):
            list(source.within(DECEMBER))
        assert stage.asked("/appointments.json") == []
        assert source.key != bookers.connect().key
        assert source.streams == ("vevents", "fiches")
        assert bookers.connect().streams == ("appointments", "fiches")

    def test_a_stream_of_another_feed_is_a_mistake(self, source: ClicrdvSource) -> None:
        with pytest.raises(ValueError, match="appointments"):
            list(source.changes("appointments", None, WINDOW))

    def test_a_quiet_pass_costs_three_requests_and_the_resources_five(
        self, stage: ClicrdvStage, source: ClicrdvSource
    ) -> None:
        stage.book(AT_NINE)
        cursor = cursor_of(changes(source))
        customers = cursor_of(list(source.changes("fiches", None, WINDOW)))
        stage.server.forget_requests()
        assert rows([*changes(source, cursor), *source.changes("fiches", customers, WINDOW)]) == []
        assert stage.server.requests == 3
        stage.server.forget_requests()
        source.resources()
        assert stage.server.requests == 5


class TestMarks:
    def test_the_mark_is_the_latest_stamp_that_came_and_not_our_clock(
        self, stage: ClicrdvStage, source: ClicrdvSource
    ) -> None:
        stage.server.world.now = lambda: datetime(2026, 1, 5, 9, tzinfo=UTC)
        stage.book(AT_NINE)
        cursor = cursor_of(changes(source))
        assert '"latest":"2026-01-05 10:00:00"' in cursor.token
        assert cursor_of(changes(source, cursor)) == cursor

    def test_changes_within_the_second_of_the_mark_are_told(self, stage: ClicrdvStage, source: ClicrdvSource) -> None:
        stage.server.world.now = lambda: datetime(2026, 1, 5, 9, tzinfo=UTC)
        first, second = stage.book(AT_NINE), stage.book(AT_NINE)
        cursor = cursor_of(changes(source))
        stage.server.world.change(first, comments="changed within the same second")
        third = stage.book(AT_NINE)
        told = appointments(changes(source, cursor))
        assert told.keys() == {first, third}
        assert second not in told

    def test_changes_in_the_hour_that_autumn_repeats_are_told(self, stage: ClicrdvStage, source: ClicrdvSource) -> None:
        """The second 02:10 of that night is after the first 02:50, and looks as though it were before."""
        world = stage.server.world
        world.now = lambda: datetime(2026, 10, 25, 0, 50, tzinfo=UTC)
        stage.book(AT_NINE)
        cursor = cursor_of(changes(source))
        world.now = lambda: datetime(2026, 10, 25, 1, 10, tzinfo=UTC)
        later = stage.book(AT_NINE)
        assert appointments(changes(source, cursor)).keys() == {later}

    def test_a_change_that_was_late_to_be_seen_is_told(self, stage: ClicrdvStage, source: ClicrdvSource) -> None:
        world = stage.server.world
        world.now = lambda: datetime(2026, 1, 5, 9, tzinfo=UTC)
        stage.book(AT_NINE)
        cursor = cursor_of(changes(source))
        world.now = lambda: datetime(2026, 1, 5, 8, 59, tzinfo=UTC)
        late = stage.book(AT_NINE)
        assert appointments(changes(source, cursor)).keys() == {late}

    @pytest.mark.parametrize("ahead", [20 * HOUR, 40_000 * DAY], ids=str)
    def test_a_stamp_from_ahead_hides_no_later_change(
        self, stage: ClicrdvStage, source: ClicrdvSource, ahead: timedelta
    ) -> None:
        world, now = stage.server.world, stage.server.world.now
        world.now = lambda: now() + ahead
        mistaken = stage.book(AT_NINE)
        world.change_fiche(stage.fiche, last="Ahead")
        world.now = now
        batches = changes(source)
        customers = list(source.changes("fiches", None, WINDOW))
        assert appointments(batches).keys() == {mistaken}
        world.now = lambda: now() + HOUR
        later, customer = stage.book(AT_NINE), world.add_fiche(GROUP, "Jo", "Roy")
        assert appointments(changes(source, cursor_of(batches))).keys() == {later}
        told = source.changes("fiches", cursor_of(customers), WINDOW)
        assert [one.id for batch in told for one in batch.resources] == [customer]

    def test_a_mark_that_a_clock_set_back_leaves_ahead_begins_anew(
        self, stage: ClicrdvStage, source: ClicrdvSource
    ) -> None:
        """ClicRDV's clock ran five hours fast, and all its stamps with it."""
        world, now = stage.server.world, stage.server.world.now
        world.now = lambda: now() + 5 * HOUR
        stage.book(AT_NINE)
        cursor = cursor_of(changes(source))
        assert rows(changes(source, cursor)) == []
        world.now = now
        with pytest.raises(CursorExpired, match="set back"):
            changes(source, cursor)

    @pytest.mark.parametrize("date", ["", "soon", "Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 -0000"])
    def test_whatever_date_an_answer_has_changes_are_told(
        self, stage: ClicrdvStage, source: ClicrdvSource, date: str
    ) -> None:
        def dated(perform: Callable[[], Response]) -> Response:
            return replace(perform(), headers={"Date": date})

        stage.server.faults.add(faults.Fault("dated", dated), times=None)
        stage.book(AT_NINE)
        batches = changes(source)
        later = stage.book(AT_NINE)
        assert later in appointments(changes(source, cursor_of(batches)))

    @pytest.mark.parametrize("token", ["", "{}", "[]", "2026-01-05", '{"zone":"Europe/Paris","latest":"","told":1}'])
    def test_a_mark_that_cannot_be_read_begins_anew(self, source: ClicrdvSource, token: str) -> None:
        with pytest.raises(CursorExpired):
            changes(source, Cursor(token))

    def test_an_empty_practice_leaves_a_mark_from_which_the_first_booking_is_told(
        self, stage: ClicrdvStage, source: ClicrdvSource
    ) -> None:
        cursor = cursor_of(changes(source))
        source_id = stage.book(AT_NINE)
        assert appointments(changes(source, cursor)).keys() == {source_id}

    def test_rows_without_a_stamp_are_told_once(self, bookers: ClicrdvStage) -> None:
        bookers.server.switches.appointment_members = "bare"
        source = bookers.connect()
        first = bookers.book(AT_NINE)
        batches = changes(source)
        second = bookers.book(AT_NINE)
        assert appointments(batches).keys() == {first}
        assert appointments(changes(source, cursor_of(batches))).keys() == {second}

    def test_where_conditions_are_ignored_what_is_known_is_not_told_again(self, bookers: ClicrdvStage) -> None:
        bookers.server.switches.conditions = "ignored"
        world, now = bookers.server.world, bookers.server.world.now
        world.now = lambda: datetime(2026, 1, 5, 9, tzinfo=UTC)
        bookers.book(AT_NINE)
        world.now = now
        source = bookers.connect()
        bookers.book(AT_NINE)
        batches = changes(source)
        later = bookers.book(AT_NINE)
        assert appointments(changes(source, cursor_of(batches))).keys() == {later}

    def test_a_burst_of_more_changes_than_a_mark_knows_loses_none(
        self, stage: ClicrdvStage, source: ClicrdvSource
    ) -> None:
        booked = {stage.book(AT_NINE + timedelta(minutes=number)) for number in range(1_100)}
        batches = changes(source)
        assert appointments(batches).keys() == booked
        later = stage.book(AT_NINE)
        again = appointments(changes(source, cursor_of(batches)))
        assert later in again
        assert len(again) <= 101


class TestAnImport:
    """Many rows with much the same stamp, and none newer: they are listed again for as long as it takes to be sure."""

    ROWS = 250

    def setting(self, stage: ClicrdvStage, ours: timedelta = timedelta(0)) -> tuple[ClicrdvSource, Callable[..., None]]:
        """A source whose clock is ahead of ClicRDV's by `ours`, and a function that lets time go by."""
        time = [datetime(2026, 1, 5, 9, tzinfo=UTC)]
        stage.server.world.now = lambda: time[0]

        class OurClock:
            def now(self) -> datetime:
                return time[0] + ours

        def go_by(**span: float) -> None:
            time[0] += timedelta(**span)

        for _ in range(self.ROWS):
            stage.book(AT_NINE)
        return build("practice", stage.connect()._settings, clock=OurClock()), go_by

    def listed(self, stage: ClicrdvStage, source: ClicrdvSource, cursor: Cursor) -> tuple[int, list[str], Cursor]:
        """How many listings a pass takes, what it tells, and where it leaves off."""
        stage.server.forget_requests()
        batches = changes(source, cursor)
        return len(stage.asked("/vevents.json")), [*appointments(batches)], cursor_of(batches)

    def test_it_is_listed_again_for_three_hours_and_then_no_more(self, stage: ClicrdvStage) -> None:
        source, go_by = self.setting(stage)
        cursor = cursor_of(changes(source))
        for _ in range(2):
            go_by(minutes=2)
            pages, told, cursor = self.listed(stage, source, cursor)
            assert (pages, told) == (3, [])
        go_by(hours=4)
        assert self.listed(stage, source, cursor)[:2] == (3, [])
        _, _, cursor = self.listed(stage, source, cursor)
        for _ in range(2):
            go_by(minutes=2)
            pages, told, after = self.listed(stage, source, cursor)
            assert (pages, told, after) == (1, [], cursor)

    def test_what_changes_after_that_is_told_however_late_it_is_seen(self, stage: ClicrdvStage) -> None:
        source, go_by = self.setting(stage)
        cursor = cursor_of(changes(source))
        go_by(hours=40)
        _, _, cursor = self.listed(stage, source, cursor)
        assert self.listed(stage, source, cursor)[0] == 1
        go_by(minutes=-175)
        late = stage.book(AT_NINE)
        go_by(minutes=178)
        pages, told, cursor = self.listed(stage, source, cursor)
        assert (pages, told) == (1, [late])
        later = stage.book(AT_NINE)
        assert self.listed(stage, source, cursor)[1] == [later]

    @pytest.mark.parametrize("ours", [timedelta(hours=1), timedelta(days=-3)])
    def test_where_the_clocks_disagree_no_waiting_counts(self, stage: ClicrdvStage, ours: timedelta) -> None:
        source, go_by = self.setting(stage, ours)
        cursor = cursor_of(changes(source))
        for _ in range(3):
            go_by(hours=4)
            pages, told, cursor = self.listed(stage, source, cursor)
            assert (pages, told) == (3, [])
