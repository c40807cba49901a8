"""What a route's filter lets through, as the rules ask it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from calferry.model import Appointment, Resource
from calferry.moments import wall_clock
from tests.builders import ACCOUNT, MORNING, PARIS, appointment
from tests.unit.routing import STAFF, TO_OWNER, pending, placed, removal_of, routed


def passes(one: Appointment, **where: tuple[str, ...]) -> bool:
    return bool(routed(pending(one), replace(TO_OWNER, where=where)).wanted)


def at(hour: int, minute: int = 0, *, days: int = 0) -> Appointment:
    return appointment(start=MORNING.replace(hour=hour, minute=minute) + timedelta(days=days))


class TestText:
    @pytest.mark.parametrize("told", [{"summary": "URGENT: back"}, {"description": "first line\nis urgent"}])
    def test_the_title_and_the_notes_are_looked_at(self, told: dict[str, str]) -> None:
        assert passes(appointment(**told), text=("*urgent*",))

    def test_nothing_else_is(self) -> None:
        assert not passes(appointment(service="urgent", location="urgent", said="urgent"), text=("*urgent*",))

    def test_why_it_left_does_not_quote_the_text(self) -> None:
        route = replace(TO_OWNER, where={"text": ("*allergic*",)})
        removal = removal_of(routed(pending(appointment(description="calm"), placed()), route))
        assert "allergic" not in removal.evidence
        assert "calm" not in removal.evidence


class TestTime:
    @pytest.mark.parametrize(
        ("hour", "minute", "passing"), [(7, 59, False), (8, 0, True), (11, 59, True), (12, 0, False)]
    )
    def test_it_counts_when_an_appointment_starts_and_the_end_is_outside(
        self, hour: int, minute: int, passing: bool
    ) -> None:
        assert passes(at(hour, minute), time=("08:00-12:00",)) is passing

    @pytest.mark.parametrize(("hour", "passing"), [(21, False), (22, True), (0, True), (5, True), (6, False)])
    def test_a_span_may_go_over_midnight(self, hour: int, passing: bool) -> None:
        assert passes(at(hour), time=("22:00-06:00",)) is passing

    def test_one_of_several_spans_is_enough(self) -> None:
        assert passes(at(15), time=("08:00-12:00", "14:00-24:00"))

    def test_the_clock_is_that_of_the_appointments_own_zone(self) -> None:
        there = datetime(2026, 12, 3, 9, 0, tzinfo=ZoneInfo("America/Montreal"))
        assert passes(appointment(start=there), time=("08:00-12:00",))
        assert not passes(appointment(start=there.astimezone(PARIS)), time=("08:00-12:00",))

    def test_both_passes_of_the_hour_that_is_struck_twice_are_that_hour(self) -> None:
        first = wall_clock(datetime(2027, 10, 31, 2, 30), PARIS)
        for start in (first, first.replace(fold=1)):
            assert passes(appointment(start=start), time=("02:00-03:00",))


class TestWeekday:
    def test_it_is_the_day_on_which_it_starts(self) -> None:
        assert passes(at(9), weekday=("thursday",))
        assert passes(at(9, days=1), weekday=("monday", "friday"))
        assert not passes(at(9), weekday=("monday", "friday"))

    def test_late_on_sunday_is_not_monday_though_it_is_elsewhere(self) -> None:
        assert passes(
            appointment(start=datetime(2026, 12, 6, 23, 30, tzinfo=ZoneInfo("America/Montreal"))), weekday=("sunday",)
        )


def test_every_filter_has_to_let_an_appointment_through() -> None:
    assert passes(at(9), weekday=("thursday",), time=("08:00-12:00",), service=("consult*",))
    assert not passes(at(9), weekday=("thursday",), time=("14:00-18:00",))


def test_an_owner_is_found_by_the_reference_that_other_programs_know() -> None:
    known = Resource(source=ACCOUNT, kind="staff", id="77", fields={"email": "ana@salon.example", "reference": "emp04"})
    route = replace(TO_OWNER, where={"owner": ("EMP*",)})
    assert routed(pending(appointment()), route, resources=STAFF | {"staff/77": known}).wanted
    assert not routed(pending(appointment()), route).wanted
