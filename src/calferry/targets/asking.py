"""Asking until it is settled: how targets that answer each request on its own come to a verdict on each intent. Pure.

What there is to ask, and what the answers mean, every target says in words of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import TypeVar

from calferry.errors import CalferryError
from calferry.model import Intent, Receipt

Verdict = Receipt | CalferryError

ABSENT = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
"""The statuses that say that something is not there."""

Q = TypeVar("Q")
R = TypeVar("R")


def settle(
    intents: Sequence[Intent],
    known: dict[Q, R],
    next_step: Callable[[Intent, Mapping[Q, R]], Q | Verdict],
    send: Callable[[Sequence[Q]], Mapping[Q, R]],
) -> dict[Intent, Verdict]:
    """The verdict on each intent. `next_step` is the next question about one, or the verdict once there is none left;
    `known` are the replies by question, and grows."""
    verdicts: dict[Intent, Verdict] = {}
    open_still = list(intents)
    while open_still:
        steps = {intent: next_step(intent, known) for intent in open_still}
        verdicts |= {intent: step for intent, step in steps.items() if isinstance(step, Receipt | CalferryError)}
        questions = {intent: step for intent, step in steps.items() if not isinstance(step, Receipt | CalferryError)}
        ask(questions.values(), known, send)
        open_still = list(questions)
    return verdicts


def ask(questions: Iterable[Q], known: dict[Q, R], send: Callable[[Sequence[Q]], Mapping[Q, R]]) -> None:
    """Send what is not known yet: a calendar is probed once for all that asks about it."""
    if fresh := [question for question in dict.fromkeys(questions) if question not in known]:
        known.update(send(fresh))
