"""Credentials, batches and HTTP: one connection a thread, one token a lane and thread.

Sources: "Send batch requests" in Google's Calendar API guides; "Thread Safety" in google-api-python-client's guide.
"""

# mypy: disable-error-code="no-untyped-call"
# (Google's libraries ship no types of their own.)

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from calferry import meters
from calferry.errors import CalferryError, NotAuthorised, Unavailable
from calferry.targets.google.answers import Answer, Reply, answer_of, unanswered

if TYPE_CHECKING:
    import google.oauth2.service_account
    import httplib2
    from googleapiclient.errors import HttpError

    from calferry.ports import Clock
    from calferry.targets.google.events import Request
    from calferry.targets.google.settings import Settings

SCOPE = "https://www.googleapis.com/auth/calendar.events"
"""The narrowest scope that inserts, updates, deletes and lists events in calendars of other people."""

TIMEOUT = 60.0
"""Seconds without a byte before a connection is given up."""

Told = tuple[Mapping[str, str], bytes]
"""Headers (httplib2's, with the status among them) and content."""


class Transport:
    """Carries requests to Google and brings back what it answered, each request on its own."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._key = settings.key
        self._base = f"{settings.root_url}calendar/v3/"
        self._batch_uri = f"{settings.root_url}batch/calendar/v3"
        self._ca_file = str(settings.ca_file) if settings.ca_file else None
        self._clock = clock
        self._thread = _Thread()

    def ask(self, lane: str, request: Request) -> Answer:
        """One request outside a batch. Raises NotAuthorised and Unavailable where there is no answer."""
        with self._session(lane) as session:
            response, content = session.request(self._base + request.address, request.method)
            return answer_of(response, content, self._clock.now())

    def ask_all(self, lane: str, requests: Sequence[Request]) -> dict[Request, Reply]:
        """Requests in one batch. A request without an answer of its own gets the error that befell the batch."""
        answers: dict[Request, Reply] = {}
        try:
            with self._session(lane) as session:
                self._batch(session, requests, answers)
        except CalferryError as error:
            return {request: answers.get(request, error) for request in requests}
        return answers

    def _batch(self, session: _Session, requests: Sequence[Request], answers: dict[Request, Reply]) -> None:
        from googleapiclient.http import BatchHttpRequest, HttpRequest

        def heard(number: str, told: Told | None, refused: HttpError | None) -> None:
            headers, content = (refused.resp, refused.content) if refused else told or ({}, b"")
            answers[requests[int(number)]] = answer_of(headers, content, self._clock.now())

        batch = BatchHttpRequest(callback=heard, batch_uri=self._batch_uri)
        for number, request in enumerate(requests):
            # Without an http of its own a part carries no token; the batch's counts for it.
            part = HttpRequest(
                None,
                lambda *told: told,
                self._base + request.address,
                method=request.method,
                body=request.body,
                headers={"accept": "application/json", "content-type": "application/json"},
            )
            batch.add(part, request_id=str(number))
        # httplib2 sends a POST once more when the connection drops before an answer. Each part is harmless twice:
        # inserts bring their own id.
        batch.execute(http=session)

    @contextmanager
    def _session(self, lane: str) -> Iterator[_Session]:
        """The lane's session in this thread, and all that can happen in it as our own errors."""
        from http.client import HTTPException

        from google.auth.exceptions import GoogleAuthError, RefreshError
        from googleapiclient.errors import Error, HttpError
        from httplib2 import HttpLib2Error

        try:
            yield self._thread.lanes.get(lane) or self._open(lane)
        except RefreshError as error:
            raise _sign_in_failed(error, lane) from error
        except HttpError as error:
            raise unanswered(answer_of(error.resp, error.content, self._clock.now()), lane) from error
        except (GoogleAuthError, HttpLib2Error, HTTPException, OSError) as error:
            self._thread.hang_up()
            msg = f"Google could not be reached ({type(error).__name__})."
            raise Unavailable(msg) from error
        except (Error, LookupError, ValueError, TypeError, AttributeError) as error:
            # How the libraries show an answer that is torn, foreign (a proxy's page), or has a part missing.
            msg = f"Google's answer could not be read ({type(error).__name__})."
            raise Unavailable(msg) from error

    def _open(self, lane: str) -> _Session:
        import httplib2

        if self._thread.http is None:
            http = httplib2.Http(timeout=TIMEOUT, ca_certs=self._ca_file)
            http.follow_redirects = False  # a token is for Google, not for wherever Google is said to have moved
            weakref.finalize(http, _close, http.connections)
            self._thread.http = http
        credentials = self._credentials
        if lane != self._key["client_email"]:
            credentials = credentials.with_subject(lane)
        session = self._thread.lanes[lane] = _Session(credentials, self._thread.http)
        return session

    @cached_property
    def _credentials(self) -> google.oauth2.service_account.Credentials:
        from google.oauth2.service_account import Credentials

        try:
            credentials: Credentials = Credentials.from_service_account_info(self._key, scopes=[SCOPE])
        except (ValueError, TypeError) as error:
            msg = "The service account's key cannot be read; download a new one and put it into `credentials`."
            raise NotAuthorised(msg) from error
        return credentials


class _Thread(threading.local):
    """What belongs to one thread: httplib2 and google-auth are not safe to share."""

    http: httplib2.Http | None

    def __init__(self) -> None:
        self.http = None
        self.lanes: dict[str, _Session] = {}

    def hang_up(self) -> None:
        if self.http is not None:
            _close(self.http.connections)


class _Session:
    """An authorised connection, in the shape in which `BatchHttpRequest` asks for one.

    It is its own `credentials` too: for the parts that were answered 401 the library renews those and sends the parts
    once more. It would do so over a new connection without time-out and CA file; here it happens over this one.
    """

    def __init__(self, credentials: google.oauth2.service_account.Credentials, http: httplib2.Http) -> None:
        from google_auth_httplib2 import AuthorizedHttp, Request

        self._google = credentials
        self._renewal = Request(http)
        self._http = AuthorizedHttp(credentials, http=http)

    def request(
        self, uri: str, method: str = "GET", body: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Told:
        status: int | str = meters.NO_ANSWER
        try:
            response, content = self._http.request(uri, method, body, dict(headers or {}))
            status = response.status
        finally:
            meters.answered(urlsplit(uri).hostname or "", status)
        return response, content

    @property
    def credentials(self) -> _Session:
        return self

    @property
    def access_token(self) -> str | None:
        return self._google.token if self._google.valid else None

    access_token_expired = False

    def refresh(self, _http: object) -> None:
        self._google.refresh(self._renewal)

    def apply(self, headers: dict[str, str]) -> None:
        self._google.apply(headers)


def _close(connections: Mapping[str, Any]) -> None:
    for connection in connections.values():
        connection.close()


def _sign_in_failed(error: Any, lane: str) -> CalferryError:
    """What a failed renewal means: only the token endpoint's own OAuth error closes a lane (RFC 6749, section 5.2)."""
    said = error.args[1] if len(error.args) > 1 else None
    word = said.get("error") if isinstance(said, dict) else None
    if error.retryable or not isinstance(word, str):
        return Unavailable("Google's token endpoint gave no usable answer.")
    return NotAuthorised(
        f"Google does not let calferry sign in as {lane} ({word[:64]}); "
        "check that the address exists, the key is still valid, and the delegation covers the scope calendar.events."
    )
