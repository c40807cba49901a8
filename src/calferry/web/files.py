"""Feeds as files, for a web server that serves them in calferry's place."""

from __future__ import annotations

import os
import re
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from calferry.errors import ConfigError, Unavailable
from calferry.feeds import Link
from calferry.ports import Clock
from calferry.sync.installation import Installation
from calferry.web.addresses import is_of_today
from calferry.web.catalogue import Feed, is_settled
from calferry.web.editions import Edition, Editions

OURS = re.compile(r"[a-z2-7]{32}\.ics")
"""The names of files that an address has or had."""

Written = tuple[Counter[str], list[Unavailable]]
"""How many files were written, unchanged and removed; and why feeds could not be told."""


def write(folder: Path, installation: Installation, feeds: Mapping[str, Feed]) -> Written:
    """A file for every address that holds. Files of addresses that do not are removed: nobody else's look like them.

    Each file is replaced as a whole, and only when it differs; its time is that of the last change. Returns how many
    were written, unchanged and removed, and why feeds could not be told: their files stay as they are. Until it is
    known which feeds there are, nothing is removed. Raises ConfigError.
    """
    counts: Counter[str] = Counter(written=0, unchanged=0, removed=0)
    untold: list[Unavailable] = []
    editions, settled = Editions(installation.shelf, installation.clock), is_settled(installation)
    holding = list(_holding(feeds, installation.shelf.links(), installation.clock))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for feed, link in holding:
            try:
                counts[_place(folder / feed.file(link), editions.of(feed, feed.url(link)))] += 1
            except Unavailable as error:
                untold.append(error)
        if settled:
            counts["removed"] = _sweep(folder, {feed.file(link) for feed, link in holding})
    except OSError as error:
        message = f"{folder} cannot be written to ({error.strerror}); name a folder that can"
        raise ConfigError([message]) from error
    return counts, untold


def _holding(feeds: Mapping[str, Feed], links: Iterable[Link], clock: Clock) -> Iterable[tuple[Feed, Link]]:
    """In the order of the catalogue: what combines others is told after them."""
    now = clock.now()
    held = [link for link in links if link.holds(now)]
    of_feeds = ((feed, link) for feed in feeds.values() for link in held if link.feed == feed.key)
    return ((feed, link) for feed, link in of_feeds if is_of_today(feed, link))


def _place(file: Path, edition: Edition) -> str:
    """Make the file what it shall be. Returns what had to be done."""
    content, modified_at = b"".join(edition.content), edition.modified_at.timestamp()
    if file.exists() and file.stat().st_mtime == modified_at and file.read_bytes() == content:
        return "unchanged"
    _replace(file, content, modified_at)
    return "written"


def _sweep(folder: Path, holding: Collection[str]) -> int:
    ended = [file for file in folder.iterdir() if OURS.fullmatch(file.name) and file.name not in holding]
    for file in ended:
        file.unlink()
    return len(ended)


def _replace(file: Path, content: bytes, modified_at: float) -> None:
    """No reader ever sees half of it, and no power cut leaves half of it."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as part:
            part.write(content)
            part.flush()
            os.fchmod(part.fileno(), 0o644)
            os.fsync(part.fileno())
        os.utime(name, (modified_at, modified_at))
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
