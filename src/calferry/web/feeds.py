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
from calferry.sync.installation import Installation
from calferry.web import addresses
from calferry.web.catalogue import PATH, SUFFIX, Feed, catalogue, is_settled
from calferry.web.editions import Edition, Editions
from calferry.web.memory import Memory

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.datastructures import Headers
    from starlette.requests import Request
    from starlette.responses import Response

log = logging.getLogger(__name__)

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
        self._known: dict[str, tuple[Feed, Link]] = {}
        self._looking = Lock()

    def edition(self, token: str) -> Edition:
        """What the address of that token shows now. Raises NoSuchFeed, Ended, Unavailable."""
        feed, link = self._found(digest_of(token))
        if not link.holds(self.now()):
            raise Ended
        return self._editions.of(feed, feed.url(link))

    def at_hand(self, token: str) -> Edition | None:
        """The same, if nothing has to be asked or put together for it; else None."""
        try:
            found = self._memory.at_hand(digest_of(token))
            if found is None:
                return None
            feed, link = found
            return self._editions.at_hand(feed, feed.url(link)) if link.holds(self.now()) else None
        except Unavailable:
            return None

    def now(self) -> datetime:
        return self._installation.clock.now()

    def _found(self, digest: str) -> tuple[Feed, Link]:
        """As the ledger has it; while the ledger does not answer, as it last did."""
        try:
            found = self._memory.recall(digest, lambda: self._look_up(digest))
        except Unavailable:
            if digest not in self._known:
                raise
            return self._known[digest]
        self._known[digest] = found
        return found

    def _look_up(self, digest: str) -> tuple[Feed, Link]:
        """After the ledger was lost, an address is unknown only until the booking systems have told who there is."""
        settled = is_settled(self._installation)
        feeds, link = self._feeds(), self._installation.shelf.link(digest)
        feed = feeds.get(link.feed) if link else None
        if link and feed:
            if addresses.is_of_today(feed, link):
                return feed, link
            raise Ended
        if not settled:
            msg = "not every booking system was pulled yet, so it is not known which feeds there are"
            raise Unavailable(msg)
        raise NoSuchFeed

    def _feeds(self) -> Mapping[str, Feed]:
        """All feeds, each with an address. One request makes the catalogue, and the others wait for it."""
        with self._looking:
            return self._memory.recall("catalogue", self._look_around)

    def _look_around(self) -> Mapping[str, Feed]:
        feeds = catalogue(self._installation, self._root)
        addresses.current(self._installation.shelf, feeds.values())
        return feeds


def application(feeds: Feeds, pages: Starlette | None = None) -> Starlette:
    """The web application: the feeds, and whatever else is asked for by the pages. It redirects no feed: readers that
    follow no redirect would lose it."""
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.routing import Mount, Route

    async def answer(request: Request) -> Response:
        token = request.path_params["token"]
        if edition := feeds.at_hand(token):  # most are: changing to a thread would cost more than the answer
            return told(edition, request.headers, feeds.now())
        return await run_in_threadpool(respond, feeds, token, request.headers)

    route = Route(f"{PATH}{{token}}{SUFFIX}", answer, methods=["GET", "HEAD"])
    app = Starlette(routes=[route, *([Mount("/", pages)] if pages else [])])
    app.router.redirect_slashes = False
    return app


def respond(feeds: Feeds, token: str, asked: Headers) -> Response:
    """The answer to one request with these headers. Never empty where there may be something, and never a traceback."""
    from starlette.responses import PlainTextResponse

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
    return told(edition, asked, feeds.now())


def told(edition: Edition, asked: Headers, now: datetime) -> Response:
    """An edition, or that the subscriber holds it already."""
    from starlette.responses import Response

    validators = _validators(edition, now)
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
