"""Secrets, from where the file says they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

_HOW = 'write { env = "…" }, { file = "…" } or { credential = "…" }'


class SecretError(Exception):
    """A secret that cannot be had; the text says from where, and what to do."""


@dataclass(frozen=True)
class Secrets:
    """Finds secrets in the environment, in files beside the configuration, and in what systemd hands over."""

    directory: Path
    environment: Mapping[str, str]

    def find(self, told: object) -> SecretStr:
        """What { env | file | credential = "…" } leads to. Raises SecretError."""
        match told:
            case {"env": str(name), **others} if not others:
                return self._of_environment(name)
            case {"file": str(name), **others} if not others:
                return _of_file(self.directory / name, "put the secret there, or name another file")
            case {"credential": str(name), **others} if not others:
                return self._of_systemd(name)
            case str():
                msg = f"{_HOW}: a secret does not belong in this file"
            case _:
                msg = f"is a secret; {_HOW}"
        raise SecretError(msg)

    def _of_environment(self, name: str) -> SecretStr:
        text = self.environment.get(name)
        if text is None:
            msg = f"the environment variable {name} is not set; set it for the process that runs calferry"
            raise SecretError(msg)
        return _not_empty(text, f"the environment variable {name}")

    def _of_systemd(self, name: str) -> SecretStr:
        directory = self.environment.get("CREDENTIALS_DIRECTORY")
        if not directory:
            msg = "$CREDENTIALS_DIRECTORY is not set; systemd sets it for a service with LoadCredential="
            raise SecretError(msg)
        return _of_file(Path(directory, name), f"give the service LoadCredential={name}:PATH")


def _of_file(path: Path, remedy: str) -> SecretStr:
    """The text of a secret's file, without the newline at its end. Raises SecretError."""
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        msg = f"{path} cannot be read ({error.strerror}); {remedy}"
        raise SecretError(msg) from None
    except ValueError:  # not UTF-8, or no path at all
        msg = f"{path} is not a text file in UTF-8; {remedy}"
        raise SecretError(msg) from None
    return _not_empty(text.removesuffix("\n").removesuffix("\r"), str(path))


def _not_empty(text: str, where: str) -> SecretStr:
    if not text.strip():
        msg = f"{where} is empty; put the secret there"
        raise SecretError(msg)
    return SecretStr(text)
