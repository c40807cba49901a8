"""`calferry plan --out FILE`, and `calferry sync --plan FILE`."""

from __future__ import annotations

import json
import stat

from tests.cli.salon import ANA, CLIENT, Salon


def test_a_plan_is_kept_for_its_owners_eyes_and_carried_out_as_it_was_seen(salon: Salon) -> None:
    salon.book(2)
    ran = salon.run("plan", "--out", "plan.json")
    assert (ran.code, ran.err, salon.writes) == (0, "", 0)
    assert "plan.json: 2 changes, with the titles of events; `calferry sync --plan plan.json` makes them." in ran.out
    file = salon.home / "plan.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert CLIENT[0] in file.read_text(encoding="utf-8")
    salon.book(3)
    salon.run("plan")
    ran = salon.run("sync", "--plan", "plan.json")
    assert (ran.code, ran.err, ran.out) == (0, "", "calendars: 2 of 2 changes made\n")
    assert salon.shown(ANA) == 2
    again = salon.run("sync", "--plan", "plan.json")
    assert (again.code, again.out) == (0, "calendars: 0 of 0 changes made, 2 done before\n")


def test_what_does_not_hold_any_more_is_listed_with_its_reason(salon: Salon) -> None:
    booked, _ = salon.book(2)
    salon.run("plan", "--out", "plan.json")
    salon.sandbox.agendize.world.cancel(booked)
    salon.run("plan")
    ran = salon.run("sync", "--plan", "plan.json")
    first, second = ran.out.splitlines()
    assert (ran.code, first) == (1, "calendars: 1 of 2 changes made")
    assert second.startswith(f"left: create google:{ANA} ")
    assert second.endswith(": changed since: there is nothing to write any more")
    told = salon.run("sync", "--plan", "plan.json", "--json").document
    assert (told["exit"], len(told["already_done"]), [one["action"] for one in told["left"]]) == (1, 1, ["create"])


def test_a_file_that_is_there_is_not_written_over_and_nothing_is_pulled(salon: Salon) -> None:
    salon.book()
    ran = salon.run("plan", "--out", "calferry.toml")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("calferry.toml: there is such a file already")
    assert salon.sandbox.agendize.requests == 0


def test_a_place_that_cannot_be_written_or_read_is_a_sentence(salon: Salon) -> None:
    salon.book()
    ran = salon.run("plan", "--out", "nowhere/plan.json")
    assert (ran.code, ran.err) == (
        2,
        "nowhere/plan.json: the plan cannot be written (No such file or directory); name another place\n",
    )
    ran = salon.run("sync", "--plan", "nowhere/plan.json")
    expected = "nowhere/plan.json: it cannot be read (No such file or directory); nothing is changed\n"
    assert (ran.code, ran.err) == (2, expected)


def test_an_edited_plan_changes_nothing_and_says_what_to_do(salon: Salon) -> None:
    salon.book()
    salon.run("plan", "--out", "plan.json")
    file = salon.home / "plan.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    document["items"][0]["summary"] = "Closed"
    file.write_text(json.dumps(document), encoding="utf-8")
    ran = salon.run("sync", "--plan", "plan.json")
    expected = (
        "plan.json: it is not as it was written: its digest is another; nothing is changed. "
        "Make a new one with `calferry plan --out FILE`\n"
    )
    assert (ran.code, ran.out, ran.err, salon.writes) == (2, "", expected, 0)
