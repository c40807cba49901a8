"""OAuth 2 for one account: access tokens for refresh tokens. Vendor page: "Authentication"."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from urllib.parse import parse_qs

from calferry.sandbox.messages import Request, Response

from .switches import AgendizeSwitches
from .world import AgendizeWorld

TOKEN_PATH = "/o/oauth2/token"  # noqa: S105 (a path)


class Access:
    """One application with a client id, a client secret and the refresh token its user once got for it."""

    def __init__(self, world: AgendizeWorld, switches: AgendizeSwitches) -> None:
        self.client_id, self.client_secret, self.refresh_token = "app-1", "sandbox-client", "sandbox-refresh"
        self.life = timedelta(hours=1)
        self._world = world
        self._switches = switches
        self._issued: dict[str, datetime] = {}

    def withdraw(self) -> None:
        """Refuse every access token issued so far, whatever it said of its life."""
        self._issued.clear()

    def admits(self, request: Request) -> bool:
        """Whether a request bears an access token that is good now."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        good_until = self._issued.get(token)
        return kind == "Bearer" and good_until is not None and self._world.now() < good_until

    def exchange(self, request: Request) -> Response:
        """Form-encoded, as RFC 6749, sections 5 and 6, have it; the vendor's page shows no more than that."""
        form = {name: values[-1] for name, values in parse_qs(request.body.decode()).items()}
        if request.method != "POST" or form.get("grant_type") != "refresh_token":
            return Response.of_json({"error": "unsupported_grant_type"}, 400)
        if (form.get("client_id"), form.get("client_secret")) != (self.client_id, self.client_secret):
            return Response.of_json({"error": "invalid_client"}, 401)
        if form.get("refresh_token") != self.refresh_token:
            return Response.of_json({"error": "invalid_grant"}, 400)
        token = secrets.token_urlsafe(18)
        self._issued[token] = self._world.now() + self.life
        content: dict[str, object] = {"access_token": token, "token_type": "Bearer"}
        if not self._switches.omit_expiry:
            content["expires_in"] = int(self.life.total_seconds())
        if self._switches.rotate_refresh_tokens:
            content["refresh_token"] = self.refresh_token = secrets.token_urlsafe(18)
        return Response.of_json(content)
