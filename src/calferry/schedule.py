"""When each step of the service runs: every source at its own interval, every target when something may be due there.

Jobs live in this process alone: what they have to do is in the ledger, so nothing is lost with them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from calferry import meters
from calferry.errors import CalferryError
from calferry.ports import Attention
from calferry.pulse import Pulse
from calferry.sync.crossing import bring_from, bring_hinted, deliver, waiting
from calferry.sync.heed import HEEDED
from calferry.sync.installation import Account, Installation, Stopped, Tally, Watch
from calferry.sync.pull import PAUSED
from calferry.sync.tend import tend

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler

log = logging.getLogger(__name__)
steps = logging.getLogger("calferry.steps")

PUSH_EVERY = timedelta(minutes=1)
"""How often a target is looked after though no source had anything new: what failed is due again, a pause is over."""

VERIFY_AFTER = timedelta(minutes=15)
"""How long after its start a service verifies calendars for the first time: it may be started more often than that is
due."""

LISTEN_EVERY = timedelta(seconds=1)
"""How often the service looks for nudges: one small question to the ledger. What waits for another try, or for a call
that got lost, is looked after once a minute besides."""

HEED_EVERY = timedelta(minutes=1)

PER_LOOK_UP = 1.0
"""Seconds that hints of a source wait for each one that was just asked for: a flood of them is no flood of requests."""

AT_ONCE = 20
"""Pulls that run at the same time, and pushes: booking systems that hang must stop no calendar."""

FAREWELL = 5.0
"""Seconds that the steps under way have when the schedule stops."""


JUMP = 30.0
"""Seconds by which the wall clock has to leave the monotonic one to count as set."""


@dataclass(frozen=True, kw_only=True)
class Chore:
    """What is done beside the steps, at an interval of its own."""

    name: str
    every: timedelta
    do: Callable[[], None]


class Schedule:
    """The steps of an installation and the chores beside them, over and over until `stopping` is set.

    `pulse` tells of each whether it gets somewhere.
    """

    def __init__(self, installation: Installation, stopping: Event, chores: Sequence[Chore] = ()) -> None:
        self._installation = installation
        self._stopping = stopping
        self._chores = chores
        self.pulse = Pulse()
        self._ahead = _wall_clock_ahead()
        self._nudged: set[str] = set()
        self._nudging = Lock()
        self._rests: dict[str, float] = {}
        self._errors: dict[str, tuple[str, ...]] = {}
        self._attention: frozenset[Attention] = frozenset()
        self._scheduler = _scheduler()
        self._plan_all()

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

    def mind_the_clock(self) -> None:
        """When the wall clock was set, everything is due now: set back, it would be a long time until then."""
        ahead = _wall_clock_ahead()
        if abs(ahead - self._ahead) < JUMP:
            return
        log.info("the clock was set by %.0f seconds; everything is looked after now", ahead - self._ahead)
        self._ahead = ahead
        with self._nudging:
            if not self._stopping.is_set():
                for job in self._scheduler.get_jobs():
                    job.modify(next_run_time=datetime.now(UTC))

    def hurry(self) -> None:
        """Somebody wants to see it now: every source is pulled at once, and every target looked after."""
        with self._nudging:
            if self._stopping.is_set():
                return
            for job in self._scheduler.get_jobs():
                if job.executor == "pull" or job.id.startswith(_push_id("")):
                    job.modify(next_run_time=datetime.now(UTC))

    def _plan_all(self) -> None:
        for account in self._installation.accounts:
            name = account.source.name
            self._plan("pull", _pull_id(name), account.rhythm.every, partial(self._pull, account))
            self._plan("heed", _heed_id(name), HEED_EVERY, partial(self._heed, account))
        self._scheduler.add_job(self._listen, "interval", executor="listen", seconds=LISTEN_EVERY.total_seconds())
        for target in self._installation.targets:
            self._plan("push", _push_id(target), PUSH_EVERY, partial(self._push, target))
        for target, often in self._installation.verify.items():
            self._plan("push", f"verify {target}", often, partial(self._verify, target), VERIFY_AFTER)
        for chore in self._chores:
            self._plan("chores", chore.name, chore.every, partial(self._do, chore))

    def _plan(
        self, executor: str, name: str, every: timedelta, job: Callable[[], None], first: timedelta = timedelta(0)
    ) -> None:
        seconds = every.total_seconds()
        self.pulse.expect(name, seconds, first.total_seconds())
        at = datetime.now(UTC) + first
        self._scheduler.add_job(job, "interval", executor=executor, id=name, seconds=seconds, next_run_time=at)

    def _listen(self) -> None:
        """What another thread or process nudged us to: not at the next interval, now."""
        names = {account.source.key: account.source.name for account in self._installation.accounts}
        try:
            nudged = self._installation.ledger.nudges.nudged(self._installation.clock.now())
        except CalferryError:
            return  # the ledger does not answer, which the steps that need it say
        for key, for_a_pull in nudged:
            if name := names.get(key):
                self._hurry(_pull_id(name) if for_a_pull else _heed_id(name))

    def _heed(self, account: Account) -> None:
        name = account.source.name
        if time.monotonic() < self._rests.get(name, 0.0):
            return
        tally = self._step(_heed_id(name), name, partial(bring_hinted, account, self._installation))
        rest = PUSH_EVERY.total_seconds() if tally.errors or tally[PAUSED] else tally[HEEDED] * PER_LOOK_UP
        self._rests[name] = time.monotonic() + rest
        self._hurry_on(account, tally)

    def _pull(self, account: Account) -> None:
        name = account.source.name
        tally = self._step(_pull_id(name), name, partial(bring_from, account, self._installation))
        self._tell_attention()
        self._hurry_on(account, tally)

    def _hurry_on(self, account: Account, tally: Tally) -> None:
        if tally["routed"]:
            for target in {route.target for route in account.routes}:
                self._nudge(target)

    def _nudge(self, target: str) -> None:
        """Something may be due there: not in a minute, now. A push that runs already goes round once more."""
        self._nudged.add(target)
        self._hurry(_push_id(target))

    def _hurry(self, job: str) -> None:
        with self._nudging:
            if not self._stopping.is_set():
                self._scheduler.modify_job(job, next_run_time=datetime.now(UTC))

    def _push(self, target: str) -> None:
        while True:
            self._nudged.discard(target)
            self._step(_push_id(target), target, partial(deliver, self._installation, targets=[target]))
            if target not in self._nudged or self._stopping.is_set():
                return

    def _verify(self, target: str) -> None:
        tally = self._step(f"verify {target}", target, partial(tend, self._installation, target))
        if tally["restored"]:
            self._nudge(target)

    def _do(self, chore: Chore) -> None:
        if self._stopping.is_set():
            return
        with self.pulse.working(chore.name):
            try:
                chore.do()
            except CalferryError as error:
                log.warning("%s: %s", chore.name, error)
            except Exception as error:
                log.warning("%s: it failed in a way calferry does not know (%s)", chore.name, type(error).__name__)
                log.debug("it failed here", exc_info=error)

    def _step(self, job: str, name: str, step: Callable[..., Tally]) -> Tally:
        """Run a step and say what came of it. Whatever ends it, it is tried again."""
        if self._stopping.is_set():
            return Tally()
        began = time.monotonic()
        watch = Watch(tell=lambda _step, _done: self.pulse.move(job), stopping=self._stopping.is_set)
        with self.pulse.working(job):
            tally = self._outcome(partial(step, watch=watch))
        if tally is None:
            return Tally()
        self._count(job, name, time.monotonic() - began)
        self._log(job, name, tally, time.monotonic() - began)
        self._tell(job, name, tally)
        return tally

    def _outcome(self, step: Callable[[], Tally]) -> Tally | None:
        """What came of a step; None when it was stopped."""
        try:
            return step()
        except Stopped:
            return None
        except CalferryError as error:
            return Tally(errors=[error])
        except Exception as error:
            log.debug("it failed here", exc_info=error)
            unforeseen = f"a step failed in a way calferry does not know ({type(error).__name__})"
            return Tally(errors=[CalferryError(unforeseen)])

    def _count(self, job: str, name: str, seconds: float) -> None:
        step, _, _ = job.partition(" ")
        meters.STEPS.count(step, name)
        meters.SECONDS.count(step, name, by=seconds)

    def _log(self, job: str, name: str, tally: Tally, seconds: float) -> None:
        """One record a step, with all there is to say about it. That nothing was done is no news."""
        step, _, _ = job.partition(" ")
        text = tally.text(besides=("routed", PAUSED, HEEDED))
        errors = [{"error": type(error).__name__, "message": str(error)} for error in tally.errors]
        fields = {"step": step, "name": name, "seconds": round(seconds, 3), "counts": tally.counts, "errors": errors}
        level = logging.INFO if text else logging.DEBUG
        steps.log(level, "%s: %s", name, text or "nothing new", extra={"fields": fields})

    def _tell(self, job: str, name: str, tally: Tally) -> None:
        """Each error when it comes and when it is over, and what newly waits for a person."""
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
        if tally.text(besides=("routed",)):
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


def _scheduler() -> BackgroundScheduler:
    """A step that is late runs late, once, and never beside itself."""
    from apscheduler.executors.pool import ThreadPoolExecutor
    from apscheduler.schedulers.background import BackgroundScheduler

    return BackgroundScheduler(
        timezone=UTC,
        executors={name: ThreadPoolExecutor(AT_ONCE) for name in ("pull", "push", "heed", "listen", "chores")},
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )


def _pull_id(source: str) -> str:
    return f"pull {source}"


def _heed_id(source: str) -> str:
    return f"hints of {source}"


def _push_id(target: str) -> str:
    return f"push {target}"


def _wall_clock_ahead() -> float:
    """By how many seconds the wall clock is ahead of the monotonic one."""
    return datetime.now(UTC).timestamp() - time.monotonic()
