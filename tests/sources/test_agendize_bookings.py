"""What Agendize can book beside a service with a member of staff, and what it tells of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from calferry.errors import CursorExpired, Unavailable
from calferry.model import Found, Owner, Status, Window
from calferry.ports import Cautious
from calferry.sandbox import faults
from calferry.sandbox.agendize import AgendizeServer
from calferry.sources.agendize import AgendizeSource
from tests.contracts.source import AT_NINE, WINDOW, appointments, first_pass
from tests.sources.agendize import COMPANY, KEY, TOKEN, AgendizeStage

DECEMBER = Window(datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
STREAM = "appointments"


@pytest.fixture
def stage() -> Iterator[AgendizeStage]:
    with AgendizeServer(api_key=KEY, token=TOKEN) as server:
        yield AgendizeStage(server)
        assert server.crashes == []


@pytest.fixture
def source(stage: AgendizeStage) -> AgendizeSource:
    return stage.connect()


class TestResources:
    def test_a_booking_of_a_resource_alone_has_no_owner_and_lasts_as_it_says(
        self, stage: AgendizeStage, source: AgendizeSource
    ) -> None:
        court = stage.server.world.add_bookable(COMPANY, "Court 2", 45)
        source_id = stage.book(AT_NINE, staff="", service="", resources=(court,))
        row = appointments(source.within(DECEMBER))[source_id]
        assert (row.service, row.owners, row.uses) == ("Court 2", (), (f"company/{COMPANY}",))

    def test_with_owners_by_resource_they_are_listed_and_each_owns_its_bookings(self, stage: AgendizeStage) -> None:
        world = stage.server.world
        court = world.add_bookable(COMPANY, "Court 2", 45)
        laser, room = (world.add_bookable(COMPANY, name, beside=True) for name in ("Laser", "Room"))
        source = stage.connect(owners="resources")
        alone = stage.book(AT_NINE, staff="", service="", resources=(court,))
        beside, neither = stage.book(AT_NINE, resources=(laser, room)), stage.book(AT_NINE)
        told = appointments(source.within(DECEMBER))
        assert told[alone].owners == (Owner(key=court, name="Court 2"),)
        assert [owner.key for owner in told[beside].owners] == [laser, room]
        assert [owner.key for owner in told[neither].owners] == [stage.staff]
        held = {resource.key for resource in source.resources().resources}
        assert {use for row in told.values() for use in row.uses} <= held

    def test_a_renamed_resource_is_known_by_its_new_name(self, stage: AgendizeStage) -> None:
        court = stage.server.world.add_bookable(COMPANY, "Court 2", 45)
        source = stage.connect(owners="resources")
        stage.server.world.rename_bookable(court, "Court Suzanne")
        held = {resource.key: resource.fields for resource in source.resources().resources}
        assert held[f"resource/{court}"] == {"name": "Court Suzanne", "minutes": "45"}

    def test_without_an_end_it_lasts_as_long_as_its_resource(self, stage: AgendizeStage) -> None:
        court = stage.server.world.add_bookable(COMPANY, "Court 2", 45)
        source_id = stage.book(AT_NINE, staff="", service="", resources=(court,))
        stage.rewrite(lambda row: {name: part for name, part in row.items() if name != "end"})
        row = appointments(stage.connect(owners="resources").within(DECEMBER))[source_id]
        assert row.end - row.start == timedelta(minutes=45)

    def test_a_company_that_knows_no_such_lists_has_no_such_resources(self, stage: AgendizeStage) -> None:
        stage.server.switches.resource_lists = "missing"
        kinds = {resource.kind for resource in stage.connect(owners="resources").resources().resources}
        assert kinds == {"company", "staff", "service"}

    def test_a_list_of_resources_that_fails_is_not_an_empty_one(self, stage: AgendizeStage) -> None:
        stage.server.faults.add(faults.no_items(), match=faults.matching("/serviceResources"))
        with pytest.raises(Unavailable):
            stage.connect(owners="resources").resources()

    def test_a_cursor_of_other_owners_is_expired_in_both_directions(self, stage: AgendizeStage) -> None:
        by_staff, by_resource = stage.connect(), stage.connect(owners="resources")
        for former, now in ((by_staff, by_resource), (by_resource, by_staff)):
            with pytest.raises(CursorExpired, match="read anew"):
                list(now.changes(STREAM, first_pass(former), WINDOW))

    def test_another_room_is_another_owner_in_the_next_delta(self, stage: AgendizeStage) -> None:
        world = stage.server.world
        laser, room = (world.add_bookable(COMPANY, name, beside=True) for name in ("Laser", "Room"))
        source = stage.connect(owners="resources")
        source_id = stage.book(AT_NINE, resources=(laser,))
        cursor = first_pass(source)
        world.rebook(source_id, room)
        row = appointments(source.changes(STREAM, cursor, WINDOW))[source_id]
        assert [owner.key for owner in row.owners] == [room]


class TestPersonalAppointments:
    def test_they_are_asked_for_in_listings_and_deltas(self, stage: AgendizeStage, source: AgendizeSource) -> None:
        list(source.changes(STREAM, first_pass(source), WINDOW))
        list(source.within(DECEMBER))
        assert [query.get("personalAppointments") for query in stage.asked("/appointments")] == ["true"] * 3

    @pytest.mark.parametrize("meta_event", [False, True])
    def test_they_are_appointments_of_their_own_kind_without_a_client(
        self, stage: AgendizeStage, source: AgendizeSource, meta_event: bool
    ) -> None:
        source_id = stage.book(AT_NINE, type="personal", meta_event=meta_event)
        row = appointments(source.within(DECEMBER))[source_id]
        assert (row.kind, row.contact.name, [owner.key for owner in row.owners]) == ("personal", "", [stage.staff])
        assert isinstance(source.look_up(source_id), Found)

    def test_a_booking_that_becomes_the_staffs_own_time_is_no_deletion(
        self, stage: AgendizeStage, source: AgendizeSource
    ) -> None:
        source_id = stage.book(AT_NINE)
        stage.rewrite(lambda row: row | {"type": "Personal"})
        (batch,) = source.within(DECEMBER)
        assert not batch.deleted
        assert appointments([batch]).keys() == {source_id}


class TestWhatARowTells:
    @pytest.mark.parametrize(
        ("location", "more", "told"),
        [
            ("companyAddress", {}, ("", "")),
            ("videoconference", {"video_link": "https://meet.example/1"}, ("", "https://meet.example/1")),
            ("videoconference", {}, ("videoconference", "")),
            ("phone", {}, ("phone", "")),
            ("custom", {"custom": "12 rue de l’Exemple"}, ("12 rue de l’Exemple", "")),
        ],
    )
    def test_a_place_is_an_address_a_link_or_a_word(
        self, stage: AgendizeStage, source: AgendizeSource, location: str, more: dict[str, str], told: tuple[str, str]
    ) -> None:
        source_id = stage.book(AT_NINE)
        stage.server.world.place(source_id, location, **more)
        row = appointments(source.within(DECEMBER))[source_id]
        assert (row.location, row.url) == told

    def test_the_companys_address_and_the_services_price_are_in_their_resources(
        self, stage: AgendizeStage, source: AgendizeSource
    ) -> None:
        world = stage.server.world
        world.add_company(COMPANY, "Salon", "Europe/Paris", address="1 rue de l’Exemple", currency="EUR")
        massage = world.add_service(COMPANY, "Massage", 60, 45.5)
        source_id = stage.book(AT_NINE, service=massage)
        held = {resource.key: resource.fields for resource in source.resources().resources}
        assert held[f"company/{COMPANY}"]["address"] == "1 rue de l’Exemple"
        assert held[f"service/{massage}"]["price"] == "45.50 EUR"
        assert appointments(source.within(DECEMBER))[source_id].price == "45.50 EUR"

    @pytest.mark.parametrize("omitted", [False, True])
    def test_a_custom_status_is_told_whether_it_stands_beside_the_native_one_or_alone(
        self, stage: AgendizeStage, source: AgendizeSource, omitted: bool
    ) -> None:
        source_id = stage.book(AT_NINE)
        cursor = first_pass(source)
        stage.server.switches.omit_status = omitted
        stage.server.world.set_custom_status(source_id, "12", "Arrivée")
        row = appointments(source.changes(STREAM, cursor, WINDOW))[source_id]
        assert (row.custom_status, row.status) == ("Arrivée", Status.CONFIRMED)
        assert row.said == ("" if omitted else "accepted")

    def test_a_group_session_is_one_appointment_a_row_of_a_kind_that_routes_can_filter(
        self, stage: AgendizeStage, source: AgendizeSource
    ) -> None:
        session, ordinary = stage.book(AT_NINE, meta_event=True), stage.book(AT_NINE)
        told = appointments(source.within(DECEMBER))
        assert (told[session].kind, told[ordinary].kind) == ("meta-event", "normal")


class TestRescheduleLinks:
    @pytest.mark.parametrize("objects", [False, True])
    def test_one_that_is_always_the_same_is_told_when_wanted(self, stage: AgendizeStage, objects: bool) -> None:
        switches = stage.server.switches
        switches.stable_links, switches.link_objects = True, objects
        source_id = stage.book(AT_NINE, notes="Ring twice")
        plain = appointments(stage.connect().within(DECEMBER))[source_id]
        linked = appointments(stage.connect(reschedule_link=True).within(DECEMBER))[source_id]
        assert plain.reschedule_url == ""
        assert linked.reschedule_url.startswith("https://booking.example/reschedule?id=")
        assert plain.description == linked.description == "Ring twice"

    def test_one_that_is_signed_anew_at_every_reading_is_left_out_and_rewrites_nothing(
        self, stage: AgendizeStage
    ) -> None:
        for _ in range(3):
            stage.book(AT_NINE)
        source = stage.connect(reschedule_link=True)
        first, second = (appointments(source.within(DECEMBER)) for _ in range(2))
        assert first == second
        assert {row.reschedule_url for row in first.values()} == {""}
        assert sum("/appointments/" in exchange.path for exchange in stage.server.log) == 1

    @pytest.mark.parametrize("status", [404, 500, 403])
    def test_one_that_cannot_be_read_again_is_left_out_until_it_can_and_stops_no_appointment(
        self, stage: AgendizeStage, status: int
    ) -> None:
        stage.server.switches.stable_links = True
        booked = {stage.book(AT_NINE) for _ in range(3)}
        stage.server.faults.add(faults.status(status), times=None, match=faults.matching("/appointments/"))
        source = stage.connect(reschedule_link=True)
        told = appointments(source.within(DECEMBER))
        assert told.keys() == booked
        assert {row.reschedule_url for row in told.values()} == {""}
        stage.server.faults.clear()
        told = appointments(source.within(DECEMBER))
        assert all("https://booking.example/" in row.reschedule_url for row in told.values())
        assert isinstance(source.look_up(min(booked)), Found)


class TestCautions:
    def test_appointments_that_agendize_has_written_itself_are_counted_and_carried_all_the_same(
        self, stage: AgendizeStage, source: AgendizeSource
    ) -> None:
        tomorrow = datetime.now(UTC).replace(tzinfo=None, microsecond=0) + timedelta(days=1)
        booked = [stage.book(tomorrow), stage.book(tomorrow)]
        assert isinstance(source, Cautious)
        assert list(source.cautions()) == []
        stage.server.switches.google_synchronization = True
        (caution,) = source.cautions()
        assert "2 of the 2 appointments of the next 14 days" in caution
        assert "synchronization.googleCalendar" in caution
        around = Window(datetime.now(UTC), datetime.now(UTC) + timedelta(days=3))
        told = appointments(source.within(around))
        assert {one: row.elsewhere for one, row in told.items()} == dict.fromkeys(booked, ())

    def test_where_calferry_stands_aside_their_events_are_told_and_nothing_is_warned_of(
        self, stage: AgendizeStage
    ) -> None:
        tomorrow = datetime.now(UTC).replace(tzinfo=None, microsecond=0) + timedelta(days=1)
        booked = stage.book(tomorrow)
        stage.server.switches.google_synchronization = True
        source = stage.connect(stand_aside=True)
        around = Window(datetime.now(UTC), datetime.now(UTC) + timedelta(days=3))
        assert appointments(source.within(around))[booked].elsewhere == (("google", f"agendize{booked}"),)
        assert list(source.cautions()) == []
