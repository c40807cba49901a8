"""The booking system's stand-in keeps to the vendor's page, and to each reading of what that leaves open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from calferry.sandbox import AgendizeServer

Book = Callable[..., str]

WIDE = {"startDate": "2026-01-01T00:00:00Z", "endDate": "2028-01-01T00:00:00Z"}


def ids(answer: httpx.Response) -> list[str]:
    return sorted(str(row["id"]) for row in answer.json()["items"])


def delta(asked: httpx.Client, token: str, **more: str) -> httpx.Response:
    return asked.get("/100/appointments", params={"syncToken": token, "showDeleted": "true"} | more)


def test_credentials_are_headers_unless_the_query_is_let_in(agendize: AgendizeServer) -> None:
    url = f"{agendize.url}/api/2.1/scheduling/companies/100"
    query = {"apiKey": agendize.api_key, "token": agendize.token}

    assert httpx.get(url).status_code == 401
    assert httpx.get(url, headers={"apiKey": "other", "token": agendize.token}).status_code == 401
    assert httpx.get(url, params=query).status_code == 401
    agendize.switches.query_credentials = True
    assert httpx.get(url, params=query).status_code == 200


def test_unknown_and_withdrawn_companies_are_not_found(agendize: AgendizeServer, asked: httpx.Client) -> None:
    assert asked.get("/100").json() == {"id": "100", "name": "Salon", "timeZone": "America/New_York"}
    assert asked.get("/999").status_code == 404

    agendize.world.withdraw_company("100")

    assert asked.get("/100/appointments").status_code == 404
    assert asked.get("").json() == {"items": []}


def test_other_paths_are_not_found(agendize: AgendizeServer, asked: httpx.Client) -> None:
    assert asked.get("/100/rooms").status_code == 404
    assert asked.get(f"{agendize.url}/api/2.0/scheduling/companies/100").status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        {"colour": "red"},
        {"startDate": "2026-12-01"},
        {"startDate": "2026-12-01T00:00:00"},
        {"startDate": "2026-12-01T00:00:00+02:00"},
        {"endDate": "2026-13-01T00:00:00Z"},
        {"showDeleted": "yes"},
        {"levelDetail": "fullest"},
        {"status": "declined"},
        {"pageToken": "nonsense"},
    ],
    ids=str,
)
def test_what_the_page_does_not_name_is_refused(asked: httpx.Client, query: dict[str, str]) -> None:
    answer = asked.get("/100/appointments", params=query)

    assert answer.status_code == 400
    assert answer.json()["error"]["fields"] == list(query)


def test_without_dates_only_a_month_around_now_is_listed(asked: httpx.Client, book: Book) -> None:
    near, _far = book("2026-12-03T09:00:00"), book("2027-03-03T09:00:00")

    assert ids(asked.get("/100/appointments")) == [near]
    assert len(ids(asked.get("/100/appointments", params=WIDE))) == 2


@pytest.mark.parametrize(("border", "listed"), [("containment", 0), ("overlap", 1)])
def test_rows_across_a_border_depend_on_the_reading(
    agendize: AgendizeServer, asked: httpx.Client, book: Book, border: Any, listed: int
) -> None:
    agendize.switches.border = border
    book("2026-12-03T09:00:00", minutes=60)  # 14:00 to 15:00 in UTC

    window = {"startDate": "2026-12-03T14:30:00Z", "endDate": "2026-12-03T20:00:00Z"}

    assert len(ids(asked.get("/100/appointments", params=window))) == listed


def test_bounds_are_exclusive(asked: httpx.Client, book: Book) -> None:
    book("2026-12-03T09:00:00", minutes=60)

    exact = {"startDate": "2026-12-03T14:00:00Z", "endDate": "2026-12-03T15:00:00Z"}

    assert ids(asked.get("/100/appointments", params=exact)) == []


def test_times_are_naive_with_a_zone_and_ids_are_text(asked: httpx.Client, book: Book) -> None:
    number = book("2026-12-03T09:00:00")

    (row,) = asked.get("/100/appointments").json()["items"]

    assert row["id"] == number
    assert row["start"] == {"dateTime": "2026-12-03T09:00:00", "timeZone": "America/New_York"}
    assert row["end"] == {"dateTime": "2026-12-03T09:30:00", "timeZone": "America/New_York"}


def test_the_end_is_wall_time_after_the_clocks_changed(
    agendize: AgendizeServer, asked: httpx.Client, book: Book
) -> None:
    book("2026-11-01T01:30:00", minutes=30)

    (row,) = asked.get("/100/appointments").json()["items"]
    (booked,) = agendize.world.live()

    assert row["end"]["dateTime"] == "2026-11-01T01:00:00"
    assert (booked.start, booked.end) == (
        datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
        datetime(2026, 11, 1, 6, tzinfo=UTC),
    )


def test_light_rows_lack_what_full_ones_have_and_only_staff_rows_have_addresses(
    asked: httpx.Client, book: Book
) -> None:
    number = book(notes="allergic")
    light = asked.get("/100/appointments").json()["items"][0]
    full = asked.get("/100/appointments", params={"levelDetail": "full"}).json()["items"][0]
    single = asked.get(f"/100/appointments/{light['reference']}").json()

    assert "notes" not in light
    assert "phone" not in light["client"]
    assert full["notes"] == single["notes"] == "allergic"
    assert full["client"]["phone"]
    assert asked.get(f"/100/appointments/{number}", params={"levelDetail": "light"}).json() == light
    assert light["staff"].keys() == full["staff"].keys() == {"id", "firstName", "lastName"}
    assert asked.get("/100/staff").json()["items"][0]["email"] == "ana@salon.example"
    assert asked.get("/100/services").json()["items"][0]["duration"] == 30


def test_fields_keep_what_was_asked_for(asked: httpx.Client, book: Book) -> None:
    book()

    (row,) = asked.get("/100/appointments", params={"fields": "id,status"}).json()["items"]

    assert row.keys() == {"id", "status"}


def test_cancelled_rows_stay_and_deleted_ones_leave_a_stub(
    agendize: AgendizeServer, asked: httpx.Client, book: Book
) -> None:
    cancelled, deleted = book(), book()
    agendize.world.cancel(cancelled)
    agendize.world.delete(deleted)

    hidden = asked.get("/100/appointments").json()["items"]
    shown = asked.get("/100/appointments", params={"showDeleted": "true"}).json()["items"]

    assert [(row["id"], row["status"]) for row in hidden] == [(cancelled, "cancelled")]
    assert {"id": deleted, "deleted": True} in shown
    assert asked.get(f"/100/appointments/{cancelled}").json()["status"] == "cancelled"
    assert asked.get(f"/100/appointments/{deleted}").status_code == 404
    assert list(agendize.world.live()) == []

    agendize.world.restore(deleted)
    assert asked.get(f"/100/appointments/{deleted}").json()["status"] == "accepted"


@pytest.mark.parametrize(("marker", "member"), [("flag", "deleted"), ("date", "deleted"), ("status", "status")])
def test_a_stub_may_be_marked_in_three_ways(
    agendize: AgendizeServer, asked: httpx.Client, book: Book, marker: Any, member: str
) -> None:
    agendize.switches.deleted_marker = marker
    agendize.world.delete(book())

    (row,) = asked.get("/100/appointments", params={"showDeleted": "true"}).json()["items"]

    assert row.keys() == {"id", member}


def test_personal_rows_have_no_client_and_come_when_asked_for(
    agendize: AgendizeServer, asked: httpx.Client, book: Book
) -> None:
    book(type="personal")

    assert asked.get("/100/appointments").json()["items"] == []
    (row,) = asked.get("/100/appointments", params={"personalAppointments": "true"}).json()["items"]
    assert "client" not in row
    assert list(agendize.world.live()) == []


def test_filters_narrow_a_listing(agendize: AgendizeServer, asked: httpx.Client, book: Book) -> None:
    pending, _other = book(status="pending"), book(client=("Bo", "Muster", "bo@mail.example", ""))
    staff = agendize.world.appointments[pending].staff

    assert ids(asked.get("/100/appointments", params={"status": "pending"})) == [pending]
    assert len(ids(asked.get("/100/appointments", params={"staffId": staff}))) == 2
    assert ids(asked.get("/100/appointments", params={"staffId": "1"})) == []
    assert len(ids(asked.get("/100/appointments", params={"q": "muster"}))) == 1
    assert ids(asked.get("/100/appointments", params={"createdStartDate": "2026-11-21T00:00:00Z"})) == []


def test_a_delta_tells_what_changed_whatever_its_date(
    agendize: AgendizeServer, asked: httpx.Client, book: Book
) -> None:
    same, moved, gone = book(), book(), book()
    token = asked.get("/100/appointments").json()["nextSyncToken"]
    agendize.world.move(moved, datetime(2027, 6, 1, 9))
    agendize.world.delete(gone)
    far = book("2027-09-01T09:00:00")

    answer = delta(asked, token)

    assert ids(answer) == sorted([moved, gone, far])
    assert same not in ids(answer)
    assert ids(asked.get("/100/appointments", params={"syncToken": token})) == sorted([moved, far])
    assert ids(delta(asked, answer.json()["nextSyncToken"])) == []


def test_a_renamed_service_is_no_change_of_its_appointments(
    agendize: AgendizeServer, asked: httpx.Client, book: Book
) -> None:
    number = book()
    token = asked.get("/100/appointments").json()["nextSyncToken"]
    agendize.world.rename_service(agendize.world.appointments[number].service, "Massage")

    assert ids(delta(asked, token)) == []
    assert asked.get(f"/100/appointments/{number}").json()["service"]["name"] == "Massage"


@pytest.mark.parametrize(("window", "told"), [("none", 1), ("frozen", 0)])
def test_a_delta_may_be_frozen_to_the_window_of_its_listing(
    agendize: AgendizeServer, asked: httpx.Client, book: Book, window: Any, told: int
) -> None:
    agendize.switches.delta_window = window
    token = asked.get("/100/appointments").json()["nextSyncToken"]
    book("2027-09-01T09:00:00")

    assert len(ids(delta(asked, token))) == told


@pytest.mark.parametrize(("reading", "status"), [("refused", 400), ("ignored", 200)])
@pytest.mark.parametrize("name", ["startDate", "endDate", "staffId", "status"])
def test_filters_beside_a_token(
    agendize: AgendizeServer, asked: httpx.Client, book: Book, reading: Any, status: int, name: str
) -> None:
    agendize.switches.delta_filters = reading
    token = asked.get("/100/appointments").json()["nextSyncToken"]
    book()
    value = {"staffId": "1", "status": "cancelled"}.get(name, "2029-01-01T00:00:00Z")

    answer = delta(asked, token, **{name: value})

    assert answer.status_code == status
    assert len(answer.json().get("items", [])) == (status == 200)


@pytest.mark.parametrize("status", [410, 400, 404, 412, 200])
@pytest.mark.parametrize("case", ["garbage", "expired", "worn", "of another company"])
def test_a_dead_token_is_refused(agendize: AgendizeServer, asked: httpx.Client, status: Any, case: str) -> None:
    agendize.switches.dead_token = status
    agendize.world.add_company("200", "Other", "Europe/Paris")
    company = "200" if case == "of another company" else "100"
    token = asked.get(f"/{company}/appointments").json()["nextSyncToken"]
    if case == "worn":
        agendize.switches.token_uses = 1
        assert "items" in delta(asked, token).json()
    if case == "expired":
        agendize.world.expire_tokens()

    answer = delta(asked, "garbage" if case == "garbage" else token)

    assert answer.status_code == status
    assert "error" in answer.json()
    assert "items" not in answer.json()


def test_pages_come_with_a_token_each_and_the_last_with_a_sync_token(
    agendize: AgendizeServer, asked: httpx.Client, book: Book
) -> None:
    agendize.switches.page_size = 2
    numbers = sorted(book() for _ in range(5))
    query: dict[str, str] = {"levelDetail": "full"}
    pages: list[dict[str, Any]] = []
    while not pages or "nextPageToken" in pages[-1]:
        more = {"pageToken": pages[-1]["nextPageToken"]} if pages else {}
        pages.append(asked.get("/100/appointments", params=query | more).json())

    assert sorted(row["id"] for page in pages for row in page["items"]) == numbers
    assert ["nextSyncToken" in page for page in pages] == [False, False, True]
    other = asked.get("/100/appointments", params={"pageToken": pages[0]["nextPageToken"]})
    assert other.status_code == 400


def test_what_changes_between_two_pages_is_told_by_the_next_delta(
    agendize: AgendizeServer, asked: httpx.Client, book: Book
) -> None:
    agendize.switches.page_size = 1
    book()
    book()
    first = asked.get("/100/appointments").json()
    changed = first["items"][0]["id"]
    agendize.world.cancel(changed)
    last = asked.get("/100/appointments", params={"pageToken": first["nextPageToken"]}).json()

    assert ids(delta(asked, last["nextSyncToken"])) == [changed]


def test_some_replies_may_lack_the_sync_token(agendize: AgendizeServer, asked: httpx.Client) -> None:
    agendize.switches.skip_sync_token = 2

    given = ["nextSyncToken" in asked.get("/100/appointments").json() for _ in range(4)]

    assert given == [True, False, True, False]


def test_a_delta_may_list_rows_twice(agendize: AgendizeServer, asked: httpx.Client, book: Book) -> None:
    agendize.switches.duplicate_rows = True
    token = asked.get("/100/appointments").json()["nextSyncToken"]
    number = book()

    assert ids(delta(asked, token)) == [number, number]


def test_rows_may_be_dressed_in_every_way_the_wild_has_shown(
    agendize: AgendizeServer, asked: httpx.Client, book: Book
) -> None:
    number = book()
    switches = agendize.switches
    switches.zone_aliases = {"America/New_York": "US/Eastern"}
    switches.html_entities = switches.integer_ids = switches.google_synchronization = switches.omit_service = True
    switches.broken_starts = {number}

    (row,) = asked.get("/100/appointments").json()["items"]

    assert row["id"] == int(number)
    assert row["staff"]["lastName"] == "P&#233;rez"
    assert row["end"]["timeZone"] == "US/Eastern"
    assert row["synchronization"]["googleCalendar"]["id"]
    assert "service" not in row
    with pytest.raises(ValueError, match="year"):
        datetime.fromisoformat(row["start"]["dateTime"])
    switches.omit_time_zone = True
    (row,) = asked.get("/100/appointments").json()["items"]
    assert row["end"].keys() == {"dateTime"}


@pytest.mark.parametrize(
    ("charset", "declared"),
    [("utf-8", "UTF-8"), ("latin-1", "ISO-8859-1"), ("latin-1 undeclared", "application/json")],
)
def test_the_body_may_be_in_latin_1(
    agendize: AgendizeServer, asked: httpx.Client, book: Book, charset: Any, declared: str
) -> None:
    agendize.switches.charset = charset
    book(client=("Zoé", "🙂", "z@mail.example", ""))

    answer = asked.get("/100/appointments")

    assert answer.headers["Content-Type"].endswith(declared)
    assert "Zoé".encode(charset.split()[0]) in answer.content


def test_two_readings_of_one_row_differ_in_links_that_mean_nothing(asked: httpx.Client, book: Book) -> None:
    number = book()
    first, second = (asked.get(f"/100/appointments/{number}").json() for _ in range(2))

    assert {name for name in first if first[name] != second[name]} == {"encryptedId", "rescheduleLink"}


def test_the_sandbox_changes_its_world_from_the_inside_only(asked: httpx.Client, book: Book) -> None:
    assert asked.delete(f"/100/appointments/{book()}").status_code == 405


def test_the_truth_follows_every_change(agendize: AgendizeServer, book: Book) -> None:
    world = agendize.world
    number = book()
    ben = world.add_staff("100", "Ben", "Muster", "ben@salon.example")
    world.reassign(number, ben)
    world.set_staff_email(ben, "benny@salon.example")
    world.rename_staff(ben, "Benny", "Muster")
    world.edit_notes(number, "later")
    world.move(number, datetime(2026, 7, 1, 9), minutes=90)
    world.set_status(number, "noShow")

    (booked,) = world.live()

    assert booked.staff_email == "benny@salon.example"
    assert booked.start == datetime(2026, 7, 1, 13, tzinfo=UTC)
    assert (booked.end - booked.start).seconds == 90 * 60
    assert booked.status == "noShow"
    world.set_status(number, "declined")
    assert list(world.live()) == []


def test_bookings_are_wall_times_and_statuses_are_the_vendors(agendize: AgendizeServer, book: Book) -> None:
    with pytest.raises(ValueError, match="naive"):
        agendize.world.move(book(), datetime(2026, 7, 1, 9, tzinfo=UTC))
    with pytest.raises(ValueError, match="status"):
        book(status="maybe")
