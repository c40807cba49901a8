"""Who calferry is to Microsoft's identity platform, and what it takes for MSAL to speak through our client.

An application with a secret or a certificate of its own is here; a person is in `person`. Sources: "OAuth 2.0 client
credentials flow on the Microsoft identity platform", and the documentation of MSAL for Python.
"""

# mypy: disable-error-code="no-untyped-call"
# (MSAL ships no types of its own.)

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from calferry import http
from calferry.errors import NotAuthorised, Unavailable

if TYPE_CHECKING:
    import httpx
    from msal.application import ConfidentialClientApplication

    from calferry.ports import Dialogue
    from calferry.targets.office365.settings import Settings

CLOSED_TO_US = frozenset({"invalid_client", "unauthorized_client", "invalid_grant", "access_denied", "invalid_scope"})
"""OAuth's words for a sign-in that no second attempt mends (RFC 6749, section 5.2)."""

WRITING = "Calendars.ReadWrite"
"""The right that it takes, as an application and as a person."""

BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


class SignIn(Protocol):
    """Buys access tokens. All of it raises NotAuthorised and Unavailable, `connect` also ConfigError."""

    def token(self, client: httpx.Client) -> str:
        """An access token for Graph: from memory while it lasts."""
        ...

    def forget(self, client: httpx.Client) -> None:
        """Graph does not take the last token: the next one shall be another."""
        ...

    def connect(self, client: httpx.Client, dialogue: Dialogue) -> Iterator[str]:
        """Sign in anew, and say what came of it (see `ports.Connecting`)."""
        ...


class Application:
    """Signs in as itself."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._opening = threading.Lock()
        self._opened: ConfidentialClientApplication | None = None

    def token(self, client: httpx.Client) -> str:
        application = self._application(client)
        with signing_in():
            result = application.acquire_token_for_client([f"{self._settings.root_url}/.default"])
        token = result.get("access_token")
        if isinstance(token, str):
            return token
        word = said(result)
        if word.partition(" ")[0] not in CLOSED_TO_US:
            msg = f"Microsoft's token endpoint gave no usable answer ({word})."
            raise Unavailable(msg)
        msg = (
            f"Microsoft does not let calferry sign in as application {self._settings.client_id} ({word}); "
            "check tenant and client_id, and that the secret or certificate has not run out."
        )
        raise NotAuthorised(msg)

    def forget(self, client: httpx.Client) -> None:
        self._application(client).remove_tokens_for_client()

    def connect(self, client: httpx.Client, dialogue: Dialogue) -> Iterator[str]:  # noqa: ARG002 (nobody is asked)
        claims = claims_of(self.token(client))
        yield f"signed in as application {self._settings.client_id} of {self._settings.tenant}"
        yield _rights(claims)
        ends = certificate_ends(self._settings)
        if ends is None:
            yield "when its client secret ends only an administrator can see; note the day (a certificate tells it)"
        else:
            yield f"its certificate is good until {ends:%Y-%m-%d}"

    def lacks_writing(self, client: httpx.Client) -> bool:
        """Whether the token says that calendars may be read, and not that they may be written."""
        roles = _calendar_roles(claims_of(self.token(client)))
        return bool(roles) and WRITING not in roles

    def _application(self, client: httpx.Client) -> ConfidentialClientApplication:
        """MSAL's side of us. It asks the authority for its endpoints, once."""
        from msal.application import ConfidentialClientApplication

        with self._opening:
            if self._opened is None:
                credential = _credential(self._settings)
                with signing_in():
                    self._opened = ConfidentialClientApplication(
                        self._settings.client_id, client_credential=credential, **platform(self._settings, client)
                    )
            return self._opened


def platform(settings: Settings, client: httpx.Client) -> dict[str, Any]:
    """Where MSAL asks, and through what: without instance discovery nobody else is asked, and tokens and calendars
    share one client, and with it time-outs, certificate authorities and proxies."""
    authority = f"{settings.authority}/{settings.tenant}"
    return {"authority": authority, "instance_discovery": False, "http_client": _ForMsal(client)}


class _ForMsal:
    """An httpx client in the shape in which MSAL asks for one ("http_client" of its ClientApplication)."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, url: str, **asked: Any) -> httpx.Response:
        return self._client.get(url, params=asked.get("params"), headers=asked.get("headers"))

    def post(self, url: str, **asked: Any) -> httpx.Response:
        # MSAL has its assertions as bytes, which httpx would write into a form as Python shows them.
        given = {name: value for name, value in asked["data"].items() if value is not None}
        form = {name: value.decode() if isinstance(value, bytes) else value for name, value in given.items()}
        return self._client.post(url, params=asked.get("params"), data=form, headers=asked.get("headers"))

    def close(self) -> None:
        """The client is not MSAL's to close."""


@contextmanager
def reaching() -> Iterator[None]:
    """What can happen on the way to Microsoft, as our own error. Its cause is cut off: some quote what was sent."""
    import httpx

    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        http.count_silence(error)
        msg = f"Microsoft 365 could not be reached ({type(error).__name__})."
        raise Unavailable(msg) from None


@contextmanager
def signing_in() -> Iterator[None]:
    """How MSAL shows an authority's answer that is torn or foreign (a proxy's page), or a tenant that is none."""
    from msal.exceptions import MsalError

    try:
        yield
    except (MsalError, ValueError, LookupError, TypeError, AttributeError, RuntimeError) as error:
        msg = f"Microsoft's answer to the sign-in cannot be used ({type(error).__name__}); check authority and tenant."
        raise Unavailable(msg) from None


def said(result: Mapping[str, Any]) -> str:
    """OAuth's word for a refusal, and Microsoft's number of it; never the sentence, which may quote what was sent."""
    word, codes = result.get("error"), result.get("error_codes")
    numbers = [f"AADSTS{code}" for code in codes if type(code) is int] if isinstance(codes, list) else []
    known = word if isinstance(word, str) and re.fullmatch(r"[a-z_]{1,64}", word) else "no word of OAuth's"
    return " ".join([known, *numbers[:1]])


def claims_of(token: str) -> Mapping[str, Any]:
    """What an access token says of itself, if it is one that says anything: the form of Graph's tokens is Graph's
    affair ("Microsoft identity platform access tokens"). To be shown, and never to be relied upon."""
    parts = token.split(".")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, IndexError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _rights(claims: Mapping[str, Any]) -> str:
    if not claims:
        return "its access token does not say which rights it has; the calendars below tell"
    roles = _calendar_roles(claims)
    if WRITING in roles:
        return f"its access token says {WRITING} (Application): it may write to every mailbox of the tenant"
    if roles:
        return f"its access token says {', '.join(roles)}, and not {WRITING} (Application)"
    return (
        "its access token names no right to calendars: as it should be where RBAC for Applications in Exchange gives "
        "it; the calendars below tell"
    )


def _calendar_roles(claims: Mapping[str, Any]) -> list[str]:
    roles = claims.get("roles")
    return [role for role in roles if str(role).startswith("Calendars.")] if isinstance(roles, list) else []


# ── secrets and certificates ──────────────────────────────────────────────────────────────────────────────────────────


class _Pem(NamedTuple):
    key: str
    certificate: str


def certificate_ends(settings: Settings) -> datetime | None:
    """When (UTC) the certificate ends; None without one, or with one that cannot be read. Of a client secret nobody can
    tell: only an administrator may ask Microsoft."""
    if settings.certificate is None:
        return None
    from cryptography.x509 import load_pem_x509_certificate

    try:
        return load_pem_x509_certificate(_parts(settings).certificate.encode()).not_valid_after_utc
    except ValueError:
        return None


def _credential(settings: Settings) -> str | dict[str, str]:
    """MSAL's form of a secret or of a certificate, whose thumbprint it takes itself. Raises NotAuthorised."""
    if settings.client_secret is not None:
        return settings.client_secret.get_secret_value()
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from cryptography.x509 import load_pem_x509_certificate

    pem = _parts(settings)
    try:
        is_usable = isinstance(load_pem_private_key(pem.key.encode(), None), RSAPrivateKey)
        load_pem_x509_certificate(pem.certificate.encode())
    except (ValueError, TypeError):
        is_usable = False
    if not is_usable:
        msg = "The certificate cannot be read; put its PEM text and that of its RSA private key into `certificate`."
        raise NotAuthorised(msg)
    return {"private_key": pem.key, "public_certificate": pem.certificate}


def _parts(settings: Settings) -> _Pem:
    pem = settings.certificate.get_secret_value() if settings.certificate else ""
    before, begin, rest = pem.partition(BEGIN)
    inside, end, after = rest.partition(END)
    return _Pem(key=before + after, certificate=begin + inside + end)
