"""Whom we act as: the credentials of a lane, and what it means when Google does not accept them.

Sources: "Using OAuth 2.0 for Server to Server Applications", "OAuth 2.0 for iOS & Desktop Apps" and "Refresh token
expiration" in Google's identity guides; RFC 6749, section 5.2.
"""

# mypy: disable-error-code="no-untyped-call"
# (Google's libraries ship no types of their own.)

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from calferry.errors import CalferryError, NotAuthorised, Unavailable
from calferry.targets.google.memory import SIGN_IN, kept

if TYPE_CHECKING:
    import google.auth.credentials

    from calferry.targets.google.memory import JsonObject, Memory
    from calferry.targets.google.settings import Settings

DELEGATION = "Workspace's Admin console, Security → API controls → Domain-wide delegation"


class Identity:
    """Whom the target called `name` acts as. `lane` is the address of one of them."""

    def __init__(self, name: str, settings: Settings, memory: Memory) -> None:
        self._name = name
        self._settings = settings
        self._memory = memory

    def credentials(self, lane: str) -> google.auth.credentials.Credentials:
        """Credentials without a token yet. Raises NotAuthorised."""
        return self._signed_in() if self._settings.installed else self._service_account(lane)

    def _service_account(self, lane: str) -> google.auth.credentials.Credentials:
        from google.oauth2.service_account import Credentials

        key = self._settings.key
        try:
            credentials: Any = Credentials.from_service_account_info(key, scopes=self._settings.scopes)
        except (ValueError, TypeError) as error:
            msg = "The service account's key cannot be read; download a new one and put it into `credentials`."
            raise NotAuthorised(msg) from error
        acting: google.auth.credentials.Credentials = credentials
        return acting if lane == key["client_email"] else credentials.with_subject(lane)

    def _signed_in(self) -> google.auth.credentials.Credentials:
        from google.oauth2.credentials import Credentials

        key, told = self._settings.key, self._kept()
        return Credentials(
            None,
            refresh_token=told["refresh_token"],
            token_uri=key["token_uri"],
            client_id=key["client_id"],
            client_secret=key["client_secret"],
        )

    def _kept(self) -> JsonObject:
        """The sign-in that the configuration speaks of."""
        with kept():
            told = self._memory.part(SIGN_IN)
        said = self._settings
        if not isinstance(told.get("refresh_token"), str):
            msg = f"Nobody has signed in as {said.subject} yet; run `calferry connect {self._name}`."
            raise NotAuthorised(msg)
        wanted = {"client_id": said.key["client_id"], "subject": said.subject, "scopes": list(said.scopes)}
        if other := [name for name, value in wanted.items() if told.get(name) != value]:
            again = f"run `calferry connect {self._name}`"
            msg = f"The sign-in that is kept has another {other[0]} than the configuration; {again}."
            raise NotAuthorised(msg)
        return told

    def refused(self, error: Any, lane: str) -> CalferryError:
        """What a failed renewal means: only the token endpoint's own OAuth error closes a lane."""
        said = error.args[1] if len(error.args) > 1 else None
        word = said.get("error") if isinstance(said, dict) else None
        if error.retryable or not isinstance(word, str):
            return Unavailable("Google's token endpoint gave no usable answer.")
        return NotAuthorised(
            f"Google does not let calferry sign in as {lane} ({word[:64]}): {self._remedy(word, lane)}."
        )

    def _remedy(self, word: str, lane: str) -> str:
        """What is likely, and who does what about it."""
        again = f"run `calferry connect {self._name}`"
        if self._settings.installed and word == "invalid_grant":
            return (
                "it was withdrawn, the password was changed, it was not used for six months, or its app is in "
                f'"Testing", where a sign-in ends after 7 days; {again}'
            )
        if self._settings.installed:
            return f"look at the OAuth client in the Google Cloud console; then {again}"
        account = self._settings.key["client_email"]
        keys = f"the key of {account} was deleted or the account disabled (Google Cloud console, Service accounts)"
        if lane == account:
            return f"{keys}; then {again}"
        scopes = " and ".join(self._settings.scopes)
        if word == "unauthorized_client":
            return f"an administrator delegates {scopes} to {account} ({DELEGATION}); then {again}"
        return f"there is no such user, or {keys}, or {scopes} is not delegated to it ({DELEGATION}); then {again}"
