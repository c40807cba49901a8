"""Bugs that are planted on purpose, one at a time, in a copy of the sources; and which test turns red.

`make mutants` prints a table. A bug that no test notices is a hole in the tests: the exit code is 1.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Mutant:
    """`bug` in words; `sound` stands once in `file` and becomes `broken`; `tests` are those that should notice."""

    bug: str
    file: str
    sound: str
    broken: str
    tests: str


OUTAGES, TOGETHER = "tests/convergence/test_outages.py", "tests/crash/test_together.py"
STORE, PLAN = "tests/store/test_sqlite_ledger.py", "tests/unit/test_plan.py"

MUTANTS = (
    Mutant(
        "a receipt is not filed",
        "sync/push.py",
        "        self.outbox.file(receipts, self.clock.now())\n        actions",
        "        actions",
        f"{OUTAGES}::test_a_move_is_in_the_new_calendar_before_it_leaves_the_old",
    ),
    Mutant(
        "what was sent and not answered is not sent again",
        "sync/push.py",
        "unsettled = [intent for calendar in self.open for intent in self.outbox.unsettled(calendar, now)]",
        "unsettled = [intent for calendar in () for intent in self.outbox.unsettled(calendar, now)]",
        f"{OUTAGES}::test_a_lost_reply_to_a_batch_leaves_nothing_missing_and_nothing_doubled",
    ),
    Mutant(
        "what is unlisted counts as gone, nobody asks for it",
        "sync/pull.py",
        "answer = self._asked_for(appointment)",
        'answer: Answer | None = Answer(appointment.source_id, Verdict.GONE, "unlisted")',
        f"{OUTAGES}::test_a_listing_contradicted_by_look_ups_is_disbelieved",
    ),
    Mutant(
        "a not-found counts without a control",
        "sync/pull.py",
        "return self._controlled(appointment, evidence)",
        "return Answer(name, Verdict.NOT_FOUND, evidence)",
        f"{OUTAGES}::test_without_a_control_a_deletion_is_not_believed",
    ),
    Mutant(
        "a listing that look-ups contradict is believed",
        "sync/pull.py",
        "if found >= LIES and not confirmed:",
        "if found >= 10 * LIES and not confirmed:",
        f"{OUTAGES}::test_a_listing_contradicted_by_look_ups_is_disbelieved",
    ),
    Mutant(
        "the cursor is filed before the rows",
        "store/intake.py",
        "            enter(connection, source)\n            hear(connection, source, batch.asked_at)\n"
        "            batch = ",
        "            enter(connection, source)\n            if batch.cursor:\n"
        '                told = [{"source": source, "stream": batch.stream, "cursor": batch.cursor.token}]\n'
        "                upsert(connection, streams, told)\n        with self._database.writing() as connection:\n"
        "            hear(connection, source, batch.asked_at)\n            batch = ",
        "tests/store/test_trouble.py::test_a_full_disk_ends_the_step_and_leaves_the_ledger_whole",
    ),
    Mutant(
        "a filed deletion does not raise the generation",
        "store/filing.py",
        "generation if receipt.fingerprint else generation + 1",
        "generation",
        STORE,
    ),
    Mutant(
        "a used-up identity does not raise the generation",
        "store/outbox.py",
        "generation = max(place.generation, intent.generation) + 1",
        "generation = max(place.generation, intent.generation)",
        STORE,
    ),
    Mutant(
        "a lock is not taken",
        "store/locks.py",
        "            lock.acquire()\n        except",
        "            pass\n        except",
        "tests/store/test_opening.py",
    ),
    Mutant(
        "the lock of a calendar is not taken",
        "sync/push.py",
        "        locks.enter_context(installation.ledger.lock(calendar))\n",
        "        pass\n",
        TOGETHER,
    ),
    Mutant(
        "the brakes let one more pass",
        "plan.py",
        "return deletions <= max(self.few, self.share * held)",
        "return deletions <= max(self.few, self.share * held) + 1",
        PLAN,
    ),
    Mutant(
        "the brakes let one less pass",
        "plan.py",
        "return deletions <= max(self.few, self.share * held)",
        "return deletions < max(self.few, self.share * held)",
        PLAN,
    ),
    Mutant(
        "only what is beyond the brakes is counted, not what went today",
        "plan.py",
        "            asked = sum(_count(plan, kind) for plan in plans)\n"
        "            if asked and not brake.allows(recent + asked, _yesterday(total)):",
        "            asked = sum(_count(plan, kind) for plan in plans)\n"
        "            if asked and not brake.allows(asked, _yesterday(total)):",
        PLAN,
    ),
    Mutant(
        "a calendar is written before its marks were read",
        "sync/push.py",
        "if self.outbox.surveyed(calendar) is None:",
        "if self.outbox.surveyed(calendar) is None and not self.open:",
        f"{OUTAGES}::test_a_calendar_marked_by_another_ledger_is_left_alone",
    ),
    Mutant(
        "a move leaves the old calendar before it is in the new one",
        "sync/push.py",
        "return all(self.outbox.holds(calendar, change.uid) for calendar in change.removal.moved_to)",
        "return bool(change)",
        f"{OUTAGES}::test_an_appointment_given_to_somebody_whose_calendar_is_closed_stays_where_it_was",
    ),
    Mutant(
        "an answer without rows is an empty list",
        "sources/agendize/source.py",
        'items = reply.get("items")',
        'items = reply.get("items", [])',
        f"{OUTAGES}::test_an_outage_of_the_source_deletes_nothing_and_the_exit_code_says_so",
    ),
)


def caught_by(mutant: Mutant) -> str:
    """The first test that turns red; '' where none does."""
    with TemporaryDirectory(prefix="calferry-mutant-") as folder:
        planted = Path(folder) / "calferry"
        shutil.copytree(ROOT / "src" / "calferry", planted, ignore=shutil.ignore_patterns("__pycache__"))
        file = planted / mutant.file
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace(mutant.sound, mutant.broken), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:randomly"]
        done = subprocess.run(  # noqa: S603 (our own tests)
            [*command, mutant.tests],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    red = re.search(r"^(?:FAILED|ERROR) (?:\S*::)?(\w+)", done.stdout, re.MULTILINE)
    return red[1] if red else ""


def main() -> int:
    """One line a bug."""
    wanted, holes = sys.argv[1:], 0
    for mutant in MUTANTS:
        if wanted and not any(word in mutant.bug for word in wanted):
            continue
        red = caught_by(mutant)
        holes += not red
        sys.stdout.write(f"{mutant.bug:<60} {red or 'NOBODY NOTICES'}\n")
        sys.stdout.flush()
    return int(holes > 0)


if __name__ == "__main__":
    sys.exit(main())
