"""Who may see the pages, and what becomes of whoever may not."""

from __future__ import annotations

import logging
import re
from datetime import timedelta

import pytest

from calferry.config import WebSettings
from calferry.web.pages.access import AT_MOST, FAILURES, FORGET, LASTS
from calferry.web.pages.passwords import digest, matches
from tests.crossing import Salon
from tests.pages.showing import ANA, PASSWORD, Shown, shown, words

CLOSED = ["/", f"/calendar/{ANA}", "/appointment?ref=1", "/feeds", "/qr/ical:1", "/nowhere"]


def by_proxy(*trusted: str) -> WebSettings:
    return WebSettings(host="127.0.0.1", port=0, url="", trusted_proxies=trusted, user_header="Remote-User")


def test_a_password_is_known_by_its_digest_alone() -> None:
    line = digest(PASSWORD)
    assert PASSWORD not in line
    assert line != digest(PASSWORD)
    assert (matches(PASSWORD, line), matches(PASSWORD + " ", line)) == (True, False)


@pytest.mark.parametrize("path", CLOSED)
def test_nothing_is_shown_to_whoever_has_not_signed_in(outside: Shown, path: str) -> None:
    answer = outside.get(path)
    assert answer.status_code == 401
    assert words(answer) == "Sign in Password Sign in"


def test_feeds_are_open_and_know_nothing_of_sessions(outside: Shown) -> None:
    assert outside.get("/feeds/0123.ics").status_code == 404
    outside.sign_in()
    address = re.search(r'readonly value="[^"]*(/feeds/\w+\.ics)"', outside.get("/feeds").text)
    assert address
    outside.client.cookies.clear()
    answer = outside.get(address[1])
    assert (answer.status_code, answer.headers["Content-Type"][:13]) == (200, "text/calendar")
    assert "Set-Cookie" not in answer.headers


def test_signing_in_leads_to_the_page_that_was_asked_for(outside: Shown) -> None:
    path = f"/calendar/{ANA}?week=2026-10-19"
    then = re.search(r'name="then" value="([^"]*)"', outside.get(path).text)
    assert then
    answer = outside.sign_in(then=then[1])
    assert (answer.status_code, str(answer.url)) == (200, f"{outside.root}{path}")


@pytest.mark.parametrize(
    "then", ["//evil.example/", "https://evil.example", "/\\evil.example", "", "/sign-out", "/\r\nX: y"]
)
def test_signing_in_leads_nowhere_else(outside: Shown, then: str) -> None:
    answer = outside.sign_in(then=then)
    assert str(answer.url) == f"{outside.root}/"


def test_a_wrong_password_is_logged_without_the_password(outside: Shown, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = outside.sign_in("Hunter2-Hunter2")
    assert (answer.status_code, "That password is wrong." in words(answer)) == (401, True)
    assert "sign-in refused: a wrong password, from 127.0.0.1" in caplog.text
    assert "Hunter2" not in caplog.text + answer.text


def test_too_many_wrong_passwords_close_the_door_for_a_while(outside: Shown) -> None:
    assert [outside.sign_in(f"wrong {number}").status_code for number in range(FAILURES)] == [401] * FAILURES
    answer = outside.sign_in()
    assert (answer.status_code, "Too many wrong passwords." in words(answer)) == (429, True)
    assert 0 < int(answer.headers["Retry-After"]) <= FORGET.total_seconds()
    outside.shop.clock.pass_by(FORGET)
    assert outside.sign_in().status_code == 200


def test_a_session_ends_when_it_is_not_used_and_after_half_a_day_in_any_case(inside: Shown) -> None:
    inside.shop.clock.pass_by(LASTS + timedelta(minutes=1))
    assert inside.get().status_code == 401
    inside.sign_in()
    rounds = AT_MOST // (LASTS / 2)
    for _ in range(rounds - 1):
        inside.shop.clock.pass_by(LASTS / 2)
        assert inside.get().status_code == 200
    inside.shop.clock.pass_by(LASTS / 2)
    assert inside.get().status_code == 401


def test_a_page_that_stands_open_keeps_no_session_alive(inside: Shown) -> None:
    for _ in range(3):
        inside.shop.clock.pass_by(LASTS / 3)
        last = inside.get("/", **{"X-Calferry-Live": "1"}).status_code
    assert last == 401


def test_whoever_signs_out_is_out_even_with_the_cookie_of_before(inside: Shown) -> None:
    cookies = dict(inside.client.cookies)
    answer = inside.client.post("/sign-out", data={"token": inside.token()})
    assert answer.status_code == 401
    inside.client.cookies.update(cookies)
    assert inside.get().status_code == 401


def test_a_cookie_that_was_tampered_with_opens_nothing(inside: Shown) -> None:
    cookie = inside.client.cookies["calferry_session"]
    session, since, until, signature = cookie.split(".")
    for forged in ("", "...", f"{session}.{since}.{int(until) + 9}.{signature}", f"x{cookie}", cookie[:-1], "é.1.2.3"):
        inside.client.cookies.clear()
        assert inside.get("/", Cookie=f"calferry_session={forged}".encode("latin-1")).status_code == 401  # type: ignore[arg-type]


def test_the_cookie_is_for_the_pages_alone(outside: Shown) -> None:
    cookie = outside.client.post("/sign-in", data={"password": PASSWORD, "then": "/"}, follow_redirects=False).headers[
        "Set-Cookie"
    ]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie


def test_over_tls_the_cookie_goes_over_tls_alone_and_links_keep_the_path_in_front(house: Salon) -> None:
    with shown(house, url="https://calendars.salon.example/cal") as opened:
        form = {"password": PASSWORD, "then": "/feeds"}
        answer = opened.client.post("/sign-in", data=form, follow_redirects=False)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/cal/feeds")
        assert "Secure" in answer.headers["Set-Cookie"]
        assert 'action="/cal/sign-in"' in opened.get().text


def test_a_trusted_proxy_says_who_it_is(house: Salon) -> None:
    with shown(house, by_proxy("127.0.0.0/8")) as opened:
        assert "Signed in as anna" in opened.get("/", **{"Remote-User": "anna"}).text
        assert opened.get().status_code == 401
        assert "through a proxy" in words(opened.get())
        assert opened.get("/", **{"Remote-User": ""}).status_code == 401


def test_a_proxy_trusted_for_who_asks_alone_lets_nobody_in() -> None:
    """It may pass on a header as it came from anybody."""
    alone = WebSettings(host="127.0.0.1", port=0, url="", trusted_proxies=("127.0.0.1/32",))
    assert not alone.shows_pages
    assert by_proxy("127.0.0.1/32").shows_pages


def test_whoever_is_no_trusted_proxy_is_not_believed(house: Salon) -> None:
    with shown(house, by_proxy("10.0.0.1/32", "::1/128")) as opened:
        assert opened.get("/", **{"Remote-User": "anna"}).status_code == 401
        assert opened.sign_in("").status_code == 401


@pytest.mark.parametrize("path", ["/", "/feeds", "/static/inside.css", "/nowhere", "/static/none"])
def test_every_answer_forbids_all_that_is_not_ours(still: Shown, path: str) -> None:
    headers = still.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
