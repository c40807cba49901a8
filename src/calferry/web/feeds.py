"""What a subscriber is answered (RFC 9110): the feed of a secret address, conditionally, and as little else as can be.

How subscribers behave, and what they choke on: docs/adapters/ical.md.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from threading import Lock
from typing import TYPE_CHECKING

from calferry.errors import CalferryError, Unavailable
from calferry.feeds import Link, digest_of
from calferry.sync.installation import Account, Installation
from calferry.web import addresses
from calferry.web.catalogue import Feed, catalogue
from calferry.web.editions import Edition, Editions
from calferry.web.memory import Memory

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.datastructures import Headers
    from starlette.requests import Request
    from starlette.responses import Response

log = logging.getLogger(__name__)

FRESH, NEW = timedelta(minutes=1), timedelta(seconds=5)
"""How long the catalogue is not made anew, for a feed that is in it (its title may change) and for an address that
nobody knows. One that leads to a feed which is not in it asks for a new one at once."""

RETRY_AFTER = 300
"""Seconds after which a subscriber may ask again for what could not be answered."""

QUIET: Mapping[str, str] = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}
"""An address is a secret: no page may learn it from a link, no search engine keep it."""

SERVED: Mapping[str, str] = {
    **QUIET,
    "Cache-Control": "private, max-age=300",
    "Content-Disposition": 'inline; filename="calendar.ics"',
    "X-Content-Type-Options": "nosniff",
}


class NoSuchFeed(Exception):
    """Nobody was ever given this address."""


class Ended(Exception):
    """The address was revoked, or another one took over."""


class Feeds:
    """The feeds of an installation, by token. `root` is the address subscribers reach, without a slash at its end."""

    def __init__(self, installation: Installation, root: str) -> None:
        self._installation, self._root = installation, root
        self._memory = Memory(installation.shelf.version)
        self._editions = Editions(installation.shelf, installation.clock, self._memory)
        self._catalogue: Mapping[str, Feed] = {}
        self._made_at: datetime | None = None
        self._all_pulled = False
        self._known: dict[str, Link] = {}
        self._lock = Lock()

    def edition(self, token: str) -> Edition:
        """What the address of that token shows now. Raises NoSuchFeed, Ended, Unavailable."""
        link = self._link(digest_of(token))
        if not link.holds(self.now()):
            raise Ended
        feed = self._feed(link.feed)
        return self._editions.of(feed, f"{self._root}{addresses.PATH}{token}{addresses.SUFFIX}")

    def now(self) -> datetime:
        return self._installation.clock.now()

    def refresh(self) -> None:
        """Look anew which feeds there are, and give an address to each."""
        with self._lock:
            self._all_pulled = all(map(self._was_pulled, self._installation.accounts))
            self._catalogue = catalogue(self._installation)
            addresses.current(self._installation.shelf, self._catalogue.values(), self.now())
            self._made_at = self.now()

    def _link(self, digest: str) -> Link:
        """As the ledger knows it; while the ledger does not answer, as it last did. Raises NoSuchFeed, Unavailable."""
        try:
            link = self._memory.recall(digest, lambda: self._installation.shelf.link(digest) or self._new_link(digest))
        except Unavailable:
            if digest not in self._known:
                raise
            return self._known[digest]
        self._known[digest] = link
        return link

    def _new_link(self, digest: str) -> Link:
        """After the ledger was lost, an address is unknown only until the booking systems have told who there is."""
        self._refresh_if_older(NEW)
        link = self._installation.shelf.link(digest)
        if link is None and not self._all_pulled:
            msg = "not every booking system was pulled yet, so it is not known which feeds there are"
            raise Unavailable(msg)
        if link is None:
            raise NoSuchFeed
        return link

    def _was_pulled(self, account: Account) -> bool:
        return self._installation.ledger.intake.last(account.source.key, "pull") is not None

    def _feed(self, key: str) -> Feed:
        """Raises NoSuchFeed, Unavailable."""
        try:
            self._refresh_if_older(FRESH if key in self._catalogue else timedelta(0))
        except Unavailable:
            if key not in self._catalogue:
                raise
        feed = self._catalogue.get(key)
        if feed is None:
            raise NoSuchFeed
        return feed

    def _refresh_if_older(self, age: timedelta) -> None:
        if self._made_at is None or abs(self.now() - self._made_at) >= age:
            self.refresh()


def application(feeds: Feeds) -> Starlette:
    """The web application. It redirects nothing: readers that follow no redirect would lose the feed."""
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.routing import Route

    async def answer(request: Request) -> Response:
        return await run_in_threadpool(respond, feeds, request.path_params["token"], request.headers)

    app = Starlette(routes=[Route(f"{addresses.PATH}{{token}}{addresses.SUFFIX}", answer, methods=["GET", "HEAD"])])
    app.router.redirect_slashes = False
    return app


def respond(feeds: Feeds, token: str, asked: Headers) -> Response:
    """The answer to one request with these headers. Never empty where there may be something, and never a traceback."""
    from starlette.responses import PlainTextResponse, Response

    try:
        edition = feeds.edition(token)
    except NoSuchFeed:
        return PlainTextResponse("There is no such calendar.\n", 404, QUIET)
    except Ended:
        return PlainTextResponse("This address has ended. Ask for the new one.\n", 410, QUIET)
    except CalferryError as error:
        log.warning("a feed could not be served: %s", error)
        return _unavailable(error)
    except Exception as error:
        log.warning("a feed could not be served: %s", type(error).__name__)
        log.debug("it failed here", exc_info=error)
        return _unavailable(error)
    validators = _validators(edition, feeds.now())
    if _is_known(asked, validators):
        return Response(None, 304, {**SERVED, **validators})
    return Response(b"".join(edition.content), 200, {**SERVED, **validators}, "text/calendar; charset=utf-8")


def _unavailable(error: Exception) -> Response:
    from starlette.responses import PlainTextResponse

    wait = error.retry_after if isinstance(error, Unavailable) and error.retry_after else RETRY_AFTER
    headers = {**QUIET, "Retry-After": str(round(wait))}
    return PlainTextResponse("The calendar cannot be told right now; it is still there.\n", 503, headers)


def _validators(edition: Edition, now: datetime) -> dict[str, str]:
    """ETag and Last-Modified. The latter is left out while it is not past by a second (RFC 9110, section 8.8.2.1):
    within that second the feed might change once more."""
    validators = {"ETag": edition.etag}
    if edition.modified_at < now - timedelta(seconds=1):
        validators["Last-Modified"] = format_datetime(edition.modified_at, usegmt=True)
    return validators


def _is_known(asked: Headers, validators: Mapping[str, str]) -> bool:
    """Whether the subscriber holds this edition (RFC 9110, section 13.2.2): its ETag counts before its date."""
    if tags := asked.getlist("if-none-match"):
        known = {tag.strip().removeprefix("W/") for tag in ",".join(tags).split(",")}
        return bool(known & {"*", validators["ETag"]})
    since, modified = _date(asked.get("if-modified-since")), _date(validators.get("Last-Modified"))
    return since is not None and modified is not None and modified <= since


def _date(text: str | None) -> datetime | None:
    """A date of HTTP; None where it is none. One that names no zone is in UTC (RFC 9110, section 5.6.7)."""
    try:
        date = parsedate_to_datetime(text) if text else None
        return date and (date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None
