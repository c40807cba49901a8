"""The token endpoint: service accounts trade signed assertions for access tokens, apps the consent of users.

Vendor pages: "Using OAuth 2.0 for Server to Server Applications", "OAuth 2.0 for iOS & Desktop Apps".
"""

from __future__ import annotations

import base64
import functools
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from calferry.sandbox.discovery import calendar_document
from calferry.sandbox.messages import JsonObject, Request, Response

from .consent import Consent, ConsentDesk
from .errors import CalendarError, GrantError
from .events import Actor
from .world import Account, GoogleWorld

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# Client libraries name Google's own endpoint as the audience wherever they send the assertion.
AUDIENCE = "https://oauth2.googleapis.com/token"
LIFE = 3600
_SKEW = 300


@dataclass(frozen=True, slots=True)
class Grant:
    """What an access token stands for; `expires` in seconds since the epoch, `app` is who asked for it."""

    subject: str
    app: str
    bare: bool
    scopes: frozenset[str]
    expires: float
    era: int

    @property
    def actor(self) -> Actor:
        """On whose behalf its bearer acts."""
        return Actor(self.subject, self.bare)


class TokenDesk:
    """Issues access tokens and knows them again. The clock is the real one: libraries sign with theirs."""

    def __init__(
        self, world: GoogleWorld, consents: ConsentDesk, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._world = world
        self._consents = consents
        self._now = now
        self._grants: dict[str, Grant] = {}

    def issue(self, request: Request, own_url: str) -> Response:
        """POST /token: `{"access_token", "expires_in", "token_type"}`, or an OAuth error with 400 or 401."""
        form = {name: values[-1] for name, values in parse_qs(request.body.decode()).items()}
        try:
            grant, told = self._granted(form, {AUDIENCE, f"{own_url}/token"})
        except GrantError as error:
            return Response.of_json(error.content, error.status)
        token = f"ya29.sandbox.{secrets.token_urlsafe(16)}"
        self._grants[token] = grant
        return Response.of_json({"access_token": token, "expires_in": LIFE - 1, "token_type": "Bearer"} | told)

    def _granted(self, form: Mapping[str, str], audiences: set[str]) -> tuple[Grant, JsonObject]:
        match form.get("grant_type"):
            case "authorization_code":
                consent, told = self._consents.exchange(form)
                return self._on_behalf(consent), told
            case "refresh_token":
                consent, told = self._consents.renew(form)
                return self._on_behalf(consent), told
            case kind if kind == GRANT_TYPE:
                return self._grant(form, audiences), {}
            case _:
                raise GrantError(400, "unsupported_grant_type", "Invalid grant_type")

    def _on_behalf(self, consent: Consent) -> Grant:
        expires = self._now().timestamp() + LIFE
        return Grant(consent.subject, consent.client, False, consent.scopes, expires, self._world.token_era)

    def recognise(self, authorization: str | None) -> Grant:
        """The grant behind an `Authorization` header; CalendarError 401 for none, an unknown or an expired one."""
        scheme, _, token = (authorization or "").partition(" ")
        grant = self._grants.get(token) if scheme.lower() == "bearer" else None
        alive = grant and grant.era == self._world.token_era and grant.expires > self._now().timestamp()
        if grant is None or not alive or grant.subject in self._world.revoked:
            raise CalendarError(401, "authError", "Invalid Credentials")
        return grant

    def _grant(self, form: Mapping[str, str], audiences: set[str]) -> Grant:
        claims, account = self._verified(form.get("assertion", ""))
        now = self._now().timestamp()
        if claims.get("aud") not in audiences:
            raise GrantError(400, "invalid_grant", "Invalid JWT: Failed audience check.")
        if not _timely(claims, now):
            raise GrantError(
                400, "invalid_grant", "Invalid JWT: token must be short-lived and in a reasonable timeframe."
            )
        scopes = frozenset(str(claims.get("scope", "")).split())
        if not scopes or scopes - calendar_document()["auth"]["oauth2"]["scopes"].keys():
            raise GrantError(400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        subject = self._subject(claims, account)
        app = account.client_email
        return Grant(subject, app, subject == app, scopes, now + LIFE, self._world.token_era)

    def _verified(self, assertion: str) -> tuple[JsonObject, Account]:
        try:
            head, payload, signature = assertion.split(".")
            header, claims = json.loads(_decoded(head)), json.loads(_decoded(payload))
            account = self._world.accounts[claims["iss"]]
            key = serialization.load_pem_public_key(account.public_key_pem)
            if header.get("alg") != "RS256" or not isinstance(key, rsa.RSAPublicKey):
                raise GrantError(400, "invalid_grant", "Invalid JWT Signature.")
            key.verify(_decoded(signature), f"{head}.{payload}".encode(), padding.PKCS1v15(), hashes.SHA256())
        except KeyError as error:
            raise GrantError(400, "invalid_grant", "Invalid grant: account not found") from error
        except (ValueError, InvalidSignature) as error:
            raise GrantError(400, "invalid_grant", "Invalid JWT Signature.") from error
        return claims, account

    def _subject(self, claims: JsonObject, account: Account) -> str:
        subject = str(claims.get("sub") or account.client_email)
        if subject in self._world.revoked:
            raise GrantError(400, "invalid_grant", "Token has been expired or revoked.")
        if account.client_email in self._world.disabled:
            raise GrantError(400, "invalid_grant", "Invalid grant: account not found")
        if subject == account.client_email:
            return subject
        if not account.delegated:
            raise GrantError(401, "unauthorized_client", "Client is unauthorized to retrieve access tokens.")
        if subject not in self._world.users:
            raise GrantError(400, "invalid_grant", "Invalid email or User ID")
        return subject


def service_account_info(server_url: str, client_email: str = "ferry@sandbox-project.example") -> JsonObject:
    """A key file's content, with a key made in this process; `token_uri` is the sandbox's."""
    pem = _private_key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "type": "service_account",
        "project_id": "sandbox-project",
        "private_key_id": "sandbox",
        "private_key": pem.decode(),
        "client_email": client_email,
        "client_id": "100000000000000000001",
        "token_uri": f"{server_url}/token",
    }


def public_key_pem() -> bytes:
    """The public half of the key that `service_account_info` gives out."""
    public = _private_key().public_key()
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@functools.cache
def _private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _timely(claims: JsonObject, now: float) -> bool:
    try:
        issued, expires = float(claims["iat"]), float(claims["exp"])
    except (KeyError, TypeError, ValueError):
        return False
    return issued - _SKEW <= now <= expires and expires - issued <= LIFE
