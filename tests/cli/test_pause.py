"""`calferry pause` and `calferry resume`: a person's word on what is asked and what is written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from calferry.sandbox import faults
from tests.cli.salon import ANA, BEN, COMPANY, Salon

SOURCE = f"agendize:{COMPANY}"


def line_of(salon: Salon, key: str) -> str:
    (line,) = [line for line in salon.run("status").out.splitlines() if line.startswith(f"{key}: ")]
    return line


def test_a_source_is_asked_nothing_until_it_is_resumed(salon: Salon) -> None:
    salon.book(1)
    salon.run("sync")
    ran = salon.run("pause", "salon", "--reason", "they move house")
    assert (ran.code, ran.out) == (0, f"source {SOURCE}: paused until it is resumed\n")
    salon.book(2)
    salon.sandbox.agendize.forget_requests()
    ran = salon.run("sync")
    assert (ran.code, ran.out.splitlines()[0], salon.sandbox.agendize.requests) == (0, "salon: paused", 0)
    assert line_of(salon, SOURCE).endswith(", PAUSED by hand until it is resumed: they move house")
    assert "Nobody has to act." in salon.run("status").out
    ran = salon.run("resume", "salon")
    assert (ran.code, ran.out) == (0, f"source {SOURCE}: resumed; the next pass goes on with it\n")
    salon.run("sync")
    assert salon.shown(ANA) == 3
    assert salon.run("resume", "salon").out == f"source {SOURCE}: it was not paused\n"


def test_nothing_is_written_while_a_target_rests_not_even_in_calendars_that_are_new(salon: Salon) -> None:
    salon.book(1)
    salon.run("sync")
    assert salon.run("pause", "workspace", "--for", "2h").code == 0
    salon.book(1)
    salon.book(1, staff=salon.ben)
    assert (salon.run("sync").code, salon.shown(ANA), salon.shown(BEN)) == (0, 1, 0)
    assert line_of(salon, "target workspace").startswith("target workspace: PAUSED by hand until 20")
    assert [one["name"] for one in salon.run("status", "--json").document["resting"]] == ["workspace"]
    for calendar in (ANA, BEN):
        assert " UTC with target workspace" in line_of(salon, f"google:{calendar}")
    ran = salon.run("resume", f"google:{BEN}")
    assert "it rests with target workspace; `calferry resume workspace` ends that" in ran.out
    salon.run("resume", "workspace")
    salon.run("sync")
    assert (salon.shown(ANA), salon.shown(BEN)) == (2, 1)


def test_one_calendar_rests_by_its_address_alone_and_the_others_go_on(salon: Salon) -> None:
    salon.book(1)
    salon.book(1, staff=salon.ben)
    salon.run("sync")
    told = salon.run("pause", ANA, "--for", "3d", "--json").document["paused"]
    assert [(one["what"], one["name"]) for one in told] == [("calendar", f"google:{ANA}")]
    ends = datetime.fromisoformat(told[0]["until"]) - datetime.now(UTC)
    assert timedelta(days=2, hours=23) < ends <= timedelta(days=3)
    salon.book(2)
    salon.book(2, staff=salon.ben)
    salon.run("sync")
    assert (salon.shown(ANA), salon.shown(BEN)) == (1, 3)
    assert "behind" not in salon.run("status").out
    seen = {one["calendar"]: one for one in salon.run("status", "--json").document["calendars"]}
    assert (seen[f"google:{ANA}"]["resting"]["what"], seen[f"google:{BEN}"]["resting"]) == ("calendar", None)
    assert (seen[f"google:{ANA}"]["due"], seen[f"google:{ANA}"]["in_step_since"]) == (2, None)
    told = salon.run("resume", ANA, BEN, "--json").document["resumed"]
    assert [one["was_paused"] for one in told] == [True, False]


def test_a_refused_key_pauses_its_source_and_resume_tries_the_new_one_at_once(salon: Salon) -> None:
    salon.book(1)
    salon.run("sync")
    salon.sandbox.agendize.faults.add(faults.status(401), times=None)
    assert [salon.run("sync").code for _ in range(3)] == [77, 0, 0]
    line = line_of(salon, SOURCE)
    assert ", PAUSED until 20" in line
    assert "answered 401" in line
    assert f"`calferry resume {SOURCE}`" in line
    assert "Nobody has to act." not in salon.run("status").out
    (seen,) = salon.run("status", "--json").document["sources"]
    assert (seen["pause_reason"] in line, seen["resting"]) == (True, None)
    salon.sandbox.agendize.faults.clear()
    salon.book(1)
    assert (salon.run("sync").code, salon.shown(ANA)) == (0, 1)
    assert salon.run("resume", SOURCE).code == 0
    assert (salon.run("sync").code, salon.shown(ANA)) == (0, 2)


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_a_wrong_name_is_told_with_those_nearest_to_it_and_nothing_is_done(salon: Salon, command: str) -> None:
    salon.book(1)
    salon.run("sync")
    for wrong, nearest in (("salom", "did you mean salon"), ("anna@salon.example", ANA), ("4711", "calferry status")):
        ran = salon.run(command, "workspace", wrong)
        assert (ran.code, ran.out) == (2, "")
        assert f"{wrong} is no source, target or calendar" in " ".join(ran.err.split())
        assert nearest in " ".join(ran.err.split())
    assert "PAUSED" not in salon.run("status").out


def test_a_name_that_could_be_two_things_is_to_be_written_in_full(salon: Salon) -> None:
    text = salon.config.read_text(encoding="utf-8")
    salon.config.write_text(text.replace("targets.workspace", "targets.salon").replace('"workspace"', '"salon"'))
    ran = salon.run("pause", "salon")
    assert ran.code == 2
    told = " ".join(word for word in ran.err.split() if word != "│")
    assert f"salon could be source {SOURCE} or target salon; write sources.salon or targets.salon" in told
    assert salon.run("pause", "targets.salon").out == "target salon: paused until it is resumed\n"


def test_a_time_that_is_none_is_an_error_of_usage(salon: Salon) -> None:
    for wrong in ("2 hours", "999999w"):
        ran = salon.run("pause", "salon", "--for", wrong)
        assert (ran.code, ran.out) == (2, "")
        assert "write it like 30m, 2h or 3d" in " ".join(ran.err.split())
