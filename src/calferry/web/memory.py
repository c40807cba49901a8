"""Answers of the ledger, remembered for as long as nothing in it changes."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

Answer = TypeVar("Answer")


class Memory:
    """`version` is another number whenever an answer may be another one; None where nobody can tell: then nothing is
    remembered."""

    def __init__(self, version: Callable[[], int | None]) -> None:
        self._version = version
        self._seen: int | None = None
        self._answers: dict[str, Any] = {}
        self._lock = Lock()

    def at_hand(self, question: str) -> Any:
        """The answer, if it is remembered; else None."""
        version = self._version()
        with self._lock:
            return self._answers.get(question) if version is not None and version == self._seen else None

    def recall(self, question: str, ask: Callable[[], Answer]) -> Answer:
        """The answer to a question, from memory or by asking. What asking raises is not remembered."""
        version = self._version()
        with self._lock:
            if version != self._seen or version is None:
                self._answers.clear()
                self._seen = version
            elif question in self._answers:
                remembered: Answer = self._answers[question]
                return remembered
        answer = ask()
        with self._lock:
            if version == self._seen:  # else it may have been asked for before the change, and be an old one
                self._answers[question] = answer
        return answer
