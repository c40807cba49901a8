"""Batches and HTTP: one client for the connection, one request at a time for a mailbox.

Sources: "Combine multiple HTTP requests using JSON batching", "Microsoft Graph service-specific throttling limits"
(Outlook).
"""

from __future__ import annotations

import json
import threading
import weakref
from collections.abc import Mapping, Sequence
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from calferry import http
from calferry.errors import CalferryError, ConfigError, NotAuthorised, Unavailable
from calferry.targets.office365.answers import Answer, Reply, answer_of, unanswered
from calferry.targets.office365.requests import HEADERS, Request, next_page
from calferry.targets.office365.signin import reaching

if TYPE_CHECKING:
    import httpx

    from calferry.ports import Clock
    from calferry.targets.office365.settings import Settings
    from calferry.targets.office365.signin import SignIn


class Transport:
    """Carries requests to Graph and brings back what it answered, each request on its own."""

    def __init__(self, settings: Settings, clock: Clock, sign_in: SignIn) -> None:
        self._settings = settings
        self._sign_in = sign_in
        self._clock = clock
        self._root = f"{settings.root_url}/v1.0/"
        self._lanes: dict[str, threading.Lock] = {}
        self._opening = threading.Lock()

    def ask(self, lane: str, request: Request) -> Answer:
        """One request outside a batch. Raises NotAuthorised and Unavailable where there is no answer."""
        with self._lane(lane), reaching():
            return self._authorised(request.method, request.address, request.headers)

    def ask_all(self, lane: str, requests: Sequence[Request]) -> dict[Request, Reply]:
        """Requests in one batch. A request without an answer of its own gets the error that befell the batch."""
        parts = [_part(number, request) for number, request in enumerate(requests)]
        try:
            with self._lane(lane), reaching():
                answer = self._authorised("POST", "$batch", HEADERS, json.dumps({"requests": parts}).encode())
        except CalferryError as error:
            return dict.fromkeys(requests, error)
        told = answer.body.get("responses")
        if not answer.ok or not isinstance(told, list):
            return dict.fromkeys(requests, unanswered(answer, lane))
        heard = {str(one["id"]): one for one in told if isinstance(one, dict) and _is_answer(one)}
        return {request: self._heard(heard.get(str(number))) for number, request in enumerate(requests)}

    def next_page(self, listing: Answer) -> Request | None:
        """What a listing says its next page is. Raises Unavailable where that is on another host than root_url."""
        link = listing.body.get("@odata.nextLink")
        if link is None:
            return None
        request = next_page(link, self._root) if isinstance(link, str) else None
        if request is None:
            msg = "Microsoft 365 continues a listing at an address that is not below root_url; it is not followed."
            raise Unavailable(msg)
        return request

    def _lane(self, mailbox: str) -> threading.Lock:
        """Held while a request is under way: Graph runs 4 parts of a batch at a time, and allows 4 for a mailbox."""
        return self._lanes.setdefault(mailbox, threading.Lock())

    def _heard(self, part: Mapping[str, Any] | None) -> Reply:
        if part is None:
            return Unavailable("Microsoft 365 left an answer out of a batch.")
        headers = part.get("headers")
        told = headers if isinstance(headers, dict) else {}
        return answer_of(part["status"], told, part.get("body"), self._clock.now())

    def _authorised(self, method: str, address: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        """One HTTP request with a token. A token that is not accepted is replaced once: nothing was done with it."""
        answer = self._send(method, address, headers, body)
        if answer.status == HTTPStatus.UNAUTHORIZED and answer.code:
            self._sign_in.forget(self.client)
            answer = self._send(method, address, headers, body)
        return answer

    def _send(self, method: str, address: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        client = self.client
        sent = dict(headers) | {"Authorization": f"Bearer {self._sign_in.token(client)}"}
        if body is not None:
            sent |= {"Content-Type": "application/json"}
        response = client.request(method, self._root + address, content=body, headers=sent)
        return answer_of(response.status_code, response.headers, response.content, self._clock.now())

    @property
    def client(self) -> httpx.Client:
        """The client of this connection, for whatever it asks of Microsoft. Raises NotAuthorised."""
        with self._opening:
            return self._client

    @cached_property
    def _client(self) -> httpx.Client:
        try:
            client = http.client("", {}, ca_file=self._settings.ca_file)
        except ConfigError as problem:
            raise NotAuthorised(str(problem)) from None
        weakref.finalize(self, client.close)
        return client


def _part(number: int, request: Request) -> dict[str, Any]:
    """A call as a batch carries it. Its headers are its own: those of the batch do not reach it."""
    part = {"id": str(number), "method": request.method, "url": f"/{request.address}", "headers": request.headers}
    return part | ({"body": json.loads(request.body)} if request.body is not None else {})


def _is_answer(part: Mapping[str, Any]) -> bool:
    return "id" in part and type(part.get("status")) is int
