"""Whatever is sent: an answer, no traceback, and nothing done."""

from __future__ import annotations

from urllib.parse import quote

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calferry.errors import Unavailable
from calferry.web.pages import views
from calferry.web.pages.actions import ACTIONS
from tests.pages.showing import ANA, Shown, words

PATHS = ["/", "/calendar/", f"/calendar/{ANA}", "/appointment", "/feeds", "/qr/", "/static/", "/do/"]
PATHS += ["/sign-in", "/sign-out", *(f"/do/{action}" for action in ACTIONS)]
FIELDS = [
    "token",
    "back",
    "uid",
    "what",
    "name",
    "for",
    "reason",
    "feed",
    "then",
    "carried",
    "ref",
    "week",
    "did",
    "lang",
]

texts = st.text(max_size=30)
fields = st.dictionaries(st.sampled_from(FIELDS), texts, max_size=4)


def is_an_answer(answer: httpx.Response) -> bool:
    return answer.status_code < 500 and "Traceback" not in answer.text and "calferry met an error" not in answer.text


@settings(max_examples=60)
@given(path=st.sampled_from(PATHS), tail=texts, query=fields)
def test_any_address_gets_an_answer(still: Shown, path: str, tail: str, query: dict[str, str]) -> None:
    answer = still.client.get(path + quote(tail.encode("utf-8", "replace"), safe=""), params=query)
    assert is_an_answer(answer)


@settings(max_examples=60)
@given(path=st.sampled_from(PATHS), form=fields)
def test_any_form_gets_an_answer_and_does_nothing(still: Shown, path: str, form: dict[str, str]) -> None:
    before = (still.parked(), still.journal("asked"))
    if path != "/sign-in":  # where nonsense closes the door for a while
        assert is_an_answer(still.client.post(path, data=form))
    assert still.get().status_code == 200
    assert (still.parked(), still.journal("asked")) == before


@settings(max_examples=60)
@given(action=st.sampled_from(sorted(set(ACTIONS) - {"sync"})), form=fields)
def test_any_form_of_theirs_with_nonsense_in_it_does_nothing(still: Shown, action: str, form: dict[str, str]) -> None:
    before = still.parked()
    answer = still.client.post(f"/do/{action}", data={**form, "token": still.token()})
    assert (answer.status_code, still.parked()) == (409, before)


@pytest.mark.parametrize("body", [b"\xff\xfe=%zz", b"&" * 20_000, b"a=" + b"x" * 300_000, b"token=%00&uid=%00", b""])
def test_any_body_gets_an_answer(still: Shown, body: bytes) -> None:
    answer = still.client.post("/do/approve", content=body)
    assert answer.status_code in {403, 413}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/", "/do/sync", "/feeds", "/static/pages.css"])
def test_other_methods_are_not_allowed(still: Shown, method: str, path: str) -> None:
    assert still.client.request(method, path).status_code == 405


@pytest.mark.parametrize("name", ["../site.py", "%2e%2e/site.py", "templates", "pages.css/", "%00"])
def test_no_other_file_can_be_had(still: Shown, name: str) -> None:
    assert still.client.get(f"/static/{name}").status_code == 404


def test_what_comes_from_the_booking_system_is_text_and_no_markup(pages: Shown) -> None:
    pages.shop.book(1, 8, staff=1, client=("<script>alert(1)</script>", "'\"><b>", "x@customer.example", "1"))
    pages.shop.cross()
    text = pages.get("/calendar/google:ben@salon.example").text
    assert "&lt;script&gt;alert(1)" in text
    assert "<script>alert" not in text


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (Unavailable("The ledger cannot be used: no space."), 503, "The ledger cannot be used: no space."),
        (ZeroDivisionError("Zoé"), 500, "calferry met an error it does not know. ZeroDivisionError"),
    ],
)
def test_what_goes_wrong_is_a_page_too(
    inside: Shown, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, said: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(views, "overview", fail)
    answer = inside.get()
    assert (answer.status_code, said in words(answer), "Zoé" in answer.text) == (status, True, False)
