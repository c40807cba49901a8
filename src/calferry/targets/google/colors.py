"""The colours that Google gives events, and which of them comes nearest to another one. Pure.

Sources: the answer of "Colors: get" in Google's Calendar API reference (its event colours, as they have been since
2012); B. Ottosson, "A perceptual color space for image processing" (Oklab).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

EVENT_COLORS: Mapping[str, int] = MappingProxyType(
    {
        "1": 0xA4BDFC,  # shown as Lavender
        "2": 0x7AE7BF,  # Sage
        "3": 0xDBADFF,  # Grape
        "4": 0xFF887C,  # Flamingo
        "5": 0xFBD75B,  # Banana
        "6": 0xFFB878,  # Tangerine
        "7": 0x46D6DB,  # Peacock
        "8": 0xE1E1E1,  # Graphite
        "9": 0x5484ED,  # Blueberry
        "10": 0x51B749,  # Basil
        "11": 0xDC2127,  # Tomato
    }
)
"""By `colorId`: red, green and blue in a byte each."""

GREY = "8"
PALE = 0.035
"""The chroma below which a colour passes for grey."""


class _Seen(NamedTuple):
    """A colour as eyes take it: lightness, chroma, and the direction of its hue."""

    lightness: float
    chroma: float
    green_red: float
    blue_yellow: float


def color_id(color: int) -> str:
    """The `colorId` of the event colour that comes nearest to `color` (0xRRGGBB).

    By hue before all else, for Google's colours are pale ones: purple is to become a purple, however dark it was.
    """
    asked = _seen(color)
    if asked.chroma < PALE:
        return GREY
    return min((one for one in EVENT_COLORS if one != GREY), key=lambda one: _distance(asked, _seen(EVENT_COLORS[one])))


def _distance(one: _Seen, other: _Seen) -> float:
    return math.dist(
        (one.lightness, one.green_red, one.blue_yellow), (other.lightness, other.green_red, other.blue_yellow)
    )


def _seen(color: int) -> _Seen:
    red, green, blue = (_linear((color >> shift & 0xFF) / 255) for shift in (16, 8, 0))
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    green_red = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    blue_yellow = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    chroma = math.hypot(green_red, blue_yellow)
    return _Seen(lightness, chroma, green_red / (chroma or 1), blue_yellow / (chroma or 1))


def _linear(part: float) -> float:
    """A part of an sRGB colour (0 to 1) in proportion to its light (IEC 61966-2-1)."""
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 (the standard's)
