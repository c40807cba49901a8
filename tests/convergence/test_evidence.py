"""What led to a deletion can be read afterwards, step by step: listed, unlisted, asked for, gone."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

from typer.testing import CliRunner

from calferry.cli import app
from calferry.sandbox import faults
from tests.crossing import CALENDARS, Salon

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

LISTED, UNLISTED, ASKED, GONE = "listed for the first time", "unlisted", "asked for by its id", "gone"


def said(shop: Salon, *command: str) -> str:
    """What a command prints, which ends well."""
    ran = CliRunner().invoke(app, [*command, "--config", str(shop.config)])
    assert (ran.exit_code, ran.stderr) == (0, "")
    return ran.stdout


def explained(shop: Salon, ref: str) -> dict[str, Any]:
    (told,) = json.loads(said(shop, "explain", ref, "--json"))["appointments"]
    assert isinstance(told, dict)
    return told


def test_a_deleted_appointment_tells_all_that_led_to_it(shop: Salon) -> None:
    gone, *_ = (shop.book(3 + day) for day in range(10))
    shop.cross()
    assert explained(shop, gone)["evidence"] == []

    shop.vanish(gone)
    mute = shop.sandbox.agendize.faults
    mute.add(faults.status(500), match=lambda asked: asked.path.endswith(f"/appointments/{gone}"), times=None)
    shop.cross(DAY)
    told = explained(shop, gone)
    assert [one["step"] for one in told["evidence"]] == [LISTED, UNLISTED, ASKED]
    assert (told["look_ups"], told["deletion"], told["places"][0]["in_step"]) == (1, "", True)
    assert re.search(
        r"asked for by its id 1 time, again from .* on; last answer unanswered: GET", said(shop, "explain", gone)
    )

    mute.clear()
    shop.cross(2 * HOUR)
    told = explained(shop, gone)
    assert [one["step"] for one in told["evidence"]] == [LISTED, UNLISTED, ASKED, ASKED, GONE]
    _, unlisted, mute_answer, answer, end = told["evidence"]
    assert unlisted["detail"] == "missing from a complete listing of 2026-10-14 to 2026-12-20"
    assert mute_answer["detail"].startswith("unanswered: GET ")
    assert re.search(rf"^not found: GET .*/{gone} answered 404; control \d+ was found$", answer["detail"])
    assert (end["detail"], told["deletion_weak"]) == (answer["detail"].removeprefix("not found: "), True)
    times = [one["at"] for one in told["evidence"]]
    assert times == sorted(times)
    assert told["journal"][-1]["what"] == "removed"
    lines = said(shop, "explain", gone).splitlines()
    assert any(re.fullmatch(r"  2026-10-21 \d\d:\d\d:\d\d  unlisted: missing from .*", line) for line in lines)
    assert shop.standing().total() == 9


def test_one_that_is_seen_again_begins_anew(shop: Salon) -> None:
    booked = [shop.book(3 + day) for day in range(10)]
    shop.cross()
    row = shop.sandbox.agendize.world.appointments[booked[0]]
    shop.vanish(booked[0])
    mute = shop.sandbox.agendize.faults
    mute.add(faults.status(500), match=lambda asked: asked.path.endswith(f"/appointments/{booked[0]}"), times=None)
    shop.cross(DAY)
    shop.sandbox.agendize.world.appointments[booked[0]] = row
    mute.clear()
    shop.cross(DAY)
    assert explained(shop, booked[0])["evidence"] == []
    shop.vanish(booked[0])
    shop.cross(DAY)
    steps = [one["step"] for one in explained(shop, booked[0])["evidence"]]
    assert steps == ["listed again", UNLISTED, ASKED, GONE]


def test_each_deletion_that_waits_shows_what_led_to_it(shop: Salon) -> None:
    booked = [shop.book(3 + day) for day in range(10)]
    shop.cross()
    for one in booked[:5]:
        shop.vanish(one)
    shop.cross(DAY)
    waiting = json.loads(said(shop, "deletions", "list", "--json"))["deletions"]
    assert [[step["step"] for step in one["trail"]] for one in waiting] == [[LISTED, UNLISTED, ASKED, GONE]] * 5
    lines = said(shop, "deletions", "list").splitlines()
    assert lines[0] == f"google:{CALENDARS[0]}"
    assert sum("  asked for by its id: not found: GET " in line for line in lines) == 5
