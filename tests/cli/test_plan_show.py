"""`calferry plan --show`: what becomes of each field of each event, before anything is written."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta

from tests.cli.salon import ANA, NOTES, Salon

DETAIL = "      "


def details(out: str) -> list[str]:
    return [line.removeprefix(DETAIL) for line in out.splitlines() if line.startswith(DETAIL)]


def test_a_new_event_is_shown_with_all_its_fields(salon: Salon) -> None:
    salon.book()
    ran = salon.run("plan", "--show")
    assert (ran.code, ran.err, salon.writes) == (0, "", 0)
    told = dict(line.split(": ", 1) for line in details(ran.out))
    assert told.keys() == {"start", "end", "summary", "description", "status", "transparency", "classification"}
    assert told["start"].endswith(" 09:00 Europe/Paris")
    assert told["summary"] == "Consultation – Zoé Sample"
    assert told["description"].startswith("Zoé Sample ⏎ +33 1 00 00 00 00 ⏎ zoe@customer.example")


def test_an_update_shows_what_stands_there_and_what_would_and_nothing_that_stays(salon: Salon) -> None:
    (booked,) = salon.book()
    salon.run("sync")
    salon.sandbox.agendize.world.rename_service(salon.service, "Contrôle")
    start = salon.sandbox.agendize.world.appointments[booked].start
    salon.sandbox.agendize.world.move(booked, start + timedelta(hours=1), 45)
    day = f"{start:%Y-%m-%d}"
    assert details(salon.run("plan", "--show").out) == [
        f"start: {day} 09:00 Europe/Paris → {day} 10:00 Europe/Paris",
        f"end: {day} 09:30 Europe/Paris → {day} 10:45 Europe/Paris",
    ]
    salon.configure(more='summary = "{start.time} {service}"\nlocation = "Salle 1"\ncategories = ["{service}"]\n')
    told = details(salon.run("plan", "--show").out)
    assert told[2:] == ["summary: Consultation – Zoé Sample → 10:00 Consultation", "location: – → Salle 1"]


def test_a_deletion_shows_what_would_leave_and_what_proves_it(salon: Salon) -> None:
    gone, _ = salon.book(2)
    salon.run("sync")
    salon.sandbox.agendize.world.cancel(gone)
    ran = salon.run("plan", "--show")
    (row,) = [line for line in ran.out.splitlines() if line.startswith("  - ")]
    assert row.endswith("cancelled: status cancelled")
    assert "summary: Consultation – Zoé Sample → –" in details(ran.out)
    salon.configure(more='\n[routes.staff.where]\nowner = "ben*"\n')
    ran = salon.run("plan", "--show")
    assert [line[:11] for line in ran.out.splitlines() if line.startswith("  ! ")] == ["  ! parked:"]
    assert "configuration changed" in ran.out
    assert details(ran.out).count("summary: Consultation – Zoé Sample → –") == 2
    assert salon.run("plan", "--show", "--json").document["plans"][0]["parked"][0]["fields"]["summary"]["after"] == ""


def test_where_it_is_not_known_what_stands_there_all_that_shall_is_shown(salon: Salon) -> None:
    """As after an upgrade of a ledger that did not remember it."""
    (booked,) = salon.book()
    salon.run("sync")
    salon.sandbox.agendize.world.move(booked, salon.sandbox.agendize.world.appointments[booked].start.replace(hour=15))
    salon.run("plan")
    with closing(sqlite3.connect(salon.home / "calferry.db")) as ledger:
        ledger.execute("UPDATE placements SET written = ''")
        ledger.commit()
    told = details(salon.run("plan", "--show").out)
    assert "summary: Consultation – Zoé Sample" in told
    assert not [line for line in told if "→" in line]


def test_what_is_not_revealed_is_not_shown_either(salon: Salon) -> None:
    salon.book()
    ran = salon.run("plan", "--show", "--json")
    assert NOTES not in ran.all
    (change,) = ran.document["plans"][0]["changes"]
    assert change["fields"]["summary"] == {"before": None, "after": "Consultation – Zoé Sample"}


def test_without_being_asked_a_plan_shows_no_fields(salon: Salon) -> None:
    salon.book()
    assert details(salon.run("plan").out) == []
    assert "fields" not in salon.run("plan", "--json").document["plans"][0]["changes"][0]


def test_a_long_list_is_cut_unless_all_of_it_is_asked_for(salon: Salon) -> None:
    salon.book(23)
    short = salon.run("plan").out.splitlines()
    assert (len(short), short[0], short[-1]) == (22, f"google:{ANA}: 23 to create", "  … and 3 more")
    assert len(salon.run("plan", "--all").out.splitlines()) == 24
    assert len(salon.run("plan", "--json").document["plans"][0]["changes"]) == 23


def test_an_appointment_that_no_route_can_place_is_listed_with_its_reason(salon: Salon) -> None:
    (booked,) = salon.book()
    salon.sandbox.agendize.world.set_staff_email(salon.ana, "")
    ran = salon.run("plan", "--show")
    assert f"staff {salon.ana} has no email" in ran.out
    assert ran.out.splitlines()[0] == "Nothing to write."
    assert booked not in details(ran.out)
