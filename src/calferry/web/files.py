"""Feeds as files, for a web server that serves them in calferry's place."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from calferry.errors import ConfigError, Unavailable
from calferry.feeds import Link, Shelf
from calferry.web.addresses import file_of, url_of
from calferry.web.catalogue import Feed
from calferry.web.editions import Edition, Editions


def write(
    folder: Path,
    *,
    feeds: Mapping[str, Feed],
    shelf: Shelf,
    editions: Editions,
    root: str,
    now: datetime,
) -> tuple[Counter[str], list[Unavailable]]:
    """A file for every address that holds; those of ended ones are removed.

    Each file is replaced as a whole, and only when it differs; its time is that of the last change. Returns how many
    were written, unchanged and removed, and why feeds could not be told. Raises ConfigError.
    """
    counts: Counter[str] = Counter()
    untold: list[Unavailable] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for feed, link in _links(feeds, shelf.links()):
            file = folder / file_of(feed, link)
            try:
                edition = editions.of(feed, url_of(root, feed, link)) if link.holds(now) else None
            except Unavailable as error:
                untold.append(error)
            else:
                counts[_place(file, edition)] += 1
    except OSError as error:
        message = f"{error.filename or folder} cannot be written ({error.strerror}); name a folder that can"
        raise ConfigError([message]) from error
    del counts[""]
    return counts, untold


def _links(feeds: Mapping[str, Feed], links: Iterable[Link]) -> Iterable[tuple[Feed, Link]]:
    return ((feeds[link.feed], link) for link in links if link.feed in feeds)


def _place(file: Path, edition: Edition | None) -> str:
    """Make the file what it shall be. Returns what had to be done, "" for nothing at all."""
    if edition is None:
        if not file.exists():
            return ""
        file.unlink()
        return "removed"
    content = b"".join(edition.content)
    if file.exists() and file.read_bytes() == content:
        return "unchanged"
    _replace(file, content, edition.modified_at.timestamp())
    return "written"


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
