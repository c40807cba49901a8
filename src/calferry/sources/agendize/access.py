"""Being let in: with key and token, or with access tokens that a refresh token buys.

Vendor's page: "Authentication". The exchange is that of RFC 6749, section 6.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from pydantic import SecretStr

from calferry import http
from calferry.errors import NotAuthorised, Unavailable
from calferry.ports import Clock
from calferry.sources.agendize.refreshing import RefreshToken
from calferry.sources.agendize.settings import Settings

if TYPE_CHECKING:
    import httpx

    from calferry.tokens import TokenFile

EARLY = timedelta(seconds=60)
"""An access token is renewed this long before it expires, and not before half of its life is over."""

FOREVER = timedelta(days=36500)
"""The life of an access token that names none: until it is refused."""


class Bought(NamedTuple):
    """What came with the last access token: whether its life was told, and whether another refresh token came; and
    whether it was bought at `base_url`."""

    told_its_life: bool
    replaced: bool
    at_base_url: bool


class Access:
    """Requests to one Agendize account. Secrets travel in headers, and are never logged."""

    def __init__(self, settings: Settings, clock: Clock, tokens: TokenFile | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._refresh = RefreshToken(settings.refresh_token, tokens) if settings.refresh_token else None
        self._good_until: datetime | None = None
        self.bought: Bought | None = None

    @property
    def secrets(self) -> str:
        """The options that let us in, for a message."""
        return "refresh_token and its application" if self._settings.refresh_token else "api_key and token"

    def get_json(self, path: str, params: Mapping[str, str], *, token_sent: bool) -> http.JsonObject:
        """As `http.get_json`. An access token that is refused though it should be good is renewed once."""
        fresh = self._renewed_if_due()
        try:
            return self._get(path, params, token_sent)
        except NotAuthorised:
            if fresh or self._refresh is None:
                raise
            self._renew(self._refresh)
            return self._get(path, params, token_sent)

    def send(self, method: str, path: str, content: http.JsonObject | None = None) -> http.JsonObject:
        """As `http.send_json`. What was refused was not done: with a renewed access token it is sent once more."""
        fresh = self._renewed_if_due()
        try:
            return http.send_json(self.client, method, path, content)
        except NotAuthorised:
            if fresh or self._refresh is None:
                raise
            self._renew(self._refresh)
            return http.send_json(self.client, method, path, content)

    def answer(self, path: str, asked: Mapping[str, str]) -> tuple[httpx.Response, bytes]:
        """What one GET is answered, of whatever status: for probes, which look at what nothing else would take."""
        self._renewed_if_due()
        return http.answer(self.client, path, asked, f"GET {self.client.base_url.host}{path}")

    def _get(self, path: str, params: Mapping[str, str], token_sent: bool) -> http.JsonObject:
        return http.get_json(self.client, path, params, token_sent=token_sent, charset="latin-1")

    def _renewed_if_due(self) -> bool:
        """Whether the access token was bought just now."""
        if self._refresh is None or (self._good_until and self._clock.now() < self._good_until):
            return False
        self._renew(self._refresh)
        return True

    def _renew(self, refresh: RefreshToken) -> None:
        """Buy an access token. Where another refresh token comes with it, that one holds from then on."""
        with refresh.alone() as held:
            bought_at = self._clock.now()
            answer = self._bought(held)
            another = _header_text(answer.get("refresh_token"))
            replaced = another not in {"", held.get_secret_value()}
            if replaced:
                refresh.replace(SecretStr(another))
            self._take(answer, bought_at, replaced=replaced)

    def _take(self, answer: http.JsonObject, bought_at: datetime, *, replaced: bool) -> None:
        token = _header_text(answer.get("access_token"))
        if not token or answer.get("error") is not None:
            msg = f"{self._token_uri} answered without an access token"
            raise Unavailable(msg)
        self.client.headers["Authorization"] = f"Bearer {token}"
        self._good_until = bought_at + _life(answer.get("expires_in"))
        self.bought = Bought(answer.get("expires_in") is not None, replaced, self._settings.token_uri is None)

    def _bought(self, refresh_token: SecretStr) -> http.JsonObject:
        secret = self._settings.client_secret or SecretStr("")
        form = {
            "grant_type": "refresh_token",
            "refresh_token": refresh_token.get_secret_value(),
            "client_id": self._settings.client_id,
            "client_secret": secret.get_secret_value(),
        }
        parts = urlsplit(self._token_uri)
        with http.client(f"{parts.scheme}://{parts.netloc}", {}, ca_file=self._settings.ca_file) as client:
            return http.post_form(client, parts.path, form, {})

    @property
    def _token_uri(self) -> str:
        return self._settings.token_uri or f"{self._settings.base_url}/o/oauth2/token"

    @cached_property
    def client(self) -> httpx.Client:
        settings = self._settings
        secrets = {"apiKey": settings.api_key, "token": settings.token}
        headers = {name: secret.get_secret_value() for name, secret in secrets.items() if secret}
        client = http.client(settings.base_url, headers, ca_file=settings.ca_file)
        weakref.finalize(self, client.close)
        return client


def _header_text(value: Any) -> str:
    """A token that can travel in a header; empty for anything else."""
    try:
        return http.header_value(value) if isinstance(value, str) else ""
    except ValueError:
        return ""


def _life(seconds: Any) -> timedelta:
    """How long an access token is used."""
    text = str(seconds) if isinstance(seconds, int | str) and not isinstance(seconds, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) < 10):  # noqa: PLR2004 (more is no life but a mistake)
        return FOREVER
    life = timedelta(seconds=int(text))
    return max(life - EARLY, life / 2)
