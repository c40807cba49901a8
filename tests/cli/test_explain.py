"""`calferry explain`: why an appointment is where it is."""

from __future__ import annotations

import pytest

from tests.cli.salon import ANA, BEN, CLIENT, Salon, calferry


@pytest.fixture
def crossed(salon: Salon) -> Salon:
    salon.book(2)
    salon.book(1, staff=salon.ben)
    salon.run("sync")
    return salon


def rows(salon: Salon) -> dict[str, str]:
    """References by source id, as the booking system has them."""
    world = salon.sandbox.agendize.world
    return {key: row.reference for key, row in world.appointments.items()}


def test_the_story_goes_from_the_row_to_the_receipt(crossed: Salon) -> None:
    source_id, reference = next(iter(rows(crossed).items()))
    ran = crossed.run("explain", reference)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert f"appointment {source_id} of agendize:13772899" in lines[0]
    assert any(line.startswith(f"  route staff (target workspace) wants in google:{ANA}: ") for line in lines)
    assert f"google:{ANA}, by route staff:" in lines
    assert any(line.startswith("  written  the same, ") for line in lines)
    happened = lines[lines.index("What happened, in UTC:") + 1 :]
    assert [line.split()[3] for line in happened] == ["booked", "routed:", "created"]


@pytest.mark.parametrize("by", ["source id", "reference", "uid", "event id"])
def test_an_appointment_is_found_by_whatever_a_person_has(crossed: Salon, by: str) -> None:
    source_id, reference = next(iter(rows(crossed).items()))
    (told,) = crossed.run("explain", reference, "--json").document["appointments"]
    (place,) = told["places"]
    name = {"source id": source_id, "reference": reference, "uid": told["uid"], "event id": place["href"]}[by]
    (found,) = crossed.run("explain", name, "--json").document["appointments"]
    assert (found["uid"], found["places"][0]["in_step"]) == (told["uid"], True)


def test_what_keeps_an_appointment_out_is_said(crossed: Salon) -> None:
    crossed.configure(more='\n[routes.staff.where]\nowner = "ben*"\n')
    crossed.book(1)
    crossed.run("sync")
    newest = list(rows(crossed))[-1]
    out = crossed.run("explain", newest).out
    assert "no route carries it: a filter, the window or its status keeps it out" in out
    held = next(iter(rows(crossed)))
    out = crossed.run("explain", held).out
    assert "  parked   the configuration changed; it stays until a person decides" in out
    assert "wanted   nothing: reconfigured (the configuration changed)" in out


def test_a_cancelled_appointment_tells_why_it_left(crossed: Salon) -> None:
    source_id = list(rows(crossed))[-1]
    crossed.sandbox.agendize.world.cancel(source_id)
    crossed.run("sync")
    out = crossed.run("explain", source_id).out
    assert f"wants in google:{BEN}: nothing: cancelled (status cancelled)" in out
    assert "written  nothing" in out
    assert "  removed" in out


def test_titles_which_may_name_customers_are_shown_on_request_alone(crossed: Salon) -> None:
    reference = next(iter(rows(crossed).values()))
    assert CLIENT[0] not in crossed.run("explain", reference).all
    ran = calferry(crossed.home, "explain", reference, "--titles", "-c", str(crossed.config), SALON_KEY="key")
    assert f"{CLIENT[0]}" in ran.out


def test_an_unknown_reference_is_an_error_that_says_what_is_known(crossed: Salon) -> None:
    ran = crossed.run("explain", "4711")
    assert (ran.code, ran.out) == (2, "")
    assert "the ledger knows no appointment by 4711" in ran.err


def test_a_booking_of_a_class_tells_of_its_session_and_the_session_of_its_bookings(crossed: Salon) -> None:
    first, second = (*crossed.book(), *crossed.book())
    for booked in (first, second):
        crossed.sandbox.agendize.world.flag(booked, meta_event=True)
    crossed.run("sync")
    (told,) = crossed.run("explain", first, "--json").document["appointments"]
    assert told["places"] == []
    out = crossed.run("explain", first).out
    assert f'counted in the session {told["part_of"]}, which a route with groups = "one" shows in its place' in out
    (session,) = crossed.run("explain", told["part_of"], "--json").document["appointments"]
    assert session["bookings"] == [first, second]
    assert [place["calendar"] for place in session["places"]] == [f"google:{ANA}"]
    out = crossed.run("explain", told["part_of"]).out
    assert f"a session; bookings ever counted in it: {first}, {second}" in out
    assert CLIENT[0] not in out


def test_where_calferry_stands_aside_explain_and_status_say_so_and_nobody_has_to_act(salon: Salon) -> None:
    told = salon.config.read_text(encoding="utf-8")
    told = told.replace('kind = "agendize"', 'kind = "agendize"\nstand_aside = true')
    salon.config.write_text(told, encoding="utf-8")
    salon.book(1)
    world = salon.sandbox.agendize.world
    ((booked, row),) = world.appointments.items()
    event = salon.sandbox.google.world.add_foreign_event(ANA, "by Agendize", *world.span(row))
    world.write_itself(booked, "googleCalendar", event)
    ran = salon.run("sync")
    assert ran.code == 0
    out = salon.run("explain", booked).out
    assert "  stands aside the booking system has written it there itself" in out
    out = salon.run("status").out
    assert f"google:{ANA}: 0 events, 1 stand aside (the booking system writes them itself), in step" in out
    assert "Nobody has to act." in out
