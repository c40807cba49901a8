"""Events behave as Google's reference and errors guide say, seen through Google's own client library."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from calferry.sandbox import GoogleServer

ANA, BEN = "ana@salon.example", "ben@salon.example"
START, END = datetime(2026, 12, 3, 14, tzinfo=UTC), datetime(2026, 12, 3, 15, tzinfo=UTC)

Body = Callable[..., dict[str, Any]]


def refusal(call: Any) -> tuple[int, str]:
    """Status and reason of a call that must be refused."""
    with pytest.raises(HttpError) as caught:
        call.execute()
    return caught.value.resp.status, caught.value.error_details[0]["reason"]


def guarded(call: Any, etag: str) -> Any:
    call.headers["If-Match"] = etag
    return call


def test_an_inserted_event_is_returned_in_the_calendars_zone(google: GoogleServer, events: Any, body: Body) -> None:
    made = events.insert(calendarId=ANA, body=body()).execute()

    assert made["id"] == "abcdefgh"
    assert made["start"] == {"dateTime": "2026-12-03T09:00:00-05:00", "timeZone": "America/Montreal"}
    assert events.get(calendarId="primary", eventId="abcdefgh").execute() == made
    assert (google.world.writes, google.world.mails, google.world.reminder_mails) == (1, [], [])


def test_an_id_in_use_or_once_in_use_is_a_duplicate(events: Any, body: Body) -> None:
    insert = events.insert(calendarId=ANA, body=body())
    insert.execute()
    assert refusal(insert) == (409, "duplicate")

    events.delete(calendarId=ANA, eventId="abcdefgh").execute()

    assert refusal(insert) == (409, "duplicate")


@pytest.mark.parametrize("event_id", ["abcd", "ABCDEFG", "abc-def", "wxyzwx", "a" * 1025])
def test_ids_keep_to_their_alphabet_and_length(events: Any, body: Body, event_id: str) -> None:
    assert refusal(events.insert(calendarId=ANA, body=body(id=event_id))) == (400, "invalid")


def test_an_event_without_an_id_is_given_one(events: Any, body: Body) -> None:
    assert len(events.insert(calendarId=ANA, body=body(id=None)).execute()["id"]) > 5


def test_a_deleted_event_is_a_tombstone(google: GoogleServer, events: Any, body: Body) -> None:
    made = events.insert(calendarId=ANA, body=body()).execute()
    events.delete(calendarId=ANA, eventId="abcdefgh").execute()

    assert events.get(calendarId=ANA, eventId="abcdefgh").execute()["status"] == "cancelled"
    assert refusal(events.delete(calendarId=ANA, eventId="abcdefgh")) == (410, "deleted")
    again = events.delete(calendarId=ANA, eventId="abcdefgh")
    assert refusal(guarded(again, made["etag"])) == (412, "conditionNotMet")
    assert refusal(events.delete(calendarId=ANA, eventId="unkno1"))[0] == 404
    assert list(google.world.events(ANA)) == []


@pytest.mark.parametrize("verb", ["update", "patch"])
def test_a_tombstone_is_restored_by_an_explicit_status_or_not_at_all(
    google: GoogleServer, events: Any, body: Body, verb: str
) -> None:
    events.insert(calendarId=ANA, body=body()).execute()
    google.world.user_deletes(ANA, "abcdefgh")
    write = getattr(events, verb)

    assert refusal(write(calendarId=ANA, eventId="abcdefgh", body=body()))[0] == 403
    google.switches.tombstones = "forbidden"
    restoring = write(calendarId=ANA, eventId="abcdefgh", body=body(status="confirmed"))
    assert refusal(restoring) == (403, "forbidden")
    google.switches.tombstones = "restorable"
    assert restoring.execute()["status"] == "confirmed"


def test_a_purged_tombstone_is_unknown_and_its_id_still_taken(google: GoogleServer, events: Any, body: Body) -> None:
    events.insert(calendarId=ANA, body=body()).execute()
    google.world.purge(ANA, "abcdefgh")

    assert refusal(events.update(calendarId=ANA, eventId="abcdefgh", body=body()))[0] == 404
    assert refusal(events.insert(calendarId=ANA, body=body()))[0] == 409


def test_put_clears_what_it_leaves_out_and_patch_merges(events: Any, body: Body) -> None:
    marks = {"private": {"a": "1", "b": "2"}}
    events.insert(calendarId=ANA, body=body(location="Room 1", extendedProperties=marks)).execute()

    change = {"location": None, "extendedProperties": {"private": {"b": None, "c": "3"}}}
    patched = events.patch(calendarId=ANA, eventId="abcdefgh", body=change).execute()
    assert "location" not in patched
    assert patched["extendedProperties"] == {"private": {"a": "1", "c": "3"}}
    assert patched["summary"] == "Soin"

    put = events.update(calendarId=ANA, eventId="abcdefgh", body=body(reminders=None)).execute()
    assert "extendedProperties" not in put
    assert put["reminders"] == {"useDefault": True}
    assert put["created"] == patched["created"]


def test_every_write_changes_the_etag_and_a_stale_one_is_refused(events: Any, body: Body) -> None:
    first = events.insert(calendarId=ANA, body=body()).execute()["etag"]
    change = events.patch(calendarId=ANA, eventId="abcdefgh", body={"summary": "New"})
    second = guarded(change, first).execute()["etag"]

    assert first != second
    assert refusal(guarded(change, first)) == (412, "conditionNotMet")
    stale = events.update(calendarId=ANA, eventId="abcdefgh", body=body())
    assert refusal(guarded(stale, first))[0] == 412
    events.delete(calendarId=ANA, eventId="abcdefgh").execute()


def test_a_stale_sequence_is_refused(events: Any, body: Body) -> None:
    events.insert(calendarId=ANA, body=body(sequence=3)).execute()
    later = {"dateTime": "2026-12-03T15:00:00Z"}
    moved = events.patch(calendarId=ANA, eventId="abcdefgh", body={"end": later}).execute()

    assert moved["sequence"] == 4
    assert refusal(events.update(calendarId=ANA, eventId="abcdefgh", body=body(sequence=0)))[0] == 400


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"start": None}, "required"),
        ({"end": {}}, "required"),
        ({"start": {"date": "2026-12-03", "dateTime": "2026-12-03T14:00:00Z"}}, "invalid"),
        ({"start": {"date": "2026-12-03"}}, "invalid"),
        ({"end": {"dateTime": "2026-12-03T14:00:00Z"}}, "timeRangeEmpty"),
        ({"end": {"dateTime": "2026-12-03T13:00:00Z"}}, "timeRangeEmpty"),
        ({"start": {"dateTime": "2026-12-03T14:00:00"}}, "required"),
        ({"start": {"dateTime": "2026-12-03T14:00:00", "timeZone": "Mars/Olympus"}}, "invalid"),
        ({"transparency": "clear"}, "invalid"),
        ({"visibility": "secret"}, "invalid"),
        ({"status": "maybe"}, "invalid"),
        ({"colorId": "12"}, "invalid"),
        ({"source": {"url": "ftp://salon.example"}}, "invalid"),
        ({"reminders": {"useDefault": True, "overrides": [{"method": "popup", "minutes": 5}]}}, "invalid"),
        ({"reminders": {"useDefault": False, "overrides": [{"method": "sms", "minutes": 5}]}}, "invalid"),
        ({"extendedProperties": {"private": {"k" * 45: "v"}}}, "invalid"),
        ({"extendedProperties": {"private": {"k": "v" * 1025}}}, "invalid"),
        ({"iCalUID": "one@salon.example"}, "invalid"),
    ],
    ids=str,
)
def test_what_the_schema_lets_pass_and_google_refuses(
    google: GoogleServer, events: Any, body: Body, members: dict[str, Any], reason: str
) -> None:
    assert refusal(events.insert(calendarId=ANA, body=body(**members))) == (400, reason)
    assert google.world.schema_violations == []
    assert google.world.writes == 0


@pytest.mark.parametrize(
    "members",
    [{"sumary": "x"}, {"summary": 1}, {"sequence": "1"}, {"start": "2026-12-03"}, {"attendees": {}}],
    ids=str,
)
def test_what_the_schema_does_not_allow_is_refused_and_remembered(
    google: GoogleServer, events: Any, body: Body, members: dict[str, Any]
) -> None:
    assert refusal(events.insert(calendarId=ANA, body=body(**members))) == (400, "invalid")
    assert len(google.world.schema_violations) == 1


def test_all_day_events_and_zones_by_name_are_taken(events: Any, body: Body) -> None:
    day = events.insert(calendarId=ANA, body=body(start={"date": "2026-12-03"}, end={"date": "2026-12-04"})).execute()
    zoned = events.insert(
        calendarId=ANA,
        body=body(
            id="bbbbb",
            start={"dateTime": "2026-12-03T09:00:00", "timeZone": "Europe/Paris"},
            end={"dateTime": "2026-12-03T10:00:00+01:00", "timeZone": "Europe/Paris"},
        ),
    ).execute()

    assert day["start"] == {"date": "2026-12-03"}
    assert zoned["start"] == {"dateTime": "2026-12-03T03:00:00-05:00", "timeZone": "Europe/Paris"}


@pytest.mark.parametrize("silent", [False, True])
def test_guests_get_mail_and_even_a_silent_write_might_send_some(
    google: GoogleServer, events: Any, body: Body, silent: bool
) -> None:
    google.switches.silent_is_silent = silent
    guests = [{"email": "client@mail.example"}]
    events.insert(calendarId=ANA, body=body(attendees=guests), sendUpdates="none").execute()
    assert len(google.world.mails) == (not silent)

    events.delete(calendarId=ANA, eventId="abcdefgh", sendUpdates="all").execute()

    assert google.world.mails[-1][2:] == ("delete", "all")


def test_writing_to_an_event_whose_user_invited_guests_sends_mail(
    google: GoogleServer, events: Any, body: Body
) -> None:
    events.insert(calendarId=ANA, body=body()).execute()
    google.world.user_edits(ANA, "abcdefgh", attendees=[{"email": "friend@mail.example"}])
    assert google.world.mails == []

    events.update(calendarId=ANA, eventId="abcdefgh", body=body()).execute()

    assert [mail.verb for mail in google.world.mails] == ["update"]


def test_reminders_that_are_not_given_are_the_owners_and_may_be_mail(
    google: GoogleServer, events: Any, body: Body
) -> None:
    events.insert(calendarId=ANA, body=body(reminders=None)).execute()
    explicit = {"useDefault": False, "overrides": [{"method": "email", "minutes": 5}]}
    events.insert(calendarId=ANA, body=body(id="bbbbb", reminders=explicit)).execute()
    events.insert(calendarId=ANA, body=body(id="ccccc")).execute()

    assert google.world.reminder_mails == [(ANA, "abcdefgh"), (ANA, "bbbbb")]


def test_the_fields_parameter_keeps_what_it_names(events: Any, body: Body) -> None:
    made = events.insert(calendarId=ANA, body=body(), fields="id,start/dateTime").execute()
    listed = events.list(calendarId=ANA, fields="items(id,status),nextPageToken").execute()

    assert made == {"id": "abcdefgh", "start": {"dateTime": "2026-12-03T09:00:00-05:00"}}
    assert listed == {"items": [{"id": "abcdefgh", "status": "confirmed"}]}
    assert set(events.list(calendarId=ANA, fields="*").execute()) > {"items", "timeZone"}
    for bad in ("ident", "items(id", "items(id))", "items/ident", "(id)", "id,,etag"):
        assert refusal(events.list(calendarId=ANA, fields=bad)) == (400, "invalidParameter")


def test_a_write_with_a_bad_selection_is_not_performed(google: GoogleServer, events: Any, body: Body) -> None:
    assert refusal(events.insert(calendarId=ANA, body=body(), fields="nonsense"))[0] == 400
    assert google.world.writes == 0


def test_what_the_service_keeps_by_itself_cannot_be_given(events: Any, body: Body) -> None:
    claimed = {
        "etag": '"1"',
        "created": "2020-01-01T00:00:00Z",
        "creator": {"email": BEN},
        "htmlLink": "https://x.example",
    }
    made = events.insert(calendarId=ANA, body=body(**claimed)).execute()
    put = events.update(calendarId=ANA, eventId="abcdefgh", body=body(**claimed, iCalUID="x", eventType="fromGmail"))

    assert [made[name] for name in claimed if made[name] == claimed[name]] == []
    after = put.execute()
    assert {name: after[name] for name in ("created", "iCalUID", "eventType", "creator")} == {
        name: made[name] for name in ("created", "iCalUID", "eventType", "creator")
    }


def test_a_survey_finds_marked_events_page_by_page(google: GoogleServer, events: Any, body: Body) -> None:
    mark = {"private": {"app": "calferry"}}
    for number in range(5):
        events.insert(calendarId=ANA, body=body(id=f"mark{number}", extendedProperties=mark)).execute()
    google.world.add_foreign_event(ANA, "Dentist", START, END)
    events.delete(calendarId=ANA, eventId="mark0").execute()
    query: dict[str, Any] = {"calendarId": ANA, "privateExtendedProperty": "app=calferry", "maxResults": 3}

    first = events.list(**query).execute()
    second = events.list(**query, pageToken=first["nextPageToken"]).execute()

    assert [len(first["items"]), len(second["items"])] == [3, 1]
    assert "nextPageToken" not in second
    assert "nextSyncToken" not in second
    assert len(events.list(**query | {"maxResults": 9}, showDeleted=True).execute()["items"]) == 5
    other = {name: value for name, value in query.items() if name != "privateExtendedProperty"}
    assert refusal(events.list(**other, pageToken=first["nextPageToken"])) == (400, "invalid")
    shared = events.list(calendarId=ANA, sharedExtendedProperty="app=calferry").execute()
    assert shared["items"] == []
    assert refusal(events.list(calendarId=ANA, privateExtendedProperty="app"))[0] == 400


def test_listings_are_cut_by_time_and_by_update(google: GoogleServer, events: Any, body: Body) -> None:
    events.insert(calendarId=ANA, body=body()).execute()

    def found(**query: str) -> int:
        return len(events.list(calendarId=ANA, **query).execute()["items"])

    assert found(timeMin="2026-12-03T14:29:00Z", timeMax="2026-12-03T14:30:00Z") == 1
    assert found(timeMin="2026-12-03T14:30:00Z") == 0
    assert found(timeMax="2026-12-03T09:00:00-05:00") == 0
    assert found(updatedMin="2026-11-20T16:00:00Z") == 0
    assert found(q="soin") == 1
    google.world.user_deletes(ANA, "abcdefgh")
    assert found(updatedMin="2026-11-20T14:00:00Z") == 1
    assert refusal(events.list(calendarId=ANA, timeMin="2026-12-03T14:29:00"))[0] == 400
    upside_down = events.list(calendarId=ANA, timeMin="2026-12-03T14:29:00Z", timeMax="2026-12-01T00:00:00Z")
    assert refusal(upside_down) == (400, "timeRangeEmpty")
    assert refusal(events.list(calendarId=ANA, orderBy="startTime"))[0] == 400


def test_a_sync_token_tells_changes_and_deletions_until_it_dies(google: GoogleServer, events: Any, body: Body) -> None:
    events.insert(calendarId=ANA, body=body()).execute()
    token = events.list(calendarId=ANA).execute()["nextSyncToken"]
    assert events.list(calendarId=ANA, syncToken=token).execute()["items"] == []
    google.world.user_deletes(ANA, "abcdefgh")

    (item,) = events.list(calendarId=ANA, syncToken=token).execute()["items"]

    assert item["status"] == "cancelled"
    marked = events.list(calendarId=ANA, syncToken=token, privateExtendedProperty="a=b")
    assert refusal(marked)[0] == 400
    assert refusal(events.list(calendarId=ANA, syncToken=token, singleEvents=True))[0] == 400
    google.world.expire_sync_tokens()
    assert refusal(events.list(calendarId=ANA, syncToken=token)) == (410, "fullSyncRequired")


def test_unknown_parameters_are_refused(google: GoogleServer, events: Any, body: Body) -> None:
    call = events.insert(calendarId=ANA, body=body())
    call.uri += "&sendUpdate=none"

    assert refusal(call) == (400, "invalidParameter")
    assert google.world.schema_violations == ["events.insert: sendUpdate: unknown parameter"]


def test_what_users_do_by_hand_is_remembered(google: GoogleServer, events: Any) -> None:
    own = google.world.add_foreign_event(ANA, "Dentist", START, END, location="Main Street")
    google.world.user_edits(ANA, own, summary="Dentist 🦷")

    assert google.world.foreign[ANA, own] == events.get(calendarId=ANA, eventId=own).execute()
    google.world.user_deletes(ANA, own)
    assert google.world.foreign == {}
