"""Every trap of Google Calendar is on its page, with a test that there is, or why none is needed."""

from __future__ import annotations

from tests.test_traps import cited, page, there, traps

NUMBERS = {1, 2, 4, 5, 7, 8, 11, 12, 13, 16, 17, 19, 20, 21, 22, 25, 26, 27, 28, 30}
NUMBERS |= {35, 37, 38, 39, 40, 41, 43, 45, 46, 47, 48, 49, 51}
"""Those that Google sets, by itself or among others."""


def test_the_page_knows_every_trap() -> None:
    assert {number for numbers, _, _ in traps("google") for number in numbers} == NUMBERS


def test_every_trap_has_a_test_or_cannot_happen_by_construction() -> None:
    assert [trap for _, trap, proof in traps("google") if not cited(proof) and "by construction" not in proof] == []


def test_every_test_that_the_page_names_is_there() -> None:
    assert set(cited(page("google"))) <= there()
