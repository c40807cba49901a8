"""The addresses that booking systems call: drawn and kept here first, and only then told to anybody.

What is kept is a random seed and the booking system's id of the hook; the address and what has to come with a call are
made of the seed. So a crash between telling and keeping leaves no hook behind that nobody knows.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from calferry.errors import ConfigError
from calferry.ports import Hook, Hooked, Proof
from calferry.tokens import TokenFile

PATH = "/hooks/"
"""Where calls arrive."""

USER = "calferry"


@dataclass(frozen=True, slots=True)
class Registration:
    """What is kept of one account's hook. `hook` is the booking system's id, '' where it was never answered."""

    seed: str
    hook: str = ""

    @property
    def token(self) -> str:
        """The secret end of the address."""
        return self._made("path")

    @property
    def proof(self) -> Proof:
        return Proof(header=self._made("header"), user=USER, password=self._made("password"))

    def address(self, root: str) -> str:
        return f"{root}{PATH}{self.token}"

    def is_called_by(self, hook: Hook) -> bool:
        """Whether a hook is ours, whatever the address of this machine was when it was made."""
        return hook.address.endswith(f"{PATH}{self.token}")

    def _made(self, purpose: str) -> str:
        digest = hmac.digest(bytes.fromhex(self.seed), purpose.encode(), "sha256")
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


class Register:
    """The registration of one account, in a file for its owner's eyes alone."""

    def __init__(self, file: TokenFile) -> None:
        self._file = file

    def read(self) -> Registration | None:
        """Raises ConfigError."""
        text = self._file.read()
        try:
            kept = json.loads(text) if text else None
            if kept is None:
                return None
            bytes.fromhex(kept["seed"])
            return Registration(seed=kept["seed"], hook=str(kept["hook"]))
        except (ValueError, TypeError, KeyError):
            msg = f"{self._file.path}: is no registration of a hook; remove it, and register the hook again"
            raise ConfigError([msg]) from None

    def hook(self) -> str:
        """The booking system's id of the hook; empty while there is none. Raises ConfigError."""
        kept = self.read()
        return kept.hook if kept else ""

    def write(self, registration: Registration) -> None:
        self._file.write(json.dumps({"seed": registration.seed, "hook": registration.hook}))

    def remove(self) -> None:
        self._file.remove()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Raises LedgerBusy, ConfigError."""
        with self._file.alone():
            yield


def register(source: Hooked, kept: Register, root: str) -> bool:
    """See to it that the booking system calls us at `root`, once. Whether a hook had to be made. Raises as a Source.

    A hook of ours that is switched off, doubled, or calls where we were before, is taken away.
    """
    with kept.alone():
        known = kept.read() or Registration(seed=secrets.token_hex(32))
        kept.write(known)
        address = known.address(root)
        ours = [hook for hook in source.hooks() if known.is_called_by(hook)]
        standing = next((hook for hook in ours if hook.address == address and hook.enabled), None)
        for hook in ours:
            if hook is not standing:
                source.unhook(hook)
        kept.write(replace(known, hook=(standing or source.hook(address, known.proof)).id))
        return standing is None


def remove(source: Hooked, kept: Register) -> int:
    """Have the booking system call us no more, and forget the address. How many hooks it had. Raises as a Source."""
    with kept.alone():
        known = kept.read()
        ours = [hook for hook in source.hooks() if known.is_called_by(hook)] if known else []
        for hook in ours:
            source.unhook(hook)
        kept.remove()
        return len(ours)


def trouble(known: Registration | None, hooks: Sequence[Hook], root: str) -> str:
    """What is wrong with a registered hook, by all hooks of its account; empty where it stands."""
    ours = [hook for hook in hooks if known and known.is_called_by(hook)]
    if not known or not ours:
        return "the booking system does not know of it any more"
    if not any(hook.address == known.address(root) for hook in ours):
        return "the booking system calls an address that is not web.url"
    if not any(hook.enabled for hook in ours):
        return "the booking system has switched it off"
    return "the booking system calls more than once" if len(ours) > 1 else ""
