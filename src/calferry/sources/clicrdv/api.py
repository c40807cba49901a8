"""Speaking with ClicRDV: signing in, one request, the pages of a listing. Nothing is believed before it is checked.

Vendor's pages: "Authentication", "API Response formats", "API – Filtering and Pagination".
"""

from __future__ import annotations

import base64
import hashlib
import re
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import quote

from calferry import http
from calferry.errors import Conflict, NotAuthorised, Refused, Unavailable
from calferry.ports import Clock
from calferry.sources.clicrdv.ids import id_of
from calferry.sources.fields import number_of, text_of

if TYPE_CHECKING:
    import httpx

    from calferry.sources.clicrdv.settings import Settings

PAGE = 100
"""Rows asked for at a time. The most there can be is not documented: a reply with fewer is believed."""

AHEAD = timedelta(days=1)
"""ClicRDV's clock is not believed any further ahead of ours than this."""

AGREED = timedelta(minutes=5)
"""So far apart, at most, are clocks that agree."""

ATTEMPTS = 3
"""How often a listing is begun, at most, for its pages to add up."""

CODES = {"unauthorized": 1, "invalidparameter": 2, "noresult": 3, "servererror": 4, "loginfailed": 5}
"""The numeric codes of "Appointments API", by the words that go with them."""

NO_RESULT = CODES["noresult"]
DENIED = frozenset({CODES["unauthorized"], CODES["loginfailed"]})

SESSION = "_session_id"
"""The cookie of a session."""

Asked = Mapping[str, str]

_Content = TypeVar("_Content", http.JsonObject, bytes)


class Shifted(Unavailable):
    """The pages of a listing do not add up: rows came, went or changed places in between."""


class Page(NamedTuple):
    """`asked_at` is our clock before the request, `now` ClicRDV's when it answered, or ours where it did not say.
    `clocks_agree` says that it did, and that both show much the same."""

    rows: Sequence[Any]
    total: int
    asked_at: datetime
    now: datetime
    clocks_agree: bool


class Dates:
    """Keeps the `Date` of the last answer (RFC 9110, section 6.6.1), in UTC; None where it had none."""

    last: datetime | None = None

    def note(self, response: httpx.Response) -> None:
        try:
            date = parsedate_to_datetime(response.headers.get("Date", ""))
        except (ValueError, OverflowError):
            self.last = None
        else:
            self.last = date if date.tzinfo else date.replace(tzinfo=UTC)


class Api:
    """One connection to ClicRDV, as one member of one practice."""

    def __init__(self, name: str, settings: Settings, clock: Clock) -> None:
        self._name = name
        self._settings = settings
        self._clock = clock
        self._dates = Dates()

    def row(self, path: str) -> http.JsonObject | None:
        """One thing by its path, such as `/groups/4`. None where ClicRDV says in so many words that there is none."""
        try:
            return self._get(path, {})
        except http.Missing:
            return None

    def xml(self, path: str) -> bytes:
        """One thing in its XML form."""
        return self._signed_in(lambda client: http.get_xml(client, f"/api/v1{path}.xml", self._key))

    def answer(
        self, path: str, asked: Asked, form: str = "json", client: httpx.Client | None = None
    ) -> tuple[httpx.Response, bytes]:
        """What one GET is answered, of whatever status: for probes, which look at what nothing else would take.

        As a member of the practice, or as whoever `client` is.
        """
        if client is None and self._settings.login == "session" and not _has_session(self.client):
            self._sign_in(self.client)
        where = f"/api/v1{path}.{form}"
        kind = f"application/{form}"
        return http.answer(client or self.client, where, {**asked, **self._key}, f"GET {where}", accept=kind)

    def stranger(self, session: str = "") -> httpx.Client:
        """Somebody who did not sign in, or comes with a session that never was."""
        headers = {"Cookie": f"{SESSION}={session}"} if session else {}
        return http.client(self._settings.base_url, headers, ca_file=self._settings.ca_file)

    def pages(self, path: str, asked: Asked) -> Iterator[Page]:
        """All rows of a listing, a page at a time, in the order of their ids: an order that no change disturbs.

        When the pages do not add up it begins anew, at most twice, and the rows come again. Raises Shifted when they
        never did; nor do they where there were rows, and then none at all.
        """
        had_rows = False
        for attempt in range(1, ATTEMPTS + 1):
            try:
                for page in self.once(path, asked):
                    if had_rows and not page.total:
                        raise _shifted(path)
                    had_rows = had_rows or page.total > 0
                    yield page
            except Shifted:
                if attempt == ATTEMPTS:
                    raise
            else:
                return

    def once(self, path: str, asked: Asked) -> Iterator[Page]:
        """One try. Each page begins with the last row of the one before, and in the end there are as many different
        ids as ClicRDV says there are rows. Raises Shifted otherwise."""
        seen: set[str] = set()
        received, last = 0, ""
        while True:
            page = self._page(path, asked, max(received - 1, 0))
            rows = page.rows
            if received:
                if not rows or _id(rows[0]) != last:
                    raise _shifted(path)
                rows = rows[1:]
            yield page._replace(rows=rows)
            received += len(rows)
            seen.update(_id(row) or f" {received - number}" for number, row in enumerate(rows))
            if not rows or received >= page.total:
                break
            last = _id(rows[-1])
        if not received == len(seen) == page.total:
            raise _shifted(path)

    def _page(self, path: str, asked: Asked, start: int) -> Page:
        asked_at = self._clock.now()
        paging = {"sort": "id", "dir": "asc", "results": str(PAGE), "startIndex": str(start)}
        reply = self._get(path, {**asked, **paging})
        said = self._dates.last
        now, agree = min(said or asked_at, asked_at + AHEAD), said is not None and abs(said - asked_at) <= AGREED
        if error_in(reply) == NO_RESULT:
            return Page((), 0, asked_at, now, agree)
        rows, total = reply.get("records"), number_of(reply.get("totalRecords"), digits=9)
        if not isinstance(rows, list) or total is None:
            msg = f"ClicRDV answered the listing {path} without its records, or without their number"
            raise Unavailable(msg)
        echo = {**paging, "recordsReturned": str(len(rows)), "results": ""}
        if wrong := [
            name for name, value in echo.items() if value and text_of(reply.get(name)).lower() not in ("", value)
        ]:
            msg = f"ClicRDV answered the listing {path} with another {wrong[0]} than was asked for"
            raise Unavailable(msg)
        return Page(rows, total, asked_at, now, agree)

    def _get(self, path: str, asked: Asked) -> http.JsonObject:
        """A JSON reply without an error, but for the NoResult of a listing. Raises Missing for that of one thing."""
        where = f"/api/v1{path}.json"

        def ask(client: httpx.Client) -> http.JsonObject:
            reply = http.get_json(client, where, {**asked, **self._key}, excuse=_is_answer)
            code = error_in(reply)
            if code in DENIED:
                msg = f"GET {where} answered with error {code}"
                raise NotAuthorised(msg)
            if code == NO_RESULT and not asked:
                msg = f"GET {where} answered that there is none"
                raise http.Missing(msg)
            if code not in (None, NO_RESULT):
                msg = f"GET {where} answered with an error" + (f" ({code})" if code else "")
                raise Unavailable(msg)
            return reply

        try:
            return self._signed_in(ask)
        except (Refused, Conflict) as problem:
            raise Unavailable(str(problem)) from problem

    def _signed_in(self, ask: Callable[[httpx.Client], _Content]) -> _Content:
        """Ask, as a member of the practice."""
        try:
            return ask(self.client) if self._settings.login == "basic" else self._in_session(self.client, ask)
        except NotAuthorised as problem:
            msg = f"{problem}: ClicRDV does not let the api_key, email and password of source {self._name!r} in there"
            raise NotAuthorised(msg) from problem

    def _in_session(self, client: httpx.Client, ask: Callable[[httpx.Client], _Content]) -> _Content:
        """Ask; where there is no session, or it may be over, sign in once, then stop.

        One that is over need not be refused: ClicRDV asks nobody to sign in, and shows strangers less. So an empty
        listing, and a "not found", is only believed of a session that was opened for it.
        """
        if _has_session(client):
            try:
                content = ask(client)
            except (NotAuthorised, http.Missing):
                pass
            else:
                if not _lists_nothing(content):
                    return content
        self._sign_in(client)
        return ask(client)

    @property
    def _key(self) -> dict[str, str]:
        return {"apikey": self._settings.api_key.get_secret_value()}

    @cached_property
    def client(self) -> httpx.Client:
        """HTTP Basic is sent up front: ClicRDV never asks for it, and shows strangers less instead."""
        settings = self._settings
        pair = f"{settings.email}:{settings.password.get_secret_value()}".encode()
        basic = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"} if settings.login == "basic" else {}
        client = http.client(settings.base_url, basic, ca_file=settings.ca_file)
        client.event_hooks = {"response": [self._dates.note]}
        weakref.finalize(self, client.close)
        return client

    def _sign_in(self, client: httpx.Client) -> None:
        digest = hashlib.sha1(self._settings.password.get_secret_value().encode(), usedforsecurity=False).hexdigest()
        client.cookies.clear()
        form = {"pro[email]": self._settings.email, "pro[password]": digest}
        reply = http.post_form(client, "/api/v1/sessions/login.json", form, self._key)
        if error_in(reply) is not None or not _has_session(client):
            msg = "signing in at ClicRDV opened no session"
            raise NotAuthorised(msg)


def _has_session(client: httpx.Client) -> bool:
    return any(cookie.name == SESSION for cookie in client.cookies.jar)


def _lists_nothing(content: http.JsonObject | bytes) -> bool:
    if isinstance(content, bytes):
        return False
    return error_in(content) == NO_RESULT or number_of(content.get("totalRecords")) == 0


def error_in(reply: http.JsonObject) -> int | None:
    """The code of the error a reply speaks of: 0 for one without a code, None when there is none.

    The shape of errors is not documented, so every likely one is understood; none of it is quoted.
    """
    error = reply.get("error") or reply.get("errors")
    if not error:
        bare = "code" in reply and "message" in reply and not {"id", "records"} & reply.keys()
        return _code(reply) if bare else None
    return _code(error[0] if isinstance(error, list) else error)


def _code(error: Any) -> int:
    said = [error.get(name) for name in ("code", "message", "name")] if isinstance(error, dict) else [error]
    for text in map(text_of, said):
        word = text.replace(" ", "").rstrip(".").casefold()
        if word in CODES or re.fullmatch("[0-9]{1,9}", text):
            return CODES.get(word) or int(text)
    return 0


def segment(text: str) -> str:
    """A text as one segment of a path."""
    return quote(text, safe="")


def _is_answer(refusal: http.JsonObject) -> bool:
    """ "No results" is an answer, whatever status it comes with."""
    return error_in(refusal) == NO_RESULT


def _id(row: Any) -> str:
    return id_of(row) if isinstance(row, dict) else ""


def _shifted(path: str) -> Shifted:
    return Shifted(f"the pages of ClicRDV's listing {path} do not add up")
