"""What Google can hold and how it is asked for: pure, without a server."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from calferry.colors import NAMES, OWN
from calferry.errors import Refused
from calferry.model import Change, Classification, Event, Mark, Status, Transparency
from calferry.moments import utc
from calferry.sandbox.google import service_account_info
from calferry.targets.google import GoogleTarget, Settings, build
from calferry.targets.google.events import COLORS, event_id, fit, mark_of, marked, properties
from calferry.targets.zones import canonical_zone
from tests.builders import event, mark, receipt
from tests.contracts.target import AWKWARD, create, delete, update
from tests.targets.google_world import ANA, KEY, StoppedClock

MARKED = properties(mark())
ZONES = ("Europe/Paris", "America/New_York", "US/Eastern", "Africa/Casablanca", "Australia/Lord_Howe", "UTC")


def settings(**options: Any) -> Settings:
    return Settings(credentials=json.dumps(service_account_info("https://google.example")), **options)


@pytest.fixture
def target() -> GoogleTarget:
    return build("workspace", settings(), clock=StoppedClock())


def sent(target: GoogleTarget, change: Change) -> dict[str, Any]:
    stored: dict[str, Any] = json.loads(target.encode(change))
    return stored


moments = st.builds(
    lambda seconds, zone: (datetime(1990, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).astimezone(ZoneInfo(zone)),
    st.floats(0, 60 * 365 * 86_400),
    st.sampled_from(ZONES),
)
texts = st.text(max_size=80) | st.text("<&>é\u0301\u200d👩🏽\n", min_size=1000, max_size=1100).map(
    lambda text: text * 8
)
events = st.builds(
    lambda start, length, **fields: Event(uid="u1", start=start, end=start + length, **fields),
    moments,
    st.timedeltas(timedelta(0), timedelta(days=2)),
    summary=texts,
    description=texts,
    location=texts,
    url=st.sampled_from(["", "https://book.example/1", "HTTP://book.example", "ftp://x.example", "https://a b"]),
    status=st.sampled_from(Status),
    transparency=st.sampled_from(Transparency),
    classification=st.sampled_from(Classification),
    categories=st.lists(st.text(max_size=3)).map(tuple),
    color=st.sampled_from(["", OWN, *NAMES]),
)


@given(events)
def test_fitting_twice_is_fitting_once(wanted: Event) -> None:
    fitted = fit(wanted)
    assert fit(fitted) == fitted
    assert fit(fitted).fingerprint == fitted.fingerprint
    assert utc(fitted.end) - utc(fitted.start) >= timedelta(minutes=1)
    assert len(fitted.summary) <= 1024
    assert len(fitted.location) <= 1024


@given(events)
def test_every_request_is_ascii_on_one_line_within_the_limits(wanted: Event) -> None:
    target = build("workspace", settings(), clock=StoppedClock())
    stored = target.encode(create(target, KEY, wanted))
    assert stored.isascii()
    assert b"\n" not in stored
    assert len(json.loads(stored)["body"]["description"]) <= 8192


# ── spam ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", AWKWARD)
def test_nobody_is_ever_invited_and_reminders_are_always_off(target: GoogleTarget, name: str) -> None:
    held = receipt(AWKWARD[name], KEY)
    for change in (create(target, KEY, AWKWARD[name]), update(target, held, AWKWARD[name])):
        request = sent(target, change)
        assert request["query"]["sendUpdates"] == "none"
        assert request["body"]["reminders"] == {"useDefault": False, "overrides": []}
        assert not {"attendees", "sequence", "iCalUID", "conferenceData"} & request["body"].keys()
    assert sent(target, delete(held))["query"]["sendUpdates"] == "none"


# ── requests ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_request_names_no_host(target: GoogleTarget) -> None:
    held = receipt(event(), "google:a/b@salon.example")
    for change in (create(target, held.calendar, event()), update(target, held, event()), delete(held)):
        assert sent(target, change)["path"].startswith("calendars/a%2Fb%40salon.example/events")


def test_updates_and_deletions_go_to_the_href_that_was_acknowledged(target: GoogleTarget) -> None:
    held = receipt(event(), KEY, href="abc123")
    for change in (update(target, held, event()), delete(held)):
        assert sent(target, change)["path"] == "calendars/ana%40salon.example/events/abc123"


@pytest.mark.parametrize(("dedicated", "method"), [(False, "PATCH"), (True, "PUT")])
def test_an_update_replaces_only_in_dedicated_calendars(dedicated: bool, method: str) -> None:
    target = build("workspace", settings(dedicated=dedicated), clock=StoppedClock())
    assert sent(target, update(target, receipt(event(), KEY), event()))["method"] == method


def test_an_identity_is_legal_and_differs_by_calendar_uid_and_generation() -> None:
    ids = {event_id(calendar, uid, number) for calendar in ("a", "b") for uid in ("u1", "u2") for number in (0, 1)}
    assert len(ids) == 8
    assert all(re.fullmatch(r"[0-9a-v]{52}", one) for one in ids)


def test_a_mark_is_read_back_as_it_was_written() -> None:
    written = mark("u1", "f" * 64, generation=7)
    assert mark_of(properties(written)) == written


@pytest.mark.parametrize("broken", [{"calferryUid": ""}, {"calferryGeneration": "x"}, {"calferryGeneration": "-1"}])
def test_a_broken_mark_is_none(broken: dict[str, str]) -> None:
    assert mark_of(properties(mark()) | broken) is None


@pytest.mark.parametrize("name", [name for name in properties(mark()) if name != "calferry"])
def test_a_mark_with_a_member_missing_is_none(name: str) -> None:
    assert mark_of({key: text for key, text in properties(mark()).items() if key != name}) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
private = st.fixed_dictionaries({}, optional={name: json_values | st.just(text) for name, text in MARKED.items()})
foreign = st.fixed_dictionaries(
    {"extendedProperties": json_values | st.fixed_dictionaries({"private": json_values | private})},
    optional={"id": json_values, "etag": json_values},
)


@given(json_values | foreign)
@example({"id": None, "extendedProperties": {"private": MARKED}})
@example({"id": "a copy", "extendedProperties": {"private": MARKED}})
@example({"extendedProperties": {"private": MARKED | {"calferryUid": "\ud800"}}})
def test_an_item_of_whatever_shape_is_not_ours(item: Any) -> None:
    assert marked(item, KEY) is None


@given(json_values)
def test_an_item_under_our_id_with_our_mark_is_ours_whatever_else_it_holds(etag: Any) -> None:
    found = marked({"id": event_id(KEY, "u1", 0), "etag": etag, "extendedProperties": {"private": MARKED}}, KEY)
    assert found is not None
    assert found.mark == mark()
    assert found.etag == (etag if isinstance(etag, str) else "")


def test_an_empty_mark_is_none() -> None:
    assert mark_of({}) is None
    assert isinstance(mark_of(properties(mark())), Mark)


# ── time ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_times_are_sent_in_utc_with_their_zone_and_never_as_days(target: GoogleTarget) -> None:
    paris = ZoneInfo("Europe/Paris")
    night = event(start=datetime(2026, 12, 3, tzinfo=paris), end=datetime(2026, 12, 4, tzinfo=paris))
    body = sent(target, create(target, KEY, night))["body"]
    assert body["start"] == {"dateTime": "2026-12-02T23:00:00Z", "timeZone": "Europe/Paris"}
    assert body["end"] == {"dateTime": "2026-12-03T23:00:00Z", "timeZone": "Europe/Paris"}


def test_what_ends_when_it_starts_or_before_lasts_a_minute() -> None:
    start = event().start
    for length in (timedelta(0), timedelta(seconds=59), -timedelta(hours=1)):
        fitted = fit(event(end=start + length))
        assert utc(fitted.end) - utc(fitted.start) == timedelta(minutes=1)


def test_parts_of_seconds_and_spellings_of_utc_make_no_difference() -> None:
    spellings = [UTC, timezone(timedelta(0)), ZoneInfo("UTC"), ZoneInfo("Etc/UTC"), ZoneInfo("Zulu")]
    starts = [datetime(2026, 12, 3, 9, 0, 0, part, zone) for zone in spellings for part in (0, 999_999)]
    assert len({fit(event(start=start)).fingerprint for start in starts}) == 1


@pytest.mark.parametrize(
    ("alias", "zone"),
    [
        ("US/Eastern", "America/New_York"),
        ("America/Montreal", "America/Toronto"),
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("Europe/Amsterdam", "Europe/Amsterdam"),
        ("Europe/Paris", "Europe/Paris"),
        ("Etc/UTC", "UTC"),
        ("UTC", "UTC"),
        ("Mars/Olympus", "Mars/Olympus"),
    ],
)
def test_a_zone_has_one_name(alias: str, zone: str) -> None:
    assert canonical_zone(alias) == zone
    assert canonical_zone(zone) == zone


def test_an_alias_of_a_zone_is_the_same_event() -> None:
    starts = [datetime(2026, 12, 3, 9, tzinfo=ZoneInfo(name)) for name in ("US/Eastern", "America/New_York")]
    assert len({fit(event(start=start)).fingerprint for start in starts}) == 1


# ── text ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_markup_of_customers_stays_text(target: GoogleTarget) -> None:
    body = sent(target, create(target, KEY, event(summary="<b>a</b>", description="<b>a</b> & b")))["body"]
    assert body["description"] == "&lt;b&gt;a&lt;/b&gt; &amp; b"
    assert body["summary"] == "<b>a</b>"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00\x1b\x7f\x85b", "ab"),
        ("a\r\nb\rc\n\td", "a\nb\nc\n\td"),
        ("e\u0301", "é"),
        ("a\ud800b", "ab"),
        ("x" * 1023 + "👩🏽", "x" * 1023 + "…"),
        ("x" * 1022 + "👩🏽y", "x" * 1022 + "…"),
        ("x" * 1022 + "q\u0308y", "x" * 1022 + "…"),
        ("x" * 1024, "x" * 1024),
    ],
)
def test_a_text_is_cut_clean(text: str, shown: str) -> None:
    assert fit(event(summary=text)).summary == shown


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://book.example", "https://", "https://a b.example", "x"])
def test_a_link_that_is_no_web_address_is_dropped(url: str) -> None:
    assert fit(event(url=url)).url == ""


def test_a_link_is_shown_as_the_source_and_taken_away_again(target: GoogleTarget) -> None:
    linked = event(url="https://book.example/a")
    assert sent(target, create(target, KEY, linked))["body"]["source"] == {
        "title": "book.example",
        "url": "https://book.example/a",
    }
    assert sent(target, update(target, receipt(event(), KEY), event()))["body"]["source"] is None


def test_what_is_cancelled_is_shown_as_free_since_google_would_delete_it() -> None:
    fitted = fit(event(status=Status.CANCELLED))
    assert (fitted.status, fitted.transparency) == (Status.CONFIRMED, Transparency.TRANSPARENT)


def test_each_of_googles_colours_is_sent_by_its_id(target: GoogleTarget) -> None:
    ids = [sent(target, create(target, KEY, event(color=name)))["body"]["colorId"] for name in COLORS]
    assert ids == [str(number) for number in range(1, 12)]


@pytest.mark.parametrize(
    ("name", "shown"),
    [("tomato", "tomato"), ("red", "tomato"), ("gray", "dimgray"), ("grey", "dimgray"), ("teal", "mediumseagreen")],
)
def test_any_colour_becomes_the_one_of_googles_that_is_nearest(name: str, shown: str) -> None:
    assert fit(event(color=name)).color == shown


def test_two_colours_that_google_shows_alike_are_one() -> None:
    assert fit(event(color="red")).fingerprint == fit(event(color="tomato")).fingerprint


def test_a_colour_is_left_alone_until_a_route_gives_one_or_takes_it_away(target: GoogleTarget) -> None:
    def written(color: str) -> dict[str, Any]:
        body: dict[str, Any] = sent(target, update(target, receipt(event(), KEY), event(color=color)))["body"]
        return body

    assert "colorId" not in written("")
    assert written("tomato")["colorId"] == "11"
    assert written(OWN)["colorId"] is None
    assert "colorId" not in sent(target, create(target, KEY, event(color=OWN)))["body"]


def test_what_cannot_be_seen_writes_nothing() -> None:
    assert fit(event(categories=("red",))).fingerprint == fit(event()).fingerprint
    confidential = fit(event(classification=Classification.CONFIDENTIAL))
    assert confidential.fingerprint == fit(event(classification=Classification.PRIVATE)).fingerprint


# ── settings ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"subject": "{owner.email}"}, "needs `allow`"),
        ({"subject": "ana@salon.example"}, "needs `allow`"),
        ({"subject": "{owner.name}@salon.example", "allow": ["*"]}, "must be an address"),
        ({"subject": "ana", "allow": ["*"]}, "must be an address"),
        ({"batch": 0}, "greater than or equal to 1"),
        ({"batch": 1001}, "less than or equal to 1000"),
        ({"colour": "red"}, "Extra inputs"),
        ({"root_url": "http://google.example"}, "https"),
        ({"token_uri": "http://google.example/token"}, "https"),
    ],
)
def test_a_setting_that_cannot_be_used_says_why(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(problem)):
        settings(**options)


@pytest.mark.parametrize("credentials", ["s3cret", "[]", '{"client_email": "s3cret@x.example"}'])
def test_credentials_that_are_no_key_are_not_quoted(credentials: str) -> None:
    with pytest.raises(ValidationError, match="JSON key") as raised:
        Settings.model_validate({"credentials": credentials})
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("calendar", ["bo@elsewhere.example", "ana@salon.example.evil.example", "", "  "])
def test_a_calendar_outside_of_allow_is_refused(calendar: str) -> None:
    target = build("workspace", settings(allow=["*@Salon.example"]), clock=StoppedClock())
    with pytest.raises(Refused):
        target.canonical(calendar)
    assert target.canonical("ANA@salon.example") == KEY


def test_primary_says_nothing_when_each_calendar_has_its_own_subject() -> None:
    target = build("workspace", settings(subject="{owner.email}", allow=["*"]), clock=StoppedClock())
    with pytest.raises(Refused, match="does not name a calendar"):
        target.canonical("primary")
    assert target.lane(KEY) == ANA


def test_calendars_of_one_identity_share_a_lane(target: GoogleTarget) -> None:
    fixed = build("workspace", settings(subject="desk@salon.example", allow=["*"]), clock=StoppedClock())
    assert {fixed.lane(key) for key in (KEY, "google:bo@salon.example")} == {"desk@salon.example"}
    assert {target.lane(key) for key in (KEY, "google:bo@salon.example")} == {"ferry@sandbox-project.example"}
