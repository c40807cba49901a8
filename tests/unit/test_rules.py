from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from calferry.errors import Refused
from calferry.language import Language
from calferry.model import (
    Appointment,
    Contact,
    Event,
    Owner,
    Removal,
    Resource,
    Status,
    Why,
    Window,
)
from calferry.moments import utc, wall_clock
from calferry.presentation import SHOWN, Presentation, Reveal
from calferry.rules import Groups, admits, destinations, unused
from calferry.targets import google
from calferry.template import FIELDS, Template
from tests.builders import ACCOUNT, MORNING, NOW, appointment
from tests.unit.routing import ANA, BOB, STAFF, TO_OWNER, event_of, only, pending, placed, removal_of, routed, showing


class TestPlace:
    def test_an_appointment_goes_into_the_calendar_of_its_owner(self) -> None:
        assert only(routed(pending(appointment())))[0] == ANA

    def test_each_owner_gets_the_appointment(self) -> None:
        both = appointment(owners=(Owner(key="77"), Owner(key="78")))
        assert {calendar for calendar, _, _ in routed(pending(both)).wanted} == {ANA, BOB}

    def test_a_table_of_calendars_is_read_by_key_email_or_name(self) -> None:
        for handle in ("77", "ana@salon.example", "Ana Pérez"):
            route = replace(TO_OWNER, calendar=None, calendars={handle: "room@salon.example"})
            assert only(routed(pending(appointment()), route))[0] == "google:room@salon.example"

    @pytest.mark.parametrize("told", ["reference", "external_id"])
    def test_a_table_of_calendars_is_read_by_the_reference_that_other_programs_know(self, told: str) -> None:
        known = Resource(source=ACCOUNT, kind="staff", id="77", fields={"name": "Ana", told: "emp04"})
        route = replace(TO_OWNER, calendar=None, calendars={"emp04": "room@salon.example"})
        assert (
            only(routed(pending(appointment()), route, resources={"staff/77": known}))[0] == "google:room@salon.example"
        )

    @pytest.mark.parametrize("calendar", [Template("{owner.email}"), Template("ANA@Salon.example"), None])
    def test_an_alias_stands_for_the_calendar_it_is_an_alias_of(self, calendar: Template | None) -> None:
        aliases = {"Ana@salon.example": "room@salon.example"}
        table = {} if calendar else {"77": "ana@salon.example"}
        route = replace(TO_OWNER, calendar=calendar, calendars=table, aliases=aliases)
        assert only(routed(pending(appointment()), route))[0] == "google:room@salon.example"

    def test_the_surest_handle_goes_first(self) -> None:
        everything = {
            "Ana Pérez": "by-name",
            "ana@salon.example": "by-address",
            "emp04": "by-reference",
            "77": "by-key",
        }
        ana = Owner(key="77", name="Ana Pérez", email="ana@salon.example", reference="emp04")
        for way in ("by-key", "by-reference", "by-address", "by-name"):
            route = replace(TO_OWNER, calendar=None, calendars=everything)
            assert next(destinations(route, [ana]))[0] == way
            everything = {handle: calendar for handle, calendar in everything.items() if calendar != way}

    @pytest.mark.parametrize("handle", ["ANA@Salon.example", "ana pérez", unicodedata.normalize("NFD", "Ana Pérez")])
    def test_the_spelling_of_a_handle_makes_no_difference(self, handle: str) -> None:
        route = replace(TO_OWNER, calendar=None, calendars={handle: "room@salon.example"})
        assert only(routed(pending(appointment()), route))[0] == "google:room@salon.example"

    def test_a_calendar_may_be_named_by_the_reference(self) -> None:
        route = replace(TO_OWNER, calendar=Template("{owner.reference}@salon.example"))
        known = Resource(source=ACCOUNT, kind="staff", id="77", fields={"reference": "emp04"})
        found = routed(pending(appointment()), route, resources={"staff/77": known})
        assert only(found)[0] == "google:emp04@salon.example"
        assert "staff 77 has no reference" in routed(pending(appointment()), route).unrouted

    def test_handles_that_are_nobodys_are_told(self) -> None:
        table = {"77": "a", "ANA@salon.example": "b", "78": "c", "Bob": "d"}
        ana = Owner(key="77", email="ana@salon.example")
        assert unused(replace(TO_OWNER, calendar=None, calendars=table), [ana]) == ["78", "Bob"]

    def test_an_appointment_without_an_owner_goes_to_the_otherwise(self) -> None:
        route = replace(TO_OWNER, otherwise="desk@salon.example")
        assert only(routed(pending(appointment(owners=())), route))[0] == "google:desk@salon.example"

    def test_without_an_otherwise_it_is_unrouted_and_says_why(self) -> None:
        result = routed(pending(appointment(owners=())))
        assert not result.wanted
        assert "no owner" in result.unrouted

    def test_an_owner_that_cannot_be_resolved_keeps_the_last_placement_and_raises_an_alarm(self) -> None:
        result = routed(pending(appointment(), placed()), resources={})
        assert not result.wanted
        assert "staff 77 has no email" in result.unrouted

    def test_a_staff_address_outside_allow_is_unrouted(self) -> None:
        result = routed(pending(appointment()), allow=("*@elsewhere.example",))
        assert not result.wanted
        assert "allow" in result.unrouted

    def test_two_routes_into_one_calendar_want_one_event_and_the_first_wins(self) -> None:
        first = showing(replace(TO_OWNER, name="first"), summary=Template("First"))
        second = showing(replace(TO_OWNER, name="second"), summary=Template("Second"))
        assert event_of(routed(pending(appointment()), first, second)).summary == "First"

    def test_the_window_decides_what_is_created(self) -> None:
        late = appointment(start=MORNING + timedelta(days=500))
        result = routed(pending(late))
        assert not result.wanted
        assert result.look_again_at is not None
        assert result.look_again_at > NOW

    def test_an_appointment_looked_at_again_when_it_said_so_is_inside(self) -> None:
        late = appointment(start=MORNING + timedelta(days=500))
        again = routed(pending(late)).look_again_at
        assert again is not None
        moved = Window(again - timedelta(days=30), again + timedelta(days=400))
        assert only(routed(pending(late), window=moved))[0] == ANA

    def test_what_has_a_placement_is_followed_beyond_the_window(self) -> None:
        late = appointment(start=MORNING + timedelta(days=500))
        assert event_of(routed(pending(late, placed()))).start == late.start

    def test_growing_old_deletes_nothing(self) -> None:
        old = appointment(start=MORNING - timedelta(days=900))
        assert event_of(routed(pending(old, placed(), reconfigured=True))).start == old.start

    def test_destinations_say_where_each_of_the_staff_would_go_and_why_not(self) -> None:
        found = list(destinations(TO_OWNER, [Owner(key="77", email="ana@salon.example"), Owner(key="79")]))
        assert [name for name, _ in found] == ["ana@salon.example", "", ""]
        assert all(reason for name, reason in found if not name)


class TestRemoval:
    def test_a_gone_appointment_leaves_with_its_evidence(self) -> None:
        removal = removal_of(routed(pending(appointment(), placed(), deletion="said so", deletion_weak=True)))
        assert (removal.why, removal.evidence, removal.weak) == (Why.GONE, "said so", True)

    @pytest.mark.parametrize("said", ["cancelled", "declined"])
    def test_a_cancelled_appointment_leaves_and_quotes_the_status(self, said: str) -> None:
        removal = removal_of(routed(pending(appointment(status=Status.CANCELLED, said=said), placed())))
        assert (removal.why, removal.weak) == (Why.CANCELLED, False)
        assert said in removal.evidence

    def test_a_cancelled_appointment_that_never_had_a_place_gets_none(self) -> None:
        assert not routed(pending(appointment(status=Status.CANCELLED))).wanted

    def test_a_reassigned_appointment_moves_and_names_where_to(self) -> None:
        result = routed(pending(appointment(owners=(Owner(key="78"),)), placed(ANA)))
        wanted = {calendar: want for (calendar, _, _), want in result.wanted.items()}
        assert isinstance(wanted[BOB], Event)
        removal = wanted[ANA]
        assert isinstance(removal, Removal)
        assert (removal.why, removal.moved_to) == (Why.MOVED, (BOB,))

    def test_what_a_filter_excludes_leaves_on_weak_evidence(self) -> None:
        route = replace(TO_OWNER, where={"service": ("massage*",)})
        removal = removal_of(routed(pending(appointment(), placed()), route))
        assert (removal.why, removal.weak) == (Why.FILTERED, True)

    def test_what_only_the_configuration_excludes_is_reconfigured(self) -> None:
        route = replace(TO_OWNER, where={"service": ("massage*",)})
        removal = removal_of(routed(pending(appointment(), placed(), reconfigured=True), route))
        assert removal.why is Why.RECONFIGURED

    @pytest.mark.parametrize("kind", ["personal", "Personal", "block"])
    @pytest.mark.parametrize("patterns", [None, ("*",), ("**", "normal"), ("normal",)])
    def test_what_nobody_booked_is_carried_by_no_route_that_does_not_name_it(
        self, kind: str, patterns: tuple[str, ...] | None
    ) -> None:
        route = replace(TO_OWNER, where={"kind": patterns} if patterns else {})
        assert not routed(pending(appointment(kind=kind)), route).wanted
        assert not routed(pending(appointment(kind=kind, owners=())), route).unrouted

    @pytest.mark.parametrize("patterns", [("*", "personal"), ("PERSON*",), ("[bp]*",)])
    def test_what_nobody_booked_is_carried_by_a_route_that_names_it(self, patterns: tuple[str, ...]) -> None:
        route = replace(TO_OWNER, where={"kind": patterns})
        assert isinstance(event_of(routed(pending(appointment(kind="personal")), route)), Event)

    def test_what_nobody_booked_and_no_filter_names_any_more_is_reconfigured(self) -> None:
        one = appointment(kind="personal")
        assert removal_of(routed(pending(one, placed(), reconfigured=True))).why is Why.RECONFIGURED

    def test_a_booking_that_becomes_the_staffs_own_time_leaves_on_weak_evidence(self) -> None:
        removal = removal_of(routed(pending(appointment(kind="personal"), placed())))
        assert (removal.why, removal.weak) == (Why.FILTERED, True)

    def test_placements_of_a_route_that_left_the_file_stay(self) -> None:
        assert not routed(pending(appointment(owners=()), placed(route="former"))).wanted

    def test_a_cancelled_appointment_leaves_though_its_route_left_the_file(self) -> None:
        former = placed(route="former")
        assert removal_of(routed(pending(appointment(status=Status.CANCELLED), former))).why is Why.CANCELLED

    def test_a_renamed_route_takes_over_where_it_wants_the_same_and_parks_the_rest(self) -> None:
        former, elsewhere = placed(ANA, route="former"), placed(BOB, route="former")
        wanted = {
            calendar: want
            for (calendar, _, _), want in routed(pending(appointment(), former, elsewhere)).wanted.items()
        }
        assert isinstance(wanted[ANA], Event)
        removal = wanted[BOB]
        assert isinstance(removal, Removal)
        assert removal.why is Why.RECONFIGURED

    def test_what_the_configuration_takes_away_stays_reconfigured_when_the_appointment_is_touched(self) -> None:
        route = replace(TO_OWNER, where={"service": ("massage*",)})
        first = removal_of(routed(pending(appointment(), placed(), reconfigured=True), route))
        waiting = replace(placed(), wanted=first)
        assert removal_of(routed(pending(appointment(description="edited"), waiting), route)).why is Why.RECONFIGURED
        moved = pending(appointment(owners=(Owner(key="78"),)), waiting)
        wanted = {calendar: want for (calendar, _, _), want in routed(moved).wanted.items()}
        assert wanted[ANA] == replace(first, moved_to=(BOB,))

    @pytest.mark.parametrize("why", [Why.GONE, Why.FILTERED, Why.CANCELLED])
    def test_a_parked_removal_becomes_a_move_when_the_appointment_comes_back_elsewhere(self, why: Why) -> None:
        parked = replace(placed(ANA), wanted=Removal(why=why, evidence="a glitch", weak=True))
        result = routed(pending(appointment(owners=(Owner(key="78"),)), parked, placed(BOB)))
        removal = {calendar: want for (calendar, _, _), want in result.wanted.items()}[ANA]
        assert isinstance(removal, Removal)
        assert (removal.why, removal.moved_to) == (Why.MOVED, (BOB,))

    @pytest.mark.parametrize("why", [Why.GONE, Why.CANCELLED])
    def test_what_came_back_and_is_excluded_by_now_waits_for_a_person(self, why: Why) -> None:
        leaving = replace(placed(), wanted=Removal(why=why, evidence="it was off"))
        route = replace(TO_OWNER, where={"service": ("massage*",)})
        assert removal_of(routed(pending(appointment(), leaving), route)).why is Why.RECONFIGURED

    def test_a_move_under_way_stays_a_move_when_the_configuration_changes(self) -> None:
        leaving = replace(placed(ANA), wanted=Removal(why=Why.MOVED, evidence="another owner", moved_to=(BOB,)))
        result = routed(pending(appointment(owners=(Owner(key="78"),)), leaving, placed(BOB), reconfigured=True))
        removal = {calendar: want for (calendar, _, _), want in result.wanted.items()}[ANA]
        assert isinstance(removal, Removal)
        assert removal.why is Why.MOVED

    def test_a_move_that_came_to_nothing_is_no_move_and_the_brakes_see_it(self) -> None:
        leaving = replace(placed(ANA), wanted=Removal(why=Why.MOVED, evidence="another owner", moved_to=(BOB,)))
        route = replace(TO_OWNER, where={"service": ("massage*",)})
        removal = removal_of(routed(pending(appointment(), leaving), route))
        assert (removal.why, removal.weak) == (Why.FILTERED, True)

    def test_an_appointment_that_loses_its_owner_moves_to_the_otherwise_on_weak_evidence(self) -> None:
        route = replace(TO_OWNER, otherwise="desk@salon.example")
        result = routed(pending(appointment(owners=()), placed(ANA)), route)
        removal = {calendar: want for (calendar, _, _), want in result.wanted.items()}[ANA]
        assert isinstance(removal, Removal)
        assert (removal.why, removal.weak, removal.moved_to) == (Why.MOVED, True, ("google:desk@salon.example",))

    def test_an_owner_who_is_dropped_beside_another_who_stays_is_no_move(self) -> None:
        result = routed(pending(appointment(), placed(ANA), placed(BOB)))
        removal = {calendar: want for (calendar, _, _), want in result.wanted.items()}[BOB]
        assert isinstance(removal, Removal)
        assert (removal.why, removal.weak) == (Why.FILTERED, True)

    def test_an_event_that_another_route_shows_elsewhere_has_moved_there(self) -> None:
        first = replace(TO_OWNER, name="first", where={"service": ("consult*",)})
        second = replace(TO_OWNER, name="second")
        changed = appointment(owners=(Owner(key="78"),), service="Massage", uses=("staff/78",))
        result = routed(pending(changed, placed(ANA, route="first")), first, second)
        removal = {calendar: want for (calendar, _, _), want in result.wanted.items()}[ANA]
        assert isinstance(removal, Removal)
        assert (removal.why, removal.moved_to) == (Why.MOVED, (BOB,))

    def test_an_old_appointment_follows_its_owner_to_another_calendar(self) -> None:
        old = appointment(start=MORNING - timedelta(days=900), owners=(Owner(key="78"),))
        wanted = {calendar: want for (calendar, _, _), want in routed(pending(old, placed(ANA))).wanted.items()}
        assert isinstance(wanted[BOB], Event)

    def test_a_filter_by_an_address_that_is_not_known_excludes_nobody(self) -> None:
        route = replace(TO_OWNER, where={"owner": ("*@salon.example",)})
        result = routed(pending(appointment(), placed()), route, resources={})
        assert not result.wanted
        assert "staff 77" in result.unrouted

    def test_a_room_has_no_address_so_a_filter_by_name_excludes_the_others_for_good(self) -> None:
        laser, room = Owner(key="8", name="Laser"), Owner(key="9", name="Salle")
        both = appointment(owners=(laser, room), uses=("resource/8", "resource/9"))
        by_name = {"8": "laser@salon.example"}
        route = replace(TO_OWNER, calendar=None, calendars=by_name, where={"owner": ("laser",)})
        result = routed(pending(both), route)
        assert [calendar for calendar, _, _ in result.wanted] == ["google:laser@salon.example"]
        assert result.unrouted == ""

    def test_a_room_is_known_by_its_name_of_today(self) -> None:
        renamed = Resource(source=ACCOUNT, kind="resource", id="8", fields={"name": "Laser 2"})
        used = appointment(owners=(Owner(key="8", name="Laser"),), uses=("resource/8",))
        route = replace(TO_OWNER, calendar=None, calendars={"Laser 2": "laser@salon.example"})
        assert only(routed(pending(used), route, resources={"resource/8": renamed}))[0] == "google:laser@salon.example"

    def test_a_removal_is_reached_through_the_target_of_today(self) -> None:
        renamed = replace(placed(), target="former")
        ((key, _),) = routed(pending(appointment(status=Status.CANCELLED), renamed)).wanted.items()
        assert key == (ANA, "workspace", "staff")


class TestReveal:
    SECRETIVE = appointment(
        description="allergic",
        contact=Contact(first_name="Zoé", last_name="Client", email="z@customer.example", phone="555"),
        price="20 EUR",
        location="Room 1",
    )

    def shown(self, reveal: Reveal) -> str:
        all_fields = Template("\n".join(f"{{{name}}}" for name in sorted(FIELDS)))
        event = event_of(routed(pending(self.SECRETIVE), showing(TO_OWNER, reveal=reveal, description=all_fields)))
        return f"{event.summary}\n{event.description}\n{event.location}"

    def test_busy_shows_nothing_of_the_appointment(self) -> None:
        shown = self.shown(Reveal.BUSY)
        assert shown.startswith("Busy\n")
        for word in ("Consultation", "Zoé", "555", "allergic", "20 EUR", "Room"):
            assert word not in shown

    def test_service_shows_no_customer(self) -> None:
        shown = self.shown(Reveal.SERVICE)
        assert "Consultation" in shown
        for word in ("Zoé", "Client", "555", "z@customer.example", "allergic"):
            assert word not in shown

    def test_contact_shows_the_customer_but_no_notes(self) -> None:
        shown = self.shown(Reveal.CONTACT)
        assert "Zoé Client" in shown
        assert "allergic" not in shown

    def test_full_shows_all(self) -> None:
        assert "allergic" in self.shown(Reveal.FULL)

    def test_every_template_field_belongs_to_a_level(self) -> None:
        assert frozenset().union(*SHOWN.values()) == FIELDS

    RENAMED = Resource(source=ACCOUNT, kind="customer", id="9", fields={"last_name": "Neuville", "phone": "777"})

    def test_a_renamed_customer_reaches_the_event_and_what_the_resource_lacks_stays(self) -> None:
        known = replace(self.SECRETIVE, uses=("staff/77", "customer/9"))
        route = showing(TO_OWNER, reveal=Reveal.CONTACT)
        held = STAFF | {"customer/9": self.RENAMED}
        assert event_of(routed(pending(known), route, resources=held)).description == (
            "Zoé Neuville\n777\nz@customer.example"
        )
        assert "Zoé Client" in event_of(routed(pending(known), route)).description

    @pytest.mark.parametrize("reveal", [Reveal.BUSY, Reveal.SERVICE])
    def test_a_customer_among_the_resources_is_hidden_like_any_other(self, reveal: Reveal) -> None:
        known = replace(self.SECRETIVE, uses=("staff/77", "customer/9"))
        route = showing(TO_OWNER, reveal=reveal)
        shown = str(event_of(routed(pending(known), route, resources=STAFF | {"customer/9": self.RENAMED})))
        assert not any(word in shown for word in ("Neuville", "777", "Zoé", "z@customer.example"))

    def place(self, one: Appointment, reveal: Reveal, *held: Resource) -> str:
        known = replace(one, uses=("staff/77", "company/1", "customer/9"))
        resources = STAFF | {resource.key: resource for resource in held}
        return event_of(routed(pending(known), showing(TO_OWNER, reveal=reveal), resources=resources)).location

    COMPANY = Resource(source=ACCOUNT, kind="company", id="1", fields={"address": "1 rue Exemple"})
    CUSTOMER = Resource(source=ACCOUNT, kind="customer", id="9", fields={"address": "9 rue du Client"})

    @pytest.mark.parametrize("reveal", [Reveal.CONTACT, Reveal.FULL])
    def test_a_visit_takes_place_at_the_customers(self, reveal: Reveal) -> None:
        assert self.place(appointment(), reveal, self.CUSTOMER) == "9 rue du Client"
        assert self.place(appointment(), reveal, self.CUSTOMER, self.COMPANY) == "1 rue Exemple"
        assert self.place(appointment(location="Room 1"), reveal, self.CUSTOMER) == "Room 1"
        assert self.place(appointment(url="https://meet.example/1"), reveal, self.CUSTOMER) == ""

    @pytest.mark.parametrize("reveal", [Reveal.BUSY, Reveal.SERVICE])
    def test_the_customers_address_is_hidden_like_their_name(self, reveal: Reveal) -> None:
        assert self.place(appointment(), reveal, self.CUSTOMER) == ""

    def test_the_services_price_holds_where_the_appointment_has_none(self) -> None:
        priced = Resource(source=ACCOUNT, kind="service", id="5", fields={"price": "45 EUR"})
        route = showing(TO_OWNER, reveal=Reveal.FULL, description=Template("{price}"))
        held = STAFF | {"service/5": priced}
        assert event_of(routed(pending(appointment()), route, resources=held)).description == "45 EUR"
        assert event_of(routed(pending(appointment(price="40")), route, resources=held)).description == "40"
        hidden = showing(route, reveal=Reveal.CONTACT)
        assert event_of(routed(pending(appointment()), hidden, resources=held)).description == ""

    def test_a_renamed_service_shows_its_new_name(self) -> None:
        renamed = Resource(source=ACCOUNT, kind="service", id="5", fields={"name": "Check-up"})
        assert event_of(routed(pending(appointment()), resources=STAFF | {"service/5": renamed})).summary == (
            "Check-up"
        )


class TestLength:
    """The appointment keeps its own times: only the event is longer."""

    @pytest.mark.parametrize(("minutes", "shown"), [(0, 15), (10, 15), (15, 15), (40, 40)])
    def test_a_short_appointment_is_shown_at_the_shortest_length(self, minutes: int, shown: int) -> None:
        brief = appointment(end=MORNING + timedelta(minutes=minutes))
        event = event_of(routed(pending(brief), showing(TO_OWNER, shortest=timedelta(minutes=15))))
        assert (event.start, event.end - event.start) == (MORNING, timedelta(minutes=shown))

    def test_what_ends_when_it_starts_is_shown_for_a_minute(self) -> None:
        event = event_of(routed(pending(appointment(end=MORNING))))
        assert event.end - event.start == timedelta(minutes=1)

    def test_the_shortest_length_counts_instants_across_a_change_of_the_clocks(self) -> None:
        start = wall_clock(datetime(2027, 10, 31, 2, 50), ZoneInfo("Europe/Paris"))
        brief = appointment(start=start, end=start)
        event = event_of(routed(pending(brief), showing(TO_OWNER, shortest=timedelta(minutes=30))))
        assert utc(event.end) - utc(event.start) == timedelta(minutes=30)


def test_what_a_target_cannot_hold_is_unrouted_and_keeps_its_last_placement(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: google.GoogleTarget, event: Event) -> Event:
        msg = "no room for this"
        raise Refused(msg)

    monkeypatch.setattr(google.GoogleTarget, "fit", refuse)
    result = routed(pending(appointment(), placed()))
    assert not result.wanted
    assert "no room" in result.unrouted


def class_of(*names: str, **changes: Any) -> Appointment:
    customers = tuple(Contact(first_name=name) for name in names)
    return appointment("session/5", contact=Contact(), gathered=True, customers=customers, session="5", **changes)


def test_a_session_is_shown_with_its_number_and_from_contact_on_with_its_customers() -> None:
    for reveal, told in ((Reveal.SERVICE, ""), (Reveal.CONTACT, "Jo\nAda"), (Reveal.FULL, "Jo\nAda")):
        shown = event_of(routed(pending(class_of("Jo", "Ada")), replace(TO_OWNER, shows=Presentation(reveal=reveal))))
        assert (shown.summary, shown.description) == ("Consultation – 2 booked", told)
    busy = event_of(routed(pending(class_of("Jo")), replace(TO_OWNER, shows=Presentation(reveal=Reveal.BUSY))))
    assert (busy.summary, busy.description) == ("Busy", "")


def test_the_number_is_told_in_the_language_of_the_route() -> None:
    french = replace(TO_OWNER, shows=Presentation(language=Language.FRENCH))
    told = [event_of(routed(pending(class_of(*names)), french)).summary for names in (("Jo",), ("Jo", "Ada"))]
    assert told == ["Consultation – 1 inscrit", "Consultation – 2 inscrits"]


def test_any_other_appointment_has_no_number() -> None:
    route = replace(TO_OWNER, shows=Presentation(summary=Template("{service}{ ×count}")))
    assert event_of(routed(pending(appointment()), route)).summary == "Consultation"
    assert event_of(routed(pending(class_of("Jo")), route)).summary == "Consultation ×1"


def test_a_route_carries_either_sessions_or_their_bookings() -> None:
    one, each = TO_OWNER, replace(TO_OWNER, groups=Groups.EACH)
    whole, booking = pending(class_of("Jo")), pending(appointment(session="5"))
    assert [bool(routed(what, one).wanted) for what in (whole, booking)] == [True, False]
    assert [bool(routed(what, each).wanted) for what in (whole, booking)] == [False, True]


def test_a_booking_that_became_part_of_a_session_leaves_on_weak_evidence() -> None:
    removal = removal_of(routed(pending(appointment(session="5"), placed())))
    assert (removal.why, removal.weak) == (Why.FILTERED, True)
    assert removal.evidence == "route staff shows its session in its place"


def test_another_choice_of_groups_is_the_configurations_doing() -> None:
    booking = pending(appointment(session="5"), placed(), reconfigured=True)
    assert removal_of(routed(booking)).why is Why.RECONFIGURED
    whole = pending(class_of("Jo"), placed(), reconfigured=True)
    assert removal_of(routed(whole, replace(TO_OWNER, groups=Groups.EACH))).why is Why.RECONFIGURED


def test_a_filter_by_owner_admits_some_of_the_staff_and_perhaps_nobody_in_particular() -> None:
    ana, bo = Owner(key="77", email="ana@salon.example"), Owner(key="79", name="Bo")
    admitted = {
        pattern: [admits(replace(TO_OWNER, where={"owner": (pattern,)}), owner) for owner in (ana, bo, None)]
        for pattern in ("ANA@*", "bo", "*", "")
    }
    assert admitted == {
        "ANA@*": [True, False, False],
        "bo": [False, True, False],
        "*": [True, True, True],
        "": [False, False, True],
    }
    assert all(admits(TO_OWNER, owner) for owner in (ana, None))
