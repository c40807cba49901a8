"""What a person does on the pages."""

from __future__ import annotations

import re
from html import unescape

import pytest

from calferry.config import WebSettings
from calferry.ports import Rest
from calferry.web.pages.access import LASTS
from calferry.web.pages.actions import ACTIONS
from tests.crossing import Salon
from tests.pages.showing import ANA, BEN, HOUR, PASSWORD, Shown, shown, words


def hidden(text: str) -> dict[str, str]:
    """The hidden fields of the form in the middle of a page."""
    main = text[text.index("<main") : text.index("</main>")]
    return {name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', main)}


def test_what_is_approved_goes_with_the_next_pass_and_the_journal_has_who(pages: Shown) -> None:
    first, *others = pages.parked()
    answer = pages.do("approve", uid=first)
    assert (answer.status_code, "Approved; the next pass carries it out." in words(answer)) == (200, True)
    assert pages.parked() == others
    assert pages.hurried == [True]
    assert pages.journal("asked") == [f"{ANA}: approve, by operator"]
    pages.shop.cross()
    assert len(pages.shop.ours("ana@salon.example")) == 2


def test_what_is_rejected_stays(pages: Shown) -> None:
    answer = pages.do("reject", uid=pages.parked())
    assert "Rejected" in words(answer)
    assert pages.parked() == []
    pages.shop.cross()
    assert len(pages.shop.ours("ana@salon.example")) == 3


def test_nothing_is_approved_that_the_booking_system_could_not_be_asked_for(pages: Shown) -> None:
    pages.ledger.intake.pause("agendize:13772899", "closed", pages.shop.clock.now() + HOUR)
    answer = pages.do("approve", uid=pages.parked())
    assert answer.status_code == 409
    assert "could not be asked again" in words(answer)
    assert len(pages.parked()) == 3


def test_what_nobody_waits_for_any_more_is_said_and_not_done(pages: Shown) -> None:
    answer = pages.do("approve", uid="4711")
    assert (answer.status_code, "None of the chosen deletions waits any more." in words(answer)) == (409, True)
    assert pages.journal("asked") == []


def test_a_calendar_is_paused_and_resumed(pages: Shown) -> None:
    fields = {"what": "calendar", "name": BEN, "back": f"/calendar/{BEN}"}
    answer = pages.do("pause", **{"for": "4h"}, reason="holidays\x1b\n", **fields)
    assert str(answer.url).endswith(f"/calendar/{BEN}?did=pause")
    assert re.search(r"paused by hand until 2026-10-20 1\d:\d\d UTC: holidays ", words(answer))
    (rest,) = pages.ledger.pauses.rests(pages.shop.clock.now())
    assert (rest.what, rest.name, rest.reason) == ("calendar", BEN, "holidays")
    answer = pages.do("resume", **fields)
    assert "in step" in words(answer)
    assert pages.ledger.pauses.rests(pages.shop.clock.now()) == []
    assert pages.journal("asked") == [f"{BEN}: pause, by operator", f"{BEN}: resume, by operator"]


@pytest.mark.parametrize(
    "fields",
    [
        {"what": "calendar", "name": "google:nobody@salon.example", "for": "1h"},
        {"what": "house", "name": ANA, "for": "1h"},
        {"what": "calendar", "name": ANA, "for": "9999999d"},
        {},
    ],
)
def test_what_cannot_be_paused_is_said_and_not_done(pages: Shown, fields: dict[str, str]) -> None:
    assert pages.do("pause", **fields).status_code == 409
    assert pages.ledger.pauses.rests(pages.shop.clock.now()) == []


def test_what_rests_and_left_the_configuration_can_be_resumed(pages: Shown) -> None:
    pages.ledger.pauses.rest(Rest(what="target", name="former"), pages.shop.clock.now())
    assert pages.do("resume", what="target", name="former").status_code == 200


def test_a_pass_is_started(pages: Shown) -> None:
    assert "A pass was started." in words(pages.do("sync"))
    assert pages.hurried == [True]


def test_a_feed_gets_a_new_address_and_is_revoked(pages: Shown) -> None:
    def address() -> str:
        found = re.search(r'readonly value="[^"]*(/feeds/\w+\.ics)"', pages.get("/feeds").text)
        assert found
        return found[1]

    before = address()
    feed = re.findall(r'name="feed" value="([^"]+)"', pages.get("/feeds").text)[0]
    assert "There is a new address." in words(pages.do("rotate", feed=feed, back="/feeds"))
    after = address()
    assert before != after
    assert [pages.get(path).status_code for path in (before, after)] == [200, 200]
    assert "Revoked: no address of it works." in words(pages.do("revoke", feed=feed, back="/feeds"))
    assert [pages.get(path).status_code for path in (before, after)] == [410, 410]
    assert pages.journal("asked") == [f"{feed}: rotate, by operator", f"{feed}: revoke, by operator"]
    assert pages.do("rotate", feed="ical:nobody").status_code == 409


@pytest.mark.parametrize("action", ACTIONS)
def test_a_form_of_another_session_does_nothing_until_it_is_confirmed(pages: Shown, action: str) -> None:
    uids = pages.parked()
    answer = pages.client.post(f"/do/{action}", data={"token": "0" * 64, "uid": uids})
    assert (answer.status_code, "Nothing was done yet." in words(answer)) == (403, True)
    assert (pages.parked(), pages.hurried, pages.journal("asked")) == (uids, [], [])


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}]
)
def test_a_form_of_another_site_is_refused(pages: Shown, headers: dict[str, str]) -> None:
    answer = pages.client.post("/do/approve", data={"token": pages.token(), "uid": pages.parked()}, headers=headers)
    assert (answer.status_code, len(pages.parked())) == (403, 3)


def test_an_action_is_no_link(pages: Shown) -> None:
    assert pages.get("/do/sync").status_code == 404
    assert pages.hurried == []


def test_an_action_after_the_session_ended_is_done_after_signing_in(pages: Shown) -> None:
    form = {"token": pages.token(), "back": "/", "uid": pages.parked()[:2]}
    pages.shop.clock.pass_by(2 * LASTS)
    asked = pages.client.post("/do/approve", data=form)
    assert (asked.status_code, "what you were about to do goes on" in words(asked)) == (401, True)
    wrong = pages.client.post("/sign-in", data={**hidden(asked.text), "password": "no"})
    confirm = pages.client.post("/sign-in", data={**hidden(wrong.text), "password": PASSWORD})
    assert "Approve these deletions?" in words(confirm)
    assert len(pages.parked()) == 3
    fields = re.findall(r'type="hidden" name="uid" value="([^"]*)"', confirm.text)
    assert fields == form["uid"]
    done = pages.client.post("/do/approve", data={**hidden(confirm.text), "uid": fields})
    assert (done.status_code, len(pages.parked())) == (200, 1)


def test_the_journal_has_whom_the_proxy_named(shop: Salon) -> None:
    web = WebSettings(host="127.0.0.1", port=0, url="", trusted_proxies=("127.0.0.1/32",), user_header="Remote-User")
    with shown(shop, web) as opened:
        opened.client.headers["Remote-User"] = "anna@salon.example"
        opened.do("sync")
        assert opened.journal("asked") == [": sync, by anna@salon.example"]
