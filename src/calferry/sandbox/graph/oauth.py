"""The endpoints of the tenant: applications trade a secret or a signed assertion for access tokens, and people who
entered a code in a browser get them, with a refresh token for more.

Vendor pages: "OAuth 2.0 client credentials flow on the Microsoft identity platform", "OAuth 2.0 device authorization
grant flow on the Microsoft identity platform", "Refresh tokens in the Microsoft identity platform".
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs

from calferry.sandbox.messages import JsonObject, Request, Response

from . import devices
from .assertions import has_signed
from .devices import Devices
from .errors import GrantError, GraphError
from .switches import GraphSwitches
from .world import GraphWorld

LIFE = 3599
RESERVED = frozenset({"openid", "profile", "offline_access", "email"})


@dataclass(frozen=True, slots=True)
class Grant:
    """What an access token stands for: an application, or a person (`user`) with `rights`; `expires` in seconds since
    the epoch."""

    client_id: str
    user: str
    rights: frozenset[str]
    expires: float
    era: int


class TokenDesk:
    """Issues tokens and knows them again. The clock is the real one: libraries sign with theirs."""

    def __init__(
        self, world: GraphWorld, switches: GraphSwitches, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.devices = Devices(switches)
        self._world = world
        self._switches = switches
        self._now = now
        self._grants: dict[str, Grant] = {}
        self._refreshing: dict[str, tuple[str, str, int]] = {}

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
                "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            }
        )

    def answer(self, request: Request, tenant: str, own_url: str) -> Response:
        """POST /TENANT/oauth2/v2.0/token or devicecode: what was asked for, or an OAuth error."""
        form = {name: values[-1] for name, values in parse_qs(request.body.decode()).items()}
        try:
            begins = request.path.endswith("/devicecode")
            told = self._begin(form, tenant, own_url) if begins else self._granted(form, tenant, own_url)
        except GrantError as error:
            return Response.of_json(error.content, error.status)
        return Response.of_json(told)

    def recognise(self, authorization: str | None) -> Grant:
        """The grant behind an `Authorization` header; GraphError 401 for none, an unknown or an expired one."""
        scheme, _, token = (authorization or "").partition(" ")
        grant = self._grants.get(token) if scheme.lower() == "bearer" else None
        if grant is None or grant.era != self._world.token_era or grant.expires <= self._now().timestamp():
            raise GraphError(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.")
        return grant

    def _begin(self, form: dict[str, str], tenant: str, own_url: str) -> JsonObject:
        self._check(tenant)
        client_id = self._known(form)
        _rights(form.get("scope", ""), own_url)
        return self.devices.begin(client_id, form["scope"], f"{own_url}/device")

    def _granted(self, form: dict[str, str], tenant: str, own_url: str) -> JsonObject:
        self._check(tenant)
        match form.get("grant_type"):
            case "client_credentials":
                return self._to_application(form, tenant, own_url)
            case devices.GRANT:
                self._may_be_public(form)
                device = self.devices.redeem(form)
                return self._to_person(device.client_id, device.user, device.scope, own_url) | self._refresh_token(
                    device.client_id, device.user
                )
            case "refresh_token":
                self._may_be_public(form)
                user = self._refreshed(form)
                told = self._to_person(form["client_id"], user, form.get("scope", ""), own_url)
                replaced = self._switches.refresh_tokens == "replaced"
                return told | (self._refresh_token(form["client_id"], user) if replaced else {})
            case _:
                raise GrantError(400, "unsupported_grant_type", "AADSTS70003", 70003)

    def _to_application(self, form: dict[str, str], tenant: str, own_url: str) -> JsonObject:
        if form.get("scope") != f"{own_url}/.default":
            raise GrantError(400, "invalid_scope", "AADSTS1002012: the scope must end in /.default.", 1002012)
        client_id = self._known(form)
        proven = has_signed(self._world, form, f"{own_url}/{tenant}/oauth2/v2.0/token", self._now())
        if not proven and self._world.secrets.get(client_id) != form.get("client_secret", ""):
            raise GrantError(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.", 7000215)
        roles = sorted(self._world.roles)
        token = self._token(client_id, "", frozenset(roles), {"roles": roles} if roles else {})
        return {"access_token": token, "expires_in": LIFE, "token_type": "Bearer"}

    def _to_person(self, client_id: str, user: str, scope: str, own_url: str) -> JsonObject:
        """Access and ID token. Consent that was taken back is no longer there to be relied on."""
        rights = _rights(scope, own_url)
        if not rights <= self._world.consented:
            raise GrantError(400, "invalid_grant", "AADSTS65001: The user has not consented.", 65001)
        names = sorted(f"{own_url}/{one}" if self._switches.scopes_told == "full" else one for one in rights)
        return {
            "token_type": "Bearer",
            "scope": " ".join(names),
            "expires_in": LIFE,
            "ext_expires_in": LIFE,
            "access_token": self._token(client_id, user, rights, {"scp": " ".join(sorted(rights))}),
            "id_token": _jwt({"aud": client_id, "sub": user, "oid": user, "preferred_username": user}),
            "client_info": _encoded({"uid": user, "utid": self._world.tenant}),
        }

    def _refresh_token(self, client_id: str, user: str) -> JsonObject:
        token = secrets.token_urlsafe(32)
        self._refreshing[token] = (client_id, user, self._world.sign_in_era)
        return {"refresh_token": token}

    def _refreshed(self, form: dict[str, str]) -> str:
        """Whose refresh token it is. By the vendor's page one that was used stays good; a switch says otherwise."""
        token = form.get("refresh_token", "")
        client_id, user, era = self._refreshing.get(token, ("", "", -1))
        if era != self._world.sign_in_era or client_id != form.get("client_id"):
            raise GrantError(400, "invalid_grant", "AADSTS50173: The provided grant has expired.", 50173)
        if self._switches.spent_refresh_tokens == "refused" and self._switches.refresh_tokens == "replaced":
            del self._refreshing[token]
        return user

    def _check(self, tenant: str) -> None:
        if tenant != self._world.tenant:
            raise GrantError(400, "invalid_tenant", "AADSTS90002: Tenant not found.", 90002)

    def _known(self, form: dict[str, str]) -> str:
        client_id = form.get("client_id", "")
        known = self._world.secrets.keys() | self._world.certificates.keys() | self._world.public
        if client_id not in known:
            raise GrantError(400, "unauthorized_client", "AADSTS700016: Application not found.", 700016)
        return client_id

    def _may_be_public(self, form: dict[str, str]) -> None:
        if self._known(form) not in self._world.public:
            raise GrantError(401, "invalid_client", "AADSTS7000218: client_assertion or client_secret.", 7000218)

    def _token(self, client_id: str, user: str, rights: frozenset[str], claims: JsonObject) -> str:
        token = _jwt({"aud": "https://graph.microsoft.com", "appid": client_id} | claims)
        if self._switches.access_tokens == "opaque":
            token = f"eyJ.sandbox.{secrets.token_urlsafe(16)}"
        self._grants[token] = Grant(client_id, user, rights, self._now().timestamp() + LIFE, self._world.token_era)
        return token


def _rights(scope: str, own_url: str) -> frozenset[str]:
    """The permissions of Graph that a scope asks for, without the names that OpenID Connect reserves."""
    names = set(scope.split()) - RESERVED
    rights = frozenset(name.removeprefix(f"{own_url}/") for name in names)
    if not rights or not all(right.startswith("Calendars.") for right in rights):
        raise GrantError(400, "invalid_scope", "AADSTS70011: The provided value for scope is not valid.", 70011)
    return rights


def _jwt(claims: JsonObject) -> str:
    """In the form of a token; nobody but this sandbox ever verifies one, and that by its text."""
    return f"{_encoded({'typ': 'JWT', 'alg': 'none'})}.{_encoded(claims)}.{secrets.token_urlsafe(16)}"


def _encoded(content: JsonObject) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
