"""Tokens, batches and HTTP: one client and one token for the connection, one request at a time for a mailbox.

Sources: "Combine multiple HTTP requests using JSON batching", "Microsoft Graph service-specific throttling limits"
(Outlook), and the documentation of MSAL for Python.
"""

# mypy: disable-error-code="no-untyped-call"
# (MSAL ships no types of its own.)

from __future__ import annotations

import json
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from calferry import http
from calferry.errors import CalferryError, ConfigError, NotAuthorised, Unavailable
from calferry.targets.office365.answers import Answer, Reply, answer_of, unanswered
from calferry.targets.office365.requests import HEADERS, Request, next_page

if TYPE_CHECKING:
    import httpx
    from msal.application import ConfidentialClientApplication

    from calferry.ports import Clock
    from calferry.targets.office365.settings import Settings

CLOSED_TO_US = frozenset({"invalid_client", "unauthorized_client", "invalid_grant", "access_denied", "invalid_scope"})
"""OAuth's words for a sign-in that no second attempt mends (RFC 6749, section 5.2)."""


class Transport:
    """Carries requests to Graph and brings back what it answered, each request on its own."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._root = f"{settings.root_url}/v1.0/"
        self._lanes: dict[str, threading.Lock] = {}
        self._opening = threading.Lock()

    def ask(self, lane: str, request: Request) -> Answer:
        """One request outside a batch. Raises NotAuthorised and Unavailable where there is no answer."""
        with self._lane(lane), _reaching():
            return self._authorised(request.method, request.address, request.headers)

    def ask_all(self, lane: str, requests: Sequence[Request]) -> dict[Request, Reply]:
        """Requests in one batch. A request without an answer of its own gets the error that befell the batch."""
        parts = [_part(number, request) for number, request in enumerate(requests)]
        try:
            with self._lane(lane), _reaching():
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
            _, application = self._opened
            application.remove_tokens_for_client()
            answer = self._send(method, address, headers, body)
        return answer

    def _send(self, method: str, address: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        client, application = self._opened
        sent = dict(headers) | {"Authorization": f"Bearer {self._token(application)}"}
        if body is not None:
            sent |= {"Content-Type": "application/json"}
        response = client.request(method, self._root + address, content=body, headers=sent)
        return answer_of(response.status_code, response.headers, response.content, self._clock.now())

    def _token(self, application: ConfidentialClientApplication) -> str:
        """An access token: from memory while it lasts."""
        with _signing_in():
            result = application.acquire_token_for_client([f"{self._settings.root_url}/.default"])
        token = result.get("access_token")
        if isinstance(token, str):
            return token
        word = str(result.get("error"))[:64]
        if word not in CLOSED_TO_US:
            msg = f"Microsoft's token endpoint gave no usable answer ({word})."
            raise Unavailable(msg)
        msg = (
            f"Microsoft does not let calferry sign in as application {self._settings.client_id} ({word}); "
            "check tenant and client_id, and that the secret or certificate has not run out."
        )
        raise NotAuthorised(msg)

    @property
    def _opened(self) -> tuple[httpx.Client, ConfidentialClientApplication]:
        with self._opening:
            return self._client, self._application

    @cached_property
    def _client(self) -> httpx.Client:
        try:
            client = http.client("", {}, ca_file=self._settings.ca_file)
        except ConfigError as problem:
            raise NotAuthorised(str(problem)) from None
        weakref.finalize(self, client.close)
        return client

    @cached_property
    def _application(self) -> ConfidentialClientApplication:
        """MSAL's side of us. It asks the authority for its endpoints, once.

        Without instance discovery nobody else is asked. Tokens and calendars share one client, and with it time-outs,
        certificate authorities and proxies.
        """
        from msal.application import ConfidentialClientApplication

        said = self._settings
        credential = _credential(said)
        with _signing_in():
            return ConfidentialClientApplication(
                said.client_id,
                client_credential=credential,
                authority=f"{said.authority}/{said.tenant}",
                instance_discovery=False,
                http_client=_ForMsal(self._client),
            )


class _ForMsal:
    """An httpx client in the shape in which MSAL asks for one ("http_client" of its ClientApplication)."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, url: str, **asked: Any) -> httpx.Response:
        return self._client.get(url, params=asked.get("params"), headers=asked.get("headers"))

    def post(self, url: str, **asked: Any) -> httpx.Response:
        # MSAL has its assertions as bytes, which httpx would write into a form as Python shows them.
        form = {name: value.decode() if isinstance(value, bytes) else value for name, value in asked["data"].items()}
        return self._client.post(url, params=asked.get("params"), data=form, headers=asked.get("headers"))

    def close(self) -> None:
        """The client is not MSAL's to close."""


@contextmanager
def _reaching() -> Iterator[None]:
    """What can happen on the way to Microsoft, as our own error. Its cause is cut off: some quote what was sent."""
    import httpx

    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        http.count_silence(error)
        msg = f"Microsoft 365 could not be reached ({type(error).__name__})."
        raise Unavailable(msg) from None


@contextmanager
def _signing_in() -> Iterator[None]:
    """How MSAL shows an authority's answer that is torn or foreign (a proxy's page), or a tenant that is none."""
    from msal.exceptions import MsalError

    try:
        yield
    except (MsalError, ValueError, LookupError, TypeError, AttributeError, RuntimeError) as error:
        msg = f"Microsoft's answer to the sign-in cannot be used ({type(error).__name__}); check authority and tenant."
        raise Unavailable(msg) from None


def _credential(settings: Settings) -> str | dict[str, str]:
    """MSAL's form of a secret or of a certificate, whose thumbprint it takes itself. Raises NotAuthorised."""
    if settings.client_secret is not None:
        return settings.client_secret.get_secret_value()
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from cryptography.x509 import load_pem_x509_certificate

    pem = settings.certificate.get_secret_value() if settings.certificate else ""
    before, begin, rest = pem.partition("-----BEGIN CERTIFICATE-----")
    inside, end, after = rest.partition("-----END CERTIFICATE-----")
    key, certificate = before + after, begin + inside + end
    try:
        is_usable = isinstance(load_pem_private_key(key.encode(), None), RSAPrivateKey)
        load_pem_x509_certificate(certificate.encode())
    except (ValueError, TypeError):
        is_usable = False
    if not is_usable:
        msg = "The certificate cannot be read; put its PEM text and that of its RSA private key into `certificate`."
        raise NotAuthorised(msg)
    return {"private_key": key, "public_certificate": certificate}


def _part(number: int, request: Request) -> dict[str, Any]:
    """A call as a batch carries it. Its headers are its own: those of the batch do not reach it."""
    part = {"id": str(number), "method": request.method, "url": f"/{request.address}", "headers": request.headers}
    return part | ({"body": json.loads(request.body)} if request.body is not None else {})


def _is_answer(part: Mapping[str, Any]) -> bool:
    return "id" in part and type(part.get("status")) is int
