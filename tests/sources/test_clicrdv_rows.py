"""What ClicRDV's rows say, member by member."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calferry.model import Appointment, Batch, Contact, Deletion, Found, Quarantined, Status
from calferry.sandbox import faults
from calferry.sandbox.clicrdv import ClicrdvServer
from calferry.sources.clicrdv import ClicrdvSource
from calferry.sources.clicrdv.directory import service_of
from calferry.sources.clicrdv.rows import contact_of, fields_of_customer
from tests.contracts.source import AT_NINE, WINDOW, appointments
from tests.sources.clicrdv import EMAIL, KEY, PASSWORD, ClicrdvStage, changes, cursor_of


@pytest.fixture
def stage() -> Iterator[ClicrdvStage]:
    with ClicrdvServer(api_key=KEY, email=EMAIL, password=PASSWORD) as server:
        yield ClicrdvStage(server)
        assert server.crashes == []


@pytest.fixture(scope="module")
def quiet() -> Iterator[ClicrdvSource]:
    """A source for rows that come from nowhere."""
    with ClicrdvServer(api_key=KEY, email=EMAIL, password=PASSWORD) as server:
        yield ClicrdvStage(server).connect()


def told(stage: ClicrdvStage, **options: Any) -> list[Batch]:
    return list(stage.connect(**options).within(WINDOW))


def set_aside(batches: list[Batch]) -> dict[str, str]:
    return {row.source_id: row.reason for batch in batches for row in batch.quarantined}


class TestWhatIsAnAppointment:
    @pytest.mark.parametrize(
        ("members", "why"),
        [
            ({"note": True, "minutes": 0}, "note"),
            ({"note": True, "fiche": "", "intervention": ""}, "note"),
            ({"type": "VfreebusyEvent"}, "opening hours"),
            ({"type": "VfreebusyEvent", "fiche": "", "intervention": ""}, "opening hours"),
        ],
        ids=str,
    )
    def test_what_is_nobodys_appointment_is_not_carried(
        self, stage: ClicrdvStage, members: dict[str, Any], why: str
    ) -> None:
        """It says why: an appointment that turned into one of these leaves its calendar."""
        source_id = stage.book(AT_NINE, **members)
        batches = told(stage)
        assert appointments(batches) == {}
        assert [(one.source_id, why in one.evidence) for batch in batches for one in batch.deleted] == [
            (source_id, True)
        ]

    def test_blocks_are_busy_time_of_their_own_kind_for_routes_to_choose(self, stage: ClicrdvStage) -> None:
        block = stage.book(AT_NINE, fiche="", intervention="", text="Lunch")
        note = stage.book(AT_NINE, note=True, fiche="", intervention="")
        hours = stage.book(AT_NINE, type="VfreebusyEvent")
        booked = stage.book(AT_NINE)
        batches = told(stage)
        rows = appointments(batches)
        assert rows.keys() == {block, booked}
        assert {one.source_id for batch in batches for one in batch.deleted} == {note, hours}
        assert (rows[block].kind, rows[block].service, rows[block].summary) == ("block", "", "Lunch")
        assert rows[block].uses == (f"staff/{stage.calendar}", "company/4")
        assert rows[booked].kind == "appointment"

    def test_an_appointment_that_turns_into_a_block_is_no_deletion(self, stage: ClicrdvStage) -> None:
        """Nothing was deleted: it is the route that no longer carries it, and the brakes that judge by how many."""
        source_id = stage.book(AT_NINE)
        source = stage.connect()
        cursor = cursor_of(changes(source))
        stage.server.world.change(source_id, fiche="", intervention="")
        batches = changes(source, cursor)
        assert [batch.deleted for batch in batches if batch.deleted] == []
        assert [(row.source_id, row.kind) for row in appointments(batches).values()] == [(source_id, "block")]

    def test_a_block_names_no_customer_whatever_the_row_holds(self, stage: ClicrdvStage) -> None:
        source_id = stage.book(AT_NINE, fiche="", intervention="")
        stage.rewrite(lambda row: row | {"fiche": {"id": 0, "firstname": "Zoé", "lastname": "Sample"}})
        row = appointments(told(stage))[source_id]
        assert (row.kind, row.contact) == ("block", Contact())

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            ({"fiche_id": 0}, "no customer"),
            ({"intervention_id": 0}, "no service"),
            ({"fiche_id": None, "intervention_id": None}, "does not say"),
            ({"fiche_id": ...}, "does not say"),
            ({"intervention_id": ...}, "does not say"),
            ({"fiche_id": ..., "fiche": {}, "intervention_id": ..., "intervention_ids": []}, "does not say"),
            ({"calendar_id": ...}, "whose calendar"),
            ({"start": "soon"}, "start"),
            ({"start": None}, "start"),
            ({"end": "later"}, "end"),
        ],
        ids=str,
    )
    def test_what_cannot_be_read_is_set_aside_with_its_reason(
        self, stage: ClicrdvStage, change: dict[str, Any], why: str
    ) -> None:
        """Members that are missing (…) delete nothing: one malformed listing must not empty a calendar."""
        source_id, sound = stage.book(AT_NINE), stage.book(AT_NINE)

        def changed(row: dict[str, Any]) -> dict[str, Any]:
            if str(row.get("id")) != source_id:
                return row
            return {name: part for name, part in (row | change).items() if part is not ...}

        stage.rewrite(changed)
        batches = told(stage)
        assert appointments(batches).keys() == {sound}
        assert [batch.deleted for batch in batches if batch.deleted] == []
        assert why in set_aside(batches)[source_id]
        assert "Sample" not in set_aside(batches)[source_id]
        answer = stage.connect().look_up(source_id)
        assert isinstance(answer, Found)
        assert [row.source_id for row in answer.batch.quarantined] == [source_id]

    @pytest.mark.parametrize("feed", ["vevents", "appointments"])
    def test_a_row_whose_end_is_null_is_listed_and_lasts_as_long_as_its_service(
        self, stage: ClicrdvStage, feed: str
    ) -> None:
        stage.feed = feed
        source_id = stage.book(AT_NINE, minutes=90)
        stage.server.switches.open_ends.add(source_id)
        for batches in (told(stage), changes(stage.connect())):
            row = appointments(batches)[source_id]
            assert (row.end - row.start).total_seconds() == 30 * 60

    def test_a_row_without_an_end_lasts_as_long_as_its_service(self, stage: ClicrdvStage) -> None:
        source_id = stage.book(AT_NINE, minutes=90)
        stage.rewrite(lambda row: {name: part for name, part in row.items() if name != "end"})
        row = appointments(told(stage))[source_id]
        assert (row.end - row.start).total_seconds() == 30 * 60


class TestWhatItSays:
    def test_an_appointment_has_all_that_the_row_and_its_directory_tell(self, stage: ClicrdvStage) -> None:
        stage.server.world.entries["calendars"][stage.calendar].members |= {
            "address": "2 rue Exemple",
            "zipcode": "75000",
            "city": "Paris",
        }
        source_id = stage.book(AT_NINE, text="Sample Zoé", comments="Bring the X-rays")
        row = appointments(told(stage))[source_id]
        assert row.source == "clicrdv:4"
        assert (row.summary, row.description) == ("Sample Zoé", "Bring the X-rays")
        assert (row.service, row.price) == ("Consultation", "35.50")
        assert row.location == "2 rue Exemple, 75000 Paris"
        assert [owner.key for owner in row.owners] == [stage.calendar]
        assert row.uses == (
            f"staff/{stage.calendar}",
            f"service/{stage.service}",
            f"customer/{stage.fiche}",
            "company/4",
        )

    def test_the_customer_is_in_the_row_where_it_is_embedded(self, stage: ClicrdvStage) -> None:
        source_id = stage.book(AT_NINE)
        assert appointments(told(stage))[source_id].contact == Contact()
        stage.server.switches.embed_fiche = True
        assert appointments(told(stage))[source_id].contact == Contact(
            first_name="Zoé", last_name="Sample", email="zoe@customer.example", phone="+33 1 00 00 00 00"
        )

    @pytest.mark.parametrize(
        ("state", "said"),
        [(0, "in progress"), (1, "came"), (2, "not came"), (3, "pending"), ("1", "came"), (9, "9"), (None, "")],
    )
    def test_each_state_says_whether_the_customer_came_and_cancels_nothing(
        self, stage: ClicrdvStage, state: Any, said: str
    ) -> None:
        source_id = stage.book(AT_NINE)
        stage.rewrite(lambda row: row | {"state": state})
        row = appointments(told(stage))[source_id]
        assert (row.said, row.status) == (said, Status.CONFIRMED)

    def test_several_services_in_one_appointment_are_all_named(self, stage: ClicrdvStage) -> None:
        other = stage.server.world.add("interventions", "4", "Radio", length=15, price=1000)
        stage.feed = "appointments"
        source_id = stage.book(AT_NINE)
        stage.rewrite(lambda row: row | {"intervention_ids": [int(stage.service), int(other), int(other)]})
        row = appointments(told(stage))[source_id]
        assert (row.service, row.price) == ("Consultation, Radio", "")
        assert [one for one in row.uses if one.startswith("service/")] == [
            f"service/{stage.service}",
            f"service/{other}",
        ]

    def test_a_bare_appointment_is_one_all_the_same(self, stage: ClicrdvStage) -> None:
        stage.feed = "appointments"
        stage.server.switches.appointment_members = "bare"
        source_id = stage.book(AT_NINE)
        row = appointments(told(stage))[source_id]
        assert (row.owners, row.kind, row.contact.name) == ((), "appointment", "Zoé Sample")
        assert row.uses == (f"customer/{stage.fiche}", "company/4")

    def test_ids_as_texts_are_the_same_ids(self, stage: ClicrdvStage) -> None:
        stage.book(AT_NINE)
        plain = appointments(told(stage)), stage.connect().resources().resources
        stage.server.switches.text_ids = True
        assert (appointments(told(stage)), stage.connect().resources().resources) == plain

    def test_a_reassigned_appointment_keeps_its_id(self, stage: ClicrdvStage) -> None:
        source_id = stage.book(AT_NINE)
        other = stage.server.world.add("calendars", "4", "Dr Ben Muster")
        stage.server.world.change(source_id, calendar=other)
        assert [owner.key for owner in appointments(told(stage))[source_id].owners] == [other]

    def test_two_at_the_same_time_in_the_same_calendar_are_two(self, stage: ClicrdvStage) -> None:
        booked = {stage.book(AT_NINE), stage.book(AT_NINE)}
        assert appointments(told(stage)).keys() == booked

    def test_what_is_booked_in_a_deleted_calendar_stays(self, stage: ClicrdvStage) -> None:
        source_id = stage.book(AT_NINE)
        stage.server.world.delete_entry("calendars", stage.calendar)
        assert appointments(told(stage)).keys() == {source_id}
        (calendar,) = (one for one in stage.connect().resources().resources if one.kind == "staff")
        assert calendar.fields["deleted"] == "true"


class TestResources:
    def test_resources_have_the_fields_that_rules_and_templates_know(self, stage: ClicrdvStage) -> None:
        source = stage.connect()
        held = {one.kind: dict(one.fields) for one in source.resources().resources}
        held |= {
            one.kind: dict(one.fields) for batch in source.changes("fiches", None, WINDOW) for one in batch.resources
        }
        assert held == {
            "company": {"name": "Cabinet Exemple", "zone": "Europe/Paris", "address": "1 rue Exemple, 75000 Paris"},
            "staff": {"name": "Dr Ana Pérez", "set": "Rez-de-chaussée"},
            "service": {
                "name": "Consultation",
                "minutes": "30",
                "price": "35.50",
                "colour": "#FF6600",
                "set": "Soins",
            },
            "customer": {
                "first_name": "Zoé",
                "last_name": "Sample",
                "email": "zoe@customer.example",
                "phone": "+33 1 00 00 00 00",
            },
        }

    @pytest.mark.parametrize("status", [401, 403, 404, 405, 500])
    @pytest.mark.parametrize(("sets", "kind"), [("calendarsets", "staff"), ("interventionsets", "service")])
    def test_sets_that_cannot_be_listed_are_left_out(
        self, stage: ClicrdvStage, caplog: pytest.LogCaptureFixture, sets: str, kind: str, status: int
    ) -> None:
        whole = {one.key: one for one in stage.connect().resources().resources}
        stage.server.faults.add(faults.status(status), times=None, match=faults.matching(f"/{sets}"))
        told = {one.key: one for one in stage.connect().resources().resources}
        assert {one.kind for key, one in whole.items() if one != told[key]} == {kind}
        assert told.keys() == whole.keys()
        assert f"practice: left out the names of {sets}" in caplog.text

    def test_a_renamed_customer_comes_with_the_next_changes_and_the_others_do_not(self, stage: ClicrdvStage) -> None:
        source = stage.connect()
        stage.server.world.add_fiche("4", "Jo", "Roy")
        cursor = list(source.changes("fiches", None, WINDOW))[-1].cursor
        stage.server.world.change_fiche(stage.fiche, last="Specimen")
        renamed = [one for batch in source.changes("fiches", cursor, WINDOW) for one in batch.resources]
        assert [(one.id, one.fields["last_name"]) for one in renamed] == [(stage.fiche, "Specimen")]

    def test_the_mark_of_a_deleted_customer_is_no_part_of_the_name(self, stage: ClicrdvStage) -> None:
        stage.server.world.change_fiche(stage.fiche, deleted=True)
        (customer,) = (one for batch in stage.connect().changes("fiches", None, WINDOW) for one in batch.resources)
        assert (customer.fields["last_name"], customer.fields["deleted"]) == ("Sample", "true")
        assert contact_of({"lastname": "$Dupont"}).last_name == "Dupont"
        assert fields_of_customer({"lastname": "Dupont", "deleted": 0})["deleted"] == ""

    def test_customers_without_an_id_are_counted_and_not_asked_for_as_appointments(self, stage: ClicrdvStage) -> None:
        stage.feed = "fiches"
        stage.rewrite(lambda row: row | {"id": None})
        stage.feed = "vevents"
        (batch,) = (one for one in stage.connect().changes("fiches", None, WINDOW) if one.quarantined)
        assert [(row.source_id, row.reason) for row in batch.quarantined] == [("", "1 customers without a readable id")]

    @pytest.mark.parametrize(
        ("price", "told"), [(3550, "35.50"), ("5", "0.05"), (0, "0.00"), (None, ""), (-5, ""), ("free", ""), (12.5, "")]
    )
    def test_a_price_comes_in_cents(self, price: Any, told: str) -> None:
        assert service_of({"price": price}).price == told


MEMBERS = (
    *("start", "end", "deleted", "note", "type", "fiche_id", "intervention_id", "intervention_ids", "calendar_id"),
    *("fiche", "text", "comments", "state", "updated_at", "other"),
)
SOUND = {
    "id": 7,
    "start": "2026-12-03 09:00:00",
    "end": "2026-12-03 09:30:00",
    "calendar_id": 3,
    "fiche_id": 1,
    "intervention_id": 2,
}
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text()
    | st.sampled_from(["2026-12-03 09:00:00", "0001-01-01 00:00:00", "9999-12-31 23:59:59", "1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=5,
)


class TestStrangeRows:
    @given(st.dictionaries(st.sampled_from(MEMBERS), VALUES, max_size=4))
    def test_any_row_with_an_id_becomes_one_of_three_things(self, quiet: ClicrdvSource, row: dict[str, Any]) -> None:
        outcome = quiet._read(SOUND | row)
        assert isinstance(outcome, Appointment | Deletion | Quarantined)
        assert outcome.source_id == "7"

    def test_a_row_that_comes_twice_counts_as_it_came_last(self, quiet: ClicrdvSource) -> None:
        batch = quiet._appointments([SOUND | {"deleted": True}, SOUND], datetime.now(UTC))
        assert (len(batch.appointments), batch.deleted) == (1, ())
