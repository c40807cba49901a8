"""When each step of the service runs: every source at its own interval, every target when something may be due there.

Jobs live in this process alone: what they have to do is in the ledger, so nothing is lost with them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from calferry.errors import CalferryError
from calferry.ports import Attention
from calferry.sync.crossing import bring_from, deliver, waiting
from calferry.sync.installation import Account, Installation, Stopped, Tally, Watch
from calferry.sync.pull import PAUSED
from calferry.sync.tend import tend

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler

log = logging.getLogger(__name__)

PUSH_EVERY = timedelta(minutes=1)
"""How often a target is looked after though no source had anything new: what failed is due again, a pause is over."""

VERIFY_AFTER = timedelta(minutes=15)
"""How long after its start a service verifies calendars for the first time: it may be started more often than that is
due."""

AT_ONCE = 20
"""Pulls that run at the same time, and pushes: booking systems that hang must stop no calendar."""

FAREWELL = 5.0
"""Seconds that the steps under way have when the schedule stops."""


class Schedule:
    """The steps of an installation, over and over until `stopping` is set."""

    def __init__(self, installation: Installation, stopping: Event) -> None:
        self._installation = installation
        self._stopping = stopping
        self._watch = Watch(stopping=stopping.is_set)
        self._nudged: set[str] = set()
        self._nudging = Lock()
        self._errors: dict[str, tuple[str, ...]] = {}
        self._attention: frozenset[Attention] = frozenset()
        self._scheduler = self._plan()

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> bool:
        """Let the steps that run end: each does after the request it is at, and files what came of it.

        Whether all have ended. One that waits for a remote service may go on for minutes, and is not waited for: what
        it asked for is on disk.
        """
        with self._nudging:  # the scheduler is locked while it waits for its steps: none may nudge it then
            self._stopping.set()
        ending = Thread(target=self._scheduler.shutdown, name="farewell", daemon=True)
        ending.start()
        ending.join(FAREWELL)
        return not ending.is_alive()

    def hurry(self) -> None:
        """Somebody wants to see it now: every source is pulled at once, and every target looked after."""
        with self._nudging:
            if self._stopping.is_set():
                return
            for job in self._scheduler.get_jobs():
                if job.executor == "pull" or job.id.startswith(_push_id("")):
                    job.modify(next_run_time=datetime.now(UTC))

    def _plan(self) -> BackgroundScheduler:
        from apscheduler.executors.pool import ThreadPoolExecutor
        from apscheduler.schedulers.background import BackgroundScheduler

        accounts, targets = self._installation.accounts, self._installation.targets
        # A step that is late runs late, once, and never beside itself.
        scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"pull": ThreadPoolExecutor(AT_ONCE), "push": ThreadPoolExecutor(AT_ONCE)},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        now = datetime.now(UTC)
        for account in accounts:
            every = account.rhythm.every.total_seconds()
            scheduler.add_job(self._pull, "interval", [account], executor="pull", seconds=every, next_run_time=now)
        for target in targets:
            every = PUSH_EVERY.total_seconds()
            scheduler.add_job(
                self._push,
                "interval",
                [target],
                executor="push",
                id=_push_id(target),
                seconds=every,
                next_run_time=now,
            )
        for target, often in self._installation.verify.items():
            seconds, first = often.total_seconds(), now + VERIFY_AFTER
            scheduler.add_job(self._verify, "interval", [target], executor="push", seconds=seconds, next_run_time=first)
        return scheduler

    def _pull(self, account: Account) -> None:
        name = account.source.name
        tally = self._step(f"pull {name}", name, partial(bring_from, account, self._installation, self._watch))
        self._tell_attention()
        if tally["routed"]:
            for target in {route.target for route in account.routes}:
                self._nudge(target)

    def _nudge(self, target: str) -> None:
        """Something may be due there: not in a minute, now. A push that runs already goes round once more."""
        self._nudged.add(target)
        with self._nudging:
            if not self._stopping.is_set():
                self._scheduler.modify_job(_push_id(target), next_run_time=datetime.now(UTC))

    def _push(self, target: str) -> None:
        while True:
            self._nudged.discard(target)
            self._step(_push_id(target), target, partial(deliver, self._installation, self._watch, [target]))
            if target not in self._nudged or self._stopping.is_set():
                return

    def _verify(self, target: str) -> None:
        tally = self._step(f"verify {target}", target, partial(tend, self._installation, target, self._watch))
        if tally["restored"]:
            self._nudge(target)

    def _step(self, job: str, name: str, step: Callable[[], Tally]) -> Tally:
        """Run a step and say what came of it. Whatever ends it, it is tried again."""
        if self._stopping.is_set():
            return Tally()
        try:
            tally = step()
        except Stopped:
            return Tally()
        except CalferryError as error:
            tally = Tally(errors=[error])
        except Exception as error:
            log.debug("it failed here", exc_info=error)
            unforeseen = f"a step failed in a way calferry does not know ({type(error).__name__})"
            tally = Tally(errors=[CalferryError(unforeseen)])
        self._tell(job, name, tally)
        return tally

    def _tell(self, job: str, name: str, tally: Tally) -> None:
        """What was done, each error when it comes and when it is over, and what newly waits for a person."""
        if text := tally.text(besides=("routed", PAUSED)):
            log.info("%s: %s", name, text)
        if tally[PAUSED]:  # what went wrong before is not over
            return
        errors = tuple(dict.fromkeys(map(str, tally.errors)))
        before = self._errors.get(job, ())
        for error in errors:
            if error not in before:
                log.warning("%s: %s", name, error)
        if before and not errors:
            log.info("%s: well again", name)
        self._errors[job] = errors
        if text:
            self._tell_attention()

    def _tell_attention(self) -> None:
        try:
            attention = waiting(self._installation)
        except Exception as error:  # the ledger does not answer, which the steps that need it say
            log.debug("it failed here", exc_info=error)
            return
        for one in sorted(attention - self._attention, key=lambda one: (one.what, one.where, one.id)):
            log.warning("%s: %s %s: %s", one.what, one.where, one.id, one.reason)
        self._attention = attention


def _push_id(target: str) -> str:
    return f"push {target}"
