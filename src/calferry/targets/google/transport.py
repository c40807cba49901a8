"""Tokens, batches and HTTP: one client for the connection, one token a lane.

Source: "Send batch requests" in Google's Calendar API guides.
"""

# mypy: disable-error-code="no-untyped-call"
# (Google's libraries ship no types of their own.)

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING

from calferry import http
from calferry.errors import CalferryError, ConfigError, NotAuthorised, Unavailable
from calferry.targets.google.answers import Answer, Reply, answer_of, unanswered
from calferry.targets.google.memory import kept
from calferry.targets.google.pace import Pace, of_project

if TYPE_CHECKING:
    import google.auth.credentials
    import httpx
    from googleapiclient.errors import HttpError

    from calferry.ports import Clock
    from calferry.targets.google.events import Request
    from calferry.targets.google.identity import Identity
    from calferry.targets.google.quota import Quota
    from calferry.targets.google.settings import Settings

Told = tuple[Mapping[str, str], bytes]
"""Headers (httplib2's, with the status among them) and content."""


class Transport:
    """Carries requests to Google and brings back what it answered, each request on its own."""

    def __init__(self, settings: Settings, identity: Identity, quota: Quota, clock: Clock) -> None:
        self._settings = settings
        self._identity = identity
        self._quota = quota
        self._project = of_project(f"{settings.project} at {settings.root_url}")
        self._paces: dict[str, Pace] = {}
        self._base = f"{settings.root_url}calendar/v3/"
        self._batch_uri = f"{settings.root_url}batch/calendar/v3"
        self._clock = clock
        self._opening = threading.Lock()
        self._lanes: dict[str, _Session] = {}

    def ask(self, lane: str, request: Request) -> Answer:
        """One request outside a batch. Raises NotAuthorised and Unavailable where there is no answer."""
        with self._allowed(lane, 1), self._session(lane) as session:
            told = session.request(self._base + request.address, request.method, request.body, request.headers)
            answer = answer_of(*told, self._clock.now())
            self._quota.heed(lane, [answer])
            return answer

    def ask_all(self, lane: str, requests: Sequence[Request]) -> dict[Request, Reply]:
        """Requests in one batch. A request without an answer of its own gets the error that befell the batch."""
        answers: dict[Request, Reply] = {}
        try:
            with self._allowed(lane, len(requests)), self._session(lane) as session:
                self._batch(session, requests, answers)
                self._quota.heed(lane, answers.values())
        except CalferryError as error:
            return {request: answers.get(request, error) for request in requests}
        return answers

    @contextmanager
    def _allowed(self, lane: str, number: int) -> Iterator[None]:
        """Wait until as many requests may be sent. Raises Unavailable while none may."""
        with kept():
            self._quota.check(lane)
            self._paces.setdefault(lane, Pace(self._settings.pace)).take(number)
            self._project.take(number)
            yield

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
                headers=request.headers,
            )
            batch.add(part, request_id=str(number))
        batch.execute(http=session)

    def sign_in(self, lane: str) -> None:
        """Get a token, with what is kept now. Raises NotAuthorised and Unavailable."""
        with self._opening:
            self._lanes.pop(lane, None)
        with self._session(lane) as session:
            session.refresh(None)

    @contextmanager
    def _session(self, lane: str) -> Iterator[_Session]:
        """The lane's session, and all that can happen in it as our own errors."""
        from google.auth.exceptions import RefreshError
        from googleapiclient.errors import HttpError

        with reaching():
            try:
                yield self._opened(lane)
            except RefreshError as error:
                with self._opening:  # somebody may sign in anew meanwhile
                    self._lanes.pop(lane, None)
                raise self._identity.refused(error, lane) from error
            except HttpError as error:
                answer = answer_of(error.resp, error.content, self._clock.now())
                self._quota.heed(lane, [answer])
                raise unanswered(answer, lane) from error

    def _opened(self, lane: str) -> _Session:
        with self._opening:
            if lane not in self._lanes:
                self._lanes[lane] = _Session(self._identity.credentials(lane), self.client)
            return self._lanes[lane]

    @cached_property
    def client(self) -> httpx.Client:
        """All that is sent to Google goes through it. Raises NotAuthorised where `ca_file` cannot be used."""
        try:
            client = http.client("", {}, ca_file=self._settings.ca_file)
        except ConfigError as problem:
            raise NotAuthorised(str(problem)) from None
        weakref.finalize(self, client.close)
        return client


class _Session:
    """An authorised way to Google, in the shape in which `BatchHttpRequest` asks for an httplib2.

    It is its own `credentials` too: for the parts that were answered 401 the library renews those and sends the parts
    once more.
    """

    def __init__(self, credentials: google.auth.credentials.Credentials, client: httpx.Client) -> None:
        self._google = credentials
        self._client = client
        self._renewing = threading.Lock()

    def request(
        self, uri: str, method: str = "GET", body: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Told:
        """One request with a token. A token that is not accepted is replaced once: nothing was done with it."""
        response = self._sent(uri, method, body, headers or {}, self._token())
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            response = self._sent(uri, method, body, headers or {}, self._token(instead_of=self._google.token))
        return _told(response)

    def _sent(self, uri: str, method: str, body: str | None, headers: Mapping[str, str], token: str) -> httpx.Response:
        content = None if body is None else body.encode()
        return self._client.request(
            method, uri, content=content, headers={**headers, "Authorization": f"Bearer {token}"}
        )

    def _token(self, instead_of: str | None = None) -> str:
        """An access token: from memory while it lasts."""
        with self._renewing:
            if not self._google.valid or self._google.token == instead_of:
                self._google.refresh(self._renewal)
            return str(self._google.token)

    def _renewal(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **_timeout: float,
    ) -> _Renewed:
        """What google-auth asks with ("google.auth.transport.Request")."""
        return _Renewed(self._client.request(method, url, content=body, headers=headers))

    @property
    def credentials(self) -> _Session:
        return self

    @property
    def access_token(self) -> str:
        return self._token()

    access_token_expired = False

    def refresh(self, _http: object) -> None:
        self._token(instead_of=self._google.token)

    def apply(self, headers: dict[str, str]) -> None:
        headers["authorization"] = f"Bearer {self._token()}"


@contextmanager
def reaching() -> Iterator[None]:
    """What can happen on the way to Google, as our own error."""
    import httpx
    from google.auth.exceptions import GoogleAuthError
    from googleapiclient.errors import Error

    try:
        yield
    except (GoogleAuthError, httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
        http.count_silence(error)
        # The cause is cut off: some quote what was sent.
        msg = f"Google could not be reached ({type(error).__name__})."
        raise Unavailable(msg) from None
    except (Error, LookupError, ValueError, TypeError, AttributeError) as error:
        # How the libraries show an answer that is torn, foreign (a proxy's page), or has a part missing.
        msg = f"Google's answer could not be read ({type(error).__name__})."
        raise Unavailable(msg) from error


class _Renewed:
    """An answer in the shape of google-auth's `transport.Response`."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.data = response.content


def _told(response: httpx.Response) -> Told:
    """An answer in the shape in which Google's client library reads one."""
    from httplib2 import Response

    return Response({**response.headers, "status": str(response.status_code)}), response.content
