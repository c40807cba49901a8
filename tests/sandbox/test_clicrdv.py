"""ClicRDV's stand-in keeps to the vendor's pages, and to each reading of what those leave open."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from calferry.sandbox.clicrdv import ClicrdvServer, ClicrdvWorld

Book = Callable[..., str]

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
NINE = datetime(2026, 12, 3, 9)


@pytest.fixture
def clicrdv() -> Iterator[ClicrdvServer]:
    world = ClicrdvWorld(lambda: NOW)
    world.add_group("4", "Cabinet", "Europe/Paris")
    with ClicrdvServer(world) as server:
        yield server
        assert server.crashes == []


@pytest.fixture
def asked(clicrdv: ClicrdvServer) -> Iterator[httpx.Client]:
    """A client that is signed in; paths are below the group."""
    with httpx.Client(
        base_url=f"{clicrdv.url}/api/v1/groups/4",
        params={"apikey": clicrdv.api_key},
        auth=(clicrdv.email, clicrdv.password),
    ) as client:
        yield client


@pytest.fixture
def book(clicrdv: ClicrdvServer) -> Book:
    world = clicrdv.world
    usual: dict[str, Any] = {
        "calendar": world.add("calendars", "4", "Dr Pérez"),
        "intervention": world.add("interventions", "4", "Soin", length=30),
        "fiche": world.add_fiche("4", "Jo", "Roy", "jo@customer.example"),
        "start": NINE,
    }
    return lambda **members: world.book("4", **usual | members)


def listed(answer: httpx.Response) -> list[str]:
    return [str(row["id"]) for row in answer.json()["records"]]


def where(*conditions: tuple[str, str, str]) -> dict[str, str]:
    return {
        f"conditions[{number}][{name}]": text
        for number, one in enumerate(conditions)
        for name, text in zip(("field", "op", "value"), one, strict=True)
    }


def test_every_call_needs_the_application_key_in_the_query(clicrdv: ClicrdvServer) -> None:
    url, auth = f"{clicrdv.url}/api/v1/groups.json", (clicrdv.email, clicrdv.password)
    assert httpx.get(url, auth=auth).status_code == 401
    assert httpx.get(url, auth=auth, headers={"apikey": clicrdv.api_key}).status_code == 401
    assert httpx.get(url, auth=auth, params={"apikey": clicrdv.api_key}).status_code == 200


@pytest.mark.parametrize(("strangers", "status"), [("see less", 200), ("401", 401)])
def test_a_stranger_is_never_asked_to_sign_in(clicrdv: ClicrdvServer, book: Book, strangers: Any, status: int) -> None:
    book()
    clicrdv.switches.strangers = strangers
    answer = httpx.get(f"{clicrdv.url}/api/v1/groups/4/vevents.json", params={"apikey": clicrdv.api_key})
    assert (answer.status_code, "WWW-Authenticate" in answer.headers) == (status, False)
    assert status == 401 or answer.json()["totalRecords"] == 0


def test_every_answer_tells_the_time_by_the_clock_that_makes_the_stamps(
    clicrdv: ClicrdvServer, asked: httpx.Client
) -> None:
    for path in ("/vevents", "/dreams"):
        assert asked.get(path).headers["Date"] == "Fri, 20 Nov 2026 15:00:00 GMT"


def test_a_wrong_password_is_a_401(clicrdv: ClicrdvServer) -> None:
    answer = httpx.get(
        f"{clicrdv.url}/api/v1/groups.json", params={"apikey": clicrdv.api_key}, auth=(clicrdv.email, "guess")
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, 5)


def test_a_session_begins_with_the_digest_of_the_password(clicrdv: ClicrdvServer) -> None:
    digest = hashlib.sha1(clicrdv.password.encode(), usedforsecurity=False).hexdigest()
    with httpx.Client(base_url=f"{clicrdv.url}/api/v1", params={"apikey": clicrdv.api_key}) as client:
        form = {"pro[email]": clicrdv.email, "pro[password]": clicrdv.password}
        assert client.post("/sessions/login", data=form).status_code == 401
        reply = client.post("/sessions/login", data=form | {"pro[password]": digest})
        assert reply.json() == {"pro": {"email": clicrdv.email}, "error": None}
        clicrdv.switches.strangers = "401"
        assert client.get("/groups/4/vevents").status_code == 200


@pytest.mark.parametrize(
    ("strangers", "over", "unknown"),
    [("see less", 200, 200), ("401 when a session is over", 401, 200), ("401", 401, 401)],
)
def test_a_session_that_is_over_is_refused_or_is_a_strangers(
    clicrdv: ClicrdvServer, book: Book, strangers: Any, over: int, unknown: int
) -> None:
    book()
    clicrdv.switches.strangers = strangers
    url, params = f"{clicrdv.url}/api/v1/groups/4/vevents", {"apikey": clicrdv.api_key}
    for headers, status in (({"Cookie": "_session_id=over"}, over), ({}, unknown)):
        answer = httpx.get(url, params=params, headers=headers)
        assert answer.status_code == status
        assert status == 401 or answer.json()["totalRecords"] == 0


def test_the_envelope_repeats_what_was_asked(asked: httpx.Client, book: Book) -> None:
    book()
    reply = asked.get("/vevents.json", params={"sort": "id", "dir": "desc", "results": "7"}).json()
    assert {name: reply[name] for name in reply.keys() - {"records"}} == {
        "sort": "id",
        "dir": "desc",
        "totalRecords": 1,
        "startIndex": 0,
        "recordsReturned": 1,
        "pageSize": 7,
    }


def test_twenty_five_rows_come_unless_more_are_asked_for(
    clicrdv: ClicrdvServer, asked: httpx.Client, book: Book
) -> None:
    for _ in range(30):
        book()
    assert len(listed(asked.get("/vevents"))) == 25
    assert len(listed(asked.get("/vevents", params={"results": "all"}))) == 30
    clicrdv.switches.page_cap = 10
    reply = asked.get("/vevents", params={"results": "28"}).json()
    assert (len(reply["records"]), reply["pageSize"], reply["totalRecords"]) == (10, 10, 30)


def test_there_is_no_order_unless_one_is_asked_for(asked: httpx.Client, book: Book) -> None:
    ids = [book() for _ in range(20)]
    orders = {tuple(listed(asked.get("/vevents"))) for _ in range(5)}
    assert len(orders) > 1
    ties = {tuple(listed(asked.get("/vevents", params={"sort": "updated_at"}))) for _ in range(5)}
    assert len(ties) > 1
    assert listed(asked.get("/vevents", params={"sort": "id", "dir": "asc"})) == ids


@pytest.mark.parametrize(("reading", "second"), [("item", 3), ("page", 20)])
def test_a_start_index_counts_rows_or_pages(
    clicrdv: ClicrdvServer, asked: httpx.Client, book: Book, reading: Any, second: int
) -> None:
    ids = [book() for _ in range(25)]
    clicrdv.switches.start_index = reading
    rest = listed(asked.get("/vevents", params={"sort": "id", "results": "10", "startIndex": "2"}))
    assert rest[:1] == [ids[second - 1] if reading == "item" else ids[second]]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (("start", ">=", "2026-12-03 09:00:00"), 1),
        (("start", ">", "2026-12-03 09:00:00"), 0),
        (("id", "in", "0,ID"), 1),
        (("id", "not in", "ID"), 0),
        (("type", "!=", "VfreebusyEvent"), 1),
        (("text", "like", "%roy%"), 1),
        (("nothing", "!=", "1"), 0),
    ],
    ids=str,
)
def test_conditions_are_met_as_databases_have_it(
    asked: httpx.Client, book: Book, condition: tuple[str, str, str], found: int
) -> None:
    number = book(text="Jo Roy")
    name, operator, value = condition
    assert len(listed(asked.get("/vevents", params=where((name, operator, value.replace("ID", number)))))) == found


@pytest.mark.parametrize(
    "query",
    [
        {"colour": "red"},
        {"results": "many"},
        {"startIndex": "-1"},
        {"dir": "up"},
        {"sort": "colour"},
        {"conditions[0][field]": "id"},
        where(("id", "~", "1")),
    ],
    ids=str,
)
def test_what_no_page_names_is_refused(asked: httpx.Client, book: Book, query: dict[str, str]) -> None:
    book()
    answer = asked.get("/vevents", params=query)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 2)


def test_past_appointments_are_hidden_unless_asked_for(clicrdv: ClicrdvServer, asked: httpx.Client, book: Book) -> None:
    running, to_come = book(start=datetime(2026, 11, 20, 15, 50)), book()
    assert listed(asked.get("/appointments")) == [to_come]
    assert len(listed(asked.get("/appointments", params={"include_past": "1"}))) == 2
    clicrdv.switches.past = "end"
    assert running in listed(asked.get("/appointments"))


def test_a_deleted_vevent_stays_with_its_mark_and_an_appointment_is_gone(
    clicrdv: ClicrdvServer, asked: httpx.Client, book: Book
) -> None:
    number = book()
    clicrdv.world.delete(number)
    assert asked.get(f"/vevents/{number}.json").json()["deleted"] is True
    assert listed(asked.get("/appointments")) == []
    assert asked.get(f"/appointments/{number}.json").status_code == 404
    clicrdv.switches.deleted_rows = "hidden"
    assert listed(asked.get("/vevents")) == []
    assert asked.get(f"/vevents/{number}.json").status_code == 404
    clicrdv.world.restore(number)
    assert listed(asked.get("/vevents")) == [number]


def test_only_appointments_are_appointments(asked: httpx.Client, book: Book) -> None:
    booked = book()
    kinds: list[dict[str, Any]] = [
        {"fiche": "", "intervention": ""},
        {"note": True},
        {"type": "VfreebusyEvent"},
    ]
    for kind in kinds:
        book(**kind)
    assert listed(asked.get("/appointments")) == [booked]
    assert len(listed(asked.get("/vevents"))) == 4


def test_times_are_naive_in_json_and_have_an_offset_in_xml(asked: httpx.Client, book: Book) -> None:
    number = book(start=datetime(2026, 10, 25, 2, 45, fold=1))
    row = asked.get(f"/vevents/{number}").json()
    assert (row["start"], row["end"]) == ("2026-10-25 02:45:00", "2026-10-25 03:15:00")
    document = asked.get(f"/vevents/{number}.xml")
    assert document.headers["Content-Type"].startswith("application/xml")
    assert '<start type="datetime">2026-10-25T02:45:00+01:00</start>' in document.text
    assert f'<calendar-id type="integer">{row["calendar_id"]}</calendar-id>' in document.text


def test_an_open_end_is_null_in_either_format_and_meets_no_condition(
    clicrdv: ClicrdvServer, asked: httpx.Client, book: Book
) -> None:
    number = book()
    clicrdv.switches.open_ends.add(number)
    assert asked.get(f"/vevents/{number}").json()["end"] is None
    assert '<end nil="true"></end>' in asked.get(f"/vevents/{number}.xml").text
    for name, found in (("start", [number]), ("end", [])):
        assert listed(asked.get("/vevents", params=where((name, ">=", "2026-01-01 00:00:00")))) == found


@pytest.mark.parametrize(
    ("gap", "start", "end"), [("as booked", "02:30", "03:00"), ("shifted", "03:30", "04:00")], ids=["booked", "shifted"]
)
def test_a_time_that_spring_leaves_out_is_told_in_either_way(
    clicrdv: ClicrdvServer, asked: httpx.Client, book: Book, gap: Any, start: str, end: str
) -> None:
    number = book(start=datetime(2027, 3, 28, 2, 30))
    clicrdv.switches.gap = gap
    row = asked.get(f"/vevents/{number}").json()
    assert (row["start"], row["end"]) == (f"2027-03-28 {start}:00", f"2027-03-28 {end}:00")


@pytest.mark.parametrize("status", [200, 400, 404])
def test_an_empty_listing_may_be_an_error(clicrdv: ClicrdvServer, asked: httpx.Client, book: Book, status: Any) -> None:
    clicrdv.switches.no_result = status
    answer = asked.get("/vevents")
    assert (answer.status_code, answer.json()) == (status, {"error": {"code": 3, "message": "NoResult"}})
    number = book()
    assert listed(asked.get("/vevents")) == [number]


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        ("object", {"error": {"code": 3, "message": "NoResult"}}),
        ("text", {"error": "NoResult"}),
        ("list", {"errors": [{"code": 3, "message": "NoResult"}]}),
        ("bare", {"code": 3, "message": "NoResult"}),
    ],
)
def test_errors_come_in_any_shape(clicrdv: ClicrdvServer, asked: httpx.Client, shape: Any, body: Any) -> None:
    clicrdv.switches.no_result, clicrdv.switches.error_shape = 400, shape
    assert asked.get("/vevents").json() == body
    clicrdv.switches.error_shape = "html"
    assert asked.get("/vevents").headers["Content-Type"] == "text/html"


def test_a_hidden_group_is_as_missing_as_an_unknown_one(clicrdv: ClicrdvServer, asked: httpx.Client) -> None:
    assert asked.get("").json()["timezone"] == "Europe/Paris"
    clicrdv.world.withdraw_group("4")
    for path in ("", "/vevents", "/calendars"):
        assert asked.get(path).status_code == 404
    assert asked.get(f"{clicrdv.url}/api/v1/groups").json()["totalRecords"] == 0


def test_other_paths_and_methods_are_not_there(clicrdv: ClicrdvServer, asked: httpx.Client) -> None:
    assert asked.get("/dreams").status_code == 404
    assert asked.get("/calendars/1").status_code == 404
    assert asked.get(f"{clicrdv.url}/api/v2/groups").status_code == 404
    assert asked.delete("/vevents/1").status_code == 405


def test_a_renamed_customer_moves_no_appointments_stamp(
    clicrdv: ClicrdvServer, asked: httpx.Client, book: Book
) -> None:
    number = book()
    before = asked.get(f"/vevents/{number}").json()
    clicrdv.world.change_fiche(clicrdv.world.vevents[number].fiche, last="Ray", deleted=True)
    assert asked.get(f"/vevents/{number}").json() == before
    (fiche,) = asked.get("/fiches").json()["records"]
    assert (fiche["lastname"], fiche["updated_at"]) == ("$Ray", "2026-11-20 16:00:00")


@pytest.mark.parametrize(("spelt", "yes"), [("bool", True), ("number", 1), ("text", "1")])
def test_yes_is_spelt_in_several_ways_and_ids_in_two(
    clicrdv: ClicrdvServer, asked: httpx.Client, book: Book, spelt: Any, yes: Any
) -> None:
    number = book()
    clicrdv.world.delete(number)
    clicrdv.switches.booleans, clicrdv.switches.text_ids, clicrdv.switches.wrapped = spelt, True, True
    row = asked.get(f"/vevents/{number}").json()["vevent"]
    assert (row["deleted"], row["id"], type(row["calendar_id"])) == (yes, number, str)
