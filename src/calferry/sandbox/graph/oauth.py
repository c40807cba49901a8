"""The token endpoint of the tenant: applications trade a secret, or a signed assertion, for access tokens.

Vendor page: "OAuth 2.0 client credentials flow on the Microsoft identity platform".
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509 import load_pem_x509_certificate

from calferry.sandbox.messages import JsonObject, Request, Response

from .errors import GraphError
from .world import GraphWorld

LIFE = 3599
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class GrantError(Exception):
    """A refusal of the token endpoint."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.content: JsonObject = {"error": error, "error_description": description, "error_codes": []}


@dataclass(frozen=True, slots=True)
class Grant:
    """What an access token stands for; `expires` in seconds since the epoch."""

    client_id: str
    expires: float
    era: int


class TokenDesk:
    """Issues access tokens and knows them again. The clock is the real one: libraries sign with theirs."""

    def __init__(self, world: GraphWorld, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._world = world
        self._now = now
        self._grants: dict[str, Grant] = {}

    def discovery(self, tenant: str, own_url: str) -> Response:
        """GET /TENANT/v2.0/.well-known/openid-configuration, as OpenID Connect Discovery 1.0 has it."""
        if tenant != self._world.tenant:
            return Response.of_json(GrantError(400, "invalid_tenant", "AADSTS90002: Tenant not found.").content, 400)
        base = f"{own_url}/{tenant}"
        return Response.of_json(
            {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
            }
        )

    def issue(self, request: Request, tenant: str, own_url: str) -> Response:
        """POST /TENANT/oauth2/v2.0/token: `{"access_token", "expires_in", "token_type"}`, or an OAuth error."""
        form = {name: values[-1] for name, values in parse_qs(request.body.decode()).items()}
        try:
            client_id = self._client(form, tenant, own_url)
        except GrantError as error:
            return Response.of_json(error.content, error.status)
        token = f"eyJ.sandbox.{secrets.token_urlsafe(16)}"
        self._grants[token] = Grant(client_id, self._now().timestamp() + LIFE, self._world.token_era)
        return Response.of_json({"access_token": token, "expires_in": LIFE, "token_type": "Bearer"})

    def recognise(self, authorization: str | None) -> Grant:
        """The grant behind an `Authorization` header; GraphError 401 for none, an unknown or an expired one."""
        scheme, _, token = (authorization or "").partition(" ")
        grant = self._grants.get(token) if scheme.lower() == "bearer" else None
        if grant is None or grant.era != self._world.token_era or grant.expires <= self._now().timestamp():
            raise GraphError(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.")
        return grant

    def _client(self, form: dict[str, str], tenant: str, own_url: str) -> str:
        if tenant != self._world.tenant:
            raise GrantError(400, "invalid_tenant", "AADSTS90002: Tenant not found.")
        if form.get("grant_type") != "client_credentials":
            raise GrantError(400, "unsupported_grant_type", "AADSTS70003")
        if form.get("scope") != f"{own_url}/.default":
            raise GrantError(400, "invalid_scope", "AADSTS1002012: the scope must end in /.default.")
        client_id = form.get("client_id", "")
        if client_id not in self._world.secrets.keys() | self._world.certificates.keys():
            raise GrantError(400, "unauthorized_client", "AADSTS700016: Application not found in the directory.")
        proven = self._has_signed(client_id, form, f"{own_url}/{tenant}/oauth2/v2.0/token")
        if not proven and self._world.secrets.get(client_id) != form.get("client_secret", ""):
            raise GrantError(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.")
        return client_id

    def _has_signed(self, client_id: str, form: dict[str, str], audience: str) -> bool:
        """Whether the form carries an assertion that the application's certificate signed (RFC 7523)."""
        certificate = self._world.certificates.get(client_id)
        if certificate is None or form.get("client_assertion_type") != ASSERTION:
            return False
        try:
            head, payload, signature = form.get("client_assertion", "").split(".")
            header, claims = json.loads(_decoded(head)), json.loads(_decoded(payload))
            key = load_pem_x509_certificate(certificate).public_key()
            if header.get("alg") != "PS256" or not isinstance(key, rsa.RSAPublicKey):
                return False
            pad = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
            key.verify(_decoded(signature), f"{head}.{payload}".encode(), pad, hashes.SHA256())
        except (ValueError, InvalidSignature):
            return False
        fresh = claims.get("exp", 0) > self._now().timestamp()
        return bool(fresh and claims.get("aud") == audience and claims.get("iss") == claims.get("sub") == client_id)


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
