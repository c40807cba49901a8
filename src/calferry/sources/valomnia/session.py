"""One login, and requests under it.

Vendor's page: "Authentication". That a session which has expired is answered `no_credentials` is known from clients;
with which status, or whether with a redirect or a sign-in page, is not documented: all of them mean it.
"""

from __future__ import annotations

import re
import threading
import weakref
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from calferry import http
from calferry.errors import CalferryError, NotAuthorised, Unavailable
from calferry.sources.valomnia.reading import read_json
from calferry.sources.valomnia.settings import Settings

if TYPE_CHECKING:
    import httpx

LOGIN, SUCCESS = "/j_spring_security_check", "/login/ajaxSuccess"

COOKIE = "JSESSIONID"

OK, REDIRECTS, ERRORS = 200, range(300, 400), range(400, 600)
CLOSED = frozenset({401, 403})
NOT_FOUND = 404
REFUSED = 400
BROKEN = 500


class NotThere(http.Missing):
    """404 with `not_found`: Valomnia says in so many words that it has no such record."""


class Unusable(Unavailable):
    """Valomnia answered, and not with what was asked for. Where one record was, that one may be the reason."""


class Rejected(Unusable):
    """400: Valomnia does not take the request as it was asked."""


class Wordless(Unusable):
    """One record was asked for, and Valomnia said nothing of its own: that record may be the reason, or an outage.

    `error` is what the answer amounts to where it is not the record's.
    """

    def __init__(self, error: Unavailable | NotAuthorised) -> None:
        super().__init__(str(error), retry_after=getattr(error, "retry_after", None))
        self.error = error


class _ExpiredError(Exception):
    """What a session that is over is answered; `error` is what it amounts to under a session that is not."""

    def __init__(self, error: Unavailable | NotAuthorised) -> None:
        super().__init__(str(error))
        self.error = error


class Reply(NamedTuple):
    """A JSON object, and the server's clock (UTC) when it was sent, where it said so."""

    content: http.JsonObject
    date: datetime | None


class Session:
    """One login for everything that is asked, one request at a time: a second login may end the first."""

    def __init__(self, name: str, settings: Settings) -> None:
        self._name = name
        self._settings = settings
        self._lock = threading.Lock()
        self._signed_in = False

    def get(self, path: str, asked: Mapping[str, str] | None = None) -> Reply:
        """GET a JSON object below `/api/{version}`. A session that has expired is renewed once.

        Raises NotThere, Rejected, NotAuthorised, or Unavailable.
        """
        try:
            return self._under_a_login(path, asked)
        except _ExpiredError as problem:
            raise problem.error from None

    def answer(self, path: str, asked: Mapping[str, str]) -> tuple[httpx.Response, bytes]:
        """What one GET is answered, of whatever status: for probes, which look at what nothing else would take.

        It signs in where nobody did, and never again. Raises what signing in does.
        """
        where = f"/api/{self._settings.version}{path}"
        with self._lock:
            if not self._signed_in:
                self._sign_in()
            return http.answer(self.client, where, asked, self._named("GET", where))

    def record(self, path: str) -> http.JsonObject:
        """GET one record. Raises NotThere, Unusable or Wordless; of signing in, NotAuthorised or Unavailable."""
        try:
            return self._under_a_login(path, None, alone=True).content
        except _ExpiredError as problem:
            raise Wordless(problem.error) from None

    def _under_a_login(self, path: str, asked: Mapping[str, str] | None, *, alone: bool = False) -> Reply:
        ask = self._ask_alone if alone else self._ask
        with self._lock:
            if self._signed_in:
                with suppress(_ExpiredError):
                    return ask(path, asked)
            self._sign_in()
            try:
                return ask(path, asked)
            except _ExpiredError:
                self._signed_in = False
                raise

    def _ask_alone(self, path: str, asked: Mapping[str, str] | None) -> Reply:
        try:
            return self._ask(path, asked)
        except (NotThere, Unusable):
            raise
        except (Unavailable, NotAuthorised) as problem:
            raise Wordless(problem) from None

    def _ask(self, path: str, asked: Mapping[str, str] | None) -> Reply:
        return self._fetched(f"/api/{self._settings.version}{path}", asked)

    def _fetched(self, where: str, asked: Mapping[str, str] | None = None) -> Reply:
        request = self._named("GET", where)
        for attempt in http.tries():
            with attempt:
                response, body = http.answer(self.client, where, asked, request)
                return Reply(self._content(response, body, request), _date(response))
        raise AssertionError  # the last attempt's error is let through

    def _sign_in(self) -> None:
        """The form login, never tried twice in a row: a password that is wrong would soon be locked."""
        self._signed_in = False
        self.client.cookies.clear()
        form = {
            "j_username": self._settings.user,
            "j_password": self._settings.password.get_secret_value(),
            "ajax": "true",
        }
        request = self._named("POST", LOGIN)
        response, body = http.answer(self.client, LOGIN, None, request, form=form)
        try:
            if response.status_code in REDIRECTS:
                welcome = self._fetched(self._destination(response, request)).content
            else:
                welcome = self._content(response, body, request)
        except _ExpiredError as problem:
            raise problem.error from None
        except (NotThere, Unusable) as problem:  # it says nothing of what was asked for
            raise Unavailable(str(problem)) from problem
        if str(welcome.get("success")).casefold() != "true":
            raise self._not_let_in(request)
        if COOKIE not in {cookie.name for cookie in self.client.cookies.jar}:
            msg = f"{request} was answered with success, and without a session"
            raise Unavailable(msg)
        self._signed_in = True

    def _destination(self, response: httpx.Response, request: str) -> str:
        """Where a login leads to. Its path may carry the session (`;jsessionid=…`), which no log may see."""
        path = _path_on(self.client.base_url.host, response.headers.get("Location", ""))
        if path.endswith(SUCCESS):
            return SUCCESS
        if "/login" in path:
            raise self._not_let_in(request)
        msg = f"{request} was sent elsewhere; calferry follows no redirect"
        raise Unavailable(msg)

    def _not_let_in(self, request: str) -> NotAuthorised:
        return NotAuthorised(f"{request}: Valomnia does not take the user and password of source {self._name!r}")

    def _content(self, response: httpx.Response, body: bytes, request: str) -> http.JsonObject:
        """A whole JSON object with status 200 and no `error`; anything else raises."""
        status = response.status_code
        content = _json_object(response, body)
        error = _error_in(content)
        if status in CLOSED or error == "no_credentials":
            msg = f"{request} answered {error or status}: Valomnia does not let source {self._name!r} in"
            raise _ExpiredError(NotAuthorised(msg))
        if status in ERRORS:
            raise _error_for(response, error, request)
        if status in REDIRECTS or (status == OK and not _is_json(response)):
            msg = f"{request} answered with a redirect or a page; a proxy or a sign-in page may be in between"
            raise _ExpiredError(Unavailable(msg))
        if status != OK or content is None:
            msg = f"{request} answered with something that is no JSON object"
            raise Unusable(msg)
        if content.get("error") is not None:
            msg = f"{request} answered {status} with an error ({error})"
            raise Unavailable(msg)
        return content

    def _named(self, method: str, where: str) -> str:
        return f"{method} {self.client.base_url.host}{where}"

    @cached_property
    def client(self) -> httpx.Client:
        client = http.client(self._settings.root, {}, ca_file=self._settings.ca_file)
        weakref.finalize(self, client.close)
        return client


def _path_on(host: str, location: str) -> str:
    """The path of an address on `host`, without what follows a semicolon; empty for any other address, or none."""
    try:
        there = urlsplit(location)
    except ValueError:
        return ""
    return there.path.partition(";")[0] if there.hostname in {None, host} else ""


def _is_json(response: httpx.Response) -> bool:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return kind in {"", "application/json", "text/json"} or kind.endswith("+json")


def _json_object(response: httpx.Response, body: bytes) -> dict[str, Any] | None:
    """The object in a body; None when there is none to read."""
    if not _is_json(response):
        return None
    try:
        content = read_json(body)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _error_in(content: http.JsonObject | None) -> str:
    """The code in an error, such as `not_found`. Sentences are not quoted: they may name people."""
    code = (content or {}).get("error")
    if code is None:
        return ""
    return code if isinstance(code, str) and re.fullmatch("[a-z_]{1,40}", code) else "unnamed"


def _error_for(response: httpx.Response, error: str, request: str) -> CalferryError:
    status = response.status_code
    message = f"{request} answered {status} {error}".rstrip()
    if status == NOT_FOUND and error == "not_found":
        return NotThere(message)
    if status == REFUSED:
        return Rejected(message)
    if status == BROKEN and error:
        return Unusable(message)
    wait = http.retry_after(response.headers.get("Retry-After", ""), datetime.now(UTC))
    problem = http.error_for(status, request, retry_after=wait)
    return problem if isinstance(problem, NotAuthorised | http.Passing) else Unavailable(message, retry_after=wait)


def _date(response: httpx.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(response.headers.get("Date", "")).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
