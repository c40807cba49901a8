"""Codes that a person enters in a browser. Vendor page: "OAuth 2.0 device authorization grant flow on the Microsoft
identity platform"; RFC 8628.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from calferry.sandbox.messages import JsonObject

from .errors import GrantError
from .switches import GraphSwitches

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
LIFE = 900


@dataclass(slots=True)
class Device:
    """What asked for a code; `user` once somebody entered it, `declined` once somebody would not sign in."""

    client_id: str
    scope: str
    user_code: str
    user: str = ""
    declined: bool = False
    over: bool = False


class Devices:
    """The devices that wait for their person."""

    def __init__(self, switches: GraphSwitches) -> None:
        self._switches = switches
        self._waiting: dict[str, Device] = {}

    def begin(self, client_id: str, scope: str, page: str) -> JsonObject:
        """POST /TENANT/oauth2/v2.0/devicecode."""
        user_code = "".join(secrets.choice("BCDFGHJKLMNPQRSTVWXZ") for _ in range(9))
        device_code = secrets.token_urlsafe(32)
        self._waiting[device_code] = Device(client_id, scope, user_code)
        return {
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": page,
            "expires_in": LIFE,
            "interval": self._switches.poll_interval,
            "message": f"To sign in, use a web browser to open the page {page} and enter the code {user_code}.",
        }

    def redeem(self, form: dict[str, str]) -> Device:
        """The device whose code was entered; GrantError until it was, and where it never will be."""
        device = self._waiting.get(form.get("device_code", ""))
        if device is None or device.client_id != form.get("client_id"):
            raise GrantError(400, "bad_verification_code", "The device_code is not recognised.")
        if self._switches.slow_downs:
            self._switches.slow_downs -= 1
            raise GrantError(400, "slow_down", "Polled too often.")
        if device.over:
            raise GrantError(400, "expired_token", "AADSTS70019: Verification code expired.", 70019)
        if device.declined:
            raise GrantError(400, "authorization_declined", "The end user denied the authorization request.")
        if not device.user:
            raise GrantError(400, "authorization_pending", "AADSTS70016: Authorization is pending.", 70016)
        del self._waiting[form["device_code"]]
        return device

    def enter(self, user_code: str, user: str) -> None:
        """Somebody enters the code and signs in."""
        self._by_code(user_code).user = user

    def decline(self, user_code: str) -> None:
        """Somebody enters the code and does not want to."""
        self._by_code(user_code).declined = True

    def expire(self) -> None:
        """A quarter of an hour passes."""
        for device in self._waiting.values():
            device.over = True

    def _by_code(self, user_code: str) -> Device:
        return next(one for one in self._waiting.values() if one.user_code == user_code)
