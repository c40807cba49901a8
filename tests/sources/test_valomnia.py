"""Valomnia: the contract of every source, and what a pull makes of its answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest

from calferry.errors import NotAuthorised
from calferry.model import Batch, Status
from calferry.sandbox import faults
from calferry.sandbox.valomnia import cut_short, emptied, halved
from calferry.sandbox.valomnia.faults import rewritten
from calferry.sources.valomnia import ValomniaSource
from calferry.store import open_ledger
from calferry.sync.installation import Account, Rhythm, Tally, Watch
from calferry.sync.pull import pull
from tests.contracts.source import AT_NINE, WINDOW, SourceContract, appointments, first_pass
from tests.sources.valomnia import STREAM, ServerClock, ValomniaStage, WallClock, delta, hours_ago, open_stage


@pytest.fixture
def stage() -> Iterator[ValomniaStage]:
    with open_stage() as stage:
        yield stage


@pytest.fixture
def source(stage: ValomniaStage) -> ValomniaSource:
    return stage.connect()


class TestContract(SourceContract):
    """Every answer of Valomnia is one of the whole truth, or none."""


class TestStatus:
    def test_being_done_is_the_only_status_and_takes_nothing_out_of_a_calendar(
        self, stage: ValomniaStage, source: ValomniaSource
    ) -> None:
        source_id = stage.book(AT_NINE)
        cursor = first_pass(source)
        stage.server.world.finish(source_id)
        for batches in (source.changes(STREAM, cursor, WINDOW), source.within(WINDOW)):
            row = appointments(batches)[source_id]
            assert (row.status, row.said) == (Status.CONFIRMED, "done")


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
        cursor = hours_ago(told[-1].cursor, 2)
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
        assert self.names(delta(source, hours_ago(people, 1), "customers")) == {"New"}
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
        account = Account(source=source, rhythm=self.RHYTHM, routes=(), basis="none", edition="1")
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

    def test_a_role_that_may_not_list_contacts_hides_no_deletion(
        self, stage: ValomniaStage, passes: Callable[[], Tally], soon: datetime
    ) -> None:
        gone, _control = stage.book(soon), stage.book(soon + timedelta(hours=1))
        stage.server.faults.add(faults.status(403), match=faults.matching("/contacts"), times=None)
        assert [type(error) for error in passes().errors] == [NotAuthorised]
        stage.delete(gone)
        tally = passes()
        assert (tally["deleted"], [type(error) for error in tally.errors]) == (1, [NotAuthorised])

    @pytest.mark.parametrize("answer", ["server_error", "500", "503", "403", "404"])
    def test_an_appointment_that_is_never_answered_for_hides_neither_news_nor_deletions(
        self,
        stage: ValomniaStage,
        passes: Callable[[], Tally],
        soon: datetime,
        answer: Literal["server_error", "500", "503", "403", "404"],
    ) -> None:
        gone, _control = stage.book(soon), stage.book(soon + timedelta(hours=1))
        passes()
        stage.server.switches.mute, stage.server.switches.mute_answer = {stage.book(soon)}, answer
        stage.book(soon)
        stage.delete(gone)
        tally = passes()
        assert (tally["new"], tally["quarantined"], tally["deleted"]) == (1, 2, 1)

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
