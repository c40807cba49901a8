"""The bugs that `make mutants` plants can be planted in the sources as they are."""

from __future__ import annotations

import pytest

from tests.mutants import MUTANTS, ROOT, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.bug)
def test_a_bug_has_a_place_and_tests_that_should_notice(mutant: Mutant) -> None:
    text = (ROOT / "src" / "calferry" / mutant.file).read_text(encoding="utf-8")
    assert text.count(mutant.sound) == 1
    compile(text.replace(mutant.sound, mutant.broken), mutant.file, "exec")
    file, _, test = mutant.tests.partition("::")
    assert (ROOT / file).exists()
    assert not test or f"def {test}(" in (ROOT / file).read_text(encoding="utf-8")
