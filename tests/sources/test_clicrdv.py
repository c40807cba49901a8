"""ClicRDV: the contract of every source, in both feeds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from calferry.model import Gone, NotFound, Status
from calferry.moments import zone_name
from calferry.ports import Source
from calferry.sandbox.clicrdv import ClicrdvServer
from tests.contracts.source import AT_NINE, CLIENT, WINDOW, ZONE, SourceContract, Stage, appointments, first_pass
from tests.sources.clicrdv import EMAIL, KEY, PASSWORD, ClicrdvStage


def staged(feed: str) -> Iterator[ClicrdvStage]:
    with ClicrdvServer(api_key=KEY, email=EMAIL, password=PASSWORD) as server:
        yield ClicrdvStage(server, feed)
        assert server.crashes == []


class ClicrdvContract(SourceContract):
    """Two sentences of the contract read differently here: customers come in a stream of their own, and who cancels an
    appointment deletes it."""

    def test_an_appointment_says_when_for_whom_and_by_whom(self, stage: Stage, source: Source) -> None:
        source_id = stage.book(AT_NINE, minutes=45)
        row = appointments(source.within(WINDOW))[source_id]
        assert (row.source, row.status) == (source.key, Status.CONFIRMED)
        assert (row.start, zone_name(row.start)) == (AT_NINE.replace(tzinfo=ZONE), "Europe/Paris")
        assert row.end - row.start == timedelta(minutes=45)
        assert [owner.key for owner in row.owners]
        assert row.service == "Consultation"
        (customer,) = (one for batch in source.changes("fiches", None, WINDOW) for one in batch.resources)
        assert customer.key in row.uses
        assert f"{customer.fields['first_name']} {customer.fields['last_name']}" == CLIENT

    def test_resources_hold_what_appointments_refer_to(self, stage: Stage, source: Source) -> None:
        source_id = stage.book(AT_NINE)
        uses = set(appointments(source.within(WINDOW))[source_id].uses)
        held = {one.key: one for one in source.resources().resources}
        held |= {one.key: one for batch in source.changes("fiches", None, WINDOW) for one in batch.resources}
        assert {key.partition("/")[0] for key in uses} == {"staff", "service", "customer", "company"}
        assert uses <= held.keys()
        assert any(held[key].fields.get("email") for key in uses)

    def test_a_cancelled_appointment_is_a_status_and_not_an_absence(self, stage: Stage, source: Source) -> None:
        """It is a deletion in so many words, and not an absence."""
        source_id = stage.book(AT_NINE)
        stage.cancel(source_id)
        assert isinstance(source.look_up(source_id), Gone | NotFound)


class TestVevents(ClicrdvContract):
    @pytest.fixture
    def stage(self) -> Iterator[ClicrdvStage]:
        yield from staged("vevents")


class TestAppointments(ClicrdvContract):
    """The feed of bookers: what is cancelled leaves it without a word."""

    @pytest.fixture
    def stage(self) -> Iterator[ClicrdvStage]:
        yield from staged("appointments")

    def test_a_deleted_appointment_is_a_deletion_with_its_evidence(self, stage: Stage, source: Source) -> None:
        """Here the evidence is a definite not-found, which needs the engine's control."""
        source_id = stage.book(AT_NINE)
        cursor = first_pass(source)
        stage.delete(source_id)
        assert source_id not in appointments(source.changes(source.streams[0], cursor, WINDOW))
        assert source_id not in appointments(source.within(WINDOW))
        assert isinstance(source.look_up(source_id), NotFound)
