"""The stand-in of Valomnia behaves as the vendor's pages say, and both ways where they leave a question open."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from calferry.sandbox import ValomniaServer, ValomniaWorld
from calferry.sandbox.valomnia import cut_short, emptied, halved, no_data, unreliable_total

NOW = datetime(2026, 11, 20, 15, 0, 0, 700_000, tzinfo=UTC)
START = datetime(2026, 12, 3, 9, tzinfo=UTC)
EMAIL = "ana@acme.example"

Book = Callable[..., str]


class Clock:
    time = NOW

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def valomnia(clock: Clock) -> Iterator[ValomniaServer]:
    with ValomniaServer(ValomniaWorld(clock.now)) as server:
        yield server
        assert not server.crashes


@pytest.fixture
def book(valomnia: ValomniaServer) -> Book:
    world = valomnia.world
    user = world.add_employee("Ana", "Pérez", EMAIL, "emp1")
    category = world.add_category("Visite")
    customer = world.add_customer("Boutique")

    def booked(**members: Any) -> str:
        usual: dict[str, Any] = {"user": user, "category": category, "customer": customer}
        return world.book(**(usual | {"start": START, "end": START + timedelta(minutes=30)} | members))

    return booked


@contextmanager
def signed_in(valomnia: ValomniaServer, **form: str) -> Iterator[httpx.Client]:
    """A client that went through the form, wherever that led."""
    told = {"j_username": valomnia.user, "j_password": valomnia.password, "ajax": "true"} | form
    with httpx.Client(base_url=valomnia.url) as client:
        client.post("/j_spring_security_check", data=told)
        yield client


@pytest.fixture
def asked(valomnia: ValomniaServer) -> Iterator[httpx.Client]:
    with signed_in(valomnia) as client:
        client.base_url = httpx.URL(f"{valomnia.url}/api/v2.1")
        yield client


def ids(answer: httpx.Response) -> list[str]:
    return [str(row["id"]) for row in answer.json()["data"]]


# Signing in


def test_a_form_login_leads_by_a_redirect_to_success_and_a_cookie(valomnia: ValomniaServer) -> None:
    with signed_in(valomnia) as client:
        told = client.get("/login/ajaxSuccess").json()
        assert (told["success"], told["token"]) == (True, client.cookies["JSESSIONID"])


@pytest.mark.parametrize(("shape", "status"), [("redirect", 302), ("401", 401), ("success: false", 200)], ids=str)
def test_a_wrong_password_gets_no_session(valomnia: ValomniaServer, shape: Any, status: int) -> None:
    valomnia.switches.login_failure = shape
    with signed_in(valomnia, j_password="wrong") as client:
        assert not client.cookies
        assert "error" in client.get("/login/authfail?ajax=true").json()
        assert valomnia.log[0].status == status


@pytest.mark.parametrize(
    ("shape", "status", "holds"),
    [
        ("200", 200, "no_credentials"),
        ("401", 401, "no_credentials"),
        ("403", 403, "no_credentials"),
        ("302", 302, ""),
        ("page", 200, "<form>"),
    ],
)
def test_a_session_expires_in_one_of_many_shapes(
    valomnia: ValomniaServer, asked: httpx.Client, shape: Any, status: int, holds: str
) -> None:
    valomnia.switches.expired = shape
    assert asked.get("/users").json()["data"] == []
    valomnia.expire_sessions()
    answer = asked.get("/users")
    assert answer.status_code == status
    assert holds in answer.text


def test_a_session_wears_out_and_a_second_login_ends_the_first(valomnia: ValomniaServer, asked: httpx.Client) -> None:
    valomnia.switches.session_uses = 2
    assert ["data" in asked.get("/users").json() for _ in range(3)] == [True, True, False]
    with signed_in(valomnia) as first, signed_in(valomnia) as second:
        assert "error" in first.get("/api/v2.1/users").json()
        assert "data" in second.get("/api/v2.1/users").json()
        valomnia.switches.one_session = False
        with signed_in(valomnia) as third:
            assert "data" in second.get("/api/v2.1/users").json()
            assert "data" in third.get("/api/v2.1/users").json()


# Rows


def test_a_list_row_has_the_members_of_the_sample_and_neither_user_nor_reference(
    asked: httpx.Client, book: Book
) -> None:
    book()
    (row,) = asked.get("/appointments").json()["data"]
    assert set(row) == {
        *("id", "dateCreated", "lastUpdated", "title", "note", "startDate", "endDate", "done"),
        *("customerId", "customer", "appointmentCategoryId", "appointmentCategory", "contacts"),
    }
    assert row["lastUpdated"] == "2026-11-20T15:00:00Z"
    assert row["customer"].keys() == {"id", "reference", "name", "href"}


def test_a_show_row_says_whose_it_is_by_id_and_by_reference(
    valomnia: ValomniaServer, asked: httpx.Client, book: Book
) -> None:
    number = book()
    shown = asked.get(f"/appointments/{number}").json()
    assert shown == asked.get(f"/appointments/reference/Ref-{number}").json()
    assert shown["user"]["reference"] == "emp1"
    valomnia.switches.nobody = {number}
    assert asked.get(f"/appointments/{number}").json()["user"] is None


def test_a_row_without_a_customer_has_null(asked: httpx.Client, book: Book) -> None:
    book(customer=None, end=None)
    (row,) = asked.get("/appointments").json()["data"]
    assert (row["customer"], row["customerId"], row["endDate"]) == (None, None, None)


def test_a_row_names_its_category_twice_as_the_sample_does(
    valomnia: ValomniaServer, asked: httpx.Client, book: Book
) -> None:
    book()
    assert asked.get("/appointments").text.count('"appointmentCategoryId"') == 2
    valomnia.switches.duplicate_keys = False
    assert asked.get("/appointments").text.count('"appointmentCategoryId"') == 1


def test_switches_dress_rows_in_every_way_that_was_feared(
    valomnia: ValomniaServer, asked: httpx.Client, book: Book
) -> None:
    contact = valomnia.world.add_contact(valomnia.world.add_customer("BATAM"), "Zoé", "Sample")
    number = book(contacts=(contact,), title="Réunion")
    switches = valomnia.switches
    switches.list_names_user, switches.list_contacts, switches.broken_starts = True, "named", {number}
    (row,) = asked.get("/appointments").json()["data"]
    assert (row["user"]["reference"], len(row["contacts"]), row["startDate"]) == ("emp1", 1, "0000-00-00")
    switches.stray_bytes = True
    with pytest.raises(json.JSONDecodeError):
        asked.get("/appointments").json()
    switches.stray_bytes, switches.charset = False, "utf-8 as latin-1"
    assert "RÃ©union" in asked.get("/appointments").text
    switches.charset = "latin-1"
    assert "Réunion".encode("latin-1") in asked.get("/appointments").content


@pytest.mark.parametrize("answer", ["server_error", "500", "503", "403", "404"])
def test_an_appointment_may_have_no_answer(
    valomnia: ValomniaServer, asked: httpx.Client, book: Book, answer: Any
) -> None:
    number = book()
    valomnia.switches.mute, valomnia.switches.mute_answer = {number}, answer
    told = asked.get(f"/appointments/{number}")
    assert (str(told.status_code), "server_error" in told.text) == (
        {"server_error": "500"}.get(answer, answer),
        answer == "server_error",
    )
    assert ids(asked.get("/appointments")) == [number]


def test_the_answer_carries_the_servers_clock(asked: httpx.Client) -> None:
    assert asked.get("/users").headers["Date"] == "Fri, 20 Nov 2026 15:00:00 GMT"


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/appointments/999", 404, "not_found"),
        ("/appointments/reference/nothing", 404, "not_found"),
        ("/appointments/abc", 400, "invalid_param_type"),
        ("/appointments?cache=1", 400, "invalid_param"),
        ("/appointments?dateCreated_gta=2016-08-15T14:52:48Z", 400, "invalid_param"),
        ("/users?startDate_gte=2016-08-15T14:52:48Z", 400, "invalid_param"),
        ("/appointments?lastUpdated_gte=2016-08-1Z", 400, "invalid_datetime_format"),
        ("/appointments?lastUpdated_gte=2016-08-15T14:52:48.000Z", 400, "invalid_datetime_format"),
        ("/appointments?lastUpdated_gte=2016-08-15T14:52:48%2B00:00", 400, "invalid_datetime_format"),
        ("/appointments?lastUpdated_gte=2016-08-35T14:52:48Z", 400, "invalid_datetime_format"),
        ("/appointments?max=some", 400, "invalid_param_type"),
        ("/appointments?order=up", 400, "invalid_param"),
        ("/appointments?sort=colour", 400, "invalid_param"),
    ],
)
def test_what_is_refused_is_refused_in_the_vendors_words(
    asked: httpx.Client, book: Book, path: str, status: int, error: str
) -> None:
    book()
    answer = asked.get(path)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


@pytest.mark.parametrize("path", ["/orders", "/appointments/1/2/3", "/users/1"])
def test_what_is_no_route_is_a_page(asked: httpx.Client, path: str) -> None:
    answer = asked.get(path)
    assert (answer.status_code, answer.headers["Content-Type"][:9]) == (404, "text/html")


def test_the_sandbox_changes_its_world_from_the_inside_only(asked: httpx.Client, book: Book) -> None:
    assert asked.delete(f"/appointments/{book()}").status_code == 405


# Listings


def test_pages_say_where_they_are_and_lose_their_filters_in_the_next_link(
    valomnia: ValomniaServer, asked: httpx.Client, book: Book
) -> None:
    numbers = [book() for _ in range(5)]
    query = {"max": "2", "sort": "id", "order": "asc", "startDate_gte": "2026-12-01T00:00:00Z"}
    first = asked.get("/appointments", params=query).json()
    assert first["paging"] == {
        "total": 5,
        "max": 2,
        "offset": 0,
        "previous": None,
        "next": "/api/v1.0/appointments?max=2&offset=2&sort=id&order=asc",
    }
    pages = [asked.get("/appointments", params=query | {"offset": str(offset)}) for offset in (0, 2, 4)]
    assert [number for page in pages for number in ids(page)] == numbers
    assert pages[-1].json()["paging"]["next"] is None
    valomnia.switches.next_keeps_filters = True
    assert "startDate_gte" in asked.get("/appointments", params=query).json()["paging"]["next"]


def test_pages_have_a_hundred_rows_and_a_ceiling(valomnia: ValomniaServer, asked: httpx.Client, book: Book) -> None:
    for _ in range(101):
        book()
    assert len(ids(asked.get("/appointments"))) == 100
    valomnia.switches.max_ceiling = 7
    page = asked.get("/appointments", params={"max": "1000"})
    assert (len(ids(page)), page.json()["paging"]["max"]) == (7, 7)


def test_the_order_of_equals_is_another_one_each_time(asked: httpx.Client, book: Book) -> None:
    for _ in range(20):
        book()
    query = {"sort": "lastUpdated", "order": "asc"}
    assert len({tuple(ids(asked.get("/appointments", params=query))) for _ in range(5)}) > 1
    by_id = [ids(asked.get("/appointments", params={"sort": "id", "order": order})) for order in ("asc", "desc")]
    assert by_id[0] == by_id[1][::-1] == sorted(by_id[0], key=int)


def test_filters_compare_with_fractions_that_rows_do_not_show(clock: Clock, asked: httpx.Client, book: Book) -> None:
    number = book()
    clock.time += timedelta(seconds=1)
    for operator, found in (("gt", [number]), ("gte", [number]), ("lt", []), ("lte", [])):
        assert ids(asked.get("/appointments", params={f"lastUpdated_{operator}": "2026-11-20T15:00:00Z"})) == found


def test_filters_narrow_a_listing_by_dates_and_by_whom(
    valomnia: ValomniaServer, asked: httpx.Client, book: Book
) -> None:
    other = valomnia.world.add_employee("Ben", "Muster", "ben@acme.example", "emp10")
    mine, theirs, endless = book(), book(user=other, title="Inventur"), book(end=None)

    def found(**query: str) -> set[str]:
        return set(ids(asked.get("/appointments", params=query)))

    assert found(employeeReference="emp1") == {mine, theirs, endless}
    valomnia.switches.employee_filter = "exact"
    assert found(employeeReference="emp1") == {mine, endless}
    assert found(employeeReference="emp1*") == {mine, theirs, endless}
    assert found(title="*entur") == {theirs}
    assert found(customerReference=valomnia.world.customers[next(iter(valomnia.world.customers))].reference) == {
        mine,
        theirs,
        endless,
    }
    assert found(endDate_gte="2026-12-01T00:00:00Z") == {mine, theirs}
    assert found(startDate_lt="2026-12-03T09:00:00Z") == set()
    assert found(startDate_lte="2026-12-03T09:00:00Z") == {mine, theirs, endless}


def test_a_login_may_see_its_own_appointments_only(valomnia: ValomniaServer, asked: httpx.Client, book: Book) -> None:
    number = book()
    valomnia.switches.sees = "another"
    assert ids(asked.get("/appointments")) == []
    assert asked.get(f"/appointments/{number}").status_code == 404


def test_a_user_whom_no_listing_names_keeps_the_appointments(
    valomnia: ValomniaServer, asked: httpx.Client, book: Book
) -> None:
    number = book()
    valomnia.switches.unlisted_users = {valomnia.world.appointments[number].user}
    assert ids(asked.get("/users")) == []
    assert asked.get(f"/appointments/{number}").json()["user"]["reference"] == "emp1"


def test_people_and_categories_are_listed(valomnia: ValomniaServer, asked: httpx.Client, book: Book) -> None:
    valomnia.world.add_contact(valomnia.world.add_customer("BATAM"), "Zoé", "Sample", "zoe@customer.example")
    book()
    told = {name: asked.get(f"/{name}").json()["data"][0] for name in ("users", "employees", "contacts", "customers")}
    assert (told["users"]["email"], told["users"]["employeeReference"]) == (EMAIL, "emp1")
    assert (told["employees"]["firstName"], told["employees"]["reference"]) == ("Ana", "emp1")
    assert told["contacts"]["email"] == "zoe@customer.example"
    assert told["customers"]["name"]
    assert asked.get("/appointmentCategories").json()["data"][0]["name"] == "Visite"
    assert len(ids(asked.get("/customers", params={"name": "BAT*"}))) == 1


# What becomes of appointments


def test_a_deletion_leaves_nothing(valomnia: ValomniaServer, asked: httpx.Client, book: Book) -> None:
    number = book()
    valomnia.world.delete(number)
    assert ids(asked.get("/appointments")) == []
    assert asked.get(f"/appointments/{number}").json()["error"] == "not_found"
    assert list(valomnia.world.live()) == []


def test_a_change_is_visible_when_it_is_committed_and_stamped_before(
    valomnia: ValomniaServer, clock: Clock, asked: httpx.Client, book: Book
) -> None:
    valomnia.world.commit_after = timedelta(minutes=1)
    number = book()
    assert ids(asked.get("/appointments")) == []
    clock.time += timedelta(minutes=1)
    assert ids(asked.get("/appointments", params={"lastUpdated_lt": "2026-11-20T15:00:01Z"})) == [number]


def test_the_truth_follows_every_change(valomnia: ValomniaServer, clock: Clock, book: Book) -> None:
    world = valomnia.world
    number = book()
    ben = world.add_employee("Ben", "Muster", "ben@acme.example")
    clock.time += timedelta(hours=1)
    world.reassign(number, ben, silently=True)
    assert world.appointments[number].updated == NOW
    world.reassign(number, ben)
    world.set_email(ben, "benny@acme.example")
    world.rename_category(world.appointments[number].category, "Inventaire")
    world.rename_customer(str(world.appointments[number].customer), "Magasin")
    world.edit(number, title="Later", note="bring a ladder")
    world.move(number, START + timedelta(days=1), None)
    world.finish(number)
    (visit,) = world.live()
    assert visit == (number, "benny@acme.example", START + timedelta(days=1), None, "Inventaire", "Magasin")
    row = world.appointments[number]
    assert (row.title, row.note, row.done, row.updated) == ("Later", "bring a ladder", True, clock.time)
    world.touch(number, NOW)
    assert world.appointments[number].updated == NOW


# Faults


@pytest.mark.parametrize(
    ("fault", "rows", "total"),
    [(emptied, 0, 0), (cut_short, 0, 4), (halved, 2, 4), (unreliable_total, 4, 5)],
)
def test_listings_that_are_not_what_they_seem(
    valomnia: ValomniaServer, asked: httpx.Client, book: Book, fault: Callable[[], Any], rows: int, total: int
) -> None:
    numbers = [book() for _ in range(4)]
    valomnia.switches.stray_bytes, valomnia.switches.charset = True, "latin-1"
    valomnia.faults.add(fault(), times=2)
    listing = asked.get("/appointments").json()
    assert (len(listing["data"]), listing["paging"]["total"]) == (rows, total)
    valomnia.switches.stray_bytes = False
    assert str(asked.get(f"/appointments/{numbers[0]}").json()["id"]) == numbers[0]


def test_a_listing_may_lack_its_rows(valomnia: ValomniaServer, asked: httpx.Client) -> None:
    valomnia.faults.add(no_data())
    assert asked.get("/appointments").json().keys() == {"paging"}


def test_every_route_names_the_page_that_it_follows() -> None:
    routes = [ValomniaServer._list, ValomniaServer._show, ValomniaServer._log_in, ValomniaServer._login_page]
    assert all(re.search(r"Vendor's pages?: \"", route.__doc__ or "") for route in routes)
