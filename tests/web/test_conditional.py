"""Conditional requests (RFC 9110, section 13): whoever holds the feed is told so, and nobody else is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calferry.web.feeds import SERVED
from tests.web.served import LATER, Served, modified

NO_DATES = (
    "",
    "garbage",
    "0",
    "-1",
    "2026-10-20T09:00:00Z",
    "Mon, 32 Jan 2026 09:00:00 GMT",
    "Tue, 20 Oct 99999 09:00:00 GMT",
    "Tue, 20 Oct 99999999999999999999 09:00:00 GMT",
    "Fri, 31 Dec 9999 23:59:59 -2359",
    "Sat, 01 Jan 0001 00:00:00 +2359",
    "Tue, 20 Oct 2026 25:61:61 GMT",
    ", , , ,",
)


@pytest.fixture(params=["UTC", "America/Montreal", "Asia/Tokyo"])
def _anywhere(request: pytest.FixtureRequest) -> Iterator[None]:
    """A server may stand in any zone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


# ── If-None-Match ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "tags", [["{0}"], ["W/{0}"], ['"other", {0}'], ['W/"other" ,W/{0},'], ["*"], ['"other"', "{0}"], ["", "{0}"]]
)
def test_whoever_names_the_tag_holds_the_feed(still: Served, tags: list[str], method: str) -> None:
    usual = still.get()
    headers = [("If-None-Match", tag.format(usual.headers["ETag"])) for tag in tags]
    answer = still.get(method=method, headers=headers)
    assert (answer.status_code, answer.content) == (304, b"")
    assert (answer.headers["ETag"], modified(answer)) == (usual.headers["ETag"], modified(usual))
    assert answer.headers.items() >= {name.lower(): value for name, value in SERVED.items()}.items()
    assert not answer.headers.keys() & {"content-type", "content-length"}


@pytest.mark.parametrize(
    "tags",
    [
        *(['"other"'], ['W/"other"'], ['"other", "another"'], ['"a"', '"b"'], [""], [","], ['"'], ['""']),
        *(["{0}"], ["'{0}'"], ["garbage"], ["**"], ['"*"'], ["W/"]),
    ],
)
def test_whoever_names_another_tag_gets_the_feed(still: Served, tags: list[str]) -> None:
    usual = still.get()
    bare = usual.headers["ETag"].strip('"')
    answer = still.get(headers=[("If-None-Match", tag.format(bare)) for tag in tags])
    assert (answer.status_code, answer.content) == (200, usual.content)


def test_the_tag_counts_before_the_date(still: Served) -> None:
    usual = still.get()
    tag, date = usual.headers["ETag"], modified(usual)
    earlier, later = (format_datetime(date + span, usegmt=True) for span in (-LATER, LATER))

    def status(named: str, since: str) -> int:
        return still.get(headers={"If-None-Match": named, "If-Modified-Since": since}).status_code

    assert [status(tag, earlier), status(tag, later), status(tag, "garbage")] == [304, 304, 304]
    assert [status('"other"', earlier), status('"other"', later), status("", later)] == [200, 200, 200]


# ── If-Modified-Since ─────────────────────────────────────────────────────────────────────────────────────────────────


def dates(moment: datetime) -> list[str]:
    """A moment in UTC, in the three formats of HTTP (RFC 9110, section 5.6.7)."""
    return [
        format_datetime(moment, usegmt=True),
        f"{moment:%A, %d-%b-%y %H:%M:%S} GMT",
        f"{moment:%a %b} {moment.day:2} {moment:%H:%M:%S %Y}",
    ]


@pytest.mark.usefixtures("_anywhere")
@pytest.mark.parametrize("form", range(3), ids=["IMF", "RFC 850", "asctime"])
def test_the_date_tells_as_well_in_every_format_and_every_zone(still: Served, form: int) -> None:
    date = modified(still.get())
    spans = [timedelta(0), timedelta(seconds=1), timedelta(days=1), -timedelta(seconds=1), -timedelta(days=1)]
    told = [still.get(headers={"If-Modified-Since": dates(date + span)[form]}).status_code for span in spans]
    assert told == [304, 304, 304, 200, 200]


@pytest.mark.parametrize("text", NO_DATES)
def test_a_date_that_is_none_is_ignored(still: Served, text: str) -> None:
    answer = still.get(headers={"If-Modified-Since": text})
    assert (answer.status_code, answer.content) == (200, still.get().content)


def test_no_header_whatever_breaks_the_answer(still: Served) -> None:
    visible = st.text(st.characters(min_codepoint=32, max_codepoint=126))
    almost = st.from_regex(
        r"[A-Za-z]{0,4},? ?-?[0-9]{0,12}[ -][A-Za-z]{0,4}[ -][0-9]{0,6} [0-9:.]{0,14} ?([+-][0-9]{0,12}|[A-Z]{0,4})",
        fullmatch=True,
    )
    path = still.path()

    @settings(max_examples=100)
    @given(st.sampled_from(["If-None-Match", "If-Modified-Since"]), visible | almost)
    def asked(name: str, value: str) -> None:
        assert still.get(path, headers={name: value.strip()}).status_code in {200, 304}

    asked()


def test_a_change_is_news_by_tag_and_by_date(web: Served) -> None:
    held = web.get()
    web.shop.book(6)
    web.cross()
    for headers in (
        {"If-None-Match": held.headers["ETag"]},
        {"If-Modified-Since": held.headers["Last-Modified"]},
        {"If-None-Match": held.headers["ETag"], "If-Modified-Since": held.headers["Last-Modified"]},
    ):
        assert web.get(headers=headers).status_code == 200


def test_before_a_change_is_a_second_old_the_date_tells_nothing(web: Served) -> None:
    """The next change may come within the same second, and would never be fetched."""
    held = web.get()
    web.shop.book(6)
    web.shop.cross(timedelta(0))
    far_ahead = format_datetime(web.shop.clock.time + timedelta(days=1), usegmt=True)
    assert web.get(headers={"If-Modified-Since": far_ahead}).status_code == 200
    assert web.get().content != held.content
