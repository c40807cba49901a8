"""What a subscriber is answered, header by header; and what everybody else is."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest

from calferry.config.tables import LONGEST_URL
from calferry.web import addresses
from calferry.web.server import AT_ONCE
from tests.crossing import COMPANY, Salon
from tests.web.served import LATER, TARGET, Served, ferry_to_feeds, modified, served, shown, standing

HEADERS = {
    "cache-control": "private, max-age=300",
    "content-disposition": 'inline; filename="calendar.ics"',
    "content-type": "text/calendar; charset=utf-8",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
}
OVERLAP = timedelta(days=14)


def is_refused(answer: bytes, web: Served) -> bool:
    """An answer of 4xx that tells nothing, from a server that lives on."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 4"), answer
    assert len(body) < 80
    assert web.token().encode() not in answer
    assert web.get().status_code == 200
    return True


# ── headers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_feed_comes_with_all_the_headers_that_subscribers_need_and_no_others(still: Served) -> None:
    answer = still.get()
    told = dict(answer.headers)
    assert answer.status_code == 200
    assert answer.content.startswith(b"BEGIN:VCALENDAR\r\n")
    assert answer.content.endswith(b"END:VEVENT\r\nEND:VCALENDAR\r\n")
    assert told.pop("etag").strip('"').isalnum()
    assert told.pop("content-length") == str(len(answer.content))
    assert parsedate_to_datetime(told.pop("last-modified")) <= still.shop.clock.time
    assert parsedate_to_datetime(told.pop("date")).tzinfo
    assert told == HEADERS


def test_head_tells_what_get_tells_without_the_body(still: Served) -> None:
    answers = [
        still.raw(f"{way} {still.path()} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        for way in ("GET", "HEAD")
    ]
    (got, content), (head, nothing) = (answer.split(b"\r\n\r\n", 1) for answer in answers)
    lines = [[line for line in part.split(b"\r\n") if not line.lower().startswith(b"date:")] for part in (got, head)]
    assert lines[0] == lines[1]
    assert f"content-length: {len(content)}".encode() in got.lower()
    assert nothing == b""


def test_head_of_what_is_not_there_has_no_body_either(still: Served) -> None:
    answer = still.raw(b"HEAD /feeds/nobody.ics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept-Encoding": "gzip, deflate, br, zstd"},
        {"Accept-Encoding": "identity;q=0, gzip"},
        {"Accept": "text/html"},
        {"Accept": "application/json;q=1, text/calendar;q=0"},
        {"Accept": ""},
        {"Accept": "garbage"},
        {"Accept-Charset": "iso-8859-1", "Accept-Language": "fr"},
        {"Range": "bytes=0-9"},
        {"Authorization": "Basic garbage", "Cookie": "session=1"},
        {"User-Agent": "Google-Calendar-Importer"},
        {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "elsewhere.example"},
        {"Upgrade": "websocket", "Connection": "upgrade"},
    ],
    ids=str,
)
def test_whatever_a_subscriber_asks_for_it_gets_the_plain_feed(still: Served, headers: dict[str, str]) -> None:
    usual, answer = still.get(), still.get(headers=headers)
    assert (answer.status_code, answer.content) == (200, usual.content)
    assert not answer.headers.keys() & {"content-encoding", "set-cookie", "location", "www-authenticate", "vary"}
    assert answer.headers["etag"] == usual.headers["etag"]


def test_a_subscriber_without_an_accept_header_is_welcome(still: Served) -> None:
    answer = still.raw(f"GET {still.path()} HTTP/1.0\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"END:VCALENDAR\r\n")


def test_a_query_behind_the_address_changes_nothing(still: Served) -> None:
    assert still.get(f"{still.path()}?refresh=1").content == still.get().content


# ── Last-Modified ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_last_modified_moves_on_with_every_change_and_is_never_in_the_future(web: Served) -> None:
    """Removals and the feed's title are changes too: whoever asks by the date alone must hear of them."""
    shop = web.shop
    world = shop.sandbox.agendize.world
    (first,) = world.appointments
    dates, tags = [modified(web.get())], [web.get().headers["etag"]]
    changes = (
        lambda: shop.book(4),
        lambda: world.move(first, shop.wall(5, 16)),
        lambda: world.edit_notes(first, "Quiet room"),
        lambda: world.cancel(first),
        lambda: world.restore(first),
        lambda: world.delete(first),
    )
    for change in changes:
        change()
        web.cross()
        answer = web.get()
        dates.append(modified(answer))
        tags.append(answer.headers["etag"])
        assert dates[-1] <= shop.clock.time
    world.rename_staff(shop.staff[0], "Anna", "Pérez")
    web.cross(timedelta(hours=25))
    assert "Salon: Anna Pérez".encode() in web.get().content
    shop.clock.pass_by(LATER)
    dates.append(modified(web.get()))
    tags.append(web.get().headers["etag"])
    assert dates == sorted(set(dates))
    assert len(set(tags)) == len(tags) == len(changes) + 2


def test_what_drops_out_at_midnight_moves_it_on_too(web: Served) -> None:
    (first,) = web.shop.sandbox.agendize.world.appointments
    web.shop.book(20)
    web.shop.sandbox.agendize.world.cancel(first)
    web.cross()
    before = web.get()
    web.shop.clock.pass_by(timedelta(days=8))
    after = web.get(headers={"If-Modified-Since": before.headers["Last-Modified"]})
    assert (len(shown(before.content)), standing(before.content)) == (2, 1)
    assert (after.status_code, len(shown(after.content))) == (200, 1)
    assert modified(before) < modified(after) <= web.shop.clock.time


def test_a_date_that_is_not_a_second_old_is_not_told_for_another_change_might_share_it(web: Served) -> None:
    web.shop.book(5)
    web.shop.cross()
    at_once = web.get()
    web.shop.clock.pass_by(timedelta(seconds=3))
    assert "Last-Modified" not in at_once.headers
    assert modified(web.get()) <= web.shop.clock.time
    assert web.get().content == at_once.content


def test_many_changes_within_one_second_all_move_it_on(web: Served) -> None:
    dates = [modified(web.get())]
    for day in range(5, 9):
        web.shop.book(day)
        web.shop.cross(timedelta(0))
        answer = web.get()
        assert "Last-Modified" not in answer.headers or modified(answer) <= web.shop.clock.time
        edition = web.feeds.edition(web.token())
        dates.append(edition.modified_at)
    assert dates == sorted(set(dates))


# ── addresses ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_unknown_address_is_not_found(still: Served) -> None:
    answer = still.get(f"/feeds/{'a' * 32}.ics")
    assert (answer.status_code, answer.text) == (404, "There is no such calendar.\n")
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"


def test_after_a_rotation_both_addresses_work_until_the_overlap_is_over(web: Served) -> None:
    old, new = web.path(), web.path(rotation=1)
    assert web.get(new).status_code == 404
    addresses.rotate(web.installation.shelf, web.feed(), OVERLAP, web.shop.clock.now())
    assert [web.get(path).status_code for path in (old, new)] == [200, 200]
    web.shop.clock.pass_by(OVERLAP - LATER)
    assert [web.get(path).status_code for path in (old, new)] == [200, 200]
    web.shop.clock.pass_by(LATER)
    assert [web.get(path).status_code for path in (old, new)] == [410, 200]


def test_a_revoked_address_is_gone_at_once_and_the_others_stay(web: Served) -> None:
    ana, ben = web.path(), web.path(web.shop.staff[1])
    assert [web.get(path).status_code for path in (ana, ben)] == [200, 200]
    addresses.revoke(web.installation.shelf, web.feed(), web.shop.clock.now())
    answer = web.get(ana)
    assert (answer.status_code, answer.text) == (410, "This address has ended. Ask for the new one.\n")
    assert web.get(ben).status_code == 200
    web.shop.clock.pass_by(timedelta(days=1))
    assert web.get(ana, headers={"If-None-Match": "*"}).status_code == 410


def test_an_address_that_another_process_has_just_given_out_works_at_once(web: Served) -> None:
    eve = web.shop.sandbox.agendize.world.add_staff(COMPANY, "Eve", "New", "eve@salon.example")
    web.shop.staff += (eve,)
    web.shop.book(4, staff=3)
    assert web.get("/feeds/unheard-of.ics").status_code == 404  # now it is known which feeds there are
    web.shop.cross(timedelta(0))
    answer = web.get(web.path(eve))  # which gives it out, as `calferry feeds list` does
    assert (answer.status_code, standing(answer.content)) == (200, 1)


def test_an_address_works_on_when_no_route_leads_to_its_feed_any_more(web: Served) -> None:
    url, before = web.path(), shown(web.get().content)
    ferry_to_feeds(web.shop, route="")
    with served(web.shop) as without_routes:
        answer = without_routes.get(url)
    assert (answer.status_code, shown(answer.content)) == (200, before)


def test_with_two_secrets_each_feed_keeps_the_one_of_the_target_that_its_route_leads_to(shop: Salon) -> None:
    """Before anything is filed in it, and after."""
    (shop.home / "other-secret").write_text("07e4" * 12, encoding="utf-8")
    another = TARGET.replace("targets.web", "targets.another").replace("feed-secret", "other-secret")
    ferry_to_feeds(shop, target=another + TARGET)
    shop.book()
    shop.book(staff=1)
    shop.cross()
    with served(shop) as web:
        feeds = [web.feed(name) for name in shop.staff]
        answer = web.get(web.path())
    assert [feed.publisher.name for feed in feeds] == ["web"] * 3
    assert [len(feed.sources) for feed in feeds] == [1] * 3
    assert (answer.status_code, "Salon: Ana Pérez" in answer.text) == (200, True)


def test_an_address_is_at_most_256_characters_long(web: Served) -> None:
    """One of the great calendars silently takes no more."""
    root = f"https://{'a' * 60}.example/"
    root += "b" * (LONGEST_URL - len(root))
    ferry_to_feeds(web.shop, target=f'{TARGET}\n[web]\nurl = "{root}"\n')
    with web.shop.installation():
        pass  # such a root is taken
    url = replace(web.feed(), root=root).url(web.link())
    assert LONGEST_URL < len(url) <= 256


# ── what is no address ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/feeds",
        "/feeds/",
        "/feeds/.ics",
        "/feeds/{token}",
        "/feeds/{token}.ics/",
        "/feeds/{token}.ICS",
        "/feeds/{TOKEN}.ics",
        "/FEEDS/{token}.ics",
        "/feeds//{token}.ics",
        "//feeds/{token}.ics",
        "/feeds/./{token}.ics",
        "/feeds/x/../{token}.ics",
        "/feeds/%2e%2e/feeds/{token}.ics",
        "/feeds/..%2ffeeds%2f{token}.ics",
        "/feeds/%2e%2e%2f%2e%2e%2fcalferry.db.ics",
        "/feeds/{token}%00.ics",
        "/feeds/{token}.ics%00",
        "/feeds/%ff%fe%80.ics",
        "/feeds/%F0%9F%98%80.ics",
        "/feeds/%zz.ics",
        "/feeds/{token};v=1.ics",
        "/feeds/{token}.ics.ics",
        "/{token}.ics",
        "/docs",
        "/favicon.ico",
        "/robots.txt",
        "feeds/{token}.ics",
        "*",
    ],
)
def test_what_is_not_quite_an_address_is_none(still: Served, path: str) -> None:
    asked = path.format(token=still.token(), TOKEN=still.token().upper())
    answer = still.raw(f"GET {asked} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert is_refused(answer, still)
    assert b"location" not in answer.lower()


@pytest.mark.parametrize(
    "method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "get", "X" * 100]
)
def test_an_address_can_only_be_read(still: Served, method: str) -> None:
    request = f"{method} {still.path()} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"
    assert is_refused(still.raw(request.encode()), still)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"garbage\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # a TLS greeting
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /feeds/\xff\xfe.ics HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /feeds/\x00.ics HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",  # without a Host
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: garbage\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
    ],
    ids=lambda request: repr(request[:60]),
)
def test_what_is_no_request_is_refused(still: Served, request_bytes: bytes) -> None:
    with socket.create_connection(("127.0.0.1", still.port), timeout=10) as connection:
        try:
            connection.sendall(request_bytes)
            answer = connection.recv(65536)
        except (BrokenPipeError, ConnectionResetError):
            answer = b"HTTP/1.1 400 the server hung up in the middle of it"
    assert is_refused(answer, still)


def test_half_a_request_holds_up_nobody(still: Served) -> None:
    halves = [f"GET {still.path()}"[:end] for end in (0, 1, 9, 40)]
    waiting = [socket.create_connection(("127.0.0.1", still.port), timeout=10) for _ in halves]
    for connection, half in zip(waiting, halves, strict=True):
        connection.sendall(half.encode())
    assert still.get().status_code == 200
    for connection in waiting:
        connection.close()
    assert still.get().status_code == 200


def test_when_too_many_come_at_once_they_are_told_to_come_again(still: Served) -> None:
    """Never with an empty calendar; and those that come later are served."""
    crowd = [socket.create_connection(("127.0.0.1", still.port), timeout=10) for _ in range(AT_ONCE)]
    with httpx.Client(base_url=f"http://127.0.0.1:{still.port}") as another:
        answer = another.get(still.path())
    assert (answer.status_code, "VCALENDAR" in answer.text) == (503, False)
    for connection in crowd:
        connection.close()
    with httpx.Client(base_url=f"http://127.0.0.1:{still.port}", transport=httpx.HTTPTransport(retries=3)) as another:
        while (answer := another.get(still.path())).status_code == 503:
            pass
    assert answer.status_code == 200
