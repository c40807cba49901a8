"""The ways by which a notice reaches a person.

Sources: RFC 5321 (SMTP), RFC 3834 (automatic messages), "Standard Webhooks", version 1.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Protocol

from calferry import http
from calferry.alerts.notice import Notice
from calferry.errors import Unavailable

log = logging.getLogger("calferry.alerts")

PATIENCE = 30.0
"""Seconds that a mail server has for each of its answers."""

SIGNED = "whsec_"
"""How a secret begins that is written in base64 ("Standard Webhooks", section "Signature scheme")."""


class Channel(Protocol):
    @property
    def name(self) -> str: ...

    def send(self, notice: Notice) -> None:
        """Raises Unavailable where it was not taken."""
        ...


class Log:
    """The service's own log."""

    name = "log"

    def send(self, notice: Notice) -> None:
        for item in notice.items:
            if item.over:
                log.info("over: %s", item.what)
            else:
                log.warning("%s (since %s). %s", item.what, item.since.isoformat(timespec="minutes"), item.remedy)


@dataclass(frozen=True, kw_only=True)
class Email:
    """A message to each of `to`, by way of one mail server. `security` is "starttls", "tls" or "none"."""

    to: Sequence[str]
    sender: str
    host: str
    port: int
    security: str
    user: str = ""
    password: str = ""
    name: str = "email"

    def send(self, notice: Notice) -> None:
        try:
            with self._session() as session:
                session.send_message(self._message(notice))
        except (smtplib.SMTPException, OSError, ValueError) as error:
            msg = f"alerts.email: {self.host}:{self.port} did not take the message ({type(error).__name__})"
            raise Unavailable(msg) from None

    def _message(self, notice: Notice) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = notice.subject
        message["From"] = self.sender
        message["To"] = ", ".join(self.to)
        message["Date"] = format_datetime(notice.at)
        message["Message-ID"] = make_msgid(domain=self.sender.rpartition("@")[2].strip("<> "))
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834, section 5: nobody's holiday notice answers
        message.set_content(notice.text)
        return message

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        if self.security == "tls":
            session: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, timeout=PATIENCE, context=ssl.create_default_context()
            )
        else:
            session = smtplib.SMTP(self.host, self.port, timeout=PATIENCE)
        with session:
            if self.security == "starttls":
                session.starttls(context=ssl.create_default_context())
            if self.user:
                session.login(self.user, self.password)
            yield session


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """One JSON document, posted; signed where there is a secret. Its address may be a secret too."""

    url: str
    secret: str = ""
    name: str = "webhook"

    def send(self, notice: Notice) -> None:
        body = json.dumps(notice.as_json(), ensure_ascii=False).encode()
        ask("alerts.webhook", "POST", self.url, body, self._headers(notice, body))

    def _headers(self, notice: Notice, body: bytes) -> dict[str, str]:
        number, moment = f"msg_{hashlib.sha256(body).hexdigest()[:24]}", str(int(notice.at.timestamp()))
        headers = {"Content-Type": "application/json", "webhook-id": number, "webhook-timestamp": moment}
        if not self.secret:
            return headers
        signed = hmac.digest(_key(self.secret), f"{number}.{moment}.".encode() + body, "sha256")
        return headers | {"webhook-signature": f"v1,{base64.b64encode(signed).decode()}"}


def ask(what: str, method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> None:
    """One request whose answer only has to be a friendly one. Raises Unavailable, without a word of the address."""
    import httpx

    try:
        with http.client("", {}) as client:
            answer = client.request(method, url, content=body, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        http.count_silence(error)
        msg = f"{what} could not be reached ({type(error).__name__})"
        raise Unavailable(msg) from None
    if not answer.is_success:
        msg = f"{what} was answered {answer.status_code}"
        raise Unavailable(msg)


def _key(secret: str) -> bytes:
    if not secret.startswith(SIGNED):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(SIGNED), validate=True)
    except ValueError:
        return secret.encode()
