"""What is asked on every pass reads no more rows in a large ledger than in a small one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, text

from calferry.store import SqlLedger, glance, overview
from calferry.store.history import last_hours
from calferry.store.tables import appointments, fragments, links, placements
from tests.builders import ACCOUNT, NOW, appointment, batch, staff
from tests.contracts.ledger_steps import CALENDAR, OTHER

FEW = ("calendars", "sources", "quarantine", "drifts", "intents", "nudges", "troubles", "CONSTANT")
SMALL = tuple(
    f"SCAN {name}"
    for name in ("calendars", "sources", "quarantine", "drifts", "intents", "nudges", "troubles", "CONSTANT")
)
"""What may be read whole."""

KEYS = {(CALENDAR, "000500"), (CALENDAR, "000501"), (OTHER, "000500")}

QUESTIONS: dict[str, Callable[[SqlLedger], object]] = {
    "which calendars are due": lambda ledger: ledger.outbox.due_calendars(NOW),
    "what is due": lambda ledger: ledger.outbox.due(CALENDAR, NOW),
    "what is under way": lambda ledger: ledger.outbox.unsettled(CALENDAR, NOW),
    "which sessions changed": lambda ledger: ledger.routing.gather(ACCOUNT),
    "what is to be routed": lambda ledger: ledger.routing.pending(ACCOUNT, NOW, 100),
    "what is unlisted": lambda ledger: ledger.intake.unlisted(ACCOUNT, NOW, 100),
    "what is in quarantine": lambda ledger: ledger.intake.quarantined(ACCOUNT, NOW, 100),
    "which resources are missing": lambda ledger: ledger.intake.lacks_resources(ACCOUNT),
    "what was last heard": lambda ledger: ledger.intake.newest(ACCOUNT),
    "who can be asked for as a control": lambda ledger: ledger.intake.controls(appointment(start=NOW), 3),
    "who else can be asked for": lambda ledger: ledger.intake.controls(appointment(start=NOW, owners=()), 3),
    "whether a calendar holds an event": lambda ledger: ledger.outbox.holds(CALENDAR, "000500"),
    "what waits for a person": lambda ledger: ledger.attention(NOW),
    "what stands in feeds under their keys": lambda ledger: ledger.shelf.fragments(KEYS),
    "when a feed changed": lambda ledger: ledger.shelf.stamps([CALENDAR]),
    "whose address it is": lambda ledger: ledger.shelf.link("000500"),
    "whether a feed is whole": lambda ledger: ledger.shelf.is_whole([CALENDAR], [ACCOUNT]),
    "what is still to be asked for": lambda ledger: ledger.intake.open(ACCOUNT, NOW),
    "what was proven gone": lambda ledger: ledger.intake.answers(ACCOUNT, NOW),
    "how calendars fare, for the overview": lambda ledger: glance.calendar_glances(ledger, NOW),
    "which deletions wait, for the overview": lambda ledger: glance.parked(ledger, 50),
    "what the last hours did": lambda ledger: last_hours(ledger.database, NOW, 48),
    "a week of a calendar": lambda ledger: glance.agenda(ledger, CALENDAR, NOW, NOW + timedelta(days=7)),
    "what leaves unseen": lambda ledger: glance.unknown(ledger, CALENDAR),
    "who was nudged": lambda ledger: ledger.nudges.nudged(NOW),
    "whether a source is paused": lambda ledger: ledger.intake.is_paused(ACCOUNT, NOW),
    "how calendars fare": lambda ledger: ledger.vitals(NOW),
    "what is wrong": lambda ledger: ledger.alerts.since(),
    "who was told of what": lambda ledger: ledger.alerts.told("email"),
}


def fill(ledger: SqlLedger, number: int) -> None:
    """Settled appointments, placements, fragments and addresses, as many as asked for."""
    ledger.routing.begin(ACCOUNT, "rules", "1")
    moments = {"starts_at": NOW, "ends_at": NOW}
    row = {"source": ACCOUNT, "digest": "", "body": "{}", "owner": "", "asked_at": NOW, **moments}
    place = {"calendar": CALENDAR, "target": "t", "route": "r", "source": ACCOUNT, "wanted": "{}", "ends_at": NOW}
    place |= {"wanted_fingerprint": "f", "written_fingerprint": "f", "why": "", "evidence": "", "weak": False}
    fragment = {"calendar": CALENDAR, "generation": 0, "fingerprint": "f", "stamped_at": NOW, **moments}
    fragment |= {"sequence": 1, "body": b""}
    names = [f"{index:06}" for index in range(number)]
    rows = [row | {"uid": name, "source_id": name, "revision": index} for index, name in enumerate(names)]
    with ledger.database.writing() as connection:
        connection.execute(insert(appointments), rows)
        connection.execute(insert(placements), [place | {"moved_to": "", "uid": name} for name in names])
        connection.execute(insert(fragments), [fragment | {"uid": name} for name in names])
        connection.execute(insert(links), [{"feed": CALENDAR, "rotation": int(name), "digest": name} for name in names])
        known = "INSERT INTO calendars (calendar, target, pause_reason, pauses) VALUES (:key, 't', '', 0)"
        connection.execute(text(known), {"key": CALENDAR})
        routed = text("UPDATE sources SET mark = :number, revision = :number, resources_to = :number")
        connection.execute(routed, {"number": number})


def plans(ledger: SqlLedger, ask: Callable[[SqlLedger], object]) -> list[str]:
    """How SQLite carries out every statement of a question."""
    statements: list[tuple[str, Any]] = []

    def remember(_connection: Connection, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        statements.append((statement, parameters))

    event.listen(ledger.database.engine, "before_cursor_execute", remember)
    ask(ledger)
    event.remove(ledger.database.engine, "before_cursor_execute", remember)
    with ledger.database.reading() as connection:
        return [
            row[3]
            for statement, parameters in statements
            if statement.startswith("SELECT")
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]


def steps(ledger: SqlLedger, ask: Callable[[SqlLedger], object]) -> int:
    """How many hundreds of virtual machine steps SQLite takes to answer."""
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    with ledger.database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.set_progress_handler(count, 100)
    ask(ledger)
    driver.set_progress_handler(None, 0)
    return counted


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_question_of_a_pass_scans_what_grows(ledger: SqlLedger, question: str) -> None:
    fill(ledger, 1_000)
    plan = plans(ledger, QUESTIONS[question])
    assert plan
    # A scan by way of a partial index reads only what is due, held or unrouted; drifts and nudges are few.
    partial = ("ix_placements_due", "ix_appointments_unrouted")
    scans = [line for line in plan if line.startswith("SCAN") and not line.endswith(partial)]
    assert [line for line in scans if not line.startswith(SMALL)] == []


def test_nothing_changed_costs_the_same_in_a_ledger_a_hundred_times_as_large(ledger: SqlLedger) -> None:
    fill(ledger, 1_000)
    small = {question: steps(ledger, ask) for question, ask in QUESTIONS.items()}
    with ledger.database.writing() as connection:
        for table in ("appointments", "placements", "fragments", "links", "calendars", "sources"):
            connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - names from the line above
    fill(ledger, 100_000)
    large = {question: steps(ledger, ask) for question, ask in QUESTIONS.items()}
    assert all(large[question] <= small[question] + 1 for question in QUESTIONS), (small, large)
    assert steps(ledger, lambda ledger: ledger.outbox.park(CALENDAR, ["none"], "", NOW)) < 100
    assert steps(ledger, overview.source_views) > 1_000, "the meter measures"


def test_looking_for_missing_resources_again_costs_the_same_however_much_was_recorded_since(ledger: SqlLedger) -> None:
    def ask(ledger: SqlLedger) -> object:
        return ledger.intake.lacks_resources(ACCOUNT)

    ledger.intake.record(ACCOUNT, batch(resources=(staff(),)))
    ledger.intake.complete(ACCOUNT, "resources", NOW)
    costs = []
    for number in (1_000, 20_000):
        rows = [appointment(f"{number}-{index}", uses=("staff/77",)) for index in range(number)]
        ledger.intake.record(ACCOUNT, batch(*rows))
        looking = steps(ledger, ask)
        costs.append(steps(ledger, ask))
        assert looking > 10 * (costs[-1] + 1), "what is new is looked through once"
    small, large = costs
    assert large <= small + 1, costs
