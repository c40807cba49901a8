"""Signing in with a browser, once: the authorization code flow of an installed app, with PKCE.

Sources: "OAuth 2.0 for iOS & Desktop Apps" in Google's identity guides; RFC 8252 (native apps), RFC 7636 (PKCE).
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from calferry.errors import NotAuthorised, Unavailable
from calferry.targets.google.memory import SIGN_IN, Memory

if TYPE_CHECKING:
    import httpx

    from calferry.ports import Clock, Dialogue
    from calferry.targets.google.settings import Settings

PATIENCE = 300.0
"""Seconds to wait for somebody to sign in."""

WHO = ("openid", "email")
"""What besides is asked for, to know who has signed in: whoever picks another account is not to be taken for `subject`.
"""

_DONE = b"<!DOCTYPE html><meta charset=utf-8><title>calferry</title><p>This page can be closed. See the terminal."
_OK = 200


@dataclass(frozen=True)
class SignIn:
    """One sign-in to the target called `name`."""

    name: str
    settings: Settings
    memory: Memory
    client: httpx.Client
    clock: Clock

    def run(self, dialogue: Dialogue) -> Iterator[str]:
        """Somebody signs in; what that leaves behind is kept. Yields sentences about it.

        Raises NotAuthorised, Unavailable, ConfigError.
        """
        verifier, state = secrets.token_urlsafe(64), secrets.token_urlsafe(32)
        with _Listener(state) as listener:
            redirect = f"http://127.0.0.1:{listener.server_port}"
            address = self._page(redirect, verifier, state)
            if dialogue.open(address):
                dialogue.tell(
                    f"A browser shows Google's page; sign in there as {self.settings.subject}.\nIf not: {address}"
                )
                answered = listener.wait(PATIENCE)
            else:
                answered = None
        if answered is None:
            answered = self._pasted(dialogue, address)
        tokens = self._exchanged(self._code(answered, state), redirect, verifier)
        yield from self._kept(tokens)

    def _page(self, redirect: str, verifier: str, state: str) -> str:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "client_id": self.settings.key["client_id"],
            "redirect_uri": redirect,
            "response_type": "code",
            "scope": " ".join((*WHO, *self.settings.scopes)),
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "state": state,
            "access_type": "offline",
            "prompt": "consent",
            "login_hint": self.settings.subject,
        }
        return f"{self.settings.key['auth_uri']}?{urlencode(asked)}"

    def _pasted(self, dialogue: Dialogue, address: str) -> str:
        dialogue.tell(
            f"Open this page in a browser, on whatever machine, and sign in as {self.settings.subject}:\n{address}\n"
            "It ends at an address that begins with http://127.0.0.1 and does not load there. Copy that address."
        )
        return dialogue.ask("Paste the address here:")

    def _code(self, address: str, state: str) -> str:
        """The code that the address we were led back to carries."""
        try:
            told = {name: values[-1] for name, values in parse_qs(urlsplit(address).query).items()}
        except ValueError:  # whatever was pasted, it is no address
            told = {}
        if not secrets.compare_digest(told.get("state", "").encode(errors="replace"), state.encode()):
            msg = f"That address does not belong to this sign-in; run `calferry connect {self.name}` again."
            raise NotAuthorised(msg)
        if "code" not in told:
            msg = (
                f"Google let nobody in ({told.get('error', 'no code')[:64]}); run `calferry connect {self.name}` again."
            )
            raise NotAuthorised(msg)
        return told["code"]

    def _exchanged(self, code: str, redirect: str, verifier: str) -> dict[str, Any]:
        """The tokens that a code is exchanged for."""
        key = self.settings.key
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": redirect,
            "client_id": key["client_id"],
            "client_secret": key["client_secret"],
        }
        response = self.client.post(key["token_uri"], data=form)
        try:
            told = response.json()
        except ValueError:
            told = None
        if isinstance(told, dict) and response.status_code == _OK and isinstance(told.get("access_token"), str):
            return told
        word = told.get("error") if isinstance(told, dict) else None
        if response.status_code == _OK or not isinstance(word, str):
            msg = f"Google's token endpoint gave no usable answer ({response.status_code})."
            raise Unavailable(msg)
        msg = f"Google let nobody in ({word[:64]}); run `calferry connect {self.name}` again."
        raise NotAuthorised(msg)

    def _kept(self, tokens: dict[str, Any]) -> Iterator[str]:
        """Keep a sign-in that is the one the configuration speaks of, with all the rights that were asked for."""
        said, address = self.settings, _address(tokens.get("id_token"))
        if address != said.subject:
            msg = f"{address or 'Somebody else'} has signed in, but `subject` is {said.subject}; nothing was kept."
            raise NotAuthorised(msg)
        missing = [scope for scope in said.scopes if scope not in str(tokens.get("scope")).split()]
        if missing:
            msg = f"The right {missing[0]} was not granted; run `calferry connect {self.name}` again and tick its box."
            raise NotAuthorised(msg)
        if not isinstance(tokens.get("refresh_token"), str):
            msg = "Google gave no refresh token, without which the sign-in would end within the hour; nothing was kept."
            raise Unavailable(msg)
        ends = _end(tokens.get("refresh_token_expires_in"), self.clock.now())
        left = {
            "client_id": said.key["client_id"],
            "subject": said.subject,
            "scopes": list(said.scopes),
            "refresh_token": tokens["refresh_token"],
            "ends": ends.isoformat() if ends else "",
        }
        self.memory.change(SIGN_IN, lambda kept: kept.update(left))
        yield f"signed in as {said.subject}, with no more than {' and '.join(said.scopes)}"
        if ends:
            yield f'it ends on {ends:%Y-%m-%d %H:%M} UTC: the app is in "Testing", or access was given for a time'
        yield f"it is kept in {self.memory.place}"


class _Listener(HTTPServer):
    """Waits on this machine for the browser to come back. Nothing is read but the address it comes with."""

    def __init__(self, state: str) -> None:
        self.state = state
        self.answered: str | None = None
        super().__init__(("127.0.0.1", 0), _Return)

    def server_bind(self) -> None:
        # HTTPServer's own version asks the resolver for a host name, which may leave the machine.
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "127.0.0.1", int(self.socket.getsockname()[1])

    def wait(self, seconds: float) -> str | None:
        """The address the browser was led back to; None when nobody came in time."""
        deadline = time.monotonic() + seconds
        while self.answered is None and (left := deadline - time.monotonic()) > 0:
            self.timeout = left
            self.handle_request()
        return self.answered


class _Return(BaseHTTPRequestHandler):
    server: _Listener
    timeout = 10

    def do_GET(self) -> None:
        told = parse_qs(urlsplit(self.path).query)
        if told.get("state") == [self.server.state]:  # a browser asks for an icon, too, and any page may lead it here
            self.server.answered = self.path
        self.send_response(_OK)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(_DONE)))
        self.end_headers()
        self.wfile.write(_DONE)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
        """Say nothing: the address holds the code."""


def _address(id_token: object) -> str:
    """Who has signed in. The token comes from Google itself over TLS, so its signature proves nothing more (OpenID
    Connect Core 1.0, section 3.1.3.7)."""
    try:
        payload = str(id_token).split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims["email"]).lower()
    except (IndexError, ValueError, KeyError, TypeError):
        return ""


def _end(seconds: object, now: datetime) -> datetime | None:
    """When a refresh token ends of which Google says how long it lives."""
    return now + timedelta(seconds=seconds) if isinstance(seconds, int) and 0 < seconds < 10**9 else None
