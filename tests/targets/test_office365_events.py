"""What Outlook can hold and how it is asked for: pure, without a server."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from calferry.colors import NAMES, OWN
from calferry.errors import Refused
from calferry.model import Change, Classification, Event, Mark, Status, Transparency
from calferry.moments import utc
from calferry.targets.office365 import Settings
from calferry.targets.office365.events import fit
from calferry.targets.office365.requests import (
    MARK,
    decode,
    identity,
    look_up,
    mark_of,
    mark_text,
    originals,
    seen,
    survey,
)
from tests.builders import event, mark, receipt
from tests.contracts.target import AWKWARD, create, delete, update
from tests.targets.office365_world import ANA, KEY, built

OTHER = f"{KEY}/calendars/AQMk_-Z/+="


def settings(**options: Any) -> Settings:
    given = {"tenant": "salon.example", "client_id": "1", "client_secret": "s", "allow": ["*@salon.example"]}
    return Settings(**(given | options))


TARGET = built(settings())


def sent(change: Change) -> dict[str, Any]:
    stored: dict[str, Any] = json.loads(TARGET.encode(change))
    return stored


moments = st.builds(
    lambda seconds, zone: (datetime(1990, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).astimezone(ZoneInfo(zone)),
    st.floats(0, 60 * 365 * 86_400),
    st.sampled_from(["Europe/Paris", "US/Eastern", "Africa/Casablanca", "Australia/Lord_Howe", "UTC"]),
)
texts = st.text(max_size=80) | st.text("<&>é\u0301\u200d👩🏽\n ", min_size=1000, max_size=1100).map(lambda one: one * 8)
events = st.builds(
    lambda start, length, **fields: Event(uid="u1", start=start, end=start + length, **fields),
    moments,
    st.timedeltas(timedelta(0), timedelta(days=2)),
    summary=texts,
    description=texts,
    location=texts,
    url=st.sampled_from(["", "https://book.example/1"]),
    status=st.sampled_from(Status),
    transparency=st.sampled_from(Transparency),
    classification=st.sampled_from(Classification),
    categories=st.lists(st.text(max_size=3) | st.sampled_from(["Red", "red", "a,b", " "])).map(tuple),
    color=st.sampled_from(["", OWN, *NAMES]),
)


@given(events)
def test_fitting_twice_is_fitting_once(wanted: Event) -> None:
    fitted = fit(wanted)
    assert fit(fitted) == fitted
    assert fit(fitted).fingerprint == fitted.fingerprint
    assert utc(fitted.end) - utc(fitted.start) >= timedelta(minutes=1)
    assert len(fitted.summary) <= 255
    assert len(fitted.location) <= 255
    assert len(fitted.description) <= 8192
    assert "\n" not in fitted.summary + fitted.location
    assert not any("," in one for one in fitted.categories)
    assert len({one.casefold() for one in fitted.categories}) == len(fitted.categories)


@given(events)
def test_every_request_is_ascii_on_one_line_and_comes_back_as_it_was(wanted: Event) -> None:
    stored = TARGET.encode(create(TARGET, KEY, wanted))
    assert stored.isascii()
    assert b"\n" not in stored
    assert json.loads(decode(stored).body or "") == json.loads(stored)["body"]


# ── spam ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", AWKWARD)
def test_nobody_is_ever_invited_and_what_graph_presumes_is_said(name: str) -> None:
    held = receipt(AWKWARD[name], KEY)
    for change in (create(TARGET, KEY, AWKWARD[name]), update(TARGET, held, AWKWARD[name])):
        body = sent(change)["body"]
        assert body["isReminderOn"] is False
        assert {"showAs", "sensitivity", "categories", "isAllDay"} <= body.keys()
        assert not {"attendees", "isOnlineMeeting", "recurrence", "iCalUId"} & body.keys()


# ── requests ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_request_names_no_host() -> None:
    held = receipt(event(), OTHER, href="AAkA/+=")
    paths = [decode(TARGET.encode(one)).path for one in (create(TARGET, OTHER, event()), update(TARGET, held, event()))]
    assert paths == [
        "users/ana@salon.example/calendars/AQMk_-Z%2F%2B%3D/events",
        "users/ana@salon.example/events/AAkA%2F%2B%3D",
    ]
    assert decode(TARGET.encode(delete(held))).path == paths[1]


def test_every_request_asks_for_ids_that_stay() -> None:
    held = receipt(event(), KEY)
    changes = (create(TARGET, KEY, event()), update(TARGET, held, event()), delete(held))
    asked = [*(decode(TARGET.encode(one)) for one in changes), look_up(KEY, "u1", 0), survey(KEY)]
    assert {one.headers["Prefer"] for one in asked} == {'IdType="ImmutableId"'}
    assert [one.headers.get("If-Match") for one in asked[:3]] == [None, held.etag, held.etag]


def test_an_identity_differs_by_calendar_uid_and_generation_and_not_by_case() -> None:
    made = {identity(calendar, uid, number) for calendar in (KEY, OTHER) for uid in ("u1", "u2") for number in (0, 1)}
    assert len(made) == 8
    assert all(one == one.lower() and len(one) == 64 for one in made)
    assert sent(create(TARGET, KEY, event()))["body"]["transactionId"] == identity(KEY, "u1", 0)


def test_a_look_up_is_by_what_a_create_left() -> None:
    (wanted,) = [
        one["value"]
        for one in sent(create(TARGET, OTHER, event()))["body"]["singleValueExtendedProperties"]
        if one["id"].endswith("calferryIdentity")
    ]
    asked = unquote(look_up(OTHER, "u1", 0).query)
    assert f"Name calferryIdentity' and ep/value eq '{wanted}'" in asked


@pytest.mark.parametrize("name", ["test", "s" * 200])
def test_a_mark_is_read_back_and_is_short_enough_for_a_listing(name: str) -> None:
    uid, ledger = "0" * 36, "1" * 36
    written = Mark(installation=name, ledger=ledger, uid=uid, generation=999_999, fingerprint="f" * 64)
    text = mark_text(written, KEY)
    assert len(text) <= 255
    read = mark_of(text, KEY)
    assert read is not None
    assert (read.ledger, read.uid, read.generation, read.fingerprint) == (ledger, uid, 999_999, "f" * 64)
    assert mark_of(text, OTHER) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
OURS = {"id": MARK, "value": mark_text(mark(), KEY)}


@given(json_values.map(json.dumps) | st.text(max_size=20))
@example(mark_text(mark(), KEY)[:-1])
@example(mark_text(mark(), KEY).replace("[", "[true,", 1))
@example(mark_text(mark("u\x00"), KEY))
@example(mark_text(mark(""), KEY))
@example(mark_text(mark("u1", generation=-1), KEY))
@example(mark_text(mark("u1", generation=10**12), KEY))
@example(mark_text(mark(), OTHER))
@example("[" * 100_000)
def test_a_text_of_whatever_shape_is_no_mark(text: str) -> None:
    assert mark_of(text, KEY) is None


@given(
    json_values
    | st.fixed_dictionaries(
        {"id": json_values, "@odata.etag": json_values, "attendees": json_values},
        optional={"singleValueExtendedProperties": json_values | st.just([OURS]), "createdDateTime": json_values},
    )
)
@example({"id": "x", "@odata.etag": "e", "attendees": None, "singleValueExtendedProperties": [OURS]})
@example({"id": "x", "@odata.etag": "", "attendees": [], "singleValueExtendedProperties": [OURS]})
@example({"id": "", "@odata.etag": "e", "attendees": [], "singleValueExtendedProperties": [OURS]})
def test_an_item_of_whatever_shape_is_read_or_passed_over(item: Any) -> None:
    one = seen(item, KEY)
    assert one is None or (one.href == item["id"] and one.etag and one.guests == len(item["attendees"]))


def shown(href: str, created: str, *attendees: str) -> dict[str, Any]:
    guests = [{"emailAddress": {"address": one}} for one in attendees]
    head = {"id": href, "@odata.etag": 'W/"1"', "createdDateTime": created, "attendees": guests}
    return head | {"singleValueExtendedProperties": [OURS | {"id": MARK.upper()}]}


def test_of_an_event_and_its_copies_the_first_is_ours() -> None:
    items = [shown("c", "2026-11-26T00:00:00Z"), shown("b", "2026-11-25T00:00:00Z"), shown("a", "2026-11-27T00:00:00Z")]
    assert [one.href for one in originals([None, *items], KEY)] == ["b"]


def test_an_event_with_guests_has_no_etag_to_write_under() -> None:
    for attendees, etag in ((), 'W/"1"'), ((ANA.upper(),), 'W/"1"'), (("jo@customer.example",), ""):
        one = seen(shown("a", "", *attendees), KEY)
        assert one is not None
        assert one.safe_etag == etag
    online = seen(shown("a", "") | {"isOnlineMeeting": True}, KEY)
    assert online is not None
    assert online.safe_etag == ""


# ── names and settings ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_calendar_is_named_by_its_mailbox_or_by_its_id_there() -> None:
    assert TARGET.canonical(" Ana@Salon.example ") == KEY
    assert TARGET.canonical("ANA@salon.example/calendars/AQMk_-Z/+=") == OTHER
    assert TARGET.lane(OTHER) == ANA


@pytest.mark.parametrize(
    "name",
    [
        "",
        "ana",
        "{owner.email}",
        "ana@elsewhere.example",
        "ana@salon.example/calendars/",
        "ana@salon.example/calendar",
        "x/ana@salon.example",
    ],
)
def test_what_names_no_calendar_that_may_be_written_is_refused(name: str) -> None:
    with pytest.raises(Refused):
        TARGET.canonical(name)


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_secret": None},
        {"certificate": "-----BEGIN PRIVATE KEY----------BEGIN CERTIFICATE-----"},
        {"client_secret": None, "certificate": "x"},
        {"client_secret": None, "certificate": "-----BEGIN ENCRYPTED PRIVATE KEY----------BEGIN CERTIFICATE-----"},
        {"allow": []},
        {"batch": 21},
        {"batch": 0},
        {"tenant": "a/b"},
        {"tenant": ""},
        {"root_url": "http://graph.microsoft.com"},
        {"authority": "https://user@login.microsoftonline.com"},
        {"extra": 1},
    ],
)
def test_settings_that_cannot_work_are_refused_without_quoting_a_secret(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as raised:
        settings(**wrong)
    assert "CERTIFICATE-----" not in str(raised.value)


def test_the_basis_changes_with_what_decides_where_an_event_is_held() -> None:
    def basis(**options: Any) -> str:
        return built(settings(**options)).basis

    assert basis(batch=7, root_url="https://graph.microsoft.us") == basis()
    assert basis(allow=["*"]) != basis()


# ── time ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_times_are_sent_in_utc_and_never_as_days() -> None:
    paris = ZoneInfo("Europe/Paris")
    night = event(start=datetime(2026, 12, 3, tzinfo=paris), end=datetime(2026, 12, 4, tzinfo=paris))
    body = sent(create(TARGET, KEY, night))["body"]
    assert body["start"] == {"dateTime": "2026-12-02T23:00:00", "timeZone": "UTC"}
    assert body["end"] == {"dateTime": "2026-12-03T23:00:00", "timeZone": "UTC"}
    assert body["isAllDay"] is False


@pytest.mark.parametrize(
    ("status", "transparency", "word"),
    [
        (Status.CONFIRMED, Transparency.OPAQUE, "busy"),
        (Status.TENTATIVE, Transparency.OPAQUE, "tentative"),
        (Status.CONFIRMED, Transparency.TRANSPARENT, "free"),
        (Status.TENTATIVE, Transparency.TRANSPARENT, "free"),
        (Status.CANCELLED, Transparency.OPAQUE, "free"),
    ],
)
def test_status_and_transparency_become_one_word(status: Status, transparency: Transparency, word: str) -> None:
    wanted = event(status=status, transparency=transparency)
    assert sent(create(TARGET, KEY, wanted))["body"]["showAs"] == word
