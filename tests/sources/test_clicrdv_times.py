"""From ClicRDV's wall times to instants: every zone there is, every change of the clocks, every name of a zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calferry.errors import Refused
from calferry.moments import utc
from calferry.sandbox.clicrdv import ClicrdvServer
from calferry.sources.clicrdv.times import is_repeated, span_of, wall_of
from calferry.sources.clicrdv.xml import offsets_in
from calferry.sources.clicrdv.zones import LABELS, zone_of
from tests.contracts.source import WINDOW, appointments
from tests.sources.clicrdv import EMAIL, KEY, PASSWORD, ClicrdvStage

PARIS = ZoneInfo("Europe/Paris")
HALF_AN_HOUR = timedelta(minutes=30)
REGIONS = ("Africa/", "America/", "Antarctica/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")
ZONES = sorted(name for name in available_timezones() if name.startswith(REGIONS))
CITIES = """\
Paris, London, Lisbon, Dublin, Brussels, Casablanca, Hong Kong, Mexico City, Port Moresby, Santiago, UTC, Melbourne
Ulaanbaatar, Istanbul, Kyiv, La Paz, Puerto Rico, Kuala Lumpur, Rangoon, Tijuana"""

instants = st.datetimes(datetime(1990, 1, 1), datetime(2037, 12, 31)).map(
    lambda moment: moment.replace(tzinfo=UTC, microsecond=0)
)
zones = st.sampled_from(ZONES).map(ZoneInfo)
lengths = st.integers(0, 24 * 60).map(lambda minutes: timedelta(minutes=minutes))


class Change(NamedTuple):
    """The clocks of a zone change by `by`; `before` is what they would have shown then, had they not."""

    zone: ZoneInfo
    at: datetime
    before: datetime
    by: timedelta


def naive(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


@cache
def changes() -> tuple[Change, ...]:
    """Every change of the clocks, in any zone, from 2025 to 2027, to the minute."""
    days = [datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=number) for number in range(3 * 365)]
    found = []
    for zone in map(ZoneInfo, ZONES):
        for earlier, later in pairwise(days):
            before, after = earlier.astimezone(zone).utcoffset(), later.astimezone(zone).utcoffset()
            assert before is not None
            assert after is not None
            if before != after:
                while later - earlier > timedelta(minutes=1):
                    middle = earlier + (later - earlier) // 2
                    earlier, later = (  # noqa: PLW2901 (halving)
                        (middle, later) if middle.astimezone(zone).utcoffset() == before else (earlier, middle)
                    )
                at = later.replace(second=0, microsecond=0)
                found.append(Change(zone, at, at.replace(tzinfo=None) + before, after - before))
    return tuple(found)


def test_there_are_changes_of_every_kind_to_look_at() -> None:
    by = {change.by for change in changes()}
    assert {
        timedelta(hours=1),
        timedelta(hours=-1),
        timedelta(minutes=30),
        timedelta(hours=2),
        timedelta(hours=-2),
    } <= by
    assert len({change.zone.key for change in changes()}) > 150


def test_a_time_within_any_gap_moves_forward_by_its_length_and_its_end_with_it() -> None:
    for zone, at, before, by in changes():
        if by <= timedelta(0):
            continue
        for past in (timedelta(0), by / 2, by - timedelta(minutes=1)):
            wall = before + past
            span = span_of(wall, wall + HALF_AN_HOUR, 0, zone, {})
            assert naive(span.start, zone) == wall + by, zone
            assert utc(span.start) == at + past
            assert utc(span.end) - utc(span.start) == HALF_AN_HOUR
            assert f"{wall:%H:%M}" in span.doubt


def test_a_time_within_any_repeat_is_where_the_xml_says_and_else_the_first() -> None:
    for zone, at, before, by in changes():
        if by >= timedelta(0):
            continue
        for back in (-by, -by / 2, timedelta(minutes=1)):
            wall = before - back
            first, second = at - back, at - back - by
            assert is_repeated(wall, zone), zone
            for meant in (first, second):
                span = span_of(wall, None, 30, zone, {"start": meant.astimezone(zone)})
                assert (utc(span.start), utc(span.end), span.doubt) == (meant, meant + HALF_AN_HOUR, "")
            guess = span_of(wall, None, 30, zone, {})
            assert utc(guess.start) == first
            assert f"{wall:%H:%M}" in guess.doubt
        assert not is_repeated(before, zone)
        assert not is_repeated(before + by - timedelta(minutes=1), zone)


@given(instants, lengths, zones)
def test_what_the_clocks_show_and_the_xml_says_is_the_instant_that_was_meant(
    start: datetime, length: timedelta, zone: ZoneInfo
) -> None:
    end = start + length
    told = {"start": start.astimezone(zone), "end": end.astimezone(zone)}
    span = span_of(naive(start, zone), naive(end, zone), 0, zone, told)
    assert (utc(span.start), utc(span.end), span.doubt) == (start, end, "")


@given(instants.map(lambda moment: moment.replace(tzinfo=None)), lengths, zones)
def test_without_the_xml_a_time_is_never_lost_and_never_ends_before_it_starts(
    wall: datetime, length: timedelta, zone: ZoneInfo
) -> None:
    span = span_of(wall, wall + length, 30, zone, {})
    moved = naive(span.start, zone) - wall
    assert moved >= timedelta(0)
    assert bool(moved) <= bool(span.doubt)
    assert utc(span.end) >= utc(span.start)
    assert utc(span.start).astimezone(zone) == span.start


@given(instants, zones)
def test_a_time_with_an_offset_of_its_own_needs_nothing_else(moment: datetime, zone: ZoneInfo) -> None:
    local = moment.astimezone(zone)
    span = span_of(local, local + HALF_AN_HOUR, 0, zone, {})
    assert (utc(span.start), span.doubt) == (moment, "")


def test_an_end_that_looks_earlier_lies_in_the_second_pass() -> None:
    span = span_of(datetime(2026, 10, 25, 2, 45), datetime(2026, 10, 25, 2, 15), 0, PARIS, {})
    assert utc(span.end) - utc(span.start) == HALF_AN_HOUR


def test_a_length_is_not_the_difference_of_two_wall_times() -> None:
    span = span_of(datetime(2026, 10, 25, 1, 30), datetime(2026, 10, 25, 3, 0), 0, PARIS, {})
    assert utc(span.end) - utc(span.start) == timedelta(hours=2, minutes=30)


@pytest.mark.parametrize("end", [None, datetime(2026, 12, 3, 9, 0), datetime(2026, 12, 3, 8, 0)])
def test_an_end_that_is_missing_or_not_after_the_start_is_the_length_of_the_service_away(end: datetime | None) -> None:
    span = span_of(datetime(2026, 12, 3, 9, 0), end, 45, PARIS, {})
    assert span.end - span.start == timedelta(minutes=45)


def test_an_end_before_the_start_of_something_without_a_length_is_refused() -> None:
    with pytest.raises(Refused, match="before it starts"):
        span_of(datetime(2026, 12, 3, 9, 0), datetime(2026, 12, 3, 8, 0), 0, PARIS, {})


@pytest.mark.parametrize("year", [1, 9999])
def test_what_no_calendar_reaches_is_refused(year: int) -> None:
    wall = datetime(year, 1, 1) if year == 1 else datetime(year, 12, 31, 23, 59)
    with pytest.raises(Refused):
        span_of(wall, wall, 24 * 60 * 999, ZoneInfo("Asia/Tokyo" if year == 1 else "Pacific/Niue"), {})


def test_an_xml_form_of_another_time_is_not_believed() -> None:
    """The row was changed between the two requests: its next change will tell."""
    other = datetime(2026, 10, 25, 3, 45, tzinfo=PARIS)
    span = span_of(datetime(2026, 10, 25, 2, 45), None, 30, PARIS, {"start": other})
    assert span.start.isoformat() == "2026-10-25T02:45:00+02:00"
    assert span.doubt


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-12-03", "0000-00-00 00:00:00", "2026-02-30 09:00:00", "2026-12-03 25:00:00"]
)
def test_what_is_no_date_and_time_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="its start is no date and time"):
        wall_of(text, "start")


# ── the XML form ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<hash>",
        b"<html><body>Sign in</body></html>",
        b'<?xml version="1.0" encoding="nonsense"?><hash/>',
        b'<hash><start type="datetime">2026-10-25 02:45:00</start></hash>',
        b'<hash><start nil="true"></start></hash>',
        b'<!DOCTYPE hash [<!ENTITY a "2026-10-25T02:45:00+01:00">]><hash><start>&a;</start></hash>',
        b"\xff\xfe\x00",
    ],
)
def test_a_document_without_offsets_says_nothing(document: bytes) -> None:
    assert offsets_in(document) == {}


@pytest.mark.parametrize(("fold", "offset"), [(0, "+02:00"), (1, "+01:00")])
@pytest.mark.parametrize("feed", ["vevents", "appointments"])
def test_the_autumn_hour_is_the_one_that_was_booked(feed: str, fold: Literal[0, 1], offset: str) -> None:
    with ClicrdvServer(api_key=KEY, email=EMAIL, password=PASSWORD) as server:
        stage = ClicrdvStage(server, feed)
        source_id = stage.book(datetime(2026, 10, 25, 2, 15, fold=fold))
        row = appointments(stage.connect().within(WINDOW))[source_id]
    assert row.start.isoformat() == f"2026-10-25T02:15:00{offset}"
    assert (utc(row.end) - utc(row.start), row.description) == (HALF_AN_HOUR, "")


@pytest.mark.parametrize("xml", ["naive", "none"])
def test_without_the_xml_form_the_first_hour_is_taken_and_the_notes_say_so(xml: Any) -> None:
    with ClicrdvServer(api_key=KEY, email=EMAIL, password=PASSWORD) as server:
        stage = ClicrdvStage(server)
        server.switches.xml = xml
        source_id = stage.book(datetime(2026, 10, 25, 2, 15, fold=1), comments="Bring the X-rays")
        row = appointments(stage.connect().within(WINDOW))[source_id]
    assert row.start.isoformat() == "2026-10-25T02:15:00+02:00"
    assert row.description.splitlines()[0] == "Bring the X-rays"
    assert "02:15 twice" in row.description


@pytest.mark.parametrize("login", ["basic", "session"])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 406, 409, 410, 422])
def test_an_xml_form_that_is_kept_from_us_stops_no_other_row(status: int, login: str) -> None:
    from calferry.sandbox import faults

    with ClicrdvServer(api_key=KEY, email=EMAIL, password=PASSWORD) as server:
        stage = ClicrdvStage(server)
        unclear, clear = stage.book(datetime(2026, 10, 25, 2, 15)), stage.book(datetime(2026, 10, 26, 9, 0))
        server.faults.add(faults.status(status), times=None, match=faults.matching(".xml"))
        rows = appointments(stage.connect(login=login).within(WINDOW))
    assert rows.keys() == {unclear, clear}
    assert "02:15 twice" in rows[unclear].description


def test_where_no_row_can_be_asked_for_the_first_hour_is_taken_too() -> None:
    """A refusal of the method (405) says that there is no such form and never will be."""
    with ClicrdvServer(api_key=KEY, email=EMAIL, password=PASSWORD) as server:
        stage = ClicrdvStage(server, "appointments")
        server.switches.single_appointments = False
        source_id = stage.book(datetime(2026, 10, 25, 2, 15, fold=1))
        (batch,) = (one for one in stage.connect().within(WINDOW) if one.appointments or one.quarantined)
    row = appointments([batch])[source_id]
    assert row.start.isoformat() == "2026-10-25T02:15:00+02:00"
    assert "02:15 twice" in row.description
    assert not batch.quarantined


def test_while_the_xml_form_cannot_be_had_the_row_is_set_aside_alone() -> None:
    """It must not move by an hour, and back, with every outage."""
    from calferry.sandbox import faults

    with ClicrdvServer(api_key=KEY, email=EMAIL, password=PASSWORD) as server:
        stage = ClicrdvStage(server)
        unclear, clear = stage.book(datetime(2026, 10, 25, 2, 15)), stage.book(datetime(2026, 10, 25, 9, 0))
        server.faults.add(faults.status(503), times=None, match=faults.matching(".xml"))
        batches = list(stage.connect().within(WINDOW))
    assert [row.source_id for batch in batches for row in batch.quarantined] == [unclear]
    assert appointments(batches).keys() == {clear}
    assert all(batch.covers for batch in batches)


@pytest.mark.parametrize("gap", ["as booked", "shifted"])
def test_a_time_that_spring_leaves_out_keeps_its_length_however_it_is_told(gap: Any) -> None:
    with ClicrdvServer(api_key=KEY, email=EMAIL, password=PASSWORD) as server:
        stage = ClicrdvStage(server)
        server.switches.gap = gap
        source_id = stage.book(datetime(2027, 3, 28, 2, 15), minutes=50)
        row = appointments(stage.connect().within(WINDOW))[source_id]
    assert row.start.isoformat() == "2027-03-28T03:15:00+02:00"
    assert utc(row.end) - utc(row.start) == timedelta(minutes=50)
    assert ("02:15" in row.description) == (gap == "as booked")


# ── names of zones ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["Europe/Paris", "Indian/Reunion", "America/Guadeloupe", "US/Eastern", "Etc/UTC"])
def test_iana_names_old_and_new_are_understood(name: str) -> None:
    zone = zone_of(name)
    assert zone is not None
    assert zone.key == name


@pytest.mark.parametrize("label", [*LABELS, *CITIES.replace("\n", ", ").split(", ")])
def test_every_label_of_rails_is_a_zone(label: str) -> None:
    assert zone_of(label) is not None


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Paris", "Europe/Paris"),
        ("Eastern Time (US & Canada)", "America/New_York"),
        ("Bern", "Europe/Zurich"),
        ("Hong Kong", "Asia/Hong_Kong"),
        ("New Caledonia", "Pacific/Noumea"),
        ("Istanbul", "Europe/Istanbul"),
        ("Samoa", "Pacific/Apia"),
    ],
)
def test_a_label_is_the_zone_that_rails_means(label: str, name: str) -> None:
    zone = zone_of(label)
    assert zone is not None
    assert zone.key == name


@pytest.mark.parametrize(
    "nonsense", ["", "Europe", "Europe/", "../Paris", "paris ", "GMT+1:30", "Olympus Mons", "\0", "/etc"]
)
def test_what_is_no_zone_is_none(nonsense: str) -> None:
    assert zone_of(nonsense) is None
