"""The colours of pictures and page can be told apart and read, by everybody and in black and white."""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import product

import pytest

from specminer.presentation.theme import DARK, LIGHT, THEMES, Theme, Tone, in_the_dark

TEXT, SHAPE = 4.5, 3.0
"""Contrast that WCAG 2.2 asks of texts (1.4.3) and of shapes that mean something (1.4.11)."""


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_measured_as_wcag_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_texts_and_lines_stand_out_from_every_ground(theme: Theme) -> None:
    grounds = [theme.background, *(theme.fill(share / 10) for share in range(11))]
    for tone, ground in product(Tone, grounds):
        assert contrast(theme.text(tone), ground) >= TEXT, (tone, ground)
    for share in range(11):
        assert contrast(theme.line(share / 10), theme.background) >= SHAPE - 0.01, share
    assert contrast(theme.usual, theme.background) >= SHAPE
    # in black and white the usual path still differs from the most frequent line
    assert contrast(theme.usual, theme.frequent) >= 1.5


def test_each_colour_of_the_light_theme_is_one_of_the_dark_one() -> None:
    for tone in Tone:
        assert in_the_dark(LIGHT.text(tone)) == DARK.text(tone)
    assert in_the_dark(LIGHT.background) == DARK.background
    for share in range(101):
        for kind in (Theme.line, Theme.fill):
            found = in_the_dark(kind(LIGHT, share / 100))
            assert found is not None
            expected = kind(DARK, share / 100)
            near = max(abs(int(found[at : at + 2], 16) - int(expected[at : at + 2], 16)) for at in (1, 3, 5))
            assert near <= 3, "as near as one step of the light colour tells"
    assert in_the_dark("#123456") is None


def palettes() -> list[dict[str, str]]:
    """Return the named colours of the page's style, light and dark."""
    style = (files("specminer.presentation") / "assets" / "page.css").read_text(encoding="utf-8")
    roots = re.findall(r":root \{([^}]*)\}", style)
    found = []
    for text in roots:
        named = dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6})", text))
        found.append(
            {
                key: value if len(value) == 7 else "#" + "".join(c * 2 for c in value[1:])
                for key, value in named.items()
            }
        )
    return found


def test_the_pages_colours_can_be_read() -> None:
    light, dark = palettes()
    assert light.keys() == dark.keys()
    for colours in (light, dark):
        for text, ground in product(("ink", "soft", "blue", "red"), ("paper", "pale", "on")):
            assert contrast(colours[text], colours[ground]) >= TEXT, (text, ground)
        assert contrast(colours["paper"], colours["blue"]) >= TEXT, "a button that is pressed"
        for shape in ("edge", "mark", "blue"):
            assert contrast(colours[shape], colours["paper"]) >= SHAPE, shape
