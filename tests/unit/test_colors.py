"""Which colour of a palette is called the same as one of CSS."""

from __future__ import annotations

import pytest

from calferry.colors import NAMES, nearest_color
from calferry.targets.google.events import COLORS

NEAREST = {
    "tomato": "red darkred crimson brown",
    "lightcoral": "salmon pink",
    "orange": "gold yellow olive khaki",
    "green": "darkgreen forestgreen seagreen",
    "mediumseagreen": "aquamarine teal",
    "deepskyblue": "skyblue",
    "royalblue": "blue navy",
    "darkorchid": "purple violet magenta",
    "dimgray": "black gray silver white beige slategray",
}


@pytest.mark.parametrize(("nearest", "name"), [(one, name) for one, names in NEAREST.items() for name in names.split()])
def test_a_colour_becomes_the_one_that_people_would_call_the_same(nearest: str, name: str) -> None:
    assert nearest_color(name, COLORS) == nearest


def test_a_colour_of_the_palette_is_its_own_nearest() -> None:
    assert [nearest_color(name, COLORS) for name in COLORS] == [*COLORS]


def test_every_name_has_one_and_all_of_them_are_used() -> None:
    assert {nearest_color(name, COLORS) for name in NAMES} == set(COLORS)


def test_where_nothing_is_grey_a_grey_is_the_lightness_that_comes_nearest() -> None:
    assert nearest_color("black", {"pink": 0xFFC0CB, "navy": 0x000080}) == "navy"
