"""What whoever watches over the service is told: alive, ready, and how it fares in numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from calferry.errors import Unavailable
from calferry.model import label_of
from calferry.ports import Expiry
from calferry.pulse import Pulse
from calferry.sandbox import faults
from calferry.sync.crossing import run
from calferry.sync.installation import Installation, Watch
from calferry.sync.troubles import observe
from calferry.web.health import application
from calferry.web.server import bind, root_of, serving
from tests.crossing import CALENDARS, Salon, salon

DOCS = Path(__file__).parents[2] / "docs"
ANA = label_of("salon", f"google:{CALENDARS[0]}")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Salon]:
    with salon(tmp_path) as opened:
        yield opened


class Told:
    """What the listener tells of an installation."""

    def __init__(self, installation: Installation, root: str, pulse: Pulse) -> None:
        self.installation, self.root, self.pulse = installation, root, pulse

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.root + path, trust_env=False)

    def numbers(self) -> dict[str, float]:
        """Every sample, by its name and the values of its labels; the judge is Prometheus's own parser."""
        answer = self.get("/metrics")
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        families = text_string_to_metric_families(answer.text)
        return {
            " ".join([sample.name, *sample.labels.values()]): sample.value
            for family in families
            for sample in family.samples
        }


@contextmanager
def listening(installation: Installation) -> Iterator[Told]:
    pulse = Pulse()
    with bind("127.0.0.1", 0) as place, serving(application(installation, pulse), place):
        yield Told(installation, root_of(place), pulse)


@contextmanager
def crossed(shop: Salon) -> Iterator[Told]:
    with shop.installation() as installation, listening(installation) as told:
        run(installation, Watch())
        yield told


def test_what_runs_is_alive(shop: Salon) -> None:
    with crossed(shop) as told:
        assert (told.get("/healthz").status_code, told.get("/healthz").text) == (200, "alive\n")
        assert told.get("/").status_code == 404


def test_it_is_ready_once_every_job_was_done_and_while_none_is_overdue(shop: Salon) -> None:
    with crossed(shop) as told:
        told.pulse.expect("pull salon", 120)
        before = told.get("/readyz")
        with told.pulse.working("pull salon"):
            pass
        after = told.get("/readyz")
        told.pulse.expect("push workspace", -10_000)
        with told.pulse.working("push workspace"):
            pass
        overdue = told.get("/readyz")
    assert (before.status_code, before.text) == (503, "pull salon: its first round is not over\n")
    assert (after.status_code, after.text) == (200, "ready\n")
    assert (overdue.status_code, overdue.text) == (503, "push workspace: past its deadline\n")


class Silent:
    """A ledger that does not answer."""

    def __getattr__(self, name: str) -> Any:
        msg = "The ledger cannot be used: disk full."
        raise Unavailable(msg)


def test_without_its_ledger_it_is_not_ready_and_tells_no_numbers(shop: Salon) -> None:
    with shop.installation() as installation, listening(replace(installation, ledger=Silent())) as told:
        ready, metrics = told.get("/readyz"), told.get("/metrics")
        assert told.get("/healthz").status_code == 200
    assert (ready.status_code, ready.text) == (503, "the ledger does not answer\n")
    assert metrics.status_code == 503


def test_a_calendar_in_step_is_as_old_as_what_was_last_told(shop: Salon) -> None:
    shop.book()
    with crossed(shop) as told:
        shop.clock.pass_by(timedelta(minutes=5))
        numbers = told.numbers()
    assert numbers[f"calferry_in_step_age_seconds {ANA} workspace"] == pytest.approx(300, abs=5)
    assert numbers[f"calferry_surveyed_age_seconds {ANA} workspace"] == pytest.approx(300, abs=5)
    assert numbers["calferry_told_age_seconds salon"] == pytest.approx(300, abs=5)


def test_a_calendar_out_of_step_grows_older_though_the_booking_system_is_heard(shop: Salon) -> None:
    shop.book()
    shop.cross()
    shop.sandbox.google.faults.add(faults.status(503), match=lambda asked: asked.path != "/token", times=None)
    shop.book(4)
    with crossed(shop) as told:
        observe(told.installation)
        for _ in range(4):
            shop.clock.pass_by(timedelta(minutes=5))
            run(told.installation, Watch())
            observe(told.installation)
        numbers = told.numbers()
    assert numbers[f"calferry_in_step_age_seconds {ANA} workspace"] == pytest.approx(1200, abs=5)
    assert numbers["calferry_told_age_seconds salon"] < 5


def test_changes_and_requests_are_counted(shop: Salon) -> None:
    booked = [shop.book(day) for day in (2, 3)]
    with crossed(shop) as told:
        before = told.numbers()
        shop.sandbox.agendize.world.cancel(booked[0])
        shop.book(5)
        shop.clock.pass_by(timedelta(minutes=3))
        run(told.installation, Watch())
        after = told.numbers()

    def grown(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    assert grown("calferry_changes_total created ") == 1
    assert grown("calferry_changes_total removed cancelled") == 1
    asked = shop.sandbox.agendize.requests + shop.sandbox.google.requests
    assert asked > 0
    assert after["calferry_requests_total 127.0.0.1 200"] > before["calferry_requests_total 127.0.0.1 200"] > 0


def test_what_waits_for_a_person_is_counted_by_place(shop: Salon) -> None:
    nobody = shop.sandbox.agendize.world.add_staff("13772899", "Nobody", "Sample", "")
    shop.staff = (*shop.staff, nobody)
    for day in (2, 3):
        shop.book(day, staff=3)
    with crossed(shop) as told:
        assert told.numbers()["calferry_waiting unrouted salon"] == 2


def test_no_address_and_no_name_is_told(shop: Salon) -> None:
    shop.book(client=("Zoé", "Sample", "zoe@customer.example", ""))
    with crossed(shop) as told:
        text = told.get("/metrics").text + told.get("/readyz").text
    assert "@" not in text
    assert not [word for word in ("ana", "Zoé", "Coupe") if word in text]


class Certified:
    def __init__(self, target: Any, end: datetime) -> None:
        self._target, self._end = target, end

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)

    def expiry(self) -> Expiry:
        return Expiry(what="the certificate", at=self._end, remedy="renew it")


def test_it_is_told_when_a_credential_runs_out(shop: Salon) -> None:
    end = datetime(2026, 12, 1, tzinfo=UTC)
    with shop.installation() as installation:
        certified = {name: Certified(target, end) for name, target in installation.targets.items()}
        with listening(replace(installation, targets=certified)) as told:
            numbers = told.numbers()
    assert numbers["calferry_credential_end_timestamp_seconds targets.workspace"] == end.timestamp()


# ── the documents ─────────────────────────────────────────────────────────────────────────────────────────────────────


def metrics(told: Told) -> dict[str, str]:
    """Every metric, and its kind."""
    return dict(re.findall(r"^# TYPE (calferry_\w+) (\w+)$", told.get("/metrics").text, re.MULTILINE))


def test_every_metric_is_in_the_documents(shop: Salon) -> None:
    operations = (DOCS / "operations.md").read_text(encoding="utf-8")
    with crossed(shop) as told:
        assert set(re.findall(r"^\| `(calferry_\w+)`", operations, re.MULTILINE)) == metrics(told).keys()


def test_the_example_rules_ask_for_metrics_that_there_are(shop: Salon) -> None:
    groups = yaml.safe_load((DOCS / "prometheus-rules.yml").read_text(encoding="utf-8"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    asked = {name for rule in rules for name in re.findall(r"calferry_\w+", rule["expr"])}
    with crossed(shop) as told:
        assert asked <= metrics(told).keys()
    assert len({rule["alert"] for rule in rules}) == len(rules) > 5
    for rule in rules:
        assert rule.keys() <= {"alert", "expr", "for", "annotations"}
        assert rule["expr"].count("(") == rule["expr"].count(")")
        assert rule["annotations"]["summary"]
