"""What a feed can hold and how it is rendered: pure, for any text and any time."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from calferry.colors import NAMES, OWN
from calferry.model import Classification, Event, Status, Transparency
from calferry.moments import utc
from calferry.targets.ical.events import decode, encode, fit, render, tombstone
from tests.builders import NOW, event, receipt
from tests.contracts.target import AWKWARD, create, delete
from tests.targets.ical_world import feed, read, target_for

STAMP = NOW.replace(microsecond=0)
NEVER = {"METHOD", "ATTENDEE", "ORGANIZER", "VALARM", "VTIMEZONE"}
"""What would make an invitation of an event, ring on each phone, or be read in different ways."""

NASTY = 'nN"\\,;:\n\r\t \x00\x07\x1b\x7f\x85\x9f\xa0\u2028\u2029\ufeff\ud800\udfffé\u0301\u200d👩🏽ß'
texts = (
    st.text(st.characters(categories=None), max_size=100)
    | st.text(NASTY, max_size=100)
    | st.text(NASTY, min_size=150, max_size=200).map(lambda text: text * 60)
    | st.sampled_from(
        ["BEGIN:VALARM", "a\nEND:VEVENT\nMETHOD:REQUEST", "x\r\nATTENDEE:mailto:a@b.example", "\\n\\,\\;"]
    )
)
zones = st.sampled_from(sorted(available_timezones() - {"localtime"})).map(ZoneInfo)
FIRST, LAST = datetime(1, 1, 3), datetime(9999, 12, 28)
walls = st.datetimes(FIRST, LAST) | st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1))
moments = st.builds(
    lambda wall, zone, fold: wall.replace(tzinfo=zone, fold=fold), walls, zones, st.sampled_from((0, 1))
)
links = st.sampled_from(["", "https://x.example/ä?b=c;d,e\\f\"g'h", "HTTP://x.example", "ftp://x.example"]) | st.text(
    st.characters(categories=None), max_size=40
).map("https://x.example/".__add__)
events = st.builds(
    lambda start, length, **fields: Event(uid="u1", start=start, end=start + length, **fields),
    moments,
    st.timedeltas(timedelta(0), timedelta(days=2)),
    summary=texts,
    description=texts,
    location=texts,
    url=links,
    status=st.sampled_from(Status),
    transparency=st.sampled_from(Transparency),
    classification=st.sampled_from(Classification),
    categories=st.lists(texts, max_size=3).map(tuple),
    color=st.sampled_from(["", OWN, *NAMES]) | texts,
)


def lines_of(body: bytes) -> list[bytes]:
    assert body.endswith(b"\r\n")
    return body.removesuffix(b"\r\n").split(b"\r\n")


def assert_tidy(body: bytes) -> None:
    """Lines end in CRLF and hold at most 75 octets; no control character but that; nothing that makes an invitation."""
    lines = lines_of(body)
    assert all(len(line) <= 75 for line in lines)
    unfolded = body.decode("utf-8").replace("\r\n ", "")
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]", unfolded)
    assert not re.search(r"\r(?!\n)|(?<!\r)\n", unfolded)
    names = [re.split("[;:]", line, maxsplit=1)[0] for line in unfolded.split("\r\n")]
    assert not NEVER & set(names)
    assert not NEVER & {line.removeprefix("BEGIN:") for line in unfolded.split("\r\n") if line.startswith("BEGIN:")}
    assert [line for line in unfolded.split("\r\n") if line.startswith(("BEGIN:", "END:"))] == [
        "BEGIN:VEVENT",
        "END:VEVENT",
    ]


@given(events)
def test_fitting_twice_is_fitting_once(wanted: Event) -> None:
    fitted = fit(wanted)
    assert fit(fitted) == fitted
    assert fit(fitted).fingerprint == fitted.fingerprint
    assert utc(fitted.end) - utc(fitted.start) >= timedelta(minutes=1)
    assert (fitted.start.microsecond, fitted.end.microsecond) == (0, 0)
    assert max(len(fitted.summary), len(fitted.location)) <= 1024
    assert len(fitted.description) <= 8192


@given(events)
@example(event(start=datetime(1, 1, 3, tzinfo=UTC)))
@example(event(description="\n"))
@example(event(description=" \t ", location=r"\\NAS\new"))
@example(event(categories=("a,b", "c;d", "e\\", "e\\,f")))
def test_what_is_read_back_is_what_was_fitted(wanted: Event) -> None:
    fitted = fit(wanted)
    body = render(fitted, STAMP, 7)
    assert read(feed([body])) == [fitted]
    assert render(fitted, STAMP, 7) == body
    assert_tidy(body)


@given(events)
def test_an_intent_keeps_all_of_an_event(wanted: Event) -> None:
    change = create(target_for(None), "ical:77", wanted)
    mark, kept = decode(encode(change))
    assert (mark, kept) == (change.mark, change.event)
    assert kept is not None
    assert kept.fingerprint == change.event.fingerprint


@given(events)
@example(event(summary="BEGIN:VALARM", categories=("a,b", r"\N")))
def test_a_tombstone_is_read_back_as_what_is_left(wanted: Event) -> None:
    fitted = fit(wanted)
    body = tombstone(render(fitted, STAMP, 7), STAMP, 8)
    bare = replace(fitted, description="", location="", url="", color="")
    left = replace(bare, status=Status.CANCELLED, transparency=Transparency.TRANSPARENT)
    assert read(feed([body])) == [left]
    assert tombstone(body, STAMP, 8) == body
    assert_tidy(body)


def test_a_deletion_says_whose_it_is_and_nothing_else() -> None:
    mark, nothing = decode(encode(delete(receipt(event(), "ical:77"))))
    assert (mark.uid, nothing) == ("u1", None)


def test_every_half_hour_of_the_days_on_which_clocks_change_is_the_same_instant_in_every_zone() -> None:
    days = [datetime(2026, 10, 25), datetime(2026, 11, 1), datetime(2027, 3, 14), datetime(2027, 3, 28)]
    walls = [day + timedelta(minutes=30 * half) for day in days for half in range(8)]
    everywhere = [ZoneInfo(name) for name in sorted(available_timezones() - {"localtime"})]
    starts = [wall.replace(tzinfo=zone, fold=fold) for zone in everywhere for wall in walls for fold in (0, 1)]
    wanted = [event(start=start) for start in starts]
    assert len(wanted) > 35_000
    assert [fit(one).start for one in wanted] == [utc(one.start) for one in wanted]
    instants = sorted({utc(one.start) for one in wanted})
    shown = read(feed([render(fit(event(start=instant)), STAMP, 7) for instant in instants]))
    assert [one.start for one in shown] == instants


@pytest.mark.parametrize("name", AWKWARD)
def test_nothing_awkward_gets_out(name: str) -> None:
    assert_tidy(render(fit(AWKWARD[name]), STAMP, 7))


@pytest.mark.parametrize(
    ("status", "transparency", "word"),
    [
        (Status.CONFIRMED, Transparency.OPAQUE, b"BUSY"),
        (Status.TENTATIVE, Transparency.OPAQUE, b"TENTATIVE"),
        (Status.TENTATIVE, Transparency.TRANSPARENT, b"FREE"),
        (Status.CANCELLED, Transparency.TRANSPARENT, b"FREE"),
    ],
)
def test_outlook_is_told_busy_or_free_in_its_own_word(status: Status, transparency: Transparency, word: bytes) -> None:
    body = render(fit(event(status=status, transparency=transparency)), STAMP, 7)
    assert b"X-MICROSOFT-CDO-BUSYSTATUS:" + word in lines_of(body)


def test_a_public_event_leaves_its_class_to_the_reader() -> None:
    assert b"CLASS" not in render(fit(event()), STAMP, 7)
    assert b"CLASS:PRIVATE" in lines_of(render(fit(event(classification=Classification.PRIVATE)), STAMP, 7))
