"""`calferry demo`: the whole crossing for whoever has a minute."""

from __future__ import annotations

import io
import json
import re
import signal
from collections import Counter
from pathlib import Path

import httpx
import pytest
from icalendar import Calendar
from rich.console import Console

from calferry.cli.demo import conclude
from calferry.errors import Unavailable
from calferry.sandbox import Verdict
from tests.cli.salon import Ran, calferry
from tests.cli.service import Service
from tests.cli.terminal import Terminal

CLEAN = Verdict(missing=0, duplicates=0, foreign_touched=0, mails=0, reminder_mails=0, details=())


REMOTES = ["agendize", "clicrdv", "valomnia", "google", "microsoft"]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return calferry(tmp_path_factory.mktemp("home"), "demo", "--json")


def test_the_demo_ends_well_and_leaves_nothing_behind(tmp_path: Path) -> None:
    told = calferry(tmp_path, "demo", TMPDIR=str(tmp_path))
    assert (told.code, told.err) == (0, "")
    assert "0 missing, 0 doubled, 0 of other people's events touched, 0 mails sent" in told.out
    assert "Keep all of it open" not in told.out
    assert list(tmp_path.iterdir()) == []


def test_a_proxy_in_the_environment_is_left_aside(tmp_path: Path) -> None:
    nobody = "http://127.0.0.1:9"
    told = calferry(tmp_path, "demo", http_proxy=nobody, HTTP_PROXY=nobody, ALL_PROXY=nobody)
    assert (told.code, told.err) == (0, "")


def test_the_json_is_one_line_and_the_story_goes_elsewhere(ran: Ran) -> None:
    (line,) = ran.out.splitlines()
    told = json.loads(line)
    assert ran.code == 0
    assert "Third crossing" in ran.err
    assert list(told) == ["passes", "missing", "duplicates", "foreign_touched", "mails", "feed_url"]
    assert [told[name] for name in ("missing", "duplicates", "foreign_touched", "mails")] == [0, 0, 0, 0]
    assert [set(one) for one in told["passes"]] == [{"created", "updated", "deleted", "requests"}] * 3
    assert [list(one["requests"]) for one in told["passes"]] == [REMOTES] * 3


def test_the_work_is_proportional_to_what_changed(ran: Ran) -> None:
    first, second, third = json.loads(ran.out)["passes"]
    assert first["created"] > 300
    assert (first["updated"], first["deleted"]) == (0, 0)
    # Three bookings and two that changed hands; a move each and a class that grew; two cancellations, and where the two
    # had been.
    assert (second["created"], second["updated"], second["deleted"]) == (5, 4, 4)
    # A request per credential and phase: two at Google of whom one also loses an event; the same at Microsoft.
    assert second["requests"]["google"] <= 4
    assert second["requests"]["microsoft"] <= 4
    assert (third["created"], third["updated"], third["deleted"]) == (0, 0, 0)


def test_the_third_crossing_costs_what_the_pages_of_the_adapters_say(ran: Ran) -> None:
    *_, third = json.loads(ran.out)["passes"]
    assert third["requests"] == {"agendize": 1, "clicrdv": 3, "valomnia": 1, "google": 0, "microsoft": 0}


def test_every_change_at_the_desks_is_in_the_plan_and_nothing_else(ran: Ran) -> None:
    meanwhile, second = ran.err.split("Meanwhile")[1].split("Second crossing")
    done = Counter(line.split()[1] for line in meanwhile.splitlines() if line.startswith("  "))
    planned = Counter(line.split()[0] for line in second.split("Third crossing")[0].splitlines() if line[:2] == "  ")
    assert done == {"booked": 3, "moved": 3, "cancelled": 2, "gave": 2, "joined": 1}
    assert planned == {
        "+": done["booked"] + done["gave"],
        "~": done["moved"] + done["joined"],
        "-": done["cancelled"] + done["gave"],
    }


def test_whoever_works_in_two_places_has_one_calendar(ran: Ran) -> None:
    agenda = ran.err.split("Whoever works in two places")[1].split("The same as a subscription")[0]
    assert [line.split("@")[0] for line in agenda.splitlines() if "@" in line] == ["ana", "chloe", "dario"]
    assert "(practice)" in agenda
    assert "(field)" in agenda


def test_the_story_fits_a_terminal(ran: Ran) -> None:
    lines = ran.err.splitlines()
    assert len(lines) < 85
    assert [line for line in lines if len(line) > 100] == []


def test_on_a_terminal_it_offers_to_stay_and_ctrl_c_is_an_answer(tmp_path: Path) -> None:
    with Terminal(tmp_path, "demo") as terminal:
        terminal.until("[y/N]")
        terminal.interrupt()
        assert terminal.end() == 0
    assert "Good-bye." in terminal.seen
    assert "Traceback" not in terminal.seen


def test_while_it_stays_the_commands_work_on_it(tmp_path: Path) -> None:
    with Terminal(tmp_path, "demo") as terminal:
        terminal.until("[y/N]")
        terminal.answer("y\n")
        invitation = re.search(r"calferry status -c (\S+)", terminal.until("Ctrl-C ends it."))
        assert invitation
        status = calferry(tmp_path, "status", "-c", invitation[1])
        sync = calferry(tmp_path, "sync", "-c", invitation[1])
        terminal.interrupt()
        assert terminal.end() == 0
    assert "Nobody has to act." in status.out
    quiet = [f"{source}: nothing new" for source in ("clinic", "practice", "field")]
    assert (sync.code, sync.out.splitlines()) == (0, [*quiet, "calendars: nothing to write"])
    assert "Good-bye." in terminal.seen


def test_a_clean_verdict_is_good(tmp_path: Path) -> None:
    told = io.StringIO()
    assert conclude(Console(file=told), CLEAN, [])
    assert "Please report it" not in told.getvalue()


@pytest.mark.parametrize(
    ("verdict", "errors", "complaint"),
    [
        (CLEAN._replace(missing=1, details=("missing: ana",)), [], "missing: ana"),
        (CLEAN._replace(reminder_mails=2), [], "2 mails sent"),
        (CLEAN, [Unavailable("no answer")], "no answer"),
    ],
)
def test_a_verdict_that_is_not_clean_is_told(verdict: Verdict, errors: list[Unavailable], complaint: str) -> None:
    told = io.StringIO()
    assert not conclude(Console(file=told, soft_wrap=True), verdict, errors)
    assert "This is not as it should be. Please report it:" in told.getvalue()
    assert complaint in told.getvalue()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_while_it_stays_its_feed_can_be_subscribed_to(tmp_path: Path, number: signal.Signals) -> None:
    with Service(tmp_path, "demo", "--keep", "--json", TMPDIR=str(tmp_path)) as service:
        service.until("Ctrl-C ends it.")
        told = json.loads(service.until('"feed_url"'))
        answer = httpx.get(told["feed_url"], trust_env=False)
        again = httpx.get(told["feed_url"], trust_env=False, headers={"If-None-Match": answer.headers["ETag"]})
        code = service.ask_to_end(number)
    events = Calendar.from_ical(answer.content).walk("VEVENT")
    shown = sum(str(event["status"]) != "CANCELLED" for event in events)
    assert (answer.status_code, again.status_code, code) == (200, 304, 0)
    assert shown == sum(one["created"] - one["deleted"] for one in told["passes"]) > 300
    assert len(service.told) == 1
    assert "Traceback" not in service.all
    assert list(tmp_path.iterdir()) == []


def test_while_it_stays_the_pages_show_all_of_it_to_whoever_has_the_password(tmp_path: Path) -> None:
    with Service(tmp_path, "demo", "--keep", TMPDIR=str(tmp_path)) as service:
        password = service.until("the password is ").rpartition(" ")[2]
        (root,) = (line.strip() for line in service.told if re.fullmatch(r"  http://127\.0\.0\.1:\d+/", line))
        with httpx.Client(base_url=root, trust_env=False, follow_redirects=True, timeout=30) as client:
            outside = client.get("/")
            overview = client.post("/sign-in", data={"password": password, "then": "/"})
        assert service.ask_to_end() == 0
    assert (outside.status_code, overview.status_code) == (401, 200)
    assert "All 5 calendars are in step" in overview.text
    assert "Traceback" not in service.all
