"""When a month of Valomnia's is complete, and when it only looks so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from calferry.errors import NotAuthorised, Unavailable
from calferry.model import Batch, Window
from calferry.sandbox import faults
from calferry.sandbox.messages import Request
from calferry.sandbox.server import Moment
from calferry.sandbox.valomnia import halved, unreliable_total
from calferry.sources.valomnia import ValomniaSource
from tests.contracts.source import AT_NINE, WINDOW, appointments
from tests.sources.valomnia import ValomniaStage, begins_on, is_slice, open_stage

DECEMBER = Window(datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


@pytest.fixture
def stage() -> Iterator[ValomniaStage]:
    with open_stage() as stage:
        yield stage


@pytest.fixture
def source(stage: ValomniaStage) -> ValomniaSource:
    return stage.connect()


class TestProof:
    def test_a_slice_whose_pages_do_not_join_is_read_again(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        """A row that goes makes all behind it slide over the border of a page, another that comes hides it."""
        booked = [stage.book(AT_NINE + timedelta(hours=number)) for number in range(6)]
        stage.page_by(3)

        def one_goes_one_comes(moment: Moment, request: Request) -> None:
            second_page = is_slice(request) and request.one("offset") == "2"
            if moment == "before" and second_page and "employeeReference" not in request.query and len(booked) == 6:
                stage.delete(booked[0])
                booked.append(stage.book(AT_NINE))

        stage.server.on_request = one_goes_one_comes
        (batch,) = source.within(DECEMBER)
        assert batch.covers == DECEMBER
        assert appointments([batch]).keys() == set(booked[1:])
        assert len(booked) == 7

    @pytest.mark.parametrize("fault", [halved, unreliable_total])
    def test_a_slice_that_never_proves_itself_keeps_its_rows_and_covers_nothing(
        self, stage: ValomniaStage, source: ValomniaSource, fault: Callable[[], faults.Fault]
    ) -> None:
        booked = {stage.book(AT_NINE) for _ in range(4)}
        stage.server.faults.add(fault(), match=is_slice, times=None)
        (batch,) = source.within(DECEMBER)
        assert batch.covers is None
        assert appointments([batch]).keys() <= booked
        assert batch.appointments

    def test_a_slice_is_tried_three_times_at_most(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        stage.book(AT_NINE)
        stage.server.faults.add(unreliable_total(), match=is_slice, times=None)
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
        outage = begins_on("2026-11-30")
        stage.server.faults.add(faults.status(500), match=outage, times=None)
        batches: list[Batch] = []
        with pytest.raises(Unavailable):
            batches.extend(batch for batch in source.within(WINDOW))
        assert [batch.covers.start.month for batch in batches if batch.covers] == [10, 11, 1, 2, 3, 4]
        assert source_id in appointments(batches)

    def test_two_months_in_a_row_that_fail_hide_no_other(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        stage.book(AT_NINE)
        for day in ("2026-11-30", "2026-12-31"):
            stage.server.faults.add(faults.status(500), match=begins_on(day), times=None)
        batches: list[Batch] = []
        with pytest.raises(Unavailable):
            batches.extend(batch for batch in source.within(WINDOW))
        assert [batch.covers.start.month for batch in batches if batch.covers] == [10, 11, 4, 2, 3]

    def test_a_closed_door_ends_the_listing_at_once(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        stage.server.faults.add(faults.status(403), match=begins_on("2026-11-30"), times=None)
        with pytest.raises(NotAuthorised):
            list(source.within(WINDOW))
