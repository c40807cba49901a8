"""What Valomnia's rows say, by the vendor's own samples and worse."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calferry.errors import Refused
from calferry.model import Appointment, Status
from calferry.moments import instant, zone_name
from calferry.sources.fields import number_of
from calferry.sources.valomnia import rows
from calferry.sources.valomnia.reading import read_json
from calferry.sources.valomnia.rows import digest_of, moment_of, to_appointment

ACCOUNT = "valomnia:acme"
PARIS = ZoneInfo("Europe/Paris")

SHOWN: dict[str, Any] = {
    "id": 5,
    "reference": "Ref-01",
    "title": "Meeting",
    "note": "bring samples",
    "startDate": "2026-12-03T08:00:00Z",
    "endDate": "2026-12-03T08:25:00Z",
    "done": True,
    "user": {"id": 1, "reference": "emp04", "href": "/api/v1.0/users/1"},
    "customerId": 2,
    "customer": {"id": 2, "reference": "NC-3", "name": "Marie's Jewelry", "href": "/api/v1.0/customers/2"},
    "appointmentCategoryId": 1,
    "appointmentCategory": {"id": 1, "reference": "meeting", "name": "Rendez-vous"},
    "contacts": [{"id": 9, "href": "/api/v1.0/contacts/9"}, {"id": 8, "href": "/api/v1.0/contacts/8"}],
    "organization": "entity1",
    "dateCreated": "2026-11-15T14:15:02Z",
    "lastUpdated": "2026-11-16T17:21:30Z",
}


def read(*, references: bool = True, zone: ZoneInfo = PARIS, **members: Any) -> Appointment:
    return to_appointment(SHOWN | members, ACCOUNT, zone=zone, references=references)


def test_a_shown_appointment_says_everything() -> None:
    row = read()
    assert (row.source, row.source_id, row.reference) == (ACCOUNT, "5", "Ref-01")
    assert (row.summary, row.description, row.service) == ("Meeting", "bring samples", "Rendez-vous")
    assert (row.status, row.said, row.contact.name) == (Status.CONFIRMED, "done", "Marie's Jewelry")
    assert [owner.key for owner in row.owners] == ["1"]
    assert row.uses == ("staff/1", "service/1", "customer/2", "contact/9", "contact/8")


def test_times_are_instants_shown_in_the_zone_of_the_source() -> None:
    row = read()
    assert row.start.isoformat() == "2026-12-03T09:00:00+01:00"
    assert (zone_name(row.start), row.end - row.start) == ("Europe/Paris", timedelta(minutes=25))


def test_references_are_told_always_or_never() -> None:
    assert read(references=False).reference == ""


def test_nothing_but_the_id_of_the_user_decides_whose_it_is() -> None:
    assert [owner.key for owner in read(user={"id": "0012"}).owners] == ["0012"]


@pytest.mark.parametrize("user", [None, {}, [], "emp04", {"reference": "emp04"}, {"id": None}, {"id": True}])
def test_an_unknown_assignee_is_refused_and_never_a_default(user: Any) -> None:
    with pytest.raises(Refused, match="whose"):
        read(user=user)


def test_a_zero_duration_is_kept_as_it_is() -> None:
    row = read(endDate=SHOWN["startDate"])
    assert row.start == row.end


@pytest.mark.parametrize("end", [None, "", "2026-12-03T07:00:00Z"])
def test_a_missing_end_or_one_before_the_start_ends_at_the_start(end: str | None) -> None:
    row = read(endDate=end)
    assert row.start == row.end == datetime(2026, 12, 3, 8, tzinfo=UTC)


def test_a_member_that_is_left_out_is_as_good_as_none() -> None:
    kept = {name: value for name, value in SHOWN.items() if name in {"id", "startDate", "user"}}
    row = to_appointment(kept, ACCOUNT, zone=PARIS, references=True)
    assert (row.said, row.service, row.uses) == ("planned", "", ("staff/1",))


@pytest.mark.parametrize(
    "time",
    ["", None, 5, "soon", "2026-12-03", "2026-12-03T08:00:00", "0000-00-00T00:00:00Z", "2026-13-03T08:00:00Z", {}],
)
def test_a_start_that_is_no_instant_is_refused(time: Any) -> None:
    """Without a zone it might be anybody's: a wrong hour in a calendar is worse than none."""
    with pytest.raises(Refused, match="start"):
        read(startDate=time)


def test_an_end_that_cannot_be_understood_is_refused() -> None:
    with pytest.raises(Refused, match="end"):
        read(endDate="later")


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_time_beyond_the_calendar_is_refused(time: str) -> None:
    zone = ZoneInfo("America/New_York") if time.startswith("0001") else PARIS
    with pytest.raises(Refused, match="calendar"):
        read(startDate=time, endDate=None, zone=zone)


@pytest.mark.parametrize(
    ("text", "hour"),
    [("2026-12-03T08:00:00Z", 8), ("2026-12-03T08:00:00.250Z", 8), ("2026-12-03T08:00:00+00:00", 8)],
)
def test_instants_are_read_in_every_spelling(text: str, hour: int) -> None:
    moment = moment_of(text)
    assert moment is not None
    assert moment.replace(microsecond=0) == datetime(2026, 12, 3, hour, tzinfo=UTC)


def test_filters_get_whole_seconds_in_utc_and_nothing_else() -> None:
    moment = datetime(2026, 12, 3, 9, 0, 0, 250_000, tzinfo=PARIS)
    assert instant(moment) == "2026-12-03T08:00:00Z"


def test_the_nested_category_counts_where_a_key_is_named_twice() -> None:
    body = b"""{"id": 23, "startDate": "2026-10-27T05:00:00Z", "user": {"id": 1}, "appointmentCategoryId": 5,
                "appointmentCategoryId": 3, "appointmentCategory": {"id": 5, "name": "Autre"}}"""
    row = to_appointment(read_json(body), ACCOUNT, zone=PARIS, references=True)
    assert row.uses == ("staff/1", "service/5")


def test_ids_beside_the_nested_objects_count_where_there_are_none() -> None:
    row = read(customer=None, appointmentCategory=None, contacts=[9, "8", None, {}])
    assert row.uses == ("staff/1", "service/1", "customer/2", "contact/9", "contact/8")


def test_no_customer_is_no_contact() -> None:
    row = read(customer=None, customerId=None, contacts=None)
    assert (row.contact.name, row.uses) == ("", ("staff/1", "service/1"))


def test_ids_are_text_whether_they_came_as_numbers_or_not() -> None:
    assert read(id="5").source_id == read(id=5).source_id == read(id=5.0).source_id == "5"


def test_texts_are_composed_alike_so_that_a_charset_rewrites_nothing() -> None:
    assert read(title="Re\u0301union\0 ") == read(title="R\u00e9union")


def test_done_is_read_in_every_spelling() -> None:
    assert [read(done=value).said for value in (True, "true", False, None, "no")] == ["done"] * 2 + ["planned"] * 3


def test_a_digest_heeds_what_is_shown_and_nothing_that_ticks() -> None:
    assert digest_of(SHOWN) == digest_of(SHOWN | {"views": 7, "href": "x"})
    for member in ("title", "startDate", "endDate", "note", "customer", "lastUpdated", "contacts"):
        assert digest_of(SHOWN) != digest_of(SHOWN | {member: "other"})


def test_people_are_told_with_what_reaches_them() -> None:
    names = {"emp04": "Ana Pérez"}
    user = rows.staff({"id": 1, "email": "ana@acme.example", "employeeReference": "emp04"}, names, ACCOUNT)
    assert (user.key, dict(user.fields)) == (
        "staff/1",
        {"name": "Ana Pérez", "email": "ana@acme.example", "reference": "emp04"},
    )
    company = rows.customer({"id": 2, "name": "BATAM", "street": "1 rue X", "city": "Tunis", "phone": 71}, ACCOUNT)
    assert dict(company.fields) == {"last_name": "BATAM", "address": "1 rue X, Tunis", "phone": "71"}
    person = rows.contact({"id": 9, "firstName": "Jo", "lastName": "Roy", "mobile": "+216 1", "email": ""}, ACCOUNT)
    assert dict(person.fields) == {"first_name": "Jo", "last_name": "Roy", "phone": "+216 1"}
    assert dict(rows.service({"id": 3, "name": "Autre"}, ACCOUNT).fields) == {"name": "Autre"}


@pytest.mark.parametrize(
    ("told", "number"), [(116, 116), ("116", 116), (0, 0), (-1, None), (None, None), (1.5, None), ("9" * 5000, None)]
)
def test_totals_are_numbers_in_either_spelling(told: Any, number: int | None) -> None:
    assert number_of(told) == number


class TestJson:
    def test_a_stray_letter_between_members_is_left_out(self) -> None:
        assert read_json('{"contacts": [{²\n "id": 9, "href": "²"}]}\u00a0'.encode()) == {
            "contacts": [{"id": 9, "href": "²"}]
        }

    def test_a_stray_letter_in_every_object_of_a_full_page_is_left_out(self) -> None:
        row = {"id": 1, "note": "{²", "customer": {"id": 2}, "user": {"id": 3}, "contacts": [{"id": 4}, {"id": 5}]}
        page = {"data": [row] * 100}
        told = json.dumps(page, ensure_ascii=False).replace('{"', '{²"')
        assert told.count("²") > 500
        assert read_json(told.encode()) == page

    def test_utf_8_is_read_as_such_and_latin_1_where_it_is_none(self) -> None:
        assert read_json('{"name": "Réunion"}'.encode()) == read_json('{"name": "Réunion"}'.encode("latin-1"))

    def test_a_mark_in_front_and_control_characters_within_do_no_harm(self) -> None:
        assert read_json('\ufeff{"note": "a\tb\nc"}'.encode()) == {"note": "a\tb\nc"}

    @pytest.mark.parametrize("body", [b"", b"{", b'{"data": [{"id": 1}', b"<html>", b'{"a" 1}', "²" * 200, b'{"a": 1'])
    def test_what_is_not_whole_is_never_completed(self, body: bytes | str) -> None:
        with pytest.raises(ValueError, match=r"."):
            read_json(body if isinstance(body, bytes) else body.encode())

    @given(st.recursive(st.none() | st.integers() | st.text(), lambda some: st.dictionaries(st.text(), some)))
    def test_what_is_whole_is_read_as_it_is(self, value: Any) -> None:
        assert read_json(json.dumps(value, ensure_ascii=True).encode()) == value


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=5), some, max_size=3),
    max_leaves=5,
)


@given(st.fixed_dictionaries({name: json_values | st.just(value) for name, value in SHOWN.items()}))
def test_any_row_is_read_or_refused(row: dict[str, Any]) -> None:
    try:
        appointment = to_appointment(row, ACCOUNT, zone=PARIS, references=True)
    except Refused:
        return
    assert appointment.start <= appointment.end
    assert appointment.owners
