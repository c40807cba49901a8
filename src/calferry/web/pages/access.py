"""Who may see the pages, and which forms are really theirs.

A session is a signed cookie; the key is drawn when the service starts, so a restart ends all of them. A form carries a
token bound to the session it was shown in (https://owasp.org: Cross-Site Request Forgery Prevention).
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from calferry.config import WebSettings
from calferry.ports import Clock
from calferry.web.pages import passwords

COOKIE = "calferry_session"
OPERATOR = "operator"
"""Whoever signed in with the password."""

LASTS, AT_MOST = timedelta(minutes=60), timedelta(hours=12)
"""How long a session lasts unused, and how long in all."""

FAILURES, FORGET = 5, timedelta(minutes=5)
"""So many wrong passwords from one address, within that time, close the door to it for that time."""

ALL_FAILURES = 50
"""The same from all addresses together."""

_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,200}")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is there. `session` is what their forms are bound to; `cookie` the session's cookie, renewed, "" where there
    is none."""

    name: str
    session: str
    cookie: str = ""


class TooMany(Exception):
    """Too many wrong passwords. `wait` is the number of seconds until the next try."""

    def __init__(self, wait: int) -> None:
        self.wait = wait
        super().__init__("too many wrong passwords")


class Doorkeeper:
    """Lets people in, by a password or by the word of a trusted proxy."""

    def __init__(self, web: WebSettings, clock: Clock) -> None:
        self._web, self._clock = web, clock
        self._proxies = [ipaddress.ip_network(one) for one in web.trusted_proxies]
        self._key = secrets.token_bytes(32)
        self._ended: dict[str, datetime] = {}
        self._failures: deque[tuple[datetime, str]] = deque()
        self._trying = Lock()

    @property
    def takes_passwords(self) -> bool:
        return bool(self._web.password)

    def visitor(self, peer: str, headers: Mapping[str, str], cookie: str) -> Visitor | None:
        """Who asks, from that address; None where nobody known."""
        name = headers.get(self._web.user_header.lower(), "")
        if self._is_trusted(peer) and _NAME.fullmatch(name):
            return Visitor(name, f"proxy|{name}")
        return self._of_cookie(cookie) if self.takes_passwords else None

    def sign_in(self, peer: str, password: str) -> Visitor | None:
        """None where the password is wrong. Raises TooMany. One try at a time, however many come at once."""
        with self._trying:
            self._may_try(peer)
            if self.takes_passwords and passwords.matches(password, self._web.password):
                now = self._clock.now()
                return self._admit(secrets.token_urlsafe(16), now, now)
            self._failures.append((self._clock.now(), peer))
            return None

    def sign_out(self, visitor: Visitor) -> None:
        """The session ends, though its cookie be kept somewhere."""
        now = self._clock.now()
        self._ended = {session: until for session, until in self._ended.items() if until > now}
        self._ended[visitor.session] = now + AT_MOST

    def token(self, visitor: Visitor) -> str:
        """What a form of theirs has to carry."""
        return self._sign(f"form|{visitor.session}")

    def is_theirs(self, visitor: Visitor, token: str) -> bool:
        return hmac.compare_digest(self.token(visitor).encode(), token.encode("utf-8", "surrogatepass"))

    def _is_trusted(self, peer: str) -> bool:
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self._proxies)

    def _admit(self, session: str, since: datetime, now: datetime) -> Visitor:
        until = min(now + LASTS, since + AT_MOST)
        text = f"{session}.{since.timestamp():.0f}.{until.timestamp():.0f}"
        return Visitor(OPERATOR, session, f"{text}.{self._sign(text)}")

    def _of_cookie(self, cookie: str) -> Visitor | None:
        text, _, signature = cookie.rpartition(".")
        if not text or not hmac.compare_digest(self._sign(text).encode(), signature.encode("utf-8", "surrogatepass")):
            return None
        session, since, until = text.split(".")
        now = self._clock.now()
        if now.timestamp() >= int(until) or session in self._ended:
            return None
        return self._admit(session, datetime.fromtimestamp(int(since), now.tzinfo), now)

    def _sign(self, text: str) -> str:
        return hmac.new(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()

    def _may_try(self, peer: str) -> None:
        now = self._clock.now()
        while self._failures and self._failures[0][0] <= now - FORGET:
            self._failures.popleft()
        theirs = [at for at, who in self._failures if who == peer]
        if len(theirs) < FAILURES and len(self._failures) < ALL_FAILURES:
            return
        first = theirs[0] if len(theirs) >= FAILURES else self._failures[0][0]
        raise TooMany(max(1, round((first + FORGET - now).total_seconds())))
