"""HTTP for adapters: what leaves it is JSON or a CalferryError, over real connections."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

import calferry
from calferry import http
from calferry.errors import (
    CalferryError,
    ConfigError,
    Conflict,
    CursorExpired,
    NotAuthorised,
    Refused,
    Unavailable,
)

JSON = {"Content-Type": "application/json"}


@dataclass
class Answer:
    status: int = 200
    body: bytes = b'{"fine": true}'
    headers: dict[str, str] = field(default_factory=lambda: dict(JSON))
    length: int | None = None


@dataclass
class Service:
    """A server on loopback that gives its answers in order, the last one for ever."""

    url: str = ""
    answers: list[Answer] = field(default_factory=lambda: [Answer()])
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    posted: list[bytes] = field(default_factory=list)

    def next(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def service() -> Iterator[Service]:
    told = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append((self.path, dict(self.headers.items())))
            answer = told.next()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body) if answer.length is None else answer.length))
            self.end_headers()
            self.wfile.write(answer.body)

        def do_POST(self) -> None:
            told.posted.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.do_GET()

        def log_message(self, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}"
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client(service: Service) -> Iterator[httpx.Client]:
    with http.client(service.url, {"apiKey": "hush"}) as client:
        yield client


@pytest.fixture(autouse=True)
def all_attempts() -> Iterator[None]:
    with stamina.set_testing(True, attempts=10, cap=True):
        yield


@pytest.fixture
def waits() -> Iterator[list[BaseException]]:
    """What was tried again."""
    causes: list[BaseException] = []

    def note(details: RetryDetails) -> None:
        causes.append(details.caused_by)

    set_on_retry_hooks([note])
    yield causes
    set_on_retry_hooks(None)


# ── one table ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", range(400, 600))
def test_every_status_has_a_class_that_says_what_happens_next(status: int) -> None:
    error = http.error_for(status, "GET service.example/x")
    assert isinstance(error, NotAuthorised | Unavailable | Refused | Conflict)
    assert str(status) in str(error)


@pytest.mark.parametrize(
    ("statuses", "kind"),
    [
        ((401, 402, 403, 407), NotAuthorised),
        ((400, 413, 422), Refused),
        ((409, 412), Conflict),
        ((404, 410), http.Missing),
        ((429, 502, 503, 504), http.Passing),
        ((405, 406, 408, 418, 425, 451, 500, 501, 505, 511, 599), Unavailable),
    ],
)
def test_the_table_of_statuses(statuses: tuple[int, ...], kind: type[CalferryError]) -> None:
    assert [type(http.error_for(status, "GET x")) for status in statuses] == [kind] * len(statuses)


def test_410_forgets_a_cursor_only_where_one_was_sent() -> None:
    assert type(http.error_for(410, "GET x", token_sent=True)) is CursorExpired
    assert type(http.error_for(404, "GET x", token_sent=True)) is http.Missing


def test_a_missing_thing_is_unusable_for_whoever_does_not_ask_for_it(service: Service, client: httpx.Client) -> None:
    service.answers = [Answer(404)]
    with pytest.raises(Unavailable) as missing:
        http.get_json(client, "/x")
    assert isinstance(missing.value, http.Missing)


def kin(error: type[BaseException]) -> Iterator[type[Any]]:
    yield error
    for child in error.__subclasses__():
        yield from kin(child)


HTTPX = sorted(
    {
        error
        for named in vars(httpx).values()
        if isinstance(named, type) and issubclass(named, Exception)
        for error in kin(named)
        if error.__module__.startswith("httpx")
    },
    key=lambda error: error.__name__,
)


def test_the_tree_of_httpx_is_seen_whole() -> None:
    assert {"ConnectTimeout", "RemoteProtocolError", "InvalidURL", "StreamClosed"} <= {one.__name__ for one in HTTPX}


@pytest.mark.parametrize("error", HTTPX)
def test_no_httpx_exception_escapes(error: type[Exception]) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error.__new__(error, "hush")

    with (
        httpx.Client(base_url="http://service.example", transport=httpx.MockTransport(fail)) as client,
        pytest.raises(Unavailable) as outcome,
    ):
        http.get_json(client, "/x")
    assert outcome.value.__suppress_context__  # a traceback would quote it


# ── answers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_json_object_arrives(service: Service, client: httpx.Client) -> None:
    assert http.get_json(client, "/x", {"a": "ä b"}) == {"fine": True}
    path, headers = service.asked[0]
    assert path in {"/x?a=%C3%A4+b", "/x?a=%C3%A4%20b"}
    assert headers["User-Agent"] == f"calferry/{calferry.__version__}"
    assert headers["apiKey"] == "hush"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body=b""),
        Answer(body=b"[]"),
        Answer(body=b"null"),
        Answer(body=b'{"torn": '),
        Answer(body=b"[" * 200_000),
        Answer(body=b'{"n": ' + b"9" * 5_000 + b"}"),
        Answer(body=b'{"name": "P\xe9rez"}'),
        Answer(body=b'{"name": "P\xe9rez"}', headers={"Content-Type": "application/json; charset=utf-8"}),
        Answer(body=b"{}", headers={"Content-Type": "application/json; charset=klingon"}),
        Answer(body=b"<html>Sign in</html>", headers={"Content-Type": "text/html"}),
        Answer(body=b"{}", headers={"Content-Type": "text/html"}),
        Answer(body=b"no gzip", headers=JSON | {"Content-Encoding": "gzip"}),
        Answer(body=b'{"cut": true}', length=500),
        Answer(status=204, body=b""),
        Answer(status=206, body=b"{}"),
    ],
)
def test_what_is_no_whole_json_object_is_no_answer(service: Service, client: httpx.Client, answer: Answer) -> None:
    service.answers = [answer]
    with pytest.raises(Unavailable) as outcome:
        http.get_json(client, "/x")
    assert "rez" not in str(outcome.value)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("é".encode(), "application/json"),
        ("é".encode(), "application/json; charset=UTF-8"),
        ("é".encode("latin-1"), "application/json"),
        ("é".encode("latin-1"), "application/json; charset=ISO-8859-1"),
        ("é".encode(), "application/hal+json"),
    ],
)
def test_the_declared_charset_holds_then_utf_8_then_the_callers(
    service: Service, client: httpx.Client, body: bytes, kind: str
) -> None:
    service.answers = [Answer(body=b'{"letter": "' + body + b'"}', headers={"Content-Type": kind})]
    assert http.get_json(client, "/x", charset="latin-1") == {"letter": "é"}


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(service: Service, client: httpx.Client, status: int) -> None:
    service.answers = [Answer(status, headers={"Location": f"{service.url}/elsewhere"}), Answer()]
    with pytest.raises(Unavailable, match="follows no redirect"):
        http.get_json(client, "/x")
    assert len(service.asked) == 1


# ── attempts ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_passing_trouble_is_tried_again(service: Service, client: httpx.Client, status: int) -> None:
    service.answers = [Answer(status), Answer(status), Answer()]
    assert http.get_json(client, "/x") == {"fine": True}
    assert len(service.asked) == 3


def test_a_torn_transfer_is_tried_again(service: Service, client: httpx.Client) -> None:
    service.answers = [Answer(length=500), Answer()]
    assert http.get_json(client, "/x") == {"fine": True}


def test_attempts_come_to_an_end(service: Service, client: httpx.Client) -> None:
    service.answers = [Answer(503)]
    with pytest.raises(Unavailable):
        http.get_json(client, "/x")
    assert len(service.asked) == http.ATTEMPTS


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422, 500])
def test_a_definite_answer_is_not_asked_for_twice(service: Service, client: httpx.Client, status: int) -> None:
    service.answers = [Answer(status)]
    with pytest.raises(CalferryError):
        http.get_json(client, "/x")
    assert len(service.asked) == 1


def test_a_connection_that_is_refused_is_no_answer(unused_port: int) -> None:
    with (
        http.client(f"http://127.0.0.1:{unused_port}", {}) as client,
        pytest.raises(Unavailable, match="no connection"),
    ):
        http.get_json(client, "/x")


@pytest.fixture
def unused_port() -> int:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        return server.server_port


def test_a_wait_of_up_to_a_minute_is_waited_for(
    service: Service, client: httpx.Client, waits: list[BaseException]
) -> None:
    service.answers = [Answer(429, headers={"Retry-After": "60"}), Answer()]
    assert http.get_json(client, "/x") == {"fine": True}
    assert [getattr(cause, "retry_after", None) for cause in waits] == [60.0]
    assert [http._pause(cause) for cause in waits if isinstance(cause, Exception)] == [60.0]


def test_a_longer_wait_is_left_to_the_schedule(service: Service, client: httpx.Client) -> None:
    service.answers = [Answer(503, headers={"Retry-After": "61"})]
    with pytest.raises(Unavailable) as outage:
        http.get_json(client, "/x")
    assert outage.value.retry_after == 61.0
    assert len(service.asked) == 1


NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        ("Wed, 25 Nov 2026 11:00:00 GMT", 7_200),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Wed, 21 Oct 2015 07:28:00 -0000", 0),
        ("9" * 400, 86_400),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_never_absurd(header: str, seconds: float) -> None:
    assert http.retry_after(header, NOW) == seconds


@pytest.mark.parametrize("header", ["", "soon", "-5", "1.5", "Wed, 21 Oct 99999999999 07:28:00 GMT"])
def test_a_retry_after_that_says_nothing_is_none(header: str) -> None:
    assert http.retry_after(header, NOW) is None


def test_a_trickle_keeps_no_step_alive_for_ever(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LONGEST_ANSWER", -1.0)
    with pytest.raises(Unavailable, match="still answering"):
        http.get_json(client, "/x")


# ── secrets and addresses ─────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_that_is_logged_or_raised_holds_a_secret_or_a_body(
    service: Service, client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    cookie = JSON | {"Set-Cookie": "session=hush"}
    service.answers = [Answer(503, headers=cookie), Answer(200, b'"private words"', headers=cookie)]
    with pytest.raises(Unavailable) as outcome:
        http.get_json(client, "/x", {"apikey": "hush-hush"})
    said = f"{caplog.text} {list(map(vars, caplog.records))} {outcome.value}"
    assert "HTTP Request: GET http://127.0.0.1" in said
    assert "hush" not in said
    assert "private words" not in said


@pytest.mark.parametrize("secret", ["two\nlines", "h7Xq\n", " h7Xq", "clé7"])
def test_a_secret_that_no_header_carries_is_refused_without_quoting_it(secret: str) -> None:
    with pytest.raises(ValueError, match="header") as refusal:
        http.header_value(secret)
    assert secret.strip() not in str(refusal.value)
    assert http.header_value("k3y-_=") == "k3y-_="


@pytest.mark.parametrize(
    "url",
    [
        "http://api.service.example",
        "ftp://api.service.example",
        "api.service.example",
        "https://",
        "https://api.service.example:port",
        "https://api.service.example:0",
        "https://user:word@api.service.example",
        "https://api.service.example/?a=1",
        "https://api.service.example/#x",
    ],
)
def test_an_address_that_would_betray_secrets_or_go_nowhere_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"must|[Pp]ort"):
        http.service_root(url)


def test_an_address_may_have_a_path_and_this_machine_may_be_asked_in_the_clear() -> None:
    assert http.service_root("https://proxy.example/agendize/") == "https://proxy.example/agendize"
    assert http.service_root("http://127.0.0.1:8080") == "http://127.0.0.1:8080"


def test_an_unusable_file_of_authorities_is_a_mistake_in_the_configuration(tmp_path: Path) -> None:
    pem = tmp_path / "ca.pem"
    attempts: list[Callable[[], object]] = [
        lambda: http.client("https://x.example", {}, ca_file=tmp_path / "none.pem"),
        lambda: http.client("https://x.example", {}, ca_file=pem),
    ]
    pem.write_text("no certificate")
    for attempt in attempts:
        with pytest.raises(ConfigError, match="ca_file"):
            attempt()


# ── forms and XML ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_form_is_posted_once_and_its_cookie_stays(service: Service, client: httpx.Client) -> None:
    service.answers = [Answer(headers=JSON | {"Set-Cookie": "session=one; path=/"})]
    assert http.post_form(client, "/login", {"name": "Jo & Co"}, {"key": "hush"}) == {"fine": True}
    http.get_json(client, "/next")
    assert service.posted == [b"name=Jo+%26+Co"]
    assert service.asked[1][1]["Cookie"] == "session=one"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((400, NotAuthorised), (401, NotAuthorised), (409, NotAuthorised), (422, NotAuthorised)),
        *((404, Unavailable), (410, Unavailable), (500, Unavailable), (503, http.Passing)),
    ],
)
def test_a_form_that_is_refused_is_not_posted_again(
    service: Service, client: httpx.Client, status: int, kind: type[CalferryError]
) -> None:
    service.answers = [Answer(status)]
    with pytest.raises(kind) as refusal:
        http.post_form(client, "/login", {"password": "hush"}, {"key": "hush"})
    assert len(service.posted) == 1
    assert "hush" not in str(refusal.value)
    assert not isinstance(refusal.value, http.Missing)


def test_xml_comes_as_it_is_and_is_asked_for_as_such(service: Service, client: httpx.Client) -> None:
    service.answers = [Answer(503), Answer(200, b"<hash/>", {"Content-Type": "application/xml; charset=utf-8"})]
    assert http.get_xml(client, "/1.xml", {"key": "hush"}) == b"<hash/>"
    assert [headers["Accept"] for _, headers in service.asked] == ["application/xml"] * 2


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(200, b"{}"), Unavailable),
        (Answer(405), Refused),
        (Answer(406), Refused),
        (Answer(404), http.Missing),
        (Answer(403), NotAuthorised),
        (Answer(200, b"<hash/>", {"Content-Type": "text/html"}), Unavailable),
        (Answer(302, b"", {"Location": "/"}), Unavailable),
    ],
    ids=lambda one: f"{one.status} {one.headers['Content-Type']}" if isinstance(one, Answer) and one.body else None,
)
def test_what_is_no_xml_is_an_error(
    service: Service, client: httpx.Client, answer: Answer, kind: type[CalferryError]
) -> None:
    service.answers = [answer]
    with pytest.raises(kind):
        http.get_xml(client, "/1.xml")


@pytest.mark.parametrize("status", [400, 404, 500])
def test_a_refusal_is_an_answer_where_its_reader_says_so(service: Service, client: httpx.Client, status: int) -> None:
    service.answers = [Answer(status, b'{"code": 3}')]
    assert http.get_json(client, "/", excuse=lambda said: said.get("code") == 3) == {"code": 3}


@pytest.mark.parametrize("body", [b'{"code": 4}', b"[3]", b"<html>", b'{"code":', b"\xff"])
def test_any_other_refusal_stays_one(service: Service, client: httpx.Client, body: bytes) -> None:
    service.answers = [Answer(400, body)]
    with pytest.raises(Refused):
        http.get_json(client, "/", excuse=lambda said: said.get("code") == 3)
