"""Agendize: the contract of every source, and what its documents leave to fear."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest

from calferry.errors import CalferryError, CursorExpired, NotAuthorised, Unavailable
from calferry.model import Batch, Cursor, Found, Gone, NotFound, Status, Window
from calferry.moments import zone_name
from calferry.sandbox import faults
from calferry.sandbox.agendize import AgendizeServer
from calferry.sandbox.messages import Response
from calferry.sources.agendize import AgendizeSource
from tests.contracts.source import AT_NINE, WINDOW, SourceContract, appointments, first_pass, rows
from tests.sources.agendize import COMPANY, KEY, TOKEN, AgendizeStage

DECEMBER = Window(datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
STREAM = "appointments"


def about(day: str) -> faults.Match:
    """Requests for the listing that begins on that day: the day before a month does."""
    return lambda request: (request.one("startDate") or "").startswith(day)


def until_it_raises(batches: Iterator[Batch]) -> tuple[list[Batch], CalferryError]:
    told: list[Batch] = []
    with pytest.raises(CalferryError) as raised:
        told.extend(batch for batch in batches)
    return told, raised.value


@pytest.fixture
def stage() -> Iterator[AgendizeStage]:
    with AgendizeServer(api_key=KEY, token=TOKEN) as server:
        yield AgendizeStage(server)
        assert server.crashes == []


@pytest.fixture
def source(stage: AgendizeStage) -> AgendizeSource:
    return stage.connect()


class TestContract(SourceContract):
    """Every answer of Agendize is one of the whole truth, or none."""


class TestWhatIsAsked:
    def test_a_full_pass_names_its_window_instead_of_taking_a_month_either_side(
        self, stage: AgendizeStage, source: AgendizeSource
    ) -> None:
        far = stage.book(datetime(2027, 4, 18, 9, 0))
        assert far in appointments(source.changes(STREAM, None, WINDOW))
        asked = stage.asked("/appointments")[0]
        assert (asked["startDate"], asked["endDate"]) == ("2026-10-09T06:30:00Z", "2027-04-21T00:00:00Z")

    def test_deleted_rows_and_whole_rows_are_asked_for_always(
        self, stage: AgendizeStage, source: AgendizeSource
    ) -> None:
        """A light row would blank what a full one told; the default hides deletions."""
        cursor = first_pass(source)
        list(source.changes(STREAM, cursor, WINDOW))
        list(source.within(DECEMBER))
        asked = stage.asked("/appointments")
        assert len(asked) == 3
        assert all((one["showDeleted"], one["levelDetail"]) == ("true", "full") for one in asked)

    def test_no_filter_goes_with_a_token(self, stage: AgendizeStage, source: AgendizeSource) -> None:
        cursor = first_pass(source)
        list(source.changes(STREAM, cursor, WINDOW))
        whole = {"showDeleted", "levelDetail", "personalAppointments"}
        assert stage.asked("/appointments")[-1].keys() == {"syncToken", *whole}

    def test_a_delta_costs_one_request_and_the_resources_three(
        self, stage: AgendizeStage, source: AgendizeSource
    ) -> None:
        cursor = first_pass(source)
        stage.book(AT_NINE)
        for ask, cost in ((lambda: list(source.changes(STREAM, cursor, WINDOW)), 1), (source.resources, 3)):
            stage.server.forget_requests()
            ask()
            assert stage.server.requests == cost

    def test_key_and_token_travel_in_headers_and_are_never_logged(
        self, stage: AgendizeStage, source: AgendizeSource, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        first_pass(source)
        stage.server.faults.add(faults.status(503), times=None)
        with pytest.raises(Unavailable) as outage:
            source.resources()
        said = "\n".join([*map(str, caplog.records), caplog.text, str(outage.value), repr(source._settings)])
        asked = str(stage.server.log)
        assert "HTTP Request" in said
        assert not any(secret in text for secret in (KEY, TOKEN) for text in (said, asked))


class TestTokens:
    def test_a_token_on_a_middle_page_is_not_taken(self, stage: AgendizeStage, source: AgendizeSource) -> None:
        for _ in range(3):
            stage.book(AT_NINE)
        stage.page_by(2)
        stage.rewrite_reply(lambda reply: {"nextSyncToken": "too early"} | reply)
        cursors = [batch.cursor for batch in source.changes(STREAM, None, WINDOW)]
        assert cursors[0] is None
        assert cursors[-1] not in (None, Cursor("too early"))

    @pytest.mark.parametrize("shape", [410, 400, 404, 412, 200])
    def test_a_dead_token_is_known_in_every_shape_and_a_full_pass_begins_anew(
        self, stage: AgendizeStage, source: AgendizeSource, shape: Literal[410, 400, 404, 412, 200]
    ) -> None:
        source_id = stage.book(AT_NINE)
        cursor = first_pass(source)
        stage.server.switches.dead_token = shape
        stage.expire_cursors()
        with pytest.raises(CursorExpired):
            list(source.changes(STREAM, cursor, WINDOW))
        assert appointments(source.changes(STREAM, None, WINDOW)).keys() == {source_id}

    def test_a_reply_without_a_token_gives_no_cursor_in_place_of_the_old_one(
        self, stage: AgendizeStage, source: AgendizeSource
    ) -> None:
        cursor = first_pass(source)
        source_id = stage.book(AT_NINE)
        stage.server.switches.skip_sync_token = 1
        batches = list(source.changes(STREAM, cursor, WINDOW))
        assert appointments(batches).keys() == {source_id}
        assert [batch.cursor for batch in batches] == [None]

    def test_a_row_named_twice_counts_as_it_was_named_last(self, stage: AgendizeStage, source: AgendizeSource) -> None:
        cursor = first_pass(source)
        source_id = stage.book(AT_NINE)
        stage.rewrite_reply(
            lambda reply: reply | {"items": [row | {"notes": "old"} for row in reply["items"]] + reply["items"]}
        )
        told = rows(list(source.changes(STREAM, cursor, WINDOW)))
        assert [(row.source_id, getattr(row, "description", None)) for row in told] == [(source_id, "")]

    @pytest.mark.parametrize("echo", ["", "pageToken", "cursor"])
    @pytest.mark.parametrize("name", ["nextPageToken", "pageToken", "next", "cursor"])
    def test_pages_are_followed_by_every_name_and_an_echo_ends_nothing_early(
        self,
        stage: AgendizeStage,
        source: AgendizeSource,
        name: Literal["nextPageToken", "pageToken", "next", "cursor"],
        echo: Literal["", "pageToken", "cursor"],
    ) -> None:
        booked = {stage.book(AT_NINE) for _ in range(5)}
        stage.page_by(2)
        stage.server.switches.page_name, stage.server.switches.echo = name, echo
        (batch,) = source.within(DECEMBER)
        assert batch.covers == DECEMBER
        assert appointments([batch]).keys() == booked
        assert len(stage.asked("/appointments")) == 3

    def test_pages_in_a_circle_end_the_pass(self, stage: AgendizeStage, source: AgendizeSource) -> None:
        circle = Response.of_json({"items": [], "nextPageToken": "round"})
        stage.server.faults.add(faults.Fault("circle", lambda _perform: circle), times=None)
        with pytest.raises(Unavailable, match="circle"):
            list(source.changes(STREAM, None, WINDOW))


class TestProof:
    @pytest.mark.parametrize("border", ["containment", "overlap"])
    def test_rows_on_the_border_of_a_window_are_neither_lost_nor_proof_of_anything(
        self, stage: AgendizeStage, source: AgendizeSource, border: Literal["containment", "overlap"]
    ) -> None:
        stage.server.switches.border = border
        astride = stage.book(datetime(2026, 12, 1, 0, 45))
        outside = stage.book(datetime(2026, 11, 30, 12, 0))
        (batch,) = source.within(DECEMBER)
        assert batch.covers == DECEMBER
        assert astride in appointments([batch])
        row = appointments([batch])[outside]
        assert not batch.covers.holds(row.start, row.end)

    def test_a_slice_without_a_last_page_is_tried_twice_more_and_keeps_its_rows(
        self, stage: AgendizeStage, source: AgendizeSource
    ) -> None:
        source_id = stage.book(AT_NINE)
        stage.server.switches.skip_sync_token = 1
        (batch,) = source.within(DECEMBER)
        assert batch.covers is None
        assert appointments([batch]).keys() == {source_id}
        assert len(stage.asked("/appointments")) == 3

    def test_a_slice_that_proves_itself_at_the_second_try_covers(
        self, stage: AgendizeStage, source: AgendizeSource
    ) -> None:
        stage.book(AT_NINE)
        stage.server.faults.add(faults.partial(with_token=False))
        (batch,) = source.within(DECEMBER)
        assert batch.covers == DECEMBER
        assert len(batch.appointments) == 1

    @pytest.mark.parametrize("row", [None, "torn", {}, {"id": None}, {"id": {}}, {"id": True}])
    def test_a_row_without_a_readable_id_spoils_the_proof(
        self, stage: AgendizeStage, source: AgendizeSource, row: Any
    ) -> None:
        source_id = stage.book(AT_NINE)
        stage.rewrite_reply(lambda reply: reply | {"items": [*reply["items"], row]})
        (batch,) = source.within(DECEMBER)
        assert batch.covers is None
        assert [row.source_id for row in batch.quarantined] == [""]
        assert appointments([batch]).keys() == {source_id}

    def test_what_was_proven_before_an_outage_is_kept(self, stage: AgendizeStage, source: AgendizeSource) -> None:
        stage.server.faults.add(faults.status(500), times=None, after=2)
        slices = source.within(WINDOW)
        assert [next(slices).covers is not None for _ in range(2)] == [True, True]
        with pytest.raises(Unavailable):
            next(slices)

    def test_a_month_that_fails_does_not_stop_the_others(self, stage: AgendizeStage, source: AgendizeSource) -> None:
        source_id = stage.book(datetime(2027, 2, 3, 9, 0))
        outage = about("2026-11-30")
        stage.server.faults.add(faults.status(500), match=outage, times=None)
        batches, error = until_it_raises(source.within(WINDOW))
        covered = [batch.covers for batch in batches]
        assert isinstance(error, Unavailable)
        assert None not in covered
        assert [one.start.month for one in covered if one] == [10, 11, 1, 2, 3, 4]
        assert source_id in appointments(batches)

    def test_of_several_months_that_fail_the_first_one_is_told(
        self, stage: AgendizeStage, source: AgendizeSource
    ) -> None:
        stage.server.faults.add(faults.html(), match=about("2026-11-30"), times=None)
        stage.server.faults.add(faults.no_items(), match=about("2027-01-31"), times=None)
        batches, error = until_it_raises(source.within(WINDOW))
        assert [batch.covers.start.month for batch in batches if batch.covers] == [10, 11, 1, 3, 4]
        assert "JSON" in str(error)

    def test_two_months_in_a_row_that_fail_hide_no_other(self, stage: AgendizeStage, source: AgendizeSource) -> None:
        for day in ("2026-11-30", "2026-12-31"):
            stage.server.faults.add(faults.html(), match=about(day), times=None)
        batches, error = until_it_raises(source.within(WINDOW))
        assert isinstance(error, Unavailable)
        assert [batch.covers.start.month for batch in batches if batch.covers] == [10, 11, 4, 2, 3]

    def test_a_closed_door_ends_the_listing_at_once(self, stage: AgendizeStage, source: AgendizeSource) -> None:
        stage.server.faults.add(faults.status(401), match=about("2026-11-30"), times=None)
        batches, error = until_it_raises(source.within(WINDOW))
        assert isinstance(error, NotAuthorised)
        assert len(batches) == 2

    def test_what_an_unproven_try_told_outlives_the_outage_of_the_next(
        self, stage: AgendizeStage, source: AgendizeSource
    ) -> None:
        source_id = stage.book(AT_NINE)
        stage.server.switches.skip_sync_token = 1
        stage.server.faults.add(faults.html(), times=None, after=1)
        (batch,), error = until_it_raises(source.within(DECEMBER))
        assert isinstance(error, Unavailable)
        assert batch.covers is None
        assert appointments([batch]).keys() == {source_id}

    @pytest.mark.parametrize("call", ["changes", "within", "resources", "look_up"])
    def test_an_error_with_status_200_is_not_an_empty_answer(
        self, stage: AgendizeStage, source: AgendizeSource, call: str
    ) -> None:
        source_id = stage.book(AT_NINE)
        stage.server.faults.add(faults.error_200(), times=None)
        ask: dict[str, Callable[[], object]] = {
            "changes": lambda: list(source.changes(STREAM, None, WINDOW)),
            "within": lambda: list(source.within(WINDOW)),
            "resources": source.resources,
            "look_up": lambda: source.look_up(source_id),
        }
        with pytest.raises(Unavailable):
            ask[call]()

    def test_an_error_beside_a_list_is_an_error(self, stage: AgendizeStage, source: AgendizeSource) -> None:
        cursor = first_pass(source)
        stage.rewrite_reply(lambda reply: reply | {"error": {"message": "half of it is missing"}})
        with pytest.raises(Unavailable):
            list(source.within(WINDOW))
        with pytest.raises(CursorExpired):
            list(source.changes(STREAM, cursor, WINDOW))


class TestLookUp:
    def test_a_reference_is_no_id_although_agendize_answers_to_it(
        self, stage: AgendizeStage, source: AgendizeSource
    ) -> None:
        reference = stage.server.world.appointments[stage.book(AT_NINE)].reference
        with pytest.raises(Unavailable, match="another"):
            source.look_up(reference)

    @pytest.mark.parametrize("id_of_another_kind", ["../staff", "1/2", "1?fields=id", "é"])
    def test_no_id_leads_elsewhere(self, stage: AgendizeStage, source: AgendizeSource, id_of_another_kind: str) -> None:
        assert isinstance(source.look_up(id_of_another_kind), NotFound)

    def test_a_row_marked_deleted_is_gone(self, stage: AgendizeStage, source: AgendizeSource) -> None:
        source_id = stage.book(AT_NINE)
        stage.rewrite_reply(lambda reply: {"id": reply["id"], "deleted": True})
        assert source.look_up(source_id) == Gone("Agendize lists it with deleted: true")

    def test_an_unreadable_row_is_found_though_set_aside(self, stage: AgendizeStage, source: AgendizeSource) -> None:
        source_id = stage.book(AT_NINE)
        stage.garble(source_id)
        answer = source.look_up(source_id)
        assert isinstance(answer, Found)
        assert [row.source_id for row in answer.batch.quarantined] == [source_id]

    def test_a_hidden_company_is_not_proof_that_a_listing_is_empty(
        self, stage: AgendizeStage, source: AgendizeSource
    ) -> None:
        stage.book(AT_NINE)
        stage.server.world.withdraw_company(COMPANY)
        with pytest.raises(Unavailable):
            list(source.within(DECEMBER))


class TestRowsOverTheWire:
    def test_times_without_a_zone_are_the_companys_which_is_asked_once(
        self, stage: AgendizeStage, source: AgendizeSource
    ) -> None:
        source_id = stage.book(AT_NINE)
        stage.server.switches.omit_time_zone = True
        for _ in range(2):
            row = appointments(source.within(DECEMBER))[source_id]
            assert row.start.isoformat() == "2026-12-03T09:00:00+01:00"
        assert len(stage.asked(f"/companies/{COMPANY}")) == 1

    def test_legacy_zone_names_are_understood(self, stage: AgendizeStage, source: AgendizeSource) -> None:
        source_id = stage.book(AT_NINE)
        stage.server.switches.zone_aliases = {"Europe/Paris": "US/Eastern"}
        row = appointments(source.within(DECEMBER))[source_id]
        assert (zone_name(row.start), row.start.isoformat()) == ("US/Eastern", "2026-12-03T09:00:00-05:00")

    def test_an_unknown_zone_sets_the_row_aside(self, stage: AgendizeStage, source: AgendizeSource) -> None:
        source_id = stage.book(AT_NINE)
        stage.server.switches.zone_aliases = {"Europe/Paris": "Mars/Olympus"}
        (batch,) = source.within(DECEMBER)
        assert [(row.source_id, "time zone" in row.reason) for row in batch.quarantined] == [(source_id, True)]

    def test_without_an_end_a_row_lasts_as_long_as_its_service(
        self, stage: AgendizeStage, source: AgendizeSource
    ) -> None:
        source_id = stage.book(AT_NINE)
        stage.rewrite(lambda row: {name: part for name, part in row.items() if name != "end"})
        row = appointments(source.within(DECEMBER))[source_id]
        assert row.end - row.start == timedelta(minutes=30)

    @pytest.mark.parametrize("charset", ["utf-8", "latin-1", "latin-1 undeclared"])
    def test_letters_arrive_in_every_charset(
        self, stage: AgendizeStage, source: AgendizeSource, charset: Literal["utf-8", "latin-1", "latin-1 undeclared"]
    ) -> None:
        source_id = stage.book(AT_NINE)
        stage.server.switches.charset = charset
        row = appointments(source.within(DECEMBER))[source_id]
        assert (row.owners[0].name, row.contact.first_name) == ("Ana Pérez", "Zoé")

    def test_entities_and_letters_give_the_same_appointment(self, stage: AgendizeStage, source: AgendizeSource) -> None:
        stage.book(AT_NINE, notes="Café & thé, 3 < 4")
        plain = appointments(source.within(DECEMBER))
        stage.server.switches.html_entities = True
        assert appointments(source.within(DECEMBER)) == plain

    def test_ids_as_numbers_are_the_same_ids(self, stage: AgendizeStage, source: AgendizeSource) -> None:
        source_id = stage.book(AT_NINE)
        plain = appointments(source.within(DECEMBER)), source.resources().resources
        stage.server.switches.integer_ids = True
        assert (appointments(source.within(DECEMBER)), source.resources().resources) == plain
        assert isinstance(source.look_up(source_id), Found)

    @pytest.mark.parametrize("marker", ["flag", "date", "status"])
    def test_a_deleted_row_is_known_by_every_mark(
        self, stage: AgendizeStage, source: AgendizeSource, marker: Literal["flag", "date", "status"]
    ) -> None:
        source_id = stage.book(AT_NINE)
        stage.delete(source_id)
        stage.server.switches.deleted_marker = marker
        (batch,) = source.within(DECEMBER)
        assert [row.source_id for row in batch.deleted] == [source_id]
        assert batch.appointments == ()

    def test_a_member_for_deletions_that_is_empty_deletes_nothing(
        self, stage: AgendizeStage, source: AgendizeSource
    ) -> None:
        source_id = stage.book(AT_NINE)
        stage.server.switches.empty_deleted = True
        (batch,) = source.within(DECEMBER)
        assert not batch.deleted
        assert appointments([batch]).keys() == {source_id}
        assert isinstance(source.look_up(source_id), Found)

    def test_a_deleted_row_that_is_not_marked_is_set_aside_and_not_found_by_its_id(
        self, stage: AgendizeStage, source: AgendizeSource
    ) -> None:
        source_id = stage.book(AT_NINE)
        stage.delete(source_id)
        stage.server.switches.deleted_marker = "none"
        (batch,) = source.within(DECEMBER)
        assert ([row.source_id for row in batch.quarantined], batch.deleted) == ([source_id], ())
        assert isinstance(source.look_up(source_id), NotFound)

    def test_a_row_without_service_and_staff_is_an_appointment(
        self, stage: AgendizeStage, source: AgendizeSource
    ) -> None:
        source_id = stage.book(AT_NINE)
        stage.server.switches.omit_service = True
        stage.rewrite(lambda row: {**row, "staff": None, "resource": {"id": 9, "name": "Room 2"}})
        row = appointments(source.within(DECEMBER))[source_id]
        assert (row.service, row.owners, row.uses) == ("Room 2", (), (f"company/{COMPANY}",))

    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("cancelled", Status.CANCELLED),
            ("declined", Status.CANCELLED),
            ("pending", Status.TENTATIVE),
            ("accepted", Status.CONFIRMED),
            ("completed", Status.CONFIRMED),
            ("inProgress", Status.CONFIRMED),
            ("noShow", Status.CONFIRMED),
        ],
    )
    def test_each_status_word_keeps_its_meaning(
        self, stage: AgendizeStage, source: AgendizeSource, word: str, status: Status
    ) -> None:
        source_id = stage.book(AT_NINE, status=word)
        row = appointments(source.within(DECEMBER))[source_id]
        assert (row.said, row.status) == (word, status)
