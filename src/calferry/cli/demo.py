"""`calferry demo`: the whole crossing on this machine, over real HTTP, against stand-ins of the remote services."""

from __future__ import annotations

import json as jsonlib
import os
import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock, Thread
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from calferry.cli.console import JsonOption, err, guarded, out, stopped_by_signals, watched
from calferry.cli.sync import show_plans
from calferry.errors import CalferryError

if TYPE_CHECKING:
    from rich.console import Console

    from calferry.config import WebSettings
    from calferry.plan import Plan
    from calferry.sandbox import Sandbox, Verdict
    from calferry.sandbox.scenery import Scene
    from calferry.sync.installation import Installation

AGENDA = 2
"""Events shown per calendar."""

PLANNED = 1
"""Planned changes shown per calendar on the first crossing; the second shows all of its own."""

MEANWHILE = timedelta(minutes=1)
"""From what happens at the desks to the crossing after it: Valomnia's rows are settled when their second is over."""


class DemoClock:
    """Begins a while ago, for everybody on the stage, and is the present once that has passed."""

    def __init__(self, behind: timedelta = MEANWHILE) -> None:
        self._behind = behind

    def now(self) -> datetime:
        return datetime.now(UTC) - self._behind

    def catch_up(self) -> None:
        """Let it pass at once."""
        self._behind = timedelta(0)


@guarded
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Go on serving the pages and the feed until Ctrl-C.")] = False,
    json: JsonOption = False,
) -> int:
    """Watch appointments cross, on this machine alone."""
    from calferry import wiring
    from calferry.cli.stage import set_up
    from calferry.sandbox import Sandbox, judge, judge_feed
    from calferry.sandbox.scenery import furnish
    from calferry.web.pages.passwords import digest

    _reach_this_machine_directly()
    console, clock = err() if json else out(), DemoClock()
    with Sandbox(clock.now) as sandbox, TemporaryDirectory(prefix="calferry-demo-") as home, ExitStack() as stack:
        scene = furnish(sandbox)
        password = "-".join(secrets.token_hex(2) for _ in range(3))
        config = set_up(Path(home), sandbox, digest(password))
        settings = wiring.settings(config)
        installation = stack.enter_context(wiring.installation(settings, clock))
        stage = _Stage(console, sandbox, scene, installation, clock)
        passes = [stage.first(), stage.second(), stage.third()]
        stage.agenda()
        url = _serve(installation, settings.web, stack)
        content = _subscribed(url)
        console.print(f"\nThe same as a subscription, for whoever has the address\n  {url}", style="bold")
        verdict = judge(scene.bookings, [sandbox.google.world, sandbox.graph.world], scene.calendar_of)
        verdict = verdict.and_also(judge_feed(content, scene.bookings))
        well = conclude(console, verdict, stage.errors)
        if json:
            told = {"passes": passes, **_counts(verdict), "feed_url": url}
            typer.echo(jsonlib.dumps(told, separators=(",", ":")))
        if keep or _wants_to_stay(console):
            _stay(console, config, f"{url.partition('/feeds/')[0]}/", password)
    return 0 if well else 1


def _reach_this_machine_directly() -> None:
    """Whatever proxies the environment and the system name are for other machines: nothing of this goes there."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    os.environ["no_proxy"] = "*"


def _serve(installation: Installation, web: WebSettings, stack: ExitStack) -> str:
    """Serve the feed as long as the stack stands. Returns its address."""
    from calferry.cli.run import serve_feeds
    from calferry.web import addresses
    from calferry.web.catalogue import catalogue

    root = serve_feeds(installation, web, stack, hurry=_Passes(installation).start)
    (feed,) = catalogue(installation, root).values()
    return feed.url(addresses.current(installation.shelf, [feed])[feed.key])


class _Passes:
    """Passes beside the stage, one at a time, for whoever asks for one on the pages."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._running = Lock()

    def start(self) -> None:
        if self._running.acquire(blocking=False):
            Thread(target=self._run, name="pass", daemon=True).start()

    def _run(self) -> None:
        from calferry.sync.crossing import bring, deliver
        from calferry.sync.installation import Watch

        try:
            bring(self._installation, Watch())
            deliver(self._installation, Watch())
        finally:
            self._running.release()


def _subscribed(url: str) -> bytes:
    """What a subscriber gets. Raises CalferryError."""
    import httpx

    answer = httpx.get(url)
    if answer.status_code != httpx.codes.OK:
        msg = f"the feed was answered with {answer.status_code}"
        raise CalferryError(msg)
    return answer.content


def _counts(verdict: Verdict) -> dict[str, int]:
    return {
        "missing": verdict.missing,
        "duplicates": verdict.duplicates,
        "foreign_touched": verdict.foreign_touched,
        "mails": verdict.mails + verdict.reminder_mails,
    }


def conclude(console: Console, verdict: Verdict, errors: Sequence[CalferryError]) -> bool:
    """Say how the calendars compare with the truth. Whether there is nothing to complain about."""
    counts = _counts(verdict)
    console.print("\nCompared with what the booking systems hold", style="bold")
    console.print(
        f"  {counts['missing']} missing, {counts['duplicates']} doubled, "
        f"{counts['foreign_touched']} of other people's events touched, {counts['mails']} mails sent"
    )
    if verdict.clean and not errors:
        return True
    console.print("\nThis is not as it should be. Please report it:", style="bold red")
    for complaint in dict.fromkeys((*map(str, errors), *verdict.details)):
        console.print(f"  {complaint}")
    return False


class _Stage:
    """The three crossings, one after another, and what the audience sees of them. `errors` are all that occurred."""

    def __init__(
        self, console: Console, sandbox: Sandbox, scene: Scene, installation: Installation, clock: DemoClock
    ) -> None:
        self.console, self.sandbox, self.scene = console, sandbox, scene
        self.installation, self.clock = installation, clock
        self.errors: list[CalferryError] = []

    def first(self) -> dict[str, Any]:
        from calferry.sandbox.judge import everything_due

        booked = len(list(everything_due(self.scene.bookings)))
        sandbox = self.sandbox
        self.console.print(
            f"{len(self.scene.people)} made-up people, 3 booking systems, {booked} appointments. "
            "Nothing here leaves this machine.\n"
            f"  clinic     {sandbox.agendize.url}  (stands in for Agendize)\n"
            f"  practice   {sandbox.clicrdv.url}  (stands in for ClicRDV)\n"
            f"  field      {sandbox.valomnia.url}  (stands in for Valomnia)\n"
            f"  calendars  {sandbox.google.url}  (stands in for Google Calendar)\n"
            f"  mailboxes  {sandbox.graph.url}  (stands in for Microsoft 365)"
        )
        return self._cross("First crossing: everything", at_most=PLANNED)

    def second(self) -> dict[str, Any]:
        self.console.print("\nMeanwhile, at the desks", style="bold")
        for desk, lines in self.scene.changes().items():
            for line in lines:
                self.console.print(f"  {desk:8}  {line}")
        self.clock.catch_up()
        return self._cross("Second crossing: exactly that", at_most=None)

    def third(self) -> dict[str, Any]:
        return self._cross("Third crossing: nothing happened in between", at_most=0)

    def _cross(self, title: str, *, at_most: int | None) -> dict[str, Any]:
        """Pull, route, show the plan, push; and count what happened in the calendars and on the wire."""
        from calferry.sync.crossing import bring, deliver
        from calferry.sync.push import plan

        self.console.print(f"\n{title}", style="bold")
        with self._counted() as counts, watched() as watch:
            pulled = bring(self.installation, watch)
            plans = plan(self.installation)
            show_plans(self.console, [one for one in plans if not _is_feed(one)], at_most=at_most)
            for one in filter(_is_feed, plans):
                self.console.print(f"{one.calendar}: the same, {len(one.changes)} changes")
            pushed = deliver(self.installation, watch)
        self.errors += [error for tally in (*pulled.values(), pushed) for error in tally.errors]
        requests = ", ".join(f"{remote} {number}" for remote, number in counts["requests"].items())
        self.console.print(
            f"→ {counts['created']} created, {counts['updated']} updated, {counts['deleted']} deleted\n"
            f"→ requests: {requests}"
        )
        return counts

    @contextmanager
    def _counted(self) -> Iterator[dict[str, Any]]:
        """What happens to the calendars within, seen from the calendars; and the requests by remote."""
        sandbox = self.sandbox
        before = _standing(sandbox)
        for server in (sandbox.agendize, sandbox.clicrdv, sandbox.valomnia, sandbox.google, sandbox.graph):
            server.forget_requests()
        counts: dict[str, Any] = {}
        yield counts
        after = _standing(sandbox)
        counts["created"] = len(after.keys() - before.keys())
        counts["updated"] = sum(after[key] != before[key] for key in after.keys() & before.keys())
        counts["deleted"] = len(before.keys() - after.keys())
        counts["requests"] = {
            "agendize": sandbox.agendize.requests,
            "clicrdv": sandbox.clicrdv.requests,
            "valomnia": sandbox.valomnia.requests,
            "google": sandbox.google.calls,
            "microsoft": sandbox.graph.calls,
        }

    def agenda(self) -> None:
        """The next events of those who work in two places, as their calendars show them, their own among them."""
        zone = ZoneInfo("America/Montreal")
        now = self.sandbox.now()
        self.console.print("\nWhoever works in two places now has one calendar", style="bold")
        for person in self.scene.busy_people:
            events = sorted(_shown(self.sandbox, person.email, zone))
            coming = [(start, summary) for start, summary in events if start >= now]
            self.console.print(f"{person.email}: {len(events)} events; the next")
            for start, summary in coming[:AGENDA]:
                self.console.print(f"  {start:%a %d %b %H:%M}  {summary}")


def _is_feed(plan: Plan) -> bool:
    return plan.calendar.startswith("ical:")


def _standing(sandbox: Sandbox) -> dict[tuple[str, str], str]:
    """The etag of every live event, by calendar and id."""
    google, graph = sandbox.google.world, sandbox.graph.world
    at_google = {(one, event["id"]): event["etag"] for one in google.calendars for event in google.events(one)}
    return at_google | {(one, kept.id): kept.etag for one in graph.mailboxes for kept in graph.events(one)}


def _shown(sandbox: Sandbox, address: str, zone: ZoneInfo) -> Iterator[tuple[datetime, str]]:
    """Start and summary of the events in somebody's calendar, wherever that is."""
    if address in sandbox.graph.world.mailboxes:
        for kept in sandbox.graph.world.events(address):
            wall = datetime.fromisoformat(kept.item["start"]["dateTime"])
            yield wall.replace(tzinfo=UTC).astimezone(zone), kept.item["subject"]
    else:
        for event in sandbox.google.world.events(address):
            yield datetime.fromisoformat(event["start"]["dateTime"]).astimezone(zone), event["summary"]


def _wants_to_stay(console: Console) -> bool:
    """Ask the audience. Whoever does not answer the question does not want to."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    try:
        return typer.confirm("\nKeep all of it open, to try the commands on it?", default=False)
    except (KeyboardInterrupt, typer.Abort):
        console.print("\nGood-bye.")
        return False


def _stay(console: Console, config: Path, pages: str, password: str) -> None:
    """Until Ctrl-C, let the audience look around, subscribe, and try the commands."""
    with stopped_by_signals() as stopping:
        console.print(f"\nAll of it in a browser\n  {pages}\n  the password is {password}", style="bold")
        console.print(f"In another terminal:  calferry status -c {config}\nCtrl-C ends it.")
        stopping.wait()
    console.print("\nGood-bye.")
