"""ClicRDV's listings: when they are believed, and what becomes of what they leave out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest

from calferry.errors import CalferryError, NotAuthorised, Unavailable
from calferry.model import Batch, Found, Gone, NotFound, Window
from calferry.sandbox import faults
from calferry.sandbox.clicrdv import ClicrdvServer, empty, partial, wrong_total
from calferry.sandbox.messages import Request, Response
from calferry.sources.clicrdv import ClicrdvSource
from tests.contracts.source import AT_NINE, WINDOW, appointments, first_pass, rows
from tests.sources.clicrdv import EMAIL, GROUP, KEY, PASSWORD, ClicrdvStage, changes, cursor_of, listings

DECEMBER = Window(datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
DAY = timedelta(days=1)


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


def until_it_raises(batches: Iterator[Batch]) -> tuple[list[Batch], CalferryError]:
    told: list[Batch] = []
    with pytest.raises(CalferryError) as raised:
        told.extend(batch for batch in batches)
    return told, raised.value


def deleted(batches: list[Batch]) -> dict[str, str]:
    return {one.source_id: one.evidence for batch in batches for one in batch.deleted}


def month_from(day: str) -> faults.Match:
    """Requests for the slice that begins then: it is asked for from the day before on."""
    return lambda request: (request.one("conditions[1][value]") or "").startswith(day)


class TestProof:
    @pytest.mark.parametrize("by", [-1, 1, 1000])
    @pytest.mark.parametrize("ask", ["changes", "within"])
    def test_a_total_that_does_not_match_is_no_proof(
        self, stage: ClicrdvStage, source: ClicrdvSource, by: int, ask: str
    ) -> None:
        source_id = stage.book(AT_NINE)
        cursor = cursor_of(changes(source))
        changed = stage.book(AT_NINE)
        stage.server.faults.add(wrong_total(by), times=None, match=listings)
        if ask == "within":
            (batch,) = source.within(DECEMBER)
            assert batch.covers is None
            assert appointments([batch]).keys() == {source_id, changed}
        else:
            told, error = until_it_raises(source.changes("vevents", cursor, WINDOW))
            assert isinstance(error, Unavailable)
            assert appointments(told).keys() == {changed}
            assert [batch.cursor for batch in told] == [None] * len(told)

    def test_a_slice_is_listed_three_times_at_most(self, stage: ClicrdvStage, source: ClicrdvSource) -> None:
        stage.book(AT_NINE)
        stage.server.faults.add(partial(), times=None, match=listings)
        (batch,) = source.within(DECEMBER)
        assert batch.covers is None
        assert len(stage.asked("/vevents.json")) == 3 + 1, "three tries, and whether there is anything at all"

    def test_a_slice_that_proves_itself_at_the_second_try_covers(
        self, stage: ClicrdvStage, source: ClicrdvSource
    ) -> None:
        for _ in range(3):
            stage.book(AT_NINE)
        stage.server.faults.add(partial(), match=listings)
        (batch,) = source.within(DECEMBER)
        assert (batch.covers, len(batch.appointments)) == (DECEMBER, 3)

    def test_an_empty_list_where_there_were_many_proves_nothing(
        self, stage: ClicrdvStage, source: ClicrdvSource
    ) -> None:
        for _ in range(5):
            stage.book(AT_NINE)
        cursor = cursor_of(changes(source))
        stage.server.faults.add(empty(), times=None, match=listings)
        (batch,) = source.within(DECEMBER)
        assert (batch.covers, rows([batch])) == (None, [])
        assert cursor_of(changes(source, cursor)) == cursor

    def test_a_listing_that_turns_empty_between_two_pages_moves_no_mark(
        self, stage: ClicrdvStage, source: ClicrdvSource
    ) -> None:
        """Customers on its later pages have no second listing."""
        stage.page_by(2)
        fiches = {stage.fiche, *(stage.server.world.add_fiche(GROUP, f"{number}", "Roy") for number in range(5))}
        stage.server.faults.add(empty(), times=None, match=faults.matching("/fiches"), after=1)
        told, error = until_it_raises(source.changes("fiches", None, WINDOW))
        assert isinstance(error, Unavailable)
        assert [batch.cursor for batch in told] == [None] * len(told)
        stage.server.faults.clear()
        assert {one.id for batch in source.changes("fiches", None, WINDOW) for one in batch.resources} == fiches

    def test_an_empty_month_is_proven_by_the_rows_of_others(self, stage: ClicrdvStage, source: ClicrdvSource) -> None:
        stage.book(datetime(2026, 3, 3, 9, 0))
        (batch,) = source.within(DECEMBER)
        assert (batch.covers, rows([batch])) == (DECEMBER, [])

    @pytest.mark.parametrize("status", [200, 400, 404])
    @pytest.mark.parametrize("shape", ["object", "text", "list", "bare"])
    def test_no_result_is_an_empty_page_in_every_shape_and_proves_no_more_than_one(
        self, stage: ClicrdvStage, source: ClicrdvSource, status: Literal[200, 400, 404], shape: Any
    ) -> None:
        stage.server.switches.no_result, stage.server.switches.error_shape = status, shape
        (batch,) = source.within(DECEMBER)
        assert (batch.covers, rows([batch])) == (None, [])
        stage.book(datetime(2026, 3, 3, 9, 0))
        (batch,) = source.within(DECEMBER)
        assert (batch.covers, rows([batch])) == (DECEMBER, [])
        assert rows(changes(source)) == []

    @pytest.mark.parametrize(
        "error",
        [
            {"error": {"code": 4, "message": "ServerError"}},
            {"error": "Something went wrong"},
            {"errors": ["Parameters are not valid."]},
            {"code": 2, "message": "InvalidParameter"},
            {"error": {"unheard": "of"}},
        ],
        ids=str,
    )
    def test_an_error_with_status_200_is_no_empty_answer(
        self, stage: ClicrdvStage, source: ClicrdvSource, error: dict[str, Any]
    ) -> None:
        source_id = stage.book(AT_NINE)
        cursor = cursor_of(changes(source))
        stage.rewrite_reply(lambda _reply: error)
        asks: list[Callable[[], object]] = [
            lambda: changes(source, cursor),
            lambda: list(source.within(DECEMBER)),
            lambda: source.look_up(source_id),
        ]
        for ask in asks:
            with pytest.raises(Unavailable):
                ask()

    def test_an_error_beside_rows_is_an_error(self, stage: ClicrdvStage, source: ClicrdvSource) -> None:
        stage.book(AT_NINE)
        stage.rewrite_reply(lambda reply: reply | {"error": {"message": "half of it is missing"}})
        with pytest.raises(Unavailable):
            list(source.within(DECEMBER))

    @pytest.mark.parametrize("code", [1, 5])
    def test_a_closed_door_in_a_reply_with_status_200_is_one(
        self, stage: ClicrdvStage, source: ClicrdvSource, code: int
    ) -> None:
        stage.rewrite_reply(lambda _reply: {"error": {"code": code}})
        with pytest.raises(NotAuthorised):
            changes(source)

    @pytest.mark.parametrize(
        "echo",
        [
            {"startIndex": 5},
            {"sort": "start"},
            {"dir": "desc"},
            {"recordsReturned": 7},
            {"totalRecords": None},
            {"totalRecords": "9" * 5000},
        ],
        ids=str,
    )
    def test_an_echo_of_another_question_is_no_answer(
        self, stage: ClicrdvStage, source: ClicrdvSource, echo: dict[str, Any]
    ) -> None:
        stage.book(AT_NINE)
        stage.rewrite_reply(lambda reply: reply | echo)
        with pytest.raises(Unavailable):
            list(source.within(DECEMBER))

    def test_a_service_that_repeats_nothing_is_believed_by_its_total(
        self, stage: ClicrdvStage, source: ClicrdvSource
    ) -> None:
        stage.server.switches.echo = False
        stage.page_by(2)
        booked = {stage.book(AT_NINE) for _ in range(5)}
        (batch,) = source.within(DECEMBER)
        assert (set(appointments([batch])), batch.covers) == (booked, DECEMBER)

    def test_a_service_that_counts_pages_instead_of_rows_is_not_believed(
        self, stage: ClicrdvStage, source: ClicrdvSource
    ) -> None:
        stage.server.switches.start_index = "page"
        stage.page_by(3)
        for number in range(20):
            stage.book(AT_NINE + timedelta(hours=number))
        (batch,) = source.within(DECEMBER)
        assert batch.covers is None
        with pytest.raises(Unavailable):
            changes(source)

    @pytest.mark.parametrize("row", [None, "torn", {}, {"id": None}, {"id": {}}, {"id": True}, {"id": 0}])
    def test_a_row_without_a_readable_id_spoils_the_proof(
        self, stage: ClicrdvStage, source: ClicrdvSource, row: Any
    ) -> None:
        source_id = stage.book(AT_NINE)
        stage.rewrite_reply(
            lambda reply: reply | {"records": [*reply["records"], row], "totalRecords": 2, "recordsReturned": 2}
        )
        (batch,) = source.within(DECEMBER)
        assert batch.covers is None
        assert [row.source_id for row in batch.quarantined] == [""]
        assert appointments([batch]).keys() == {source_id}


class TestRowsThatMove:
    """Paging by rows while rows come and go."""

    def meanwhile(self, stage: ClicrdvStage, deed: Callable[[], object]) -> None:
        """Do something just before the second page of a listing is asked for, once."""
        left = [deed]

        def hook(moment: Literal["before", "after"], request: Request) -> None:
            later = request.one("startIndex") not in (None, "0")
            if moment == "before" and listings(request) and later and left:
                left.pop()()

        stage.server.on_request = hook

    def test_a_row_that_vanishes_meanwhile_hides_no_other(self, stage: ClicrdvStage, source: ClicrdvSource) -> None:
        """Everything behind it moves up by one, over the border of the page; the total agrees all the same."""
        stage.server.switches.deleted_rows = "hidden"
        stage.page_by(3)
        booked = [stage.book(AT_NINE) for _ in range(8)]
        self.meanwhile(stage, lambda: stage.delete(booked[0]))
        (batch,) = source.within(DECEMBER)
        assert batch.covers == DECEMBER
        assert appointments([batch]).keys() == set(booked[1:])

    def test_one_that_vanishes_while_another_comes_hides_no_third(
        self, stage: ClicrdvStage, source: ClicrdvSource
    ) -> None:
        stage.server.switches.deleted_rows = "hidden"
        stage.page_by(3)
        booked = [stage.book(AT_NINE) for _ in range(8)]
        extra: list[str] = []

        def swap() -> None:
            stage.delete(booked[0])
            extra.append(stage.book(AT_NINE))

        self.meanwhile(stage, swap)
        told = appointments(changes(source))
        assert told.keys() >= {*booked[1:], *extra}

    def test_a_row_that_comes_back_meanwhile_is_told(self, stage: ClicrdvStage, source: ClicrdvSource) -> None:
        stage.server.switches.deleted_rows = "hidden"
        stage.page_by(3)
        booked = [stage.book(AT_NINE) for _ in range(8)]
        stage.delete(booked[0])
        self.meanwhile(stage, lambda: stage.server.world.restore(booked[0]))
        (batch,) = source.within(DECEMBER)
        assert (set(appointments([batch])), batch.covers) == (set(booked), DECEMBER)

    def test_a_row_booked_meanwhile_is_in_the_listing_or_told_next(
        self, stage: ClicrdvStage, source: ClicrdvSource
    ) -> None:
        stage.page_by(3)
        booked = {stage.book(AT_NINE) for _ in range(8)}
        self.meanwhile(stage, lambda: booked.add(stage.book(AT_NINE)))
        batches = changes(source)
        told = appointments(batches).keys() | appointments(changes(source, cursor_of(batches))).keys()
        assert told == booked

    def test_many_rows_of_one_second_come_whole(self, stage: ClicrdvStage, source: ClicrdvSource) -> None:
        """Sorted by their stamp they would have no order of their own."""
        stage.server.world.now = lambda: datetime(2026, 1, 5, 9, tzinfo=UTC)
        stage.page_by(4)
        booked = {stage.book(AT_NINE) for _ in range(30)}
        batches = changes(source)
        assert appointments(batches).keys() == booked
        again = {stage.book(AT_NINE) for _ in range(9)}
        assert appointments(changes(source, cursor_of(batches))).keys() == again

    def test_rows_that_never_come_to_rest_prove_nothing(self, stage: ClicrdvStage, source: ClicrdvSource) -> None:
        stage.server.switches.deleted_rows = "hidden"
        stage.page_by(3)
        booked = [stage.book(AT_NINE) for _ in range(20)]
        left = iter(booked)

        def hook(moment: Literal["before", "after"], request: Request) -> None:
            if moment == "after" and listings(request):
                stage.delete(next(left))

        stage.server.on_request = hook
        (batch,) = source.within(DECEMBER)
        assert batch.covers is None


class TestOutages:
    def test_a_month_that_fails_does_not_stop_the_others(self, stage: ClicrdvStage, source: ClicrdvSource) -> None:
        source_id = stage.book(datetime(2027, 2, 3, 9, 0))
        stage.server.faults.add(faults.status(500), match=month_from("2026-11-30"), times=None)
        batches, error = until_it_raises(source.within(WINDOW))
        assert isinstance(error, Unavailable)
        assert [batch.covers.start.month for batch in batches if batch.covers] == [10, 11, 1, 2, 3, 4]
        assert source_id in appointments(batches)

    def test_two_months_in_a_row_that_fail_hide_no_other(self, stage: ClicrdvStage, source: ClicrdvSource) -> None:
        stage.book(AT_NINE)
        for day in ("2026-11-30", "2026-12-31"):
            stage.server.faults.add(faults.html(), match=month_from(day), times=None)
        batches, error = until_it_raises(source.within(WINDOW))
        assert isinstance(error, Unavailable)
        assert [batch.covers.start.month for batch in batches if batch.covers] == [10, 11, 4, 2, 3]

    def test_a_403_ends_the_listing_at_once(self, stage: ClicrdvStage, source: ClicrdvSource) -> None:
        stage.book(AT_NINE)
        stage.server.faults.add(faults.status(403), match=month_from("2026-11-30"), times=None)
        batches, error = until_it_raises(source.within(WINDOW))
        assert isinstance(error, NotAuthorised)
        assert len(batches) == 2

    @pytest.mark.parametrize("retry_after", [None, 1])
    def test_too_many_requests_are_waited_out(
        self, stage: ClicrdvStage, source: ClicrdvSource, retry_after: int | None
    ) -> None:
        source_id = stage.book(AT_NINE)
        stage.server.faults.add(faults.status(429, retry_after=retry_after), match=listings)
        assert appointments(source.within(DECEMBER)).keys() == {source_id}

    def test_a_first_pass_that_is_cut_off_moves_no_mark(self, stage: ClicrdvStage, source: ClicrdvSource) -> None:
        stage.book(AT_NINE)
        stage.server.faults.add(faults.truncated(), times=None, match=listings, after=4)
        told, error = until_it_raises(source.changes("vevents", None, WINDOW))
        assert isinstance(error, Unavailable)
        assert [batch.cursor for batch in told] == [None] * len(told)


class TestDeletions:
    @pytest.mark.parametrize("booleans", ["bool", "number", "text"])
    def test_a_deleted_row_is_known_in_every_spelling_and_so_is_its_return(
        self, stage: ClicrdvStage, source: ClicrdvSource, booleans: Literal["bool", "number", "text"]
    ) -> None:
        stage.server.switches.booleans = booleans
        source_id = stage.book(AT_NINE)
        cursor = cursor_of(changes(source))
        stage.delete(source_id)
        batches = changes(source, cursor)
        assert (set(deleted(batches)), set(appointments(batches))) == ({source_id}, set())
        assert isinstance(source.look_up(source_id), Gone)
        stage.server.world.restore(source_id)
        batches = changes(source, cursor_of(batches))
        assert (set(deleted(batches)), set(appointments(batches))) == (set(), {source_id})

    def test_a_hidden_deletion_is_a_not_found_and_no_more(self, stage: ClicrdvStage, source: ClicrdvSource) -> None:
        stage.server.switches.deleted_rows = "hidden"
        source_id, other = stage.book(AT_NINE), stage.book(AT_NINE)
        cursor = cursor_of(changes(source))
        stage.delete(source_id)
        batches = [*changes(source, cursor), *source.within(DECEMBER)]
        assert deleted(batches) == {}
        assert appointments(batches).keys() == {other}
        answer = source.look_up(source_id)
        assert isinstance(answer, NotFound)
        assert source_id in answer.evidence

    def test_in_a_hidden_group_everything_is_not_found_also_what_serves_as_control(
        self, stage: ClicrdvStage, source: ClicrdvSource
    ) -> None:
        booked = [stage.book(AT_NINE), stage.book(AT_NINE)]
        first_pass(source)
        stage.server.world.withdraw_group(GROUP)
        assert [isinstance(source.look_up(one), NotFound) for one in booked] == [True, True]
        with pytest.raises(NotAuthorised):
            list(source.within(DECEMBER))

    @pytest.mark.parametrize("status", [200, 400, 404])
    def test_no_result_for_one_by_its_id_is_a_not_found(
        self, stage: ClicrdvStage, source: ClicrdvSource, status: int
    ) -> None:
        source_id = stage.book(AT_NINE)
        reply = Response.of_json({"error": {"code": 3, "message": "NoResult"}}, status)
        stage.server.faults.add(faults.Fault("NoResult", lambda _perform: reply), match=faults.matching("/vevents/"))
        assert isinstance(source.look_up(source_id), NotFound)

    def test_another_row_than_the_one_asked_for_is_no_answer(self, stage: ClicrdvStage, source: ClicrdvSource) -> None:
        source_id = stage.book(AT_NINE)
        stage.rewrite(lambda row: row | {"id": 7})
        with pytest.raises(Unavailable, match="another"):
            source.look_up(source_id)

    def test_where_one_appointment_cannot_be_asked_for_nothing_is_ever_gone(self, bookers: ClicrdvStage) -> None:
        source_id = bookers.book(AT_NINE)
        bookers.server.switches.single_appointments = False
        source = bookers.connect()
        for _ in range(2):
            with pytest.raises(Unavailable):
                source.look_up(source_id)
            bookers.delete(source_id)

    @pytest.mark.parametrize("wrapped", [False, True])
    def test_one_row_comes_bare_or_in_a_wrapper(
        self, stage: ClicrdvStage, source: ClicrdvSource, *, wrapped: bool
    ) -> None:
        source_id = stage.book(AT_NINE)
        stage.server.switches.wrapped = wrapped
        answer = source.look_up(source_id)
        assert isinstance(answer, Found)
        assert appointments([answer.batch]).keys() == {source_id}

    @pytest.mark.parametrize("id_of_another_kind", ["../fiches", "1/2", "1?fields=id", "é"])
    def test_no_id_leads_elsewhere(self, source: ClicrdvSource, id_of_another_kind: str) -> None:
        assert isinstance(source.look_up(id_of_another_kind), NotFound)
