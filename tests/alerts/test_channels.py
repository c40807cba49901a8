"""What arrives: an e-mail in plain words, a signed document, a sign of life. And what is never in it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from calferry.alerts.channels import Email, Webhook
from calferry.alerts.lookout import Ping
from calferry.alerts.notice import WORDS, Item, Notice
from calferry.errors import Unavailable
from calferry.sync.troubles import Kind
from tests.alerts.post import MailServer, WebServer, open_for_post

AT = datetime(2026, 10, 20, 9, 30, tzinfo=UTC)
BEHIND = Item(kind=Kind.BEHIND, where="calendar 3f9a2c1b04", since=datetime(2026, 10, 20, 8, 15, tzinfo=UTC), size=1)
PARKED = Item(kind=Kind.PARKED, where="calendar 3f9a2c1b04", since=AT, size=12, over=True)
NOTICE = Notice(installation="salon", at=AT, items=(BEHIND, PARKED))


@pytest.fixture
def post() -> Iterator[MailServer]:
    with open_for_post(MailServer()) as server:
        yield server


@pytest.fixture
def web() -> Iterator[WebServer]:
    with open_for_post(WebServer()) as server:
        yield server


def mail(post: MailServer, security: str = "none", **more: str) -> Email:
    to = ["ana@salon.example", "desk@salon.example"]
    return Email(to=to, sender="calferry@salon.example", host="127.0.0.1", port=post.port, security=security, **more)


def test_a_message_says_what_is_wrong_where_since_when_and_what_to_do(post: MailServer) -> None:
    mail(post).send(NOTICE)
    (message,) = post.messages
    assert message["Subject"] == "calferry salon: calendar 3f9a2c1b04 does not hold all that it should"
    assert (message["From"], message["To"]) == ("calferry@salon.example", "ana@salon.example, desk@salon.example")
    assert message["Auto-Submitted"] == "auto-generated"
    text = message.get_content().replace("\r\n", "\n")
    assert "calendar 3f9a2c1b04 does not hold all that it should.\n  Since: 2026-10-20 08:15 UTC\n" in text
    assert "What to do: `calferry status` says what keeps it" in text
    assert "Over: calendar 3f9a2c1b04: deletions that wait for a person: 12.\n" in text
    assert len(post.recipients) == 2


def test_a_server_that_wants_a_password_gets_it(post: MailServer) -> None:
    mail(post, user="calferry", password="s3cret").send(NOTICE)
    assert post.signed_in == ["calferry:s3cret"]


def test_where_encryption_is_asked_for_nothing_is_sent_without(post: MailServer) -> None:
    with pytest.raises(Unavailable, match=r"alerts\.email: 127\.0\.0\.1:\d+ did not take the message \(SMTP"):
        mail(post, "starttls", user="calferry", password="s3cret").send(NOTICE)
    with pytest.raises(Unavailable, match="did not take the message"):
        mail(post, "tls").send(NOTICE)
    assert (post.messages, post.signed_in) == ([], [])


def test_a_server_that_is_closed_or_gone_is_told_in_a_sentence_without_a_secret(post: MailServer) -> None:
    post.closed = True
    with pytest.raises(Unavailable) as closed:
        mail(post, user="calferry", password="s3cret").send(NOTICE)
    assert "s3cret" not in str(closed.value)


def test_a_document_is_posted_and_signed(web: WebServer) -> None:
    secret = b"0123456789abcdef0123456789abcdef"
    for told in (secret.decode(), f"whsec_{base64.b64encode(secret).decode()}"):
        Webhook(url=f"{web.url}/hooks/T0K3N", secret=told).send(NOTICE)
    for asked, headers, body in web.asked:
        assert asked == "POST /hooks/T0K3N"
        number, moment = headers["webhook-id"], headers["webhook-timestamp"]
        signed = hmac.new(secret, f"{number}.{moment}.".encode() + body, hashlib.sha256).digest()
        assert headers["webhook-signature"] == f"v1,{base64.b64encode(signed).decode()}"
        document = json.loads(body)
        assert document["text"] == NOTICE.text
        assert [(item["kind"], item["over"], item["number"]) for item in document["items"]] == [
            ("behind", False, 1),
            ("parked", True, 12),
        ]
    assert len(web.asked) == 2


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_document_that_is_not_taken_is_told_without_its_address(web: WebServer, status: int) -> None:
    web.status = status
    with pytest.raises(Unavailable, match=rf"alerts\.webhook was answered {status}") as refused:
        Webhook(url=f"{web.url}/hooks/T0K3N").send(NOTICE)
    assert "T0K3N" not in str(refused.value)
    assert len(web.asked) == 1


def test_a_sign_of_life_is_one_request(web: WebServer) -> None:
    Ping(f"{web.url}/beat/T0K3N", timedelta(minutes=5)).send()
    assert [asked for asked, _, _ in web.asked] == ["GET /beat/T0K3N"]


def test_there_are_words_for_every_kind_of_trouble() -> None:
    assert WORDS.keys() == set(Kind)
    for kind in Kind:
        item = Item(kind=kind, where="sources.salon", since=AT, size=3)
        assert "{" not in item.what + item.remedy
        assert item.remedy.endswith(".")
