"""Where users let installed apps in: the page in their browser, and the codes and refresh tokens it leads to.

Vendor page: "OAuth 2.0 for iOS & Desktop Apps".
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from calferry.sandbox.discovery import calendar_document
from calferry.sandbox.messages import JsonObject, Request, Response

from .errors import GrantError
from .switches import GoogleSwitches
from .world import GoogleWorld

TESTING = timedelta(days=7)
"""How long a sign-in lasts whose app is in "Testing"."""

_IDENTITY = frozenset({"openid", "email"})


@dataclass(frozen=True, slots=True)
class Consent:
    """What somebody allowed an app; `ends` where it was for a time."""

    client: str
    subject: str
    scopes: frozenset[str]
    redirect: str = ""
    challenge: str = ""
    ends: datetime | None = None


class ConsentDesk:
    """The page, with whoever sits at the browser, and what its codes are worth."""

    def __init__(self, world: GoogleWorld, switches: GoogleSwitches, now: Callable[[], datetime]) -> None:
        self._world = world
        self._switches = switches
        self._now = now
        self._codes: dict[str, Consent] = {}
        self._refresh: dict[str, Consent] = {}

    def page(self, request: Request) -> Response:
        """GET /o/oauth2/v2/auth: back to the app with a code, or with an error; 400 for what is no such request."""
        asked = {name: values[-1] for name, values in request.query.items()}
        redirect = urlsplit(asked.get("redirect_uri", ""))
        if asked.get("client_id") not in self._world.clients or redirect.hostname not in ("127.0.0.1", "localhost"):
            return Response(400, b"Error 400: invalid_request", "text/html; charset=utf-8")
        scopes = frozenset(asked.get("scope", "").split())
        known = _IDENTITY | calendar_document()["auth"]["oauth2"]["scopes"].keys()
        proven = asked.get("code_challenge_method") == "S256" and asked.get("code_challenge")
        if asked.get("response_type") != "code" or not scopes or scopes - known or not proven:
            return Response(400, b"Error 400: invalid_request", "text/html; charset=utf-8")
        told = self._decided(asked, scopes) | {"state": asked.get("state", "")}
        return Response(302, headers={"Location": f"{asked['redirect_uri']}?{urlencode(told)}"})

    def _decided(self, asked: Mapping[str, str], scopes: frozenset[str]) -> dict[str, str]:
        user = self._world.at_the_browser or asked.get("login_hint", "")
        if self._world.declines or user not in self._world.users:
            return {"error": "access_denied"}
        code = f"4/{secrets.token_urlsafe(24)}"
        granted = scopes - self._world.unticked
        offline = TESTING if self._switches.app_in_testing else None
        self._codes[code] = Consent(
            client=asked["client_id"],
            subject=user,
            scopes=granted,
            redirect=asked["redirect_uri"],
            challenge=asked["code_challenge"],
            ends=self._now() + offline if offline else None,
        )
        return {"code": code, "scope": " ".join(sorted(granted))}

    def exchange(self, form: Mapping[str, str]) -> tuple[Consent, JsonObject]:
        """A code for tokens, once. The answer says who consented, to what, and until when where that is limited."""
        consent = self._codes.pop(form.get("code", ""), None)
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proof = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
        if consent is None or consent.redirect != form.get("redirect_uri") or consent.challenge != proof:
            raise GrantError(400, "invalid_grant", "Malformed auth code.")
        self._check_client(form, consent)
        token = f"1//{secrets.token_urlsafe(24)}"
        self._refresh[token] = consent
        told: JsonObject = {"refresh_token": token, "scope": " ".join(sorted(consent.scopes))}
        if "openid" in consent.scopes:
            told["id_token"] = _id_token({"sub": "1", "email": consent.subject, "email_verified": True})
        if consent.ends:
            told["refresh_token_expires_in"] = int((consent.ends - self._now()).total_seconds())
        return consent, told

    def renew(self, form: Mapping[str, str]) -> tuple[Consent, JsonObject]:
        """A refresh token for an access token; it stays the same."""
        consent = self._refresh.get(form.get("refresh_token", ""))
        ended = consent and consent.ends and consent.ends <= self._now()
        if consent is None or ended or consent.subject in self._world.revoked:
            raise GrantError(400, "invalid_grant", "Token has been expired or revoked.")
        self._check_client(form, consent)
        return consent, {"scope": " ".join(sorted(consent.scopes))}

    def _check_client(self, form: Mapping[str, str], consent: Consent) -> None:
        client = form.get("client_id", "")
        if client != consent.client or self._world.clients.get(client) != form.get("client_secret"):
            raise GrantError(401, "invalid_client", "The OAuth client was not found.")


def installed_client(server_url: str, client_id: str, secret: str) -> JsonObject:
    """What the console lets one download for an OAuth client of the type "Desktop app"."""
    return {
        "installed": {
            "client_id": client_id,
            "project_id": "sandbox-project",
            "auth_uri": f"{server_url}/o/oauth2/v2/auth",
            "token_uri": f"{server_url}/token",
            "client_secret": secret,
            "redirect_uris": ["http://localhost"],
        }
    }


def _id_token(claims: Mapping[str, Any]) -> str:
    parts = (json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT"}, claims))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (*parts, b"signature"))
