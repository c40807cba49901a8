"""`calferry demo`: the whole crossing on this machine, over real HTTP, against stand-ins of the remote services."""

from __future__ import annotations

import json as jsonlib
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
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

AGENDA = 4
"""Events shown per calendar."""

PLANNED = 3
"""Planned changes shown per calendar on the first crossing; the second shows all of its own."""


@guarded
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Go on serving the feed until Ctrl-C.")] = False,
    json: JsonOption = False,
) -> int:
    """Watch appointments cross, on this machine alone."""
    from calferry import wiring
    from calferry.sandbox import Sandbox, judge, judge_feed
    from calferry.sandbox.scenery import furnish

    console = err() if json else out()
    with Sandbox() as sandbox, TemporaryDirectory(prefix="calferry-demo-") as home, ExitStack() as stack:
        scene = furnish(sandbox.agendize.world, sandbox.google.world)
        config = _configure(Path(home), sandbox, scene)
        settings = wiring.settings(config)
        installation = stack.enter_context(wiring.installation(settings))
        stage = _Stage(console, sandbox, scene, installation)
        passes = [stage.first(), stage.second(), stage.third()]
        stage.agenda()
        url = _serve(installation, settings.web, stack)
        content = _subscribed(url)
        console.print(f"\nThe same as a subscription, for whoever has the address\n  {url}", style="bold")
        verdict = judge([sandbox.agendize.world], sandbox.google.world, scene.calendar_of)
        verdict = verdict.and_also(judge_feed(content, [sandbox.agendize.world]))
        well = conclude(console, verdict, stage.errors)
        if json:
            told = {"passes": passes, **_counts(verdict), "feed_url": url}
            typer.echo(jsonlib.dumps(told, separators=(",", ":")))
        if keep or _wants_to_stay(console):
            _stay(console, config)
    return 0 if well else 1


def _serve(installation: Installation, web: WebSettings, stack: ExitStack) -> str:
    """Serve the feed as long as the stack stands. Returns its address."""
    from calferry.cli.run import serve_feeds
    from calferry.web import addresses
    from calferry.web.catalogue import catalogue

    root = serve_feeds(installation, web, stack)
    (feed,) = catalogue(installation, root).values()
    return feed.url(addresses.current(installation.shelf, [feed])[feed.key])


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
    console.print("\nCompared with what the booking system holds", style="bold")
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

    def __init__(self, console: Console, sandbox: Sandbox, scene: Scene, installation: Installation) -> None:
        self.console, self.sandbox, self.scene, self.installation = console, sandbox, scene, installation
        self.errors: list[CalferryError] = []

    def first(self) -> dict[str, Any]:
        booked = len(list(self.sandbox.agendize.world.live()))
        self.console.print(
            f"A made-up clinic with {len(self.scene.staff)} staff and {booked} appointments. "
            "Nothing here leaves this machine.\n"
            f"  booking system  {self.sandbox.agendize.url}  (stands in for Agendize)\n"
            f"  calendars       {self.sandbox.google.url}  (stands in for Google Calendar)"
        )
        return self._cross("First crossing: everything", at_most=PLANNED)

    def second(self) -> dict[str, Any]:
        from calferry.sandbox.scenery import changes

        self.console.print("\nMeanwhile, at the front desk", style="bold")
        for line in changes(self.sandbox.agendize.world, self.scene):
            self.console.print(f"  {line}")
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
        requests = counts["requests"]
        self.console.print(
            f"→ {counts['created']} created, {counts['updated']} updated, {counts['deleted']} deleted; "
            f"requests: {requests['agendize']} to the booking system, {requests['google']} to the calendars"
        )
        return counts

    @contextmanager
    def _counted(self) -> Iterator[dict[str, Any]]:
        """What happens to the calendars within, seen from the calendars."""
        before = _standing(self.sandbox, self.scene.calendar_of)
        self.sandbox.agendize.forget_requests()
        self.sandbox.google.forget_requests()
        counts: dict[str, Any] = {}
        yield counts
        after = _standing(self.sandbox, self.scene.calendar_of)
        counts["created"] = len(after.keys() - before.keys())
        counts["updated"] = sum(after[key] != before[key] for key in after.keys() & before.keys())
        counts["deleted"] = len(before.keys() - after.keys())
        counts["requests"] = {
            "agendize": self.sandbox.agendize.requests,
            "google": self.sandbox.google.calls,
        }

    def agenda(self) -> None:
        """The next events of each calendar, as it shows them, its owner's own among them."""
        zone = ZoneInfo("America/Montreal")
        now = self.sandbox.now()
        for calendar in self.scene.calendar_of.values():
            events = sorted(_shown(event, zone) for event in self.sandbox.google.world.events(calendar))
            coming = [(start, summary) for start, summary in events if start >= now]
            self.console.print(f"\n{calendar} now has {len(events)} events; the next", style="bold")
            for start, summary in coming[:AGENDA]:
                self.console.print(f"  {start:%a %d %b %H:%M}  {summary}")


def _is_feed(plan: Plan) -> bool:
    return plan.calendar.startswith("ical:")


def _standing(sandbox: Sandbox, calendar_of: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """The etag of every live event, by calendar and id."""
    return {
        (calendar, event["id"]): event["etag"]
        for calendar in calendar_of.values()
        for event in sandbox.google.world.events(calendar)
    }


def _shown(event: Mapping[str, Any], zone: ZoneInfo) -> tuple[datetime, str]:
    return datetime.fromisoformat(event["start"]["dateTime"]).astimezone(zone), event["summary"]


def _configure(home: Path, sandbox: Sandbox, scene: Scene) -> Path:
    """A configuration like any other, that happens to point at the sandbox."""
    account = sandbox.google.add_service_account(delegated=True)
    (home / "service-account.json").write_text(jsonlib.dumps(account), encoding="utf-8")
    (home / "api-key").write_text(sandbox.agendize.api_key, encoding="utf-8")
    (home / "feed-secret").write_text(secrets.token_hex(32), encoding="utf-8")
    (home / "token").write_text(sandbox.agendize.token, encoding="utf-8")
    config = home / "calferry.toml"
    config.write_text(
        f"""\
[calferry]
name = "demo"

[sources.clinic]
kind = "agendize"
company = "{scene.company}"
base_url = "{sandbox.agendize.url}"
api_key = {{ file = "api-key" }}
token = {{ file = "token" }}

[targets.workspace]
kind = "google"
root_url = "{sandbox.google.url}/"
credentials = {{ file = "service-account.json" }}
subject = "{{owner.email}}"
allow = ["*@clinic.example"]

[targets.web]
kind = "ical"
secret = {{ file = "feed-secret" }}
title = "Clinic"

[web]
listen = "127.0.0.1:0"

[routes.staff]
source = "clinic"
target = "workspace"
calendar = "{{owner.email}}"
reveal = "contact"
summary = "{{service}}{{ – contact.first_name}}"

[routes.everyone]
source = "clinic"
target = "web"
calendar = "clinic"
""",
        encoding="utf-8",
    )
    return config


def _wants_to_stay(console: Console) -> bool:
    """Ask the audience. Whoever does not answer the question does not want to."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    try:
        return typer.confirm("\nKeep the clinic open, to try the commands on it?", default=False)
    except (KeyboardInterrupt, typer.Abort):
        console.print("\nGood-bye.")
        return False


def _stay(console: Console, config: Path) -> None:
    """Until Ctrl-C, let the audience subscribe, and try the commands."""
    with stopped_by_signals() as stopping:
        console.print(f"In another terminal:  calferry status -c {config}\nCtrl-C ends it.")
        stopping.wait()
    console.print("\nGood-bye.")
