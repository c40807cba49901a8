"""Valomnia: the contract of every source, and what its documents leave to fear."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from calferry.errors import CursorExpired
from calferry.model import Cursor, NotFound, Status
from calferry.sources.valomnia import ValomniaSource
from tests.contracts.source import AT_NINE, WINDOW, SourceContract, appointments, first_pass, rows
from tests.sources.valomnia import ServerClock, ValomniaStage, stage_on

STREAM = "appointments"


@pytest.fixture
def stage() -> Iterator[ValomniaStage]:
    stage = stage_on(ServerClock())
    with stage.server as server:
        yield stage
        assert server.crashes == []


@pytest.fixture
def source(stage: ValomniaStage) -> ValomniaSource:
    return stage.connect()


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
