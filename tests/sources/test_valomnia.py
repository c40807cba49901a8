"""Valomnia: the contract of every source, and what its documents leave to fear."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest

from calferry.errors import CursorExpired, NotAuthorised, Unavailable
from calferry.model import Batch, Cursor, NotFound, Status, Window
from calferry.sandbox import faults
from calferry.sandbox.messages import Request
from calferry.sandbox.server import Moment
from calferry.sandbox.valomnia import cut_short, emptied, halved, unreliable_total
from calferry.sandbox.valomnia.faults import rewritten
from calferry.sources.valomnia import ValomniaSource
from calferry.store import open_ledger
from calferry.sync.installation import Account, Rhythm, Tally, Watch
from calferry.sync.pull import pull
from tests.contracts.source import AT_NINE, WINDOW, SourceContract, appointments, first_pass, rows
from tests.sources.valomnia import ServerClock, ValomniaStage, WallClock, is_about_appointments

STREAM = "appointments"
DECEMBER = Window(datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
KNOWN = {"max", "offset", "sort", "order", "employeeReference"}
"""Every parameter that is ever sent, besides dates; all of them are documented."""


@pytest.fixture
def stage(office: ValomniaStage) -> ValomniaStage:
    return office


@pytest.fixture
def source(valomnia: ValomniaSource) -> ValomniaSource:
    return valomnia


@dataclass
class Interruption:
    """Something that happens at the other side before the n-th listing of appointments from now on."""

    before: int
    happens: Callable[[], None]

    def __call__(self, moment: Moment, request: Request) -> None:
        if moment == "before" and request.path.endswith("/appointments"):
            self.before -= 1
            if self.before == 0:
                self.happens()


def delta(source: ValomniaSource, cursor: Cursor, stream: str = STREAM) -> list[Batch]:
    return list(source.changes(stream, cursor, WINDOW))


def owners(batches: list[Batch]) -> dict[str, list[str]]:
    return {key: [owner.key for owner in row.owners] for key, row in appointments(batches).items()}


def stop_the_clock(stage: ValomniaStage) -> None:
    """From now on, everything happens within one second of the server."""
    stage.clock.tick = timedelta(milliseconds=1)
    stage.clock.time = stage.clock.time.replace(microsecond=0)


def let_pass(stage: ValomniaStage, span: timedelta) -> None:
    stage.clock.tick = timedelta(seconds=3)
    stage.clock.time += span


class TestContract(SourceContract):
    """Every answer of Valomnia is one of the whole truth, or none."""

    def test_resources_hold_what_appointments_refer_to(self, stage: ValomniaStage, source: ValomniaSource) -> None:  # type: ignore[override]  # the stage is this one
        """Customers and contacts are many: they come by streams of their own."""
        source_id = stage.book(AT_NINE)
        uses = set(appointments(source.within(WINDOW))[source_id].uses)
        batches = [batch for stream in source.streams for batch in source.changes(stream, None, WINDOW)]
        held = {resource.key: resource for batch in [source.resources(), *batches] for resource in batch.resources}
        assert uses == {f"staff/{stage.user}", f"service/{stage.category}", f"customer/{stage.customer}"}
        assert uses <= held.keys()
        assert held[f"staff/{stage.user}"].fields["email"] == "ana@acme.example"

    def test_a_cancelled_appointment_is_a_status_and_not_an_absence(  # type: ignore[override]  # the stage is this one
        self, stage: ValomniaStage, source: ValomniaSource
    ) -> None:
        """Valomnia knows of no cancelling; being done is the only status, and takes nothing out of a calendar."""
        source_id = stage.book(AT_NINE)
        cursor = first_pass(source)
        stage.server.world.finish(source_id)
        for batches in (source.changes(STREAM, cursor, WINDOW), source.within(WINDOW)):
            row = appointments(batches)[source_id]
            assert (row.status, row.said) == (Status.CONFIRMED, "done")

    def test_a_deleted_appointment_is_a_deletion_with_its_evidence(  # type: ignore[override]  # the stage is this one
        self, stage: ValomniaStage, source: ValomniaSource
    ) -> None:
        """A deletion leaves no trace but absence: only asking by the id makes it evidence."""
        source_id, other = stage.book(AT_NINE), stage.book(AT_NINE)
        cursor = first_pass(source)
        stage.delete(source_id)
        assert rows(list(source.changes(STREAM, cursor, WINDOW))) == []
        batches = list(source.within(WINDOW))
        assert appointments(batches).keys() == {other}
        assert all(batch.covers for batch in batches)
        answer = source.look_up(source_id)
        assert isinstance(answer, NotFound)
        assert "not_found" in answer.evidence


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

    def test_a_second_change_within_a_second_is_not_taken_for_the_first(
        self, stage: ValomniaStage, source: ValomniaSource
    ) -> None:
        """Stamps have no fractions here: nothing in the list tells the two apart but time."""
        other = stage.server.world.add_employee("Ben", "Muster", "ben@acme.example", "emp2")
        stop_the_clock(stage)
        source_id = stage.book(AT_NINE)
        cursor = first_pass(source)
        stage.server.world.reassign(source_id, other)
        let_pass(stage, timedelta(minutes=1))
        told = delta(stage.connect(), cursor)
        assert owners(told) == {source_id: [other]}

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

    def test_rows_without_a_stamp_are_told_and_end_no_pass(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        booked = {stage.book(AT_NINE) for _ in range(3)}
        stage.rewrite_rows(lambda row: row | {"lastUpdated": None})
        assert appointments(source.changes(STREAM, None, WINDOW)).keys() == booked
        stage.page_by(2)
        with pytest.raises(Unavailable, match="when they changed"):
            list(source.changes(STREAM, None, WINDOW))


class TestOwners:
    def team(self, stage: ValomniaStage, rows_each: int = 12) -> dict[str, list[str]]:
        """Three more employees, the reference of one being the beginning of another's, with appointments each."""
        world = stage.server.world
        people = [("Ben", "emp10"), ("Eva", "emp2"), ("Ida", "rep*"), ("Jo", "emp3")]
        users = [stage.user, *(world.add_employee(name, "Sample", f"{name}@acme.example", ref) for name, ref in people)]
        booked = {}
        for number in range(rows_each * len(users)):
            user = users[number % len(users)]
            booked[stage.book(AT_NINE + timedelta(hours=number), user=user)] = [user]
        return booked

    def test_every_appointment_comes_with_its_assignee(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        """List rows do not say: without asking, everything would land in one calendar."""
        booked = self.team(stage, rows_each=1)
        assert owners(list(source.changes(STREAM, None, WINDOW))) == booked
        assert owners(list(source.within(WINDOW))) == booked

    @pytest.mark.parametrize("reading", ["exact", "prefix"])
    def test_owners_of_many_come_from_a_list_for_each_employee(
        self, stage: ValomniaStage, source: ValomniaSource, reading: Literal["exact", "prefix"]
    ) -> None:
        """Where the filter finds more than it was asked for, what two employees claim is asked for by its id."""
        stage.server.switches.employee_filter = reading
        booked = self.team(stage)
        assert owners(list(source.changes(STREAM, None, WINDOW))) == booked
        shows = len(stage.shows())
        assert shows == {"exact": 12 + 4 * 2, "prefix": 12 + 12 + 3 * 2}[reading]
        assert owners(list(stage.connect().within(WINDOW))) == booked
        assert "rep*" not in {one.get("employeeReference") for one in stage.asked("/appointments")}

    def test_lists_that_a_sample_contradicts_are_not_believed(
        self, stage: ValomniaStage, source: ValomniaSource, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Appointments of an employee whom no list asks for, found under one whose reference begins alike."""
        stage.server.switches.employee_filter = "prefix"
        hidden = stage.server.world.add_employee("Ben", "Muster", "ben@acme.example", "emp1*0")
        booked = {stage.book(AT_NINE, user=user): [user] for user in (stage.user, hidden) * 6}
        with caplog.at_level(logging.WARNING):
            assert owners(list(source.changes(STREAM, None, WINDOW))) == booked
        assert "is not theirs" in caplog.text

    def test_a_list_that_names_its_users_needs_no_other_request(
        self, stage: ValomniaStage, source: ValomniaSource
    ) -> None:
        stage.server.switches.list_names_user = True
        booked = self.team(stage, rows_each=1)
        assert owners(list(source.changes(STREAM, None, WINDOW))) == booked
        assert stage.shows() == []

    def test_an_unknown_assignee_is_set_aside_and_asked_for_again(
        self, stage: ValomniaStage, source: ValomniaSource
    ) -> None:
        nobodys, sound = stage.book(AT_NINE), stage.book(AT_NINE)
        stage.server.switches.nobody = {nobodys}
        told = list(source.changes(STREAM, None, WINDOW))
        assert [row.source_id for batch in told for row in batch.quarantined] == [nobodys]
        assert appointments(told).keys() == {sound}

    def test_a_new_assignee_is_a_change(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        source_id = stage.book(AT_NINE)
        cursor = first_pass(source)
        other = stage.server.world.add_employee("Ben", "Muster", "ben@acme.example")
        stage.server.world.reassign(source_id, other)
        assert owners(delta(source, cursor)) == {source_id: [other]}

    def test_an_assignee_that_changes_in_silence_is_noticed_by_the_next_listing_after_the_resources(
        self, stage: ValomniaStage, source: ValomniaSource
    ) -> None:
        source_id = stage.book(AT_NINE)
        cursor = first_pass(source)
        other = stage.server.world.add_employee("Ben", "Muster", "ben@acme.example")
        stage.server.world.reassign(source_id, other, silently=True)
        assert rows(delta(source, cursor)) == []
        source.resources()
        assert owners(list(source.within(WINDOW))) == {source_id: [other]}

    def test_what_was_asked_for_once_is_not_asked_for_by_the_next_listing(
        self, stage: ValomniaStage, source: ValomniaSource
    ) -> None:
        stage.book(AT_NINE)
        list(source.within(WINDOW))
        stage.server.forget_requests()
        list(source.within(WINDOW))
        assert stage.shows() == []

    @pytest.mark.parametrize("contacts", ["named", "empty"])
    def test_references_are_told_by_everything_or_by_nothing(
        self, stage: ValomniaStage, contacts: Literal["named", "empty"]
    ) -> None:
        """Told by some answers only, they would come and go in the calendar."""
        booked = self.team(stage)
        stage.server.switches.list_contacts = contacts
        for references in (True, False):
            source = stage.connect(references=references)
            full, whole = (
                appointments(list(batches)) for batches in (source.changes(STREAM, None, WINDOW), source.within(WINDOW))
            )
            found = {key: source.look_up(key).batch.appointments[0] for key in booked}  # type: ignore[union-attr]  # all are there
            assert full == whole == found
            assert {row.reference for row in full.values()} == (
                {f"Ref-{key}" for key in booked} if references else {""}
            )

    def test_one_appointment_that_cannot_be_asked_for_stops_no_other(
        self, stage: ValomniaStage, source: ValomniaSource
    ) -> None:
        cursor = first_pass(source)
        mute = {stage.book(AT_NINE) for _ in range(5)}
        sound = stage.book(AT_NINE)
        stage.server.switches.mute = mute
        told = delta(source, cursor)
        assert {row.source_id for batch in told for row in batch.quarantined} == mute
        assert appointments(told).keys() == {sound}
        assert told[-1].cursor

    def test_an_appointment_deleted_between_its_list_and_its_show_is_no_error(
        self, stage: ValomniaStage, source: ValomniaSource
    ) -> None:
        source_id = stage.book(AT_NINE)
        cursor = first_pass(source)
        gone = stage.book(AT_NINE)
        stage.server.on_request = lambda moment, request: (
            stage.delete(gone) if moment == "before" and request.path.endswith(f"/{gone}") else None
        )
        told = delta(source, cursor)
        assert [row.source_id for row in rows(told)] == [gone]
        assert appointments(told) == {}
        stage.server.on_request = None
        assert source_id in appointments(source.within(WINDOW))


class TestProof:
    def test_a_slice_whose_pages_do_not_join_is_read_again(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        """A row that goes makes all behind it slide over the border of a page, another that comes hides it."""
        booked = [stage.book(AT_NINE + timedelta(hours=number)) for number in range(6)]
        stage.page_by(3)

        def one_goes_one_comes() -> None:
            stage.delete(booked[0])
            booked.append(stage.book(AT_NINE))

        stage.server.on_request = Interruption(4, one_goes_one_comes)
        (batch,) = source.within(DECEMBER)
        assert batch.covers == DECEMBER
        assert appointments([batch]).keys() == set(booked[1:])

    @pytest.mark.parametrize("fault", [halved, unreliable_total])
    def test_a_slice_that_never_proves_itself_keeps_its_rows_and_covers_nothing(
        self, stage: ValomniaStage, source: ValomniaSource, fault: Callable[[], faults.Fault]
    ) -> None:
        booked = {stage.book(AT_NINE) for _ in range(4)}
        stage.server.faults.add(fault(), match=_is_slice, times=None)
        (batch,) = source.within(DECEMBER)
        assert batch.covers is None
        assert appointments([batch]).keys() <= booked
        assert batch.appointments

    def test_a_slice_is_tried_three_times_at_most(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        stage.book(AT_NINE)
        stage.server.faults.add(unreliable_total(), match=_is_slice, times=None)
        list(source.within(DECEMBER))
        assert len([one for one in stage.asked("/appointments") if one.get("sort") == "id"]) == 3 * 2

    @pytest.mark.parametrize("row", [None, "torn", {}, {"id": None}, {"id": {}}, {"id": True}])
    def test_a_row_without_a_readable_id_spoils_the_proof(
        self, stage: ValomniaStage, source: ValomniaSource, row: Any
    ) -> None:
        source_id, spoilt = stage.book(AT_NINE), stage.book(AT_NINE)
        list(source.within(DECEMBER))
        stage.rewrite_rows(lambda told: row if told["id"] == int(spoilt) else told)
        (batch,) = source.within(DECEMBER)
        assert batch.covers is None
        assert [one.source_id for one in batch.quarantined] == [""]
        assert appointments([batch]).keys() == {source_id}

    def test_a_login_that_sees_no_appointment_at_all_proves_nothing(
        self, stage: ValomniaStage, source: ValomniaSource
    ) -> None:
        """It may have lost its role: an account that shows nothing is no account without appointments."""
        stage.book(AT_NINE)
        stage.server.switches.sees = "no one"
        (batch,) = source.within(DECEMBER)
        assert batch.covers is None

    def test_an_empty_month_is_proven_where_other_appointments_are_seen(
        self, stage: ValomniaStage, source: ValomniaSource
    ) -> None:
        stage.book(datetime(2030, 1, 1, 9, 0))
        (batch,) = source.within(DECEMBER)
        assert batch.covers == DECEMBER

    def test_a_month_that_fails_does_not_stop_the_others(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        source_id = stage.book(datetime(2027, 2, 3, 9, 0))
        outage = _about("2026-11-30")
        stage.server.faults.add(faults.status(500), match=outage, times=None)
        batches: list[Batch] = []
        with pytest.raises(Unavailable):
            batches.extend(batch for batch in source.within(WINDOW))
        assert [batch.covers.start.month for batch in batches if batch.covers] == [10, 11, 1, 2, 3, 4]
        assert source_id in appointments(batches)

    def test_two_months_in_a_row_that_fail_are_an_outage(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        stage.book(AT_NINE)
        for day in ("2026-11-30", "2026-12-31"):
            stage.server.faults.add(faults.status(500), match=_about(day), times=None)
        batches: list[Batch] = []
        with pytest.raises(Unavailable):
            batches.extend(batch for batch in source.within(WINDOW))
        assert [batch.covers.start.month for batch in batches if batch.covers] == [10, 11]

    def test_a_closed_door_ends_the_listing_at_once(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        stage.server.faults.add(faults.status(403), match=_about("2026-11-30"), times=None)
        with pytest.raises(NotAuthorised):
            list(source.within(WINDOW))


class TestTexts:
    @pytest.mark.parametrize("charset", ["utf-8", "utf-8 as latin-1", "latin-1"])
    @pytest.mark.parametrize("strays", [False, True])
    def test_letters_survive_every_charset_and_stray_bytes_do_no_harm(
        self,
        stage: ValomniaStage,
        source: ValomniaSource,
        charset: Literal["utf-8", "utf-8 as latin-1", "latin-1"],
        strays: bool,
    ) -> None:
        stage.server.switches.charset, stage.server.switches.stray_bytes = charset, strays
        source_id = stage.book(AT_NINE, title="Réunion à l'été")
        row = appointments(source.within(WINDOW))[source_id]
        assert (row.summary, row.service) == ("Réunion à l'été", "Négociation")


class TestPeople:
    def names(self, batches: list[Batch]) -> set[str]:
        return {resource.fields["last_name"] for batch in batches for resource in batch.resources}

    def test_customers_and_contacts_come_with_what_reaches_them(
        self, stage: ValomniaStage, source: ValomniaSource
    ) -> None:
        stage.server.world.add_contact(stage.customer, "Jo", "Roy", "jo@customer.example", "+33 2")
        told = [list(source.changes(stream, None, WINDOW)) for stream in ("customers", "contacts")]
        (customer,), (contact,) = ([row for batch in batches for row in batch.resources] for batches in told)
        assert customer.key == f"customer/{stage.customer}"
        assert dict(customer.fields) == {
            "last_name": "Zoé Sample",
            "email": "zoe@customer.example",
            "phone": "+33 1 00 00 00 00",
        }
        assert (contact.kind, contact.fields["first_name"], contact.fields["phone"]) == ("contact", "Jo", "+33 2")

    def test_many_customers_are_read_once_and_then_by_their_changes(
        self, stage: ValomniaStage, source: ValomniaSource
    ) -> None:
        for number in range(250):
            stage.server.world.add_customer(f"Customer {number}")
        told = list(source.changes("customers", None, WINDOW))
        assert len(self.names(told)) == 251
        assert told[-1].cursor
        stage.server.world.rename_customer(stage.customer, "Renamed")
        cursor = _hours_ago(told[-1].cursor, 2)
        stage.server.forget_requests()
        assert self.names(delta(source, cursor, "customers")) == {"Renamed"}
        assert stage.requests() <= 3

    def test_people_are_asked_for_hourly_and_whenever_an_appointment_changes(
        self, stage: ValomniaStage, source: ValomniaSource
    ) -> None:
        cursor = first_pass(source)
        people = list(source.changes("customers", None, WINDOW))[-1].cursor
        assert people
        stage.server.world.add_customer("New")
        assert delta(source, cursor)
        assert delta(source, people, "customers") == []
        assert self.names(delta(source, _hours_ago(people, 1), "customers")) == {"New"}
        stage.book(AT_NINE)
        delta(source, cursor)
        assert self.names(delta(source, people, "customers")) == {"New"}

    def test_a_person_without_a_readable_id_is_told_and_mistaken_for_no_appointment(
        self, stage: ValomniaStage, source: ValomniaSource
    ) -> None:
        nameless = rewritten(lambda reply: reply | {"data": [{"name": "?"}]} if "data" in reply else reply)
        stage.server.faults.add(nameless, match=faults.matching("/customers"), times=None)
        told = list(source.changes("customers", None, WINDOW))
        assert [row.source_id for batch in told for row in batch.quarantined] == [""]

    def test_a_stream_that_is_none_is_a_mistake_of_ours(self, source: ValomniaSource) -> None:
        with pytest.raises(ValueError, match="no stream"):
            list(source.changes("orders", None, WINDOW))

    def test_staff_have_the_address_of_the_user_and_the_name_of_the_employee(
        self, stage: ValomniaStage, source: ValomniaSource
    ) -> None:
        held = {resource.key: dict(resource.fields) for resource in source.resources().resources}
        assert held == {
            f"staff/{stage.user}": {"name": "Ana Pérez", "email": "ana@acme.example", "reference": "emp1"},
            f"service/{stage.category}": {"name": "Négociation"},
        }


class TestPull:
    """With the engine: what becomes of a deletion, which Valomnia does not tell."""

    RHYTHM = Rhythm(near=timedelta(minutes=1), all=timedelta(minutes=2))

    @pytest.fixture
    def passes(self, stage: ValomniaStage, source: ValomniaSource, tmp_path: Path) -> Any:
        account = Account(source=source, rhythm=self.RHYTHM, routes=(), basis="none")
        clock = ServerClock(datetime.now(UTC), timedelta(minutes=3))
        with open_ledger(f"sqlite:///{tmp_path}/ledger.db", "acme") as ledger:

            def passed() -> Tally:
                return pull(account, ledger, clock, Watch())

            yield passed

    @pytest.fixture
    def soon(self) -> datetime:
        return WallClock().now() + timedelta(days=3)

    def test_a_deletion_is_proven_by_absence_by_its_id_and_by_a_control(
        self, stage: ValomniaStage, passes: Callable[[], Tally], soon: datetime
    ) -> None:
        gone, _control = stage.book(soon), stage.book(soon + timedelta(hours=1))
        passes()
        stage.delete(gone)
        tally = passes()
        assert (tally["unlisted"], tally["deleted"], tally.errors) == (1, 1, [])

    def test_without_a_control_nothing_is_proven(
        self, stage: ValomniaStage, passes: Callable[[], Tally], soon: datetime
    ) -> None:
        other = stage.server.world.add_employee("Ben", "Muster", "ben@acme.example")
        gone = stage.book(soon)
        stage.book(soon, user=other)
        passes()
        stage.delete(gone)
        tally = passes()
        assert (tally["unlisted"], tally["deleted"], tally["unproven"]) == (1, 0, 1)

    def test_a_login_that_has_lost_its_role_deletes_nothing(
        self, stage: ValomniaStage, passes: Callable[[], Tally], soon: datetime
    ) -> None:
        """It sees its own appointments only; all others look deleted, even when asked for by id."""
        other = stage.server.world.add_employee("Ben", "Muster", "ben@acme.example")
        for number in range(6):
            stage.book(soon + timedelta(hours=number), user=(stage.user, other)[number % 2])
        passes()
        stage.server.switches.sees = stage.user
        tally = passes()
        assert (tally["unlisted"], tally["deleted"]) == (3, 0)
        stage.server.switches.sees = None
        tally = passes()
        assert (tally["deleted"], tally.errors) == (0, [])

    @pytest.mark.parametrize("fault", [emptied, halved, cut_short, lambda: faults.status(404), faults.html])
    def test_a_lying_listing_deletes_nothing(
        self,
        stage: ValomniaStage,
        passes: Callable[[], Tally],
        soon: datetime,
        fault: Callable[[], faults.Fault],
    ) -> None:
        for number in range(6):
            stage.book(soon + timedelta(hours=number))
        passes()
        stage.server.faults.add(fault(), match=lambda request: request.path.endswith("/appointments"), times=None)
        assert passes()["deleted"] == 0
        stage.mend()
        tally = passes()
        assert (tally["deleted"], tally.errors) == (0, [])

    def test_a_row_that_cannot_be_read_is_read_once_it_can(
        self, stage: ValomniaStage, passes: Callable[[], Tally], soon: datetime
    ) -> None:
        source_id = stage.book(soon)
        stage.garble(source_id)
        assert passes()["quarantined"]
        stage.server.switches.broken_starts.clear()
        assert passes()["new"] == 1

    def test_nothing_is_written_to_valomnia(
        self, stage: ValomniaStage, passes: Callable[[], Tally], soon: datetime
    ) -> None:
        stage.book(soon)
        passes()
        assert {(one.method, one.path.startswith("/api/")) for one in stage.server.log} == {
            ("GET", True),
            ("POST", False),
            ("GET", False),
        }


def _is_slice(request: Request) -> bool:
    return is_about_appointments(request) and request.one("sort") == "id"


def _about(day: str) -> faults.Match:
    """Requests for the slice that is listed from that day on."""
    return lambda request: (request.one("startDate_gte") or "").startswith(day)


def _hours_ago(cursor: Cursor, hours: int) -> Cursor:
    content = json.loads(cursor.token)
    content["asked_at"] = (datetime.fromisoformat(content["asked_at"]) - timedelta(hours=hours)).isoformat()
    return Cursor(json.dumps(content))
