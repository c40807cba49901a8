"""What the event of an appointment shows: texts, places, links, categories, colours, words."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from calferry.colors import OWN
from calferry.language import WORDS, Language, date_text, duration_text
from calferry.model import Appointment, Event, Owner, Resource, Status
from calferry.moments import wall_clock
from calferry.policy import Treatment, treat
from calferry.presentation import COLORED_BY, Coloring, Presentation, Reveal, render
from calferry.template import Template
from tests.builders import ACCOUNT, MORNING, NOW, appointment

ANA = Owner(key="77", name="Ana Pérez", email="ana@salon.example", reference="emp04")
COMPANY = {"company/1": Resource(source=ACCOUNT, kind="company", id="1", fields={"address": "1 rue Exemple"})}


def shown(one: Appointment | None = None, owner: Owner | None = ANA, **presentation: Any) -> Event:
    one = one or appointment()
    treatment: Treatment = treat({}, one, NOW)
    return render("u1", one, owner, Presentation(**presentation), treatment, COMPANY)


def text(template: str, one: Appointment | None = None, **presentation: Any) -> str:
    return shown(one, description=Template(template), **presentation).description


class TestTimes:
    FIELDS = "{start.date}, {start.time}–{end.time} ({duration})"

    @pytest.mark.parametrize(
        ("language", "said"),
        [
            (Language.ENGLISH, "Thursday 3 December 2026, 09:00–10:30 (1 h 30 min)"),
            (Language.FRENCH, "jeudi 3 décembre 2026, 09:00–10:30 (1 h 30 min)"),
        ],
    )
    @pytest.mark.parametrize("reveal", Reveal)
    def test_they_are_told_in_the_language_of_the_route_at_any_level(
        self, language: Language, said: str, reveal: Reveal
    ) -> None:
        one = appointment(end=MORNING + timedelta(minutes=90))
        assert text(self.FIELDS, one, language=language, reveal=reveal) == said

    def test_the_first_of_a_month_is_written_as_people_write_it(self) -> None:
        new_year = datetime(2027, 1, 1, tzinfo=ZoneInfo("Europe/Paris"))
        assert date_text(new_year, Language.ENGLISH) == "Friday 1 January 2027"
        assert date_text(new_year, Language.FRENCH) == "vendredi 1er janvier 2027"

    def test_every_language_has_a_word_for_each_day_and_month(self) -> None:
        for words in WORDS.values():
            assert (len({*words.weekdays}), len({*words.months})) == (7, 12)

    def test_the_clock_is_that_of_the_appointments_own_zone(self) -> None:
        there = datetime(2026, 12, 31, 23, 30, tzinfo=ZoneInfo("America/Montreal"))
        assert text(self.FIELDS, appointment(start=there)) == "Thursday 31 December 2026, 23:30–00:00 (30 min)"

    def test_a_duration_counts_instants_across_a_change_of_the_clocks(self) -> None:
        start = wall_clock(datetime(2027, 10, 31, 1, 30), ZoneInfo("Europe/Paris"))
        end = wall_clock(datetime(2027, 10, 31, 3, 30), ZoneInfo("Europe/Paris"))
        assert text("{duration}", appointment(start=start, end=end)) == "3 h"

    def test_what_ends_when_it_starts_has_no_duration(self) -> None:
        assert text("{start.time}{ (duration)}", appointment(end=MORNING)) == "09:00"
        assert [duration_text(timedelta(minutes=minutes)) for minutes in (5, 60, 61)] == ["5 min", "1 h", "1 h 1 min"]


class TestWords:
    @pytest.mark.parametrize(
        ("language", "busy", "untitled"),
        [(Language.ENGLISH, "Busy", "Appointment"), (Language.FRENCH, "Occupé", "Rendez-vous")],
    )
    def test_a_title_of_which_nothing_is_left_is_in_the_language_of_the_route(
        self, language: Language, busy: str, untitled: str
    ) -> None:
        assert shown(language=language, reveal=Reveal.BUSY).summary == busy
        assert shown(appointment(service=""), language=language).summary == untitled
        unbooked = appointment(service="", kind="block")
        assert shown(unbooked, language=language, summary=Template("{service}!")).summary == f"{busy}!"


class TestPlaceAndLink:
    def test_a_place_is_what_its_template_says(self) -> None:
        one = appointment(location="Room 1")
        assert shown(one).location == "Room 1"
        assert shown(one, location=Template("{service}, {location}")).location == "Consultation, Room 1"
        assert shown(one, location=Template("")).location == ""

    def test_the_companys_address_stands_for_a_place_that_is_not_told(self) -> None:
        one = appointment(uses=("company/1",))
        assert shown(one, location=Template("{Salon, location}")).location == "Salon, 1 rue Exemple"

    def test_a_link_leads_where_it_takes_place_unless_its_template_says_otherwise(self) -> None:
        one = appointment(
            url="https://meet.example/1", reschedule_url="https://booking.example/r?id=1", reference="AB12"
        )
        assert shown(one).url == "https://meet.example/1"
        assert shown(one, link=Template("")).url == ""
        assert shown(one, link=Template("https://salon.example/book")).url == "https://salon.example/book"
        assert shown(one, link=Template("{https://desk.example/reference}")).url == "https://desk.example/AB12"
        displaced = shown(
            one, reveal=Reveal.FULL, link=Template("{reschedule_url}"), location=Template("{location}{url}")
        )
        assert (displaced.url, displaced.location) == ("https://booking.example/r?id=1", "https://meet.example/1")

    @pytest.mark.parametrize("reveal", [Reveal.BUSY, Reveal.SERVICE, Reveal.CONTACT])
    def test_whoever_may_not_see_all_gets_no_link_for_rescheduling(self, reveal: Reveal) -> None:
        one = appointment(reschedule_url="https://booking.example/r?id=1")
        assert shown(one, reveal=reveal, link=Template("{reschedule_url}")).url == ""

    def test_a_source_without_such_links_gives_no_link(self) -> None:
        assert shown(reveal=Reveal.FULL, link=Template("{reschedule_url}")).url == ""

    def test_by_default_a_link_for_rescheduling_stands_below_the_notes(self) -> None:
        one = appointment(description="Ring twice", reschedule_url="https://booking.example/r?id=1")
        assert "Ring twice\nhttps://booking.example/r?id=1" in shown(one, reveal=Reveal.FULL).description


class TestCategories:
    def test_each_template_is_a_category_once_and_what_is_empty_is_none(self) -> None:
        categories = tuple(map(Template, ("{service}", "Salon", "{notes}", "Salon")))
        assert shown(categories=categories).categories == ("Consultation", "Salon")

    def test_a_category_is_no_more_than_is_revealed(self) -> None:
        assert shown(categories=(Template("{service}"),), reveal=Reveal.BUSY).categories == ()


class TestColours:
    RULES = (
        Coloring("status", "noShow", "gray"),
        Coloring("service", "massage*", "tomato"),
        Coloring("service", "m*", "teal"),
        Coloring("owner", "emp*", "gold"),
    )

    @pytest.mark.parametrize(
        ("told", "color"),
        [
            ({"service": "Massage", "said": "NOSHOW"}, "gray"),
            ({"service": "Massage"}, "tomato"),
            ({"service": "Manicure"}, "teal"),
            ({"service": "Consultation"}, "gold"),
        ],
    )
    def test_the_first_pattern_that_fits_gives_the_colour(self, told: dict[str, str], color: str) -> None:
        assert shown(appointment(**told), colors=self.RULES).color == color

    def test_where_none_fits_it_is_the_calendars_own_and_without_any_nothing_is_said(self) -> None:
        assert shown(owner=None, colors=self.RULES).color == OWN
        assert shown().color == ""

    @pytest.mark.parametrize(
        ("told", "pattern"),
        [
            ({"custom_status": "Arrivée"}, "arrivée"),
            ({"said": "pending", "status": Status.TENTATIVE}, "tentative"),
            ({"said": "pending", "status": Status.TENTATIVE}, "pending"),
        ],
    )
    def test_a_status_is_known_by_its_custom_name_its_word_and_what_it_amounts_to(
        self, told: dict[str, Any], pattern: str
    ) -> None:
        assert shown(appointment(**told), colors=(Coloring("status", pattern, "gold"),)).color == "gold"

    @pytest.mark.parametrize("handle", ["77", "emp04", "ana@salon.example", "Ana Pérez"])
    def test_an_owner_is_known_by_id_reference_address_and_name(self, handle: str) -> None:
        assert shown(colors=(Coloring("owner", handle, "gold"),)).color == "gold"

    @pytest.mark.parametrize("by", COLORED_BY)
    def test_whatever_is_not_revealed_makes_no_difference_to_a_colour(self, by: str) -> None:
        colors = (Coloring(by, "[a-z]*", "gold"), Coloring(by, "*", "teal"))
        hidden = shown(colors=colors, reveal=Reveal.BUSY, owner=None).color
        assert hidden == "teal"
        assert shown(colors=colors, reveal=Reveal.SERVICE).color == "gold"

    def test_a_colour_counts_as_something_that_can_be_seen(self) -> None:
        assert shown(colors=()).fingerprint == shown().fingerprint
        assert shown(colors=self.RULES).fingerprint != shown().fingerprint
