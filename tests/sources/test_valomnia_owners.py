"""Whose an appointment is: Valomnia's listings do not say."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Literal

import pytest

from calferry.errors import CursorExpired, NotAuthorised, Unavailable
from calferry.model import Batch, Cursor
from calferry.sandbox import faults
from calferry.sandbox.faults import Fault
from calferry.sandbox.messages import Response
from calferry.sources.valomnia import ValomniaSource
from calferry.sources.valomnia.session import Unusable
from tests.contracts.source import AT_NINE, WINDOW, appointments, first_pass, rows
from tests.sources.valomnia import STREAM, ValomniaStage, delta, let_pass, open_stage, owners

Answer = Literal["server_error", "500", "503", "403", "404"]
PAGES: list[Answer] = ["500", "503", "403", "404"]


@pytest.fixture
def stage() -> Iterator[ValomniaStage]:
    with open_stage() as stage:
        yield stage


@pytest.fixture
def source(stage: ValomniaStage) -> ValomniaSource:
    return stage.connect()


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
        let_pass(stage, timedelta(hours=1))
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
        """Where the filter finds more than it was asked for, each appointment is asked for by its id, once."""
        stage.server.switches.employee_filter = reading
        booked = self.team(stage)
        assert owners(list(source.changes(STREAM, None, WINDOW))) == booked
        assert len(set(stage.shows())) == {"exact": 12 + 4 * 2, "prefix": 5 * 12}[reading]
        assert owners(list(stage.connect().within(WINDOW))) == booked
        assert "rep*" not in {one.get("employeeReference") for one in stage.asked("/appointments")}

    @pytest.mark.parametrize("reading", ["exact", "prefix"])
    @pytest.mark.parametrize("whose", ["shared", "unlisted", "like a pattern"])
    def test_a_reference_that_begins_alike_gives_nobody_a_colleagues_appointments(
        self,
        stage: ValomniaStage,
        source: ValomniaSource,
        reading: Literal["exact", "prefix"],
        whose: Literal["shared", "unlisted", "like a pattern"],
    ) -> None:
        """No list speaks for the colleague, whose appointments lie between the first and the last of somebody else."""
        stage.server.switches.employee_filter = reading
        world = stage.server.world
        ben = world.add_employee(
            "Ben", "Muster", "ben@acme.example", "emp1*0" if whose == "like a pattern" else "emp10"
        )
        if whose == "shared":
            world.add_employee("Bea", "Muster", "bea@acme.example", "emp10")
        elif whose == "unlisted":
            stage.server.switches.unlisted_users = {ben}
        booked = {stage.book(AT_NINE, user=user): [user] for user in (stage.user, *[ben] * 12, stage.user)}
        let_pass(stage, timedelta(hours=1))
        assert owners(list(source.changes(STREAM, None, WINDOW))) == booked
        assert owners(list(source.within(WINDOW))) == booked

    def test_lists_never_overrule_what_an_appointment_said_itself(
        self, stage: ValomniaStage, source: ValomniaSource
    ) -> None:
        """An employee's former login keeps its appointments, and is in no listing: nothing tells the two apart."""
        stage.server.switches.employee_filter = "exact"
        former = stage.server.world.add_employee("Ana", "Pérez", "old@acme.example", "emp1")
        stage.server.switches.unlisted_users = {former}
        cursor = first_pass(source)
        booked = {stage.book(AT_NINE, user=user): [user] for user in (stage.user, *[former] * 12, stage.user)}
        assert owners(delta(source, cursor)) == booked
        let_pass(stage, timedelta(hours=1))
        assert owners(list(source.within(WINDOW))) == booked

    def test_lists_that_a_sample_contradicts_are_not_believed(
        self, stage: ValomniaStage, source: ValomniaSource, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Appointments of a former login of the same employee, which is in no listing of users."""
        stage.server.switches.employee_filter = "exact"
        former = stage.server.world.add_employee("Ana", "Pérez", "old@acme.example", "emp1")
        stage.server.switches.unlisted_users = {former}
        booked = {stage.book(AT_NINE, user=user): [user] for user in (stage.user, former) * 6}
        let_pass(stage, timedelta(hours=1))
        with caplog.at_level(logging.WARNING):
            assert owners(list(source.changes(STREAM, None, WINDOW))) == booked
        assert "is not theirs" in caplog.text

    def test_lists_are_believed_only_where_parts_of_a_reference_find_nothing(
        self, stage: ValomniaStage, source: ValomniaSource
    ) -> None:
        """A reference of one letter has no part to ask for, so nothing is concluded."""
        stage.server.switches.employee_filter = "exact"
        ida = stage.server.world.add_employee("Ida", "Muster", "ida@acme.example", "7")
        booked = {stage.book(AT_NINE, user=ida): [ida] for _ in range(12)}
        let_pass(stage, timedelta(hours=1))
        assert owners(list(source.changes(STREAM, None, WINDOW))) == booked
        assert len(stage.shows()) == len(booked)

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

    def test_an_assignee_that_changes_between_two_listings_is_not_the_one_of_the_first(
        self, stage: ValomniaStage, source: ValomniaSource
    ) -> None:
        """The list of an employee is older than the listing it completes."""
        stage.server.switches.employee_filter = "exact"
        booked = self.team(stage)
        moved, other = list(booked)[1], stage.user
        stage.server.on_request = lambda moment, request: (
            stage.server.world.reassign(moved, other)
            if moment == "before" and request.one("sort") == "lastUpdated" and request.one("order") == "asc"
            else None
        )
        told = list(source.changes(STREAM, None, WINDOW))
        assert owners(told) == booked | {moved: [other]}

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


class TestSilence:
    """Appointments that are listed, and about which Valomnia says nothing when they are asked for by their id."""

    @pytest.mark.parametrize(("answer", "how_many"), [("server_error", 5), *((page, 2) for page in PAGES)])
    def test_one_appointment_that_cannot_be_asked_for_stops_no_other(
        self, stage: ValomniaStage, source: ValomniaSource, answer: Answer, how_many: int
    ) -> None:
        cursor = first_pass(source)
        mute = {stage.book(AT_NINE) for _ in range(how_many)}
        sound = stage.book(AT_NINE)
        stage.server.switches.mute, stage.server.switches.mute_answer = mute, answer
        for _ in range(3):
            told = delta(source, cursor)
            assert {row.source_id for batch in told for row in batch.quarantined} == mute
            assert appointments(told).keys() == {sound}
            assert told[-1].cursor
            (batch,) = [batch for batch in source.within(WINDOW) if rows([batch])]
            assert batch.covers
            assert {row.source_id for row in batch.quarantined} == mute
            with pytest.raises(Unavailable):
                source.look_up(min(mute))

    @pytest.mark.parametrize("answer", PAGES)
    def test_several_in_a_row_are_an_outage_or_a_closed_door(
        self, stage: ValomniaStage, source: ValomniaSource, answer: Answer
    ) -> None:
        cursor = first_pass(source)
        stage.server.switches.mute = {stage.book(AT_NINE) for _ in range(5)}
        stage.server.switches.mute_answer = answer
        for _ in range(2):
            stage.server.forget_requests()
            with pytest.raises(NotAuthorised if answer == "403" else Unavailable) as raised:
                delta(source, cursor)
            assert not isinstance(raised.value, Unusable)
            assert len(set(stage.shows())) == 3
        stage.server.switches.mute = set()
        assert len(appointments(delta(source, cursor))) == 5

    def test_a_pause_that_was_asked_for_is_kept_at_once(self, stage: ValomniaStage, source: ValomniaSource) -> None:
        cursor = first_pass(source)
        stage.book(AT_NINE)
        stage.book(AT_NINE)
        stage.server.faults.add(faults.status(429, retry_after=3600), match=faults.matching("/appointments/"))
        with pytest.raises(Unavailable) as raised:
            delta(source, cursor)
        assert (raised.value.retry_after, len(stage.shows())) == (3600, 1)

    @pytest.mark.parametrize("status", [401, 403, 500, 503])
    def test_a_login_that_fails_between_two_appointments_is_no_fault_of_theirs(
        self, stage: ValomniaStage, source: ValomniaSource, status: int
    ) -> None:
        """A password that is refused must not be tried again for each appointment."""
        cursor = first_pass(source)
        for _ in range(5):
            stage.book(AT_NINE)
        refusal = Response.of_json({"error": "server_error"}, status)
        login = faults.matching("/j_spring_security_check")
        stage.server.faults.add(Fault("refused", lambda _perform: refusal), match=login, times=None)
        stage.server.switches.session_uses = 4
        logins = len(stage.asked("/j_spring_security_check"))
        with pytest.raises((Unavailable, NotAuthorised)):
            delta(source, cursor)
        assert len(stage.asked("/j_spring_security_check")) == logins + 1


class TestVanished:
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


class TestTheNextProcess:
    """What one process was told of owners, the next one need not ask for again."""

    def carry_on(self, stage: ValomniaStage, cursors: dict[str, Cursor], **options: bool) -> ValomniaSource:
        """A pass in a process of its own, from and to these cursors."""
        source = stage.connect(**options)
        for stream in source.streams:
            keep(cursors, source.changes(stream, cursors.get(stream), WINDOW))
        stage.server.forget_requests()
        return source

    @pytest.mark.parametrize("reading", ["exact", "prefix"])
    def test_a_listing_in_which_nothing_changed_asks_for_no_owner(
        self, stage: ValomniaStage, reading: Literal["exact", "prefix"]
    ) -> None:
        stage.server.switches.employee_filter = reading
        booked = {stage.book(AT_NINE): [stage.user] for _ in range(12)}
        let_pass(stage, timedelta(hours=1))
        cursors: dict[str, Cursor] = {}
        self.carry_on(stage, cursors)
        source = self.carry_on(stage, cursors)
        assert owners(list(source.within(WINDOW))) == booked
        assert stage.shows() == []
        assert not [one for one in stage.asked("/appointments") if "employeeReference" in one]

    def test_what_only_the_listing_was_told_is_kept_with_it(self, stage: ValomniaStage) -> None:
        stage.server.switches.employee_filter = "prefix"
        cursors: dict[str, Cursor] = {}
        self.carry_on(stage, cursors)
        booked = {stage.book(AT_NINE): [stage.user] for _ in range(3)}
        keep(cursors, stage.connect().within(WINDOW))
        del cursors["appointments"]
        source = stage.connect()
        list(source.changes("owners", cursors["owners"], WINDOW))
        stage.server.forget_requests()
        assert owners(list(source.within(WINDOW))) == booked
        assert stage.shows() == []

    def test_what_changed_since_is_asked_for(self, stage: ValomniaStage) -> None:
        rows_booked = [stage.book(AT_NINE) for _ in range(3)]
        cursors: dict[str, Cursor] = {}
        self.carry_on(stage, cursors)
        ben = stage.server.world.add_employee("Ben", "Muster", "ben@acme.example")
        stage.server.world.reassign(rows_booked[0], ben)
        source = stage.connect()
        list(source.changes("owners", cursors["owners"], WINDOW))
        stage.server.forget_requests()
        assert owners(list(source.within(WINDOW)))[rows_booked[0]] == [ben]
        assert stage.shows() == rows_booked[:1]

    def test_a_renamed_category_or_customer_is_no_reason_to_ask_for_owners(self, stage: ValomniaStage) -> None:
        booked = {stage.book(AT_NINE): [stage.user] for _ in range(3)}
        cursors: dict[str, Cursor] = {}
        self.carry_on(stage, cursors)
        stage.server.world.rename_category(stage.category, "Démonstration")
        stage.server.world.rename_customer(stage.customer, "Zoé Autre")
        source = stage.connect()
        list(source.changes("owners", cursors["owners"], WINDOW))
        stage.server.forget_requests()
        told = appointments(list(source.within(WINDOW)))
        assert {key: [owner.key for owner in row.owners] for key, row in told.items()} == booked
        assert {row.service for row in told.values()} == {"Démonstration"}
        assert stage.shows() == []

    def test_a_change_in_silence_is_noticed_by_the_process_that_reads_the_resources(self, stage: ValomniaStage) -> None:
        source_id = stage.book(AT_NINE)
        cursors: dict[str, Cursor] = {}
        self.carry_on(stage, cursors)
        ben = stage.server.world.add_employee("Ben", "Muster", "ben@acme.example")
        stage.server.world.reassign(source_id, ben, silently=True)
        source = stage.connect()
        source.resources()
        keep(cursors, source.changes("owners", cursors["owners"], WINDOW))
        assert cursors["owners"].token == "{}"
        assert owners(list(source.within(WINDOW))) == {source_id: [ben]}

    def test_references_are_not_kept(self, stage: ValomniaStage) -> None:
        """They would be told by the first process, and by no other."""
        source_id = stage.book(AT_NINE)
        cursors: dict[str, Cursor] = {}
        self.carry_on(stage, cursors, references=True)
        source = self.carry_on(stage, cursors, references=True)
        assert "owners" not in cursors
        assert appointments(list(source.within(WINDOW)))[source_id].reference == f"Ref-{source_id}"

    @pytest.mark.parametrize("token", ["", "[]", '{"14":7}', "null"])
    def test_what_cannot_be_read_begins_anew(self, source: ValomniaSource, token: str) -> None:
        with pytest.raises(CursorExpired):
            list(source.changes("owners", Cursor(token), WINDOW))


def keep(cursors: dict[str, Cursor], batches: Iterable[Batch]) -> None:
    """File cursors as the ledger does."""
    for batch in batches:
        if batch.cursor:
            cursors[batch.stream] = batch.cursor
