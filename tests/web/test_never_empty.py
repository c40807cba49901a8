"""A feed that cannot be told is told to be there still: never as an empty calendar, nor as half of one."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import httpx
import pytest

from calferry.errors import LedgerBusy, Unavailable
from calferry.sandbox import Request, faults
from calferry.sync.crossing import deliver
from calferry.sync.installation import Watch
from calferry.sync.pull import pull
from calferry.sync.route import route
from calferry.web.feeds import Feeds, application
from calferry.web.server import bind, serving
from tests.crossing import Salon
from tests.web.served import LATER, ROOT, Served, ferry_to_feeds, filing_on, served, standing

PERSONAL = "Zoé Sample, zoe@customer.example"
WHOLE = 7
"""Appointments of Ana's."""


@pytest.fixture
def fresh(shop: Salon) -> Iterator[Served]:
    """Everything is booked, and nothing was ever pulled: as after the ledger was lost."""
    for day in range(WHOLE):
        shop.book(3 + day)
        shop.book(3 + day, staff=1)
    with served(shop) as opened:
        yield opened


def is_put_off(answer: httpx.Response) -> bool:
    """Not now, and when to come again."""
    assert (answer.status_code, answer.text) == (503, "The calendar cannot be told right now; it is still there.\n")
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert not answer.headers.keys() & {"etag", "last-modified", "cache-control"}
    return True


# ── until the first pass is filed whole ───────────────────────────────────────────────────────────────────────────────


def test_a_feed_is_put_off_until_a_first_pass_is_filed_whole(fresh: Served) -> None:
    (account,) = fresh.installation.accounts
    installation = filing_on(fresh, batch=3)
    token = installation.targets["web"].token(f"ical:{fresh.shop.staff[0]}", 0)  # type: ignore[attr-defined]
    path = f"/feeds/{token}.ics"
    halves: list[httpx.Response] = []

    def look(*_: object) -> None:
        halves.append(fresh.get(path))

    assert is_put_off(fresh.get(path))
    fresh.shop.sandbox.agendize.on_request = look
    pull(account, installation.ledger, fresh.shop.clock, Watch())
    fresh.shop.sandbox.agendize.on_request = None
    asked_meanwhile = len(halves)
    assert all(is_put_off(one) for one in halves)
    assert is_put_off(fresh.get(path))
    route(account, installation, Watch())
    fresh.shop.clock.pass_by(LATER)
    assert is_put_off(fresh.get(path))
    fresh.shelf.told = look
    deliver(installation, Watch())
    while_filing = halves[asked_meanwhile:]
    first_whole = [one.status_code for one in while_filing].index(200)
    assert (asked_meanwhile > 4, first_whole > 1, len(while_filing)) == (True, True, -(-2 * WHOLE // 3))
    assert all(is_put_off(one) for one in while_filing[:first_whole])
    assert [standing(one.content) for one in while_filing[first_whole:]] == [WHOLE] * (len(while_filing) - first_whole)
    assert standing(fresh.get(path).content) == WHOLE


def test_after_the_ledger_was_lost_the_address_is_put_off_and_then_works_as_before(web: Served) -> None:
    path, before = web.path(), web.get()
    shop = web.shop
    shop.clock.pass_by(timedelta(days=1))
    ferry_to_feeds(shop, ledger="another.db")
    with served(shop) as anew:
        assert is_put_off(anew.get(path))
        assert is_put_off(anew.get("/feeds/unheard-of.ics"))  # who knows, by now?
        shop.sandbox.agendize.faults.add(faults.status(500), times=None)
        anew.cross()
        assert is_put_off(anew.get(path))
        shop.sandbox.agendize.faults.clear()
        anew.cross()
        after = anew.get(path)
        assert anew.get("/feeds/unheard-of.ics").status_code == 404
    assert (after.status_code, standing(after.content)) == (200, standing(before.content))


def test_a_listing_that_breaks_off_leaves_the_feed_put_off(fresh: Served) -> None:
    """Half of the appointments are in the ledger; a subscriber would delete the other half."""
    path = fresh.path("everyone")
    pages: list[Request] = []
    fresh.shop.sandbox.agendize.faults.add(
        faults.status(500), match=faults.matching("/appointments"), times=None, after=1
    )
    fresh.shop.sandbox.agendize.on_request = lambda moment, request: pages.append(request)
    fresh.cross()
    assert pages
    assert is_put_off(fresh.get(path))
    fresh.shop.sandbox.agendize.faults.clear()
    fresh.cross()
    assert standing(fresh.get(path).content) == 2 * WHOLE


def test_a_salon_without_appointments_has_feeds_without_events(shop: Salon) -> None:
    """Empty because it is told so: that is an answer."""
    with served(shop) as web:
        assert is_put_off(web.get(web.path("everyone")))
        web.cross()
        answers = [web.get(web.path(name)) for name in (*shop.staff, "everyone")]
    assert [(answer.status_code, standing(answer.content)) for answer in answers] == [(200, 0)] * 4


def test_a_booking_system_that_loses_everything_empties_no_feed(web: Served) -> None:
    web.shop.book(4)
    web.shop.book(5)
    web.cross()
    before = web.get()
    for fault in (faults.empty(), faults.no_items(), faults.html(), faults.error_200(), faults.status(404)):
        web.shop.sandbox.agendize.faults.add(fault, times=None)
        web.cross(timedelta(hours=25))
        web.shop.sandbox.agendize.faults.clear()
        assert web.get().content == before.content


# ── when the ledger does not answer ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("error", [Unavailable("The ledger cannot be used"), LedgerBusy()], ids=["gone", "busy"])
@pytest.mark.parametrize("name", ["version", "stamps", "link", "links", "excerpt", "publish", "keep", "is_whole"])
def test_while_the_ledger_does_not_answer_the_last_bytes_are_served(
    still: Served, name: str, error: Unavailable
) -> None:
    before = still.get()
    path = still.path()

    def fail(asked: str) -> None:
        if asked == name:
            raise error

    still.shelf.ask = fail
    try:
        for span in (timedelta(seconds=1), timedelta(minutes=10)):
            still.shop.clock.pass_by(span)
            answer = still.get(path)
            assert (answer.status_code, answer.content) == (200, before.content)
            assert answer.headers["ETag"] == before.headers["ETag"]
            assert still.get(path, headers={"If-None-Match": before.headers["ETag"]}).status_code == 304
    finally:
        still.shelf.ask = lambda _name: None


def test_a_ledger_that_does_not_answer_from_the_start_puts_the_feed_off(web: Served) -> None:
    path = web.path()

    def fail(_: str) -> None:
        raise Unavailable("The ledger cannot be used")

    web.shelf.ask = fail
    with bind("127.0.0.1", 0) as listening, serving(application(Feeds(web.installation, ROOT)), listening):
        assert is_put_off(httpx.get(f"http://127.0.0.1:{listening.getsockname()[1]}{path}"))
        web.shelf.ask = lambda _name: None
        assert httpx.get(f"http://127.0.0.1:{listening.getsockname()[1]}{path}").status_code == 200


def test_an_unforeseen_error_puts_the_feed_off_and_says_nothing_of_anybody(
    web: Served, caplog: pytest.LogCaptureFixture
) -> None:
    path, token = web.path(), web.token()

    def fail(asked: str) -> None:
        if asked == "link":
            raise ZeroDivisionError(f"{PERSONAL} under {token}")

    web.shelf.ask = fail
    web.shop.book(9)
    web.cross()
    caplog.set_level(logging.WARNING, "httpx")  # the client's own log
    with caplog.at_level(logging.INFO):
        assert is_put_off(web.get(path))
    assert "a feed could not be served: ZeroDivisionError" in caplog.text
    assert not [word for word in (PERSONAL, token, "Traceback", str(web.shop.home)) if word in caplog.text]
    web.shelf.ask = lambda _name: None
    assert standing(web.get(path).content) == 2


def test_no_token_is_in_any_log_at_any_level(web: Served, caplog: pytest.LogCaptureFixture) -> None:
    path = web.path()
    with caplog.at_level(1):
        for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "starlette", "calferry", "asyncio"):
            caplog.set_level(1, name)
        with bind("127.0.0.1", 0) as listening, serving(application(Feeds(web.installation, ROOT)), listening):
            port = listening.getsockname()[1]
            for method, asked in (("GET", path), ("HEAD", path), ("POST", path), ("GET", path + "/")):
                web.client.request(method, f"http://127.0.0.1:{port}{asked}")
            web.shelf.ask = lambda _name: (_ for _ in ()).throw(Unavailable("not now"))
            for asked in (path, "/feeds/unheard-of.ics"):
                web.client.get(f"http://127.0.0.1:{port}{asked}")
            web.shelf.ask = lambda _name: None
    ours = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    assert [record.name for record in ours if web.token() in record.getMessage()] == []
    assert "a feed could not be served: not now" in [record.getMessage() for record in ours]


# ── a real file ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_while_another_process_writes_and_writes_feeds_are_served(web: Served) -> None:
    path, before = web.path(), web.get()
    with closing(sqlite3.connect(web.shop.home / "calferry.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        other.execute("UPDATE feeds SET look = 'half a sentence'")
        answers = [web.get(path) for _ in range(3)]
        other.execute("ROLLBACK")
    assert [(answer.status_code, answer.content) for answer in answers] == [(200, before.content)] * 3


def test_a_file_that_was_taken_away_empties_no_feed(web: Served) -> None:
    path, before = web.path(), web.get()
    for ending in ("", "-wal", "-shm"):
        (web.shop.home / f"calferry.db{ending}").unlink()
    for span in (timedelta(0), LATER, timedelta(hours=2)):
        web.shop.clock.pass_by(span)
        answer = web.get(path)
        assert (answer.status_code, answer.content) == (200, before.content) or is_put_off(answer)


def test_a_file_that_was_overwritten_empties_no_feed(web: Served) -> None:
    path, before = web.path(), web.get()
    file = web.shop.home / "calferry.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with file.open("r+b") as opened:  # in place: it stays the file that calferry holds open
        opened.write(b"garbage " * (file.stat().st_size // 8))
    for span in (timedelta(0), LATER, timedelta(hours=2)):
        web.shop.clock.pass_by(span)
        answer = web.get(path)
        assert (answer.status_code, answer.content) == (200, before.content) or is_put_off(answer)
