"""Which of Google's colours comes nearest to one of CSS ("CSS Color Module Level 3", section 4.3)."""

from __future__ import annotations

import pytest

from calferry.sandbox.google.rules import _CHOICES
from calferry.targets.google.colors import EVENT_COLORS, color_id

NEAREST = {
    "red": (0xFF0000, "11"),
    "darkred": (0x8B0000, "11"),
    "crimson": (0xDC143C, "11"),
    "brown": (0xA52A2A, "11"),
    "salmon": (0xFA8072, "4"),
    "pink": (0xFFC0CB, "4"),
    "orange": (0xFFA500, "6"),
    "chocolate": (0xD2691E, "6"),
    "gold": (0xFFD700, "5"),
    "yellow": (0xFFFF00, "5"),
    "olive": (0x808000, "5"),
    "green": (0x008000, "10"),
    "lime": (0x00FF00, "10"),
    "aquamarine": (0x7FFFD4, "2"),
    "teal": (0x008080, "7"),
    "cyan": (0x00FFFF, "7"),
    "skyblue": (0x87CEEB, "7"),
    "blue": (0x0000FF, "9"),
    "navy": (0x000080, "9"),
    "royalblue": (0x4169E1, "9"),
    "purple": (0x800080, "3"),
    "violet": (0xEE82EE, "3"),
    "magenta": (0xFF00FF, "3"),
    "black": (0x000000, "8"),
    "gray": (0x808080, "8"),
    "silver": (0xC0C0C0, "8"),
    "white": (0xFFFFFF, "8"),
    "beige": (0xF5F5DC, "8"),
    "slategray": (0x708090, "8"),
}


@pytest.mark.parametrize("name", NEAREST)
def test_a_colour_becomes_the_one_that_people_would_call_the_same(name: str) -> None:
    color, nearest = NEAREST[name]
    assert color_id(color) == nearest


@pytest.mark.parametrize("identity", EVENT_COLORS)
def test_each_of_googles_colours_is_its_own_nearest(identity: str) -> None:
    assert color_id(EVENT_COLORS[identity]) == identity


def test_every_colour_there_is_has_one_of_the_eleven() -> None:
    steps = range(0, 256, 51)
    near = {color_id(red << 16 | green << 8 | blue) for red in steps for green in steps for blue in steps}
    assert near <= set(EVENT_COLORS) == _CHOICES["colorId"]
    assert len(near) > 8
