"""Members of a booking system's JSON: whatever comes, a ledger can hold what is made of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calferry.sources.clicrdv import ids
from calferry.sources.fields import id_of, number_of, part_of, says_yes, text_of, word_of


@given(st.text())
def test_texts_can_be_held_by_every_ledger(text: str) -> None:
    kept = text_of(text)
    assert "\0" not in kept
    assert kept.encode().decode() == kept
    assert text_of(kept) == kept


@pytest.mark.parametrize("told", ["7", "\x007", "7\0", " \0 7\0\0", 7, 7.0])
def test_an_id_is_the_same_with_a_nul_in_it_and_without(told: Any) -> None:
    assert id_of({"id": told}) == ids.id_of({"id": told}) == "7"


def test_a_nul_hides_no_letter_from_its_accent() -> None:
    assert text_of("e\0\N{COMBINING ACUTE ACCENT}") == "é"


@pytest.mark.parametrize("told", [None, True, False, 1.5, float("nan"), float("inf"), {}, [], "\0", " "])
def test_what_is_neither_text_nor_whole_number_is_no_text(told: Any) -> None:
    assert (text_of(told), id_of({"id": told}), number_of(told)) == ("", "", None)


@pytest.mark.parametrize("told", [True, 1, "1", "true", "TRUE", "yes"])
def test_yes_is_yes_in_any_spelling(told: Any) -> None:
    assert says_yes(told)
    assert word_of(told)


@pytest.mark.parametrize("told", [False, 0, "0", "false", "", None, 2, {}, "deleted"])
def test_all_else_is_no_yes(told: Any) -> None:
    assert not says_yes(told)


@pytest.mark.parametrize(("told", "number"), [("030", 30), (30, 30), ("123456", None), (-1, None), ("٣", None)])
def test_a_number_has_no_sign_and_no_more_digits_than_it_may(told: Any, number: int | None) -> None:
    assert number_of(told, digits=5) == number


@pytest.mark.parametrize("part", [None, [], "text", 7])
def test_a_member_that_is_no_object_is_an_empty_one(part: Any) -> None:
    assert part_of({"staff": part}, "staff") == {}
