"""What the booking system's stand-in can book beside a service, and what it tells of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import httpx
import pytest

from calferry.sandbox import AgendizeServer

Book = Callable[..., str]


def ids(answer: httpx.Response) -> list[str]:
    return sorted(str(row["id"]) for row in answer.json()["items"])


def test_a_resource_may_be_booked_in_place_of_a_service_and_several_beside_one(
    agendize: AgendizeServer, asked: httpx.Client, book: Book
) -> None:
    world = agendize.world
    court, laser, room = (world.add_bookable("100", name, 60, beside=name != "Court") for name in ("Court", "L", "R"))
    alone = book(staff="", service="", resources=(court,))
    beside = book(resources=(laser, room))

    rows = {row["id"]: row for row in asked.get("/100/appointments").json()["items"]}

    assert rows[alone]["resource"] == {"id": court, "name": "Court"}
    assert not {"staff", "service", "service-resource"} & rows[alone].keys()
    assert rows[alone]["end"]["dateTime"] == "2026-12-03T10:00:00"
    assert rows[beside]["service-resource"] == [{"id": laser, "name": "L"}, {"id": room, "name": "R"}]
    assert rows[beside]["staff"]["firstName"] == "Ana"
    assert ids(asked.get("/100/appointments", params={"resourceId": room})) == [beside]
    assert {booked.service for booked in world.live()} == {"Court", "Soin"}

    world.rename_bookable(room, "Salle")
    world.rebook(beside, room)
    assert asked.get(f"/100/appointments/{beside}").json()["service-resource"] == [{"id": room, "name": "Salle"}]


def test_resources_are_listed_by_what_they_are_booked_with_unless_there_are_no_such_lists(
    agendize: AgendizeServer, asked: httpx.Client
) -> None:
    court = agendize.world.add_bookable("100", "Court", 60)
    laser = agendize.world.add_bookable("100", "Laser", beside=True)

    assert asked.get("/100/resources").json()["items"] == [{"id": court, "name": "Court", "duration": 60, "count": 1}]
    assert ids(asked.get("/100/serviceResources")) == [laser]
    agendize.switches.resource_lists = "missing"
    assert asked.get("/100/resources").status_code == asked.get("/100/serviceResources").status_code == 404


@pytest.mark.parametrize("omitted", [False, True])
def test_a_custom_status_stands_beside_the_native_one_or_in_its_place(
    agendize: AgendizeServer, asked: httpx.Client, book: Book, omitted: bool
) -> None:
    agendize.switches.omit_status = omitted
    number = book()
    agendize.world.set_custom_status(number, "12", "Arrivée")

    row = asked.get(f"/100/appointments/{number}").json()

    assert row["customStatus"] == {"id": "12", "name": "Arrivée"}
    assert ("status" in row) is not omitted
    agendize.world.set_status(number, "completed")
    assert "customStatus" not in asked.get(f"/100/appointments/{number}").json()


def test_full_rows_say_where_it_is_what_it_costs_and_whether_it_is_a_group_session(
    agendize: AgendizeServer, asked: httpx.Client, book: Book
) -> None:
    world = agendize.world
    world.add_company("200", "Spa", "Europe/Paris", address="1 rue de l’Exemple", currency="EUR")
    massage = world.add_service("200", "Massage", 60, 45.5)
    number = world.book("200", service=massage, start=datetime(2026, 12, 3, 9), meta_event=True)
    world.place(number, "videoconference", custom="unused", video_link="https://meet.example/1")

    row = asked.get(f"/200/appointments/{number}").json()

    assert row["meta-event"] is True
    assert (row["location"], row["locationCustom"]) == ("videoconference", "unused")
    assert row["onlineMeeting"]["videoLink"] == "https://meet.example/1"
    assert row["price"] == {"amount": 45.5, "currency": "EUR"}
    assert asked.get("/200/services").json()["items"][0]["price"] == 45.5
    assert asked.get("/200").json()["address"] == {"street": "1 rue de l’Exemple"}
    other = asked.get(f"/100/appointments/{book()}").json()
    assert not {"meta-event", "price", "onlineMeeting", "locationCustom"} & other.keys()


def test_a_reschedule_link_is_there_until_the_end_and_may_be_the_same_at_every_reading(
    agendize: AgendizeServer, asked: httpx.Client, book: Book
) -> None:
    agendize.switches.stable_links = True
    number, past = book(), book("2026-11-18T09:00:00")
    first, second = (asked.get(f"/100/appointments/{number}").json() for _ in range(2))

    assert first["rescheduleLink"] == second["rescheduleLink"]
    assert "rescheduleLink" not in asked.get(f"/100/appointments/{past}").json()
    agendize.switches.link_objects = True
    assert asked.get(f"/100/appointments/{number}").json()["rescheduleLink"] == {"link": first["rescheduleLink"]}
