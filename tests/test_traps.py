"""Each trap that the systems set is on the page of their adapter, with a test that there is, or why none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_docs import rows

ROOT = Path(__file__).parents[1]

ALL_BOOKINGS = range(61, 66)
"""The numbers of the traps that all booking systems set."""

SOURCES = {
    "clicrdv": {*range(1, 23), *ALL_BOOKINGS},
    "valomnia": {*range(23, 40), *ALL_BOOKINGS},
    "agendize": {*range(40, 61), *ALL_BOOKINGS},
}

ALL_CALENDARS = {1, 5, 12, 13, 16, 30, 40, 41, 43, 45, 46, 48}
"""Those that all calendar systems set, which are numbered by themselves."""

OVER_THE_NETWORK = {4, 7, 17, 21, 22, 26, 27, 28, 35, 38, 39, 47, 49}
"""Those of calendars that others keep."""

TARGETS = {
    "google": {*ALL_CALENDARS, *OVER_THE_NETWORK, 2, 8, 11, 19, 20, 25, 37, 51},
    "office365": {*ALL_CALENDARS, *OVER_THE_NETWORK, 9, 10, 14, 18, 23, 24, 29, 36, 42},
    "ical": {*ALL_CALENDARS, 3, 4, 6, 15, 31, 32, 33, 34, 44, 50},
}

KNOWN = SOURCES | TARGETS

HEADS = ("what", "trap")
"""How the second column of a table of traps is called; the first one has no name."""


def page(kind: str) -> str:
    return (ROOT / f"docs/adapters/{kind}.md").read_text(encoding="utf-8")


def traps(kind: str) -> Iterator[tuple[list[int], str, str]]:
    """The numbers, the trap and the proof of every row of the table of traps."""
    table = re.search(rf"^\| \| (?:{'|'.join(HEADS)}) \|.*\n\|[-|]+\n((?:\|.*\n)+)", page(kind), re.MULTILINE)
    assert table, f"{kind}.md has no table of traps"
    for numbers, trap, proof in rows(table[1]):
        yield [int(number) for number in re.findall(r"\d+", numbers)], trap, proof


def cited(text: str) -> list[str]:
    """Tests, classes of tests and their modules."""
    return re.findall(r"`(test_\w+|Test\w+)(?:\.py)?`", text)


def there() -> set[str]:
    """Every test, class of tests and module of tests there is."""
    files = list((ROOT / "tests").rglob("*.py"))
    named = (re.findall(r"^\s*(?:def|class) ([Tt]est\w+)", file.read_text("utf-8"), re.MULTILINE) for file in files)
    return {*(file.stem for file in files), *(name for names in named for name in names)}


@pytest.mark.parametrize("kind", KNOWN)
def test_the_page_of_an_adapter_knows_every_trap(kind: str) -> None:
    assert {number for numbers, _, _ in traps(kind) for number in numbers} == KNOWN[kind]


@pytest.mark.parametrize("kind", KNOWN)
def test_every_trap_has_a_test_or_cannot_happen_by_construction(kind: str) -> None:
    assert [trap for _, trap, proof in traps(kind) if not cited(proof) and "by construction" not in proof] == []


@pytest.mark.parametrize("kind", KNOWN)
def test_every_test_that_the_page_of_an_adapter_names_is_there(kind: str) -> None:
    named = set(cited(page(kind)))
    assert len(named) > 20
    assert named <= there()
