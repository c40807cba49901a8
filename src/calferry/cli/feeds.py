"""`calferry feeds`: the addresses of subscription feeds, and what can be done with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from calferry.cli.console import ConfigOption, JsonOption, config_path, emit, guarded, out, show_errors
from calferry.errors import ConfigError, Unavailable

if TYPE_CHECKING:
    from rich.console import Console

    from calferry.feeds import Link
    from calferry.sync.installation import Installation
    from calferry.web.catalogue import Feed

app = typer.Typer(help="Show, replace and end the addresses of feeds.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="FEED", help="The feed, as `calferry feeds list` names it.")]
OVERLAP = "14d"


@dataclass(frozen=True, kw_only=True)
class _Desk:
    """All that the commands need."""

    installation: Installation
    feeds: Mapping[str, Feed]
    links: Mapping[str, Link]
    url: str
    now: datetime

    def feed(self, name: str) -> Feed:
        from calferry.config.problems import nearest

        named = [feed for feed in self.feeds.values() if name in (feed.key, feed.name)]
        if len(named) == 1:
            return named[0]
        if named:
            message = f"more than one feed is called {name}: {', '.join(feed.key for feed in named)}"
        else:
            message = f"there is no feed called {name}; {nearest(name, [feed.name for feed in self.feeds.values()])}"
        raise typer.BadParameter(message)


@contextmanager
def _desk(config: Path | None) -> Iterator[_Desk]:
    from calferry import wiring
    from calferry.web import addresses
    from calferry.web.catalogue import catalogue, publishers

    settings = wiring.settings(config_path(config))
    with wiring.installation(settings) as installation:
        if not any(publishers(installation)):
            raise ConfigError(['targets: there is none of kind "ical", and so there are no feeds'])
        feeds = catalogue(installation, settings.web.root)
        yield _Desk(
            installation=installation,
            feeds=feeds,
            links=addresses.current(installation.shelf, feeds.values()),
            url=settings.web.url,
            now=installation.clock.now(),
        )


@app.command("list")
@guarded
def list_feeds(
    feed: Annotated[
        str, typer.Argument(metavar="[FEED]", help="Show one feed whole, with a QR code.", show_default=False)
    ] = "",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Every feed with its address. An address is a secret: who has it can read the feed."""
    with _desk(config) as desk:
        chosen = [desk.feed(feed)] if feed else list(desk.feeds.values())
        rows = [_row(desk, one) for one in chosen]
    if json:
        emit({"feeds": rows})
    elif feed:
        _show_whole(out(), rows[0])
    else:
        _show_all(out(), rows)
    if not desk.url and not json:
        show_errors(
            ["web.url is not set: these addresses are where calferry listens; subscribers may not reach it there"]
        )
    return 0


def _row(desk: _Desk, feed: Feed) -> dict[str, Any]:
    from calferry.web.addresses import one_click
    from calferry.web.editions import Editions

    link, shelf, clock = desk.links[feed.key], desk.installation.shelf, desk.installation.clock
    url = feed.url(link) if link.holds(desk.now) else ""
    row: dict[str, Any] = {
        "feed": feed.key,
        "name": feed.name,
        "title": feed.title,
        "calendars": feed.calendars,
        "url": url,
    }
    row |= {"number": link.rotation, "links": one_click(url, feed.title) if url else {}}
    excerpt = shelf.excerpt(feed.calendars, feed.publisher.shown, desk.now)
    waits = Editions(shelf, clock).waits(feed)
    return row | {"events": len(excerpt.bodies), "left_out": excerpt.left_out, "waits": waits}


def _show_all(console: Console, rows: list[dict[str, Any]]) -> None:
    if not rows:
        console.print("There are no feeds yet: nobody is known to the ledger. Run `calferry sync`, or `calferry run`.")
    for row in rows:
        console.print(f"{row['name']}  {row['title']}  ({_content(row)})", style="bold")
        console.print(f"  {row['url'] or 'revoked; `calferry feeds rotate` makes a new address'}")


def _content(row: Mapping[str, Any]) -> str:
    if row["waits"]:
        return "not served yet: not all of it is filed"
    return f"{row['events']} events" + (f", {row['left_out']} left out" if row["left_out"] else "")


def _show_whole(console: Console, row: dict[str, Any]) -> None:
    _show_all(console, [row])
    for what, link in row["links"].items():
        console.print(f"  {what + ':':18}{link}")
    if row["url"]:
        console.print("  By hand in Google Calendar: Other calendars, +, From URL; paste the https address.")
        console.print(_qr_code(row["url"]))


def _qr_code(text: str) -> str:
    """For the camera of a phone, in half blocks."""
    import io

    import segno

    drawing = io.StringIO()
    segno.make(text, micro=False).terminal(out=drawing, compact=True)
    return drawing.getvalue()


@app.command("rotate")
@guarded
def rotate(
    feed: NameArgument,
    overlap: Annotated[str, typer.Option(help="How long the address before it goes on working.")] = OVERLAP,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Give a feed a new address."""
    from calferry.moments import duration
    from calferry.web import addresses

    try:
        span = duration(overlap)
    except ValueError as error:
        message = f"--overlap: {error}"
        raise typer.BadParameter(message) from None
    with _desk(config) as desk:
        chosen = desk.feed(feed)
        had = desk.links[chosen.key].holds(desk.now)
        link = addresses.rotate(desk.installation.shelf, chosen, span, desk.now)
        url = chosen.url(link)
    if json:
        emit({"feed": chosen.key, "url": url, "number": link.rotation, "old_until": desk.now + span if had else None})
    else:
        out().print(url)
        if had:
            out().print(f"The address before it works until {desk.now + span:%Y-%m-%d %H:%M} UTC.")
    return 0


@app.command("revoke")
@guarded
def revoke(feed: NameArgument, config: ConfigOption = None, json: JsonOption = False) -> int:
    """End all addresses of a feed, at once."""
    from calferry.web import addresses

    with _desk(config) as desk:
        chosen = desk.feed(feed)
        ended = addresses.revoke(desk.installation.shelf, chosen, desk.now)
    if json:
        emit({"feed": chosen.key, "ended": ended})
    else:
        out().print(f"Addresses ended: {ended}. `calferry feeds rotate {chosen.name}` makes a new one.")
    return 0


@app.command("write")
@guarded
def write(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the files go.")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Write the feeds as files, for any web server to serve."""
    from calferry.web import files

    with _desk(config) as desk:
        counts, untold = files.write(folder, desk.installation, desk.feeds)
    if json:
        emit({"folder": str(folder.absolute()), **counts, "waits": [str(error) for error in untold]})
    else:
        done = ", ".join(f"{counts[what]} {what}" for what in ("written", "unchanged", "removed") if counts[what])
        out().print(f"{folder}: {done or 'nothing to write'}")
        show_errors(untold)
    return Unavailable.exit_code if untold else 0
