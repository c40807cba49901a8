"""Agendize's rows, read without a network."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from calferry.errors import Refused
from calferry.model import Contact, Owner
from calferry.moments import utc
from calferry.sources.agendize import Settings, to_appointment
from calferry.sources.agendize.rows import deletion_in, reschedule_link, synchronised_with, written_elsewhere
from calferry.sources.fields import is_bare

ACCOUNT = "agendize:13772899"
PARIS = ZoneInfo("Europe/Paris")

ROW: dict[str, Any] = {
    "id": "13804501",
    "reference": "AB12CD",
    "company": {"id": "13772899", "name": "Salon Exemple"},
    "service": {"id": "5", "name": "Consultation"},
    "staff": {"id": "77", "firstName": "Ana", "lastName": "P&#233;rez"},
    "client": {
        "id": "9",
        "firstName": "Jo",
        "lastName": "Roy",
        "email": "jo@customer.example",
        "timeZone": "Asia/Tokyo",
    },
    "start": {"dateTime": "2026-12-03T09:00:00", "timeZone": "US/Eastern"},
    "end": {"dateTime": "2026-12-03T09:30:00", "timeZone": "US/Eastern"},
    "status": "accepted",
    "type": "normal",
}


def read(**members: Any) -> Any:
    return to_appointment(ROW | members, ACCOUNT)


def at(text: str, zone: str | None = "Europe/Paris") -> dict[str, str]:
    return {"dateTime": text} | ({"timeZone": zone} if zone else {})


def test_a_row_becomes_an_appointment() -> None:
    row = read()
    assert (row.source, row.source_id, row.reference, row.external_id) == (ACCOUNT, "13804501", "AB12CD", "")
    assert row.owners == (Owner(key="77", name="Ana Pérez"),)
    assert row.contact == Contact(first_name="Jo", last_name="Roy", email="jo@customer.example")
    assert row.uses == ("staff/77", "service/5", "company/13772899")
    assert (row.service, row.said, row.kind) == ("Consultation", "accepted", "normal")


def test_naive_times_are_wall_times_of_their_zone_and_not_utc() -> None:
    assert read().start.isoformat() == "2026-12-03T09:00:00-05:00"


@pytest.mark.parametrize("alias", ["US/Eastern", "America/Montreal", "Asia/Calcutta", "Europe/Kiev", "GMT"])
def test_legacy_zone_names_need_no_system_database(alias: str) -> None:
    assert str(read(start=at("2026-12-03T09:00:00", alias), end=None).start.tzinfo) == alias


def test_each_end_is_read_in_its_own_zone_and_the_clients_is_never_used() -> None:
    row = read(start=at("2026-12-03T09:00:00", "Europe/Paris"), end=at("2026-12-03T09:30:00", "Europe/London"))
    assert utc(row.end) - utc(row.start) == timedelta(minutes=90)
    assert "Asia/Tokyo" not in str(row)


def test_without_a_zone_the_companys_holds_and_without_that_the_row_is_refused() -> None:
    row = ROW | {"start": at("2026-12-03T09:00:00", None), "end": at("2026-12-03T09:30:00", None)}
    assert to_appointment(row, ACCOUNT, zone=PARIS).start.isoformat() == "2026-12-03T09:00:00+01:00"
    with pytest.raises(Refused, match="start has no time zone"):
        to_appointment(row, ACCOUNT)


def test_a_time_with_an_offset_is_that_instant_shown_in_its_zone() -> None:
    assert read(start=at("2026-12-03T08:00:00Z"), end=None).start.isoformat() == "2026-12-03T09:00:00+01:00"


@pytest.mark.parametrize("minutes", [0, 45])
def test_without_an_end_it_lasts_as_long_as_its_service_if_that_is_known(minutes: int) -> None:
    row = to_appointment(ROW | {"end": None}, ACCOUNT, minutes={"5": minutes} if minutes else None)
    assert row.end - row.start == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("start", at("2026-12-03")),
        ("start", at("0000-00-00T00:00:00")),
        ("start", at("9999-12-31T23:59:00", "America/New_York")),
        ("start", at("next Tuesday, 9 am")),
        ("start", at("2026-12-03T09:00:00", "Mars/Olympus")),
        ("start", at("2026-12-03T09:00:00", "America")),
        ("start", at("2026-12-03T09:00:00", "../etc/passwd")),
        ("start", "2026-12-03T09:00:00"),
        ("start", None),
        ("end", at("2026-12-03T08:00:00", "US/Eastern")),
    ],
)
def test_what_cannot_be_placed_in_time_is_refused_with_a_reason_that_names_nobody(member: str, value: Any) -> None:
    with pytest.raises(Refused) as refusal:
        read(**{member: value})
    reason = str(refusal.value)
    assert not any(word in reason for word in ("Jo", "Roy", "Ana", "customer.example", "passwd", "Tuesday"))


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("P&#233;rez", "Pérez"),
        ("P&#xE9;rez", "Pérez"),
        ("Soin &amp; épilation", "Soin & épilation"),
        ("Pe\N{COMBINING ACUTE ACCENT}rez", "Pérez"),
        ("Q&notes", "Q&notes"),
        ("50 % &copy", "50 % &copy"),
        ("a\0b \ud83d", "ab"),
    ],
)
def test_names_are_shown_in_letters(written: str, shown: str) -> None:
    assert read(service={"id": "5", "name": written}).service == shown


def test_entities_stay_as_they_are_where_nothing_is_shown() -> None:
    row = read(reference="A&amp;B", client={"email": "jo&amp;co@customer.example"})
    assert (row.reference, row.contact.email) == ("A&amp;B", "jo&amp;co@customer.example")


@pytest.mark.parametrize("written", [13804501, "13804501", " 13804501 ", 13804501.0])
def test_an_id_is_the_same_text_however_it_is_written(written: Any) -> None:
    assert read(id=written, staff={"id": written}).owners[0].key == "13804501"
    assert read(id=written).source_id == "13804501"


@pytest.mark.parametrize(
    "members",
    [
        {"deleted": True},
        {"deleted": "true"},
        {"deleted": "True"},
        {"deleted": 1},
        {"deleted": {"dateTime": "2026-12-01T08:00:00", "timeZone": "Europe/Paris"}},
        {"deleted": "2026-12-01T08:00:00"},
        {"status": "deleted"},
    ],
)
def test_a_deletion_is_seen_in_every_spelling(members: dict[str, Any]) -> None:
    assert deletion_in(ROW | members)
    assert deletion_in({"id": "1"} | members)


@pytest.mark.parametrize("more", [{}, {"reference": "AB12CD"}, {"deleted": None}, {"deleted": False}, {"status": ""}])
def test_a_row_with_next_to_nothing_in_it_is_no_deletion(more: dict[str, Any]) -> None:
    assert not deletion_in({"id": "1"} | more)
    assert is_bare({"id": "1"} | more) == (not more)


EMPTY = [{"dateTime": None, "timeZone": None}, at(""), at("0000-00-00T00:00:00"), {"dateTime": {}}, {"by": "77"}]


@pytest.mark.parametrize(
    "deleted", [False, None, "false", "False", 0, "0", "", {}, [], "no", "never-ever", {"deleted": True}, *EMPTY]
)
def test_not_deleted_is_not_a_deletion(deleted: Any) -> None:
    assert not deletion_in(ROW | {"deleted": deleted})


@pytest.mark.parametrize(
    ("members", "location", "url"),
    [
        ({"location": "companyAddress", "locationCustom": "stale"}, "", ""),
        ({"location": "phone"}, "phone", ""),
        ({"location": "companyAddress", "onlineMeeting": {"videoLink": "https://meet.example/1"}}, "", ""),
        ({"onlineMeeting": {"videoLink": "https://meet.example/1"}}, "", "https://meet.example/1"),
        ({"location": "custom", "locationCustom": "12 rue de l&#8217;Exemple"}, "12 rue de l’Exemple", ""),
        (
            {"location": "videoconference", "onlineMeeting": {"videoLink": "https://meet.example/1?a=1&b=2"}},
            "",
            "https://meet.example/1?a=1&b=2",
        ),
        ({"location": "videoconference", "onlineMeeting": {"videoLink": "javascript:alert(1)"}}, "videoconference", ""),
        ({"location": "on the moon"}, "", ""),
    ],
)
def test_a_place_is_a_text_or_a_link(members: dict[str, Any], location: str, url: str) -> None:
    row = read(**members)
    assert (row.location, row.url) == (location, url)


@pytest.mark.parametrize(
    ("price", "text"),
    [
        ({"amount": 25.0, "currency": "EUR"}, "25 EUR"),
        ({"amount": 25.5, "currency": "CAD"}, "25.50 CAD"),
        ({"amount": float("nan"), "currency": "EUR"}, ""),
        ({"amount": None}, ""),
        (None, ""),
        (40, "40"),
    ],
)
def test_a_price_is_amount_and_currency(price: Any, text: str) -> None:
    assert read(price=price).price == text


def test_a_custom_status_is_told_and_the_native_one_decides() -> None:
    row = read(customStatus={"id": "1", "name": "Arriv&#233;e"}, status="pending")
    assert (row.custom_status, row.said, row.status) == ("Arrivée", "pending", "TENTATIVE")


def test_without_a_native_status_a_custom_one_stands_and_its_id_does_for_a_name() -> None:
    row = read(status=None, customStatus={"id": 12, "name": "Arriv&#233;e"})
    assert (row.custom_status, row.said, row.status) == ("Arrivée", "", "CONFIRMED")
    assert read(customStatus={"id": 12}).custom_status == "12"


ROOMS = [{"id": 8, "name": "Salle &amp; jardin"}, {"id": "9", "name": "Laser"}, {"id": "9"}, None, {"name": "nameless"}]


def test_a_resource_takes_the_place_of_a_service_and_of_nobody() -> None:
    row = read(service=None, staff=None, resource={"id": 8, "name": "Court 2"})
    assert (row.service, row.owners, row.uses) == ("Court 2", (), ("company/13772899",))


def test_with_owners_by_resource_each_resource_is_one_and_else_the_staff() -> None:
    row = to_appointment(ROW | {"service-resource": ROOMS}, ACCOUNT, by_resource=True)
    assert [(owner.key, owner.name) for owner in row.owners] == [("8", "Salle & jardin"), ("9", "")]
    assert row.uses == ("staff/77", "service/5", "company/13772899", "resource/8", "resource/9")
    assert row.service == "Consultation"
    assert to_appointment(ROW, ACCOUNT, by_resource=True) == read()


@pytest.mark.parametrize("several", [{"id": "8", "name": "Laser"}, [{"id": "8", "name": "Laser"}]])
def test_service_resources_come_as_a_list_and_one_alone_is_read_too(several: Any) -> None:
    row = read(service=None, **{"service-resource": several})
    assert (row.service, row.owners[0].key) == ("Laser", "77")


@pytest.mark.parametrize(
    ("flag", "kind"), [(True, "meta-event"), ("true", "meta-event"), ("false", "normal"), (None, "normal")]
)
def test_a_group_session_is_of_a_kind_of_its_own(flag: Any, kind: str) -> None:
    assert read(**{"meta-event": flag}).kind == kind


@pytest.mark.parametrize(
    ("told", "link"),
    [
        ("https://x.example/1", "https://x.example/1"),
        ({"link": "https://x.example/1", "text": "Move it"}, "https://x.example/1"),
        ("javascript:alert(1)", ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_a_reschedule_link_is_a_text_or_an_object(told: Any, link: str) -> None:
    assert reschedule_link(ROW | {"rescheduleLink": told}) == link


def test_what_agendize_has_synchronised_itself_is_seen() -> None:
    told = {"googleCalendar": {"id": "g1"}, "office365Calendar": {"id": ""}, "salesforce": {"id": "s1"}}
    assert synchronised_with(ROW | {"synchronization": told}) == ["googleCalendar"]
    assert synchronised_with(ROW | {"synchronization": None}) == []


def test_the_events_that_agendize_wrote_are_told_by_kind_of_calendar() -> None:
    told = {"googleCalendar": {"id": "g1"}, "office365Calendar": {"id": 7}, "windowsLiveCalendar": {"id": "w1"}}
    assert written_elsewhere(ROW | {"synchronization": told}) == (("google", "g1"), ("office365", "7"))
    assert written_elsewhere(ROW | {"synchronization": {"googleCalendar": None}}) == ()


def test_volatile_members_leave_no_trace() -> None:
    volatile = {"history": [{"text": "x"}], "rescheduleLink": "https://x.example", "encryptedId": "x", "paid": True}
    assert read(**volatile) == read()


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


MEMBERS = [
    *ROW,
    *("notes", "location", "price", "customStatus", "deleted", "resource", "service-resource", "meta-event"),
]


@given(st.dictionaries(st.sampled_from([*MEMBERS, "synchronization", "rescheduleLink", "onlineMeeting"]), anything))
@example({"price": {"amount": 10**400}})
@example({"start": {"dateTime": "2026-12-03T09:00:00", "timeZone": "\0"}})
@example({"id": "\ud800"})
def test_no_row_breaks_the_reader(members: dict[str, Any]) -> None:
    row = ROW | members
    assert isinstance(deletion_in(row), str)
    assert isinstance(reschedule_link(row), str)
    assert synchronised_with(row) in ([], ["googleCalendar"])
    try:
        appointment = to_appointment(row, ACCOUNT, zone=PARIS, minutes={"5": 30}, by_resource=True)
    except Refused:
        return
    assert utc(appointment.start) <= utc(appointment.end)
    assert json.dumps(
        [appointment.service, appointment.description, appointment.source_id], ensure_ascii=False
    ).encode()


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "http://api.agendize.com"},
        {"base_url": "api.agendize.com"},
        {"base_url": "https://user:word@api.agendize.com"},
        {"api_key": "two\nlines"},
        {"api_key": ""},
        {"ca_file": "/nowhere.pem"},
        {"company": ""},
        {"colour": "blue"},
        {"owners": "rooms"},
        {"reschedule_link": "yes"},
        {"token_uri": "http://app.agendize.com/o/oauth2/token"},
    ],
)
def test_settings_are_checked_before_anything_starts_and_keep_their_secrets(wrong: dict[str, str]) -> None:
    right = {"company": "13772899", "api_key": "k-secret", "token": "t-secret"}
    assert not any(secret in repr(Settings.model_validate(right)) for secret in ("k-secret", "t-secret"))
    with pytest.raises(ValidationError) as problem:
        Settings.model_validate(right | wrong)
    assert [str(part) for part in problem.value.errors()[0]["loc"]] == list(wrong)
    assert not any(secret in str(problem.value) for secret in ("k-secret", "t-secret", "two\nlines", "word@"))


APPLICATION = {"client_id": "app-1", "client_secret": "c-secret", "refresh_token": "r-secret"}
KEY = {"api_key": "k-secret", "token": "t-secret"}


@pytest.mark.parametrize("secrets", [KEY, APPLICATION])
def test_there_are_two_ways_in(secrets: dict[str, str]) -> None:
    assert Settings.model_validate({"company": "1"} | secrets).company == "1"


@pytest.mark.parametrize(
    "secrets",
    [{}, KEY | APPLICATION, {"api_key": "k-secret"}, {"token": "t-secret"}, {"client_id": "app-1", "token": "t-secret"}]
    + [{name: text for name, text in APPLICATION.items() if name != left_out} for left_out in APPLICATION],
)
def test_half_a_way_in_and_both_at_once_are_refused_with_what_is_needed(secrets: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as problem:
        Settings.model_validate({"company": "1"} | secrets)
    (error,) = problem.value.errors()
    assert error["loc"] == ()
    assert "either api_key and token, or client_id, client_secret and refresh_token" in error["msg"]
    assert "-secret" not in str(problem.value)


def test_flagged_bookings_of_the_same_thing_with_the_same_person_at_the_same_time_share_a_session() -> None:
    one, other = read(**{"meta-event": True}), read(id="2", **{"meta-event": True})
    assert one.session
    assert one.session == other.session


@pytest.mark.parametrize(
    "change",
    [
        {"service": {"id": "6", "name": "Other"}},
        {"staff": {"id": "78"}},
        {"start": {"dateTime": "2026-12-03T08:30:00", "timeZone": "US/Eastern"}},
        {"end": {"dateTime": "2026-12-03T11:30:00", "timeZone": "US/Eastern"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_differs_in_one_of_these_shares_none(change: dict[str, Any]) -> None:
    assert read(**{"meta-event": True}).session != read(**{"meta-event": True}, **change).session


def test_what_is_not_flagged_and_personal_time_have_no_session() -> None:
    assert (read().session, read(type="personal", **{"meta-event": True}).session) == ("", "")
