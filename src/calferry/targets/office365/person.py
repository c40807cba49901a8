"""Signing in as a person, with a code that they enter in a browser anywhere, and staying signed in.

Sources: "OAuth 2.0 device authorization grant flow on the Microsoft identity platform", "Refresh tokens in the
Microsoft identity platform", and the documentation of MSAL for Python.
"""

# mypy: disable-error-code="no-untyped-call"
# (MSAL ships no types of its own.)

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from calferry.errors import ConfigError, NotAuthorised, Unavailable
from calferry.targets.office365.signin import CLOSED_TO_US, WRITING, platform, reaching, said, signing_in

if TYPE_CHECKING:
    import httpx
    from msal.application import PublicClientApplication
    from msal.token_cache import SerializableTokenCache

    from calferry.ports import Dialogue
    from calferry.targets.office365.settings import Settings
    from calferry.tokens import TokenFile

OVER = CLOSED_TO_US | {"interaction_required", "login_required", "consent_required"}
"""OAuth's words for a sign-in that only a person can renew."""

UNFINISHED = {
    "authorization_pending": "nobody entered the code in time",
    "expired_token": "nobody entered the code in time",
    "code_expired": "nobody entered the code in time",
    "authorization_declined": "it was declined",
    "access_denied": "it was declined",
    "bad_verification_code": "the code was not taken",
    "invalid_client": "set Allow public client flows to Yes in the app registration, under Authentication",
    "unauthorized_client": "check tenant and client_id",
    "invalid_scope": "check root_url, and the API permissions of the app registration",
    "invalid_grant": "the organisation's rules do not let this sign-in pass",
}
"""Why nobody was signed in, or what to look at."""

A_MINUTE = 60.0


class _Held(NamedTuple):
    """An access token in memory; `until` is a reading of the monotonic clock, in seconds."""

    token: str
    until: float


class Person:
    """Signs in as `settings.user` with what `connect` left in the token file.

    MSAL's cache is read anew whenever another process has written it, and written whenever it has changed, under the
    file's lock: refresh tokens are replaced while they are used.
    """

    def __init__(self, name: str, settings: Settings, tokens: TokenFile) -> None:
        self._name = name
        self._settings = settings
        self._tokens = tokens
        self._renewing = threading.Lock()
        self._held: _Held | None = None
        self._refused = ""

    def token(self, client: httpx.Client) -> str:
        with self._renewing:
            if self._held is None or self._held.until <= time.monotonic():
                self._held = self._renewed(client)
            return self._held.token

    def forget(self, client: httpx.Client) -> None:  # noqa: ARG002 (an application asks it)
        with self._renewing:
            self._refused, self._held = (self._held.token if self._held else ""), None

    def connect(self, client: httpx.Client, dialogue: Dialogue) -> Iterator[str]:
        result = self._signed_in(client, dialogue)
        rights = [one.rpartition("/")[2] for one in str(result.get("scope")).split() if "Calendars." in one]
        yield f"signed in as {self._settings.user}, with {', '.join(sorted(rights)) or 'no right to calendars'}"
        yield f"its tokens are kept in {self._tokens.path}, for that file's owner alone"
        yield "they are renewed while they are used; how long they would last unused (often 90 days) nobody tells"

    def _signed_in(self, client: httpx.Client, dialogue: Dialogue) -> Mapping[str, Any]:
        """Let the person enter a code, and keep what comes of it. MSAL's result of it."""
        from msal.token_cache import SerializableTokenCache

        cache = SerializableTokenCache()
        application = self._application(client, cache)
        with reaching(), signing_in():
            flow = application.initiate_device_flow(self.scopes)
        if "user_code" not in flow:
            raise self._not_signed_in(flow)
        with reaching(), signing_in():
            self._ask(flow, dialogue)
            result: dict[str, Any] = application.acquire_token_by_device_flow(flow)
        if "access_token" not in result:
            raise self._not_signed_in(result)
        self._check_who(result)
        with self._renewing, self._tokens.alone():
            self._tokens.write(cache.serialize())
            self._held = None
        return result

    def _ask(self, flow: Mapping[str, Any], dialogue: Dialogue) -> None:
        dialogue.tell(f"Open {flow['verification_uri']} in a browser, on this machine or any other,")
        dialogue.tell(f"enter the code {flow['user_code']}, and sign in as {self._settings.user}.")
        dialogue.tell(f"Waiting for at most {flow['expires_in'] // 60} minutes; Ctrl-C gives up.")
        dialogue.open(flow["verification_uri"])

    @property
    def scopes(self) -> list[str]:
        """The least that does: other people's calendars take a right of their own. MSAL adds `offline_access`."""
        alone = self._settings.allow == (self._settings.user,)
        rights = (WRITING,) if alone else (WRITING, f"{WRITING}.Shared")
        return [f"{self._settings.root_url}/{right}" for right in rights]

    def _renewed(self, client: httpx.Client) -> _Held:
        """An access token from the file, or bought for the refresh token in it."""
        try:
            with self._tokens.alone():
                return self._bought(client)
        except ConfigError as problem:
            raise NotAuthorised(str(problem)) from None

    def _bought(self, client: httpx.Client) -> _Held:
        from msal.token_cache import SerializableTokenCache

        cache = SerializableTokenCache()
        cache.deserialize(self._kept())
        application = self._application(client, cache)
        accounts = application.get_accounts(self._settings.user)
        if not accounts:
            raise self._nobody()
        if lasting := self._lasting(cache, accounts[0]):
            return lasting
        with signing_in():
            result = application.acquire_token_silent_with_error(self.scopes, accounts[0], force_refresh=True)
        if result is None:
            raise self._nobody()
        if "access_token" not in result:
            raise self._not_renewed(result)
        for other in self._access_tokens(cache, accounts[0]):
            if other["secret"] != result["access_token"]:
                cache.remove_at(other)
        self._tokens.write(cache.serialize())
        return _Held(result["access_token"], time.monotonic() + float(result["expires_in"]) - A_MINUTE)

    def _lasting(self, cache: SerializableTokenCache, account: Mapping[str, Any]) -> _Held | None:
        """The access token that this or another process bought last, while it lasts and Graph takes it.

        MSAL itself looks for one by the names of its rights, which come back in more than one form.
        """
        for one in self._access_tokens(cache, account):
            left = int(one["expires_on"]) - time.time() - A_MINUTE
            if left > 0 and one["secret"] != self._refused:
                return _Held(one["secret"], time.monotonic() + left)
        return None

    def _access_tokens(self, cache: SerializableTokenCache, account: Mapping[str, Any]) -> list[dict[str, Any]]:
        owned = {"client_id": self._settings.client_id, "home_account_id": account["home_account_id"]}
        return list(cache.search(cache.CredentialType.ACCESS_TOKEN, query=owned))

    def _not_renewed(self, result: Mapping[str, Any]) -> NotAuthorised | Unavailable:
        word = said(result)
        if word.partition(" ")[0] not in OVER:
            return Unavailable(f"Microsoft's token endpoint gave no usable answer ({word}).")
        return self._over(f"Microsoft does not take the sign-in of {self._settings.user} any more ({word})")

    def _kept(self) -> str:
        text = self._tokens.read()
        try:
            whole = not text or isinstance(json.loads(text), dict)
        except (ValueError, RecursionError):
            whole = False
        if not whole:
            what = f"{self._tokens.path} holds no tokens of Microsoft's"
            raise self._over(what)
        return text

    def _application(self, client: httpx.Client, cache: SerializableTokenCache) -> PublicClientApplication:
        from msal.application import PublicClientApplication

        with reaching(), signing_in():
            return PublicClientApplication(
                self._settings.client_id, token_cache=cache, **platform(self._settings, client)
            )

    def _check_who(self, result: Mapping[str, Any]) -> None:
        claims = result.get("id_token_claims")
        who = str(claims.get("preferred_username") or "") if isinstance(claims, Mapping) else ""
        if who.lower() != self._settings.user:
            msg = (
                f"It was {who or 'somebody without a name'} who signed in, and {self._settings.user} (`user`) who "
                "should have; nothing was kept. Sign out in the browser first, or use a private window."
            )
            raise NotAuthorised(msg)

    def _not_signed_in(self, result: Mapping[str, Any]) -> NotAuthorised | Unavailable:
        word = said(result)
        reason = UNFINISHED.get(word.partition(" ")[0])
        if reason is None:
            return Unavailable(f"Microsoft's answer to the sign-in cannot be used ({word}).")
        return NotAuthorised(f"Nobody was signed in for targets.{self._name} ({word}): {reason}.")

    def _nobody(self) -> NotAuthorised:
        return self._over(f"Nobody has signed in as {self._settings.user} with this client_id")

    def _over(self, what: str) -> NotAuthorised:
        return NotAuthorised(f"{what}; run `calferry connect {self._name}`.")
