"""HTTP for the adapters that speak it through httpx: one client factory, one way to ask, one table of statuses.

What leaves this module is JSON, or a CalferryError; no httpx exception, no redirect, and no secret. Only reading is
retried here, around one request; the schedule retries the step.
"""

from __future__ import annotations

import json
import logging
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from calferry import __version__, meters
from calferry.errors import (
    CalferryError,
    ConfigError,
    Conflict,
    CursorExpired,
    NotAuthorised,
    Refused,
    Unavailable,
)

if TYPE_CHECKING:
    import httpx
    import stamina

JsonObject = dict[str, Any]

_Content = TypeVar("_Content", JsonObject, bytes)

ATTEMPTS = 4
"""How often one request is tried before the step gives up."""

PATIENCE = 120.0
"""Seconds after which no further attempt begins."""

LONGEST_WAIT = 60.0
"""Seconds of `Retry-After` that are waited for; a longer wait is left to the schedule."""

LONGEST_ANSWER = 300.0
"""Seconds until the last byte of an answer must be here: a trickle keeps no step alive for ever."""

_DAY = 86_400.0
_OK = 200
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Sent(NamedTuple):
    """A request that is neither a GET nor a form: its method, and JSON or nothing."""

    method: str
    content: bytes


class Missing(Unavailable):
    """The remote service answers that it has nothing there (404, 410).

    For whoever asked for one thing by its id this is a definite answer, and is caught; for anybody else it is none.
    """


class Passing(Unavailable):
    """The remote service gave no usable answer, but may give one at once: the request is worth another attempt."""


ERRORS: Mapping[int, type[CalferryError]] = {
    400: Refused,
    401: NotAuthorised,
    402: NotAuthorised,
    403: NotAuthorised,
    404: Missing,
    407: NotAuthorised,
    409: Conflict,
    410: Missing,
    412: Conflict,
    413: Refused,
    422: Refused,
    429: Passing,
    502: Passing,
    503: Passing,
    504: Passing,
}
"""Status → error class (RFC 9110, section 15; RFC 6585). Whatever is not named here is Unavailable."""


def error_for(
    status: int, request: str, *, retry_after: float | None = None, token_sent: bool = False
) -> CalferryError:
    """The error an HTTP status amounts to.

    `request` names the request in the message. `token_sent` says that the request carried a cursor, which makes a 410
    mean that the cursor is no longer known.
    """
    if status == 410 and token_sent:  # noqa: PLR2004 (RFC 9110, section 15.5.11: Gone)
        return CursorExpired(f"{request} answered 410: the cursor is no longer known there")
    kind = ERRORS.get(status, Unavailable)
    message = f"{request} answered {status}"
    if issubclass(kind, Unavailable):
        return kind(message, retry_after=retry_after)
    return kind(message)


def service_root(url: str) -> str:
    """The address of a service as adapters join paths to it: without a slash at the end.

    Raises ValueError unless it is https (http only to this machine itself, since secrets travel along) and names a
    host and neither user, query nor fragment.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        msg = "must begin with https:// (http:// only for this machine itself)"
        raise ValueError(msg)
    if not parts.hostname or parts.port == 0 or "@" in parts.netloc or parts.query or parts.fragment:
        msg = "must name a host, and neither a user, a query nor a fragment"
        raise ValueError(msg)
    return url.rstrip("/")


def header_value(text: str) -> str:
    """A secret as it can travel in a header. Raises ValueError, quoting nothing, when it cannot."""
    if not (text.isascii() and text.isprintable() and text.strip() == text):
        msg = "holds characters that a header cannot carry (a line break, a blank at an end, a letter with an accent)"
        raise ValueError(msg)
    return text


def client(base_url: str, headers: Mapping[str, str], *, ca_file: Path | None = None) -> httpx.Client:
    """A client for one service. `headers` may hold secrets: they are sent, and never logged.

    It follows no redirect, so it talks to no host but that of `base_url`. `ca_file` is a PEM file of the only
    authorities to trust. Raises ConfigError when that file cannot be used.
    """
    import httpx

    logging.getLogger("httpx").addFilter(_without_query)
    logging.getLogger("httpcore").setLevel(logging.INFO)  # below that it logs cookies
    return httpx.Client(
        base_url=base_url,
        headers={"Accept": "application/json"} | dict(headers) | {"User-Agent": f"calferry/{__version__}"},
        timeout=httpx.Timeout(60.0, connect=10.0),
        follow_redirects=False,
        verify=_authorities(ca_file),
        event_hooks={"response": [_count]},
    )


def _count(response: httpx.Response) -> None:
    meters.answered(response.request.url.host, response.status_code)


def count_silence(problem: Exception) -> None:
    """Count the request that met this problem of httpx as one without an answer, if it is one."""
    import httpx

    if isinstance(problem, httpx.TransportError):
        meters.answered(problem.request.url.host, meters.NO_ANSWER)


def get_json(
    client: httpx.Client,
    path: str,
    params: Mapping[str, str] | None = None,
    *,
    token_sent: bool = False,
    charset: str | None = None,
    excuse: Callable[[JsonObject], bool] | None = None,
) -> JsonObject:
    """GET a JSON object.

    Tried again after time-outs, broken connections, 429, 502, 503 and 504, with jitter or as `Retry-After` says.
    `charset` is what a body that declares none and is no UTF-8 is read as. `excuse` says of the JSON object in a
    refusal that it is an answer all the same. Raises what `error_for` says, and Unavailable for anything that is not
    one whole JSON object.
    """
    request = f"GET {client.base_url.host}{path}"  # no query: it may hold secrets

    def read(response: httpx.Response, body: bytes) -> JsonObject | None:
        if response.status_code < 400:  # noqa: PLR2004 (RFC 9110, section 15.5)
            return _json_object(response, body, request, charset)
        return _excused(response, body, excuse) if excuse else None

    return _got(client, path, params, read, token_sent=token_sent)


def get_xml(client: httpx.Client, path: str, params: Mapping[str, str] | None = None) -> bytes:
    """GET an XML document, unparsed: tried again like `get_json`, and raising what that raises.

    Refused where there is no such form, or nothing is to be read there (406 and 405: RFC 9110, sections 15.5.7 and
    15.5.6).
    """
    request = f"GET {client.base_url.host}{path}"

    def read(response: httpx.Response, body: bytes) -> bytes | None:
        if response.status_code in (405, 406):
            msg = f"{request} answered {response.status_code}: not in XML"
            raise Refused(msg)
        return _xml(response, body, request) if response.status_code < 400 else None  # noqa: PLR2004 (section 15.5)

    return _got(client, path, params, read, accept="application/xml")


def post_form(client: httpx.Client, path: str, form: Mapping[str, str], params: Mapping[str, str]) -> JsonObject:
    """POST a form, once, for a JSON object: signing in. Cookies stay with the client.

    Raises NotAuthorised where the form is refused, whatever status says so, and Unavailable for all else: never
    Missing, which would be an answer to whoever asks for one thing and has to sign in first.
    """
    request = f"POST {client.base_url.host}{path}"
    response, body = answer(client, path, params, request, form=form)
    if response.status_code < 400:  # noqa: PLR2004 (RFC 9110, section 15.5)
        return _json_object(response, body, request, None)
    match _error_of(response, request):
        case Refused() | Conflict() as refusal:
            raise NotAuthorised(str(refusal))
        case Missing() as missing:
            raise Unavailable(str(missing), retry_after=missing.retry_after)
        case problem:
            raise problem


def send_json(client: httpx.Client, method: str, path: str, content: JsonObject | None = None) -> JsonObject:
    """POST a JSON object, or DELETE: once, for a JSON object or an empty answer ({}).

    Raises what `error_for` says, and Unavailable where there is no answer or another one: it may have been done.
    """
    request = f"{method} {client.base_url.host}{path}"
    sent = Sent(method, b"" if content is None else json.dumps(content).encode())
    response, body = answer(client, path, None, request, form=sent)
    if not response.is_success:
        raise _error_of(response, request)
    try:
        content = json.loads(_decoded(body, response.charset_encoding, "latin-1")) if body.strip() else {}
    except (ValueError, LookupError, RecursionError):
        content = None
    if not isinstance(content, dict):
        msg = f"{request} answered with something that is no JSON object"
        raise Unavailable(msg)
    return content


def _got(
    client: httpx.Client,
    path: str,
    params: Mapping[str, str] | None,
    read: Callable[[httpx.Response, bytes], _Content | None],
    *,
    token_sent: bool = False,
    accept: str = "application/json",
) -> _Content:
    """GET, and what `read` makes of the answer; where that is None, the error its status amounts to is raised."""
    request = f"GET {client.base_url.host}{path}"
    for attempt in tries():
        with attempt:
            response, body = answer(client, path, params, request, accept=accept)
            if (content := read(response, body)) is None:
                raise _error_of(response, request, token_sent=token_sent)
            return content
    raise AssertionError  # stamina lets the last attempt's error through


def _error_of(response: httpx.Response, request: str, *, token_sent: bool = False) -> CalferryError:
    wait = retry_after(response.headers.get("Retry-After", ""), datetime.now(UTC))
    return error_for(response.status_code, request, retry_after=wait, token_sent=token_sent)


def tries() -> Iterable[stamina.Attempt]:
    """One context for each try of a request. A Passing error within it is waited out while tries are left."""
    import stamina

    return stamina.retry_context(on=_pause, attempts=ATTEMPTS, timeout=PATIENCE)


def _pause(error: Exception) -> bool | float:
    """What stamina asks after a failure: whether to try again, and after how many seconds if the service said so."""
    if not isinstance(error, Passing):
        return False
    if error.retry_after is None:
        return True
    return error.retry_after if error.retry_after <= LONGEST_WAIT else False


def answer(
    client: httpx.Client,
    path: str,
    params: Mapping[str, str] | None,
    request: str,
    *,
    form: Mapping[str, str] | Sent | None = None,
    accept: str = "application/json",
) -> tuple[httpx.Response, bytes]:
    """What one GET is answered, or one POST of a form, or what is sent otherwise: of any status, with its whole body.

    `request` names it in errors. Raises Passing where there was no answer, Unavailable where there was no usable one.
    """
    import httpx

    # Causes are cut off: some quote the request's headers or the answer's body.
    try:
        method, headers = "GET" if form is None else "POST", {"Accept": accept}
        body: dict[str, Any] = {"data": form}
        if isinstance(form, Sent):
            method, body = form.method, {"content": form.content}
            headers |= {"Content-Type": "application/json"} if form.content else {}
        with client.stream(method, path, params=params, headers=headers, **body) as response:
            return response, _whole(response, request)
    except httpx.ConnectError as problem:
        count_silence(problem)
        msg = f"{request}: no connection ({problem})"
        raise Passing(msg) from None
    except httpx.TransportError as problem:
        count_silence(problem)
        msg = f"{request} got no answer ({type(problem).__name__})"
        raise Passing(msg) from None
    except (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict, httpx.StreamError) as problem:
        msg = f"{request} got no usable answer ({type(problem).__name__})"
        raise Unavailable(msg) from None


def _whole(response: httpx.Response, request: str) -> bytes:
    deadline = time.monotonic() + LONGEST_ANSWER
    body = bytearray()
    for part in response.iter_bytes():
        body += part
        if time.monotonic() > deadline:
            msg = f"{request} was still answering after {LONGEST_ANSWER:.0f} s"
            raise Unavailable(msg)
    return bytes(body)


def _json_object(response: httpx.Response, body: bytes, request: str, charset: str | None) -> JsonObject:
    kind = _content_type(response, request)
    if kind and not (kind in {"application/json", "text/json"} or kind.endswith("+json")):
        msg = f"{request} answered with another type of content than JSON; a proxy or a sign-in page may be in between"
        raise Unavailable(msg)
    try:
        content = json.loads(_decoded(body, response.charset_encoding, charset))
    except (ValueError, LookupError, RecursionError) as problem:
        msg = f"{request} answered with something that cannot be read as JSON ({type(problem).__name__})"
        raise Unavailable(msg) from None
    if not isinstance(content, dict):
        msg = f"{request} answered with JSON that is no object"
        raise Unavailable(msg)
    return content


def _excused(response: httpx.Response, body: bytes, excuse: Callable[[JsonObject], bool]) -> JsonObject | None:
    try:
        content = json.loads(_decoded(body, response.charset_encoding, None))
    except (ValueError, LookupError, RecursionError):
        return None
    return content if isinstance(content, dict) and excuse(content) else None


def _xml(response: httpx.Response, body: bytes, request: str) -> bytes:
    kind = _content_type(response, request)
    if kind in {"application/xml", "text/xml"} or kind.endswith("+xml"):
        return body
    msg = f"{request} answered with another type of content than XML"
    raise Unavailable(msg)


def _content_type(response: httpx.Response, request: str) -> str:
    """The media type of a whole answer, in lower case."""
    if response.status_code != _OK:
        msg = f"{request} answered {response.status_code}, which is no whole answer; calferry follows no redirect"
        raise Unavailable(msg)
    content_type: str = response.headers.get("Content-Type", "")
    return content_type.partition(";")[0].strip().lower()


def _decoded(body: bytes, declared: str | None, otherwise: str | None) -> str:
    if declared:
        return body.decode(declared)
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        if otherwise is None:
            raise
        return body.decode(otherwise)


def retry_after(text: str, now: datetime) -> float | None:
    """Seconds to wait, at most a day, by `Retry-After` (RFC 9110, section 10.2.3: seconds or a date).

    None where the text says nothing. `now` is aware.
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), _DAY)
    try:
        then = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return min(max((then - now).total_seconds(), 0.0), _DAY)


def _authorities(ca_file: Path | None) -> ssl.SSLContext | bool:
    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as problem:  # ssl.SSLError is one
        msg = f"ca_file {ca_file}: not a readable PEM file of certificates"
        raise ConfigError([msg]) from problem


def _without_query(record: logging.LogRecord) -> bool:
    """Take queries out of the line httpx logs for each request: some services want their keys there."""
    import httpx

    if isinstance(record.args, tuple):
        record.args = tuple(arg.copy_with(query=None) if isinstance(arg, httpx.URL) else arg for arg in record.args)
    return True
